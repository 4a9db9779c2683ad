//! `harden policy why`.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::places::{Effective, Places};
use crate::catalog::{self, DeclarationFile};
use crate::cli::{PolicyWhy, TextOrJson};
use crate::commands::{Failure, terminal};
use crate::model::{Answer, exact_words, plain, redact_line};

/// An answer, why, and where that stands.
struct Reason {
    answer: Answer,
    says: String,
    at: Option<String>,
}

pub(super) fn run(places: &Places, args: &PolicyWhy) -> Result<ExitCode, Failure> {
    let project = places.project(args.project.as_deref())?.text();
    let effective = places.effective(&places.project(args.project.as_deref())?)?;
    let words = exact_words(&args.line);
    let reason = match &words {
        Ok(argv) => decided(places, &effective, argv, &project),
        Err(inexact) => {
            let rest = default(&effective);
            Reason { says: format!("it {}, so that no approval can name it; {}", inexact.0, rest.says), ..rest }
        }
    };
    let text = match args.format {
        TextOrJson::Json => terminal::json(&json!({
            "command": plain(&redact_line(&args.line)), "exact": words.is_ok(), "answer": reason.answer,
            "why": reason.says, "at": reason.at,
        })),
        TextOrJson::Text => {
            let at = reason.at.map(|at| format!(" ({at})")).unwrap_or_default();
            format!("{}: {}{}\n", reason.answer.name(), plain(&reason.says), plain(&at))
        }
    };
    terminal::print(&text)?;
    Ok(if reason.answer == Answer::Allow { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn decided(places: &Places, effective: &Effective, argv: &[String], project: &str) -> Reason {
    let today = catalog::today();
    let Some(approval) = effective.policy.approval(argv, project, today) else {
        let rest = default(effective);
        let dropped = effective.approvals.iter().any(|one| one.approval.argv == argv && one.approval.is_for(project));
        let why = if dropped { "the project's own policy takes its approval away" } else { "no approval names it" };
        return Reason { says: format!("{why}; {}", rest.says), ..rest };
    };
    let says =
        |word: &str, value: &Option<String>| value.as_ref().map(|value| format!(" {word} {value}")).unwrap_or_default();
    let beside = effective.approvals.iter().find(|one| one.approval.argv == argv && one.approval.is_for(project));
    let at = match beside {
        Some(one) => format!("{}:{}", places.approvals, one.line),
        None => place(&effective.machine, "approvals", &serde_json::to_value(approval).expect("plain data")),
    };
    let says =
        format!("approved{}{}{}", says("by", &approval.by), says("until", &approval.expires), says("as", &approval.id));
    Reason { answer: Answer::Allow, says, at: Some(at) }
}

/// What is said to commands that no approval names, and whose word that is.
fn default(effective: &Effective) -> Reason {
    let answer = effective.policy.shell.default.unwrap_or(Answer::Deny);
    let said = effective.machine.declaration.shell.default;
    let own = effective.own.as_ref().filter(|_| said.unwrap_or(Answer::Deny) != answer);
    let file = own.unwrap_or(&effective.machine);
    let says = match file.declaration.shell.default {
        Some(_) => format!("`shell.default` says {}", answer.name()),
        None => "`shell.default` is left out, which denies".to_owned(),
    };
    Reason { answer, says, at: Some(place(file, "shell.default", &Value::Null)) }
}

fn place(file: &DeclarationFile, at: &str, item: &Value) -> String {
    file.line(at, item).map_or_else(|| file.file.clone(), |line| format!("{}:{line}", file.file))
}
