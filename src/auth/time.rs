//! Days and lives of tokens: what people type and read.

use std::time::Duration;

use super::{
    now,
    profiles::{Expiry, ExpirySource},
};
use crate::error::span;

const DAY: u64 = 86_400;
/// How many days before its end a token is warned of.
const WARN_DAYS: u64 = 14;

/// A moment as a day, `2026-11-22` (UTC).
pub fn day(seconds: u64) -> String {
    // Days since 0000-03-01 in eras of 400 years: the leap day is the last day of such a year.
    let days = seconds / DAY + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A moment to the second, `2026-11-22T09:30:00Z`.
pub fn moment(seconds: u64) -> String {
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", day(seconds))
}

/// A length of time as `90d`, `12w` or `1y`; `None` for anything else, and for none at all.
pub fn life(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let days = match unit {
        "d" => 1,
        "w" => 7,
        "y" => 365,
        _ => return None,
    };
    let number: u64 = number.parse().ok().filter(|number| (1..=3650).contains(number))?;
    Some(Duration::from_secs(number * days * DAY))
}

/// The sentence about a token that ends soon or has ended; it grows more urgent at 14, 7, 3 and 1 days.
pub fn warning(expiry: Option<Expiry>, profile: &str) -> Option<String> {
    // An OAuth token is replaced before its end, without anybody's doing.
    let Expiry { at, from } = expiry.filter(|expiry| expiry.from != ExpirySource::OAuth)?;
    let left = at.saturating_sub(now());
    let renew = format!("create a new one and run `figma-mcp auth login --profile {profile}`");
    let source = from.name();
    match left / DAY {
        _ if left == 0 => Some(format!("The Figma token ended on {} ({source}): {renew}.", day(at))),
        0..1 => Some(format!(
            "The Figma token ends within a day, in {} ({source}): {renew} now.",
            span(Duration::from_secs(left))
        )),
        days @ 1..3 => Some(format!("The Figma token ends in {} ({source}): {renew} today.", count(days))),
        days @ 3..7 => {
            Some(format!("The Figma token ends in {} ({source}): {renew} this week.", count(days)))
        }
        days if days < WARN_DAYS => {
            Some(format!("The Figma token ends in {} ({source}): {renew}.", count(days)))
        }
        _ => None,
    }
}

fn count(days: u64) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(951_782_400), "2000-02-29");
        assert_eq!(day(1_795_305_600), "2026-11-22");
        assert_eq!(day(1_798_761_599), "2026-12-31");
    }

    #[test]
    fn lives_are_written_shortly() {
        assert_eq!(life("90d"), Some(Duration::from_secs(90 * DAY)));
        assert_eq!(life("2w"), Some(Duration::from_secs(14 * DAY)));
        assert_eq!(life("1y"), Some(Duration::from_secs(365 * DAY)));
        for wrong in ["", "d", "0d", "90", "-1d", "9.5d", "1m", "99999y", "ü"] {
            assert_eq!(life(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_warning_grows_at_14_7_3_and_1_days() {
        let said = |half_days: u64| {
            let at = now() + half_days * DAY / 2;
            warning(Some(Expiry { at, from: ExpirySource::Declared }), "default")
        };
        assert_eq!(said(29), None);
        assert!(said(27).unwrap().contains("13 days"));
        assert!(said(13).unwrap().contains("this week"));
        assert!(said(5).unwrap().contains("today"));
        assert!(said(1).unwrap().contains("now"));
        assert_eq!(warning(Some(Expiry { at: now(), from: ExpirySource::OAuth }), "default"), None);
        let ended = Expiry { at: 1, from: ExpirySource::Assumed };
        assert!(warning(Some(ended), "default").unwrap().contains("ended on 1970-01-01"));
    }
}
