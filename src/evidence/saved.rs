//! A saved report, which may come from anywhere.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use crate::model::hex;
use crate::report::{REPORT_VERSION, Report};

/// A report that an audit wrote as JSON.
#[derive(Clone, Debug)]
pub struct Saved {
    /// The file, as it was named.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// What it says, free of control characters.
    pub report: Report,
}

/// Reads the bytes of a saved report. Err says what is wrong, with the line where there is one, and quotes nothing of
/// the file: who names the wrong one must not find it in a log.
pub fn saved(name: &str, bytes: &[u8]) -> Result<Saved, String> {
    #[derive(serde::Deserialize)]
    struct Form {
        version: u32,
    }
    let said = |error: serde_json::Error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        match error.classify() {
            serde_json::error::Category::Data => format!("{place}: {}", unquoted(&error.to_string())),
            serde_json::error::Category::Eof => format!("{place}: it ends too early"),
            _ => format!("{place}: it is no JSON"),
        }
    };
    let form: Form = serde_json::from_slice(bytes).map_err(said)?;
    if form.version != REPORT_VERSION {
        return Err(format!("it is of version {}, and this program reads version {REPORT_VERSION}", form.version));
    }
    let report: Report = serde_json::from_slice(bytes).map_err(said)?;
    let report = report.printable();
    // Every format writes it, and some take one form alone.
    let time = report
        .time
        .parse::<Timestamp>()
        .ok()
        .filter(|time| (2000..3000).contains(&time.to_zoned(TimeZone::UTC).year()));
    let time = time.ok_or("`time` is no point in time, as `2030-01-31T12:00:00Z` is")?;
    let report = Report { time: time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), ..report };
    Ok(Saved { name: crate::model::plain(name).into_owned(), sha256: hex(Sha256::digest(bytes)), report })
}

/// What the parser says, without values and places: `missing field`, `invalid type`, and the names of ours.
fn unquoted(message: &str) -> String {
    let message = message.split(" at line ").next().unwrap_or_default();
    match (message.split_once(": "), message.rsplit_once(", expected ")) {
        (Some((kind, _)), Some((_, expected))) if kind.starts_with("invalid") => format!("{kind}, expected {expected}"),
        _ if message.starts_with("missing field") => message.to_owned(),
        (_, Some((_, expected))) => format!("expected {expected}"),
        _ => "it has another form".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_without_what_stands_there() {
        let cases = [
            ("", "line 1, column 0: it ends too early"),
            ("{", "line 1, column 1: it ends too early"),
            ("\n\nnot json", "line 3, column 2: it is no JSON"),
            ("{\"version\": 2}", "it is of version 2, and this program reads version 1"),
            ("{\"runs\": []}", "line 1, column 12: missing field `version`"),
            ("{\"version\": \"hunter2\"}", "line 1, column 21: invalid type, expected u32"),
            ("{\"version\": 1, \"scope\": \"hunter2\"}", "line 1, column 33: expected one of `repo`, `user`, `host`"),
        ];
        let told = |text: &str| saved("r.json", text.as_bytes()).expect_err(text);
        let found: Vec<(&str, String)> = cases.iter().map(|(text, _)| (*text, told(text))).collect();
        let expected: Vec<(&str, String)> = cases.iter().map(|(text, said)| (*text, (*said).to_owned())).collect();
        assert_eq!(found, expected);
        assert!(!told("[1, \"hunter2\"]").contains("hunter2"));
        let deep = format!("{{\"version\": 1, \"os\": {}", "[".repeat(100_000));
        assert!(saved("r.json", deep.as_bytes()).is_err());
        assert!(saved("r.json", b"\xff\xfe").is_err());
    }
}
