//! Where the project has its way against the machine's owner: OpenCode merges the managed configuration last, but
//! rules are asked in order and lists are added up.

use schemars::JsonSchema;
use serde::Serialize;

use crate::facts::config::rules::{self, Rule};
use crate::facts::config::wildcard::covers;
use crate::facts::config::{Effective, Node, Span};
use crate::host::Host;
use crate::model::{Location, Merging, Scope, Subject, plain, redact_line};

/// A setting of the machine's owner.
#[derive(Serialize, JsonSchema)]
pub(super) struct ManagedFact {
    /// What the owner says.
    name: String,
    /// Where that is written.
    origin: String,
    /// What the project says, and what holds; null where the owner's setting holds.
    outranked_by: Option<String>,
    /// The agents concerned; empty for all.
    agents: Vec<String>,
    /// Where the project says so.
    at: Option<Location>,
}

/// See [`ManagedFact`].
pub(super) fn look(host: &dyn Host, subject: &Subject, config: &Effective) -> Vec<ManagedFact> {
    if subject.agent.merging != Merging::Opencode || config.managed.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<(Span, Span, ManagedFact)> = Vec::new();
    for agent in rules::of_agents(host, subject, config) {
        for (managed, project) in pairs(config, &agent.rules) {
            let key = (managed.at, project.map_or(Span::NOWHERE, |project| project.at));
            match found.iter_mut().find(|(a, b, _)| (*a, *b) == key) {
                Some((_, _, fact)) => fact.agents.push(agent.name.clone()),
                None => {
                    let fact = ManagedFact {
                        name: words(managed),
                        origin: super::origin(config, managed.at),
                        outranked_by: project.map(words),
                        agents: vec![agent.name.clone()],
                        at: project.and_then(|project| config.location(project.at)),
                    };
                    found.push((key.0, key.1, fact));
                }
            }
        }
    }
    let mut out: Vec<ManagedFact> = found.into_iter().map(|(_, _, fact)| fact).collect();
    lists(config, &mut out);
    out
}

/// A managed rule, and each weaker one of the project behind it that speaks of the same; none where there is none.
fn pairs<'a>(config: &Effective, rules: &'a [Rule]) -> Vec<(&'a Rule, Option<&'a Rule>)> {
    let layer = |rule: &Rule| config.layer(rule.at);
    let mut out = Vec::new();
    for (at, managed) in rules.iter().enumerate().filter(|(_, rule)| layer(rule).is_some_and(|layer| layer.managed)) {
        let overlap = |a: &str, b: &str| covers(a, b) || covers(b, a);
        let before = out.len();
        out.extend(rules.iter().skip(at + 1).filter_map(|project| {
            let of_project = layer(project).is_some_and(|layer| layer.scope == Scope::Repo);
            let same = overlap(&managed.permission, &project.permission) && overlap(&managed.pattern, &project.pattern);
            (of_project && same && project.action < managed.action).then_some((managed, Some(project)))
        }));
        if out.len() == before {
            out.push((managed, None));
        }
    }
    out
}

/// Lists that the owner wrote and that the project's entries stay in.
fn lists(config: &Effective, out: &mut Vec<ManagedFact>) {
    let of_project = |at: Span| config.layer(at).is_some_and(|layer| layer.scope == Scope::Repo);
    for key in ["plugin", "instructions"] {
        let Some(managed) = config.managed.get(key) else { continue };
        let entries: Vec<(String, Span)> = if key == "plugin" {
            config.plugins.iter().map(|plugin| (plugin.spec.clone(), plugin.at)).collect()
        } else {
            let all = config.root().and_then(|root| root.get(key)).and_then(Node::list).unwrap_or_default();
            all.iter().filter_map(|node| Some((node.text()?.to_owned(), node.at))).collect()
        };
        let fact = |by: Option<(String, Span)>| ManagedFact {
            name: format!("{key}: a list"),
            origin: super::origin(config, managed.at),
            agents: Vec::new(),
            at: by.as_ref().and_then(|(_, at)| config.location(*at)),
            outranked_by: by.map(|(text, _)| format!("{key} \"{}\"", redact_line(&text))),
        };
        let mut kept = entries.into_iter().filter(|(_, at)| of_project(*at)).peekable();
        if kept.peek().is_none() {
            out.push(fact(None));
        }
        out.extend(kept.map(|entry| fact(Some(entry))));
    }
}

fn words(rule: &Rule) -> String {
    let action = rule.action.map_or("(filled in)", rules::Action::name);
    plain(&redact_line(&format!("{} \"{}\": {action}", rule.permission, rule.pattern))).into_owned()
}
