//! Secrets as code scanning takes them in: `harden` is the tool, its rules are the rules, and an alert stays the same
//! as long as its secret's place does. Who leaked it and what it says stay out.

use gitleaks_rs::{Confidence, Finding};
use percent_encoding::utf8_percent_encode;
use serde_json::{Value, json};

use super::leaks::{Leaks, Standing, next};
use super::printable::printable;
use super::sarif::{MOST_RESULTS, PATH, SCHEMA, literal, short, uri};
use crate::model::plain;

/// So many places that could not be read are told one by one.
const MOST_NOTES: usize = 1000;

/// One run as indented JSON. What comments, lists and waivers accept is suppressed, and stays an alert that is closed.
pub fn leaks_sarif(leaks: &Leaks) -> String {
    let findings: Vec<(Finding, &Standing)> =
        leaks.findings.iter().take(MOST_RESULTS).map(|(finding, standing)| (printable(finding), standing)).collect();
    let mut rules: Vec<&Finding> = findings.iter().map(|(finding, _)| finding).collect();
    rules.sort_by(|a, b| a.rule.cmp(&b.rule).then(b.rotate.is_some().cmp(&a.rotate.is_some())));
    rules.dedup_by(|a, b| a.rule == b.rule);
    let compared = leaks.findings.iter().any(|(_, standing)| *standing == Standing::Known);
    let result = |(finding, standing): &(Finding, &Standing)| {
        let index = rules.partition_point(|rule| rule.rule < finding.rule);
        result(finding, standing, index, compared)
    };
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "harden",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|finding| rule(finding)).collect::<Vec<_>>(),
            } },
            "automationDetails": { "id": "harden/scan/" },
            "columnKind": "unicodeCodePoints",
            "invocations": [{ "executionSuccessful": true, "toolExecutionNotifications": notifications(leaks) }],
            "results": findings.iter().map(result).collect::<Vec<_>>(),
        }],
    });
    let mut text = serde_json::to_string_pretty(&log).expect("plain data");
    text.push('\n');
    text
}

fn rule(finding: &Finding) -> Value {
    // What another scanner found alone is told of each finding; the rule is that scanner's.
    let foreign = finding.offset == 0 && finding.length == 0 && !finding.also.is_empty();
    let opens =
        if foreign { format!("a secret that {} found", finding.also.join(", ")) } else { finding.description.clone() };
    let help = format!("{opens}.\n\nWhat to do: {}", next(finding));
    json!({
        "id": finding.rule,
        "name": finding.rule,
        "shortDescription": { "text": short(&opens, &finding.rule) },
        "fullDescription": { "text": short(&format!("A secret of this form stands in a file: {opens}."), &finding.rule) },
        "help": { "text": short(&help, &finding.rule) },
        "defaultConfiguration": { "level": level(finding.confidence) },
        "properties": {
            "security-severity": severity(finding.confidence),
            "precision": precision(finding.confidence),
            "problem.severity": if level(finding.confidence) == "note" { "recommendation" } else { level(finding.confidence) },
            "tags": ["security", "secrets"],
        },
    })
}

fn result(finding: &Finding, standing: &Standing, rule: usize, compared: bool) -> Value {
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": level(finding.confidence),
        "message": { "text": literal(&message(finding)) },
        "locations": [location(finding)],
        "partialFingerprints": { "primaryLocationLineHash": fingerprint(finding) },
    });
    if compared {
        result["baselineState"] = if *standing == Standing::Known { "unchanged" } else { "new" }.into();
    }
    let why = match standing {
        Standing::Open | Standing::Known => None,
        Standing::Accepted(None) if finding.allowed => Some("a comment on its line"),
        Standing::Accepted(None) => Some("an ignore list"),
        Standing::Accepted(Some(reason)) => Some(reason.as_str()),
        Standing::Credential => Some("it stands in the agent's credential file, where it belongs"),
    };
    if let Some(why) = why {
        let kind = if finding.allowed { "inSource" } else { "external" };
        result["suppressions"] = json!([{ "kind": kind, "status": "accepted", "justification": plain(why) }]);
    }
    result
}

fn message(finding: &Finding) -> String {
    let mut text = finding.description.clone();
    let encodings: Vec<&str> = finding.encodings.iter().map(|encoding| encoding.name()).collect();
    if !encodings.is_empty() {
        text += &format!(", written as {}", encodings.join(" in "));
    }
    for part in [finding.place.as_deref(), finding.context.note()].into_iter().flatten() {
        text += &format!(", {part}");
    }
    if let Some(commit) = &finding.commit {
        text += &format!(", added by commit {}", commit.id);
    }
    if !finding.also.is_empty() {
        text += &format!(", found by {} too", finding.also.join(", "));
    }
    format!("{text}. Next: {}", next(finding))
}

/// A path below the folder that was scanned; one that is whole stays so.
fn location(finding: &Finding) -> Value {
    let artifact = match finding.path.strip_prefix('/') {
        Some(path) => json!({ "uri": format!("file:///{}", utf8_percent_encode(path.trim_start_matches('/'), PATH)) }),
        None => json!({ "uri": uri(&finding.path), "uriBaseId": "%SRCROOT%" }),
    };
    let (line, column) = (finding.line.max(1), finding.column.max(1));
    let end_line = finding.end_line.max(line);
    // The column behind the last one; where it stands on several lines only the line of its end is known.
    let end_column = if end_line == line { (finding.end_column() + 1).max(column + 1) } else { 1 };
    json!({ "physicalLocation": {
        "artifactLocation": artifact,
        "region": { "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column },
    } })
}

/// The part behind the colon counts equal ones.
fn fingerprint(finding: &Finding) -> String {
    let (shape, count) = finding.stable.rsplit_once('-').unwrap_or((&finding.stable, "1"));
    let commit = finding.commit.as_ref().map(|commit| commit.id.as_str()).unwrap_or_default();
    format!("{shape}{commit}:{count}")
}

fn notifications(leaks: &Leaks) -> Vec<Value> {
    let note = |text: String| json!({ "level": "warning", "message": { "text": literal(&plain(&text)) } });
    let mut notes = Vec::new();
    if leaks.findings.len() > MOST_RESULTS {
        let more = leaks.findings.len() - MOST_RESULTS;
        notes.push(note(format!("{more} findings, the least sure, are left out: a run holds {MOST_RESULTS}")));
    }
    let told = |problem: &gitleaks_rs::Problem| note(format!("{}: {}", problem.path.display(), problem.why));
    notes.extend(leaks.problems.iter().take(MOST_NOTES).map(told));
    if leaks.problems.len() > MOST_NOTES {
        notes.push(note(format!("{} more could not be read", leaks.problems.len() - MOST_NOTES)));
    }
    notes
}

fn level(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "error",
        Confidence::Medium => "warning",
        Confidence::Low => "note",
    }
}

/// In the middle of GitHub's band for high, medium and low.
fn severity(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "8.0",
        Confidence::Medium => "5.5",
        Confidence::Low => "2.5",
    }
}

fn precision(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "very-high",
        Confidence::Medium => "high",
        Confidence::Low => "low",
    }
}
