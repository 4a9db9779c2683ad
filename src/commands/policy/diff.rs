//! `harden policy diff`.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::places::{Places, full};
use crate::cli::{Color, PolicyDiff, TextOrJson};
use crate::commands::{Failure, terminal};
use crate::model::{Change, Declaration, changes, plain};
use crate::report;

pub(super) fn run(places: &Places, args: &PolicyDiff, color: Color) -> Result<ExitCode, Failure> {
    let path = args.file.as_deref().map(full).transpose()?.unwrap_or_else(|| places.machine.clone());
    let file = places.policy(&path)?;
    let accepted = places.accepted()?;
    // What was never accepted allowed nothing.
    let closed = Declaration::default();
    let before = accepted.as_ref().map_or(&closed, |accepted| &accepted.policy);
    let mut all = changes(before, &file.declaration);
    all.sort_by_key(|change| !change.widens);
    let digest = accepted.as_ref().map(|accepted| accepted.digest.clone());
    match args.format {
        TextOrJson::Json => {
            let row = |change: &Change| json!({ "at": change.at, "says": change.says, "widens": change.widens, "line": file.line(&change.at, &change.item) });
            let rows: Vec<Value> = all.iter().map(row).collect();
            terminal::print(&terminal::json(&json!({
                "file": file.file, "digest": file.declaration.digest(), "accepted": digest, "changes": rows,
            })))?;
        }
        TextOrJson::Text => {
            let since = match &digest {
                Some(digest) => format!("since {} was accepted", digest.get(..12).unwrap_or_default()),
                None => "no policy was accepted yet: against one that allows nothing".to_owned(),
            };
            let row = |change: &Change| {
                let line = file.line(&change.at, &change.item).map(|line| format!("{}:{line}", file.file));
                json!({
                    "kind": if change.widens { "wider" } else { "narrower" },
                    "line": line.unwrap_or_else(|| file.file.clone()),
                    "says": plain(&change.says),
                })
            };
            let rows: Vec<Value> = all.iter().map(row).collect();
            let none = if rows.is_empty() { "nothing is different\n" } else { "" };
            terminal::print(&format!("{since}\n{none}{}", report::list(&rows, terminal::look(color))))?;
        }
    }
    Ok(if all.iter().any(|change| change.widens) { ExitCode::from(1) } else { ExitCode::SUCCESS })
}
