//! `harden apply`.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::json;

use super::planned::{self, Planned};
use super::{NOTHING, as_json, saved, show, stores, timer};
use crate::apply::{self, Failed, Journal, RealMachine, Store};
use crate::cli::{ApplyArgs, Color, TextOrJson};
use crate::commands::failure::cause;
use crate::commands::{Failure, terminal};
use crate::model::{Asked, Finding, Plan, Reason, Status, Step, plain};
use crate::report::{self, Outcome};

/// Plans, asks, does, and audits again.
pub(in crate::commands) fn run(args: &ApplyArgs, color: Color) -> Result<ExitCode, Failure> {
    let store = stores::of_caller()?;
    if args.resume {
        return resume(&store, args.planning.format, color);
    }
    let (asked, agreed) = what(args)?;
    let mut planned = planned::plan(asked)?;
    if let Some(agreed) = &agreed {
        saved::hold(agreed, &planned.plan)?;
    }
    if args.dry_run {
        show(&planned, args.planning.format, color)?;
        return Ok(if planned.plan.steps.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) });
    }
    no_unfinished(&store, &planned.machine)?;
    let is_root = rustix::process::geteuid().is_root();
    if let Some(step) = planned.plan.steps.iter().find(|step| step.needs_root && !is_root) {
        let message = format!("only root can {}", step.action.says());
        return Err(Failure::usage(message, "run with sudo, or leave what needs root out with --only"));
    }
    if args.planning.format == TextOrJson::Text {
        show(&planned, TextOrJson::Text, color)?;
    }
    if planned.plan.steps.is_empty() {
        return finish(None, &planned, args.planning.format, color);
    }
    if !(args.yes || agree()?) {
        terminal::error(NOTHING);
        return Ok(ExitCode::from(2));
    }
    let run = stores::new_id();
    stores::open(&store, &mut planned.machine)?;
    let journal = begin(&store, &mut planned.machine, &run, &planned.plan)?;
    if let Some(within) = args.confirm_within {
        timer::arm(&run, within)?;
    }
    let time = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let Planned { plan, contents, machine, .. } = &mut planned;
    let done = apply::apply(machine, &store, &journal, plan, contents, &time, &mut said(args.planning.format));
    if let Err(failed) = done {
        return Ok(broke_off(&failed, &run, args.planning.format)?);
    }
    if let Some(within) = args.confirm_within {
        terminal::error(&format!("taken back in {} seconds unless `harden confirm` is called", within.as_secs()));
    }
    finish(Some(&run), &planned, args.planning.format, color)
}

/// What is asked for: by the command line, or by the plan that it names.
fn what(args: &ApplyArgs) -> Result<(Asked, Option<Plan>), Failure> {
    let file = args.planning.target.path.as_deref().filter(|path| path.is_file());
    if args.yes && args.planning.classes.is_empty() && file.is_none() {
        return Err(Failure::usage(
            "--yes without the classes that it agrees to",
            "add `--class safe`, or `--class safe,guarded`",
        ));
    }
    match file {
        Some(file) => {
            let plan = saved::read(file)?;
            Ok((plan.asked.clone(), Some(plan)))
        }
        None => Ok((planned::asked(&args.planning)?, None)),
    }
}

fn no_unfinished(store: &Store, machine: &RealMachine) -> Result<(), Failure> {
    let runs = stores::all(store, machine)?;
    match stores::cut_off(&runs) {
        None => Ok(()),
        Some((id, record)) => Err(Failure::usage(
            format!("the run {id} of {} was cut off in step {} of {}", record.time, record.entries.len(), record.steps),
            format!("`harden apply --resume` goes on with it, `harden rollback {id}` takes it back"),
        )),
    }
}

/// Asks on the terminal.
fn agree() -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            "nobody is there to be asked",
            "name what you agree to: `--yes --class safe,guarded`",
        ));
    }
    let mut err = std::io::stderr().lock();
    let _ = write!(err, "apply this? [y/N] ").and_then(|()| err.flush());
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Makes the run's folder, with the plan in it, so that it can be gone on with.
fn begin(store: &Store, machine: &mut RealMachine, run: &str, plan: &Plan) -> Result<Journal, Failure> {
    let text = serde_json::to_string(plan).expect("plain data");
    let made = store.begin(machine, run).and_then(|journal| {
        journal.keep_plan(machine, text.as_bytes(), store.owner())?;
        Ok(journal)
    });
    made.map_err(|error| {
        Failure::usage(format!("the journal cannot be kept: {}", cause(&error)), "make room on the disk")
    })
}

fn said(format: TextOrJson) -> impl FnMut(usize, &Step) {
    move |at, step| {
        if format == TextOrJson::Text {
            terminal::error(&format!("done  {}  {}", at + 1, plain(&step.action.says())));
        }
    }
}

