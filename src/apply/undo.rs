//! Takes a run back, step by step in reverse. What somebody changed since is not touched, and it is said.

use std::collections::BTreeSet;

use super::executor::place;
use super::journal::{Entry, Journal, Line, Record};
use super::machine::Machine;
use super::things;
use super::things::{Trouble, beside, clear, look};
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
    let (now, content) = look(machine, &entry.thing).map_err(text)?;
    if !is_ours(machine, journal, entry, &now, content.as_deref()) {
        return Err(format!("it was changed since: it is {}, where {} was left", now.says(), entry.after.says()));
    }
    place(machine, journal, &entry.thing, &entry.before, entry.check)?;
    journal
        .write(machine, &Line::Undone { step: entry.step })
        .map_err(|error| format!("it was taken back, and that could not be written: {error}"))
}

/// Whether a thing is as a step left it or found it, or as one that was cut off, forth or back, would leave it.
fn is_ours(machine: &dyn Machine, journal: &Journal, entry: &Entry, now: &State, content: Option<&[u8]>) -> bool {
    if !matches!(now, State::Rules { .. }) {
        return now.is_between(&entry.before, &entry.after);
    }
    // Rules go in and out one by one, and a boot may lose them: each that is there has to be known.
    let known = |state: &State| journal.content(machine, state).ok().flatten().unwrap_or_default();
    let (before, after) = (known(&entry.before), known(&entry.after));
    let is_known =
        |line: &[u8]| before.split(|b| *b == b'\n').chain(after.split(|b| *b == b'\n')).any(|known| known == line);
    *now == entry.before || content.is_some_and(|content| content.split(|b| *b == b'\n').all(is_known))
}

/// What stands in the way of taking a run back: things that were changed since, folders that are not empty, accounts in
/// use. Nothing is changed.
pub fn obstacles(machine: &dyn Machine, journal: &Journal, record: &Record) -> Vec<(usize, Stuck)> {
    let open: Vec<&Entry> = record.entries.iter().filter(|entry| !entry.closed).collect();
    let is_last =
        |entry: &&&Entry| !open.iter().any(|later| later.step > entry.step && is_same(&later.thing, &entry.thing));
    let last: Vec<&&Entry> = open.iter().filter(is_last).collect();
    let own = open.iter().filter_map(|entry| entry.thing.path());
    // And what one that was cut off has left beside it.
    let mut ours: BTreeSet<AbsPath> = own.flat_map(|path| [path.clone(), beside(path)]).collect();
    loop {
        let stands = |entry: &&&Entry| Some((entry.step, obstacle(machine, journal, entry, &ours)?));
        let found: Vec<(usize, Stuck)> = last.iter().filter_map(stands).collect();
        // What stays keeps the folder around it, and the account that owns it.
        let stays = |entry: &&&&Entry| found.iter().any(|(step, _)| *step == entry.step);
        let gone =
            last.iter().filter(stays).filter_map(|entry| entry.thing.path()).filter(|path| ours.remove(path)).count();
        if gone == 0 {
            return found;
        }
    }
}

fn obstacle(machine: &dyn Machine, journal: &Journal, entry: &Entry, ours: &BTreeSet<AbsPath>) -> Option<Stuck> {
    let why = match look(machine, &entry.thing) {
        Err(trouble) => Some(trouble.to_string()),
        Ok((now, content)) if !is_ours(machine, journal, entry, &now, content.as_deref()) => {
            Some(format!("it was changed since: it is {}, where {} was left", now.says(), entry.after.says()))
        }
        Ok((now, _)) => in_the_way(machine, entry, &now, ours),
    };
    why.map(|why| Stuck { thing: entry.thing.to_string(), why })
}

/// Whether a change of one is a change of the other.
fn is_same(one: &Thing, other: &Thing) -> bool {
    one == other || one.path().is_some() && one.path() == other.path()
}

fn in_the_way(machine: &dyn Machine, entry: &Entry, now: &State, ours: &BTreeSet<AbsPath>) -> Option<String> {
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
            match machine.processes_of(*uid) {
                Err(error) => return Some(format!("its processes could not be listed: {error}")),
                Ok(pids) if !pids.is_empty() => {
                    return Some(format!("it runs {} processes, {} among them", pids.len(), pids[0]));
                }
                Ok(_) => {}
            }
            // What this run made for it goes first.
            match machine.files_of(*uid) {
                Err(error) => Some(format!("its files could not be looked for: {error}")),
                Ok(files) => {
                    let file = files.iter().find(|file| !ours.contains(file))?;
                    Some(format!("it owns `{file}`, which this run did not make"))
                }
            }
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
