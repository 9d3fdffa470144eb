//! A whole file on its way in: to whoever reads it, and into the store; never held in memory.

use std::{
    collections::VecDeque,
    io::{self, Write},
    ops::ControlFlow,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;

use super::{
    along::{Along, BLOCKS_WAITING},
    spool::{Spool, Writing},
    writer::{BLOCK, New},
};
use crate::{
    auth::now,
    error::{Error, Result},
    rest::{
        Rest, SILENCE_LIMIT, broke_off,
        inflate::{Encoding, Inflater, PIECE},
        progress,
        retry::Failed,
        spoilt, unknown_encoding,
    },
    store::{FileKey, HeldFile},
};

const MEGABYTE: usize = 1024 * 1024;

/// Where an answer goes instead of into memory.
#[derive(Debug)]
pub(in crate::rest) struct Sink {
    rest: Rest,
    new: New,
    along: Option<Arc<dyn Along>>,
    end: Mutex<Option<End>>,
    has_begun: AtomicBool,
}

/// How it came in.
#[derive(Debug)]
pub(super) enum End {
    /// It is in the store.
    Held(HeldFile),
    /// It has been read, and is on its way into the store; with when it was fetched.
    Seen(Writing, u64),
}

impl Sink {
    pub(super) const fn new(
        rest: Rest,
        key: FileKey,
        stamp: Option<String>,
        along: Option<Arc<dyn Along>>,
    ) -> Self {
        let new = New { key, stamp, at: 0 };
        Self { rest, new, along, end: Mutex::new(None), has_begun: AtomicBool::new(false) }
    }

    /// How it came in.
    pub(super) fn end(&self) -> Option<End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether anything of an answer has come.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
    }

    /// Takes the body of an answer. What is no file comes back as text, to be explained.
    pub(in crate::rest) async fn receive(&self, response: reqwest::Response) -> Result<String, Failed> {
        let encoding = Encoding::of(response.headers()).ok_or_else(unknown_encoding)?;
        let new = New { at: now(), ..self.new.clone() };
        let at = new.at;
        let mut spool = Spool::new(&self.rest, new, encoding);
        let along = self.along.as_ref().and_then(|along| along.begin());
        let reader = along.map(|to| Reader { to, inflater: Inflater::new(encoding, Blocks::default()) });
        if reader.is_none() {
            spool.start();
        }
        self.pass_on(response, &mut spool, reader).await?;
        let has_seen = match &self.along {
            Some(along) => along.has_seen().await,
            None => false,
        };
        let writing = spool.end();
        let end = if has_seen {
            End::Seen(writing, at)
        } else {
            match writing.end().await {
                Ok(held) => End::Held(held),
                Err((Error::BadAnswer { .. }, start)) => {
                    return Ok(String::from_utf8_lossy(&start).into_owned());
                }
                Err((error @ Error::Unreachable { .. }, _)) => return Err(Failed::Broken(error)),
                Err((error, _)) => return Err(Failed::Answered(error)),
            }
        };
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
        Ok("{}".to_owned())
    }

    /// Hands the body on, to the reader first.
    async fn pass_on(
        &self,
        mut response: reqwest::Response,
        spool: &mut Spool,
        mut reader: Option<Reader>,
    ) -> Result<(), Failed> {
        let mut size = 0;
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
            let Some(chunk) = chunk else { break };
            if let Some(one) = &mut reader
                && one.show(&chunk).await?.is_break()
            {
                reader = None;
            }
            if spool.put(chunk).await.is_break() {
                return Ok(());
            }
        }
        match reader {
            Some(reader) => reader.end().await,
            None => Ok(()),
        }
    }
}

/// Who reads along, and what inflates for it.
struct Reader {
    to: mpsc::Sender<Bytes>,
    inflater: Inflater<Blocks>,
}

impl Reader {
    /// Breaks when the reader has left.
    async fn show(&mut self, chunk: &[u8]) -> Result<ControlFlow<()>, Failed> {
        for piece in chunk.chunks(PIECE) {
            self.inflater.push(piece).map_err(|error| Failed::Broken(spoilt(&error)))?;
            while let Some(block) = self.inflater.get_mut().full.pop_front() {
                if self.to.send(block).await.is_err() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    async fn end(mut self) -> Result<(), Failed> {
        self.inflater.finish().map_err(|error| Failed::Broken(spoilt(&error)))?;
        let Blocks { block, full, .. } = std::mem::take(self.inflater.get_mut());
        for block in full.into_iter().chain([block.freeze()]) {
            if self.to.send(block).await.is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// Cuts what is written into blocks: to wake a reader for a few kilobytes costs more than reading them.
#[derive(Debug, Default)]
struct Blocks {
    block: BytesMut,
    full: VecDeque<Bytes>,
    /// Those that were cut last, to be used again once their reader has let go of them: fresh memory costs
    /// about as much as inflating into it.
    cut: VecDeque<Bytes>,
}

/// What a reader and its queue hold, and what one piece mostly inflates to.
const BLOCKS_KEPT: usize = BLOCKS_WAITING + 8;

impl Blocks {
    /// Room for a block.
    fn room(&mut self) -> BytesMut {
        match self.cut.pop_front().map(Bytes::try_into_mut) {
            Some(Ok(mut block)) => {
                block.clear();
                return block;
            }
            // The later ones are read later still.
            Some(Err(block)) if self.cut.len() < BLOCKS_KEPT => self.cut.push_front(block),
            _ => {}
        }
        BytesMut::with_capacity(BLOCK)
    }

    fn cut(&mut self) {
        let block = std::mem::take(&mut self.block).freeze();
        self.cut.push_back(block.clone());
        self.full.push_back(block);
    }
}

impl Write for Blocks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.block.is_empty() {
                self.block = self.room();
            }
            let (now, later) = rest.split_at(rest.len().min(BLOCK - self.block.len()));
            self.block.extend_from_slice(now);
            rest = later;
            if self.block.len() == BLOCK {
                self.cut();
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_were_let_go_are_used_again() {
        // As many as a reader is behind.
        for behind in [0, 1, BLOCKS_KEPT - 1] {
            let (mut blocks, mut places, mut held) = (Blocks::default(), Vec::new(), VecDeque::new());
            for number in 0..50_u8 {
                blocks.write_all(&vec![number; BLOCK]).unwrap();
                held.push_back((number, blocks.full.pop_front().unwrap()));
                places.push(held.back().unwrap().1.as_ptr());
                if held.len() > behind {
                    let (number, block) = held.pop_front().unwrap();
                    // What somebody still reads stays as it is.
                    assert!(block.iter().all(|byte| *byte == number) && block.len() == BLOCK);
                }
            }
            places.sort_unstable();
            places.dedup();
            assert!(places.len() <= behind + 2, "{behind}: {}", places.len());
            assert!(blocks.cut.len() <= BLOCKS_KEPT);
        }
    }
}
