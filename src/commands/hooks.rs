//! `harden hooks`.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::failure::cause;
use super::{Failure, terminal};
use crate::cli::{Color, Hooks, HooksChange, HooksCommand, HooksStatus, TextOrJson};
use crate::hooks::{self, Hook, Owner, Place, Step};
use crate::host::RealHost;
use crate::model::{AbsPath, plain};
use crate::report;

/// Installs hooks, takes them out, or says what there is.
pub(super) fn run(args: &Hooks, color: Color) -> Result<ExitCode, Failure> {
    match &args.what {
        HooksCommand::Install(args) => {
            let program = hooks::program().map_err(|error| {
                Failure::usage(error.to_string(), "put harden where its path is a plain one, and call it from there")
            })?;
            change(args, color, true, |place| hooks::install(place, &program))
        }
        HooksCommand::Uninstall(args) => change(args, color, false, hooks::uninstall),
        HooksCommand::Status(args) => status(args, color),
    }
}

fn change(
    args: &HooksChange,
    color: Color,
    installs: bool,
    act: impl Fn(&Place) -> io::Result<Vec<Step>>,
) -> Result<ExitCode, Failure> {
    let host = host()?;
    let place = place(&host, args.path.as_deref())?;
    allowed(&host, &place, args.shared)?;
    let steps = act(&place).map_err(|error| Failure::file(place.folder.as_path(), &error))?;
    let row = |step: &Step| json!({ "hook": step.hook.name(), "says": plain(&step.says) });
    let rows: Vec<Value> = steps.iter().map(row).collect();
    terminal::print(&report::list(&rows, terminal::look(color)))?;
    if installs {
        notes(&place.notes);
    }
    Ok(if steps.iter().all(|step| step.done) { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Refuses to write where others, or a commit, would get it.
fn allowed(host: &RealHost, place: &Place, shared: bool) -> Result<(), Failure> {
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
    let host = host()?;
    let place = place(&host, args.path.as_deref())?;
    let now = hooks::status(&host, &place).map_err(|error| unreadable(&place, &error))?;
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
            notes(&now.notes);
        }
    }
    let all = now.hooks.iter().filter(|one| one.scans).count() == Hook::ALL.len();
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn notes(notes: &[String]) {
    notes.iter().for_each(|note| terminal::error(&format!("note: {}", plain(note))));
}

fn host() -> Result<RealHost, Failure> {
    RealHost::live().map_err(|error| Failure::usage(format!("cannot open `/`: {}", cause(&error)), ""))
}

fn place(host: &RealHost, path: Option<&Path>) -> Result<Place, Failure> {
    let path = path.unwrap_or(Path::new("."));
    let full = path.canonicalize().map_err(|error| {
        Failure::usage(format!("cannot open `{}`: {}", path.display(), cause(&error)), "give a folder in a work tree")
    })?;
    let full = AbsPath::new(full).unwrap_or_else(AbsPath::root);
    hooks::find(host, &full).map_err(|error| Failure::usage(error.to_string(), error.help()))
}

fn unreadable(place: &Place, error: &io::Error) -> Failure {
    let message = format!("cannot read the hooks in `{}`: {}", place.folder, cause(error));
    Failure::usage(message, "run this as who may read them")
}
