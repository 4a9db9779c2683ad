//! `harden list` and `harden facts`.

use std::process::ExitCode;

use super::{Failure, Session, terminal};
use crate::catalog::{self, Request, Types};
use crate::cli::{Facts, ListWhat};
use crate::facts::PROBES;
use crate::model::PARAMETERS;

/// Lists names with a few words on each.
pub(super) fn run(what: ListWhat) -> Result<ExitCode, Failure> {
    let rows: Vec<(String, String)> = match what {
        ListWhat::Checks => {
            catalog::checks(&Types::default())?.values().map(|c| (c.id.clone(), c.title.clone())).collect()
        }
        ListWhat::Profiles => catalog::profile_names()?,
        ListWhat::Agents => catalog::agents()?.iter().map(|a| (a.agent.clone(), a.name.clone())).collect(),
        ListWhat::Facts => PROBES.iter().map(|p| (p.name.to_owned(), p.about.to_owned())).collect(),
        ListWhat::Parameters => PARAMETERS.iter().map(|p| (p.name.to_owned(), p.about.to_owned())).collect(),
    };
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let text: String = rows.iter().map(|(name, about)| format!("{name:width$}  {about}\n")).collect();
    terminal::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the facts of every agent.
pub(super) fn facts(args: &Facts) -> Result<ExitCode, Failure> {
    let session = Session::open(&args.target, &[], Request::default())?;
    let all = PROBES.iter().map(|probe| probe.name).collect();
    let (facts, _) = crate::facts::gather(session.host.as_ref(), &session.subjects, &all);
    let by_agent: serde_json::Map<String, serde_json::Value> = session
        .subjects
        .iter()
        .zip(facts)
        .map(|(subject, facts)| {
            (subject.agent.agent.clone(), facts.0.into_iter().map(|(name, fact)| (name.to_owned(), fact)).collect())
        })
        .collect();
    let mut text = serde_json::to_string_pretty(&by_agent).unwrap_or_default();
    text.push('\n');
    terminal::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
