//! Where a JSON value ends: over chunks of any size, 64 bytes at a time, without looking into it.
//!
//! The method is simdjson's first stage: a bit a byte for quotes, backslashes and brackets, and a
//! prefix XOR over the quotes says which bytes stand inside a string. Popcounts are avoided: without
//! `-C target-cpu` each is a dozen instructions.

use memchr::memchr2;
use wide::u8x16;

/// How far the end of one value has been looked for, so that each byte is looked at once.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scan {
    /// An object or a list.
    Nested(Nested),
    /// A string; whether the next byte is escaped.
    Text(bool),
    /// A number, `true`, `false` or `null`: ends before the first byte that cannot belong to one.
    Scalar,
}

/// The state between two chunks of an object or a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nested {
    /// How many brackets are open.
    depth: u64,
    before: Before,
}

/// What of earlier bytes decides about the next ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    /// All ones inside a string, otherwise zero.
    in_text: u64,
    /// 1 when the next byte is escaped, otherwise 0.
    escaped: u64,
}

/// Where in a block of 64 bytes something stands, a bit a byte.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signs {
    /// `"` at either end of a string.
    pub(super) quotes: u64,
    pub(super) backslashes: u64,
    /// `{` and `[` outside strings.
    pub(super) opens: u64,
    /// `}` and `]` outside strings.
    pub(super) ends: u64,
}

impl Scan {
    /// For a value that begins with this byte; the scan goes on behind it. `None` when none does.
    pub(super) fn of(first: u8) -> Option<Self> {
        match first {
            b'{' | b'[' => Some(Self::within()),
            b'"' => Some(Self::Text(false)),
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => Some(Self::Scalar),
            _ => None,
        }
    }

    /// Up to the end of an object or a list that is open already.
    pub(super) const fn within() -> Self {
        Self::Nested(Nested { depth: 1, before: Before::new() })
    }

    /// Looks on: how many of these bytes still belong to the value, or `None` when all of them do and
    /// it goes on.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Nested(nested) => nested.advance(bytes),
            Self::Text(escaped) => end_of_text(escaped, bytes),
            Self::Scalar => bytes.iter().position(|byte| !is_scalar(*byte)),
        }
    }
}

fn is_scalar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}

/// Whether this is a number or a literal of JSON.
pub(super) fn is_number_or_literal(value: &[u8]) -> bool {
    number_or_literal(value) == Some(value.len())
}

/// How many bytes the number or the literal takes that stands here; `None` when none does, or when it is
/// followed by what could be more of it.
pub(super) fn number_or_literal(bytes: &[u8]) -> Option<usize> {
    let length = match bytes {
        [b't', b'r', b'u', b'e', ..] | [b'n', b'u', b'l', b'l', ..] => 4,
        [b'f', b'a', b'l', b's', b'e', ..] => 5,
        _ => number(bytes)?,
    };
    bytes.get(length).is_none_or(|byte| !is_scalar(*byte)).then_some(length)
}

/// How many bytes the number takes that stands here.
fn number(bytes: &[u8]) -> Option<usize> {
    // The first byte from here on that is no digit.
    let digits_end = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let start = usize::from(bytes.first() == Some(&b'-'));
    let mut end = digits_end(start);
    if end == start || (end > start + 1 && bytes.get(start) == Some(&b'0')) {
        return None;
    }
    if bytes.get(end) == Some(&b'.') {
        let from = end + 1;
        end = digits_end(from);
        if end == from {
            return None;
        }
    }
    if let Some(b'e' | b'E') = bytes.get(end) {
        let from = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'-' | b'+')));
        end = digits_end(from);
        if end == from {
            return None;
        }
    }
    Some(end)
}

fn end_of_text(escaped: &mut bool, bytes: &[u8]) -> Option<usize> {
    let mut at = usize::from(*escaped && !bytes.is_empty());
    *escaped &= bytes.is_empty();
    loop {
        let rest = bytes.get(at..)?;
        let found = memchr2(b'"', b'\\', rest)?;
        if rest.get(found) == Some(&b'"') {
            return Some(at + found + 1);
        }
        at += found + 2;
        if at > bytes.len() {
            *escaped = true;
            return None;
        }
    }
}

impl Nested {
    fn advance(&mut self, bytes: &[u8]) -> Option<usize> {
        let (blocks, rest) = bytes.as_chunks::<64>();
        let mut at = 0;
        for block in blocks {
            if let Some(end) = self.block(block) {
                return Some(at + end);
            }
            at += 64;
        }
        rest.iter().position(|byte| self.byte(*byte)).map(|end| at + end + 1)
    }

    /// Whether the value ends with this byte.
    fn byte(&mut self, byte: u8) -> bool {
        let Before { in_text, escaped } = &mut self.before;
        if *escaped == 1 {
            *escaped = 0;
            return false;
        }
        match byte {
            b'\\' => *escaped = 1,
            b'"' => *in_text = !*in_text,
            b'{' | b'[' if *in_text == 0 => self.depth += 1,
            b'}' | b']' if *in_text == 0 => self.depth -= 1,
            _ => {}
        }
        self.depth == 0
    }

    /// How many bytes of this block still belong to the value, if it ends here.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "the release profile optimises for size")]
    fn block(&mut self, block: &[u8; 64]) -> Option<usize> {
        let signs = self.before.signs(block);
        closing(&mut self.depth, signs.opens, signs.ends).map(|at| at + 1)
    }
}

