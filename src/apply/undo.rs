//! Takes a run back, step by step in reverse. What somebody changed since is not touched, and it is said.

use std::collections::BTreeSet;

use super::executor::place;
use super::journal::{Entry, Journal, Line, Record};
use super::machine::Machine;
use super::things::{Trouble, clear, look};
use super::{account, things};
use crate::model::{AbsPath, State, Thing};

/// What could not be taken back.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Stuck {
    /// What.
    pub thing: String,
    /// Why, and what is there.
    pub why: String,
}

/// Takes back every step that was intended and is not closed yet; what cannot be is returned.
pub(super) fn all(machine: &mut dyn Machine, journal: &Journal, entries: &[Entry]) -> Vec<Stuck> {
    let mut left = Vec::new();
    for entry in entries.iter().rev().filter(|entry| !entry.closed) {
        if let Err(why) = one(machine, journal, entry) {
            left.push(Stuck { thing: entry.thing.to_string(), why });
        }
    }
    if left.is_empty()
        && let Err(error) = journal.write(machine, &Line::RolledBack)
    {
        left.push(Stuck {
            thing: "the journal".to_owned(),
            why: format!("everything was taken back, and that could not be written: {error}"),
        });
    }
    left
}

fn one(machine: &mut dyn Machine, journal: &Journal, entry: &Entry) -> Result<(), String> {
    let text = |trouble: Trouble| trouble.to_string();
    clear(machine, &entry.thing).map_err(text)?;
    let now = look(machine, &entry.thing).map_err(text)?.0;
    let is_ours = if entry.done {
        now == entry.after || now == entry.before
    } else {
        now.is_between(&entry.before, &entry.after)
    };
    // An undo that was cut off leaves something in between, too.
    if !is_ours && !now.is_between(&entry.before, &entry.after) {
        return Err(format!("it was changed since: it is {}, where {} was left", now.says(), entry.after.says()));
    }
    place(machine, journal, &entry.thing, &entry.before, entry.check)?;
    journal
        .write(machine, &Line::Undone { step: entry.step })
        .map_err(|error| format!("it was taken back, and that could not be written: {error}"))
}

/// What stands in the way of taking a run back: things that were changed since, folders that are not empty, accounts in
/// use. Nothing is changed.
pub fn obstacles(machine: &dyn Machine, record: &Record) -> Vec<(usize, Stuck)> {
    let open: Vec<&Entry> = record.entries.iter().filter(|entry| !entry.closed).collect();
    let last =
        |entry: &&&Entry| !open.iter().any(|later| later.step > entry.step && is_same(&later.thing, &entry.thing));
    let ours: BTreeSet<&AbsPath> = open.iter().filter_map(|entry| entry.thing.path()).collect();
    let obstacle = |entry: &&Entry| {
        let why = match look(machine, &entry.thing) {
            Err(trouble) => Some(trouble.to_string()),
            Ok((now, _)) if !now.is_between(&entry.before, &entry.after) => {
                Some(format!("it was changed since: it is {}, where {} was left", now.says(), entry.after.says()))
            }
            Ok((now, _)) => in_the_way(machine, entry, &now, &ours),
        };
        why.map(|why| (entry.step, Stuck { thing: entry.thing.to_string(), why }))
    };
    open.iter().filter(last).filter_map(|entry| obstacle(entry)).collect()
}

/// Whether a change of one is a change of the other.
fn is_same(one: &Thing, other: &Thing) -> bool {
    one == other || one.path().is_some() && one.path() == other.path()
}

fn in_the_way(machine: &dyn Machine, entry: &Entry, now: &State, ours: &BTreeSet<&AbsPath>) -> Option<String> {
    if entry.before != State::Absent {
        return None;
    }
    match (&entry.thing, now) {
        (Thing::Path(path), State::Dir { .. }) => {
            let names = match machine.list(path) {
                Ok(names) => names,
                Err(error) => return Some(format!("it cannot be listed: {error}")),
            };
            let name = names.into_iter().find(|name| !ours.contains(&path.join(name)))?;
            Some(format!("it holds `{}`, which this run did not put there", crate::model::plain(&name)))
        }
        (Thing::Account(_), State::Account { uid, .. }) => {
            let why = account::in_use(machine, *uid)?;
            // What this run made for it goes first.
            let files = machine.files_of(*uid).ok()?;
            let foreign = files.iter().find(|file| !ours.contains(file));
            (foreign.is_some() || why.starts_with("it runs")).then_some(why)
        }
        _ => None,
    }
}

/// Takes a run back. With `keep`, steps whose things were changed since are left as they are.
pub fn rollback(
    machine: &mut dyn Machine,
    journal: &Journal,
    record: &Record,
    keep: &[usize],
) -> Result<Vec<Stuck>, std::io::Error> {
    for step in keep {
        journal.write(machine, &Line::Kept { step: *step })?;
    }
    let entries: Vec<Entry> = record.entries.iter().filter(|entry| !keep.contains(&entry.step)).cloned().collect();
    Ok(all(machine, journal, &entries))
}

/// What differs now from what runs have left: each thing as its last run left it.
pub fn drift(machine: &dyn Machine, records: &[Record]) -> Vec<Stuck> {
    let mut latest: Vec<&Entry> = Vec::new();
    for entry in records.iter().flat_map(|record| &record.entries).filter(|entry| entry.done && !entry.closed) {
        latest.retain(|known| !is_same(&known.thing, &entry.thing));
        latest.push(entry);
    }
    let differs = |entry: &&Entry| match things::look(machine, &entry.thing) {
        Ok((now, _)) if now == entry.after => None,
        Ok((now, _)) => Some(format!("it is {}, where {} was left", now.says(), entry.after.says())),
        Err(trouble) => Some(trouble.to_string()),
    };
    latest.iter().filter_map(|entry| differs(entry).map(|why| Stuck { thing: entry.thing.to_string(), why })).collect()
}
