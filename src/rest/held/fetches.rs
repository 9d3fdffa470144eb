//! The files that are being fetched.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use tokio::sync::{Notify, Semaphore};
use tokio_util::task::TaskTracker;

use super::{along, spool};
use crate::{
    error::Result,
    store::{CallerKey, FileKey, HeldFile},
};

/// A file, and what was told with it.
pub(super) type Fetch = BoxFuture<'static, Result<(HeldFile, Arc<Vec<String>>)>>;

/// The files that are being fetched: whoever asks for the same one waits for it too, and when the last
/// one leaves the fetch ends, unless all of the file is there.
#[derive(Debug)]
pub(in crate::rest) struct Fetches {
    under_way: Mutex<HashMap<FileKey, UnderWay>>,
    /// For those that are read along.
    pub(super) places: Arc<Semaphore>,
    /// For those that wait in memory for the store.
    pub(super) waiting: Arc<Semaphore>,
    /// Those that nobody needs to wait for.
    keeping: TaskTracker,
}

#[derive(Debug)]
struct UnderWay {
    fetch: WeakShared<Fetch>,
    /// Whether all of the file is there, and only has to be written down.
    has_come: bool,
    /// Told when somebody waits for it beside whoever asked first.
    awaited: Arc<Notify>,
}

impl Default for Fetches {
    fn default() -> Self {
        Self {
            under_way: Mutex::default(),
            places: Arc::new(Semaphore::new(along::MOST_AT_ONCE)),
            waiting: Arc::new(Semaphore::new(spool::MOST_AT_ONCE)),
            keeping: TaskTracker::new(),
        }
    }
}

impl Fetches {
    /// The fetch of this file, and whether it begins with this.
    pub(super) fn join(
        &self,
        key: &FileKey,
        begin: impl FnOnce(Arc<Notify>) -> Fetch,
    ) -> (Shared<Fetch>, bool) {
        let mut fetches = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = fetches.get(key)
            && let Some(fetch) = one.fetch.upgrade()
            && fetch.peek().is_none()
        {
            one.awaited.notify_one();
            return (fetch, false);
        }
        fetches.retain(|_, one| one.fetch.upgrade().is_some());
        let awaited = Arc::<Notify>::default();
        let fetch = begin(awaited.clone()).shared();
        let new = fetch.downgrade().map(|fetch| (key.clone(), UnderWay { fetch, has_come: false, awaited }));
        fetches.extend(new);
        (fetch, true)
    }

    /// All of this file is there: it is written down whether or not somebody waits for it.
    pub(super) fn keep(&self, key: &FileKey, fetch: Shared<Fetch>) {
        let mut fetches = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = fetches.get_mut(key) {
            one.has_come = true;
        }
        self.keeping.spawn(async move {
            if let Err(error) = fetch.await {
                tracing::warn!(%error, "a file that was read could not be kept");
            }
        });
    }

    /// Waits while this file is being written down.
    pub(super) async fn kept(&self, key: &FileKey) {
        self.kept_where(|other| other == key).await;
    }

    /// The same for all files of a caller.
    pub(super) async fn kept_of(&self, caller: &CallerKey) {
        self.kept_where(|key| key.caller == *caller).await;
    }

    async fn kept_where(&self, is_meant: impl Fn(&FileKey) -> bool) {
        let meant: Vec<Shared<Fetch>> = {
            let fetches = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
            let meant = fetches.iter().filter(|(key, one)| one.has_come && is_meant(key));
            let wait_for = |one: &UnderWay| {
                one.awaited.notify_one();
                one.fetch.upgrade()
            };
            meant.filter_map(|(_, one)| wait_for(one)).collect()
        };
        // Why one could not be kept is logged where it is kept.
        drop(futures_util::future::join_all(meant).await);
    }

    /// Waits until every file that has come is written down. None may come any more.
    pub(in crate::rest) async fn settled(&self) {
        self.keeping.close();
        self.kept_where(|_| true).await;
        self.keeping.wait().await;
    }
}
