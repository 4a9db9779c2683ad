//! What changed between two audits.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Saved;
use crate::model::{Finding, Severity, Status};

/// The version of the JSON's form. A change that breaks readers raises it.
pub const DIFF_VERSION: u32 = 1;

/// What changed from the earlier audit to the later one. Every finding of both is in one of the lists or in `same`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diff {
    /// The form's version.
    pub version: u32,
    /// The earlier audit.
    pub before: Side,
    /// The later one.
    pub after: Side,
    /// What makes the two hard to compare: other projects, profiles, scopes.
    pub notes: Vec<String>,
    /// Defects that are there now and were not.
    pub new: Vec<Change>,
    /// Defects that are no more: the later audit looked, and what it looked for is not there.
    pub fixed: Vec<Change>,
    /// What is otherwise than it was: waived, worse, no longer to be told.
    pub changed: Vec<Change>,
    /// Defects that the later audit did not look for.
    pub not_compared: Vec<Change>,
    /// How many findings are as they were.
    pub same: usize,
}

/// One of the two audits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// The file or the number in the history.
    pub name: String,
    /// When it ran.
    pub time: String,
    /// The audited project.
    pub project: String,
    /// The profile.
    pub profile: String,
    /// How wide it looked.
    pub scope: String,
}

/// A finding that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Check id.
    pub check: String,
    /// Check code.
    pub code: String,
    /// How bad it is, or was where it is gone.
    pub severity: Severity,
    /// The agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What it was; null where there was none.
    pub before: Option<Status>,
    /// What it is; null where there is none.
    pub after: Option<Status>,
    /// What is, or was, said of it.
    pub message: String,
    /// What to know about the comparison.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// What tells it from others.
    pub fingerprint: String,
}

/// Compares two audits, finding by finding.
pub fn diff(before: &Saved, after: &Saved) -> Diff {
    let mut diff = Diff {
        version: DIFF_VERSION,
        before: side(before),
        after: side(after),
        notes: Vec::new(),
        new: Vec::new(),
        fixed: Vec::new(),
        changed: Vec::new(),
        not_compared: Vec::new(),
        same: 0,
    };
    for (what, a, b) in [
        ("project", &diff.before.project, &diff.after.project),
        ("profile", &diff.before.profile, &diff.after.profile),
        ("scope", &diff.before.scope, &diff.after.scope),
    ] {
        if a != b {
            diff.notes.push(format!("the {what} is another: `{a}`, then `{b}`"));
        }
    }
    let ran = |saved: &Saved| -> BTreeSet<String> { saved.report.checks.iter().map(|it| it.check.clone()).collect() };
    let (ran_before, ran_after) = (ran(before), ran(after));
    let (old, new) = (by_name(before), by_name(after));
    let names: BTreeSet<&(String, usize)> = old.keys().chain(new.keys()).collect();
    for name in names {
        let (was, is) = (old.get(name).copied(), new.get(name).copied());
        let Some(either) = is.or(was) else { continue };
        let change = |note: &str| change(was, is, either, note);
        match (was.map(stance), is.map(stance)) {
            (Some(Stands::Defect), Some(Stands::Not)) => diff.fixed.push(change("")),
            (Some(Stands::Defect), None) if ran_after.contains(&either.check) => {
                diff.fixed.push(change("its item is not there any more"));
            }
            (Some(Stands::Defect), None) => diff.not_compared.push(change("its check did not run in the later audit")),
            (Some(Stands::Not), Some(Stands::Defect)) => diff.new.push(change("")),
            (Some(Stands::Untold), Some(Stands::Defect)) => diff.new.push(change("it could not be told before")),
            (None, Some(Stands::Defect)) if ran_before.contains(&either.check) => diff.new.push(change("")),
            (None, Some(Stands::Defect)) => diff.new.push(change("its check did not run in the earlier audit")),
            (Some(a), Some(b)) if a != b || (a == Stands::Defect && otherwise(was, is)) => {
                diff.changed.push(change(""))
            }
            (None, Some(Stands::Untold)) if ran_before.contains(&either.check) => diff.changed.push(change("")),
            _ => diff.same += 1,
        }
    }
    for list in [&mut diff.new, &mut diff.fixed, &mut diff.changed, &mut diff.not_compared] {
        list.sort_by_key(|it| (std::cmp::Reverse(it.severity), it.code.clone(), it.subject.clone()));
    }
    diff
}

fn side(saved: &Saved) -> Side {
    let report = &saved.report;
    Side {
        name: saved.name.clone(),
        time: report.time.clone(),
        project: report.project.clone(),
        profile: report.profile.clone(),
        scope: report.scope.name().to_owned(),
    }
}

/// By fingerprint; what shares one, which only a report made by hand does, by its turn.
fn by_name(saved: &Saved) -> BTreeMap<(String, usize), &Finding> {
    let mut turns: BTreeMap<&str, usize> = BTreeMap::new();
    let named = saved.report.findings.iter().map(|finding| {
        let turn = turns.entry(&finding.fingerprint).or_default();
        *turn += 1;
        ((finding.fingerprint.clone(), *turn), finding)
    });
    named.collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    Defect,
    Untold,
    Not,
}

fn stance(finding: &Finding) -> Stands {
    match finding.status {
        Status::Fail | Status::Known | Status::Waived => Stands::Defect,
        Status::Unknown => Stands::Untold,
        Status::Pass | Status::NotApplicable => Stands::Not,
    }
}

/// Whether a defect is another than it was. Known from a baseline is as open as failing.
fn otherwise(was: Option<&Finding>, is: Option<&Finding>) -> bool {
    let told = |it: Option<&Finding>| it.map(|it| (it.status == Status::Waived, it.severity, it.message.clone()));
    told(was) != told(is)
}

fn change(was: Option<&Finding>, is: Option<&Finding>, either: &Finding, note: &str) -> Change {
    Change {
        check: either.check.clone(),
        code: either.code.clone(),
        severity: either.severity,
        agent: either.agent.clone(),
        subject: either.subject.clone(),
        before: was.map(|it| it.status),
        after: is.map(|it| it.status),
        message: was.filter(|_| is.map(stance) != Some(Stands::Defect)).unwrap_or(either).message.clone(),
        note: note.to_owned(),
        fingerprint: either.fingerprint.clone(),
    }
}

/// The schema of a [`Diff`] as JSON.
pub fn diff_schema() -> Value {
    let generator = schemars::generate::SchemaSettings::draft2020_12().into_generator();
    let mut schema: Value = generator.into_root_schema_for::<Diff>().into();
    schema["title"] = "harden diff".into();
    schema
}
