//! Figures for Prometheus. Their labels are names of our own: nothing that a caller sends.

use std::{sync::Arc, time::Instant};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use crate::{
    dispatch::{App, Saved},
    error::Error,
    table,
};

/// What is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    calls: Family<Call, Counter>,
    seconds: Family<ToolLabel, Histogram, fn() -> Histogram>,
    figma: Family<TierLabel, Counter>,
    kept: Family<KeptLabel, Counter>,
    gates: Family<TierLabel, Gauge>,
    answers: Family<Answered, Counter>,
    under_way: Gauge,
    pub(super) sessions: Gauge,
    pub(super) streams: Gauge,
    app: Arc<App>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    tool: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ToolLabel {
    tool: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TierLabel {
    tier: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KeptLabel {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: &'static str,
    status: u16,
}

/// A call that is under way, for as long as it lives. One that is dropped was given up.
#[derive(Debug)]
pub(crate) struct UnderWay {
    metrics: Arc<Metrics>,
    tool: &'static str,
    started: Instant,
    outcome: &'static str,
}

impl UnderWay {
    /// It ended like this.
    pub(crate) fn ended(mut self, outcome: &'static str) {
        self.outcome = outcome;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let Self { metrics, tool, outcome, .. } = self;
        metrics.calls.get_or_create(&Call { tool, outcome }).inc();
        metrics.seconds.get_or_create(&ToolLabel { tool }).observe(self.started.elapsed().as_secs_f64());
        metrics.under_way.dec();
    }
}

fn seconds() -> Histogram {
    Histogram::new([0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0])
}

impl Metrics {
    pub(super) fn new(app: Arc<App>) -> Self {
        let mut registry = Registry::with_prefix("figma_mcp");
        let calls = Family::default();
        let latency = Family::<ToolLabel, Histogram, fn() -> Histogram>::new_with_constructor(seconds);
        let (figma, answers) = (Family::default(), Family::default());
        let (kept, gates) = (Family::default(), Family::default());
        let (under_way, sessions, streams) = (Gauge::default(), Gauge::default(), Gauge::default());
        registry.register("calls", "Calls of tools, by outcome", calls.clone());
        registry.register_with_unit("call", "How long calls took", Unit::Seconds, latency.clone());
        registry.register(
            "figma_requests",
            "Requests to Figma, by the tier of its rate limits",
            figma.clone(),
        );
        registry.register(
            "kept_answers",
            "Reads that kept answers could serve, by what came of it",
            kept.clone(),
        );
        registry.register(
            "closed_gates",
            "Tiers and files that Figma refuses for now, all callers together",
            gates.clone(),
        );
        registry.register("http_requests", "HTTP requests, by route and status", answers.clone());
        registry.register("calls_under_way", "Calls that are not answered yet", under_way.clone());
        registry.register("sessions", "Open sessions of Streamable HTTP", sessions.clone());
        registry.register("sse_streams", "Open streams of the old transport", streams.clone());
        Self {
            registry,
            calls,
            seconds: latency,
            figma,
            kept,
            gates,
            answers,
            under_way,
            sessions,
            streams,
            app,
        }
    }

    /// A call of this tool begins.
    pub(crate) fn begin(self: &Arc<Self>, tool: &str) -> UnderWay {
        self.under_way.inc();
        let tool = table::find(tool).map_or("unknown", |tool| tool.name);
        UnderWay { metrics: self.clone(), tool, started: Instant::now(), outcome: Error::Cancelled.kind() }
    }

    /// An HTTP request was answered.
    pub(super) fn answered(&self, path: &str, status: u16) {
        const ROUTES: [&str; 9] = [
            "/mcp",
            "/mcp/readonly",
            "/sse",
            "/sse/readonly",
            "/messages",
            "/messages/readonly",
            "/health",
            "/ready",
            "/metrics",
        ];
        let route = ROUTES.into_iter().find(|route| *route == path).unwrap_or("other");
        self.answers.get_or_create(&Answered { route, status }).inc();
    }

    pub(super) fn calls_under_way(&self) -> i64 {
        self.under_way.get()
    }

    /// All figures, in Prometheus' text form.
    pub(super) fn text(&self) -> String {
        let raise = |counter: &Counter, total: u64| counter.inc_by(total.saturating_sub(counter.get()));
        for (tier, total) in (1..).zip(self.app.figma_calls()) {
            raise(&self.figma.get_or_create(&TierLabel { tier }), total);
        }
        let Saved { hits, misses, stale, joined } = self.app.saved();
        for (outcome, total) in [("hit", hits), ("miss", misses), ("stale", stale), ("joined", joined)] {
            raise(&self.kept.get_or_create(&KeptLabel { outcome }), total);
        }
        for (tier, closed) in (1..).zip(self.app.closed_gates()) {
            let closed = i64::try_from(closed).unwrap_or(i64::MAX);
            self.gates.get_or_create(&TierLabel { tier }).set(closed);
        }
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            tracing::error!("the figures could not be written");
        }
        text
    }
}
