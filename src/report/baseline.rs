//! What an earlier report knew already.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::REPORT_VERSION;
use crate::model::Status;

/// The part of a saved report that a baseline needs.
#[derive(Deserialize)]
struct Baseline {
    version: u32,
    findings: Vec<Known>,
}

#[derive(Deserialize)]
struct Known {
    status: Status,
    fingerprint: String,
}

/// The fingerprints of the defects that an earlier JSON report has. What was waived then is not among them: a waiver
/// ends, and a baseline must not make it last. Err says what is wrong with the file.
pub fn known(text: &str) -> Result<BTreeSet<String>, String> {
    let baseline: Baseline = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if baseline.version != REPORT_VERSION {
        return Err(format!("it is of version {}, and this program reads version {REPORT_VERSION}", baseline.version));
    }
    let defects = baseline.findings.into_iter().filter(|known| matches!(known.status, Status::Fail | Status::Known));
    Ok(defects.map(|known| known.fingerprint).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defects_are_known_and_waived_ones_are_not() {
        let finding = |status: &str| format!(r#"{{"status": "{status}", "fingerprint": "{status}"}}"#);
        let all = ["fail", "known", "waived", "unknown", "pass"].map(finding).join(",");
        let text = format!(r#"{{"version": 1, "findings": [{all}], "more": {{}}}}"#);
        assert_eq!(known(&text), Ok(BTreeSet::from(["fail".to_owned(), "known".to_owned()])));
    }

    #[test]
    fn other_files_are_refused_with_a_reason() {
        for (text, why) in [
            (r#"{"version": 2, "findings": []}"#, "version 2"),
            (r#"{"runs": []}"#, "missing field `version`"),
            ("not json", "expected"),
            ("", "EOF"),
        ] {
            let error = known(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
