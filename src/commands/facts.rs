//! `harden facts`.

use std::collections::BTreeSet;
use std::process::ExitCode;

use serde_json::{Map, Value};

use super::{Failure, Session, terminal};
use crate::catalog::{self, Request};
use crate::cli::Facts;
use crate::facts::{self, PROBES};

/// Prints the facts of every agent.
pub(super) fn run(args: &Facts) -> Result<ExitCode, Failure> {
    let session = Session::open(&args.target, &[], Request::default())?;
    let (facts, _) = facts::gather(session.host.as_ref(), &session.subjects, &wanted(&args.only)?);
    let by_agent: Map<String, Value> = session
        .subjects
        .iter()
        .zip(facts)
        .map(|(subject, facts)| {
            (subject.agent.agent.clone(), facts.0.into_iter().map(|(name, fact)| (name.to_owned(), fact)).collect())
        })
        .collect();
    terminal::print(&terminal::json(&Value::Object(by_agent)))?;
    Ok(ExitCode::SUCCESS)
}

fn wanted(only: &[String]) -> Result<BTreeSet<&'static str>, Failure> {
    if only.is_empty() {
        return Ok(PROBES.iter().map(|probe| probe.name).collect());
    }
    let names = || PROBES.iter().map(|probe| probe.name);
    only.iter()
        .map(|name| {
            names().find(|known| known == name).ok_or_else(|| {
                let near = catalog::nearest(name, names()).map(|near| format!("did you mean `{near}`? "));
                let help = format!("{}`harden list facts` names them", near.unwrap_or_default());
                Failure::usage(format!("no fact is called `{name}`"), help)
            })
        })
        .collect()
}
