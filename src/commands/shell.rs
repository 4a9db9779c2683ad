//! `harden schema`, `completions` and `man`: texts about the program itself.

use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory;

use super::{Failure, terminal};
use crate::catalog;
use crate::cli::{Cli, SchemaWhat};
use crate::report;

/// Prints a JSON Schema.
pub(super) fn schema(what: SchemaWhat) -> Result<ExitCode, Failure> {
    let schema = match what {
        SchemaWhat::Report => report::report_schema(),
        SchemaWhat::Scan => report::leaks_schema(),
        SchemaWhat::Check => catalog::check_schema(),
        SchemaWhat::Profile => catalog::profile_schema(),
        SchemaWhat::Facts => catalog::facts_schema(),
        SchemaWhat::Policy => catalog::policy_schema(),
        SchemaWhat::Framework => catalog::framework_schema(),
        SchemaWhat::Assessment => crate::evidence::assessment_schema(),
        SchemaWhat::Diff => crate::evidence::diff_schema(),
        SchemaWhat::Attestations => catalog::attestations_schema(),
    };
    terminal::print(&terminal::json(&schema))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints a completion script.
pub(super) fn completions(shell: clap_complete::Shell) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "harden", &mut script);
    terminal::print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the manual page of the program, or writes those of all commands into a folder.
pub(super) fn man(out: Option<&Path>) -> Result<ExitCode, Failure> {
    match out {
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            terminal::print(&String::from_utf8_lossy(&page))?;
        }
        Some(folder) => {
            let write = std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
            write.map_err(|cause| Failure::file(folder, &cause))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
