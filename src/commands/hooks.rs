//! `harden hooks`.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::failure::cause;
use super::{Failure, session, terminal};
use crate::cli::{Color, Hooks, HooksChange, HooksCommand, HooksStatus, TextOrJson};
use crate::hooks::{self, Hook, Owner, Place, Step};
use crate::host::Host;
use crate::model::plain;
use crate::report;

/// Installs hooks, takes them out, or says what there is.
pub(super) fn run(args: &Hooks, color: Color) -> Result<ExitCode, Failure> {
    match &args.what {
        HooksCommand::Install(args) => {
            let program = hooks::program().map_err(|error| {
                Failure::usage(error.to_string(), "put harden where its path is a plain one, and call it from there")
            })?;
            install(args, color, &program)
        }
        HooksCommand::Uninstall(args) => uninstall(args, color),
        HooksCommand::Status(args) => status(args, color),
    }
}

fn install(args: &HooksChange, color: Color, program: &[u8]) -> Result<ExitCode, Failure> {
    let (host, place) = find(args.path.as_ref())?;
    allowed(host.as_ref(), &place, args.shared)?;
    let steps = hooks::install(&place, program).map_err(|error| Failure::file(place.folder.as_path(), &error))?;
    let done = told(&steps, color)?;
    notes(&place.notes);
    Ok(done)
}

/// Out of the folder that git takes hooks from, and out of the usual one where git has moved on.
fn uninstall(args: &HooksChange, color: Color) -> Result<ExitCode, Failure> {
    let (host, place) = find(args.path.as_ref())?;
    let left = hooks::left(host.as_ref(), &place).map_err(|error| unreadable(&place, &error))?;
    let taken = hooks::uninstall_left(&left).map_err(|error| unreadable(&place, &error))?;
    let allowed = allowed(host.as_ref(), &place, args.shared);
    let steps = match allowed {
        Ok(()) => hooks::uninstall(&place).map_err(|error| Failure::file(place.folder.as_path(), &error))?,
        // What was left behind is gone, and there is nothing of ours in the project's own folder.
        Err(_) if !taken.is_empty() => Vec::new(),
        Err(failure) => return Err(failure),
    };
    told(&[taken, steps].concat(), color)
}

/// Says what was done.
fn told(steps: &[Step], color: Color) -> Result<ExitCode, Failure> {
    let row = |step: &Step| json!({ "hook": step.hook.name(), "says": plain(&step.says) });
    let rows: Vec<Value> = steps.iter().map(row).collect();
    terminal::print(&report::list(&rows, terminal::look(color)))?;
    Ok(if steps.iter().all(|step| step.done) { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Refuses to write where others, or a commit, would get it.
fn allowed(host: &dyn Host, place: &Place, shared: bool) -> Result<(), Failure> {
    let from = place.from.as_deref().unwrap_or_default();
    match place.owner {
        Owner::Repository => Ok(()),
        Owner::Shared if shared => Ok(()),
        Owner::Shared => Err(Failure::usage(
            format!(
                "hooks are taken from `{}`, by `core.hooksPath` in {from}: it is not this repository's",
                place.folder
            ),
            "add --shared to do it for all repositories that use it, or give this one a folder of its own with \
             `git config --local core.hooksPath`",
        )),
        Owner::Off => Err(Failure::usage(
            format!("hooks are turned off here: `core.hooksPath` in {from} names no folder"),
            "take that setting out first",
        )),
        Owner::Project => {
            let now = hooks::status(host, place).map_err(|error| unreadable(place, &error))?;
            let lines: Vec<String> = now.hooks.iter().map(|one| format!("{}: {}", one.hook.name(), one.says)).collect();
            let message = format!("`{}` is the project's own folder of hooks, and is not written to", place.folder);
            Err(Failure::usage(message, plain(&lines.join("; ")).into_owned()))
        }
    }
}

fn status(args: &HooksStatus, color: Color) -> Result<ExitCode, Failure> {
    let (host, place) = find(args.path.as_ref())?;
    let now = hooks::status(host.as_ref(), &place).map_err(|error| unreadable(&place, &error))?;
    match args.format {
        TextOrJson::Json => terminal::print(&terminal::json(&now))?,
        TextOrJson::Text => {
            let row = |one: &hooks::One| {
                let scans = if one.scans { "scans" } else { "does not scan" };
                let file = one.file.to_string();
                let says = if one.says.is_empty() { file } else { format!("{file}: {}", one.says) };
                json!({ "hook": one.hook.name(), "state": one.state.name(), "scans": scans, "says": plain(&says) })
            };
            let rows: Vec<Value> = now.hooks.iter().map(row).collect();
            terminal::print(&report::list(&rows, terminal::look(color)))?;
            let left = now.left.iter().map(|file| {
                format!(
                    "`{file}` is harden's, and git takes hooks from elsewhere: `harden hooks uninstall` takes it out"
                )
            });
            notes(&left.chain(now.notes.iter().cloned()).collect::<Vec<_>>());
        }
    }
    let all = now.hooks.iter().filter(|one| one.scans).count() == Hook::ALL.len();
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn notes(notes: &[String]) {
    notes.iter().for_each(|note| terminal::error(&format!("note: {}", plain(note))));
}

/// This machine, and where git takes hooks from for the work tree around a path.
fn find(path: Option<&PathBuf>) -> Result<(Box<dyn Host>, Place), Failure> {
    let (host, folder) = session::open_live(path.map_or(Path::new("."), PathBuf::as_path))?;
    let place = hooks::find(host.as_ref(), &folder);
    let place = place.map_err(|error| Failure::usage(error.to_string(), error.help()))?;
    Ok((host, place))
}

fn unreadable(place: &Place, error: &io::Error) -> Failure {
    let message = format!("cannot read the hooks in `{}`: {}", place.folder, cause(error));
    Failure::usage(message, "run this as who may read them")
}
