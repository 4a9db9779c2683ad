//! Plans in files. A saved plan is never carried out: it says what a person agreed to. The same is planned again from the
//! machine as it is, and has to be the same step by step.

use std::path::Path;

use crate::commands::failure::cause;
use crate::commands::{Failure, output};
use crate::model::{PLAN_VERSION, Plan, Step};

/// The largest plan that is read: 16 MiB.
const LIMIT: u64 = 16 << 20;
/// So many differences are named.
const NAMED: usize = 8;

/// Writes a plan into a file.
pub(super) fn save(file: &Path, plan: &Plan) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(plan).expect("plain data") + "\n";
    output::replace(file, text.as_bytes()).map_err(|error| Failure::file(file, &error))
}

/// Reads one.
pub(super) fn read(file: &Path) -> Result<Plan, Failure> {
    let shown = file.display();
    let size = std::fs::metadata(file).map(|found| found.len());
    let text = match size {
        Ok(size) if size > LIMIT => {
            return Err(Failure::usage(
                format!("`{shown}` has {size} bytes, more than a plan has"),
                "save the plan again",
            ));
        }
        _ => std::fs::read_to_string(file),
    };
    let text = text
        .map_err(|error| Failure::usage(format!("cannot read `{shown}`: {}", cause(&error)), "save the plan again"))?;
    let plan: Plan = serde_json::from_str(&text).map_err(|error| {
        Failure::usage(format!("`{shown}` is no plan: {error}"), "save one with `harden plan -o plan.json`")
    })?;
    match plan.version {
        PLAN_VERSION => Ok(plan),
        other => {
            Err(Failure::usage(format!("`{shown}` is a plan of format {other}; this is {PLAN_VERSION}"), "plan again"))
        }
    }
}

/// Err names what is not as it was when the plan was saved.
pub(super) fn hold(saved: &Plan, now: &Plan) -> Result<(), Failure> {
    let mut changed = Vec::new();
    if saved.harden != now.harden {
        changed.push(format!("harden is {} and was {}", now.harden, saved.harden));
    }
    if saved.policy != now.policy {
        changed.push(format!("the profile {} or its checks", saved.profile));
    }
    for step in &saved.steps {
        match now.steps.iter().find(|other| other.thing == step.thing && other.action == step.action) {
            None => changed.push(format!("{} ({})", step.thing, gone(step, now))),
            Some(other) => changed.extend(differences(step, other)),
        }
    }
    for step in now.steps.iter().filter(|step| !saved.steps.iter().any(|other| other.thing == step.thing)) {
        changed.push(format!("{} (it is new in the plan)", step.thing));
    }
    if changed.is_empty() && saved.steps == now.steps {
        return Ok(());
    }
    if changed.is_empty() {
        changed.push("the order of the steps".to_owned());
    }
    let more = changed.len().saturating_sub(NAMED);
    changed.truncate(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Err(Failure::usage(
        format!("the plan is stale; changed since: {}{more}", changed.join("; ")),
        "plan again, and look at what is different",
    ))
}

fn gone(step: &Step, now: &Plan) -> &'static str {
    if now.steps.iter().any(|other| other.thing == step.thing) {
        "something else would be done to it"
    } else {
        "it needs no change any more"
    }
}

fn differences(step: &Step, now: &Step) -> Vec<String> {
    let mut changed = Vec::new();
    if step.before != now.before {
        changed.push(format!("{} (it is {}, and was {})", step.thing, now.before.says(), step.before.says()));
    }
    if step.after != now.after {
        changed.push(format!("{} (what would be written)", step.thing));
    }
    for reason in &step.wanted_by {
        match now.wanted_by.iter().find(|other| other.fingerprint == reason.fingerprint) {
            Some(other) if other == reason => {}
            Some(_) => changed.push(format!("what {} {} rests on", reason.code, reason.check)),
            None => changed.push(format!("{} {}, which does not ask for it any more", reason.code, reason.check)),
        }
    }
    changed
}
