//! Reading single members of a node from their raw JSON, without building a value.

use serde_json::Value;

/// A number, good to about one part in a million: enough for pixels. Anything else is 0.
pub(super) fn number(raw: &[u8]) -> f32 {
    let mut bytes = raw.iter().copied().peekable();
    let is_negative = bytes.next_if_eq(&b'-').is_some();
    let (mut mantissa, mut digits, mut exponent, mut is_fraction) = (0_u64, 0, 0_i32, false);
    while let Some(byte) = bytes.next_if(|byte| byte.is_ascii_digit() || *byte == b'.') {
        if byte == b'.' {
            is_fraction = true;
        } else if digits < 18 {
            mantissa = mantissa * 10 + u64::from(byte - b'0');
            digits += i32::from(mantissa != 0);
            exponent -= i32::from(is_fraction);
        } else {
            exponent += i32::from(!is_fraction);
        }
    }
    if bytes.next_if(|byte| matches!(byte, b'e' | b'E')).is_some() {
        let rest: String = bytes.map(char::from).collect();
        exponent = exponent.saturating_add(rest.parse().unwrap_or(0));
    }
    let value = scaled(mantissa, exponent);
    if is_negative { -value } else { value }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "six significant digits are wanted"
)]
fn scaled(mantissa: u64, exponent: i32) -> f32 {
    const POWERS: [f64; 19] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
        1e18,
    ];
    let mantissa = mantissa as f64;
    let power = usize::try_from(exponent.unsigned_abs()).ok().and_then(|at| POWERS.get(at));
    let value = match (power, exponent < 0) {
        (Some(power), true) => mantissa / power,
        (Some(power), false) => mantissa * power,
        (None, _) => mantissa * 10_f64.powi(exponent),
    };
    if value.is_finite() { value as f32 } else { 0.0 }
}

/// `{"x":…,"y":…,"width":…,"height":…}` in any order; `None` for null and for anything else.
pub(super) fn rectangle(raw: &[u8]) -> Option<[f32; 4]> {
    let inner = raw.strip_prefix(b"{")?.strip_suffix(b"}")?;
    let mut sides = [None; 4];
    for member in inner.split(|byte| *byte == b',') {
        let colon = member.iter().position(|byte| *byte == b':')?;
        let (key, value) = member.split_at(colon);
        let at = match key.trim_ascii() {
            b"\"x\"" => 0,
            b"\"y\"" => 1,
            b"\"width\"" => 2,
            b"\"height\"" => 3,
            _ => continue,
        };
        if let Some(side) = sides.get_mut(at) {
            *side = Some(number(value.get(1..)?.trim_ascii()));
        }
    }
    let [Some(x), Some(y), Some(width), Some(height)] = sides else { return None };
    Some([x, y, width, height])
}

/// The inside of a JSON string that is plain ASCII or UTF-8 without escapes; for constants and ids.
pub(super) fn plain(raw: &[u8]) -> Option<&str> {
    let inner = raw.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if inner.contains(&b'\\') {
        return None;
    }
    std::str::from_utf8(inner).ok()
}

/// A JSON string, or nothing.
pub(super) fn string(raw: &[u8]) -> String {
    plain(raw).map_or_else(|| serde_json::from_slice(raw).unwrap_or_default(), str::to_owned)
}

/// Any JSON; null where it is none.
pub(super) fn value(raw: &[u8]) -> Value {
    serde_json::from_slice(raw).unwrap_or_default()
}

/// Whether a member says nothing: null, empty text, an empty list or object.
pub(super) fn is_empty(raw: &[u8]) -> bool {
    matches!(raw, b"null" | b"\"\"" | b"[]" | b"{}")
        || (raw.len() < 16
            && matches!(raw.first(), Some(b'[' | b'{'))
            && raw.iter().all(|byte| byte.is_ascii_whitespace() || matches!(byte, b'[' | b']' | b'{' | b'}')))
}

/// A member of a JSON object as text.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

/// A member of a JSON object as a number.
pub(super) fn float(value: &Value, name: &str) -> Option<f64> {
    value.get(name)?.as_f64()
}

/// A member of a JSON object as a list; empty where there is none.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_form() {
        for text in
            ["0", "24.0", "-7.25", "100.39843750", "0.21291668713092804", "5.3437816372905846e-24", "1E3"]
        {
            let expected: f32 = text.parse().unwrap();
            assert!((number(text.as_bytes()) - expected).abs() <= expected.abs() * 1e-6, "{text}");
        }
        for text in ["null", "", "-", "{}", "\"x\"", "1e999", "999999999999999999999999"] {
            assert!(number(text.as_bytes()).is_finite(), "{text}");
        }
    }

    #[test]
    fn rectangles_in_any_order() {
        assert_eq!(rectangle(br#"{"x":1,"y":-2.5,"width":3.0,"height":4}"#), Some([1.0, -2.5, 3.0, 4.0]));
        assert_eq!(rectangle(br#"{ "height": 4, "width": 3, "y": 2, "x": 1 }"#), Some([1.0, 2.0, 3.0, 4.0]));
        for text in ["null", "{}", "{\"x\":1}", "[1,2,3,4]", "{"] {
            assert_eq!(rectangle(text.as_bytes()), None, "{text}");
        }
    }
}
