//! Texts: fonts, alignment, runs of other styles, lists and links.

mod letters;

use std::fmt::Write;

use serde_json::Value;

use super::{
    model::{FAMILY, Sizing},
    paint, raw,
    variables::Bound,
    words,
};
use letters::{Letters, SAID_ELSEWHERE};

/// A text style, taken apart.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Style {
    /// `Inter 600 24/32 -0.5 upper`, with [`FAMILY`] behind the family.
    pub(super) font: String,
    /// Where the words behind the size begin in it.
    size_end: usize,
    line_height: f32,
    /// What is about the box rather than the font: alignment, truncation, spacing of paragraphs.
    pub(super) words: String,
    /// Alignments that say something only when the box is larger than the text.
    horizontal: String,
    vertical: String,
    /// What makes the box as large as it is, outside an auto layout.
    pub(super) sizing: [Sizing; 2],
    weight: f64,
    is_italic: bool,
}

impl Style {
    /// From `style`.
    pub(super) fn read(raw: &[u8]) -> Self {
        match Letters::read(raw) {
            Some(letters) => Self::new(&letters, &Bound::default(), String::new()),
            None => Self::of(&raw::value(raw)),
        }
    }

    fn of(style: &Value) -> Self {
        let bound = style.get("boundVariables").map(Bound::of).unwrap_or_default();
        Self::new(&Letters::of(style), &bound, other_words(style))
    }

    /// From members that are known, what is bound, and the words of all others.
    #[expect(clippy::cast_possible_truncation, reason = "pixels")]
    fn new(letters: &Letters<'_>, bound: &Bound, others: String) -> Self {
        let sizing = match letters.auto_resize {
            Some("WIDTH_AND_HEIGHT") => [Sizing::Hug; 2],
            Some("HEIGHT") => [Sizing::Fixed, Sizing::Hug],
            _ => [Sizing::Fixed; 2],
        };
        let align = |align: Option<&str>, usual: &str| {
            align.filter(|align| *align != usual).map(words::lower).unwrap_or_default()
        };
        let (font, size_end) = font(letters, bound);
        Self {
            font,
            size_end,
            line_height: letters.line_height.unwrap_or(0.0) as f32,
            words: box_words(letters, others),
            horizontal: align(letters.horizontal, "LEFT"),
            vertical: align(letters.vertical, "TOP"),
            sizing,
            weight: letters.weight.unwrap_or(400.0),
            is_italic: letters.is_italic,
        }
    }

    /// The font with a mark behind its size.
    pub(super) fn font_with_size(&self, mark: &str) -> String {
        let (before, after) = self.font.split_at_checked(self.size_end).unwrap_or((&self.font, ""));
        if before.ends_with(mark) { self.font.clone() } else { format!("{before}{mark}{after}") }
    }

    /// The height of a line in pixels.
    pub(super) const fn line_height(&self) -> f32 {
        self.line_height
    }

    /// Alignment and the like, as far as it matters in a box of this kind.
    pub(super) fn box_words(&self, out: &mut String, sizing: [Sizing; 2], is_one_line: bool) {
        let [width, height] = sizing;
        let fits_letters = width == Sizing::Hug && is_one_line;
        if !self.horizontal.is_empty() && !fits_letters {
            out.push_str(" text-");
            out.push_str(&self.horizontal);
        }
        if !self.vertical.is_empty() && height != Sizing::Hug {
            out.push_str(" valign-");
            out.push_str(&self.vertical);
        }
        out.push_str(&self.words);
    }
}

/// The words of a font, and where those behind its size begin.
fn font(letters: &Letters<'_>, bound: &Bound) -> (String, usize) {
    let mut out = words::name(letters.family.unwrap_or("?"));
    out.push_str(&bound.mark("fontFamily"));
    out.push(FAMILY);
    out.push(' ');
    words::float(&mut out, letters.weight.unwrap_or(400.0));
    out.push_str(&bound.mark("fontWeight"));
    out.push_str(&bound.mark("fontStyle"));
    if let Some(cut) = letters.cut.and_then(unusual_cut) {
        out.push(' ');
        out.push_str(&cut);
    }
    if letters.is_italic {
        out.push_str(" italic");
    }
    out.push(' ');
    words::float(&mut out, round(letters.size.unwrap_or(0.0)));
    out.push_str(&bound.mark("fontSize"));
    let size_end = out.len();
    match letters.line_height_unit {
        Some("PIXELS") => {
            out.push('/');
            words::float(&mut out, round(letters.line_height.unwrap_or(0.0)));
        }
        Some("FONT_SIZE_%") => {
            let _ = write!(out, "/{}%", letters.line_height_percent.unwrap_or(100.0).round());
        }
        _ => {}
    }
    out.push_str(&bound.mark("lineHeight"));
    let spacing = letters.spacing.unwrap_or(0.0);
    if round(spacing) != 0.0 || !bound.mark("letterSpacing").is_empty() {
        let _ = write!(out, " spacing {}{}", round(spacing), bound.mark("letterSpacing"));
    }
    for (word, usual) in [(letters.case, "ORIGINAL"), (letters.decoration, "NONE")] {
        if let Some(word) = word.filter(|word| *word != usual) {
            let _ = write!(out, " {}", words::lower(word));
        }
    }
    (out, size_end)
}

