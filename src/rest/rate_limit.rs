//! Gates and the ledger: what Figma has said of its limits, and how many calls were made.
//!
//! Limits depend on the plan of the place where a file lies, which cannot be known beforehand: nothing is
//! refused by guess. A 429 that lasts longer than a call waits closes a gate, in the store and so for all
//! processes and after restarts:
//!
//! * for that caller, tier and file, where the request is about a file;
//! * for that caller and tier as a whole where it is not;
//! * and where a second file is refused with the same plan and seat named, also for the tier as a whole,
//!   but for an hour at most: a file in another place, whose plan allows more, loses no more than that.
//!
//! What is behind a closed gate fails at once, with what is left of the time. Every call is counted:
//! those of tier 1 before they are sent, since a handful a month may be all there is; the others within
//! a second, so that a small call stays cheap.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    Rest,
    lane::Lane,
    retry::{Attempts, LONGEST_WAIT},
};
use crate::{
    auth::{Caller, now},
    error::{Error, RateLimit, Result},
    store::{CallerKey, Calls, Gate},
    table::Tier,
};

/// How old what is known of gates may be before a call of tier 2 or 3. Calls of tier 1 always look.
const GATES_LIFETIME: Duration = Duration::from_secs(1);
/// How long counts of tier 2 and 3 may be in memory only.
const COUNT_DELAY: Duration = Duration::from_secs(1);
/// A store that takes longer than this holds up no call.
const STORE_LIMIT: Duration = Duration::from_secs(2);
/// How long a 429 that does not say how long it lasts closes its gate.
const UNSAID: Duration = Duration::from_secs(60);
/// How long a whole tier is closed at most because two files of it were refused.
const WHOLE_TIER: u64 = 3600;
/// How long what Figma named of plan and seat is relied on, in seconds.
const NAMED_LIFETIME: u64 = 30 * 86_400;
/// How Figma names the seats with a handful of tier 1 calls a month: View and Collab.
const LOW: &str = "low";

/// What is known of one credential's limits, and its calls that are not in the store yet.
#[derive(Debug, Default)]
pub(super) struct Limits {
    known: Mutex<Known>,
    unsaved: [AtomicU64; 3],
    is_saving: AtomicBool,
}

#[derive(Debug, Default)]
struct Known {
    read_at: Option<Instant>,
    gates: Vec<Gate>,
}

impl Limits {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the store should be looked into again; whoever is told so does it.
    fn is_due(&self, tier: Tier) -> bool {
        let mut known = self.known();
        let is_due = tier == Tier::One || known.read_at.is_none_or(|at| at.elapsed() >= GATES_LIFETIME);
        if is_due {
            known.read_at = Some(Instant::now());
        }
        is_due
    }

