//! Reading single members of a node from their raw JSON, without building a value.

use serde_json::Value;

/// A number, good to about one part in a million: enough for pixels. Anything else is 0.
pub(super) fn number(raw: &[u8]) -> f32 {
    match number_prefix(raw) {
        (value, [b'e' | b'E', exponent @ ..]) => {
            let exponent = std::str::from_utf8(exponent).ok().and_then(|exponent| exponent.parse().ok());
            value.times_ten_to(exponent.unwrap_or(0)).scaled()
        }
        (value, _) => value.scaled(),
    }
}

/// The digits of a number.
#[derive(Debug, Default)]
struct Decimal {
    is_negative: bool,
    mantissa: u64,
    exponent: i32,
}

/// The number that stands here, without an exponent, and what stands behind it.
#[inline]
fn number_prefix(raw: &[u8]) -> (Decimal, &[u8]) {
    let (is_negative, mut rest) = match raw {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (mut mantissa, mut digits, mut exponent) = (0_u64, 0, 0_i32);
    let mut is_fraction = false;
    loop {
        // Digits that count come eight at a time.
        while mantissa != 0
            && digits <= 10
            && let Some((eight, behind)) = rest.split_first_chunk::<8>()
            && let Some(number) = eight_digits(*eight)
        {
            (mantissa, digits, rest) = (mantissa * 100_000_000 + number, digits + 8, behind);
            exponent -= if is_fraction { 8 } else { 0 };
        }
        let [byte, behind @ ..] = rest else { break };
        match byte {
            b'0'..=b'9' if digits < 18 => {
                mantissa = mantissa * 10 + u64::from(byte - b'0');
                digits += i32::from(mantissa != 0);
                exponent -= i32::from(is_fraction);
            }
            b'0'..=b'9' => exponent += i32::from(!is_fraction),
            b'.' => is_fraction = true,
            _ => break,
        }
        rest = behind;
    }
    (Decimal { is_negative, mantissa, exponent }, rest)
}

/// The number of eight digits, all at once.
#[inline]
fn eight_digits(bytes: [u8; 8]) -> Option<u64> {
    let word = u64::from_le_bytes(bytes) ^ 0x3030_3030_3030_3030;
    if (word | word.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    // Pairs, then fours, then all of them.
    let word = (word * 10 + (word >> 8)) & 0x00ff_00ff_00ff_00ff;
    let word = (word * 100 + (word >> 16)) & 0x0000_ffff_0000_ffff;
    Some((word * 10_000 + (word >> 32)) & 0xffff_ffff)
}

impl Decimal {
    const fn times_ten_to(mut self, exponent: i32) -> Self {
        self.exponent = self.exponent.saturating_add(exponent);
        self
    }

    #[inline]
    fn scaled(&self) -> f32 {
        let value = scaled(self.mantissa, self.exponent);
        if self.is_negative { -value } else { value }
    }
}

/// The number that stands here, exactly as `serde_json` reads it, and how many bytes it takes. `None` when
/// none does, or when it has an exponent or very many digits.
#[expect(clippy::cast_precision_loss, reason = "so does serde_json")]
pub(super) fn float_prefix(raw: &[u8]) -> Option<(f64, usize)> {
    let start = usize::from(raw.first() == Some(&b'-'));
    let (mut mantissa, mut at) = (0_u64, start);
    let mut point = None;
    loop {
        while let Some(number) =
            raw.get(at..).and_then(<[u8]>::first_chunk).and_then(|eight| eight_digits(*eight))
        {
            mantissa = mantissa.wrapping_mul(100_000_000).wrapping_add(number);
            at += 8;
        }
        match raw.get(at) {
            Some(byte @ b'0'..=b'9') => {
                mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
            }
            Some(b'.') if point.is_none() => point = Some(at),
            Some(b'.' | b'e' | b'E') => return None,
            _ => break,
        }
        at += 1;
    }
    let whole = point.unwrap_or(at) - start;
    let fraction = point.map_or(0, |point| at - point - 1);
    let is_number =
        whole > 0 && (point.is_none() || fraction > 0) && (whole == 1 || raw.get(start) != Some(&b'0'));
    if !is_number || whole + fraction > 19 {
        return None;
    }
    let value = mantissa as f64 / POWERS.get(fraction)?;
    Some((if start == 1 { -value } else { value }, at))
}

const POWERS: [f64; 19] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];

#[inline]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "six significant digits are wanted"
)]
fn scaled(mantissa: u64, exponent: i32) -> f32 {
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
    usual_rectangle(raw).or_else(|| any_rectangle(raw))
}

/// One in the order and the form in which Figma writes it.
fn usual_rectangle(raw: &[u8]) -> Option<[f32; 4]> {
    let mut sides = [0.0; 4];
    let mut rest = raw;
    for (side, name) in sides.iter_mut().zip([&b"{\"x\":"[..], b",\"y\":", b",\"width\":", b",\"height\":"]) {
        let (number, behind) = number_prefix(rest.strip_prefix(name)?);
        (*side, rest) = (number.scaled(), behind);
    }
    (rest == b"}").then_some(sides)
}

fn any_rectangle(raw: &[u8]) -> Option<[f32; 4]> {
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

    proptest::proptest! {
        /// A colour must not be rounded otherwise than where `serde_json` read it.
        #[test]
        fn numbers_are_those_of_serde_json(text in "-?(0|[1-9][0-9]{0,20})([.][0-9]{0,20})?([eE][+-]?[0-9]{1,2})?") {
            let expected = serde_json::from_str::<Value>(&text).ok().and_then(|value| value.as_f64());
            if let Some((value, length)) = float_prefix(text.as_bytes()) {
                proptest::prop_assert_eq!(length, text.len());
                proptest::prop_assert_eq!(Some(value.to_bits()), expected.map(f64::to_bits));
            }
            let near: f64 = text.parse().unwrap_or(0.0);
            let number = f64::from(number(text.as_bytes()));
            proptest::prop_assert!((number - near).abs() <= near.abs() * 1e-6 || near.abs() > 1e38 || near.abs() < 1e-37);
        }
    }

    #[test]
    fn rectangles_in_any_order() {
        assert_eq!(rectangle(br#"{"x":1,"y":-2.5,"width":3.0,"height":4}"#), Some([1.0, -2.5, 3.0, 4.0]));
        assert_eq!(rectangle(br#"{ "height": 4, "width": 3, "y": 2, "x": 1 }"#), Some([1.0, 2.0, 3.0, 4.0]));
        let usual = br#"{"x":-8123.4560546875,"y":0.0,"width":390.0,"height":12345678.5}"#;
        assert_eq!(rectangle(usual), Some([-8123.456, 0.0, 390.0, 12_345_678.5]));
        assert_eq!(rectangle(usual), any_rectangle(usual));
        for text in ["null", "{}", "{\"x\":1}", "[1,2,3,4]", "{"] {
            assert_eq!(rectangle(text.as_bytes()), None, "{text}");
        }
    }
}