/// The name of the font's cut, where it says more than weight and slant, such as `Condensed`.
fn unusual_cut(cut: &str) -> Option<String> {
    const USUAL: &[&str] = &[
        "thin",
        "extra",
        "ultra",
        "light",
        "regular",
        "normal",
        "book",
        "roman",
        "medium",
        "semi",
        "demi",
        "bold",
        "black",
        "heavy",
        "italic",
        "oblique",
        "extralight",
        "ultralight",
        "semibold",
        "demibold",
        "extrabold",
        "ultrabold",
    ];
    let is_usual =
        cut.split([' ', '-']).all(|word| USUAL.iter().any(|usual| usual.eq_ignore_ascii_case(word)));
    (!is_usual).then(|| words::name(cut))
}

/// To two decimals, and never a negative zero.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0 + 0.0
}

fn box_words(letters: &Letters<'_>, others: String) -> String {
    let is_cut = letters.truncation == Some("ENDING") || letters.auto_resize == Some("TRUNCATE");
    if !is_cut && letters.most_lines.is_none() {
        return others;
    }
    let mut out = String::new();
    if is_cut {
        out.push_str(" truncate");
    }
    if let Some(lines) = letters.most_lines {
        let _ = write!(out, " lines{lines}");
    }
    out + &others
}

/// The words of members that have no place of their own in [`Letters`].
fn other_words(style: &Value) -> String {
    let mut out = String::new();
    if let Some(link) = style.get("hyperlink").and_then(link) {
        let _ = write!(out, " link {link}");
    }
    for (name, value) in style.as_object().into_iter().flatten() {
        let is_nothing = match value {
            Value::Null => true,
            Value::Number(number) => number.as_f64() == Some(0.0),
            Value::Object(members) => members.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::String(text) => matches!(text.as_str(), "" | "NONE"),
            Value::Bool(value) => !value,
        };
        if !is_nothing && !SAID_ELSEWHERE.contains(&name.as_str()) {
            let _ = write!(out, " {}={}", words::name(name), paint::other(value));
        }
    }
    out
}

/// Where a hyperlink leads.
fn link(link: &Value) -> Option<String> {
    match raw::text(link, "url").filter(|url| !url.is_empty()) {
        Some(url) => Some(words::quoted(url)),
        None => raw::text(link, "nodeID").or_else(|| raw::text(link, "nodeId")).map(paint::clean),
    }
}

/// What a text node says beside its letters, as raw JSON.
#[derive(Debug, Clone, Default)]
pub(super) struct Runs {
    /// For each UTF-16 unit the number of a style in the table; 0 is the node's own.
    pub(super) overrides: Box<[u8]>,
    pub(super) table: Box<[u8]>,
    pub(super) line_types: Box<[u8]>,
    pub(super) indentations: Box<[u8]>,
}

impl Runs {
    /// Whether there is anything to mark in the text.
    pub(super) fn is_plain(&self) -> bool {
        self.overrides.is_empty() && self.line_types.is_empty()
    }
}

/// A text with its runs and lists marked, already escaped, and what the numbered marks mean.
pub(super) fn marked(text: &str, base: &Style, runs: &Runs) -> (String, String) {
    let numbers: Vec<u64> = serde_json::from_slice(&runs.overrides).unwrap_or_default();
    let table = raw::value(&runs.table);
    let types: Vec<String> = serde_json::from_slice(&runs.line_types).unwrap_or_default();
    let indents: Vec<f64> = serde_json::from_slice(&runs.indentations).unwrap_or_default();
    let mut out = String::with_capacity(text.len() + 16);
    let mut notes: Vec<(u64, String)> = Vec::new();
    let (mut unit, mut ordinal) = (0, 0_u32);
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push_str("\\n");
        }
        out.push_str(&bullet(types.get(at).map_or("NONE", String::as_str), indents.get(at), &mut ordinal));
        for (number, piece) in pieces(line, unit, &numbers) {
            let mark = table.get(number.to_string()).map(|style| Mark::of(style, base)).unwrap_or_default();
            mark.write(&mut out, piece, number);
            if !mark.rest.is_empty() && !notes.iter().any(|(known, _)| *known == number) {
                notes.push((number, mark.rest));
            }
        }
        unit += line.encode_utf16().count() + 1;
    }
    let notes: Vec<String> = notes.iter().map(|(number, words)| format!(" ‹{number}›={words}")).collect();
    (out, notes.concat())
}

