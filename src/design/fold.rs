//! Comparing what people wrote: case and diacritics do not count, and a slip of the pen is forgiven.

use icu_normalizer::DecomposingNormalizerBorrowed;

/// How well a text fits what is looked for; the smaller, the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Fit {
    /// It is the same.
    Exact,
    /// It begins with it.
    Prefix,
    /// It has all the words.
    Words,
    /// Its words begin with them.
    WordPrefixes,
    /// It holds it somewhere.
    Within,
    /// Its words differ in a letter.
    Near,
    /// Its words differ in two letters.
    Far,
}

impl Fit {
    /// Every fit, best first.
    pub const ALL: [Self; 7] =
        [Self::Exact, Self::Prefix, Self::Words, Self::WordPrefixes, Self::Within, Self::Near, Self::Far];

    /// Whether it takes a correction to see it.
    #[must_use]
    pub const fn is_corrected(self) -> bool {
        matches!(self, Self::Near | Self::Far)
    }
}

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Needle {
    /// As it was asked for.
    pub given: String,
    folded: String,
    squeezed: String,
    words: Vec<Word>,
}

#[derive(Debug, Clone)]
struct Word {
    text: String,
    letters: u64,
    length: usize,
    /// How many letters may be wrong.
    slips: usize,
}

impl Needle {
    /// Looks for this text.
    #[must_use]
    pub fn new(given: &str) -> Self {
        let folded = fold(given.trim());
        let words = words(&folded)
            .map(|word| {
                let length = word.chars().count();
                let slips = match length {
                    0..=3 => 0,
                    4..=7 => 1,
                    _ => 2,
                };
                Word { text: word.to_owned(), letters: letters(word), length, slips }
            })
            .collect();
        Self { given: given.trim().to_owned(), squeezed: squeeze(&folded), folded, words }
    }

    /// How well this text fits, if it does.
    #[must_use]
    pub fn fit(&self, text: &str) -> Option<Fit> {
        self.fit_folded(&fold(text))
    }

    /// Whether this text is the same, or fits without a correction.
    #[must_use]
    pub fn fits_plainly(&self, text: &str) -> bool {
        self.fit(text).is_some_and(|fit| !fit.is_corrected())
    }

    fn fit_folded(&self, text: &str) -> Option<Fit> {
        let found = text.find(&self.folded);
        if found == Some(0) {
            return Some(if text.len() == self.folded.len() { Fit::Exact } else { Fit::Prefix });
        }
        if self.words.is_empty() {
            return found.map(|_| Fit::Within);
        }
        let has = |test: &dyn Fn(&Word, &str) -> bool| {
            self.words.iter().all(|wanted| words(text).any(|word| test(wanted, word)))
        };
        if has(&|wanted, word| wanted.text == word) {
            return Some(Fit::Words);
        }
        if has(&|wanted, word| word.starts_with(&wanted.text)) {
            return Some(Fit::WordPrefixes);
        }
        if found.is_some() {
            return Some(Fit::Within);
        }
        // `ProductCard` and `product-card` are the same name to whoever looks for it.
        if text.len() >= self.squeezed.len() && squeeze(text).contains(&self.squeezed) {
            return Some(if squeeze(text) == self.squeezed { Fit::Words } else { Fit::Within });
        }
        self.slips(text)
    }

    /// Each word wanted is there, begun or misspelt.
    fn slips(&self, text: &str) -> Option<Fit> {
        let mut most = 0;
        for wanted in &self.words {
            let nearest = words(text)
                .filter_map(
                    |word| {
                        if word.starts_with(&wanted.text) { Some(0) } else { wanted.distance(word) }
                    },
                )
                .min()?;
            most = most.max(nearest);
        }
        Some(if most < 2 { Fit::Near } else { Fit::Far })
    }
}

impl Word {
    /// How many letters differ, if they are few.
    fn distance(&self, other: &str) -> Option<usize> {
        // Two letters of difference change at most this many of the letters that occur.
        let changed = (self.letters ^ letters(other)).count_ones() as usize;
        if self.slips == 0 || changed > 2 * self.slips {
            return None;
        }
        if self.length.abs_diff(other.chars().count()) > self.slips {
            return None;
        }
        let distance = strsim::osa_distance(&self.text, other);
        (distance <= self.slips).then_some(distance)
    }
}

/// Which letters occur, as bits; several letters share one.
fn letters(word: &str) -> u64 {
    word.chars().fold(0, |bits, c| bits | 1 << (u32::from(c) % 64))
}

fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

fn squeeze(folded: &str) -> String {
    folded.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The text without case and diacritics.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    // Case first: it can bring marks of its own.
    for c in
        DecomposingNormalizerBorrowed::new_nfd().normalize_iter(text.chars().flat_map(char::to_lowercase))
    {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' => folded.push('d'),
            'ı' => folded.push('i'),
            // A hard space is a space.
            '\u{a0}' | '\u{202f}' => folded.push(' '),
            c if is_mark(c) => {}
            c => folded.push(c),
        }
    }
    folded
}

