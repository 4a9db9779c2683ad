//! The checklist, ticked by evidence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Finding, Status};

/// So much evidence is kept of a line; the findings have it all.
const MOST_EVIDENCE: usize = 50;

/// Whether a line holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tick {
    /// Every check of the line ran, and each that applies passes.
    Yes,
    /// What ran passes, but some checks of the line did not run: the scope or the profile leaves them out.
    Partly,
    /// At least one fails, waived or not.
    No,
    /// None fails, but at least one could not be told.
    Unknown,
    /// No check of the line applies or ran here.
    NotApplicable,
}

/// A line with its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChecklistEntry {
    /// Its number.
    pub line: String,
    /// Its words.
    pub text: String,
    /// Whether it holds.
    pub tick: Tick,
    /// What the answer rests on: check codes with their outcome or message.
    pub evidence: Vec<String>,
}

/// Answers one line from the findings of its checks.
pub fn tick(line: &str, text: &str, codes: &[String], findings: &[Finding]) -> ChecklistEntry {
    let about: Vec<&Finding> = findings.iter().filter(|finding| codes.contains(&finding.code)).collect();
    let with = |wanted: &[Status]| about.iter().filter(|f| wanted.contains(&f.status)).copied().collect::<Vec<_>>();
    let bad = with(&[Status::Fail, Status::Known, Status::Waived]);
    let unknown = with(&[Status::Unknown]);
    let good = with(&[Status::Pass]);
    let missing: Vec<&str> =
        codes.iter().map(String::as_str).filter(|code| about.iter().all(|finding| finding.code != *code)).collect();
    let (tick, shown) = if !bad.is_empty() {
        (Tick::No, bad)
    } else if !unknown.is_empty() {
        (Tick::Unknown, unknown)
    } else if good.is_empty() {
        // Of a line of which a part did not run nothing is said.
        (Tick::NotApplicable, if missing.is_empty() { with(&[Status::NotApplicable]) } else { Vec::new() })
    } else {
        (if missing.is_empty() { Tick::Yes } else { Tick::Partly }, good)
    };
    let mut evidence = said(&shown);
    let left_out = evidence.len().saturating_sub(MOST_EVIDENCE);
    evidence.truncate(MOST_EVIDENCE);
    if left_out > 0 {
        evidence.push(format!("… and {left_out} more"));
    }
    if tick == Tick::Partly {
        evidence.push(format!("did not run: {}", missing.join(", ")));
    }
    ChecklistEntry { line: line.to_owned(), text: text.to_owned(), tick, evidence }
}

impl ChecklistEntry {
    /// What is said of a line of which no check gave an answer: none applies, or some did not run.
    pub(super) fn unanswered(&self) -> &'static str {
        if self.evidence.is_empty() { "not checked here" } else { "does not apply here" }
    }
}

/// What findings say, in order; what several say in the same words stands once, with the codes of all.
fn said(findings: &[&Finding]) -> Vec<String> {
    let mut said: Vec<(Vec<&str>, &Finding)> = Vec::new();
    for finding in findings {
        let same = |(_, first): &&mut (Vec<&str>, &Finding)| {
            finding.status == Status::Unknown && first.message == finding.message
        };
        match said.iter_mut().find(same) {
            Some((codes, _)) if codes.contains(&finding.code.as_str()) => {}
            Some((codes, _)) => codes.push(&finding.code),
            None => said.push((vec![&finding.code], finding)),
        }
    }
    let line = |(codes, finding): (Vec<&str>, &Finding)| match finding.status {
        Status::Pass => format!("{} {}", finding.code, finding.check),
        _ => format!("{}: {}", codes.join(", "), finding.message),
    };
    said.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Confidence, Controls, Scope, Severity};

    fn finding(code: &str, status: Status) -> Finding {
        Finding {
            check: code.to_lowercase(),
            code: code.into(),
            title: String::new(),
            severity: Severity::Low,
            confidence: Confidence::High,
            scope: Scope::Repo,
            status,
            agent: None,
            subject: None,
            message: String::new(),
            evidence: Vec::new(),
            unseen: Vec::new(),
            remediation: String::new(),
            fingerprint: String::new(),
            waiver: None,
            controls: Controls::new(),
            fix: Vec::new(),
        }
    }

    #[test]
    fn a_line_is_ticked_only_when_all_of_it_was_looked_at() {
        use Status::{Fail, Known, NotApplicable, Pass, Unknown, Waived};
        let codes = ["A-01".to_owned(), "A-02".to_owned()];
        for (a, b, expected) in [
            (Some(Pass), Some(Pass), Tick::Yes),
            (Some(Pass), Some(NotApplicable), Tick::Yes),
            (Some(Pass), None, Tick::Partly),
            (Some(Pass), Some(Unknown), Tick::Unknown),
            (Some(Unknown), None, Tick::Unknown),
            (Some(Fail), Some(Unknown), Tick::No),
            (Some(Waived), Some(Pass), Tick::No),
            (Some(Known), None, Tick::No),
            (Some(NotApplicable), None, Tick::NotApplicable),
            (None, None, Tick::NotApplicable),
        ] {
            let findings: Vec<Finding> =
                [a.map(|a| finding("A-01", a)), b.map(|b| finding("A-02", b))].into_iter().flatten().collect();
            assert_eq!(tick("1", "", &codes, &findings).tick, expected, "{a:?} {b:?}");
        }
    }
}