/// The mark before a line of a list.
fn bullet(kind: &str, indent: Option<&f64>, ordinal: &mut u32) -> String {
    let level = indent.copied().unwrap_or(0.0).clamp(1.0, 9.0) - 1.0;
    let margin: String = std::iter::repeat_n(
        "  ",
        [0, 1, 2, 3, 4, 5, 6, 7, 8].into_iter().filter(|n| f64::from(*n) < level).count(),
    )
    .collect();
    match kind {
        "UNORDERED" => margin + "- ",
        "ORDERED" => {
            *ordinal += 1;
            format!("{margin}{ordinal}. ")
        }
        _ => {
            *ordinal = 0;
            String::new()
        }
    }
}

/// A line cut where the style changes; `unit` is where it begins in the text, in UTF-16 units.
fn pieces<'a>(line: &'a str, mut unit: usize, numbers: &[u64]) -> Vec<(u64, &'a str)> {
    let mut out: Vec<(u64, &str)> = Vec::new();
    let mut start = 0;
    let mut current = None;
    for (at, c) in line.char_indices() {
        let number = numbers.get(unit).copied().unwrap_or(0);
        if let Some(before) = current.filter(|before| *before != number) {
            out.push((before, line.get(start..at).unwrap_or_default()));
            start = at;
        }
        current = Some(number);
        unit += c.len_utf16();
    }
    if let Some(number) = current {
        out.push((number, line.get(start..).unwrap_or_default()));
    }
    out
}

/// How a run differs from the text around it.
#[derive(Debug, Clone, Default)]
struct Mark {
    is_bold: bool,
    is_italic: bool,
    is_struck: bool,
    link: Option<String>,
    /// Everything that light markup cannot say.
    rest: String,
}

impl Mark {
    fn of(style: &Value, base: &Style) -> Self {
        let mut rest = Vec::new();
        let weight = raw::float(style, "fontWeight");
        let is_bold = weight.is_some_and(|weight| weight >= 600.0) && base.weight < 600.0;
        if let Some(weight) = weight.filter(|weight| (*weight - base.weight).abs() > 0.5 && !is_bold) {
            rest.push(weight.to_string());
        }
        let is_italic = style.get("italic") == Some(&Value::Bool(true)) && !base.is_italic;
        if let Some(family) = raw::text(style, "fontFamily") {
            rest.push(words::name(family));
        }
        if let Some(size) = raw::float(style, "fontSize") {
            rest.push(format!("{}px", round(size)));
        }
        let decoration = raw::text(style, "textDecoration").unwrap_or("NONE");
        let is_struck = decoration == "STRIKETHROUGH";
        let link = style.get("hyperlink").and_then(link);
        if !matches!(decoration, "NONE" | "STRIKETHROUGH") && link.is_none() {
            rest.push(words::lower(decoration));
        }
        if let Some(case) = raw::text(style, "textCase").filter(|case| *case != "ORIGINAL") {
            rest.push(words::lower(case));
        }
        if let Some(spacing) = raw::float(style, "letterSpacing") {
            rest.push(format!("spacing {}", round(spacing)));
        }
        if let Some(paints) = style.get("fills").map(paint::paints).filter(|paints| !paints.is_empty()) {
            rest.push(paints);
        }
        for (_, marks) in style.get("boundVariables").map(Bound::of).unwrap_or_default().0 {
            rest.extend(marks);
        }
        Self { is_bold, is_italic, is_struck, link, rest: rest.join(" ") }
    }

