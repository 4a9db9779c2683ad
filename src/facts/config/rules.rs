//! The final permission rules of each agent, in the order in which OpenCode 1.18.33 asks them; the last that
//! matches decides.

use std::sync::Arc;

use super::built_in::{Places, built_in, native};
use super::node::{Map, Node, NodeValue};
use super::source::Span;
use super::wildcard::{covers, matches};
use super::{Effective, opencode2};
use crate::facts::subject::place;
use crate::host::Host;
use crate::model::{AbsPath, Merging, Subject};

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Done without asking.
    Allow,
    /// A person is asked.
    Ask,
    /// Not done.
    Deny,
}

impl Action {
    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
        }
    }
}

/// Where a rule comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The program.
    BuiltIn,
    /// `permission`, for all agents.
    Top,
    /// `agent.<name>.permission`.
    Agent,
    /// A policy: asked after all rules.
    Policy,
}

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The tool, as a pattern.
    pub permission: Arc<str>,
    /// What it is asked for, as a pattern; `~` is spelled out.
    pub pattern: Arc<str>,
    /// What it says; none where a variable or file says it.
    pub action: Option<Action>,
    /// Where it comes from.
    pub level: Level,
    /// Where it stands.
    pub at: Span,
}

/// An agent and its rules.
#[derive(Clone, Debug)]
pub struct AgentRules {
    /// Its name.
    pub name: String,
    /// Whether the program brings it.
    pub native: bool,
    /// Whether it is kept from the choice of agents.
    pub hidden: bool,
    /// `primary`, `subagent` or `all`.
    pub mode: String,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
    /// Policies in order, the last that matches decides; one that forbids holds against all rules.
    pub policies: Vec<Rule>,
    /// Where it is defined; nowhere for those of the program that no file names.
    pub at: Span,
}

/// Most rules of all agents together.
const RULE_LIMIT: usize = 200_000;

/// Whether the agents have more rules than can be listed: each repeats those for all.
pub fn too_many(config: &Effective) -> bool {
    let Some(root) = config.root() else { return false };
    if config.merging == Merging::Opencode2 {
        let (agents, top, most) = opencode2::rules::counts(root);
        return (agents + 7).saturating_mul(top + 40) > RULE_LIMIT || top.max(most) > COMPARED;
    }
    let agents = root.get("agent").and_then(Node::map).map_or(0, Map::len) + 7;
    let top = flatten(root.get("permission"), None, Level::Top).len() + 40;
    let own = root.get("agent").and_then(Node::map).into_iter().flat_map(Map::iter);
    let most = own.map(|(_, agent)| flatten(agent.get("permission"), None, Level::Agent).len()).max().unwrap_or(0);
    agents.saturating_mul(top) > RULE_LIMIT || top.max(most) > COMPARED
}

/// The rules of every agent, also of hidden ones.
pub fn of_agents(host: &dyn Host, subject: &Subject, config: &Effective) -> Vec<AgentRules> {
    if config.merging == Merging::Opencode2 {
        return opencode2::rules::of_agents(subject, config);
    }
    let Some(root) = config.root() else { return Vec::new() };
    let home = place(subject, "{home}");
    let places = Places::new(host, subject, config);
    let base = places.base();
    let top = flatten(root.get("permission"), home.as_ref(), Level::Top);
    let mut agents: Vec<AgentRules> = native(&places, &base)
        .into_iter()
        .map(|mut agent| {
            agent.rules.extend(top.iter().cloned());
            agent
        })
        .collect();
    for (key, entry) in root.get("agent").and_then(Node::map).into_iter().flat_map(Map::iter) {
        if entry.get("disable").and_then(Node::bool) == Some(true) {
            agents.retain(|agent| agent.name != key.name);
            continue;
        }
        if !agents.iter().any(|agent| agent.name == key.name) {
            let rules = base.iter().chain(&top).cloned().collect();
            agents.push(AgentRules {
                name: key.name.clone(),
                native: false,
                hidden: false,
                mode: "all".into(),
                rules,
                policies: Vec::new(),
                at: key.at,
            });
        }
        let Some(agent) = agents.iter_mut().find(|agent| agent.name == key.name) else { continue };
        agent.at = key.at;
        if let Some(mode) = entry.get("mode").and_then(Node::text) {
            mode.clone_into(&mut agent.mode);
        }
        if let Some(hidden) = entry.get("hidden").and_then(Node::bool) {
            agent.hidden = hidden;
        }
        agent.rules.extend(flatten(entry.get("permission"), home.as_ref(), Level::Agent));
    }
    for agent in &mut agents {
        let output = format!("{}/tool-output/*", places.data);
        let closed = |rule: &Rule| {
            &*rule.permission == "external_directory" && *rule.pattern == *output && rule.action == Some(Action::Deny)
        };
        if !agent.rules.iter().any(closed) {
            agent.rules.push(built_in("external_directory", &output, Action::Allow));
        }
    }
    agents
}

