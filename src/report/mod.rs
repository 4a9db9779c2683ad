//! Turns findings into what people and machines read. Only formatting: no host, no verdicts of its own.
//!
//! Each format is a function from a [`Report`] to text, with the same findings in the same order.

mod baseline;
mod checklist;
mod console;
mod csv;
mod excerpt;
mod explain;
mod github;
mod json;
mod junit;
mod leaks;
mod leaks_json;
mod leaks_junit;
mod leaks_sarif;
mod list;
mod markdown;
mod plan;
mod printable;
mod sarif;
mod summary;
mod table;
mod timings;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Check, Confidence, Controls, Finding, Os, Scope, Severity, Status, UserSource, WaiverProblem};

pub use baseline::known;
pub use checklist::{ChecklistEntry, Tick, tick};
pub use csv::csv;
pub(crate) use csv::inert;
pub use explain::{Explanation, NamedControl, explain};
pub use github::github;
pub use json::{json, report_schema};
pub use junit::junit;
pub use leaks::{Leaks, Standing, explain_rule, leaks_github, leaks_summary, leaks_table};
pub use leaks_json::{leaks_json, leaks_known, leaks_schema};
pub use leaks_junit::leaks_junit;
pub use leaks_sarif::leaks_sarif;
pub use list::list;
pub use markdown::markdown;
pub(crate) use markdown::{code, words};
pub use plan::{Outcome, outcomes, person, plan};
pub(crate) use printable::printable;
pub use sarif::sarif;
pub(crate) use sarif::{log as sarif_log, run as sarif_run};
pub use summary::summary;
pub use table::{Look, table};
pub use timings::timings;

/// The version of the JSON report's form. A change that breaks readers raises it.
pub const REPORT_VERSION: u32 = 1;

/// Everything an audit says, ready to be printed or saved.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The form's version.
    pub version: u32,
    /// The version of `harden`.
    pub harden: String,
    /// When the audit ran, RFC 3339, UTC.
    pub time: String,
    /// The profile.
    pub profile: String,
    /// How wide it looked.
    pub scope: Scope,
    /// The system of the host.
    pub os: Os,
    /// The audited project.
    pub project: String,
    /// The file of the project that findings without a file of their own are pinned to.
    pub anchor: String,
    /// The agents it looked at.
    pub agents: Vec<ReportAgent>,
    /// How many findings of each status.
    pub counts: BTreeMap<String, usize>,
    /// Worst first.
    pub findings: Vec<Finding>,
    /// The checklist, ticked by evidence.
    pub checklist: Vec<ChecklistEntry>,
    /// Waivers that do not hold or soon will not, and what a local profile asked for and was not given.
    pub problems: Vec<WaiverProblem>,
    /// The checks that ran, by id.
    pub checks: Vec<ReportCheck>,
}

/// An agent that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportAgent {
    /// Its id.
    pub agent: String,
    /// The account that runs it; null where that is not known.
    pub user: Option<String>,
    /// How the account was found; null where it was not.
    pub user_source: Option<UserSource>,
    /// Where it starts.
    pub workspace: String,
}

/// A check that ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportCheck {
    /// Its id.
    pub check: String,
    /// Its code.
    pub code: String,
    /// Its folder.
    pub area: String,
    /// The defect in one line.
    pub title: String,
    /// How bad, after the profile's overrides.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// What has to be read.
    pub scope: Scope,
    /// Why it matters.
    pub why: String,
    /// What to do, with the facts it names in braces.
    pub remediation: String,
    /// What it is evidence for or against.
    pub controls: Controls,
}

impl From<&Check> for ReportCheck {
    fn from(check: &Check) -> Self {
        Self {
            check: check.id.clone(),
            code: check.code.clone(),
            area: check.area.0.clone(),
            title: check.title.clone(),
            severity: check.severity,
            confidence: check.confidence,
            scope: check.scope,
            why: check.why.clone(),
            remediation: check.remediation.source(),
            controls: check.controls.clone(),
        }
    }
}

impl Report {
    /// How many findings have this status.
    pub fn count(&self, status: Status) -> usize {
        self.with(status).count()
    }

    /// The findings of this status, in order.
    pub fn with(&self, status: Status) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.status == status)
    }

    /// Whether a failure is at least this bad.
    pub fn fails_at(&self, least: Severity) -> bool {
        self.with(Status::Fail).any(|finding| finding.severity >= least)
    }

    /// What could not be told, by what would make it readable; the remedy that helps most first.
    fn unseen(&self) -> Vec<Unread<'_>> {
        let mut groups: Vec<Unread<'_>> = Vec::new();
        for finding in self.with(Status::Unknown) {
            let remedy = finding.unseen.iter().map(|unseen| unseen.how.as_str()).find(|how| !how.is_empty());
            let remedy = remedy.unwrap_or("look by hand");
            let why: Vec<&str> = finding.unseen.iter().map(|unseen| unseen.why.as_str()).collect();
            let group = place(&mut groups, |group| group.remedy == remedy, || Unread { remedy, reasons: Vec::new() });
            let reason = (why.join("; "), Vec::new());
            place(&mut group.reasons, |known| known.0 == reason.0, || reason.clone()).1.push(finding);
        }
        groups
            .iter_mut()
            .for_each(|group| group.reasons.sort_by_key(|(_, findings)| std::cmp::Reverse(findings.len())));
        groups.sort_by_key(|group| std::cmp::Reverse(group.count()));
        groups
    }
}

/// What could not be told and one remedy would make readable.
struct Unread<'a> {
    /// What to do.
    remedy: &'a str,
    /// Each reason once, with the findings that wait for it.
    reasons: Vec<(String, Vec<&'a Finding>)>,
}

impl Unread<'_> {
    fn count(&self) -> usize {
        self.reasons.iter().map(|(_, findings)| findings.len()).sum()
    }

    /// One sentence for each reason.
    fn sentences(&self) -> Vec<String> {
        let said = |(why, findings): &(String, Vec<&Finding>)| {
            format!("could not tell {}: {why}; next: {}", codes(findings), self.remedy)
        };
        self.reasons.iter().map(said).collect()
    }
}

/// The item of a list that is meant, added where there is none.
fn place<T>(list: &mut Vec<T>, is: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> &mut T {
    let at = list.iter().position(is).unwrap_or_else(|| {
        list.push(new());
        list.len() - 1
    });
    &mut list[at]
}

/// Findings by status name.
pub fn counts(findings: &[Finding]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for finding in findings {
        *counts.entry(finding.status.name().to_owned()).or_default() += 1;
    }
    counts
}

/// The codes of findings in order, each once, with how often where that is more than once.
fn codes(findings: &[&Finding]) -> String {
    let mut seen: Vec<(&str, usize)> = Vec::new();
    for finding in findings {
        match seen.iter_mut().find(|(code, _)| *code == finding.code) {
            Some((_, times)) => *times += 1,
            None => seen.push((&finding.code, 1)),
        }
    }
    let said = seen.into_iter().map(|(code, times)| if times > 1 { format!("{code} ×{times}") } else { code.into() });
    said.collect::<Vec<String>>().join(", ")
}

/// `1 finding`, `2 findings`.
pub(crate) fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}
