//! The text of a held file, read where it is wanted, and what is made of its parts.

use std::{collections::VecDeque, fmt, io, sync::Arc};

use super::{Held, writer::BLOCK};
use crate::{
    rest::response::Stored,
    store::{Kind, unpack},
};

/// How many blocks are fetched at once where more than one is read.
const AHEAD: u32 = 8;

/// Reads the text at any place; what lies near the last place costs nothing.
#[derive(Debug)]
pub(super) struct Text {
    held: Held,
    /// Blocks with their numbers, in order, side by side.
    blocks: VecDeque<(u32, Vec<u8>)>,
}

impl Text {
    pub(super) const fn of(held: Held) -> Self {
        Self { held, blocks: VecDeque::new() }
    }

    /// The bytes from `at` on, as far as they lie together, and at most to `end`.
    pub(super) fn at(&mut self, at: u64, end: u64) -> io::Result<&[u8]> {
        let number = block_of(at)?;
        if !self.blocks.iter().any(|(known, _)| *known == number) {
            let last = block_of(end.saturating_sub(1).max(at))?;
            self.fetch(number, (last - number + 1).min(AHEAD))?;
        }
        while self.blocks.front().is_some_and(|(known, _)| *known != number) {
            self.blocks.pop_front();
        }
        let begin = at - u64::from(number) * BLOCK as u64;
        let bytes = self.blocks.front().and_then(|(_, block)| block.get(usize::try_from(begin).ok()?..));
        let bytes = bytes.filter(|bytes| !bytes.is_empty()).ok_or_else(gone)?;
        let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(bytes.len());
        Ok(bytes.get(..wanted).unwrap_or_default())
    }

    /// All bytes from `begin` to `end`.
    pub(super) fn range(&mut self, begin: u64, end: u64) -> io::Result<Vec<u8>> {
        let mut all = Vec::with_capacity(usize::try_from(end - begin).unwrap_or_default());
        let mut at = begin;
        while at < end {
            let bytes = self.at(at, end)?;
            all.extend_from_slice(bytes);
            at += bytes.len() as u64;
        }
        Ok(all)
    }

    fn fetch(&mut self, number: u32, count: u32) -> io::Result<()> {
        self.blocks.clear();
        let pieces = self.held.pieces(Kind::Text, number, count)?;
        for (number, piece) in (number..).zip(pieces) {
            self.blocks.push_back((number, unpack(&piece)?));
        }
        Ok(())
    }
}

fn block_of(at: u64) -> io::Result<u32> {
    u32::try_from(at / BLOCK as u64).map_err(|_| gone())
}

pub(super) fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "the file is not held any more; call again")
}

/// A text made of parts of a held file and of words of our own. Nothing of it is in memory until it
/// is read.
#[derive(Debug, Clone)]
pub struct Composed {
    held: Held,
    parts: Arc<Vec<Part>>,
    size: u64,
}

#[derive(Debug)]
enum Part {
    Range(u64, u64),
    Words(Box<str>),
}

/// Puts a [`Composed`] together.
#[derive(Debug, Default)]
pub(super) struct Composer {
    parts: Vec<Part>,
    size: u64,
}

impl Composer {
    pub(super) fn range(&mut self, begin: u64, end: u64) {
        if begin < end {
            self.size += end - begin;
            match self.parts.last_mut() {
                Some(Part::Range(_, last)) if *last == begin => *last = end,
                _ => self.parts.push(Part::Range(begin, end)),
            }
        }
    }

    pub(super) fn words(&mut self, words: impl Into<Box<str>>) {
        let words = words.into();
        self.size += words.len() as u64;
        self.parts.push(Part::Words(words));
    }

    pub(super) fn append(&mut self, other: Composed) {
        self.size += other.size;
        self.parts.extend(Arc::try_unwrap(other.parts).unwrap_or_default());
    }

    pub(super) fn finish(self, held: &Held) -> Composed {
        Composed { held: held.clone(), parts: Arc::new(self.parts), size: self.size }
    }
}

impl Composed {
    /// How many bytes it has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Shows it piece by piece. Blocks.
    ///
    /// # Errors
    /// When the file is gone, and whatever `each` gives back.
    pub fn read<E: From<io::Error>>(&self, mut each: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut reader =
            Reader { text: Text::of(self.held.clone()), parts: self.parts.clone(), part: 0, at: 0 };
        loop {
            let bytes = reader.next(usize::MAX)?;
            if bytes.is_empty() {
                return Ok(());
            }
            each(bytes)?;
        }
    }
}

impl Stored for Composed {
    fn size(&self) -> u64 {
        self.size
    }

    fn open(&self) -> io::Result<Box<dyn io::Read + Send>> {
        Ok(Box::new(Reader { text: Text::of(self.held.clone()), parts: self.parts.clone(), part: 0, at: 0 }))
    }
}

/// Reads a [`Composed`] from its beginning.
struct Reader {
    text: Text,
    parts: Arc<Vec<Part>>,
    part: usize,
    /// How much of the part was read.
    at: u64,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("part", &self.part).finish_non_exhaustive()
    }
}

impl Reader {
    /// The next bytes, at most so many; none at the end.
    fn next(&mut self, most: usize) -> io::Result<&[u8]> {
        let Some(part) = self.parts.get(self.part) else { return Ok(&[]) };
        let (bytes, left) = match part {
            Part::Words(words) => {
                let rest = words.as_bytes().get(usize::try_from(self.at).unwrap_or(usize::MAX)..);
                let rest = rest.unwrap_or_default();
                (rest, rest.len() as u64)
            }
            Part::Range(begin, end) => {
                let at = begin + self.at;
                (self.text.at(at, *end)?, end - at)
            }
        };
        let bytes = bytes.get(..most).unwrap_or(bytes);
        let count = bytes.len() as u64;
        if count == left {
            (self.part, self.at) = (self.part + 1, 0);
        } else {
            self.at += count;
        }
        Ok(bytes)
    }
}

impl io::Read for Reader {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let bytes = self.next(to.len())?;
        let count = bytes.len();
        if let Some(room) = to.get_mut(..count) {
            room.copy_from_slice(bytes);
        }
        Ok(count)
    }
}
