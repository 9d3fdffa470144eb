//! Words that repeat, kept once.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;

/// A text that is kept once: its number in [`Symbols`]. 0 is the empty text.
pub(super) type Symbol = u32;

/// Every text that is kept, once.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    /// All of them, one behind the other.
    all: String,
    /// Where each ends in it; number 0, the empty text, is not there.
    ends: Vec<u32>,
    /// Their numbers by their hash, beside a part of it; 0 is a free place. Never more than half full.
    slots: Vec<(u32, Symbol)>,
    hashing: RandomState,
}

impl Symbols {
    /// The number of a text, which is kept from now on.
    pub(super) fn keep(&mut self, text: &str) -> Symbol {
        if text.is_empty() {
            return 0;
        }
        if self.ends.len() * 2 >= self.slots.len() {
            self.widen();
        }
        let hash = self.hash(text);
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while let Some(&(known, symbol)) = self.slots.get(at).filter(|(_, symbol)| *symbol != 0) {
            if known == hash && self.get(symbol) == text {
                return symbol;
            }
            at = (at + 1) & mask;
        }
        // Four gigabytes of different words are no design.
        let Ok(end) = u32::try_from(self.all.len() + text.len()) else { return 0 };
        let Ok(symbol) = Symbol::try_from(self.ends.len() + 1) else { return 0 };
        self.all.push_str(text);
        self.ends.push(end);
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = (hash, symbol);
        }
        symbol
    }

    #[expect(clippy::cast_possible_truncation, reason = "half of a hash is one")]
    fn hash(&self, text: &str) -> u32 {
        let mut hasher = self.hashing.build_hasher();
        hasher.write(text.as_bytes());
        hasher.finish() as u32
    }

    fn widen(&mut self) {
        let slots = vec![(0, 0); (self.slots.len() * 2).max(64)];
        let mask = slots.len() - 1;
        for (hash, symbol) in std::mem::replace(&mut self.slots, slots) {
            let mut at = hash as usize & mask;
            while self.slots.get(at).is_some_and(|(_, symbol)| *symbol != 0) {
                at = (at + 1) & mask;
            }
            if let Some(slot) = self.slots.get_mut(at).filter(|_| symbol != 0) {
                *slot = (hash, symbol);
            }
        }
    }

    /// The text of a number.
    pub(super) fn get(&self, symbol: Symbol) -> &str {
        let at = symbol as usize;
        let end = |at: usize| self.ends.get(at).map_or(0, |end| *end as usize);
        match at {
            0 => "",
            1 => self.all.get(..end(0)).unwrap_or_default(),
            at => self.all.get(end(at - 2)..end(at - 1)).unwrap_or_default(),
        }
    }

    /// All of them.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        (0..).take(self.ends.len() + 1).map(|symbol| self.get(symbol))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_has_one_number() {
        let mut symbols = Symbols::default();
        let texts: Vec<String> = (0..5000).map(|n| format!("é{n}")).collect();
        assert_eq!((symbols.keep(""), symbols.get(0), symbols.get(7)), (0, "", ""));
        for (number, text) in (1..).zip(&texts) {
            assert_eq!(symbols.keep(text), number);
        }
        for (number, text) in (1..).zip(&texts) {
            assert_eq!((symbols.keep(text), symbols.get(number)), (number, text.as_str()));
        }
        assert!(symbols.texts().eq(std::iter::once("").chain(texts.iter().map(String::as_str))));
    }
}
