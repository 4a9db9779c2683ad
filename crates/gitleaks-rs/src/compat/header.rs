//! The head of a commit as `git log` prints it. The words of strangers: whatever is odd makes the whole head unknown,
//! as it does in Gitleaks, which then reports the findings below it without a commit.

use super::detect::Commit;
use super::finding::text_of;

/// Go's scanner gives up on lines from here on.
const LONGEST: usize = 64 << 10;

/// A commit without a head, as in the output of `git diff`.
pub(super) fn nameless() -> Commit {
    Commit { date: rfc3339(None), ..Commit::default() }
}

/// The commit that a text before its first file tells of.
pub(super) fn commit(preamble: &[u8]) -> Option<Commit> {
    let text = text_of(preamble);
    let mut lines = text.split_inclusive('\n').map(|line| line.strip_suffix('\n').unwrap_or(line));
    let first = lines.find(|line| !line.trim().is_empty())?.trim();
    let id = first.strip_prefix("commit ")?;
    let mut lines =
        lines.map(|line| if line.len() < LONGEST { Some(line.strip_suffix('\r').unwrap_or(line)) } else { None });
    let mut commit = Commit { id: id.split_once(' ').map_or(id, |(id, _)| id).to_owned(), ..nameless() };
    let mut date = None;
    // Fields up to an empty line.
    for line in lines.by_ref() {
        let line = line?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(identity) = line.strip_prefix("Author:") {
            (commit.author, commit.email) = person(identity)?;
        } else if let Some(identity) = line.strip_prefix("Commit:") {
            person(identity)?;
        } else if let Some(text) = line.strip_prefix("Date:").or_else(|| line.strip_prefix("AuthorDate:")) {
            date = moment(text.trim())?;
        } else if let Some(text) = line.strip_prefix("CommitDate:") {
            moment(text.trim())?;
        }
    }
    commit.date = rfc3339(date);
    commit.message = message(lines)?;
    Some(commit)
}

/// The title in one line, and behind an empty line the rest without its indentation.
fn message<'t>(mut lines: impl Iterator<Item = Option<&'t str>>) -> Option<String> {
    let (mut message, mut indent) = (String::new(), "");
    for line in lines.by_ref() {
        let line = line?;
        let trimmed = line.trim();
        if trimmed.is_empty() {
            break;
        }
        if message.is_empty() {
            indent = &line[..line.len() - line.trim_start().len()];
        } else {
            message.push(' ');
        }
        message += trimmed;
    }
    if message.is_empty() {
        return Some(message);
    }
    let (mut gap, mut body) = (false, false);
    for line in lines {
        let line = line?.trim_end();
        let line = line.strip_prefix(indent).unwrap_or(line);
        if line.is_empty() {
            gap = true;
            continue;
        }
        message += if !body || gap { "\n\n" } else { "\n" };
        (gap, body) = (false, true);
        message += line;
    }
    Some(message)
}

/// Name and address; none if the address has no end.
fn person(text: &str) -> Option<(String, String)> {
    let Some((name, rest)) = text.split_once('<') else { return Some(Default::default()) };
    let (email, _) = rest.split_once('>')?;
    Some((name.trim().to_owned(), email.trim().to_owned()))
}

/// A moment in seconds; the outer none for what is no date, the inner one for nothing at all. Times without a zone are
/// those of the machine in Gitleaks, and UTC here.
pub(super) fn moment(text: &str) -> Option<Option<i64>> {
    if text.is_empty() {
        return Some(None);
    }
    let words: Vec<&str> = text.split(' ').collect();
    let seconds = match words.as_slice() {
        // git's own, and the same without a zone.
        [day, month, date, time, year, zone @ ..] if is_day(day) && zone.len() <= 1 => {
            instant(year, month, date, time, zone.first().copied())
        }
        [day, date, month, year, time, zone] if day.strip_suffix(',').is_some_and(is_day) => {
            instant(year, month, date, time, Some(zone))
        }
        [date, time, zone] => numeric(date, time, Some(zone)),
        [one] => match one.split_once('T') {
            Some((date, time)) => {
                let (time, zone) = time.split_at_checked(8)?;
                let (hours, minutes) = zone.split_once(':')?;
                numeric(date, time, Some(&format!("{hours}{minutes}")))
            }
            None => numeric(one, "00:00:00", None).or_else(|| one.parse().ok()),
        },
        [seconds, zone] => self::zone(zone).and_then(|_| seconds.parse().ok()),
        _ => None,
    };
    seconds.map(Some)
}

