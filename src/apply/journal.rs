//! What a run did, line by line, written down before it is done.
//!
//! A journal is JSON lines in a file of root's. *intended* is on the disk before a step starts, with the states before
//! and after; *done* follows it, *undone* takes it back. A line that was cut off by a loss of power is no line.

use std::io;

use serde::{Deserialize, Serialize};

use super::machine::{Machine, New};
use super::things::beside;
use crate::model::{ACTION_VERSION, AbsPath, Access, Checker, State, Thing, digest};

/// The largest journal that is read: 16 MiB.
const LIMIT: usize = 16 << 20;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
pub enum Line {
    /// The first one.
    Start {
        /// The format of actions and states.
        version: u32,
        /// The program's version.
        harden: String,
        /// When.
        time: String,
        /// The profile.
        profile: String,
        /// How many steps are to come.
        steps: usize,
    },
    /// A step is about to be done.
    Intended {
        /// Which.
        step: usize,
        /// What it changes.
        thing: Thing,
        /// What is there.
        before: State,
        /// What will be there.
        after: State,
        /// What has to accept it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        check: Option<Checker>,
    },
    /// It is done.
    Done {
        /// Which.
        step: usize,
    },
    /// It is taken back.
    Undone {
        /// Which.
        step: usize,
    },
    /// It is left as somebody changed it.
    Kept {
        /// Which.
        step: usize,
    },
    /// Every step is done.
    Applied,
    /// Every step is taken back.
    RolledBack,
    /// A person said that the change may stay.
    Confirmed,
}

/// How far a run came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// All of it is in place.
    Applied,
    /// It was cut off.
    CutOff,
    /// All of it was taken back.
    RolledBack,
}

/// A step that was at least intended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Which.
    pub step: usize,
    /// What it changes.
    pub thing: Thing,
    /// What was there.
    pub before: State,
    /// What is there after it.
    pub after: State,
    /// What has to accept it.
    #[serde(skip)]
    pub check: Option<Checker>,
    /// Whether it was done.
    pub done: bool,
    /// Whether it was taken back, or left to whoever changed it.
    pub closed: bool,
}

/// A journal as read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// When the run started.
    pub time: String,
    /// The profile.
    pub profile: String,
    /// How many steps it was to have.
    pub steps: usize,
    /// The steps that were at least intended, in order.
    pub entries: Vec<Entry>,
    /// How far it came.
    pub progress: Progress,
    /// Whether a person confirmed it.
    pub confirmed: bool,
}

/// A journal that is written to.
pub struct Journal {
    plan: AbsPath,
    file: AbsPath,
    contents: AbsPath,
}

impl Journal {
    /// That of a run, by the run's folder.
    pub fn of(run: &AbsPath) -> Self {
        Self { plan: run.join("plan.json"), file: run.join("journal.jsonl"), contents: run.join("contents") }
    }

    /// Makes an empty one in a run's folder, and a place for contents.
    pub(super) fn make(&self, machine: &mut dyn Machine, owner: &Access) -> io::Result<()> {
        let private = |mode| Access { mode: crate::model::Mode::new(mode), ..owner.clone() };
        machine.make(&self.contents, New::Dir { access: &private(0o700) })?;
        machine.make(&self.file, New::File { bytes: b"", access: &private(0o600), like: None })
    }

    /// Keeps the plan of the run beside it.
    pub fn keep_plan(&self, machine: &mut dyn Machine, text: &[u8], owner: &Access) -> io::Result<()> {
        let access = Access { mode: crate::model::Mode::new(0o600), ..owner.clone() };
        machine.make(&self.plan, New::File { bytes: text, access: &access, like: None })
    }

