//! Writes a file into the store: walked for its index and compressed, piece by piece.

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::{
    LARGEST_FILE,
    index::{Indexer, MOST_NODES},
    spool::Message,
    too_large_to_hold,
};
use crate::{
    error::{Error, Result},
    rest::{
        Rest,
        inflate::{Encoding, Inflater, PIECE},
        spoilt,
    },
    store::{FileKey, HeldFile, Kind, Piece, pack},
    walk::Walker,
};

/// How much text a block holds.
pub(super) const BLOCK: usize = 128 * 1024;
/// How many blocks go into the store at once.
const BLOCKS_AT_ONCE: usize = 16;
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

/// A file that is to be held.
#[derive(Debug, Clone)]
pub(super) struct New {
    pub(super) key: FileKey,
    pub(super) stamp: Option<String>,
    /// When it was fetched, in seconds since 1970.
    pub(super) at: u64,
}

/// The file in the store, or what is wrong with it and how it begins.
pub(super) type Written = Result<HeldFile, (Error, Vec<u8>)>;

/// Takes what is sent until [`Message::End`]. Blocks.
///
/// # Errors
/// What is wrong with it, and how it begins.
pub(super) fn run(
    rest: &Rest,
    new: New,
    encoding: Encoding,
    chunks: mpsc::UnboundedReceiver<Message>,
) -> Written {
    let id = rest.store().begin_file(new.key.clone()).map_err(|error| (error, Vec::new()))?;
    let mut writer = Writer {
        rest: rest.clone(),
        id,
        walker: Walker::new(Indexer::default()),
        block: Vec::new(),
        blocks: 0,
        pieces: Vec::new(),
        size: 0,
        start: Vec::new(),
    };
    let written = writer.receive(encoding, chunks);
    let start = std::mem::take(&mut writer.start);
    let finished = written.and_then(|()| writer.finish(new));
    finished.map_err(|error| {
        if let Err(error) = rest.store().drop_file(id) {
            tracing::warn!(%error, "what came in of a file could not be taken away");
        }
        (error, start)
    })
}

struct Writer {
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
    fn receive(&mut self, encoding: Encoding, mut chunks: mpsc::UnboundedReceiver<Message>) -> Result<()> {
        let mut inflater = Inflater::new(encoding, Vec::new());
        loop {
            match chunks.blocking_recv() {
                Some(Message::Chunk(chunk, _place)) => {
                    for piece in chunk.chunks(PIECE) {
                        inflater.push(piece).map_err(|error| spoilt(&error))?;
                        self.take(inflater.get_ref())?;
                        inflater.get_mut().clear();
                    }
                }
                Some(Message::End) => break,
                None => return Err(Error::Cancelled),
            }
        }
        inflater.finish().map_err(|error| spoilt(&error))?;
        self.take(inflater.get_ref())
    }

    fn take(&mut self, chunk: &[u8]) -> Result<()> {
        self.size += chunk.len() as u64;
        self.start.extend(chunk.iter().take(START.saturating_sub(self.start.len())));
        self.walker.push(chunk)?;
        if self.size > LARGEST_FILE || self.walker.visitor().count() > MOST_NODES {
            return Err(too_large_to_hold());
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

    fn finish(mut self, New { key, stamp, at }: New) -> Result<HeldFile> {
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
