//! The members of a text style that have words of their own.

use serde_json::Value;

use super::super::{raw, reader::Reader};

/// What a style says of letters, lines and their box.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Letters<'a> {
    pub(super) family: Option<&'a str>,
    pub(super) cut: Option<&'a str>,
    pub(super) weight: Option<f64>,
    pub(super) is_italic: bool,
    pub(super) size: Option<f64>,
    /// In pixels.
    pub(super) line_height: Option<f64>,
    /// Of the font's size.
    pub(super) line_height_percent: Option<f64>,
    pub(super) line_height_unit: Option<&'a str>,
    pub(super) spacing: Option<f64>,
    pub(super) case: Option<&'a str>,
    pub(super) decoration: Option<&'a str>,
    pub(super) horizontal: Option<&'a str>,
    pub(super) vertical: Option<&'a str>,
    pub(super) auto_resize: Option<&'a str>,
    pub(super) truncation: Option<&'a str>,
    pub(super) most_lines: Option<f64>,
}

/// Members of a style that say nothing beside the others.
pub(super) const SAID_ELSEWHERE: &[&str] = &[
    "fontPostScriptName",
    "fontStyle",
    "lineHeightPercent",
    "lineHeightPercentFontSize",
    "lineHeightPx",
    "lineHeightUnit",
    "textAutoResize",
    "textAlignHorizontal",
    "textAlignVertical",
    "fontFamily",
    "fontWeight",
    "fontSize",
    "italic",
    "letterSpacing",
    "textCase",
    "textDecoration",
    "boundVariables",
    "fills",
    "hyperlink",
    "maxLines",
    "textTruncation",
    "inheritFillStyleId",
    "inheritTextStyleId",
    "semanticWeight",
    "semanticItalic",
    "isOverrideOverTextStyle",
];

impl<'a> Letters<'a> {
    /// Of a style that was parsed.
    pub(super) fn of(style: &'a Value) -> Self {
        let (text, number) = (|name| raw::text(style, name), |name| raw::float(style, name));
        Self {
            family: text("fontFamily"),
            cut: text("fontStyle"),
            weight: number("fontWeight"),
            is_italic: style.get("italic") == Some(&Value::Bool(true)),
            size: number("fontSize"),
            line_height: number("lineHeightPx"),
            line_height_percent: number("lineHeightPercentFontSize"),
            line_height_unit: text("lineHeightUnit"),
            spacing: number("letterSpacing"),
            case: text("textCase"),
            decoration: text("textDecoration"),
            horizontal: text("textAlignHorizontal"),
            vertical: text("textAlignVertical"),
            auto_resize: text("textAutoResize"),
            truncation: text("textTruncation"),
            most_lines: number("maxLines"),
        }
    }

    /// Of a style as Figma usually writes it: `None` when something in it is bound or has no place here.
    pub(super) fn read(raw: &'a [u8]) -> Option<Self> {
        let mut letters = Self::default();
        Reader::whole(raw, |reader| reader.object(|reader, name| letters.take(reader, name)))?;
        Some(letters)
    }

    fn take(&mut self, reader: &mut Reader<'a>, name: &[u8]) -> Option<()> {
        match name {
            b"fontFamily" => reader.text_or_null(&mut self.family)?,
            b"fontStyle" => reader.text_or_null(&mut self.cut)?,
            b"fontWeight" => reader.number_or_null(&mut self.weight)?,
            b"italic" => self.is_italic = reader.boolean()?,
            b"fontSize" => reader.number_or_null(&mut self.size)?,
            b"lineHeightPx" => reader.number_or_null(&mut self.line_height)?,
            b"lineHeightPercentFontSize" => reader.number_or_null(&mut self.line_height_percent)?,
            b"lineHeightUnit" => reader.text_or_null(&mut self.line_height_unit)?,
            b"letterSpacing" => reader.number_or_null(&mut self.spacing)?,
            b"textCase" => reader.text_or_null(&mut self.case)?,
            b"textDecoration" => reader.text_or_null(&mut self.decoration)?,
            b"textAlignHorizontal" => reader.text_or_null(&mut self.horizontal)?,
            b"textAlignVertical" => reader.text_or_null(&mut self.vertical)?,
            b"textAutoResize" => reader.text_or_null(&mut self.auto_resize)?,
            b"textTruncation" => reader.text_or_null(&mut self.truncation)?,
            b"maxLines" => reader.number_or_null(&mut self.most_lines)?,
            b"boundVariables" | b"hyperlink" => return None,
            name if SAID_ELSEWHERE.iter().any(|known| known.as_bytes() == name) => reader.skip()?,
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_read_the_same() {
        for text in [
            r#"{"fontFamily":"Inter","fontPostScriptName":null,"fontStyle":"Medium","fontWeight":500,"textAutoResize":"HEIGHT","fontSize":16.5,"textAlignHorizontal":"LEFT","textAlignVertical":"TOP","letterSpacing":-0.25,"lineHeightPx":19.36363601684570,"lineHeightPercent":100.0,"lineHeightUnit":"INTRINSIC_%","italic":true,"maxLines":2,"textTruncation":"ENDING"}"#,
            r#"{"fontSize":12,"fontSize":13,"textCase":null,"textDecoration":"UNDERLINE","lineHeightPercentFontSize":150.0,"lineHeightUnit":"FONT_SIZE_%"}"#,
            "{}",
        ] {
            let value = raw::value(text.as_bytes());
            assert_eq!(Letters::read(text.as_bytes()), Some(Letters::of(&value)), "{text}");
        }
        for text in [
            r#"{"fontFamily":"A \"B\""}"#,
            r#"{"sparkle":1}"#,
            r#"{"fontSize":"12"}"#,
            r#"{"hyperlink":{"type":"URL"}}"#,
            r#"{"boundVariables":{}}"#,
            r#"{"fontSize":12"#,
            "null",
        ] {
            assert_eq!(Letters::read(text.as_bytes()), None, "{text}");
        }
    }
}
