//! A whole file on its way into the store: walked and compressed as it arrives, never held in memory.

use std::{
    ops::ControlFlow,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::{
    along::Along,
    index::{Indexer, MOST_NODES},
};
use crate::{
    auth::now,
    error::{Error, Result},
    rest::{Rest, SILENCE_LIMIT, broke_off, progress, retry::Failed},
    store::{FileKey, HeldFile, Kind, Piece, pack},
    walk::Walker,
};

/// How much text a block holds.
pub(super) const BLOCK: usize = 128 * 1024;
/// The most that a file may have, inflated.
pub const LARGEST_FILE: u64 = 256 * 1024 * 1024;
/// How many blocks go into the store at once.
const BLOCKS_AT_ONCE: usize = 16;
/// How many chunks wait for the writer at most.
const CHUNKS_WAITING: usize = 2;
const MEGABYTE: usize = 1024 * 1024;
/// The beginning of an answer that turns out to be no file is enough to say what it is.
const START: usize = 64 * 1024;

/// What has to be known to read a held file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Facts {
    /// How many bytes the text has.
    pub(super) size: u64,
    /// How many bits of an id's hash say in which bucket it is.
    pub(super) bits: u32,
    /// Members beside the document: name, begin and end.
    pub(super) beside: Vec<(String, u64, u64)>,
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) last_modified: Option<String>,
}

impl Facts {
    pub(super) fn place(&self, name: &str) -> Option<(u64, u64)> {
        self.beside.iter().find(|(known, ..)| known == name).map(|(_, begin, end)| (*begin, *end))
    }
}

/// Where an answer goes instead of into memory.
#[derive(Debug)]
pub(in crate::rest) struct Sink {
    rest: Rest,
    key: FileKey,
    stamp: Option<String>,
    along: Option<Arc<dyn Along>>,
    held: Mutex<Option<HeldFile>>,
    has_begun: AtomicBool,
}

/// What the writer is sent.
pub(super) enum Message {
    Chunk(Bytes),
    End,
}

impl Sink {
    pub(super) const fn new(
        rest: Rest,
        key: FileKey,
        stamp: Option<String>,
        along: Option<Arc<dyn Along>>,
    ) -> Self {
        Self { rest, key, stamp, along, held: Mutex::new(None), has_begun: AtomicBool::new(false) }
    }

    /// The file, once all of it is in the store.
    pub(in crate::rest) fn held(&self) -> Option<HeldFile> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether anything of an answer has come.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
    }

    /// Takes the body of an answer. What is no file comes back as text, to be explained.
    pub(in crate::rest) async fn receive(&self, response: reqwest::Response) -> Result<String, Failed> {
        let (sender, chunks) = mpsc::channel(CHUNKS_WAITING);
        let (rest, key, stamp) = (self.rest.clone(), self.key.clone(), self.stamp.clone());
        // When this future is dropped the channel closes without an end, and the writer cleans up.
        let writer = tokio::task::spawn_blocking(move || Writer::run(&rest, key, stamp, chunks));
        let along = self.along.as_ref().and_then(|along| along.begin());
        self.pass_on(response, Readers { writer: sender, along }).await?;
        let written = writer.await.map_err(|_| Failed::Answered(bug()))?;
        match written {
            Ok(held) => {
                *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
                Ok("{}".to_owned())
            }
            Err((Error::BadAnswer { .. }, start)) => Ok(String::from_utf8_lossy(&start).into_owned()),
            Err((error, _)) => Err(Failed::Answered(error)),
        }
    }

    /// Hands the body on in blocks: it comes in pieces of a few kilobytes, and waking a reader for each
    /// costs more than reading it.
    async fn pass_on(&self, mut response: reqwest::Response, mut readers: Readers) -> Result<(), Failed> {
        let (mut size, mut block) = (0, BytesMut::with_capacity(BLOCK));
        loop {
            let chunk = tokio::time::timeout(SILENCE_LIMIT, response.chunk())
                .await
                .map_err(|_| Failed::Broken(Error::TimedOut { limit: SILENCE_LIMIT }))?
                .map_err(broke_off)?;
            let before = size;
            size += chunk.as_ref().map_or(0, Bytes::len);
            if before == 0 || size / MEGABYTE > before / MEGABYTE {
                progress::tell(|| format!("Fetching the file: {} MB so far", size / MEGABYTE));
            }
            self.has_begun.store(true, Ordering::Relaxed);
            let Some(mut chunk) = chunk else { break };
            while block.len() + chunk.len() >= BLOCK {
                block.extend_from_slice(&chunk.split_to(BLOCK - block.len()));
                if readers.show(block.freeze()).await.is_break() {
                    return Ok(());
                }
                block = BytesMut::with_capacity(BLOCK);
            }
            block.extend_from_slice(&chunk);
        }
        if readers.show(block.freeze()).await.is_continue() {
            drop(readers.writer.send(Message::End).await);
        }
        Ok(())
    }
}

/// Who is shown a file while it comes in.
struct Readers {
    writer: mpsc::Sender<Message>,
    along: Option<mpsc::Sender<Bytes>>,
}

