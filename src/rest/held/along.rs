//! A reader of a file that goes along while it comes in, so that it need not be read back, and need not
//! wait until the file is in the store.

use std::{
    fmt,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinHandle,
};

use super::{LARGEST_FILE, Provenance, index::MOST_NODES, too_large_to_hold};
use crate::{
    auth::now,
    rest::inflate::{Encoding, Inflater},
    walk::{Children, Flow, Member, Visitor, Walker},
};

/// How many pieces of a file wait for the reader at most, as they came.
const PIECES_WAITING: usize = 8;
/// How many files are read along at once: a download waits for its reader, so the reader must not have to
/// wait for a thread.
pub(super) const MOST_AT_ONCE: usize = 16;

/// What is known of a file that has come in and been read, but is on its way into the store.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// When it was fetched, in seconds since 1970.
    pub(super) at: u64,
    /// What was told with Figma's answer, a sentence each.
    pub(super) notes: Arc<Vec<String>>,
}

/// Who reads along.
pub(super) trait Along: fmt::Debug + Send + Sync {
    /// A file begins that comes in packed like this, unless too many are read along already. Each try of its
    /// download begins anew, and only the last one counts; a sender that is dropped is the file's end.
    fn begin(&self, encoding: Encoding) -> Option<mpsc::Sender<Bytes>>;
    /// Whether the reader has seen a whole file; waits until it has come to an end.
    fn has_seen(&self) -> BoxFuture<'_, bool>;
    /// Lets whoever waits for the reader go on.
    fn tell(&self, seen: Seen);
    /// Waits for that.
    fn seen(&self) -> BoxFuture<'_, Seen>;
}

/// Shows a visitor a file that comes in, on a thread of its own.
pub(super) struct Reading<V, M> {
    make: M,
    places: Arc<Semaphore>,
    walk: Mutex<Option<JoinHandle<io::Result<Told<V>>>>>,
    read: Mutex<Option<Told<V>>>,
    seen: watch::Sender<Option<Seen>>,
}

impl<V, M> fmt::Debug for Reading<V, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").finish_non_exhaustive()
    }
}

impl<V: Visitor + Send + 'static, M: Fn() -> V + Send + Sync> Reading<V, M> {
    /// For one file; `make` makes the visitor, for each try of its download.
    pub(super) fn new(make: M, places: Arc<Semaphore>) -> Arc<Self> {
        let (walk, read, seen) = (Mutex::new(None), Mutex::new(None), watch::Sender::new(None));
        Arc::new(Self { make, places, walk, read, seen })
    }

    /// What the visitor has become. `None` when it has not seen all of the file: it was held before, or
    /// fetched by somebody else.
    pub(super) fn take(&self) -> Option<Told<V>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<V: Visitor + Send + 'static, M: Fn() -> V + Send + Sync> Along for Reading<V, M> {
    fn begin(&self, encoding: Encoding) -> Option<mpsc::Sender<Bytes>> {
        *self.walk.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let place = self.places.clone().try_acquire_owned().ok()?;
        let (sender, pieces) = mpsc::channel(PIECES_WAITING);
        let visitor = Told::new((self.make)());
        let walk = tokio::task::spawn_blocking(move || {
            let read = read(visitor, encoding, pieces);
            drop(place);
            read
        });
        *self.walk.lock().unwrap_or_else(PoisonError::into_inner) = Some(walk);
        Some(sender)
    }

    fn has_seen(&self) -> BoxFuture<'_, bool> {
        let walk = self.walk.lock().unwrap_or_else(PoisonError::into_inner).take();
        async move {
            let Some(walk) = walk else { return false };
            // What is wrong with it the writer says, who sees the same.
            let read = walk.await.ok().and_then(Result::ok).filter(|told| told.nodes > 0);
            let has_seen = read.is_some();
            *self.read.lock().unwrap_or_else(PoisonError::into_inner) = read;
            has_seen
        }
        .boxed()
    }

    fn tell(&self, seen: Seen) {
        self.seen.send_replace(Some(seen));
    }

    fn seen(&self) -> BoxFuture<'_, Seen> {
        let mut told = self.seen.subscribe();
        async move {
            let seen = told.wait_for(Option::is_some).await.ok().and_then(|seen| seen.clone());
            match seen {
                Some(seen) => seen,
                // The sender lives as long as this.
                None => std::future::pending().await,
            }
        }
        .boxed()
    }
}