/// A permission map as rules, in order.
pub fn flatten(permission: Option<&Node>, home: Option<&AbsPath>, level: Level) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (key, value) in permission.and_then(Node::map).into_iter().flat_map(Map::iter) {
        let name: Arc<str> = key.name.as_str().into();
        let rule = |pattern: &str, node: &Node, at| Rule {
            permission: Arc::clone(&name),
            pattern: expanded(pattern, home).into(),
            action: action(node),
            level,
            at,
        };
        match &value.value {
            NodeValue::Text(_) => rules.push(rule("*", value, key.at)),
            NodeValue::Map(patterns) => {
                rules.extend(patterns.iter().map(|(key, value)| rule(&key.name, value, key.at)))
            }
            _ => {}
        }
    }
    rules
}

/// The action that a text names.
pub(super) fn action(node: &Node) -> Option<Action> {
    match node.text()? {
        "allow" => Some(Action::Allow),
        "ask" => Some(Action::Ask),
        "deny" => Some(Action::Deny),
        _ => None,
    }
}

fn expanded(pattern: &str, home: Option<&AbsPath>) -> String {
    let Some(home) = home.map(AbsPath::text) else { return pattern.to_owned() };
    match (pattern, pattern.strip_prefix("~/"), pattern.strip_prefix("$HOME")) {
        ("~", _, _) => home,
        (_, Some(rest), _) => format!("{home}/{rest}"),
        (_, _, Some(rest)) => format!("{home}{rest}"),
        _ => pattern.to_owned(),
    }
}

impl AgentRules {
    /// The rule or policy that decides.
    pub fn deciding(&self, permission: &str, input: &str) -> Option<&Rule> {
        let policy = deciding(&self.policies, permission, input).filter(|policy| policy.action != Some(Action::Allow));
        policy.or_else(|| deciding(&self.rules, permission, input))
    }
}

/// The rule that decides, and so the last one that matches.
pub fn deciding<'a>(rules: &'a [Rule], permission: &str, input: &str) -> Option<&'a Rule> {
    rules.iter().rev().find(|rule| matches(permission, &rule.permission) && matches(input, &rule.pattern))
}

/// As many rules of one list are compared with each other.
const COMPARED: usize = 1_500;

/// Rules that no input can reach, because a later one of the same list covers them and is weaker.
pub fn undone(rules: &[Rule]) -> Vec<(&Rule, &Rule)> {
    let rules = rules.get(..rules.len().min(COMPARED)).unwrap_or_default();
    let lost = rules.iter().enumerate().filter_map(|(at, rule)| {
        let later = rules.get(at + 1..)?;
        let cover = later
            .iter()
            .rev()
            .find(|later| covers(&later.permission, &rule.permission) && covers(&later.pattern, &rule.pattern))?;
        (cover.action? < rule.action?).then_some((rule, cover))
    });
    lost.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::config::built_in::built_in;

    #[test]
    fn a_rule_is_undone_only_by_a_weaker_one_behind_it() {
        let rule = |pattern: &str, action| Rule { level: Level::Top, ..built_in("bash", pattern, action) };
        let lost = [rule("rm *", Action::Deny), rule("*", Action::Allow)];
        assert_eq!(undone(&lost).len(), 1);
        let fine = [rule("*", Action::Allow), rule("rm *", Action::Deny)];
        assert!(undone(&fine).is_empty());
        let stricter = [rule("rm *", Action::Ask), rule("*", Action::Deny)];
        assert!(undone(&stricter).is_empty());
        let again = [rule("rm *", Action::Deny), rule("*", Action::Allow), rule("rm *", Action::Deny)];
        assert!(undone(&again).is_empty());
    }
}
