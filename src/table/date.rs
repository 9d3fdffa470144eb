//! Dates as Figma's reports take them.

use serde_json::Value;

use super::args::Args;

/// `start_date` and `end_date`, where given, are days that exist, and in order.
pub(super) fn check_period(args: &Args) -> Result<(), (&'static str, String)> {
    for name in ["start_date", "end_date"] {
        if let Some(text) = args.get(name).and_then(Value::as_str).filter(|text| !is_date(text)) {
            return Err((name, format!("must be a day such as 2026-01-31, not \"{text}\"")));
        }
    }
    match (args.get("start_date").and_then(Value::as_str), args.get("end_date").and_then(Value::as_str)) {
        // Days written this way sort as texts.
        (Some(start), Some(end)) if end < start => {
            Err(("end_date", format!("must not lie before start_date ({start})")))
        }
        _ => Ok(()),
    }
}

/// Whether it is a day that exists, written `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    let is_shaped = text.len() == 10
        && text.char_indices().all(|(at, c)| if matches!(at, 4 | 7) { c == '-' } else { c.is_ascii_digit() });
    let mut parts = text.split('-').map(str::parse::<u32>);
    let (Some(Ok(year)), Some(Ok(month)), Some(Ok(day))) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    is_shaped && (1..=days).contains(&day)
}

/// Whether it is a day, or a time of a day in UTC: `2026-01-31T08:00:00Z`, with or without a fraction.
pub(super) fn is_instant(text: &str) -> bool {
    let Some((day, time)) = text.split_once('T') else { return is_date(text) };
    let Some(time) = time.strip_suffix('Z') else { return false };
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<u32> = time
        .split(':')
        .filter(|part| part.len() == 2 && is_number(part))
        .filter_map(|part| part.parse().ok())
        .collect();
    let is_time = matches!(parts.as_slice(), [0..=23, 0..=59, 0..=60]) && time.len() == 8;
    is_date(day) && is_time && is_number(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_that_exist_are_dates() {
        for right in ["2026-01-31", "2024-02-29", "2000-02-29"] {
            assert!(is_date(right), "{right}");
        }
        for wrong in [
            "",
            "2026-1-31",
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "20260131",
            "2026/01/31",
            "2026-01-31T00:00:00Z",
            "+026-01-31",
        ] {
            assert!(!is_date(wrong), "{wrong}");
        }
    }

    #[test]
    fn instants_are_days_or_times_in_utc() {
        for right in ["2026-01-31", "2026-01-31T08:00:00Z", "2026-01-31T23:59:59.123Z"] {
            assert!(is_instant(right), "{right}");
        }
        for wrong in [
            "",
            "yesterday",
            "2026-01-31T",
            "2026-01-31T8:00:00Z",
            "2026-01-31T08:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T08:00:00",
            "2026-01-31T08:00:00+02:00",
        ] {
            assert!(!is_instant(wrong), "{wrong}");
        }
    }
}
