//! The commands: wiring only.

mod apply;
mod audit;
mod baseline;
mod explain;
mod facts;
mod failure;
mod history;
mod hooks;
mod init;
mod keep;
mod list;
mod log;
mod output;
mod policy;
mod progress;
mod report;
mod saved;
mod scan;
mod scan_compat;
mod scan_import;
mod scan_settle;
mod scan_state;
mod scan_waive;
mod session;
mod shell;
mod terminal;
mod verdict;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use crate::cli::{Cli, Command};

pub use failure::Failure;
pub use session::{Session, gather};

/// Said first of an audit that did not happen.
const NOTHING: &str = "nothing was audited";

/// Runs the program.
pub fn main() -> ExitCode {
    let started = Instant::now();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let outcome = match &cli.command {
        Command::Audit(args) => audit::run(args, cli.color, started),
        Command::Plan(args) => apply::plan(args, cli.color),
        Command::Apply(args) => apply::apply(args, cli.color),
        Command::Rollback(args) => apply::rollback(args),
        Command::Runs(args) => apply::runs(args, cli.color),
        Command::Drift(args) => apply::drift(args),
        Command::Confirm(args) => apply::confirm(args),
        Command::Policy(args) => policy::run(args, cli.color),
        Command::Report(args) => report::run(args),
        Command::History(args) => history::run(args, cli.color),
        Command::Diff(args) => history::diff(args),
        Command::Log(args) => log::run(args, cli.color),
        Command::Scan(args) => scan::run(args, cli.color),
        Command::Hooks(args) => hooks::run(args, cli.color),
        Command::Explain(args) => explain::run(args, cli.color),
        Command::List(args) => list::run(args, cli.color),
        Command::Facts(args) => facts::run(args),
        Command::Init(args) => init::run(args),
        Command::Schema(args) => shell::schema(args.what),
        Command::Completions(args) => shell::completions(args.shell),
        Command::Man(args) => shell::man(args.out.as_deref()),
    };
    outcome.unwrap_or_else(|failure| {
        let nothing = match &cli.command {
            Command::Audit(_) => Some(NOTHING),
            Command::Apply(_) | Command::Rollback(_) => Some("nothing was changed"),
            _ => None,
        };
        terminal::error(&failure.render(nothing.filter(|_| failure.came_first()), terminal::error_look(cli.color)));
        ExitCode::from(2)
    })
}

/// Help and version go to standard output with 0, mistakes to standard error with 2.
fn usage(error: &clap::Error) -> ExitCode {
    let audit = std::env::args().nth(1).is_some_and(|word| word == "audit");
    if error.use_stderr() && audit {
        terminal::error(NOTHING);
    }
    // A reader that went away has seen enough.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}