    /// Takes the calls that are not in the store yet.
    fn take(&self) -> Vec<(u8, u64)> {
        let taken = Tier::ALL.into_iter().zip(&self.unsaved);
        taken
            .map(|(tier, count)| (tier.number(), count.swap(0, Ordering::Relaxed)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    fn add(&self, tier: Tier, calls: u64) {
        for (other, count) in Tier::ALL.into_iter().zip(&self.unsaved) {
            if other == tier {
                count.fetch_add(calls, Ordering::Relaxed);
            }
        }
    }
}

/// What a caller has used, and what it is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Calls by tier, of all processes.
    pub calls: [Calls; 3],
    /// Closed gates, the one that opens last first.
    pub closed: Vec<Gate>,
    /// What Figma last named: plan and seat.
    pub named: Option<(Option<String>, Option<String>)>,
}

impl Rest {
    /// Passes a call on to Figma, or not; counts it. For an account that Figma has called low, returns
    /// how many tier 1 calls it has made in this month, this one included.
    ///
    /// # Errors
    /// [`Error::RateLimited`] where Figma has said that it would be refused.
    pub(super) async fn enter(
        &self,
        lane: &Arc<Lane>,
        caller: &Caller,
        tier: Tier,
        file: &str,
        attempts: &mut Attempts,
    ) -> Result<Option<u64>> {
        let Ok(key) = self.key_of(lane, caller).await else { return Ok(None) };
        self.check_gates(lane, key, tier, file).await?;
        // This very machine has no rates.
        if !self.inner.base_url.starts_with("http://") {
            keep_pace(lane, tier, file, attempts).await?;
        }
        if tier != Tier::One {
            lane.limits.add(tier, 1);
            self.save_soon(lane, key);
            return Ok(None);
        }
        let is_low = lane.limits.known().gates.iter().any(|gate| gate.seat.as_deref() == Some(LOW));
        if !is_low {
            // At once, but nobody has to wait for it.
            self.inner.store.count_later(key, vec![(tier.number(), 1)], now());
            return Ok(None);
        }
        let counted = self.inner.store.count(key, tier.number(), 1, now());
        // Where the store cannot count, that is told where it is opened; the call goes on.
        Ok(tokio::time::timeout(STORE_LIMIT, counted).await.ok().and_then(Result::ok))
    }

    /// Fails when the gate is closed.
    async fn check_gates(&self, lane: &Lane, key: CallerKey, tier: Tier, file: &str) -> Result<()> {
        if lane.limits.is_due(tier)
            && let Ok(Ok(gates)) = tokio::time::timeout(STORE_LIMIT, self.inner.store.gates(key)).await
        {
            lane.limits.known().gates = gates;
        }
        let known = lane.limits.known();
        let now = now();
        let Some(gate) = closed(&known.gates, tier.number(), file, now) else { return Ok(()) };
        Err(Error::RateLimited(Box::new(RateLimit {
            tier: tier.number(),
            plan: gate.plan.clone(),
            seat: gate.seat.clone(),
            retry_after: Some(Duration::from_secs(gate.until.saturating_sub(now))),
            upgrade_link: gate.link.clone(),
            still: Some(still(&known.gates, tier, file, now) + CHANGED),
        })))
    }

    /// Learns from a refusal: closes the gate when it lasts, and says what works all the same.
    pub(super) async fn learn(
        &self,
        lane: &Lane,
        caller: &Caller,
        tier: Tier,
        file: &str,
        limit: &mut RateLimit,
    ) {
        let lasts = limit.retry_after.unwrap_or(UNSAID);
        if lasts <= LONGEST_WAIT {
            return;
        }
        let seen_at = now();
        let gate = Gate {
            tier: tier.number(),
            file: file.to_owned(),
            until: seen_at.saturating_add(lasts.as_secs()),
            plan: limit.plan.clone(),
            seat: limit.seat.clone(),
            link: limit.upgrade_link.clone(),
            seen_at,
        };
        let gates = {
            let mut known = lane.limits.known();
            let gates = to_close(&known.gates, gate, seen_at);
            known.gates.splice(0..0, gates.iter().cloned());
            limit.still = Some(still(&known.gates, tier, file, seen_at));
            gates
        };
        let Ok(key) = self.key_of(lane, caller).await else { return };
        // Waited for: who was told of it may be killed at once, and the next process has to know.
        if let Err(error) = self.inner.store.close(key, gates).await {
            tracing::warn!(%error, "a rate limit could not be noted for other processes");
        }
    }

    /// What this caller has used, in all processes, and which gates are closed.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn usage(&self, caller: &Caller) -> Result<Usage> {
        let lane = self.inner.lanes.of(caller.fingerprint());
        let key = self.key_of(&lane, caller).await?;
        self.save(&lane, key);
        let at = now();
        let calls = self.inner.store.calls(key, at).await?;
        let gates = self.inner.store.gates(key).await?;
        let named = gates.iter().find(|gate| gate.plan.is_some() || gate.seat.is_some());
        let named = named.map(|gate| (gate.plan.clone(), gate.seat.clone()));
        let mut closed: Vec<Gate> = gates.into_iter().filter(|gate| gate.until > at).collect();
        closed.sort_by_key(|gate| std::cmp::Reverse(gate.until));
        Ok(Usage { calls, closed, named })
    }

    /// How many gates are closed for the callers of this process, of tier 1, 2 and 3.
    pub fn closed_gates(&self) -> [u64; 3] {
        let now = now();
        let mut counts = [0; 3];
        for lane in self.inner.lanes.all() {
            let known = lane.limits.known();
            // One that was closed here is known a second time once the store has been read.
            let closed = known.gates.iter().filter(|gate| gate.until > now);
            let closed: BTreeSet<_> = closed.map(|gate| (gate.tier, &gate.file)).collect();
            for (tier, count) in Tier::ALL.into_iter().zip(&mut counts) {
                *count += closed.iter().map(|(of, _)| u64::from(*of == tier.number())).sum::<u64>();
            }
        }
        counts
    }

    /// Writes down what is in memory only, before the process ends.
    pub async fn settle(&self) {
        for lane in self.inner.lanes.all() {
            if let Some(key) = lane.key.get() {
                self.save(&lane, *key);
            }
        }
        self.inner.fetches.settled().await;
        self.inner.store.settle().await;
    }

    fn save_soon(&self, lane: &Arc<Lane>, key: CallerKey) {
        if lane.limits.is_saving.swap(true, Ordering::Relaxed) {
            return;
        }
        let (rest, lane) = (self.clone(), lane.clone());
        tokio::spawn(async move {
            tokio::time::sleep(COUNT_DELAY).await;
            lane.limits.is_saving.store(false, Ordering::Relaxed);
            rest.save(&lane, key);
        });
    }

    fn save(&self, lane: &Lane, key: CallerKey) {
        let calls = lane.limits.take();
        if !calls.is_empty() {
            self.inner.store.count_later(key, calls, now());
        }
    }
}

/// Spreads calls where Figma has named plan and seat, so that a burst stays below the published rate.
///
/// # Errors
/// [`Error::RateLimited`] where that would take longer than a call waits.
async fn keep_pace(lane: &Lane, tier: Tier, file: &str, attempts: &mut Attempts) -> Result<()> {
    let named = {
        let known = lane.limits.known();
        let is_it = |gate: &&Gate| gate.file == file && now() < gate.seen_at + NAMED_LIFETIME;
        known.gates.iter().find(is_it).map(|gate| (gate.plan.clone(), gate.seat.clone()))
    };
    let Some((plan, seat)) = named else { return Ok(()) };
    match lane.pace.take(tier, plan.as_deref(), seat.as_deref(), attempts.patience()) {
        Ok(Duration::ZERO) => Ok(()),
        Ok(wait) => {
            attempts.wait(wait).await;
            Ok(())
        }
        Err(wait) => Err(Error::RateLimited(Box::new(RateLimit {
            tier: tier.number(),
            plan,
            seat,
            retry_after: Some(wait),
            upgrade_link: None,
            still: Some("This server keeps below the rate that Figma publishes for this plan; other tiers have rates of their own.".to_owned()),
        }))),
    }
}

/// What to tell an account with a handful of tier 1 calls a month.
pub(super) fn month_note(calls: u64) -> String {
    format!(
        "Tier 1 calls of this month with this credential: {calls}. Figma has called its seat \"{LOW}\" (View or Collab), which has a handful a month."
    )
}

/// After what still works, where an earlier refusal is all that is known.
const CHANGED: &str = " If the plan or the seat has changed since Figma said so, `figma-mcp cache clear --limits` opens this again.";

/// The gate that a call would meet: the one of its file or of the whole tier that opens last.
fn closed<'a>(gates: &'a [Gate], tier: u8, file: &str, now: u64) -> Option<&'a Gate> {
    let meets =
        |gate: &&Gate| gate.tier == tier && gate.until > now && (gate.file.is_empty() || gate.file == file);
    gates.iter().filter(meets).max_by_key(|gate| gate.until)
}

