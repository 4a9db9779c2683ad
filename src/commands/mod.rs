//! The commands: wiring only.

mod audit;
mod explain;
mod failure;
mod list;
mod session;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

pub use failure::Failure;
pub use session::{Session, gather};

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Audit(args) => audit::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::List(args) => list::run(args.what),
        Command::Facts(args) => list::facts(&args),
    };
    outcome.unwrap_or_else(|failure| {
        terminal::error(&failure.render());
        ExitCode::from(2)
    })
}
