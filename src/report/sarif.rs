//! SARIF 2.1.0 as GitHub's code scanning takes it in, which is narrower than the standard: one location with all
//! four region fields, a path below the repository's top, texts of limited length, severity as a number in a string.
//!
//! A finding about the host has no file in the repository. It is pinned to the report's `anchor`, a file that stays
//! the same from run to run, so that the alert does too; where it really is stands in the message.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::markdown::words;
use super::{Report, ReportCheck, Unread};
use crate::model::{Confidence, Finding, Location, Severity, Status};

/// The schema that readers expect in `$schema`.
pub(super) const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// The most results that GitHub takes of one run.
pub(super) const MOST_RESULTS: usize = 25_000;
/// The most tags of a rule that GitHub keeps.
const MOST_TAGS: usize = 10;
/// The most characters of a rule's descriptions.
const MOST_WORDS: usize = 1024;
/// What needs no escape in a path of a URI.
pub(super) const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// One run as indented JSON. Failures, waived and known findings are results; what could not be told is a
/// notification; what passes is left out, because GitHub would show it as an alert.
pub fn sarif(report: &Report) -> String {
    log(vec![run(report)])
}

/// Runs as indented JSON.
pub(crate) fn log(runs: Vec<Value>) -> String {
    let log = json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": runs });
    let mut text = serde_json::to_string_pretty(&log).expect("plain data");
    text.push('\n');
    text
}

/// The run of one audit.
pub(crate) fn run(report: &Report) -> Value {
    let report = &report.printable();
    let reported: Vec<&Finding> = report
        .findings
        .iter()
        .filter(|finding| matches!(finding.status, Status::Fail | Status::Waived | Status::Known))
        .collect();
    let compared = report.count(Status::Known) > 0;
    let results: Vec<Value> =
        reported.iter().take(MOST_RESULTS).map(|finding| result(report, finding, compared)).collect();
    json!({
        "tool": { "driver": {
            "name": "harden",
            "semanticVersion": report.harden,
            "rules": report.checks.iter().map(rule).collect::<Vec<_>>(),
        } },
        "automationDetails": { "id": format!("harden/{}/{}/", report.profile, report.scope.name()) },
        "columnKind": "unicodeCodePoints",
        "invocations": [{
            "executionSuccessful": true,
            "endTimeUtc": report.time,
            "toolExecutionNotifications": notifications(report, reported.len()),
        }],
        "results": results,
    })
}

fn rule(check: &ReportCheck) -> Value {
    let help = format!("{}\n\nWhat to do: {}", check.why, check.remediation);
    let markdown = format!("{}\n\n**What to do:** {}", words(&check.why), words(&check.remediation));
    let areas = ["security".to_owned(), check.area.clone()];
    let controls = check.controls.iter().flat_map(|(framework, ids)| ids.iter().map(move |id| (framework, id)));
    let tags: Vec<String> = areas
        .into_iter()
        .filter(|tag| !tag.is_empty())
        .chain(controls.map(|(framework, id)| format!("{framework}/{id}")))
        .take(MOST_TAGS)
        .collect();
    json!({
        "id": check.check,
        "name": check.code,
        "shortDescription": { "text": short(&check.title, &check.check) },
        "fullDescription": { "text": short(&check.why, &check.title) },
        "help": { "text": help, "markdown": markdown },
        "defaultConfiguration": { "level": level(check.severity) },
        "properties": {
            "security-severity": security_severity(check.severity),
            "precision": precision(check.confidence),
            "problem.severity": problem_severity(check.severity),
            "tags": tags,
        },
    })
}

