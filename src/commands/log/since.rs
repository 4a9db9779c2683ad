//! From when on: `10m`, `2h`, `7d`, a date, or a time.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The time that a text names, seen from now.
pub(super) fn parse(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    if let Ok(date) = text.parse::<Date>() {
        return date.to_zoned(TimeZone::UTC).map(|day| day.timestamp()).map_err(|error| error.to_string());
    }
    let wrong = || format!("`{text}` is no time");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    let back = SignedDuration::from_secs(i64::from(number) * seconds);
    now.checked_sub(back).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_distances_are_understood() {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().expect("a time");
        for (text, expected) in [
            ("90s", Some("2026-01-02T03:02:35Z")),
            ("1d", Some("2026-01-01T03:04:05Z")),
            ("2025-12-31", Some("2025-12-31T00:00:00Z")),
            ("2026-01-01T00:00:00Z", Some("2026-01-01T00:00:00Z")),
            ("", None),
            ("m", None),
            ("5y", None),
            ("4000000000d", None),
            ("5ä", None),
        ] {
            assert_eq!(parse(text, now).ok().map(|time| time.to_string()).as_deref(), expected, "{text}");
        }
    }
}
