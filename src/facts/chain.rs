//! Verifies a log whose lines are chained by hash, so that a line that was changed or taken out shows. Pure.
//!
//! Each line is a JSON object with `seq`, one more than the line before, and `prev`, the SHA-256 of the line before in
//! hexadecimal; the first has 0 and sixty-four zeros. Who can rewrite the whole file can make a new chain, so its end
//! has to be pinned: a file of the same name with `.head` holds the number and the hash of the last line.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// What a chain is worth.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Every line follows from the one before, and the last is the pinned one.
    Intact,
    /// It does not; the line, from 1, and what is wrong.
    Broken(usize, String),
    /// It holds as far as it goes, and that cannot be known to be all.
    Unpinned(String),
}

/// Checks the lines of a log against the pinned end.
pub(super) fn verify(log: &str, head: Option<&str>) -> Verdict {
    let zeros = "0".repeat(64);
    let (mut expected, mut last): (Option<(u64, String)>, Option<u64>) = (None, None);
    let mut starts_late = None;
    for (at, line) in log.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let broken = |why: String| Verdict::Broken(at + 1, why);
        let Ok(entry) = serde_json::from_str::<Value>(line) else { return broken("is no JSON".into()) };
        let number = entry.get("seq").and_then(Value::as_u64);
        let previous = entry.get("prev").and_then(Value::as_str);
        let (Some(number), Some(previous)) = (number, previous) else {
            return broken("has no `seq` and `prev`".into());
        };
        match &expected {
            Some((seq, _)) if *seq != number => {
                return broken(format!("has number {number}, not {seq}: lines are missing"));
            }
            Some((_, hash)) if hash != previous => return broken("does not follow from the line before".into()),
            None if number == 0 && previous != zeros => return broken("is the first and names one before it".into()),
            None if number != 0 => starts_late = Some(number),
            _ => {}
        }
        expected = Some((number.saturating_add(1), digest(line)));
        last = Some(number);
    }
    let (Some((_, hash)), Some(last)) = (expected, last) else { return Verdict::Unpinned("it has no entries".into()) };
    if let Some(number) = starts_late {
        return Verdict::Unpinned(format!("it begins at {number}, and what came before is elsewhere"));
    }
    let Some(head) = head else { return Verdict::Unpinned("no file with `.head` pins its end".into()) };
    let mut words = head.split_whitespace();
    match (words.next().and_then(|word| word.parse::<u64>().ok()), words.next()) {
        (Some(number), _) if number > last => Verdict::Broken(
            log.lines().count(),
            format!("is number {last}, and {number} was written: the end is cut off"),
        ),
        (Some(number), Some(pinned)) if number == last && pinned == hash => Verdict::Intact,
        (Some(number), Some(_)) if number == last => {
            Verdict::Broken(log.lines().count(), "is not the line that was pinned".into())
        }
        (Some(_), Some(_)) => Verdict::Unpinned("lines were added since its end was pinned".into()),
        _ => Verdict::Unpinned("the file that pins its end is of another form".into()),
    }
}

fn digest(line: &str) -> String {
    crate::model::hex(Sha256::digest(line.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(count: u64) -> (String, String) {
        let (mut text, mut prev) = (String::new(), "0".repeat(64));
        for seq in 0..count {
            let line = format!("{{\"seq\":{seq},\"prev\":\"{prev}\",\"event\":\"grant\"}}");
            prev = digest(&line);
            text.push_str(&line);
            text.push('\n');
        }
        (text, format!("{} {prev}\n", count.saturating_sub(1)))
    }

    #[test]
    fn a_changed_missing_or_cut_line_shows() {
        let (text, head) = log(4);
        assert_eq!(verify(&text, Some(&head)), Verdict::Intact);
        assert!(matches!(verify(&text, None), Verdict::Unpinned(_)));
        assert!(matches!(verify(&text.replacen("grant", "other", 1), Some(&head)), Verdict::Broken(2, _)));
        let without: String =
            text.lines().enumerate().filter(|(n, _)| *n != 1).map(|(_, l)| format!("{l}\n")).collect();
        assert!(matches!(verify(&without, Some(&head)), Verdict::Broken(2, _)));
        assert!(matches!(verify(&log(3).0, Some(&head)), Verdict::Broken(3, _)));
        assert!(matches!(verify("{", None), Verdict::Broken(1, _)));
        assert!(matches!(verify("", None), Verdict::Unpinned(_)));
    }
}
