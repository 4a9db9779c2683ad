//! What a commit says of itself: read only when somebody asks, for few commits hold a finding.

use super::Id;

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its name.
    pub id: Id,
    /// Who wrote it.
    pub author: String,
    /// Their e-mail address.
    pub email: String,
    /// When it was written, in UTC: RFC 3339.
    pub date: String,
    /// The whole message, without the line end behind it.
    pub message: String,
}

/// Who did something, and when: `Name <address> seconds zone`.
#[derive(Default)]
pub(super) struct Stamp {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) seconds: i64,
}

impl Stamp {
    /// Only the time is read by position from the end: names may hold anything.
    pub(super) fn of(line: &[u8]) -> Stamp {
        let close = line.iter().rposition(|byte| *byte == b'>').unwrap_or(line.len());
        let open = line[..close].iter().position(|byte| *byte == b'<').unwrap_or(close);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes.trim_ascii()).into_owned();
        let when = std::str::from_utf8(line.get(close + 1..).unwrap_or_default()).unwrap_or_default();
        Stamp {
            name: text(&line[..open]),
            email: text(line.get(open + 1..close).unwrap_or_default()),
            seconds: when.split_ascii_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0),
        }
    }
}

impl Commit {
    /// Reads a commit object.
    pub(super) fn parse(id: Id, bytes: &[u8]) -> Commit {
        let end = bytes.windows(2).position(|two| two == b"\n\n").unwrap_or(bytes.len());
        let message = bytes.get(end + 2..).unwrap_or_default();
        let author = bytes[..end].split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"author "));
        let stamp = author.map(Stamp::of).unwrap_or_default();
        Commit {
            id,
            author: stamp.name,
            email: stamp.email,
            date: rfc3339(stamp.seconds),
            message: String::from_utf8_lossy(message.trim_ascii_end()).into_owned(),
        }
    }
}

/// A time in UTC. What lies outside of four-digit years is cut off to their ends.
fn rfc3339(seconds: i64) -> String {
    let seconds = seconds.clamp(-62_167_219_200, 253_402_300_799);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Years are counted from March on, in eras of 400 years, so that the leap day is the last of its year.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    let year = year + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_799, "2000-02-29T23:59:59Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (i64::MAX, "9999-12-31T23:59:59Z"),
            (i64::MIN, "0000-01-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(seconds), text);
        }
    }

    #[test]
    fn a_commit_is_read_whatever_it_holds() {
        let id = Id::from_bytes(&[1; 20]).expect("twenty bytes");
        let commit =
            Commit::parse(id, b"tree x\nauthor A <b> C <a@b> 86400 +0200\ncommitter X <y> 1 +0\n\nOne\n\nTwo\n");
        assert_eq!((&*commit.author, &*commit.date, &*commit.message), ("A", "1970-01-02T00:00:00Z", "One\n\nTwo"));
        for odd in [&b""[..], b"author", b"author >", b"author <", b"author > <", b"\n\n"] {
            Commit::parse(id, odd);
        }
    }
}