/// What a new refusal closes.
fn to_close(known: &[Gate], new: Gate, now: u64) -> Vec<Gate> {
    let is_same_place = |gate: &&Gate| {
        gate.tier == new.tier
            && gate.until > now
            && !gate.file.is_empty()
            && gate.file != new.file
            && (&gate.plan, &gate.seat) == (&new.plan, &new.seat)
    };
    let is_named = new.plan.is_some() && new.seat.is_some() && !new.file.is_empty();
    let other = known.iter().find(is_same_place).filter(|_| is_named);
    let whole = other.map(|other| Gate {
        file: String::new(),
        until: new.until.min(other.until).min(now + WHOLE_TIER),
        ..new.clone()
    });
    std::iter::once(new).chain(whole).collect()
}

/// What can be answered while a gate is closed.
fn still(gates: &[Gate], tier: Tier, file: &str, now: u64) -> String {
    let is_open = |other: &Tier| *other != tier && closed(gates, other.number(), file, now).is_none();
    let open: Vec<String> = Tier::ALL
        .iter()
        .filter(|other| is_open(other))
        .map(|other| format!("tier {}", other.number()))
        .collect();
    let mut text = "What was read before is answered again from what is kept here".to_owned();
    if !open.is_empty() {
        text += &format!("; {} tools still work", open.join(" and "));
    }
    let is_this_file = closed(gates, tier.number(), "", now).is_none();
    text += if is_this_file && !file.is_empty() { "; only this file is known to be limited." } else { "." };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(tier: u8, file: &str, until: u64, plan: Option<&str>) -> Gate {
        let seat = plan.map(|_| LOW.to_owned());
        Gate { tier, file: file.into(), until, plan: plan.map(Into::into), seat, link: None, seen_at: 0 }
    }

    #[test]
    fn a_gate_closes_its_file_and_tier_only_and_opens_in_time() {
        let gates = [gate(1, "a", 100, None), gate(2, "", 50, None)];
        assert_eq!(closed(&gates, 1, "a", 99), Some(&gates[0]));
        assert_eq!(closed(&gates, 1, "a", 100), None);
        assert_eq!(closed(&gates, 1, "b", 10), None);
        assert_eq!(closed(&gates, 2, "b", 10), Some(&gates[1]));
        assert_eq!(closed(&gates, 3, "a", 10), None);
    }

    #[test]
    fn a_second_file_in_the_same_plan_closes_the_tier_for_an_hour_at_most() {
        let known = [gate(1, "a", 400_000, Some("starter"))];
        let closed = to_close(&known, gate(1, "b", 300_000, Some("starter")), 1_000);
        assert_eq!(closed.len(), 2);
        assert_eq!((closed[1].file.as_str(), closed[1].until), ("", 1_000 + WHOLE_TIER));
        let soon = to_close(&known, gate(1, "b", 1_100, Some("starter")), 1_000);
        assert_eq!(soon[1].until, 1_100);
        for other in [
            gate(1, "a", 300_000, Some("starter")),
            gate(1, "b", 300_000, Some("pro")),
            gate(2, "b", 300_000, Some("starter")),
            gate(1, "b", 300_000, None),
        ] {
            assert_eq!(to_close(&known, other.clone(), 1_000), [other]);
        }
        let over = gate(1, "b", 500_000, Some("starter"));
        assert_eq!(to_close(&known, over.clone(), 400_001), [over]);
    }

    #[test]
    fn what_still_works_is_said() {
        let gates = [gate(1, "a", 100, None), gate(3, "", 100, None)];
        assert_eq!(
            still(&gates, Tier::One, "a", 10),
            "What was read before is answered again from what is kept here; tier 2 tools still work; only this file is known to be limited."
        );
        assert!(still(&gates, Tier::Three, "a", 10).ends_with("; tier 2 tools still work."));
    }
}
