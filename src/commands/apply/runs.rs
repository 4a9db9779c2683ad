//! `harden runs`, `drift` and `confirm`: what was done, whether it still holds, and that it may stay.

use std::process::ExitCode;

use serde_json::json;

use super::stores;
use crate::apply::{self, Journal, Progress, RealMachine, Record};
use crate::cli::{Color, ConfirmArgs, RunsArgs, TextOrJson};
use crate::commands::failure::cause;
use crate::commands::{Failure, terminal};
use crate::model::plain;
use crate::report;

fn machine() -> Result<RealMachine, Failure> {
    RealMachine::live().map_err(|error| Failure::usage(format!("cannot open `/`: {}", cause(&error)), ""))
}

/// Lists the runs.
pub(in crate::commands) fn list(args: &RunsArgs, color: Color) -> Result<ExitCode, Failure> {
    let runs = stores::all(&stores::of_caller()?, &machine()?)?;
    if args.format == TextOrJson::Json {
        let rows: Vec<_> = runs.iter().map(|(id, record)| json!({ "run": id, "record": record })).collect();
        terminal::print(&terminal::json(&rows))?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<_> = runs.iter().map(|(id, record)| json!({ "run": id, "says": says(record) })).collect();
    terminal::print(&report::list(&rows, terminal::look(color)))?;
    Ok(ExitCode::SUCCESS)
}

fn says(record: &Record) -> String {
    let word = match record.progress {
        Progress::Applied => "in place".to_owned(),
        Progress::RolledBack => "taken back".to_owned(),
        Progress::CutOff => format!("cut off in step {}", record.entries.len()),
    };
    format!("{word} · {} steps · profile {} · {}", record.steps, plain(&record.profile), plain(&record.time))
}

/// Says what is not as runs left it.
pub(in crate::commands) fn drift(args: &RunsArgs) -> Result<ExitCode, Failure> {
    let machine = machine()?;
    let runs = stores::all(&stores::of_caller()?, &machine)?;
    let records: Vec<Record> = runs.into_iter().map(|(_, record)| record).collect();
    let changed = apply::drift(&machine, &records);
    match args.format {
        TextOrJson::Json => terminal::print(&terminal::json(&json!({ "changed": changed })))?,
        TextOrJson::Text if changed.is_empty() => terminal::print("everything is as `harden apply` left it\n")?,
        TextOrJson::Text => {
            let lines: String =
                changed.iter().map(|each| format!("{}: {}\n", plain(&each.thing), plain(&each.why))).collect();
            terminal::print(&lines)?;
        }
    }
    Ok(if changed.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Writes down that a run may stay.
pub(in crate::commands) fn confirm(args: &ConfirmArgs) -> Result<ExitCode, Failure> {
    let (store, mut machine) = (stores::of_caller()?, machine()?);
    let runs = stores::all(&store, &machine)?;
    let found = match &args.run {
        Some(wanted) => runs.iter().find(|(id, _)| id == wanted),
        None => runs.last(),
    };
    let found = found.filter(|(_, record)| record.progress == Progress::Applied);
    let Some((id, _)) = found else {
        return Err(Failure::usage("there is no run in place to confirm", "`harden runs` lists them"));
    };
    stores::open(&store, &mut machine)?;
    let folder = store.run(id).ok_or_else(|| Failure::usage(format!("`{id}` is no name of a run"), ""))?;
    apply::confirm(&mut machine, &Journal::of(&folder)).map_err(|error| {
        Failure::usage(format!("the journal cannot be written: {}", cause(&error)), "make room on the disk")
    })?;
    terminal::print(&match args.format {
        TextOrJson::Json => terminal::json(&json!({ "run": id, "confirmed": true })),
        TextOrJson::Text => format!("the run {id} stays\n"),
    })?;
    Ok(ExitCode::SUCCESS)
}
