//! Words that repeat, kept once.

use super::table::Table;

/// A text that is kept once: its number in [`Symbols`]. 0 is the empty text.
pub(in crate::design) type Symbol = u32;

/// Every text that is kept, once.
#[derive(Debug, Default)]
pub(in crate::design) struct Symbols {
    /// All of them, one behind the other.
    all: String,
    /// Where each ends in it; number 0, the empty text, is not there.
    ends: Vec<u32>,
    numbers: Table,
}

impl Symbols {
    /// The number of a text, which is kept from now on.
    pub(in crate::design) fn keep(&mut self, text: &str) -> Symbol {
        if text.is_empty() {
            return 0;
        }
        let (all, ends) = (&self.all, &self.ends);
        let place = match self.numbers.find(text.as_bytes(), |symbol| get(all, ends, symbol) == text) {
            Ok(symbol) => return symbol,
            Err(place) => place,
        };
        // Four gigabytes of different words are no design.
        let Ok(end) = u32::try_from(self.all.len() + text.len()) else { return 0 };
        let Ok(symbol) = Symbol::try_from(self.ends.len() + 1) else { return 0 };
        self.all.push_str(text);
        self.ends.push(end);
        self.numbers.put(place, symbol);
        symbol
    }

    /// The text of a number.
    pub(in crate::design) fn get(&self, symbol: Symbol) -> &str {
        get(&self.all, &self.ends, symbol)
    }

    /// All of them.
    pub(in crate::design) fn texts(&self) -> impl Iterator<Item = &str> {
        (0..).take(self.ends.len() + 1).map(|symbol| self.get(symbol))
    }
}

fn get<'a>(all: &'a str, ends: &[u32], symbol: Symbol) -> &'a str {
    let end = |at: usize| ends.get(at).map_or(0, |end| *end as usize);
    match symbol as usize {
        0 => "",
        1 => all.get(..end(0)).unwrap_or_default(),
        at => all.get(end(at - 2)..end(at - 1)).unwrap_or_default(),
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
