//! A check: what should be true, in whose words, and how much it matters.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Predicate, Proposal, Template};

/// How bad a failing check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Defence in depth.
    Low,
    /// A step of an attack.
    Medium,
    /// An attack with one more condition.
    High,
    /// An attack as it stands.
    Critical,
}

/// How sure a failing check is that the defect is real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// A pattern that often means harm.
    Low,
    /// Right but for rare set-ups, which the check names.
    Medium,
    /// Read from the thing itself.
    High,
}

/// What has to be looked at: a wider scope includes the narrower ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The files of the project alone; safe in a pull request.
    Repo,
    /// And the account that runs the agent.
    User,
    /// And the machine.
    Host,
}

/// The operating system of the host under audit, as a value: macOS is audited on Linux in tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Os {
    /// Linux.
    Linux,
    /// macOS.
    Macos,
}

/// The area of a check: its folder under `checks/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Area(pub String);

/// Framework id to control ids.
pub type Controls = BTreeMap<String, Vec<String>>;

/// What it means that the list of `for_each` has no items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Empty {
    /// There is nothing that the check could be about.
    #[default]
    NotApplicable,
    /// Nothing of what the check looks for is there.
    Pass,
}

/// One check, parsed and type-checked.
#[derive(Clone, Debug)]
pub struct Check {
    /// Names the defect; equals the file name.
    pub id: String,
    /// Short stable code: area and number, `MCP-03`.
    pub code: String,
    /// The folder it was read from.
    pub area: Area,
    /// The defect in one line.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// What has to be read.
    pub scope: Scope,
    /// Where it applies.
    pub os: Vec<Os>,
    /// What it is evidence for.
    pub controls: Controls,
    /// The fact whose items are judged one by one.
    pub for_each: Option<String>,
    /// What a list without items means.
    pub empty: Empty,
    /// What names an item in findings; a path below `item`.
    pub subject: Option<Template>,
    /// Applies only where this holds.
    pub when: Option<Predicate>,
    /// What has to hold.
    pub require: Predicate,
    /// What is said of a failure.
    pub message: Template,
    /// Why it matters.
    pub why: String,
    /// What to do.
    pub remediation: Template,
    /// What `harden apply` can do about it.
    pub fix: Vec<Proposal>,
    /// Where it was read from, for error messages.
    pub file: String,
}

impl Severity {
    /// As written in YAML and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl Os {
    /// As written in YAML and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Macos => "macos",
        }
    }
}

impl Scope {
    /// As written in YAML and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Repo => "repo",
            Self::User => "user",
            Self::Host => "host",
        }
    }
}

impl Confidence {
    /// As written in YAML and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
