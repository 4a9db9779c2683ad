//! A plan: what would be changed, why, and how it is taken back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Action, Class, State, Thing};

/// The format of saved plans.
pub const PLAN_VERSION: u32 = 1;

/// The contents that a plan takes away and puts there, by digest.
pub type Contents = BTreeMap<String, Vec<u8>>;

/// The finding that wants a step, and a digest of what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reason {
    /// The check's code.
    pub code: String,
    /// The check's id.
    pub check: String,
    /// The item, for checks that look at several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The finding's own fingerprint.
    pub fingerprint: String,
    /// Of its verdict and evidence.
    pub evidence: String,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What is done.
    #[serde(flatten)]
    pub action: Action,
    /// To what.
    pub thing: Thing,
    /// What is there.
    pub before: State,
    /// What will be there.
    pub after: State,
    /// Which findings want it.
    pub wanted_by: Vec<Reason>,
    /// How much consent it needs.
    pub class: Class,
    /// Whether only root can do it.
    pub needs_root: bool,
    /// How it is taken back, in words.
    pub undo: String,
}

/// A finding that no step is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftToPerson {
    /// The check's code.
    pub code: String,
    /// The check's id.
    pub check: String,
    /// The item, for checks that look at several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Why nothing is done.
    pub why: String,
    /// What to do.
    pub next: String,
}

/// What was asked for on the command line: the same is planned again when a saved plan is applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The project.
    pub path: String,
    /// The agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The profile's name or file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// How wide to look, where the command line says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Folders with more checks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
    /// Only these checks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// Not these checks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skip: Vec<String>,
    /// And a timer that looks for changes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drift_timer: bool,
    /// Steps of these classes.
    pub classes: Vec<Class>,
}

/// What would be changed, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The format.
    pub version: u32,
    /// The program's version.
    pub harden: String,
    /// The profile it comes from.
    pub profile: String,
    /// A digest of its parameters and of the checks.
    pub policy: String,
    /// What was asked for.
    pub asked: Asked,
    /// The changes.
    pub steps: Vec<Step>,
    /// What nobody but a person can do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub person: Vec<LeftToPerson>,
}

impl Step {
    /// How it is taken back, in words.
    pub fn undo_of(before: &State, thing: &Thing) -> String {
        match (thing, before) {
            (Thing::Account(_), State::Absent) => {
                "the account is locked, and removed if it owns nothing and runs nothing".to_owned()
            }
            (Thing::Path(_), State::Absent) => "it is removed again, if it is as it was written".to_owned(),
            (Thing::Path(_), State::File { .. }) => "its former bytes, owner and mode come back".to_owned(),
            (Thing::Path(_) | Thing::Rights(_), _) => "its former owner and mode come back".to_owned(),
            (Thing::Members(_), _) => "the former list of members comes back".to_owned(),
            (Thing::Table(_), State::Absent) => "the table is deleted".to_owned(),
            (Thing::AuditKey(_), State::Absent) => "the rules under the key are taken out".to_owned(),
            (Thing::Table(_) | Thing::AuditKey(_), _) => "the former rules are loaded again".to_owned(),
            (Thing::Service(_), _) => "it is stopped again".to_owned(),
            (Thing::Auditing | Thing::Kernel(_), _) => "the former setting comes back".to_owned(),
            (Thing::Account(_), _) => "nothing is changed".to_owned(),
        }
    }
}