    /// The plan that was kept.
    pub fn plan(&self, machine: &dyn Machine) -> io::Result<Vec<u8>> {
        machine.look(&self.plan)?.1.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Writes a line, and returns when it is on the disk.
    pub(super) fn write(&self, machine: &mut dyn Machine, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_string(line).map_err(io::Error::other)?;
        text.push('\n');
        self.mend(machine)?;
        machine.append(&self.file, text.as_bytes())
    }

    /// Takes the rest of a line away that was cut off, so that the next one does not continue it.
    fn mend(&self, machine: &mut dyn Machine) -> io::Result<()> {
        let (State::File { access, .. }, Some(bytes)) = machine.look(&self.file)? else {
            return Err(io::Error::new(io::ErrorKind::NotFound, format!("`{}` is gone", self.file)));
        };
        if bytes.last().is_none_or(|last| *last == b'\n') {
            return Ok(());
        }
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let new = beside(&self.file);
        machine.remove(&new)?;
        machine.make(&new, New::File { bytes: &bytes[..whole], access: &access, like: None })?;
        machine.rename(&new, &self.file)
    }

    /// Keeps a content under its digest. What is there already is the same.
    pub(super) fn keep(&self, machine: &mut dyn Machine, bytes: &[u8], owner: &Access) -> io::Result<()> {
        let file = self.contents.join(digest(bytes));
        if let (State::File { digest: there, .. }, _) = machine.look(&file)? {
            if there == digest(bytes) {
                return Ok(());
            }
            machine.remove(&file)?;
        }
        let access = Access { mode: crate::model::Mode::new(0o600), ..owner.clone() };
        machine.make(&file, New::File { bytes, access: &access, like: None })
    }

    /// The content of a state; None where it has none. One that is not what its name says is an error.
    pub(super) fn content(&self, machine: &dyn Machine, state: &State) -> io::Result<Option<Vec<u8>>> {
        let Some(wanted) = state.digest() else { return Ok(None) };
        let file = self.contents.join(wanted);
        match machine.look(&file)?.1 {
            Some(bytes) if digest(&bytes) == wanted => Ok(Some(bytes)),
            Some(_) => Err(io::Error::other(format!("`{file}` is not what was kept"))),
            None => Err(io::Error::new(io::ErrorKind::NotFound, format!("`{file}` is gone"))),
        }
    }

    /// Reads it back. Ok(None) where the run never came to its first line.
    pub fn read(&self, machine: &dyn Machine) -> io::Result<Option<Record>> {
        let Some(bytes) = machine.look(&self.file)?.1 else { return Ok(None) };
        if bytes.len() > LIMIT {
            return Err(io::Error::other(format!("`{}` has {} bytes, more than are read", self.file, bytes.len())));
        }
        let text = String::from_utf8_lossy(&bytes);
        record(&text).map_err(|why| io::Error::new(io::ErrorKind::InvalidData, format!("`{}`: {why}", self.file)))
    }
}

/// What the lines say.
fn record(text: &str) -> Result<Option<Record>, String> {
    let mut record: Option<Record> = None;
    // The last line may be cut off: only an end of line makes it one.
    let complete = text.rfind('\n').map_or("", |end| &text[..end]);
    for (at, line) in complete.lines().enumerate() {
        let wrong = |why: String| format!("line {}: {why}", at + 1);
        let line: Line = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
        match (&mut record, line) {
            (None, Line::Start { version, time, profile, steps, .. }) => {
                if version > ACTION_VERSION {
                    return Err(wrong(format!("format {version} is of a newer version of harden")));
                }
                record = Some(Record {
                    time,
                    profile,
                    steps,
                    entries: Vec::new(),
                    progress: Progress::CutOff,
                    confirmed: false,
                });
            }
            (Some(record), line) => take(record, line).map_err(wrong)?,
            (None, _) => return Err(wrong("it does not begin with a start".to_owned())),
        }
    }
    Ok(record)
}

fn take(record: &mut Record, line: Line) -> Result<(), String> {
    let find = |record: &mut Record, step: usize| {
        record
            .entries
            .iter()
            .position(|entry| entry.step == step)
            .ok_or_else(|| format!("step {step} was never intended"))
    };
    match line {
        Line::Start { .. } => return Err("a second start".to_owned()),
        Line::Intended { step, thing, before, after, check } => {
            let entry = Entry { step, thing, before, after, check, done: false, closed: false };
            match record.entries.iter_mut().find(|known| known.step == step) {
                Some(known) => *known = entry,
                None => record.entries.push(entry),
            }
        }
        Line::Done { step } => {
            let at = find(record, step)?;
            record.entries[at].done = true;
        }
        Line::Undone { step } | Line::Kept { step } => {
            let at = find(record, step)?;
            record.entries[at].closed = true;
        }
        Line::Applied => record.progress = Progress::Applied,
        Line::RolledBack => record.progress = Progress::RolledBack,
        Line::Confirmed => record.confirmed = true,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(line: &Line) -> String {
        serde_json::to_string(line).expect("plain data") + "\n"
    }

    fn start() -> String {
        line(&Line::Start { version: 1, harden: "0".into(), time: "t".into(), profile: "p".into(), steps: 1 })
    }

    fn intended() -> String {
        let thing = Thing::Auditing;
        line(&Line::Intended { step: 0, thing, before: State::Absent, after: State::Other, check: None })
    }

    #[test]
    fn a_line_that_was_cut_off_is_no_line() {
        let whole = start() + &intended() + &line(&Line::Done { step: 0 });
        for length in start().len()..whole.len() {
            let record = record(&whole[..length]).expect("reads").expect("started");
            let expected = usize::from(length >= (start() + &intended()).len());
            assert_eq!(record.entries.len(), expected, "{length}");
            assert!(record.entries.iter().all(|entry| !entry.done));
        }
        assert_eq!(record(&start()[..10]).expect("reads"), None);
    }

    #[test]
    fn a_journal_that_makes_no_sense_is_an_error_with_its_line() {
        for (text, expected) in [
            (intended(), "line 1: it does not begin with a start"),
            (start() + "{}\n", "line 2: missing field `line`"),
            (start() + &line(&Line::Done { step: 3 }), "line 2: step 3 was never intended"),
            (start().replace("\"version\":1", "\"version\":9"), "line 1: format 9 is of a newer version of harden"),
        ] {
            let error = record(&text).expect_err("an error");
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
