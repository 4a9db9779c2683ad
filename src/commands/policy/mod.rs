//! `harden policy`: what is declared, what was approved, and what that says to a command.

mod check;
mod diff;
mod places;
mod record;
mod show;
mod why;

use std::process::ExitCode;

use super::Failure;
use crate::cli::{Color, PolicyArgs, PolicyCommand};

/// Runs one of its commands.
pub(super) fn run(args: &PolicyArgs, color: Color) -> Result<ExitCode, Failure> {
    let places = places::Places::of(&args.machine)?;
    match &args.what {
        PolicyCommand::Check(args) => check::run(&places, args, color),
        PolicyCommand::Show(args) => show::run(&places, args),
        PolicyCommand::Diff(args) => diff::run(&places, args, color),
        PolicyCommand::Allow(args) => record::allow(&places, args),
        PolicyCommand::Revoke(args) => record::revoke(&places, args),
        PolicyCommand::Why(args) => why::run(&places, args),
    }
}