impl Readers {
    /// Breaks when the writer has left, which it does early when something is wrong with the answer.
    async fn show(&mut self, block: Bytes) -> ControlFlow<()> {
        if let Some(along) = &self.along
            && along.send(block.clone()).await.is_err()
        {
            self.along = None;
        }
        match self.writer.send(Message::Chunk(block)).await {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

fn bug() -> Error {
    Error::Bug { problem: "a file broke off on its way into the store".to_owned() }
}

/// Writes a file into the store, on a thread of its own.
pub(super) struct Writer {
    rest: Rest,
    id: i64,
    walker: Walker<Indexer>,
    block: Vec<u8>,
    blocks: u32,
    pieces: Vec<Piece>,
    size: u64,
    start: Vec<u8>,
}

impl Writer {
    /// Takes what is sent until [`Message::End`]. Blocks.
    ///
    /// # Errors
    /// What is wrong with it, and how it begins.
    pub(super) fn run(
        rest: &Rest,
        key: FileKey,
        stamp: Option<String>,
        chunks: mpsc::Receiver<Message>,
    ) -> Result<HeldFile, (Error, Vec<u8>)> {
        let at = now();
        let id = rest.store().begin_file(key.clone()).map_err(|error| (error, Vec::new()))?;
        let mut writer = Self {
            rest: rest.clone(),
            id,
            walker: Walker::new(Indexer::default()),
            block: Vec::new(),
            blocks: 0,
            pieces: Vec::new(),
            size: 0,
            start: Vec::new(),
        };
        let written = writer.receive(chunks);
        let start = std::mem::take(&mut writer.start);
        let finished = written.and_then(|()| writer.finish(key, stamp, at));
        finished.map_err(|error| {
            if let Err(error) = rest.store().drop_file(id) {
                tracing::warn!(%error, "what came in of a file could not be taken away");
            }
            (error, start)
        })
    }

    fn receive(&mut self, mut chunks: mpsc::Receiver<Message>) -> Result<()> {
        loop {
            match chunks.blocking_recv() {
                Some(Message::Chunk(chunk)) => self.take(&chunk)?,
                Some(Message::End) => return Ok(()),
                None => return Err(Error::Cancelled),
            }
        }
    }

    fn take(&mut self, chunk: &[u8]) -> Result<()> {
        self.size += chunk.len() as u64;
        self.start.extend(chunk.iter().take(START.saturating_sub(self.start.len())));
        self.walker.push(chunk)?;
        if self.size > LARGEST_FILE || self.walker.visitor().count() > MOST_NODES {
            return Err(Error::TooLarge {
                limit: format!(
                    "it exceeds the {} MB or {MOST_NODES} nodes that are read at most",
                    LARGEST_FILE / 1024 / 1024
                ),
                smaller: "Ask for less: `depth` for an outline, `ids` for a part.",
            });
        }
        let mut rest = chunk;
        while !rest.is_empty() {
            // As the download hands them over: nothing to put together.
            if self.block.is_empty()
                && let Some((block, later)) = rest.split_at_checked(BLOCK)
            {
                self.add(block)?;
                rest = later;
                continue;
            }
            let (now, later) = rest.split_at(rest.len().min(BLOCK - self.block.len()));
            self.block.extend_from_slice(now);
            rest = later;
            if self.block.len() == BLOCK {
                self.block_ends()?;
            }
        }
        Ok(())
    }

    fn block_ends(&mut self) -> Result<()> {
        let block = std::mem::take(&mut self.block);
        let added = self.add(&block);
        self.block = block;
        self.block.clear();
        added
    }

    fn add(&mut self, block: &[u8]) -> Result<()> {
        let data = pack(block);
        self.pieces.push(Piece { kind: Kind::Text, number: self.blocks, data });
        self.blocks += 1;
        if self.pieces.len() >= BLOCKS_AT_ONCE {
            self.rest.store().add_pieces(self.id, std::mem::take(&mut self.pieces))?;
        }
        Ok(())
    }

    fn finish(mut self, key: FileKey, stamp: Option<String>, at: u64) -> Result<HeldFile> {
        if !self.block.is_empty() {
            self.block_ends()?;
        }
        let mut index = self.walker.finish()?;
        if index.count() == 0 {
            return Err(Error::BadAnswer { problem: "it holds no document".to_owned() });
        }
        let facts = Facts {
            size: self.size,
            bits: index.bits(),
            beside: std::mem::take(&mut index.beside),
            name: index.name.take(),
            version: index.version.take(),
            last_modified: index.last_modified.take(),
        };
        for (number, piece) in (0..).zip(index.nodes()) {
            self.pieces.push(Piece { kind: Kind::Nodes, number, data: pack(&piece) });
        }
        for (number, bucket) in index.ids() {
            self.pieces.push(Piece { kind: Kind::Ids, number, data: pack(&bucket) });
        }
        let facts =
            serde_json::to_string(&facts).map_err(|error| Error::Bug { problem: error.to_string() })?;
        let held = HeldFile { id: self.id, stamp, at, facts };
        self.rest.store().finish_file(key, held.clone(), self.pieces)?;
        Ok(held)
    }
}
