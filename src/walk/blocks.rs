//! Where names and values end that lie in one chunk as a whole: nearly all of them do. Each 64 bytes are
//! looked at once, whatever begins and ends in them; what reaches over the end of a chunk is left to
//! [`Scan`](super::scan::Scan).

use super::scan::{Before, Signs, closing, number_or_literal};

/// The 64 bytes that the walk stands in.
#[derive(Debug)]
pub(super) struct Blocks {
    /// Where in the chunk they begin; [`UNKNOWN`] when they are not known.
    start: usize,
    signs: Signs,
    /// The state behind them.
    before: Before,
    /// Whether a backslash was met since the beginning.
    has_escapes: bool,
}

/// No chunk is so long that a place in it comes near this.
const UNKNOWN: usize = usize::MAX / 2;

impl Blocks {
    pub(super) const fn new() -> Self {
        let signs = Signs { quotes: 0, backslashes: 0, opens: 0, ends: 0 };
        Self { start: UNKNOWN, signs, before: Before::new(), has_escapes: false }
    }

    /// Nothing is known of the bytes to come.
    pub(super) const fn forget(&mut self) {
        self.start = UNKNOWN;
    }

    /// The name that begins here, its value and where that ends; of `children` only the `[`. `None` when
    /// that is not at hand.
    pub(super) fn member<'a>(&mut self, chunk: &'a [u8], at: usize) -> Option<(&'a [u8], &'a [u8], usize)> {
        if !self.seek(chunk, at) {
            return None;
        }
        let name_end = self.end_of_text(chunk, at + 1)?;
        let name = chunk.get(at + 1..name_end)?;
        if self.has_escapes && memchr::memchr(b'\\', name).is_some() {
            return None;
        }
        let from = name_end + 2;
        let [b'"', b':', first, ..] = chunk.get(name_end..)? else { return None };
        let end = match first {
            b'[' if name == b"children" => from + 1,
            b'"' | b'{' | b'[' => {
                if !self.seek(chunk, from + 1) {
                    return None;
                }
                1 + if *first == b'"' {
                    self.end_of_text(chunk, from + 1)?
                } else {
                    self.end_of_nested(chunk, from + 1)?
                }
            }
            // What ends with the chunk may go on in the next one.
            _ => Some(from + number_or_literal(chunk.get(from..)?)?).filter(|end| *end < chunk.len())?,
        };
        Some((name, chunk.get(from..end)?, end))
    }

    /// Goes to the block of a byte that stands in no string. `false` when too few bytes are left.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "the release profile optimises for size")]
    fn seek(&mut self, chunk: &[u8], at: usize) -> bool {
        while at.wrapping_sub(self.start) >= 64 {
            if self.start == UNKNOWN {
                (self.before, self.has_escapes) = (Before::new(), false);
                return self.load(chunk, at);
            }
            if !self.load(chunk, self.start + 64) {
                return false;
            }
        }
        true
    }

    /// Takes up the 64 bytes from here on, if there are so many. In one place: it is much code.
    #[inline(never)]
    fn load(&mut self, chunk: &[u8], start: usize) -> bool {
        let Some(block) = chunk.get(start..).and_then(<[u8]>::first_chunk) else {
            self.start = UNKNOWN;
            return false;
        };
        self.signs = self.before.signs(block);
        self.has_escapes |= self.signs.backslashes != 0;
        self.start = start;
        true
    }

    /// Where the `"` stands that ends the string whose letters begin here, in this block.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "the release profile optimises for size")]
    fn end_of_text(&mut self, chunk: &[u8], from: usize) -> Option<usize> {
        let mut bits = self.signs.quotes & self.since(from);
        while bits == 0 {
            if !self.load(chunk, self.start + 64) {
                return None;
            }
            bits = self.signs.quotes;
        }
        Some(self.start + bits.trailing_zeros() as usize)
    }

    /// Where the bracket stands that ends the object or the list whose inside begins here, in this block.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "the release profile optimises for size")]
    fn end_of_nested(&mut self, chunk: &[u8], from: usize) -> Option<usize> {
        let (mut depth, mut since) = (1, self.since(from));
        loop {
            if let Some(at) = closing(&mut depth, self.signs.opens & since, self.signs.ends & since) {
                return Some(self.start + at);
            }
            if !self.load(chunk, self.start + 64) {
                return None;
            }
            since = u64::MAX;
        }
    }

    /// The bits of this block from a byte on; of the next block none is left out.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "the release profile optimises for size")]
    #[expect(clippy::cast_possible_truncation, reason = "64 at most")]
    const fn since(&self, from: usize) -> u64 {
        u64::MAX.unbounded_shl(from.wrapping_sub(self.start) as u32)
    }
}
