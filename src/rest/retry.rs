//! May a request be sent again, and when. Pure: a function of effect, outcome and attempt.
//!
//! A creating call is never repeated once its bytes may have reached Figma: Figma knows no
//! idempotency keys, so a repeated comment is two comments.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    error::{Error, Result},
    table::Effect,
};

/// The longest that one call waits, all its waits together. Figma's `Retry-After` can be days; a longer one is an answer.
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

/// Where a call stands when an attempt has failed.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// Which attempt it was, from 1 on.
    pub attempt: u32,
    /// The time until the call's deadline.
    pub left: Duration,
    /// How long it has waited between attempts so far.
    pub waited: Duration,
    /// Between 0 and 1.
    pub jitter: f64,
}

/// Decides.
pub fn decide(effect: Effect, failed: Failed, standing: Standing) -> Next {
    let Standing { attempt, left, waited, jitter } = standing;
    let (wait, stop) = match failed {
        Failed::NotSent(problem) => {
            (Some(backoff(attempt, jitter)), Error::Unreachable { problem, attempts: attempt })
        }
        Failed::Answered(Error::NotFound { .. }) if effect == Effect::Delete && attempt > 1 => {
            return Next::Done;
        }
        Failed::Answered(Error::RateLimited(limit)) => (limit.retry_after, Error::RateLimited(limit)),
        Failed::Broken(error) => after_sending(effect, with_attempts(error, attempt), attempt, jitter),
        Failed::Answered(error @ (Error::FigmaFailed { .. } | Error::BadAnswer { .. })) => {
            after_sending(effect, with_attempts(error, attempt), attempt, jitter)
        }
        Failed::Answered(error) => (None, error),
    };
    match wait {
        Some(wait) if attempt < MOST_ATTEMPTS && wait < left && waited + wait <= LONGEST_WAIT => {
            Next::Retry(wait)
        }
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

/// One call's attempts, and the waits between them.
#[derive(Debug)]
pub struct Attempts {
    effect: Effect,
    deadline: Instant,
    waited: Duration,
    /// How many attempts were made so far.
    made: u32,
}

impl Attempts {
    /// Of a call that ends after this time, whatever happens.
    pub fn within(effect: Effect, limit: Duration) -> Self {
        Self { effect, deadline: Instant::now() + limit, waited: Duration::ZERO, made: 0 }
    }

    /// The time that is left.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Which attempt comes next, from 1 on.
    pub const fn next(&self) -> u32 {
        self.made + 1
    }

    /// How much longer this call may wait between attempts.
    pub fn patience(&self) -> Duration {
        LONGEST_WAIT.saturating_sub(self.waited).min(self.left())
    }

    /// Waits before the first attempt.
    pub async fn wait(&mut self, wait: Duration) {
        self.waited += wait;
        tokio::time::sleep(wait).await;
    }

    /// After an attempt that failed: waits if it is to be made again. `false`: it is done already.
    ///
    /// # Errors
    /// What to tell the caller.
    pub async fn again(&mut self, failed: Failed, jitter: f64) -> Result<bool> {
        self.made += 1;
        let standing = Standing { attempt: self.made, left: self.left(), waited: self.waited, jitter };
        match decide(self.effect, failed, standing) {
            Next::Retry(wait) => {
                self.wait(wait).await;
                Ok(true)
            }
            Next::Done => Ok(false),
            Next::Stop(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::RateLimit;

    const CREATE: Effect = Effect::Create { verify_with: "figma_file_comments_list" };
    const MINUTE: Duration = Duration::from_secs(60);

    fn at(attempt: u32, left: Duration, jitter: f64) -> Standing {
        Standing { attempt, left, waited: Duration::ZERO, jitter }
    }

    fn limited(seconds: Option<u64>) -> Failed {
        Failed::Answered(Error::RateLimited(Box::new(RateLimit {
            tier: 1,
            plan: None,
            seat: None,
            retry_after: seconds.map(Duration::from_secs),
            upgrade_link: None,
            still: None,
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
            let outcome = match decide(effect, failure.clone(), at(attempt, MINUTE, 0.5)) {
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
        assert!(matches!(decide(Effect::Read, broken(), at(1, left, 1.0)), Next::Stop(_)));
        assert_eq!(backoff(1, 1.0), Duration::from_millis(400));
        assert_eq!(backoff(2, 1.0), Duration::from_millis(1600));
    }

    /// What comes of a `Retry-After` that Figma sends again and again: how often the call is sent, how
    /// long it waits in all, and what is told.
    #[tokio::test(start_paused = true)]
    async fn no_retry_after_makes_a_call_wait_longer_than_20_s() {
        // (Retry-After, attempts, seconds waited)
        let cases = [
            (None, 1, 0),
            (Some(""), 1, 0),
            (Some("0"), 3, 0),
            (Some("1"), 3, 2),
            (Some(" 7 "), 3, 14),
            (Some("10"), 3, 20),
            (Some("11"), 2, 11),
            (Some("20"), 2, 20),
            (Some("21"), 1, 0),
            (Some("30"), 1, 0),
            (Some("3600"), 1, 0),
            (Some("382233"), 1, 0),
            (Some("396749"), 1, 0),
            (Some("4294967295"), 1, 0),
            (Some("4294967296"), 1, 0),
            (Some("18446744073709551616"), 1, 0),
            (Some("999999999999999999999999999999"), 1, 0),
            (Some("-1"), 1, 0),
            (Some("-86400"), 1, 0),
            (Some("+5"), 1, 0),
            (Some("1.5"), 1, 0),
            (Some("1e3"), 1, 0),
            (Some("soon"), 1, 0),
            (Some("5 seconds"), 1, 0),
            (Some("NaN"), 1, 0),
            (Some("\u{0665}"), 1, 0),
            // Dates: 15 s from now, four days from now, in the past, and none.
            (Some("Sun, 09 Sep 2001 01:46:55 GMT"), 2, 15),
            (Some("Thu, 13 Sep 2001 01:46:40 GMT"), 1, 0),
            (Some("Sun, 09 Sep 2001 01:46:00 GMT"), 1, 0),
            (Some("Sun, 99 Sep 2001 01:46:00 GMT"), 1, 0),
        ];
        let now = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        for (header, sent, waited) in cases {
            let wait = header.and_then(|text| crate::rest::response::retry_after(text, now));
            for effect in [Effect::Read, CREATE] {
                let started = Instant::now();
                let mut attempts = Attempts::within(effect, Duration::from_secs(3600));
                let error = loop {
                    let mut failed = limited(None);
                    if let Failed::Answered(Error::RateLimited(limit)) = &mut failed {
                        limit.retry_after = wait;
                    }
                    match attempts.again(failed, 1.0).await {
                        Ok(again) => assert!(again, "{header:?}"),
                        Err(error) => break error,
                    }
                };
                assert_eq!(error.kind(), "rate_limited", "{header:?}");
                assert_eq!((attempts.made, started.elapsed().as_secs()), (sent, waited), "{header:?}");
                assert!(started.elapsed() <= LONGEST_WAIT, "{header:?}");
            }
        }
    }
}
