//! Figma's published rates, and keeping bursts below them.
//!
//! The numbers are Figma's of November 2025 (developers.figma.com/docs/rest-api/rate-limits), and change:
//! this table is the one place that holds them. Which of them counts depends on the plan of the place
//! where the file lies, which is known only where Figma has named it in an earlier refusal: there, calls
//! are spread; everywhere else nothing is slowed down. Tier 1 of low seats is counted by the month, by
//! numbers that Figma keeps changing, and not paced.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::table::Tier;

/// Calls a minute of tier 1, 2 and 3 with a Dev or Full seat, by Figma's name of the plan. Education plans
/// are said to be as Professional.
const RATES: &[(&str, [u16; 3])] = &[
    ("enterprise", [20, 100, 150]),
    ("org", [15, 50, 100]),
    ("pro", [10, 25, 50]),
    ("student", [10, 25, 50]),
];
/// The same with a View or Collab seat, and of everybody in a Starter plan; 0: not by the minute.
const LOW: [u16; 3] = [0, 5, 10];
const MINUTE: Duration = Duration::from_secs(60);

/// How many calls of a tier a minute has, where that is known.
fn rate(tier: Tier, plan: Option<&str>, seat: Option<&str>) -> Option<usize> {
    let rates = match (plan, seat) {
        (Some("starter"), _) | (_, Some("low")) => LOW,
        (Some(plan), Some("high")) => RATES.iter().find(|(name, _)| *name == plan)?.1,
        _ => return None,
    };
    let [one, two, three] = rates;
    let rate = match tier {
        Tier::One => one,
        Tier::Two => two,
        Tier::Three => three,
    };
    (rate > 0).then_some(usize::from(rate))
}

/// What has a rate of its own: the tier, and the plan and the seat that Figma named.
type Place = (Tier, Option<String>, Option<String>);

/// When one credential's calls of the last minute were sent, by tier, plan and seat.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<HashMap<Place, VecDeque<Instant>>>);

impl Pace {
    /// Takes a place for a call, and tells how long it has to wait for it.
    ///
    /// # Errors
    /// How long it would have to wait, where that is longer than `patience`: no place is taken then.
    pub(super) fn take(
        &self,
        tier: Tier,
        plan: Option<&str>,
        seat: Option<&str>,
        patience: Duration,
    ) -> Result<Duration, Duration> {
        let Some(rate) = rate(tier, plan, seat) else { return Ok(Duration::ZERO) };
        let now = Instant::now();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let times = all.entry((tier, plan.map(str::to_owned), seat.map(str::to_owned))).or_default();
        while times.front().is_some_and(|at| *at + MINUTE <= now) {
            times.pop_front();
        }
        // The call that this one follows by a minute at least.
        let before = times.len().checked_sub(rate).and_then(|index| times.get(index));
        let at = before.map_or(now, |before| (*before + MINUTE).max(now));
        let wait = at - now;
        if wait > patience {
            return Err(wait);
        }
        times.push_back(at);
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn what_is_not_known_is_not_slowed_down() {
        assert_eq!(rate(Tier::One, Some("enterprise"), Some("high")), Some(20));
        assert_eq!(rate(Tier::Two, Some("pro"), Some("low")), Some(5));
        assert_eq!(rate(Tier::Three, Some("starter"), Some("high")), Some(10));
        for (plan, seat) in
            [(None, None), (None, Some("high")), (Some("pro"), None), (Some("new"), Some("high"))]
        {
            assert_eq!(rate(Tier::One, plan, seat), None, "{plan:?} {seat:?}");
        }
        assert_eq!(rate(Tier::One, Some("starter"), Some("low")), None);
    }

    #[tokio::test(start_paused = true)]
    async fn no_minute_has_more_calls_than_the_plan() {
        let pace = Pace::default();
        let mut sent: Vec<Instant> = Vec::new();
        while sent.len() < 65 {
            match pace.take(Tier::One, Some("pro"), Some("high"), PATIENCE) {
                Ok(wait) => {
                    tokio::time::sleep(wait).await;
                    sent.push(Instant::now());
                }
                Err(wait) => {
                    assert!(wait > PATIENCE && wait <= MINUTE);
                    tokio::time::sleep(Duration::from_secs(7)).await;
                }
            }
        }
        for window in sent.windows(11) {
            assert!(window[10] - window[0] >= MINUTE);
        }
        // A burst is not slowed down, and another plan or tier has places of its own.
        assert_eq!(sent[9], sent[0]);
        assert_eq!(pace.take(Tier::Two, Some("pro"), Some("high"), PATIENCE), Ok(Duration::ZERO));
        assert_eq!(pace.take(Tier::One, Some("org"), Some("high"), PATIENCE), Ok(Duration::ZERO));
    }
}
