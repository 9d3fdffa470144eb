//! Words that repeat, kept once.

use std::ops::Range;

use super::table::{Place, Table};

/// A text that is kept once: its number in [`Symbols`]. 0 is the empty text.
pub(in crate::design) type Symbol = u32;

/// Every text that is kept, once.
#[derive(Debug)]
pub(in crate::design) struct Symbols {
    /// All of them, one behind the other.
    all: String,
    /// Where each begins in it, and behind them where the last one ends.
    bounds: Vec<u32>,
    numbers: Table,
}

impl Default for Symbols {
    fn default() -> Self {
        // Number 0 is the empty text.
        Self { all: String::new(), bounds: vec![0, 0], numbers: Table::default() }
    }
}

impl Symbols {
    /// The number of a text, which is kept from now on.
    pub(in crate::design) fn keep(&mut self, text: &str) -> Symbol {
        self.find(text.as_bytes()).unwrap_or_else(|place| self.add(text, place))
    }

    /// The same for a text's bytes. `None` when they are none.
    pub(in crate::design) fn keep_bytes(&mut self, text: &[u8]) -> Option<Symbol> {
        match self.find(text) {
            Ok(symbol) => Some(symbol),
            Err(place) => Some(self.add(std::str::from_utf8(text).ok()?, place)),
        }
    }

    #[inline]
    fn find(&mut self, text: &[u8]) -> Result<Symbol, Place> {
        if text.is_empty() {
            return Ok(0);
        }
        let (all, bounds) = (self.all.as_bytes(), &self.bounds);
        self.numbers.find(text, |symbol| all.get(range(bounds, symbol)) == Some(text))
    }

    fn add(&mut self, text: &str, place: Place) -> Symbol {
        // Four gigabytes of different words are no design.
        let Ok(end) = u32::try_from(self.all.len() + text.len()) else { return 0 };
        let Ok(symbol) = Symbol::try_from(self.bounds.len() - 1) else { return 0 };
        self.all.push_str(text);
        self.bounds.push(end);
        self.numbers.put(place, symbol);
        symbol
    }

    /// The text of a number.
    pub(in crate::design) fn get(&self, symbol: Symbol) -> &str {
        self.all.get(range(&self.bounds, symbol)).unwrap_or_default()
    }

    /// All of them, one behind the other.
    pub(in crate::design) fn all(&self) -> &str {
        &self.all
    }
}

/// Where the text of a number lies among all.
#[inline]
fn range(bounds: &[u32], symbol: Symbol) -> Range<usize> {
    match bounds.get(symbol as usize..) {
        Some([begin, end, ..]) => *begin as usize..*end as usize,
        _ => 0..0,
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
        assert_eq!(symbols.all(), texts.concat());
    }
}
