//! What this process keeps for each credential, apart from every other: places among the calls, and
//! counts. One caller's burst must not hold up another's calls, and nobody may see another's numbers.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use foldhash::fast::RandomState;
use tokio::sync::OnceCell;

use super::{Counts, pace::Pace, queue::Queues, rate_limit::Limits, stamp::Stamps};
use crate::{auth::Fingerprint, store::CallerKey};

/// Beyond this many, credentials without a call under way are forgotten, and their counts with them.
const MOST_LANES: usize = 1024;

/// What is kept for one credential.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) queues: Queues,
    pub(super) calls: Counts,
    /// What stands for the credential in the store.
    pub(super) key: OnceCell<CallerKey>,
    pub(super) stamps: Stamps,
    pub(super) limits: Limits,
    pub(super) pace: Pace,
}

/// The lanes of all credentials.
#[derive(Debug, Default)]
pub(super) struct Lanes(Mutex<HashMap<Fingerprint, Arc<Lane>, RandomState>>);

impl Lanes {
    /// The lane of this credential.
    pub(super) fn of(&self, credential: &Fingerprint) -> Arc<Lane> {
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lanes.len() >= MOST_LANES && !lanes.contains_key(credential) {
            lanes.retain(|_, lane| Arc::strong_count(lane) > 1);
        }
        lanes.entry(credential.clone()).or_default().clone()
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Arc<Lane>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Tier;

    #[tokio::test]
    async fn credentials_share_neither_places_nor_counts() {
        let lanes = Lanes::default();
        let (one, other) = (Fingerprint::of(&["one"]), Fingerprint::of(&["other"]));
        let lane = lanes.of(&one);
        let _held = [lane.queues.enter(Tier::One).await, lane.queues.enter(Tier::One).await];
        lanes.of(&one).calls.add(Tier::One);
        assert_eq!(lanes.of(&one).calls.all(), [1, 0, 0]);
        assert_eq!(lanes.of(&other).calls.all(), [0, 0, 0]);
        assert!(lanes.of(&other).queues.enter(Tier::One).await.is_ok());
    }

    #[test]
    fn what_nobody_uses_is_forgotten() {
        let lanes = Lanes::default();
        let kept = lanes.of(&Fingerprint::of(&["kept"]));
        for number in 0..3 * MOST_LANES {
            lanes.of(&Fingerprint::of(&[&number.to_string()]));
        }
        assert!(lanes.0.lock().unwrap().len() <= MOST_LANES);
        assert!(Arc::ptr_eq(&kept, &lanes.of(&Fingerprint::of(&["kept"]))));
    }
}
