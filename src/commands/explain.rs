//! `harden explain`.

use std::process::ExitCode;

use super::{Failure, terminal};
use crate::catalog::{self, Types};
use crate::cli::Explain;

/// Says what a check looks for, why, and what to do.
pub(super) fn run(args: &Explain) -> Result<ExitCode, Failure> {
    let checks = catalog::checks(&Types::default())?;
    let found = checks.values().find(|check| check.id == args.check || check.code == args.check);
    let check = found
        .ok_or_else(|| Failure::usage(format!("no check is called `{}`", args.check), "see `harden list checks`"))?;
    terminal::print(&format!(
        "{} {}\n{}\n\n{}\n\n{}\n",
        check.code,
        check.id,
        check.title,
        check.why,
        check.remediation.source()
    ))?;
    Ok(ExitCode::SUCCESS)
}
