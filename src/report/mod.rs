//! Turns findings into what people and machines read. Only formatting: no host, no verdicts of its own.

mod checklist;
mod json;
mod table;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Finding, Os, Scope, Severity, Status, UserSource, WaiverProblem};

pub use checklist::{ChecklistEntry, Tick, tick};
pub use json::{json, report_schema};
pub use table::{Look, table};

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
}

/// An agent that was looked at.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReportAgent {
    /// Its id.
    pub agent: String,
    /// The account that runs it.
    pub user: String,
    /// How the account was found.
    pub user_source: UserSource,
    /// Where it starts.
    pub workspace: String,
}

impl Report {
    /// How many findings have this status.
    pub fn count(&self, status: Status) -> usize {
        self.findings.iter().filter(|finding| finding.status == status).count()
    }

    /// Whether a failure is at least this bad.
    pub fn fails_at(&self, least: Severity) -> bool {
        self.findings.iter().any(|finding| finding.status == Status::Fail && finding.severity >= least)
    }
}

/// Findings by status name.
pub fn counts(findings: &[Finding]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for finding in findings {
        *counts.entry(finding.status.name().to_owned()).or_default() += 1;
    }
    counts
}