/// Says what a failure left: 4 where that is nothing, 5 where a person has to look.
fn broke_off(failed: &Failed, run: &str, format: TextOrJson) -> std::io::Result<ExitCode> {
    let why = plain(&failed.to_string()).into_owned();
    let (code, word) = match failed {
        Failed::Nothing { .. } => (2, NOTHING.to_owned()),
        Failed::Undone { .. } => (4, "everything that was changed was taken back".to_owned()),
        Failed::Stuck { left, .. } => {
            let left: Vec<String> =
                left.iter().map(|stuck| format!("  {}: {}", plain(&stuck.thing), plain(&stuck.why))).collect();
            let next = format!("put that right, then `harden rollback {run}`");
            (5, format!("this could not be taken back:\n{}\n{next}", left.join("\n")))
        }
    };
    match format {
        TextOrJson::Text => terminal::error(&format!("{why}\n{word}")),
        TextOrJson::Json => {
            let left = if let Failed::Stuck { left, .. } = failed { left.as_slice() } else { &[] };
            terminal::print(&terminal::json(&json!({ "run": run, "code": code, "why": why, "left": left })))?;
        }
    }
    Ok(ExitCode::from(code))
}

/// Audits again, and says of every finding what became of it.
fn finish(run: Option<&str>, planned: &Planned, format: TextOrJson, color: Color) -> Result<ExitCode, Failure> {
    let after = if run.is_some() { planned::look(&planned.plan.asked)?.1 } else { planned.findings.clone() };
    let outcomes = outcomes(&planned.plan, &after);
    let is_fixed = outcomes.iter().all(|(_, outcome)| *outcome == Outcome::Fixed) && planned.plan.person.is_empty();
    match format {
        TextOrJson::Json => {
            let findings: Vec<_> =
                outcomes.iter().map(|(reason, outcome)| json!({ "finding": reason, "became": outcome })).collect();
            terminal::print(&terminal::json(&json!({ "run": run, "plan": as_json(planned), "findings": findings })))?;
        }
        TextOrJson::Text if run.is_some() => {
            let look = terminal::look(color);
            let mut text = report::outcomes(&outcomes, look);
            text += &report::person(&planned.plan.person, look);
            text += &format!("\n`harden rollback {}` takes it back\n", run.unwrap_or_default());
            terminal::print(&text)?;
        }
        TextOrJson::Text => {}
    }
    Ok(if is_fixed { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// What became of each finding that a step was for.
fn outcomes(plan: &Plan, after: &[Finding]) -> Vec<(Reason, Outcome)> {
    let mut reasons: Vec<Reason> = plan.steps.iter().flat_map(|step| step.wanted_by.iter().cloned()).collect();
    reasons.sort();
    reasons.dedup();
    let outcome = |reason: Reason| {
        // The findings of one check: an item that passes is no finding of its own any more.
        let same = |finding: &&Finding| {
            finding.fingerprint == reason.fingerprint || reason.subject.is_none() && finding.check == reason.check
        };
        let bad = after.iter().filter(same).find(|finding| matches!(finding.status, Status::Fail | Status::Unknown));
        let outcome = match bad {
            None => Outcome::Fixed,
            Some(finding) if finding.status == Status::Fail => Outcome::StillFailing { why: finding.message.clone() },
            Some(finding) => Outcome::Untold { why: finding.message.clone() },
        };
        (reason, outcome)
    };
    reasons.into_iter().map(outcome).collect()
}

/// Goes on with what was cut off.
fn resume(store: &Store, format: TextOrJson, color: Color) -> Result<ExitCode, Failure> {
    let mut machine =
        RealMachine::live().map_err(|error| Failure::usage(format!("cannot open `/`: {}", cause(&error)), ""))?;
    let none = || Failure::usage("no run was cut off", "`harden runs` lists them");
    stores::cut_off(&stores::all(store, &machine)?).ok_or_else(none)?;
    stores::open(store, &mut machine)?;
    let runs = stores::all(store, &machine)?;
    let (run, _) = stores::cut_off(&runs).ok_or_else(none)?;
    let folder = store.run(run).ok_or_else(|| Failure::usage(format!("`{run}` is no name of a run"), ""))?;
    let journal = Journal::of(&folder);
    let text = journal.plan(&machine).map_err(|error| {
        Failure::usage(
            format!("the plan of the run {run} cannot be read: {}", cause(&error)),
            format!("take it back: `harden rollback {run}`"),
        )
    })?;
    let plan: Plan = serde_json::from_slice(&text).map_err(|error| {
        Failure::usage(
            format!("the plan of the run {run} is not understood: {error}"),
            format!("take it back: `harden rollback {run}`"),
        )
    })?;
    if let Err(failed) = apply::resume(&mut machine, &journal, &plan, &mut said(format)) {
        return Ok(broke_off(&failed, run, format)?);
    }
    let planned = Planned { plan, contents: Default::default(), findings: Vec::new(), machine };
    finish(Some(run), &planned, format, color)
}
