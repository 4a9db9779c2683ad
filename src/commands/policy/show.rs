//! `harden policy show`.

use std::process::ExitCode;

use super::places::Places;
use crate::artifact;
use crate::cli::{PolicyShow, YamlOrJson};
use crate::commands::{Failure, terminal};

pub(super) fn run(places: &Places, args: &PolicyShow) -> Result<ExitCode, Failure> {
    let project = places.project(args.project.as_deref())?;
    let effective = places.effective(&project)?;
    let text = match args.format {
        YamlOrJson::Json => terminal::json(&effective.policy),
        YamlOrJson::Yaml => {
            let own = effective.own.as_ref().map(|own| format!(", narrowed by {}", own.file)).unwrap_or_default();
            let from = format!("# What holds for {project}: {} with its approvals{own}.\n", effective.machine.file);
            from + &artifact::policy_body(&effective.policy)
        }
    };
    terminal::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
