//! An assessment as plain data; its JSON is published with a schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Attestation, Catalogue, Finding, Maturity, Os, Reach, Scope};
use crate::report::ReportAgent;

/// The version of the JSON's form. A change that breaks readers raises it.
pub const ASSESSMENT_VERSION: u32 = 1;

/// Every control of a framework with what is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Assessment {
    /// The form's version.
    pub version: u32,
    /// The version of `harden` that wrote it.
    pub harden: String,
    /// The day that waivers and attestations were held against, `YYYY-MM-DD`.
    pub day: String,
    /// The framework.
    pub framework: About,
    /// The audits it rests on, in the order given.
    pub audits: Vec<Audit>,
    /// How many controls have each answer.
    pub answers: BTreeMap<Answer, usize>,
    /// The same by group of controls, in the framework's order.
    pub coverage: Vec<Coverage>,
    /// Every control, in the framework's order.
    pub tasks: Vec<Task>,
    /// Every finding of every audit, once, audit by audit; `tasks[].findings` are places in this list, from 0.
    pub findings: Vec<Observed>,
    /// The findings that no control of this framework is about.
    pub elsewhere: Vec<usize>,
    /// Every attestation, as given.
    pub attestations: Vec<Attested>,
    /// How past audits of the same projects went, oldest first.
    pub trend: Vec<Point>,
    /// What a reader has to know, such as a report that was given twice.
    pub notes: Vec<String>,
}

/// The framework of an assessment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct About {
    /// Its id.
    pub framework: String,
    /// Its name.
    pub title: String,
    /// Where it is published.
    pub source: String,
    /// Whether it is final.
    pub standing: Maturity,
    /// What to know before citing it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Its OSCAL catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<Catalogue>,
}

/// An audit that the assessment rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Audit {
    /// The file, as it was named.
    pub name: String,
    /// SHA-256 of the saved report.
    pub sha256: String,
    /// When it ran, RFC 3339.
    pub time: String,
    /// The version of `harden`.
    pub harden: String,
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
    /// How many checks ran.
    pub checks: usize,
    /// How many findings it has.
    pub findings: usize,
    /// What was the matter with waivers and profiles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// What is known of a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Something speaks against it.
    EvidenceAgainst,
    /// A part speaks for it, and the rest is accepted, unknown, did not run, or is out of an audit's sight.
    Partly,
    /// All that was looked at speaks for it.
    EvidenceFor,
    /// An audit could show it, and none has.
    NotAssessed,
    /// No audit of a host can show it, and nobody attests it.
    NotObservable,
}

impl Answer {
    /// In the order in which a reader wants them.
    pub const ALL: [Self; 5] =
        [Self::EvidenceAgainst, Self::Partly, Self::EvidenceFor, Self::NotAssessed, Self::NotObservable];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::EvidenceAgainst => "evidence against",
            Self::Partly => "partly",
            Self::EvidenceFor => "evidence for",
            Self::NotAssessed => "not assessed",
            Self::NotObservable => "not observable from a host",
        }
    }

    /// As in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::EvidenceAgainst => "evidence-against",
            Self::Partly => "partly",
            Self::EvidenceFor => "evidence-for",
            Self::NotAssessed => "not-assessed",
            Self::NotObservable => "not-observable",
        }
    }
}

/// A group of controls, by answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// The group's id; empty for a framework without groups.
    pub group: String,
    /// What it is about.
    pub name: String,
    /// How many of its controls have each answer.
    pub answers: BTreeMap<Answer, usize>,
}

/// A control with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Task {
    /// Its id.
    pub task: String,
    /// Its group; empty where it has none.
    pub group: String,
    /// What it asks.
    pub name: String,
    /// How far an audit can show it.
    pub reach: Option<Reach>,
    /// What an audit can show of it and what it cannot.
    pub shows: String,
    /// The answer.
    pub answer: Answer,
    /// Why it is the answer, in a sentence.
    pub because: String,
    /// The findings about it, as places in the assessment's list.
    pub findings: Vec<usize>,
    /// How many of them stand how.
    pub counts: BTreeMap<Stance, usize>,
    /// The attestations for it, as places in the assessment's list.
    pub attestations: Vec<usize>,
    /// Codes of all checks about it.
    pub checks: Vec<String>,
    /// Codes of checks about it that ran in none of the audits.
    pub not_run: Vec<String>,
    /// The command that looks at it; empty where none does.
    pub verify: String,
}

/// What a finding says of the controls that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stance {
    /// The defect is there.
    Against,
    /// The defect is there, and somebody answers for it until a day that has not passed.
    Accepted,
    /// It could not be told.
    Unknown,
    /// The defect is not there.
    For,
    /// There is nothing it could be about.
    NotApplicable,
}

impl Stance {
    /// In the order in which a reader wants them.
    pub const ALL: [Self; 5] = [Self::Against, Self::Accepted, Self::Unknown, Self::For, Self::NotApplicable];

    /// As in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Against => "against",
            Self::Accepted => "accepted",
            Self::Unknown => "unknown",
            Self::For => "for",
            Self::NotApplicable => "not-applicable",
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Against => "against",
            Self::Accepted => "against, waived",
            Self::Unknown => "could not be told",
            Self::For => "for",
            Self::NotApplicable => "does not apply",
        }
    }
}

/// How something is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// It was read from the thing itself.
    Examined,
    /// It was tried.
    Tested,
    /// Somebody says so.
    Attested,
}

impl Proof {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Examined => "examined",
            Self::Tested => "tested",
            Self::Attested => "attested",
        }
    }
}

/// A finding of an audit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Observed {
    /// The audit, as a place in the assessment's list.
    pub audit: usize,
    /// How it is known.
    pub proof: Proof,
    /// What it says of its controls.
    pub stance: Stance,
    /// The ids of the controls it is about.
    pub tasks: Vec<String>,
    /// The finding as the audit has it.
    pub finding: Finding,
}

/// An attestation and whether it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attested {
    /// Whether it counts.
    pub hold: Hold,
    /// As it was given.
    pub attestation: Attestation,
}

/// Whether an attestation counts on the day of the assessment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Hold {
    /// It counts.
    Holds,
    /// Its last day has passed.
    Expired,
    /// It is dated later than the assessment, or not with days.
    NotYet,
}

impl Hold {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Expired => "expired, does not count",
            Self::NotYet => "not valid on this day, does not count",
        }
    }
}

/// How one audit went.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// When it ran.
    pub time: String,
    /// The audited project.
    pub project: String,
    /// The profile.
    pub profile: String,
    /// How wide it looked.
    pub scope: String,
    /// Defects that are open.
    pub against: usize,
    /// Defects that are waived.
    pub accepted: usize,
    /// What could not be told.
    pub unknown: usize,
    /// What passed.
    pub passed: usize,
}
