//! What an audit says: one finding per check and subject.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Confidence, Controls, Location, Scope, Severity, Unseen, Wish};

/// The outcome of one check on one subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The defect is there.
    Fail,
    /// It could not be told. Never counts as a pass.
    Unknown,
    /// The defect is there and a valid waiver accepts it.
    Waived,
    /// The defect is there and was there in the baseline.
    Known,
    /// The defect is not there.
    Pass,
    /// The check has no subject here.
    NotApplicable,
}

impl Status {
    /// As written in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Waived => "waived",
            Self::Known => "known",
            Self::Pass => "pass",
            Self::NotApplicable => "not-applicable",
        }
    }
}

/// One fact that a verdict rests on. Values are redacted where they are made, in `facts`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// The path of the fact, with the item it was read from: `mcp.servers[context7].version`.
    pub fact: String,
    /// What it was. Null where it is known to be absent.
    pub value: Value,
    /// Where it was read, for facts that come from a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Location>,
}

/// The waiver that covers a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaiverNote {
    /// Why the defect is accepted.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day it holds, `YYYY-MM-DD`.
    pub expires: String,
    /// Days left, counted from the audit.
    pub days_left: i64,
}

/// The outcome of one check on one subject, with its evidence and the next step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Check id.
    pub check: String,
    /// Check code.
    pub code: String,
    /// The defect in one line.
    pub title: String,
    /// How bad, after the profile's overrides.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// What had to be read.
    pub scope: Scope,
    /// The outcome.
    pub status: Status,
    /// The agent, for checks that look at one; several with commas where they share what was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The item, for checks that look at several: a server, a file, a rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What was found, in a sentence.
    pub message: String,
    /// What the verdict rests on.
    pub evidence: Vec<Evidence>,
    /// Why it could not be told, each reason with its remedy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<Unseen>,
    /// The next step.
    pub remediation: String,
    /// Stable across runs, lines and machines: check, agent and subject. 16 hexadecimal digits.
    pub fingerprint: String,
    /// The waiver, for a waived one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<WaiverNote>,
    /// What it is evidence for or against.
    pub controls: Controls,
    /// What the check proposes against it; a plan decides what of that is done.
    #[serde(skip)]
    #[schemars(skip)]
    pub fix: Vec<Wish>,
}

impl Finding {
    /// Where to point a reader: the first evidence that has a place.
    pub fn location(&self) -> Option<&Location> {
        self.evidence.iter().find_map(|e| e.at.as_ref())
    }
}
