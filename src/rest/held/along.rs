//! A reader of a file that goes along while it comes in, so that it need not be read back.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinHandle,
};

use crate::{
    error::Result,
    walk::{Visitor, Walker},
};

/// How many blocks wait for the reader at most.
const BLOCKS_WAITING: usize = 2;
/// How many files are read along at once: a download waits for its reader, so the reader must not have to
/// wait for a thread.
pub(super) const MOST_AT_ONCE: usize = 16;

/// Who reads along.
pub(super) trait Along: fmt::Debug + Send + Sync {
    /// A file begins, unless too many are read along already. Each try of its download begins anew, and
    /// only the last one counts; a sender that is dropped is the file's end.
    fn begin(&self) -> Option<mpsc::Sender<Bytes>>;
}

/// Shows a visitor a file that comes in, on a thread of its own.
pub(super) struct Reading<V, M> {
    make: M,
    places: Arc<Semaphore>,
    walk: Mutex<Option<JoinHandle<Result<V>>>>,
}

impl<V, M> fmt::Debug for Reading<V, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").finish_non_exhaustive()
    }
}

impl<V: Visitor + Send + 'static, M: Fn() -> V + Send + Sync> Reading<V, M> {
    /// For one file; `make` makes the visitor, for each try of its download.
    pub(super) fn new(make: M, places: Arc<Semaphore>) -> Arc<Self> {
        Arc::new(Self { make, places, walk: Mutex::new(None) })
    }

    /// What the visitor has become, once the file is there. `None` when it has not seen all of it: it was
    /// held before, or fetched by somebody else.
    pub(super) async fn end(&self) -> Option<V> {
        let walk = self.walk.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        walk.await.ok()?.ok()
    }
}

impl<V: Visitor + Send + 'static, M: Fn() -> V + Send + Sync> Along for Reading<V, M> {
    fn begin(&self) -> Option<mpsc::Sender<Bytes>> {
        *self.walk.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let place = self.places.clone().try_acquire_owned().ok()?;
        let (sender, mut blocks) = mpsc::channel::<Bytes>(BLOCKS_WAITING);
        let visitor = (self.make)();
        let walk = tokio::task::spawn_blocking(move || {
            let mut walker = Walker::new(visitor);
            while let Some(block) = blocks.blocking_recv() {
                walker.push(&block)?;
            }
            drop(place);
            walker.finish()
        });
        *self.walk.lock().unwrap_or_else(PoisonError::into_inner) = Some(walk);
        Some(sender)
    }
}
