//! Does the steps of a plan, one after the other: written down, done, looked at, written down. What goes wrong is taken
//! back at once, in reverse.

use std::io;

use super::journal::{Entry, Journal, Line};
use super::machine::Machine;
use super::store::Store;
use super::things::{Trouble, clear, look, put};
use super::undo::{self, Stuck};
use crate::model::{ACTION_VERSION, Action, Checker, Contents, Plan, State, Step, Thing};

/// What a run came to that did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// Nothing was changed.
    #[error("{why}")]
    Nothing {
        /// Why.
        why: String,
    },
    /// A step failed, and everything before it was taken back.
    #[error("step {} failed: {why}", step + 1)]
    Undone {
        /// Which.
        step: usize,
        /// Why.
        why: String,
    },
    /// A step failed, and not everything could be taken back.
    #[error("step {} failed: {why}", step + 1)]
    Stuck {
        /// Which.
        step: usize,
        /// Why.
        why: String,
        /// What is left, and why.
        left: Vec<Stuck>,
    },
}

/// Does a plan as a new run. `said` hears of each step that is done.
pub fn apply(
    machine: &mut dyn Machine,
    store: &Store,
    journal: &Journal,
    plan: &Plan,
    contents: &Contents,
    time: &str,
    said: &mut dyn FnMut(usize, &Step),
) -> Result<(), Failed> {
    let nothing = |error: io::Error| Failed::Nothing { why: format!("the journal cannot be written: {error}") };
    for bytes in contents.values() {
        journal.keep(machine, bytes, store.owner()).map_err(nothing)?;
    }
    let start = Line::Start {
        version: ACTION_VERSION,
        harden: env!("CARGO_PKG_VERSION").to_owned(),
        time: time.to_owned(),
        profile: plan.profile.clone(),
        steps: plan.steps.len(),
    };
    journal.write(machine, &start).map_err(nothing)?;
    for (at, step) in plan.steps.iter().enumerate() {
        if let Err(why) = one(machine, journal, at, step) {
            return Err(unwind(machine, journal, at, why));
        }
        said(at, step);
    }
    match journal.write(machine, &Line::Applied) {
        Ok(()) => Ok(()),
        Err(error) => Err(unwind(machine, journal, plan.steps.len().saturating_sub(1), error.to_string())),
    }
}

fn one(machine: &mut dyn Machine, journal: &Journal, at: usize, step: &Step) -> Result<(), String> {
    let text = |trouble: Trouble| trouble.to_string();
    let now = look(machine, &step.thing).map_err(text)?.0;
    if now != step.before {
        return Err(format!("{} is no longer as it was planned for: it is {}", step.thing, now.says()));
    }
    let check = check_of(&step.action);
    let intended = Line::Intended {
        step: at,
        thing: step.thing.clone(),
        before: step.before.clone(),
        after: step.after.clone(),
        check,
    };
    journal.write(machine, &intended).map_err(|error| format!("the journal cannot be written: {error}"))?;
    place(machine, journal, &step.thing, &step.after, check)?;
    journal.write(machine, &Line::Done { step: at }).map_err(|error| format!("the journal cannot be written: {error}"))
}

/// Puts a state there, and looks whether it is.
pub(super) fn place(
    machine: &mut dyn Machine,
    journal: &Journal,
    thing: &Thing,
    to: &State,
    check: Option<Checker>,
) -> Result<(), String> {
    let content = journal.content(machine, to).map_err(|error| error.to_string())?;
    put(machine, thing, to, content.as_deref(), check).map_err(|trouble| trouble.to_string())?;
    let now = look(machine, thing).map_err(|trouble| trouble.to_string())?.0;
    if now != *to {
        return Err(format!("{thing} was put and reads differently: {}, where {} was meant", now.says(), to.says()));
    }
    Ok(())
}

fn check_of(action: &Action) -> Option<Checker> {
    match action {
        Action::WriteFile { check, .. } | Action::EditKeys { check, .. } => *check,
        _ => None,
    }
}

fn unwind(machine: &mut dyn Machine, journal: &Journal, step: usize, why: String) -> Failed {
    let entries = match journal.read(machine) {
        Ok(Some(record)) => record.entries,
        Ok(None) => Vec::new(),
        Err(error) => {
            let stuck = Stuck { thing: "the journal".to_owned(), why: error.to_string() };
            return Failed::Stuck { step, why, left: vec![stuck] };
        }
    };
    let left = undo::all(machine, journal, &entries);
    if left.is_empty() { Failed::Undone { step, why } } else { Failed::Stuck { step, why, left } }
}

/// Goes on with a run that was cut off, from the plan that it was started with.
pub fn resume(
    machine: &mut dyn Machine,
    journal: &Journal,
    plan: &Plan,
    said: &mut dyn FnMut(usize, &Step),
) -> Result<(), Failed> {
    let nothing = |why: String| Failed::Nothing { why };
    let record = journal.read(machine).map_err(|error| nothing(error.to_string()))?;
    let record = record.ok_or_else(|| nothing("the run never began; plan again".to_owned()))?;
    if record.entries.iter().any(|entry| entry.closed) {
        return Err(nothing("a part of it was taken back already; roll back the rest".to_owned()));
    }
    for (at, step) in plan.steps.iter().enumerate() {
        let known = record.entries.iter().find(|entry| entry.step == at);
        let went = match known {
            // Done is done, but for what a boot takes away: loaded rules.
            Some(entry) if entry.done && holds(machine, entry) => continue,
            Some(entry) => finish(machine, journal, entry),
            None => one(machine, journal, at, step),
        };
        if let Err(why) = went {
            return Err(unwind(machine, journal, at, why));
        }
        said(at, step);
    }
    journal
        .write(machine, &Line::Applied)
        .map_err(|error| unwind(machine, journal, plan.steps.len().saturating_sub(1), error.to_string()))
}

fn holds(machine: &dyn Machine, entry: &Entry) -> bool {
    let lost_at_boot = matches!(
        entry.thing,
        Thing::Table(_) | Thing::AuditKey(_) | Thing::Auditing | Thing::Kernel(_) | Thing::Service(_)
    );
    !lost_at_boot || look(machine, &entry.thing).is_ok_and(|(now, _)| now == entry.after)
}

/// A step that was intended: wherever it was cut off, it is done from there.
fn finish(machine: &mut dyn Machine, journal: &Journal, entry: &Entry) -> Result<(), String> {
    clear(machine, &entry.thing).map_err(|trouble| trouble.to_string())?;
    let now = look(machine, &entry.thing).map_err(|trouble| trouble.to_string())?.0;
    if !now.is_between(&entry.before, &entry.after) {
        return Err(format!("{} was changed since: it is {}", entry.thing, now.says()));
    }
    place(machine, journal, &entry.thing, &entry.after, entry.check)?;
    journal
        .write(machine, &Line::Done { step: entry.step })
        .map_err(|error| format!("the journal cannot be written: {error}"))
}
