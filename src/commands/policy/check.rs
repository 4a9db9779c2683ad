//! `harden policy check`.

use std::process::ExitCode;

use serde_json::json;

use super::places::{Places, full, with_approvals};
use crate::catalog::DeclarationFile;
use crate::cli::{Color, PolicyCheck, TextOrJson};
use crate::commands::{Failure, terminal};
use crate::model::{Change, widenings};

pub(super) fn run(places: &Places, args: &PolicyCheck, color: Color) -> Result<ExitCode, Failure> {
    let path = args.file.as_deref().map(full).transpose()?.unwrap_or_else(|| places.machine.clone());
    let file = places.policy(&path)?;
    let (_, approvals) = places.approvals()?;
    if path == places.machine {
        let said = format!("`{path}` is well-formed; {} approvals beside it", approvals.len());
        return told(&file, &[], args.format, color, &said);
    }
    let Some(machine) = places.policy_if_there(&places.machine)? else {
        let said = format!("`{path}` is well-formed; there is no policy of the machine to hold it against");
        return told(&file, &[], args.format, color, &said);
    };
    let wider = widenings(&with_approvals(&machine.declaration, &approvals), &file.declaration);
    told(&file, &wider, args.format, color, &format!("`{path}` only narrows `{}`", places.machine))
}

/// Says each widening at its line, or that there is none.
fn told(
    file: &DeclarationFile,
    wider: &[Change],
    format: TextOrJson,
    color: Color,
    fine: &str,
) -> Result<ExitCode, Failure> {
    match format {
        TextOrJson::Json => {
            let row = |change: &Change| json!({ "file": file.file, "line": file.line(&change.at, &change.item), "at": change.at, "says": change.says });
            let rows: Vec<_> = wider.iter().map(row).collect();
            terminal::print(&terminal::json(&json!({ "file": file.file, "widenings": rows })))?;
        }
        TextOrJson::Text if wider.is_empty() => terminal::print(&format!("{fine}\n"))?,
        TextOrJson::Text => {
            for change in wider {
                let error = file.widening(change);
                terminal::error(&Failure::from(error).render(None, terminal::error_look(color)));
            }
        }
    }
    Ok(if wider.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