    fn write(&self, out: &mut String, piece: &str, number: u64) {
        // Markup hugs the letters: spaces at the ends stay outside.
        let inner = piece.trim();
        let (before, after) = match piece.find(inner) {
            Some(at) if !inner.is_empty() => {
                (piece.get(..at).unwrap_or_default(), piece.get(at + inner.len()..).unwrap_or_default())
            }
            _ => return words::push_escaped(out, piece),
        };
        words::push_escaped(out, before);
        let mut ends: Vec<String> = Vec::new();
        let mut wrap = |out: &mut String, is_on: bool, open: &str, close: &str| {
            if is_on {
                out.push_str(open);
                ends.push(close.to_owned());
            }
        };
        wrap(out, !self.rest.is_empty(), &format!("‹{number} "), "›");
        wrap(out, self.is_bold, "**", "**");
        wrap(out, self.is_italic, "_", "_");
        wrap(out, self.is_struck, "~~", "~~");
        if let Some(link) = &self.link {
            wrap(out, true, "[", &format!("]({})", link.trim_matches('"')));
        }
        words::push_escaped(out, inner);
        out.extend(ends.into_iter().rev());
        words::push_escaped(out, after);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn style(more: &Value) -> Value {
        let mut style = json!({ "fontFamily": "Inter", "fontStyle": "Regular", "fontWeight": 400, "fontSize": 16.0,
            "textAlignHorizontal": "LEFT", "textAlignVertical": "TOP", "letterSpacing": 0.0, "lineHeightPx": 24.0,
            "lineHeightUnit": "PIXELS", "textAutoResize": "WIDTH_AND_HEIGHT" });
        style.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        style
    }

    #[test]
    fn fonts_are_short() {
        let font = |more: Value| Style::of(&style(&more)).font.replace(FAMILY, "");
        assert_eq!(font(json!({})), "Inter 400 16/24");
        assert_eq!(font(json!({ "lineHeightUnit": "INTRINSIC_%" })), "Inter 400 16");
        assert_eq!(
            font(
                json!({ "lineHeightUnit": "FONT_SIZE_%", "lineHeightPercentFontSize": 150, "letterSpacing": -0.32,
                "textCase": "UPPER", "textDecoration": "UNDERLINE", "italic": true, "fontStyle": "Condensed Bold Italic" })
            ),
            "Inter 400 Condensed Bold Italic italic 16/150% spacing -0.32 upper underline"
        );
    }

    #[test]
    fn alignment_is_said_where_it_shows() {
        let centred =
            Style::of(&style(&json!({ "textAlignHorizontal": "CENTER", "textAlignVertical": "CENTER" })));
        let words = |style: &Style, sizing| {
            let mut out = String::new();
            style.box_words(&mut out, sizing, true);
            out
        };
        assert_eq!(words(&centred, [Sizing::Hug, Sizing::Hug]), "");
        assert_eq!(words(&centred, [Sizing::Fill, Sizing::Hug]), " text-center");
        assert_eq!(words(&centred, [Sizing::Fixed, Sizing::Fixed]), " text-center valign-center");
        let cut = Style::of(&style(&json!({ "textTruncation": "ENDING", "maxLines": 2, "sparkle": "HIGH" })));
        assert_eq!(words(&cut, [Sizing::Fill, Sizing::Hug]), " truncate lines2 sparkle=HIGH");
    }

    #[test]
    fn runs_become_light_markup() {
        let base = Style::of(&style(&json!({})));
        let runs = Runs {
            overrides: (*b"[1,1,1,1,1,0,2,2,2,0,3,3,3]").into(),
            table: serde_json::to_vec(&json!({
                "1": { "fontWeight": 700 },
                "2": { "hyperlink": { "type": "URL", "url": "https://example.com" }, "textDecoration": "UNDERLINE" },
                "3": { "fills": [{ "type": "SOLID", "color": { "r": 1, "g": 0, "b": 0, "a": 1 } }], "fontSize": 20 },
            }))
            .unwrap()
            .into(),
            ..Runs::default()
        };
        let (text, notes) = marked("Hello you \"x\"", &base, &runs);
        assert_eq!(text, "**Hello** [you](https://example.com) ‹3 \\\"x\\\"›");
        assert_eq!(notes, " ‹3›=20px #F00");
    }

    #[test]
    fn lists_have_their_marks() {
        let runs = Runs {
            line_types: (*b"[\"NONE\",\"ORDERED\",\"ORDERED\",\"UNORDERED\"]").into(),
            indentations: (*b"[0,1,1,2]").into(),
            ..Runs::default()
        };
        let (text, _) = marked("Steps\nmix\nbake\ncool", &Style::default(), &runs);
        assert_eq!(text, "Steps\\n1. mix\\n2. bake\\n  - cool");
    }

    #[test]
    fn runs_are_counted_in_utf16() {
        let runs = Runs {
            overrides: (*b"[0,0,1]").into(),
            table: (*b"{\"1\":{\"italic\":true}}").into(),
            ..Runs::default()
        };
        assert_eq!(marked("😀x", &Style::default(), &runs).0, "😀_x_");
    }
}
