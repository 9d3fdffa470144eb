//! May a request be sent again, and when. Pure: a function of effect, outcome and attempt.
//!
//! A creating call is never repeated once its bytes may have reached Figma: Figma knows no
//! idempotency keys, so a repeated comment is two comments.

use std::time::Duration;

use crate::{
    error::{Error, Result},
    table::Effect,
};

/// The longest wait inside a call. Figma's `Retry-After` can be days; a longer one is an answer.
pub const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// How often a request is sent, first attempt included.
pub const MOST_ATTEMPTS: u32 = 3;

/// How one attempt ended, when it brought no answer that stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Failed {
    /// Nothing left this machine: no connection could be made.
    NotSent(String),
    /// The connection broke, or the answer never came, after the request may have arrived.
    Broken(Error),
    /// An answer came, and it is a refusal or a failure.
    Answered(Error),
}

/// What to do after an attempt that failed.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Send it again after this time.
    Retry(Duration),
    /// It is done already: a repeated removal that finds nothing.
    Done,
    /// Tell the caller.
    Stop(Error),
}

/// Decides. `attempt` counts from 1, `left` is the time until the call's deadline and `jitter` is
/// between 0 and 1.
pub fn decide(effect: Effect, failed: Failed, attempt: u32, left: Duration, jitter: f64) -> Next {
    let (wait, stop) = match failed {
        Failed::NotSent(problem) => {
            (Some(backoff(attempt, jitter)), Error::Unreachable { problem, attempts: attempt })
        }
        Failed::Answered(Error::NotFound { .. }) if effect == Effect::Delete && attempt > 1 => {
            return Next::Done;
        }
        Failed::Answered(Error::RateLimited(limit)) => {
            (limit.retry_after.filter(|wait| *wait <= LONGEST_WAIT), Error::RateLimited(limit))
        }
        Failed::Broken(error) => after_sending(effect, with_attempts(error, attempt), attempt, jitter),
        Failed::Answered(error @ (Error::FigmaFailed { .. } | Error::BadAnswer { .. })) => {
            after_sending(effect, with_attempts(error, attempt), attempt, jitter)
        }
        Failed::Answered(error) => (None, error),
    };
    match wait {
        Some(wait) if attempt < MOST_ATTEMPTS && wait < left => Next::Retry(wait),
        _ => Next::Stop(stop),
    }
}

/// The request may have been carried out: fine to repeat unless that does it twice.
fn after_sending(effect: Effect, error: Error, attempt: u32, jitter: f64) -> (Option<Duration>, Error) {
    match effect.verify_with() {
        Some(verify_with) => (None, Error::Unknown { problem: error.to_string(), verify_with }),
        // An HTML page or a redirect comes again the same; a time-out has used up the time.
        None if matches!(
            error,
            Error::BadAnswer { .. } | Error::TimedOut { .. } | Error::TooLarge { .. }
        ) =>
        {
            (None, error)
        }
        None => (Some(backoff(attempt, jitter)), error),
    }
}

fn with_attempts(error: Error, attempt: u32) -> Error {
    match error {
        Error::FigmaFailed { status, message, .. } => {
            Error::FigmaFailed { status, message, attempts: attempt }
        }
        Error::Unreachable { problem, .. } => Error::Unreachable { problem, attempts: attempt },
        other => other,
    }
}

/// About 0.4 s, then 1.6 s; between half and the whole of it, so that callers do not fall into step.
fn backoff(attempt: u32, jitter: f64) -> Duration {
    let full = Duration::from_millis(400) * 4_u32.pow(attempt.saturating_sub(1).min(4));
    full.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
}

/// Waits out a decision.
///
/// # Errors
/// The decision to stop.
pub async fn carry_out(next: Next) -> Result<bool> {
    match next {
        Next::Retry(wait) => {
            tokio::time::sleep(wait).await;
            Ok(true)
        }
        Next::Done => Ok(false),
        Next::Stop(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::RateLimit;

    const CREATE: Effect = Effect::Create { verify_with: "figma_file_comments_list" };
    const MINUTE: Duration = Duration::from_secs(60);

    fn limited(seconds: Option<u64>) -> Failed {
        Failed::Answered(Error::RateLimited(Box::new(RateLimit {
            tier: 1,
            plan: None,
            seat: None,
            retry_after: seconds.map(Duration::from_secs),
            upgrade_link: None,
        })))
    }

    fn failed(status: u16) -> Failed {
        Failed::Answered(Error::FigmaFailed { status, message: String::new(), attempts: 1 })
    }

    fn broken() -> Failed {
        Failed::Broken(Error::Unreachable { problem: "reset".into(), attempts: 1 })
    }

    fn missing() -> Failed {
        Failed::Answered(Error::NotFound { what: "x".into(), message: String::new() })
    }

    #[test]
    fn the_table() {
        // (effect, failure, attempt, expected)
        let cases = [
            (Effect::Read, limited(Some(1)), 1, "retry"),
            (Effect::Read, limited(Some(20)), 2, "retry"),
            (Effect::Read, limited(Some(21)), 1, "rate_limited"),
            (Effect::Read, limited(None), 1, "rate_limited"),
            (CREATE, limited(Some(1)), 1, "retry"),
            (Effect::Read, Failed::NotSent("dns".into()), 1, "retry"),
            (Effect::Read, Failed::NotSent("dns".into()), 3, "unreachable"),
            (CREATE, Failed::NotSent("dns".into()), 1, "retry"),
            (Effect::Read, broken(), 1, "retry"),
            (Effect::Update, broken(), 2, "retry"),
            (Effect::Delete, broken(), 3, "unreachable"),
            (CREATE, broken(), 1, "unknown_outcome"),
            (Effect::Batch { verify_with: "figma_file_variables_local_get" }, broken(), 1, "unknown_outcome"),
            (Effect::Read, failed(500), 1, "retry"),
            (Effect::Read, failed(503), 3, "figma_failed"),
            (CREATE, failed(500), 1, "unknown_outcome"),
            (Effect::Delete, missing(), 1, "not_found"),
            (Effect::Delete, missing(), 2, "done"),
            (Effect::Update, missing(), 2, "not_found"),
        ];
        for (effect, failure, attempt, expected) in cases {
            let outcome = match decide(effect, failure.clone(), attempt, MINUTE, 0.5) {
                Next::Retry(_) => "retry",
                Next::Done => "done",
                Next::Stop(error) => error.kind(),
            };
            assert_eq!(outcome, expected, "{effect:?} {failure:?} {attempt}");
        }
    }

    #[test]
    fn no_wait_reaches_past_the_deadline() {
        let left = Duration::from_millis(300);
        assert!(matches!(decide(Effect::Read, broken(), 1, left, 1.0), Next::Stop(_)));
        assert_eq!(backoff(1, 1.0), Duration::from_millis(400));
        assert_eq!(backoff(2, 1.0), Duration::from_millis(1600));
    }
}
