//! `harden rollback`.

use std::process::ExitCode;

use serde_json::json;

use super::{stores, timer};
use crate::apply::{self, Journal, Progress, RealMachine, Stuck};
use crate::cli::{RollbackArgs, TextOrJson};
use crate::commands::failure::cause;
use crate::commands::{Failure, terminal};
use crate::model::plain;

/// Takes a run back.
pub(in crate::commands) fn run(args: &RollbackArgs) -> Result<ExitCode, Failure> {
    if let Some(time) = args.unless_confirmed {
        timer::wait(time);
    }
    let store = stores::of_caller()?;
    let mut machine =
        RealMachine::live().map_err(|error| Failure::usage(format!("cannot open `/`: {}", cause(&error)), ""))?;
    // Without runs there is nothing to lock, and no store is made.
    if !stores::all(&store, &machine)?.is_empty() {
        stores::open(&store, &mut machine)?;
    }
    let runs = stores::all(&store, &machine)?;
    let found = match &args.run {
        Some(wanted) => runs.iter().find(|(id, _)| id == wanted),
        None => runs.iter().rev().find(|(_, record)| record.progress != Progress::RolledBack),
    };
    let Some((id, record)) = found else {
        let message =
            args.run.as_ref().map_or("there is no run to take back".to_owned(), |id| format!("there is no run `{id}`"));
        return Err(Failure::usage(message, "`harden runs` lists them"));
    };
    if record.progress == Progress::RolledBack {
        return Err(Failure::usage(format!("the run {id} was taken back already"), "`harden runs` lists them"));
    }
    if args.unless_confirmed.is_some() && record.confirmed {
        return Ok(ExitCode::SUCCESS);
    }
    let folder = store.run(id).ok_or_else(|| Failure::usage(format!("`{id}` is no name of a run"), ""))?;
    let journal = Journal::of(&folder);
    let obstacles = apply::obstacles(&machine, &journal, record);
    if !obstacles.is_empty() && !args.keep_changed {
        let stuck: Vec<Stuck> = obstacles.into_iter().map(|(_, stuck)| stuck).collect();
        let next = "put it back as it was, or leave it as it is and take the rest back: `--keep-changed`";
        return said(id, &stuck, "nothing was taken back", next, 1, args.format);
    }
    let keep: Vec<usize> = obstacles.iter().map(|(step, _)| *step).collect();
    let left = apply::rollback(&mut machine, &journal, record, &keep).map_err(|error| {
        Failure::usage(format!("the journal cannot be written: {}", cause(&error)), "make room on the disk")
    })?;
    if !left.is_empty() {
        return said(id, &left, "this could not be taken back", "put it right, and call this again", 5, args.format);
    }
    let kept: Vec<Stuck> = obstacles.into_iter().map(|(_, stuck)| stuck).collect();
    said(id, &kept, if kept.is_empty() { "" } else { "left as it is" }, "", 0, args.format)
}

fn said(run: &str, stuck: &[Stuck], word: &str, next: &str, code: u8, format: TextOrJson) -> Result<ExitCode, Failure> {
    match format {
        TextOrJson::Json => {
            terminal::print(&terminal::json(&json!({ "run": run, "code": code, "says": word, "things": stuck })))?;
        }
        TextOrJson::Text => {
            if code == 0 {
                terminal::print(&format!("the run {run} was taken back\n"))?;
            }
            if !word.is_empty() {
                terminal::error(&format!("{word}:"));
            }
            for each in stuck {
                terminal::error(&format!("  {}: {}", plain(&each.thing), plain(&each.why)));
            }
            if !next.is_empty() {
                terminal::error(next);
            }
        }
    }
    Ok(ExitCode::from(code))
}