/// Blocks until the file's end. What is inflated is read at once, where it still is in this processor's cache:
/// inflated by another one, every byte would have to come over from there.
fn read<V: Visitor>(
    visitor: Told<V>,
    encoding: Encoding,
    mut pieces: mpsc::Receiver<Bytes>,
) -> io::Result<Told<V>> {
    let mut walker = Walker::new(visitor);
    let mut inflater = Inflater::new(encoding, Bounded { walker: &mut walker, size: 0 });
    while let Some(piece) = pieces.blocking_recv() {
        inflater.push(&piece)?;
    }
    inflater.finish()?;
    drop(inflater);
    walker.finish().map_err(io::Error::other)
}

/// Shows a walker what is written, as long as it can be held.
struct Bounded<'a, V: Visitor> {
    walker: &'a mut Walker<Told<V>>,
    size: u64,
}

impl<V: Visitor> Write for Bounded<'_, V> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.size += bytes.len() as u64;
        self.walker.push(bytes).map_err(io::Error::other)?;
        if self.size > LARGEST_FILE || self.walker.visitor().nodes > MOST_NODES {
            return Err(io::Error::other(too_large_to_hold()));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Passes everything on, and keeps what a provenance says.
#[derive(Debug)]
pub struct Told<V> {
    pub(super) visitor: V,
    name: Option<String>,
    version: Option<String>,
    last_modified: Option<String>,
    nodes: usize,
}

impl<V> Told<V> {
    /// For this visitor.
    pub const fn new(visitor: V) -> Self {
        Self { visitor, name: None, version: None, last_modified: None, nodes: 0 }
    }

    /// The visitor, and what is known of a file that was fetched with one tier 1 call at this time, in
    /// seconds since 1970.
    #[must_use]
    pub fn into_parts(self, fetched_at: u64) -> (V, Provenance) {
        let provenance = Provenance {
            name: self.name,
            version: self.version,
            last_modified: self.last_modified,
            fetched_at,
            age: Duration::from_secs(now().saturating_sub(fetched_at)),
            calls: 1,
            ..Provenance::default()
        };
        (self.visitor, provenance)
    }
}

impl<V: Visitor> Visitor for Told<V> {
    fn open(&mut self, at: u64) {
        self.nodes += 1;
        self.visitor.open(at);
    }

    fn member(&mut self, member: Member, key: &[u8], value: &[u8]) -> Flow {
        self.visitor.member(member, key, value)
    }

    fn close(&mut self, end: u64) {
        self.visitor.close(end);
    }

    fn beside(&mut self, entry: Option<&str>, key: &[u8], value: &[u8]) {
        let text = || serde_json::from_slice(value).ok();
        match (entry, key) {
            (None, b"name") => self.name = text(),
            (None, b"version") => self.version = text(),
            (None, b"lastModified") => self.last_modified = text(),
            _ => {}
        }
        if self.visitor.wants_beside(key) {
            self.visitor.beside(entry, key, value);
        }
    }

    fn children(&mut self, list: Children) {
        self.visitor.children(list);
    }

    fn lies(&mut self, key: &[u8], begin: u64, end: u64) {
        self.visitor.lies(key, begin, end);
    }

    fn wants(&self, member: Member, key: &[u8]) -> bool {
        self.visitor.wants(member, key)
    }

    fn wants_beside(&self, key: &[u8]) -> bool {
        matches!(key, b"name" | b"version" | b"lastModified") || self.visitor.wants_beside(key)
    }
}