/// Which bit of a block closes what is open at this depth, if one does; the depth behind the block else.
#[inline(always)]
#[allow(clippy::inline_always, reason = "the release profile optimises for size")]
pub(super) fn closing(depth: &mut u64, opens: u64, ends: u64) -> Option<usize> {
    let mut brackets = opens | ends;
    while brackets != 0 {
        let at = brackets.trailing_zeros();
        // Without a branch on what nobody can predict.
        *depth = depth.wrapping_add(1).wrapping_sub((ends >> at & 1) << 1);
        if *depth == 0 {
            return usize::try_from(at).ok();
        }
        brackets &= brackets - 1;
    }
    None
}

impl Before {
    /// Outside strings.
    pub(super) const fn new() -> Self {
        Self { in_text: 0, escaped: 0 }
    }

    /// What stands in the next 64 bytes.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "the release profile optimises for size")]
    pub(super) fn signs(&mut self, block: &[u8; 64]) -> Signs {
        let lanes = lanes(block);
        let backslashes = bits(&lanes, b'\\');
        let escaped = self.escapes(backslashes);
        let quotes = bits(&lanes, b'"') & !escaped;
        let in_text = prefix_xor(quotes) ^ self.in_text;
        self.in_text = if in_text >> 63 == 1 { u64::MAX } else { 0 };
        // One bit apart: '[' and '{', ']' and '}'.
        let [a, b, c, d] = lanes;
        let bit = u8x16::splat(0x20);
        let lanes = [a | bit, b | bit, c | bit, d | bit];
        let outside = !(in_text | escaped);
        let (opens, ends) = (bits(&lanes, b'{') & outside, bits(&lanes, b'}') & outside);
        Signs { quotes, backslashes, opens, ends }
    }

    /// Which bytes a backslash escapes: simdjson's arithmetic on runs of backslashes.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "the release profile optimises for size")]
    fn escapes(&mut self, backslashes: u64) -> u64 {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        if backslashes == 0 {
            return std::mem::take(&mut self.escaped);
        }
        let backslashes = backslashes & !self.escaped;
        let follows = backslashes << 1 | self.escaped;
        let odd_starts = backslashes & !EVEN & !follows;
        let (even_runs, overflow) = odd_starts.overflowing_add(backslashes);
        self.escaped = u64::from(overflow);
        (EVEN ^ (even_runs << 1)) & follows
    }
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "the release profile optimises for size")]
fn lanes(block: &[u8; 64]) -> [u8x16; 4] {
    let (parts, _) = block.as_chunks::<16>();
    match parts {
        [a, b, c, d] => [u8x16::new(*a), u8x16::new(*b), u8x16::new(*c), u8x16::new(*d)],
        _ => [u8x16::splat(0); 4],
    }
}

/// A bit for each byte that equals this one.
#[inline(always)]
#[allow(clippy::inline_always, reason = "the release profile optimises for size")]
fn bits(lanes: &[u8x16; 4], byte: u8) -> u64 {
    let wanted = u8x16::splat(byte);
    // One by one: with `map` it becomes a loop over memory where size is what is optimised.
    let [a, b, c, d] = lanes;
    let low = u64::from(a.simd_eq(wanted).to_bitmask()) | u64::from(b.simd_eq(wanted).to_bitmask()) << 16;
    let high = u64::from(c.simd_eq(wanted).to_bitmask()) | u64::from(d.simd_eq(wanted).to_bitmask()) << 16;
    low | high << 32
}

/// Each bit becomes the parity of the bits up to it.
#[inline(always)]
#[allow(clippy::inline_always, reason = "the release profile optimises for size")]
const fn prefix_xor(mut bits: u64) -> u64 {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^= bits << 32;
    bits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Where the value at the start of `bytes` ends, told byte by byte.
    fn plainly(bytes: &[u8]) -> Option<usize> {
        let (mut depth, mut in_text, mut escaped) = (1, false, false);
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = !in_text,
                b'{' | b'[' if !in_text => depth += 1,
                b'}' | b']' if !in_text => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(at + 1);
            }
        }
        None
    }

    fn in_chunks(mut scan: Scan, bytes: &[u8], size: usize) -> Option<usize> {
        bytes.chunks(size).enumerate().find_map(|(n, chunk)| scan.advance(chunk).map(|end| n * size + end))
    }

    #[test]
    fn numbers_are_those_of_json() {
        let cases = [
            "0",
            "-1.5",
            "12e3",
            "1E-7",
            "24.0",
            "0.7686274647712708",
            "01",
            "1.",
            ".5",
            "-",
            "1e",
            "1e+",
            "nul",
            "+1",
            "1a",
        ];
        for case in cases {
            let is_json = serde_json::from_str::<f64>(case).is_ok();
            assert_eq!(is_number_or_literal(case.as_bytes()), is_json, "{case}");
        }
    }

    proptest! {
        #[test]
        fn blocks_find_what_bytes_find(
            bytes in prop::collection::vec(prop::sample::select(&b"{}[]\"\\\\\\a:,"[..]), 0..400),
            size in 1_usize..200,
        ) {
            // Outside strings a backslash means nothing; both readers have to agree all the same.
            prop_assert_eq!(in_chunks(Scan::within(), &bytes, size), plainly(&bytes));
        }

        #[test]
        fn strings_end_at_their_quote(text in "[a-c\"\\\\\u{e9}]{0,100}", size in 1_usize..50) {
            let json = format!("{}, \"more\"", serde_json::to_string(&text).unwrap());
            let end = in_chunks(Scan::Text(false), &json.as_bytes()[1..], size);
            prop_assert_eq!(end, Some(json.len() - 9));
        }
    }
}
