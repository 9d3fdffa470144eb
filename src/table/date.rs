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
}
