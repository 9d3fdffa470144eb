//! Reads raw JSON of the form that Figma writes, without white space and without building values.
//!
//! Everything here gives up, with `None`, on whatever it does not expect: whoever reads with it falls
//! back to [`serde_json::Value`], and has to come to the same result from either.

use super::raw;

/// How deep what is skipped may nest; `serde_json` refuses what is deeper than 128.
const DEEPEST: u32 = 32;

/// A place in raw JSON.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// At the beginning.
    pub(super) const fn new(raw: &'a [u8]) -> Self {
        Self { rest: raw }
    }

    /// All of a value, by one who reads it.
    pub(super) fn whole<T>(raw: &'a [u8], read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let mut reader = Self::new(raw);
        let value = read(&mut reader)?;
        reader.rest.is_empty().then_some(value)
    }

    /// Steps over exactly this.
    #[inline]
    pub(super) fn eat(&mut self, text: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    /// An object: each member's name, with the reader at its value.
    #[inline]
    pub(super) fn object(&mut self, mut member: impl FnMut(&mut Self, &'a [u8]) -> Option<()>) -> Option<()> {
        self.eat(b"{")?;
        if self.eat(b"}").is_some() {
            return Some(());
        }
        loop {
            let name = self.letters()?;
            self.eat(b":")?;
            member(self, name)?;
            if self.eat(b",").is_none() {
                return self.eat(b"}");
            }
        }
    }

    /// A list, with the reader at each of its items.
    #[inline]
    pub(super) fn list(&mut self, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.eat(b"[")?;
        if self.eat(b"]").is_some() {
            return Some(());
        }
        loop {
            item(self)?;
            if self.eat(b",").is_none() {
                return self.eat(b"]");
            }
        }
    }

    /// The inside of a string without escapes.
    #[inline]
    fn letters(&mut self) -> Option<&'a [u8]> {
        let inside = self.rest.strip_prefix(b"\"")?;
        let end = plain_length(inside);
        self.rest = inside.get(end..)?.strip_prefix(b"\"")?;
        inside.get(..end)
    }

    /// A string without escapes.
    #[inline]
    pub(super) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.letters()?).ok()
    }

    /// A string without escapes, or null, into its place.
    pub(super) fn text_or_null(&mut self, into: &mut Option<&'a str>) -> Option<()> {
        *into = if self.eat(b"null").is_some() { None } else { Some(self.text()?) };
        Some(())
    }

    /// A number, exactly as `serde_json` reads it.
    pub(super) fn number(&mut self) -> Option<f64> {
        let (value, length) = raw::float_prefix(self.rest)?;
        self.rest = self.rest.get(length..)?;
        Some(value)
    }

    /// A number, or null, into its place.
    pub(super) fn number_or_null(&mut self, into: &mut Option<f64>) -> Option<()> {
        *into = if self.eat(b"null").is_some() { None } else { Some(self.number()?) };
        Some(())
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self) -> Option<bool> {
        let is_true = self.eat(b"true").is_some();
        if !is_true {
            self.eat(b"false")?;
        }
        Some(is_true)
    }

    /// Any value, which is checked but not kept.
    pub(super) fn skip(&mut self) -> Option<()> {
        self.skip_at(0)
    }

    fn skip_at(&mut self, depth: u32) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        match self.rest.first()? {
            b'"' => self.letters().map(drop),
            b'{' => self.object(|reader, _| reader.skip_at(depth + 1)),
            b'[' => self.list(|reader| reader.skip_at(depth + 1)),
            b't' => self.eat(b"true"),
            b'f' => self.eat(b"false"),
            b'n' => self.eat(b"null"),
            _ => self.number().map(drop),
        }
    }
}

/// How many bytes come before the first that ends a string or cannot stand in one as it is.
#[inline]
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x80 * ONES;
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The top bit of each byte that is 0, of which the lowest is always right.
        let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
        let controls = word.wrapping_sub(0x20 * ONES) & !word;
        let found = (zeros(word ^ (0x22 * ONES)) | zeros(word ^ (0x5c * ONES)) | controls) & TOPS;
        if found != 0 {
            return at * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let plain = rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | ..0x20)).count();
    bytes.len() - rest.len() + plain
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn strings_end_at_the_first_byte_that_is_not_plain() {
        for length in 0..40 {
            for byte in [b'"', b'\\', 0, 0x1f, b'\n'] {
                let mut bytes = "aé~ #[]!".repeat(6).into_bytes();
                bytes[length] = byte;
                bytes[length + 3] = b'"';
                assert_eq!(plain_length(&bytes), length, "{byte}");
            }
        }
        assert_eq!(plain_length(b"plain\x7f\xff!"), 8);
    }

    #[test]
    fn what_is_skipped_is_valid_json() {
        for text in ["{}", "[]", "[1,-2.5,\"x\",true,false,null,{\"a\":[[]]}]", "0", "\"é\""] {
            assert!(Reader::whole(text.as_bytes(), Reader::skip).is_some(), "{text}");
        }
        for text in
            ["", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "01", "1.", ".5", "-", "tru", "\"a\n\"", "1 ", "nul"]
        {
            assert!(Reader::whole(text.as_bytes(), Reader::skip).is_none(), "{text}");
            assert!(serde_json::from_str::<Value>(text).is_err() || text == "1 ", "{text}");
        }
        let deep = "[".repeat(200) + &"]".repeat(200);
        assert!(Reader::whole(deep.as_bytes(), Reader::skip).is_none());
    }
}
