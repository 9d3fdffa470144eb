//! A rate limit that is used up.

use std::{fmt, time::Duration};

use super::span;

/// What a 429 says (developers.figma.com/docs/rest-api/rate-limits).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    /// The tier of the endpoint, 1 to 3.
    pub tier: u8,
    /// `X-Figma-Plan-Tier`: the plan of the place where the file lies.
    pub plan: Option<String>,
    /// `X-Figma-Rate-Limit-Type`: `low` for View and Collab seats, `high` for Dev and Full seats.
    pub seat: Option<String>,
    /// `Retry-After`; days have been seen.
    pub retry_after: Option<Duration>,
    /// `X-Figma-Upgrade-Link`.
    pub upgrade_link: Option<String>,
    /// What can be answered all the same, as whole sentences, where that is known.
    pub still: Option<String>,
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Figma's rate limit for tier {} calls is used up", self.tier)?;
        if let Some(wait) = self.retry_after {
            write!(f, " for {}", span(wait))?;
        }
        let seat = match self.seat.as_deref() {
            Some("low") => Some("seat limit \"low\" (View or Collab)".to_owned()),
            Some("high") => Some("seat limit \"high\" (Dev or Full)".to_owned()),
            Some(other) => Some(format!("seat limit \"{other}\"")),
            None => None,
        };
        let plan = self.plan.as_ref().map(|plan| format!("plan \"{plan}\""));
        let details: Vec<String> = plan.into_iter().chain(seat).collect();
        if details.is_empty() { Ok(()) } else { write!(f, " ({})", details.join(", ")) }
    }
}

impl RateLimit {
    /// When to ask again, and what can be done meanwhile.
    pub(super) fn next(&self) -> String {
        let mut next = match self.retry_after {
            Some(wait) => {
                format!("Do not call tier {} tools again before {} have passed.", self.tier, span(wait))
            }
            None => format!("Do not call tier {} tools again for a while.", self.tier),
        };
        next += " ";
        next += self.still.as_deref().unwrap_or("Work from what is already here.");
        if self.seat.as_deref() == Some("low") || self.plan.as_deref() == Some("starter") {
            next += " A Dev or Full seat, in a paid team that the file is moved or duplicated into, lifts the limit.";
        }
        if let Some(link) = &self.upgrade_link {
            next += &format!(" Figma names this page: {link}");
        }
        next
    }
}
