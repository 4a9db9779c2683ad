//! Where the project has its way against the machine's owner: OpenCode merges the managed configuration last, but
//! rules are asked in order and lists are added up.

use schemars::JsonSchema;
use serde::Serialize;

use crate::facts::config::rules::{self, Rule, covers};
use crate::facts::config::{Effective, Node, Span};
use crate::host::Host;
use crate::model::{Location, Merging, Scope, Subject, plain, redact_line};

/// A setting of the project that holds against a managed one.
#[derive(Serialize, JsonSchema)]
pub(super) struct OutrankedFact {
    /// What the project says.
    name: String,
    /// What the machine's owner said.
    managed: String,
    /// Where that is written.
    managed_origin: String,
    /// The agents concerned; empty for all.
    agents: Vec<String>,
    /// Where the project says so.
    at: Option<Location>,
}

/// See [`OutrankedFact`].
pub(super) fn look(host: &dyn Host, subject: &Subject, config: &Effective) -> Vec<OutrankedFact> {
    if subject.agent.merging != Merging::Opencode || config.managed.is_empty() {
        return Vec::new();
    }
    let mut out = Vec::new();
    let mut known: Vec<(Span, Span)> = Vec::new();
    for agent in rules::of_agents(host, subject, config) {
        for (managed, project) in pairs(config, &agent.rules) {
            match known.iter().position(|pair| *pair == (managed.at, project.at)) {
                Some(at) => {
                    let fact: &mut OutrankedFact = &mut out[at];
                    fact.agents.push(agent.name.clone());
                }
                None => {
                    known.push((managed.at, project.at));
                    out.push(OutrankedFact {
                        name: words(project),
                        managed: words(managed),
                        managed_origin: super::origin(config, managed.at),
                        agents: vec![agent.name.clone()],
                        at: config.location(project.at),
                    });
                }
            }
        }
    }
    lists(config, &mut out);
    out
}

/// A managed rule, and a weaker one of the project behind it that speaks of the same.
fn pairs<'a>(config: &Effective, rules: &'a [Rule]) -> Vec<(&'a Rule, &'a Rule)> {
    let layer = |rule: &Rule| config.layer(rule.at);
    let mut out = Vec::new();
    for (at, managed) in rules.iter().enumerate().filter(|(_, rule)| layer(rule).is_some_and(|layer| layer.managed)) {
        let behind = rules.iter().skip(at + 1).filter(|rule| layer(rule).is_some_and(|layer| layer.scope == Scope::Repo));
        for project in behind {
            let overlap = |a: &str, b: &str| covers(a, b) || covers(b, a);
            let same = overlap(&managed.permission, &project.permission) && overlap(&managed.pattern, &project.pattern);
            if same && project.action < managed.action {
                out.push((managed, project));
            }
        }
    }
    out
}

/// Lists that the owner wrote and that the project's entries stay in.
fn lists(config: &Effective, out: &mut Vec<OutrankedFact>) {
    let mut add = |key: &str, node: &Node, managed: &Node| {
        let text = node.text().map(redact_line).unwrap_or_default();
        out.push(OutrankedFact {
            name: format!("{key} `{text}`"),
            managed: format!("a list of its own for `{key}`"),
            managed_origin: super::origin(config, managed.at),
            agents: Vec::new(),
            at: config.location(node.at),
        });
    };
    let of_project = |at: Span| config.layer(at).is_some_and(|layer| layer.scope == Scope::Repo);
    if let Some(managed) = config.managed.get("plugin") {
        for plugin in config.plugins.iter().filter(|plugin| plugin.local && of_project(plugin.at)) {
            add("plugin", &Node::text_at(plugin.spec.clone(), plugin.at), managed);
        }
    }
    if let Some(managed) = config.managed.get("instructions") {
        let all = config.root().and_then(|root| root.get("instructions")).and_then(Node::list).unwrap_or_default();
        all.iter().filter(|node| of_project(node.at)).for_each(|node| add("instructions", node, managed));
    }
}

fn words(rule: &Rule) -> String {
    let action = rule.action.map_or("(filled in)", rules::Action::name);
    plain(&redact_line(&format!("{} \"{}\": {action}", rule.permission, rule.pattern))).into_owned()
}
