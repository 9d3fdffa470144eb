//! File keys that fail in a known way, as payment providers have test card numbers.

use crate::table::{Endpoint, Method, Tier};

/// A file key that fails in a known way. Where it does not fail it is the product file.
#[derive(Debug)]
pub(super) struct Fault {
    /// The file key.
    pub(super) key: &'static str,
    /// What it does, for the documentation.
    pub(super) description: &'static str,
    /// The calls that fail.
    pub(super) when: When,
    /// How they fail.
    pub(super) failure: Failure,
    /// How many calls fail before it works; `None`: all.
    pub(super) times: Option<u32>,
    /// How many calls work before the first one fails.
    pub(super) spares: u32,
}

/// Which calls a fault is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    Always,
    /// Files, nodes and renders.
    TierOne,
    /// The same, unless the caller asks for one or two levels only.
    DeepTierOne,
    /// Whole files, unless the caller asks for one or two levels only.
    WholeFile,
    Renders,
    /// Everything but the metadata, which Figma offers for files of any type.
    NotMetadata,
    Writes,
}

/// How a call fails.
#[derive(Debug, Clone, Copy)]
pub(super) enum Failure {
    /// Refused with this status and message.
    Refuse(u16, &'static str),
    /// The token is not accepted.
    InvalidToken,
    /// The token lacks the scope that the endpoint asks for.
    InvalidScope,
    /// The rate limit is used up for so many seconds; `true`: and Figma says why.
    RateLimit(u32, bool),
    /// The answer takes so many seconds.
    Delay(u64),
    /// There is never an answer.
    Hang,
    /// The answer breaks off half way.
    BreakOff,
    /// Half of the answer comes, and no more.
    Stall,
    /// The call is carried out, then the connection closes without an answer.
    CloseUnanswered,
    /// Success, with something else than Figma's JSON.
    Other { content_type: &'static str, body: &'static str },
    /// Success, with a body of this many megabytes.
    Flood(usize),
    /// Sent on to another host.
    Redirect,
}

/// `Retry-After` of a rate limit that lasts, as seen in the wild.
pub(super) const DAYS: u32 = 396_749;

const HTML: &str = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Sign in to the network</h1></body></html>";

/// Every fault.
pub(super) const FAULTS: &[Fault] = &[
    Fault {
        times: Some(1),
        ..fault(
            "RATE1",
            "429 with Retry-After 1, once; then it works",
            When::Always,
            Failure::RateLimit(1, false),
        )
    },
    fault("RATE30", "429 with Retry-After 30", When::Always, Failure::RateLimit(30, false)),
    fault(
        "RATEDAYS",
        "429 with days of Retry-After, plan starter, seat limit low, upgrade link",
        When::Always,
        Failure::RateLimit(DAYS, true),
    ),
    Fault {
        spares: 1,
        ..fault(
            "RATELATER",
            "files, nodes and renders: works once, then as RATEDAYS",
            When::TierOne,
            Failure::RateLimit(DAYS, true),
        )
    },
    fault("SCOPE", "403 Invalid scope(s)", When::Always, Failure::InvalidScope),
    fault("DEADTOKEN", "403 Invalid token", When::Always, Failure::InvalidToken),
    fault("PLAN", "403 Limited by Figma plan", When::Always, Failure::Refuse(403, "Limited by Figma plan")),
    fault(
        "NOEXPORT",
        "403 File not exportable, for files, nodes and renders",
        When::TierOne,
        Failure::Refuse(403, "File not exportable"),
    ),
    fault("NOACCESS", "403 Forbidden", When::Always, Failure::Refuse(403, "Forbidden")),
    fault("GONE", "404 Not found", When::Always, Failure::Refuse(404, "Not found")),
    fault(
        "HUGE",
        "400 Request too large, for files, nodes and renders unless `depth` is 1 or 2",
        When::DeepTierOne,
        Failure::Refuse(400, "Request too large. If applicable, filter by query params."),
    ),
    fault(
        "HUGEFILE",
        "400 Request too large, for the file as a whole; its pages and nodes come",
        When::WholeFile,
        Failure::Refuse(400, "Request too large. If applicable, filter by query params."),
    ),
    fault(
        "STALLFILE",
        "half of the file as a whole comes, then nothing; its pages and nodes come",
        When::WholeFile,
        Failure::Stall,
    ),
    fault(
        "SLIDES",
        "400 File type not supported by this endpoint; its metadata works",
        When::NotMetadata,
        Failure::Refuse(400, "File type not supported by this endpoint"),
    ),
    fault(
        "RENDERSLOW",
        "400 Render timeout, for renders",
        When::Renders,
        Failure::Refuse(400, "Render timeout, try requesting fewer or smaller images"),
    ),
    fault("SLOW", "answers after 5 s", When::Always, Failure::Delay(5)),
    fault("HANG", "never answers", When::Always, Failure::Hang),
    fault("BROKEN", "the answer breaks off half way", When::Always, Failure::BreakOff),
    fault(
        "BROKENLATE",
        "a write is carried out, then the connection closes without an answer; reads work",
        When::Writes,
        Failure::CloseUnanswered,
    ),
    Fault {
        times: Some(2),
        ..fault(
            "FLAKY",
            "500 twice; then it works",
            When::Always,
            Failure::Refuse(500, "Internal server error"),
        )
    },
    Fault {
        times: Some(1),
        ..fault(
            "FLAKYFILE",
            "half of the file as a whole comes, once; then it works",
            When::WholeFile,
            Failure::BreakOff,
        )
    },
    fault("DOWN", "500 always", When::Always, Failure::Refuse(500, "Internal server error")),
    fault(
        "HTML",
        "200 with an HTML page, as a proxy's sign-in page",
        When::Always,
        Failure::Other { content_type: "text/html; charset=utf-8", body: HTML },
    ),
    fault(
        "EMPTY",
        "200 with an empty body",
        When::Always,
        Failure::Other { content_type: "application/json; charset=utf-8", body: "" },
    ),
    fault("BOMB", "200 with 200 MB of JSON, compressed where accepted", When::Always, Failure::Flood(200)),
    fault("REDIRECT", "302 to another host", When::Always, Failure::Redirect),
];

const fn fault(key: &'static str, description: &'static str, when: When, failure: Failure) -> Fault {
    Fault { key, description, when, failure, times: None, spares: 0 }
}

/// The file keys that fail in a known way, with what each does.
pub fn faults() -> impl Iterator<Item = (&'static str, &'static str)> {
    FAULTS.iter().map(|fault| (fault.key, fault.description))
}

/// The fault of this file key.
pub(super) fn find(key: &str) -> Option<&'static Fault> {
    FAULTS.iter().find(|fault| fault.key == key)
}

impl Fault {
    /// Whether a call of this endpoint is one that fails.
    pub(super) fn concerns(&self, endpoint: &Endpoint, depth: Option<u64>) -> bool {
        let is_tier_one = endpoint.tier == Tier::One;
        match self.when {
            When::Always => true,
            When::TierOne => is_tier_one,
            When::DeepTierOne => is_tier_one && depth.is_none_or(|depth| depth > 2),
            When::WholeFile => endpoint.path == "/v1/files/{file_key}" && depth.is_none_or(|depth| depth > 2),
            When::Renders => endpoint.path.starts_with("/v1/images/"),
            When::NotMetadata => !endpoint.path.ends_with("/meta"),
            When::Writes => endpoint.method != Method::Get,
        }
    }
}