fn result(report: &Report, finding: &Finding, compared: bool) -> Value {
    let elsewhere = finding.location().filter(|at| !at.in_project());
    let place = elsewhere.map(|at| format!(" ({at})")).unwrap_or_default();
    let subject = finding.subject.as_ref().map(|subject| format!("{subject}: ")).unwrap_or_default();
    let agent = finding.agent.as_ref().map(|agent| format!(" [{agent}]")).unwrap_or_default();
    let text = format!("{subject}{}{place}{agent}. Next: {}", finding.message, finding.remediation);
    let mut result = json!({
        "ruleId": finding.check,
        "level": level(finding.severity),
        "message": { "text": literal(&text) },
        "locations": [location(report, finding.location().filter(|at| at.in_project()))],
        // The part behind the colon counts equal hashes; ours are unique.
        "partialFingerprints": { "primaryLocationLineHash": format!("{}:1", finding.fingerprint) },
    });
    if let Some(index) = report.checks.iter().position(|check| check.check == finding.check) {
        result["ruleIndex"] = index.into();
    }
    if compared {
        result["baselineState"] = if finding.status == Status::Known { "unchanged" } else { "new" }.into();
    }
    if let Some(waiver) = &finding.waiver {
        let why = format!("{} (until {}, {})", waiver.reason, waiver.expires, waiver.owner);
        result["suppressions"] = json!([{ "kind": "external", "status": "accepted", "justification": why }]);
    }
    result
}

fn location(report: &Report, at: Option<&Location>) -> Value {
    let pinned = Location::file(report.anchor.as_str());
    let at = at.unwrap_or(&pinned);
    let line = at.line.max(1);
    let column = at.column.max(1);
    let end_line = at.end_line.max(line);
    // An empty region is dropped.
    let end_column = if end_line == line { at.end_column.max(column + 1) } else { at.end_column.max(1) };
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(&at.file), "uriBaseId": "%SRCROOT%" },
        "region": { "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column },
    } })
}

/// A path below the repository's top, as a relative reference.
pub(super) fn uri(path: &str) -> String {
    let path = path.trim_start_matches("./").trim_start_matches('/');
    if path.is_empty() { "README.md".into() } else { utf8_percent_encode(path, PATH).to_string() }
}

fn notifications(report: &Report, reported: usize) -> Vec<Value> {
    let note = |level: &str, text: String| json!({ "level": level, "message": { "text": literal(&text) } });
    let mut notes = Vec::new();
    if reported > MOST_RESULTS {
        let text =
            format!("{} findings, the least severe, are left out: a run holds {MOST_RESULTS}", reported - MOST_RESULTS);
        notes.push(note("warning", text));
    }
    for text in report.unseen().iter().flat_map(Unread::sentences) {
        notes.push(note("warning", text));
    }
    for problem in &report.problems {
        let subject = problem.subject.as_ref().map(|subject| format!(" {subject}")).unwrap_or_default();
        notes.push(note("note", format!("{}{subject}: {}", problem.check, problem.problem)));
    }
    notes
}

/// Brackets make links in SARIF's plain texts.
pub(super) fn literal(text: &str) -> String {
    text.replace('[', "\\[").replace(']', "\\]")
}

/// Not longer than GitHub takes, and never empty, which it refuses.
pub(super) fn short(text: &str, otherwise: &str) -> String {
    let text = if text.trim().is_empty() { otherwise } else { text };
    if text.chars().count() <= MOST_WORDS {
        return text.to_owned();
    }
    text.chars().take(MOST_WORDS - 1).chain(['…']).collect()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

fn problem_severity(severity: Severity) -> &'static str {
    match level(severity) {
        "note" => "recommendation",
        level => level,
    }
}

/// In the middle of GitHub's band for the word.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.5",
        Severity::Info => "0.1",
    }
}

fn precision(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "very-high",
        Confidence::Medium => "high",
        Confidence::Low => "medium",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_references() {
        for (path, shown) in [
            (".opencode/agent/a b.md", ".opencode/agent/a%20b.md"),
            ("javascript:alert(1)", "javascript%3Aalert%281%29"),
            ("//evil.example/x", "evil.example/x"),
            ("a#b?c%d", "a%23b%3Fc%25d"),
            ("é", "%C3%A9"),
            ("", "README.md"),
        ] {
            assert_eq!(uri(path), shown);
        }
    }

    #[test]
    fn descriptions_are_neither_too_long_nor_empty() {
        assert_eq!(short(&"x".repeat(2000), "").chars().count(), MOST_WORDS);
        assert_eq!(short(" ", "title"), "title");
    }
}
