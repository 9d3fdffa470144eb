//! A few calls of each tier at a time, a bounded queue behind them, and no influence of one tier on
//! another: a burst of renders must not keep a metadata call waiting.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    error::{Error, Result},
    table::Tier,
};

/// How many calls of a tier wait at most; the next one is told at once.
pub(super) const LONGEST_QUEUE: usize = 64;

/// One queue a tier.
#[derive(Debug)]
pub(super) struct Queues([Queue; 3]);

#[derive(Debug)]
struct Queue {
    places: Semaphore,
    waiting: AtomicUsize,
}

impl Default for Queues {
    fn default() -> Self {
        Self([Queue::new(2), Queue::new(4), Queue::new(6)])
    }
}

impl Queues {
    /// Waits for a place, which is free again when the permit is dropped.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait already.
    pub(super) async fn enter(&self, tier: Tier) -> Result<SemaphorePermit<'_>> {
        let Self([one, two, three]) = self;
        let queue = match tier {
            Tier::One => one,
            Tier::Two => two,
            Tier::Three => three,
        };
        queue.enter(tier).await
    }
}

impl Queue {
    fn new(places: usize) -> Self {
        Self { places: Semaphore::new(places), waiting: AtomicUsize::new(0) }
    }

    async fn enter(&self, tier: Tier) -> Result<SemaphorePermit<'_>> {
        if let Ok(place) = self.places.try_acquire() {
            return Ok(place);
        }
        let waiting = Waiting::new(&self.waiting);
        if waiting.before >= LONGEST_QUEUE {
            return Err(Error::Busy { tier: tier.number(), waiting: LONGEST_QUEUE });
        }
        // Nobody closes the semaphore.
        self.places.acquire().await.map_err(|_| Error::Cancelled)
    }
}

/// Counts a waiting call for as long as it lives, so that a cancelled one is not counted for ever.
struct Waiting<'a> {
    counter: &'a AtomicUsize,
    before: usize,
}

impl<'a> Waiting<'a> {
    fn new(counter: &'a AtomicUsize) -> Self {
        Self { counter, before: counter.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.counter.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_full_queue_says_so_at_once_and_other_tiers_are_free() {
        let queues = Arc::new(Queues::default());
        let held = [queues.enter(Tier::One).await.unwrap(), queues.enter(Tier::One).await.unwrap()];
        let waiting: Vec<_> = (0..LONGEST_QUEUE)
            .map(|_| {
                let queues = queues.clone();
                tokio::spawn(async move { queues.enter(Tier::One).await.map(drop) })
            })
            .collect();
        while queues.0[0].waiting.load(Ordering::Relaxed) < LONGEST_QUEUE {
            tokio::task::yield_now().await;
        }
        assert_eq!(queues.enter(Tier::One).await.unwrap_err().kind(), "busy");
        assert!(queues.enter(Tier::Three).await.is_ok());
        drop(held);
        for task in waiting {
            task.await.unwrap().unwrap();
        }
        assert_eq!(queues.0[0].waiting.load(Ordering::Relaxed), 0);
    }
}
