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
    /// Every check of the line that applies passes.
    Yes,
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
    let (tick, shown) = if !bad.is_empty() {
        (Tick::No, bad)
    } else if !unknown.is_empty() {
        (Tick::Unknown, unknown)
    } else if !good.is_empty() {
        (Tick::Yes, good)
    } else {
        (Tick::NotApplicable, with(&[Status::NotApplicable]))
    };
    let left_out = shown.len().saturating_sub(MOST_EVIDENCE);
    let evidence = shown.iter().take(MOST_EVIDENCE).map(|f| {
        if tick == Tick::Yes { format!("{} {}", f.code, f.check) } else { format!("{}: {}", f.code, f.message) }
    });
    let more = (left_out > 0).then(|| format!("… and {left_out} more"));
    ChecklistEntry { line: line.to_owned(), text: text.to_owned(), tick, evidence: evidence.chain(more).collect() }
}
