//! The final permission rules of each agent of OpenCode 2: those of the program, those of all files, the agent's own.
//! Policies are asked after them and can only forbid.

use std::sync::Arc;

use super::super::Effective;
use super::super::built_in::built_in;
use super::super::node::{Map, Node};
use super::super::rules::{Action, AgentRules, Level, Rule, action};
use super::super::source::Span;
use crate::facts::subject::place;
use crate::model::{AbsPath, Subject};

/// Actions whose resource is a path, so that `~` is spelled out in it. In a command it is not.
const OF_PATHS: &[&str] = &["external_directory", "read", "edit"];

/// The rules of every agent, also of hidden ones.
pub(in super::super) fn of_agents(subject: &Subject, config: &Effective) -> Vec<AgentRules> {
    let Some(root) = config.root() else { return Vec::new() };
    let home = place(subject, "{home}");
    let top = listed(root.get("permissions"), home.as_ref(), Level::Top);
    let policies = policies(root);
    let mut agents = native(home.as_ref());
    for agent in &mut agents {
        agent.rules.extend(top.iter().cloned());
    }
    for (key, entry) in root.get("agents").and_then(Node::map).into_iter().flat_map(Map::iter) {
        if entry.get("disabled").and_then(Node::bool) == Some(true) {
            agents.retain(|agent| agent.name != key.name);
            continue;
        }
        if !agents.iter().any(|agent| agent.name == key.name) {
            let rules = base().into_iter().chain(top.iter().cloned()).collect();
            agents.push(AgentRules { at: key.at, ..agent(&key.name, "all", false, rules) });
        }
        let Some(agent) = agents.iter_mut().find(|agent| agent.name == key.name) else { continue };
        agent.at = key.at;
        if let Some(mode) = entry.get("mode").and_then(Node::text) {
            mode.clone_into(&mut agent.mode);
        }
        if let Some(hidden) = entry.get("hidden").and_then(Node::bool) {
            agent.hidden = hidden;
        }
        agent.rules.extend(listed(entry.get("permissions"), home.as_ref(), Level::Agent));
    }
    for agent in &mut agents {
        agent.policies.clone_from(&policies);
    }
    agents
}

/// How many rules are written for all agents, and most for one.
pub(in super::super) fn counts(root: &Node) -> (usize, usize, usize) {
    let length = |node: Option<&Node>| node.and_then(Node::list).map_or(0, <[Node]>::len);
    let agents = root.get("agents").and_then(Node::map);
    let most = agents.into_iter().flat_map(Map::iter).map(|(_, agent)| length(agent.get("permissions"))).max();
    (agents.map_or(0, Map::len), length(root.get("permissions")), most.unwrap_or(0))
}

/// A list of rules, in order.
fn listed(list: Option<&Node>, home: Option<&AbsPath>, level: Level) -> Vec<Rule> {
    let rules = list.and_then(Node::list).unwrap_or_default().iter().filter_map(|entry| {
        let permission = entry.get("action")?.text()?;
        let pattern = entry.get("resource")?.text()?;
        let pattern = if OF_PATHS.contains(&permission) { expanded(pattern, home) } else { pattern.to_owned() };
        let (permission, pattern): (Arc<str>, Arc<str>) = (permission.into(), pattern.into());
        Some(Rule { permission, pattern, action: action(entry.get("effect")?), level, at: entry.at })
    });
    rules.collect()
}

fn expanded(pattern: &str, home: Option<&AbsPath>) -> String {
    let Some(home) = home.map(AbsPath::text) else { return pattern.to_owned() };
    match pattern.strip_prefix("~/").or_else(|| pattern.strip_prefix("$HOME/")) {
        _ if matches!(pattern, "~" | "$HOME") => home,
        Some(rest) => format!("{home}/{rest}"),
        None => pattern.to_owned(),
    }
}

/// Policies on permissions as rules: `shell:sudo *` is the tool and its input.
fn policies(root: &Node) -> Vec<Rule> {
    let all = root.get("experimental.policies").and_then(Node::list).unwrap_or_default();
    let of_permissions = all.iter().filter(|entry| entry.get("action").and_then(Node::text) == Some("permission"));
    let rules = of_permissions.filter_map(|entry| {
        let resource = entry.get("resource")?.text()?;
        let (permission, pattern) = resource.split_once(':').unwrap_or((resource, "*"));
        let action = action(entry.get("effect")?);
        Some(Rule {
            permission: permission.into(),
            pattern: pattern.into(),
            action,
            level: Level::Policy,
            at: entry.at,
        })
    });
    rules.collect()
}

fn base() -> Vec<Rule> {
    use Action::{Allow, Ask};
    vec![
        built_in("*", "*", Allow),
        built_in("external_directory", "*", Ask),
        built_in("read", "*.env", Ask),
        built_in("read", "*.env.*", Ask),
        built_in("read", "*.env.example", Allow),
    ]
}

fn agent(name: &str, mode: &str, hidden: bool, rules: Vec<Rule>) -> AgentRules {
    AgentRules {
        name: name.to_owned(),
        native: false,
        hidden,
        mode: mode.to_owned(),
        rules,
        policies: Vec::new(),
        at: Span::NOWHERE,
    }
}

fn native(home: Option<&AbsPath>) -> Vec<AgentRules> {
    use Action::{Allow, Ask, Deny};
    let of = |name: &str, mode: &str, hidden: bool, own: Vec<Rule>| AgentRules {
        native: true,
        ..agent(name, mode, hidden, base().into_iter().chain(own).collect())
    };
    let plans = home.map_or_else(|| "~".to_owned(), AbsPath::text);
    let mut explore = vec![built_in("*", "*", Deny)];
    explore.extend(["shell", "grep", "glob", "webfetch", "websearch", "read"].map(|tool| built_in(tool, "*", Allow)));
    explore.extend([
        built_in("read", "*.env", Ask),
        built_in("read", "*.env.*", Ask),
        built_in("read", "*.env.example", Allow),
        built_in("subagent", "*", Deny),
        built_in("external_directory", "*", Allow),
    ]);
    vec![
        of("build", "primary", false, vec![built_in("question", "*", Allow)]),
        of(
            "plan",
            "primary",
            false,
            vec![
                built_in("question", "*", Allow),
                built_in("edit", "*", Deny),
                built_in("edit", &format!("{plans}/.opencode/plan/*"), Allow),
            ],
        ),
        of("general", "subagent", false, vec![built_in("question", "*", Deny), built_in("subagent", "*", Deny)]),
        of("explore", "subagent", false, explore),
        of("compaction", "primary", true, Vec::new()),
        of("title", "primary", true, vec![built_in("*", "*", Deny)]),
        of("summary", "primary", true, vec![built_in("*", "*", Deny)]),
    ]
}