/// Marks that are left out when people search: of Latin, Greek, Cyrillic, Hebrew and Arabic, and what
/// cannot be seen. Those of other scripts tell words apart.
const fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}'
        | '\u{670}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{fe0f}' | '\u{feff}')
}

/// The part of a text around what is looked for, on one line.
#[must_use]
pub fn snippet(text: &str, needle: Option<&Needle>, width: usize) -> String {
    let line: Vec<char> = one_line(text).chars().collect();
    let start = needle.map_or(0, |needle| place(&line, needle));
    let cut = if line.len() <= width { 0 } else { start.saturating_sub(width / 3).min(line.len() - width) };
    let begin = if cut == 0 { 0 } else { word_start(&line, cut, start) };
    let part: String = line.iter().skip(begin).take(width).collect();
    let (before, after) = (begin > 0, begin + width < line.len());
    format!("{}{}{}", if before { "…" } else { "" }, part.trim(), if after { "…" } else { "" })
}

/// The beginning of the next word, if one begins soon.
fn word_start(line: &[char], cut: usize, end: usize) -> usize {
    const SOON: usize = 12;
    let before = line.iter().skip(cut.saturating_sub(1)).take(end.saturating_sub(cut).min(SOON));
    before.zip(cut..).find(|(c, _)| **c == ' ').map_or(cut, |(_, at)| at)
}

/// Where in a line the first of what is looked for stands, counted in characters.
fn place(line: &[char], needle: &Needle) -> usize {
    let (mut folded, mut starts) = (String::new(), Vec::new());
    for (at, c) in line.iter().enumerate() {
        starts.push((folded.len(), at));
        folded.push_str(&fold(c.encode_utf8(&mut [0; 4])));
    }
    let first = needle.words.first().map_or("", |word| word.text.as_str());
    let found = folded.find(&needle.folded).or_else(|| folded.find(first)).unwrap_or(0);
    starts.iter().rev().find(|(byte, _)| *byte <= found).map_or(0, |(_, at)| *at)
}

/// The text on one line, without what cannot be seen.
#[must_use]
pub fn one_line(text: &str) -> String {
    let spaced = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = spaced.filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().filter(|c| !is_invisible(*c)).collect()
}

/// Characters that change or hide what a reader sees.
#[must_use]
pub const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// A name within quotation marks, on one line and not too long.
#[must_use]
pub fn quoted(name: &str, longest: usize) -> String {
    format!("\"{}\"", snippet(name, None, longest).replace('"', "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_diacritics_do_not_count() {
        for (text, folded) in [
            ("Größe", "grosse"),
            ("CAFÉ", "cafe"),
            ("Łódź", "lodz"),
            ("Ёлка", "елка"),
            ("İstanbul", "istanbul"),
            ("smørrebrød", "smorrebrod"),
            ("e\u{301}te\u{301}", "ete"),
            ("部屋に緑を", "部屋に緑を"),
            ("مَرْحَبًا", "مرحبا"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    #[test]
    fn fits_are_told_apart() {
        let cases = [
            ("button", "Button", Some(Fit::Exact)),
            ("button", "Button / Primary", Some(Fit::Prefix)),
            ("primary", "Button / Primary", Some(Fit::Words)),
            ("primary button", "Button / Primary", Some(Fit::Words)),
            ("prim", "Button / Primary", Some(Fit::WordPrefixes)),
            ("imar", "Button / Primary", Some(Fit::Within)),
            ("product card", "ProductCard", Some(Fit::Words)),
            ("buton", "Button / Primary", Some(Fit::Near)),
            ("bestselers", "Bestsellers", Some(Fit::Near)),
            ("bsetsellers", "Bestsellers", Some(Fit::Near)),
            ("bestselar", "Bestsellers", None),
            ("tag", "Tab", None),
            ("растения", "Растения для дома", Some(Fit::Prefix)),
            ("ростения", "Растения для дома", Some(Fit::Near)),
            ("緑", "部屋に緑を", Some(Fit::Within)),
            ("€", "€ 34.90", Some(Fit::Prefix)),
            ("cafe", "Café", Some(Fit::Exact)),
            ("checkout", "Home", None),
        ];
        for (needle, text, expected) in cases {
            assert_eq!(Needle::new(needle).fit(text), expected, "{needle} in {text}");
        }
    }

    #[test]
    fn a_snippet_shows_what_was_found() {
        let text = "Delivered within two days,\nin a pot that fits, with a note on how to look after it";
        assert_eq!(snippet(text, Some(&Needle::new("POT")), 30), "…in a pot that fits, with a not…");
        assert_eq!(snippet("short\u{202e} one", None, 30), "short one");
        assert_eq!(snippet("x", Some(&Needle::new("nowhere")), 30), "x");
    }
}