fn is_day(word: &str) -> bool {
    ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].iter().any(|day| day.eq_ignore_ascii_case(word))
}

fn instant(year: &str, month: &str, date: &str, time: &str, zone: Option<&str>) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))? as i64 + 1;
    if date.is_empty() || date.len() > 2 {
        return None;
    }
    seconds(digits(year, 4)?, month, digits(date, date.len())?, time, zone)
}

fn numeric(date: &str, time: &str, zone: Option<&str>) -> Option<i64> {
    let mut parts = date.split('-');
    let (year, month, day) = (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    if parts.next().is_some() { None } else { seconds(year, month, day, time, zone) }
}

fn seconds(year: i64, month: i64, day: i64, time: &str, zone: Option<&str>) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let mut parts = time.split(':');
    let (hour, minute, second) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    if !(1..=longest).contains(&day) || hour > 23 || minute > 59 || second > 59 || parts.next().is_some() {
        return None;
    }
    let offset = zone.map_or(Some(0), self::zone)?;
    Some(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset)
}

/// Exactly so many digits.
fn digits(text: &str, length: usize) -> Option<i64> {
    (text.len() == length && text.bytes().all(|digit| digit.is_ascii_digit())).then(|| text.parse().ok())?
}

/// `+0530` in seconds.
fn zone(text: &str) -> Option<i64> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_at_checked(2)?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    (hours <= 24 && minutes <= 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Days since 1970, by the calendar of today at all times. Years start in March here, so that a leap day is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (month * 153 + 2) / 5 + day
        - 719_469
}

/// A moment as Go writes it; none is the first second of year 1.
fn rfc3339(seconds: Option<i64>) -> String {
    let seconds = seconds.unwrap_or_else(|| days(1, 1, 1) * 86_400);
    let (day, time) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let from_march = day + 719_468;
    let era = from_march.div_euclid(146_097);
    let of_era = from_march.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_all_forms_are_written_in_utc() {
        for (text, expected) in [
            ("Sat Nov 21 23:58:24 2026 +0000", "2026-11-21T23:58:24Z"),
            ("Thu Feb 29 01:30:00 2024 +0530", "2024-02-28T20:00:00Z"),
            ("Thu Jan 1 00:00:00 1970 -1200", "1970-01-01T12:00:00Z"),
            ("2024-03-01 00:00:00 -0100", "2024-03-01T01:00:00Z"),
            ("2024-03-01T00:00:00+01:00", "2024-02-29T23:00:00Z"),
            ("Fri, 1 Mar 2024 00:00:00 +0000", "2024-03-01T00:00:00Z"),
            ("1700000000", "2023-11-14T22:13:20Z"),
            ("1700000000 +0200", "2023-11-14T22:13:20Z"),
            ("Sat Dec 31 23:59:59 1899 +0000", "1899-12-31T23:59:59Z"),
            ("", "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(moment(text).map(rfc3339).as_deref(), Some(expected), "{text}");
        }
        for text in ["yesterday", "Sat Nov 31 00:00:00 2026 +0000", "Sat Nov 21 23:58:24 2026 +051800", "2024-03-01 x"]
        {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn a_head_is_read_or_unknown_as_a_whole() {
        let text = "commit abc123 (HEAD)\nMerge: 1 2\nAuthor: A B <a@b>\nDate:   Sat Nov 21 23:58:24 2026 +0000\n\n    one\n    \
                    two\n\n\n      three\r\n    four\n\n\n    five\n\n";
        let commit = commit(text.as_bytes()).expect("it is one");
        assert_eq!((commit.id.as_str(), commit.author.as_str(), commit.email.as_str()), ("abc123", "A B", "a@b"));
        assert_eq!(commit.message, "one two\n\n  three\nfour\n\nfive");
        assert_eq!(super::commit(b"commit a\nAuthor: x <y\n\n    t\n"), None);
        assert_eq!(super::commit(b"Author: x\ncommit a\n"), None);
        assert_eq!(super::commit(format!("commit a\n\n    {}\n", "x".repeat(LONGEST)).as_bytes()), None);
    }
}
