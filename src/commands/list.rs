//! `harden list`.

use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Failure, terminal};
use crate::catalog::{self, Types};
use crate::cli::{Color, List, ListWhat, TextOrJson};
use crate::facts::{PROBES, Per};
use crate::model::{Agent, PARAMETERS, ParameterValue};
use crate::report;

/// Lists names with a few words on each.
pub(super) fn run(args: &List, color: Color) -> Result<ExitCode, Failure> {
    let rows = rows(args.what)?;
    let text = match args.format {
        TextOrJson::Json => terminal::json(&Value::Array(rows)),
        TextOrJson::Text => report::list(&rows, terminal::look(color)),
    };
    terminal::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Records with a few columns each; the last one is a sentence.
fn rows(what: ListWhat) -> Result<Vec<Value>, Failure> {
    Ok(match what {
        ListWhat::Checks => {
            let checks = catalog::checks(&Types::default())?;
            let mut checks: Vec<_> = checks.values().collect();
            checks.sort_by(|a, b| (&a.area, &a.code).cmp(&(&b.area, &b.code)));
            let row = |check: &&Arc<crate::model::Check>| {
                json!({
                    "area": check.area,
                    "code": check.code,
                    "severity": check.severity.name(),
                    "scope": check.scope.name(),
                    "check": check.id,
                    "title": check.title,
                })
            };
            checks.iter().map(row).collect()
        }
        ListWhat::Profiles => {
            let profiles = catalog::profile_names()?;
            profiles.iter().map(|(name, about)| json!({ "profile": name, "about": about })).collect()
        }
        ListWhat::Agents => {
            let agents = catalog::agents()?;
            agents
                .iter()
                .map(|agent| {
                    let others = agent.others.iter().flat_map(|other| &other.verified);
                    let verified: Vec<&str> = agent.verified.iter().chain(others).map(String::as_str).collect();
                    let editions = std::iter::once(agent).chain(&agent.others);
                    let name = |it: &Arc<Agent>| it.edition.as_ref().map_or(&it.name, |edition| &edition.name).clone();
                    let names: Vec<String> = editions.map(name).collect();
                    json!({ "agent": agent.agent, "verified": verified.join(" "), "name": names.join(", ") })
                })
                .collect()
        }
        ListWhat::Facts => PROBES
            .iter()
            .map(|probe| {
                let per = if probe.per == Per::Agent { "agent" } else { "host" };
                json!({ "fact": probe.name, "scope": probe.scope.name(), "per": per, "about": probe.about })
            })
            .collect(),
        ListWhat::Frameworks => {
            let checks = catalog::checks(&Types::default())?;
            let row = |name: &str| -> Result<Value, Failure> {
                let it = catalog::framework(name, &checks)?;
                Ok(json!({ "framework": name, "controls": it.controls.len().to_string(), "title": it.title }))
            };
            catalog::framework_names().into_iter().map(row).collect::<Result<_, _>>()?
        }
        ListWhat::Parameters => PARAMETERS
            .iter()
            .map(|parameter| json!({ "parameter": parameter.name, "type": kind(parameter.kind), "about": parameter.about }))
            .collect(),
    })
}

fn kind(kind: ParameterValue) -> &'static str {
    match kind {
        ParameterValue::Text => "text",
        ParameterValue::List => "list",
        ParameterValue::Number => "number",
        ParameterValue::Flag => "flag",
    }
}
