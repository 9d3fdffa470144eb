//! The way of a file into the store. What came over the wire waits here, packed as it came, until whoever
//! asked has read the file: the answer comes first, and the file is kept right after it.

use std::{ops::ControlFlow, sync::Arc};

use bytes::Bytes;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    task::JoinHandle,
};

use super::writer::{self, New, Written};
use crate::{
    error::{Error, Result},
    rest::{Rest, inflate::Encoding},
    store::HeldFile,
};

/// The most that waits of a packed file, in bytes: of Figma's JSON about what a file of 150 MB comes as.
/// When more comes in, the store takes its part at once.
const MOST_WAITING: u32 = 24 << 20;
/// Of one that goes into the store as it comes in: because it is not packed, or because enough wait.
const MOST_PASSING: u32 = 256 << 10;
/// How many files wait at once: what waits is in memory.
pub(super) const MOST_AT_ONCE: usize = 4;

/// What the writer is sent.
pub(super) enum Message {
    /// With the room that it takes.
    Chunk(Bytes, OwnedSemaphorePermit),
    End,
}

/// What came in, and the writer that takes it. When it is dropped before its end the writer cleans up.
#[derive(Debug)]
pub(super) struct Spool {
    sender: mpsc::UnboundedSender<Message>,
    room: Arc<Semaphore>,
    size: u32,
    start: Option<oneshot::Sender<()>>,
    writer: JoinHandle<Written>,
}

impl Spool {
    /// For a file that comes in packed like this.
    pub(super) fn new(rest: &Rest, new: New, encoding: Encoding) -> Self {
        let places = &rest.inner.fetches.waiting;
        let place = places.clone().try_acquire_owned().ok().filter(|_| encoding != Encoding::Plain);
        let size = if place.is_some() { MOST_WAITING } else { MOST_PASSING };
        let (sender, chunks) = mpsc::unbounded_channel();
        let (start, started) = oneshot::channel();
        let rest = rest.clone();
        let writer = tokio::spawn(async move {
            let _place = place;
            if started.await.is_err() {
                return Err((Error::Cancelled, Vec::new()));
            }
            let writing = tokio::task::spawn_blocking(move || writer::run(&rest, new, encoding, chunks));
            writing.await.unwrap_or_else(|_| Err((bug(), Vec::new())))
        });
        let mut spool =
            Self { sender, room: Arc::new(Semaphore::new(size as usize)), size, start: Some(start), writer };
        if size == MOST_PASSING {
            spool.start();
        }
        spool
    }

    /// Lets the writer begin.
    pub(super) fn start(&mut self) {
        if let Some(start) = self.start.take() {
            // The task waits for nothing else.
            let _ = start.send(());
        }
    }

    /// Takes what came in, and waits while there is no room. Breaks when the writer has left, which it does
    /// early when something is wrong with the answer.
    pub(super) async fn put(&mut self, chunk: Bytes) -> ControlFlow<()> {
        let size = u32::try_from(chunk.len()).unwrap_or(u32::MAX).min(self.size);
        let room = self.room.clone();
        let place = if let Ok(place) = room.clone().try_acquire_many_owned(size) {
            Ok(place)
        } else {
            self.start();
            room.acquire_many_owned(size).await
        };
        match place.ok().and_then(|place| self.sender.send(Message::Chunk(chunk, place)).ok()) {
            Some(()) => ControlFlow::Continue(()),
            None => ControlFlow::Break(()),
        }
    }

    /// All of it is here.
    pub(super) fn end(self) -> Writing {
        // Where the writer has left already it says why.
        let _ = self.sender.send(Message::End);
        Writing { start: self.start, writer: self.writer }
    }
}

/// A file that is written to its end once somebody waits for that.
#[derive(Debug)]
pub(super) struct Writing {
    start: Option<oneshot::Sender<()>>,
    writer: JoinHandle<Written>,
}

impl Writing {
    /// Waits for its end.
    ///
    /// # Errors
    /// What is wrong with it, and how it begins.
    pub(super) async fn end(self) -> Written {
        if let Some(start) = self.start {
            // The task waits for nothing else.
            let _ = start.send(());
        }
        self.writer.await.unwrap_or_else(|_| Err((bug(), Vec::new())))
    }

    /// The same where it is no matter how it begins.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) async fn held(self) -> Result<HeldFile> {
        self.end().await.map_err(|(error, _)| error)
    }
}

fn bug() -> Error {
    Error::Bug { problem: "a file broke off on its way into the store".to_owned() }
}
