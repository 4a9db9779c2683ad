//! Plans in files. A saved plan is never carried out: it says what a person agreed to. The same is planned again from the
//! machine as it is, and has to be the same step by step.

use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
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
    let text = trusted_text(file)?;
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

/// The text of a plan. What root goes by must not be another's to write: a plan names a profile, and what is agreed to.
fn trusted_text(file: &Path) -> Result<io::Result<String>, Failure> {
    let shown = file.display();
    let opened = std::fs::File::open(file).and_then(|opened| Ok((opened.metadata()?, opened)));
    let (stat, opened) = match opened {
        Ok(found) => found,
        Err(error) => return Ok(Err(error)),
    };
    let behind = std::env::var("SUDO_UID").ok().and_then(|uid| uid.parse().ok());
    let is_own = stat.uid() == 0 || behind == Some(stat.uid());
    if rustix::process::geteuid().is_root() && !(is_own && stat.mode() & 0o022 == 0) {
        let message = format!("others than you can write `{shown}`, and root would do what it says");
        return Err(Failure::usage(message, "save the plan again, where it is yours alone to write"));
    }
    let mut text = String::new();
    let read = opened.take(LIMIT + 1).read_to_string(&mut text);
    if text.len() as u64 > LIMIT {
        return Err(Failure::usage(
            format!("`{shown}` has more than the {LIMIT} bytes of a plan"),
            "save the plan again",
        ));
    }
    Ok(read.map(|_| text))
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
