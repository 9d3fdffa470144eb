//! What a handler gives back: a body for status 200, or a refusal in Figma's words.

use serde::Serialize;
use serde_json::{Value, json};

/// The body of a 200; empty where Figma sends none.
#[derive(Debug)]
pub(super) struct Answer(pub(super) Vec<u8>);

/// What a handler gives back.
pub(super) type Outcome = Result<Answer, Refusal>;

impl Answer {
    /// No body at all.
    pub(super) const EMPTY: Self = Self(Vec::new());

    /// Anything that can be written as JSON.
    pub(super) fn json(body: &impl Serialize) -> Outcome {
        serde_json::to_vec(body).map(Self).map_err(|error| Refusal::new(500, error.to_string()))
    }

    /// `{status, error, meta}`, as half of Figma's endpoints answer.
    pub(super) fn meta(meta: impl Serialize) -> Outcome {
        #[derive(Serialize)]
        struct Envelope<T> {
            status: u16,
            error: bool,
            meta: T,
        }
        Self::json(&Envelope { status: 200, error: false, meta })
    }

    /// What Figma answers to a DELETE that has nothing to show.
    pub(super) fn done() -> Outcome {
        Self::json(&json!({ "status": 200, "error": false }))
    }
}

/// A status other than 200, with Figma's message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) message: String,
    /// Beside `Content-Type`.
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), headers: Vec::new() }
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "Not found")
    }

    /// A rate limit that is used up; `explained`: with what Figma adds for seats of little use.
    pub(super) fn rate_limit(seconds: u32, explained: bool) -> Self {
        let mut headers = vec![("retry-after", seconds.to_string())];
        if explained {
            headers.extend([
                ("x-figma-plan-tier", "starter".to_owned()),
                ("x-figma-rate-limit-type", "low".to_owned()),
                ("x-figma-upgrade-link", "https://www.figma.com/pricing".to_owned()),
            ]);
        } else {
            headers.extend([
                ("x-figma-plan-tier", "pro".to_owned()),
                ("x-figma-rate-limit-type", "high".to_owned()),
            ]);
        }
        Self { status: 429, message: "Rate limit exceeded".to_owned(), headers }
    }

    /// The body: Figma has two styles, and which one depends on endpoint and status.
    pub(super) fn body(&self, is_boolean_style: bool) -> Value {
        if is_boolean_style {
            json!({ "error": true, "status": self.status, "message": self.message })
        } else {
            json!({ "status": self.status, "err": self.message })
        }
    }
}
