//! Calls that are shared: whoever asks what is being asked already waits for that answer.
//!
//! A flight belongs to those who wait for it: any of them carries it on, it ends with the last one who
//! leaves, and an error or a panic in it reaches all.

use std::{
    collections::HashMap,
    hash::Hash,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use foldhash::fast::RandomState;
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};

use crate::error::{Error, Result};

/// Something that several can wait for.
pub(super) type Flight<T> = Shared<BoxFuture<'static, Result<T>>>;

/// What is under way, by what is asked.
#[derive(Debug)]
pub(super) struct Flights<K, T: Clone> {
    under_way: Arc<Mutex<Entries<K, T>>>,
    serial: AtomicU64,
}

type Entries<K, T> = HashMap<K, (u64, WeakShared<BoxFuture<'static, Result<T>>>), RandomState>;

impl<K, T: Clone> Default for Flights<K, T> {
    fn default() -> Self {
        Self { under_way: Arc::default(), serial: AtomicU64::new(0) }
    }
}

impl<K, T> Flights<K, T>
where
    K: Hash + Eq + Clone + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// The flight of this key, and whether it was under way already; else a new one of this work.
    pub(super) fn board(
        &self,
        key: K,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> (Flight<T>, bool) {
        let mut under_way = lock(&self.under_way);
        if let Some(flight) = under_way.get(&key).and_then(|(_, flight)| flight.upgrade()) {
            return (flight, true);
        }
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let leave = Leave { under_way: self.under_way.clone(), key: key.clone(), serial };
        let broke_off = || Error::Bug { problem: "a call that others shared broke off".to_owned() };
        // No `async` block: it would hold the work twice, and all of that is copied into its box.
        let whole = AssertUnwindSafe(work).catch_unwind().map(move |outcome| {
            // Held until the end, also where that is a panic or nobody waits any more.
            drop(leave);
            outcome.unwrap_or_else(|_| Err(broke_off()))
        });
        let flight = whole.boxed().shared();
        if let Some(weak) = flight.downgrade() {
            under_way.insert(key, (serial, weak));
        }
        (flight, false)
    }

    /// Lets nobody board any more what is under way for keys like this.
    pub(super) fn close(&self, is_it: impl Fn(&K) -> bool) {
        lock(&self.under_way).retain(|key, _| !is_it(key));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes a flight off the list when it ends.
struct Leave<K: Hash + Eq, T: Clone> {
    under_way: Arc<Mutex<Entries<K, T>>>,
    key: K,
    serial: u64,
}

impl<K: Hash + Eq, T: Clone> Drop for Leave<K, T> {
    fn drop(&mut self) {
        let mut under_way = lock(&self.under_way);
        if under_way.get(&self.key).is_some_and(|(serial, _)| *serial == self.serial) {
            under_way.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Notify;

    use super::*;

    /// A flight that waits for a signal, counts its runs and tells when it is dropped.
    struct World {
        flights: Flights<u8, String>,
        go: Arc<Notify>,
        runs: Arc<AtomicU64>,
        dropped: Arc<AtomicU64>,
    }

    impl World {
        fn new() -> Self {
            Self {
                flights: Flights::default(),
                go: Arc::default(),
                runs: Arc::default(),
                dropped: Arc::default(),
            }
        }

        fn board(&self, outcome: impl FnOnce() -> Result<String> + Send + 'static) -> (Flight<String>, bool) {
            struct Dropped(Arc<AtomicU64>);
            impl Drop for Dropped {
                fn drop(&mut self) {
                    self.0.fetch_add(1, Ordering::SeqCst);
                }
            }
            let (go, runs, dropped) = (self.go.clone(), self.runs.clone(), self.dropped.clone());
            self.flights.board(7, async move {
                let _dropped = Dropped(dropped);
                runs.fetch_add(1, Ordering::SeqCst);
                go.notified().await;
                outcome()
            })
        }

        fn is_empty(&self) -> bool {
            lock(&self.flights.under_way).is_empty()
        }
    }

    #[tokio::test]
    async fn those_who_ask_the_same_share_one_call_also_its_error() {
        for outcome in [Ok("answer".to_owned()), Err(Error::Cancelled)] {
            let world = World::new();
            let (first, expected) = (
                world.board({
                    let o = outcome.clone();
                    move || o
                }),
                outcome,
            );
            let second = world.board(|| panic!("not run"));
            assert!(!first.1 && second.1);
            let both = tokio::spawn(futures_util::future::join(first.0, second.0));
            tokio::task::yield_now().await;
            world.go.notify_one();
            assert_eq!(both.await.unwrap(), (expected.clone(), expected));
            assert_eq!(world.runs.load(Ordering::SeqCst), 1);
            assert!(world.is_empty());
        }
    }

    #[tokio::test]
    async fn it_goes_on_while_somebody_waits_and_ends_with_the_last() {
        let world = World::new();
        let first = tokio::spawn(world.board(|| Ok("answer".to_owned())).0);
        tokio::task::yield_now().await;
        let second = tokio::spawn(world.board(|| panic!("not run")).0);
        tokio::task::yield_now().await;
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        assert_eq!(world.dropped.load(Ordering::SeqCst), 0);
        world.go.notify_one();
        assert_eq!(second.await.unwrap(), Ok("answer".to_owned()));

        let alone = tokio::spawn(world.board(|| Ok(String::new())).0);
        tokio::task::yield_now().await;
        alone.abort();
        assert!(alone.await.is_err());
        assert_eq!(world.dropped.load(Ordering::SeqCst), 2, "the last one took it along");
        assert!(world.is_empty());
    }

    #[tokio::test]
    async fn a_panic_reaches_all() {
        let world = World::new();
        let (first, _) = world.board(|| panic!("no such luck"));
        let (second, is_shared) = world.board(|| Ok(String::new()));
        assert!(is_shared);
        world.go.notify_one();
        let (first, second) = futures_util::future::join(first, second).await;
        assert_eq!((first.unwrap_err().kind(), second.unwrap_err().kind()), ("bug", "bug"));
        assert!(world.is_empty());
    }

    #[tokio::test]
    async fn nobody_boards_what_was_closed() {
        let world = World::new();
        let (first, _) = world.board(|| Ok("old".to_owned()));
        world.flights.close(|key| *key == 7);
        let (second, is_shared) = world.board(|| Ok("new".to_owned()));
        assert!(!is_shared);
        world.go.notify_one();
        assert_eq!(first.await, Ok("old".to_owned()));
        // The first one's end has not taken the second one off the list.
        assert!(world.board(|| Ok(String::new())).1);
        world.go.notify_one();
        assert_eq!(second.await, Ok("new".to_owned()));
    }
}
