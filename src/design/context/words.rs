//! How numbers, colours and foreign text are written, everywhere in a description.

use std::fmt::Write;

/// Writes a number with at most two decimals and without trailing zeros.
pub(super) fn number(out: &mut String, value: f32) {
    let hundredths = (f64::from(value) * 100.0).round();
    if hundredths.abs() >= 1e15 {
        let _ = write!(out, "{}", hundredths / 100.0);
        return;
    }
    // By whole numbers: floating ones take several times as long to write.
    #[expect(clippy::cast_possible_truncation, reason = "whole and small enough, see above")]
    let hundredths = hundredths as i64;
    if hundredths < 0 {
        out.push('-');
    }
    decimals(out, hundredths.unsigned_abs());
}

/// Writes a number of tenths with at most one decimal.
pub(super) fn tenths(out: &mut String, tenths: i64) {
    if tenths < 0 {
        out.push('-');
    }
    let tenths = tenths.unsigned_abs();
    digits(out, tenths / 10);
    if !tenths.is_multiple_of(10) {
        out.push('.');
        digits(out, tenths % 10);
    }
}

/// Writes a number as Rust does, whole ones faster.
pub(super) fn float(out: &mut String, value: f64) {
    if value.fract() == 0.0 && (value > 0.0 && value < 1e9) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and small enough"
        )]
        return digits(out, value as u64);
    }
    let hundredths = (value * 100.0).round();
    #[expect(clippy::float_cmp, reason = "whether it has two decimals at most")]
    if hundredths > 0.0 && hundredths < 1e9 && hundredths / 100.0 == value {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and small enough"
        )]
        return decimals(out, hundredths as u64);
    }
    let _ = write!(out, "{value}");
}

/// Writes a number of hundredths with at most two decimals.
fn decimals(out: &mut String, hundredths: u64) {
    digits(out, hundredths / 100);
    if !hundredths.is_multiple_of(100) {
        out.push('.');
        digits(out, hundredths / 10 % 10);
        if !hundredths.is_multiple_of(10) {
            digits(out, hundredths % 10);
        }
    }
}

/// Writes a whole number.
fn digits(out: &mut String, number: u64) {
    if number > 9 {
        digits(out, number / 10);
    }
    out.push(char::from(b'0' + u8::try_from(number % 10).unwrap_or(0)));
}

/// A number as text, as [`number`] writes it.
pub(super) fn of(value: f32) -> String {
    let mut out = String::new();
    number(&mut out, value);
    out
}

/// Writes a position or a size: at most one decimal.
pub(super) fn pixels(out: &mut String, value: f32) {
    let tenths = (value * 10.0).round();
    number(out, tenths / 10.0);
}

/// A position or a size as text, as [`pixels`] writes it.
pub(super) fn of_pixels(value: f32) -> String {
    let mut out = String::new();
    pixels(&mut out, value);
    out
}

/// Four sides as CSS writes them: one, two or four numbers.
pub(super) fn sides(out: &mut String, [top, right, bottom, left]: [&str; 4]) {
    let parts: &[&str] = if top == right && top == bottom && top == left {
        &[top]
    } else if top == bottom && right == left {
        &[top, right]
    } else {
        &[top, right, bottom, left]
    };
    out.push_str(&parts.join(","));
}

/// A colour of four parts between 0 and 1: `#FFF`, `#0B1A2C`, with its opacity behind it where it is
/// not opaque: `#FFF/35%`.
pub(super) fn colour(out: &mut String, red: f64, green: f64, blue: f64, alpha: f64) {
    let bytes = [byte(red), byte(green), byte(blue)];
    let is_short = bytes.iter().all(|byte| byte >> 4 == byte & 15);
    out.push('#');
    for byte in bytes {
        if !is_short {
            out.push(hex(byte >> 4));
        }
        out.push(hex(byte & 15));
    }
    let percent = (alpha * 1000.0).round() / 10.0;
    if percent < 100.0 {
        let _ = write!(out, "/{percent}%");
    }
}

/// A digit up to 15.
fn hex(digit: u8) -> char {
    char::from(if digit < 10 { b'0' + digit } else { b'A' - 10 + digit })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
fn byte(part: f64) -> u8 {
    (part.clamp(0.0, 1.0) * 255.0).round() as u8
}

/// Foreign text in quotation marks, its control characters escaped as JSON does it, line breaks of
/// any kind as `\n`.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    push_escaped(&mut out, text);
    out.push('"');
    out
}

/// The inside of [`quoted`].
pub(super) fn push_escaped(out: &mut String, text: &str) {
    if is_plain(text.as_bytes()) {
        return out.push_str(text);
    }
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' | '\u{2028}' | '\u{2029}' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
}

/// Whether this is ASCII without anything to escape.
#[inline]
pub(super) fn is_plain(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'))
}

/// A foreign name where only a short word may stand: bare when nothing in it can be mistaken,
/// otherwise in quotation marks.
pub(super) fn name(text: &str) -> String {
    let is_plain = !text.is_empty()
        && !text.starts_with(' ')
        && !text.ends_with(' ')
        && text.chars().all(|c| {
            c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '/' | '.' | '&' | '+' | '%' | '!' | '?')
        });
    if is_plain { text.to_owned() } else { quoted(text) }
}

/// `SPACE_BETWEEN` as `space-between`.
pub(super) fn lower(constant: &str) -> String {
    constant.to_ascii_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (24.0, "24"),
            (100.398_44, "100.4"),
            (-0.001, "0"),
            (0.125, "0.13"),
            (-3.5, "-3.5"),
            (1e7, "10000000"),
            (-0.05, "-0.05"),
            (2_f32.powi(54), "18014398509481984"),
            (f32::NAN, "0"),
        ] {
            assert_eq!(of(value), text);
        }
    }

    #[test]
    fn colours_are_short() {
        let colour = |red, green, blue, alpha| {
            let mut out = String::new();
            colour(&mut out, red, green, blue, alpha);
            out
        };
        assert_eq!(colour(1.0, 1.0, 1.0, 1.0), "#FFF");
        assert_eq!(colour(0.212_916_68, 0.161_25, 0.716_666_6, 1.0), "#3629B7");
        assert_eq!(colour(0.0, 0.0, 0.0, 0.35), "#000/35%");
        assert_eq!(colour(0.0, 0.0, 0.0, 0.125), "#000/12.5%");
    }

    #[test]
    fn foreign_text_stays_on_its_line() {
        assert_eq!(quoted("a\"b\\\n\u{2028}\u{8}"), r#""a\"b\\\n\n\u0008""#);
        assert_eq!(name("Icon / Cart"), "Icon / Cart");
        assert_eq!(name("x\ny"), r#""x\ny""#);
    }
}
