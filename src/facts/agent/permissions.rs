//! What an agent's tools may do, from its final rules.

use schemars::JsonSchema;
use serde::Serialize;

use crate::facts::config::Effective;
use crate::facts::config::rules::{self, Action, AgentRules, Level, Rule};
use crate::host::Host;
use crate::model::{Location, Look, Merging, PermissionShape, Scope, Subject, redact_line};

/// What a kind of tool may do.
#[derive(Clone, Serialize, JsonSchema)]
pub(super) struct ToolFact {
    /// `shell`, `edit`, `outside`, `secrets`, `fetch`, `search`, `task`, `mcp`.
    name: &'static str,
    /// What it does, as the end of "it may …".
    about: &'static str,
    /// Whether that is everything the machine's account can do.
    broad: bool,
    /// What the rules say to an input that no special rule names.
    action: Look<Action>,
    /// The agents to which that applies.
    agents: Vec<String>,
    /// The rule that decides: `bash *`.
    rule: String,
    /// Where it comes from.
    origin: String,
    /// Where it is written.
    at: Option<Location>,
}

/// An agent and its tools.
#[derive(Serialize, JsonSchema)]
pub(super) struct AgentFact {
    /// Its name.
    name: String,
    /// Whether the program brings it.
    native: bool,
    /// Whether it is hidden from choice.
    hidden: bool,
    /// `primary`, `subagent` or `all`.
    mode: String,
    /// How many rules it has.
    rules: usize,
    /// What each kind of tool may do.
    tools: Vec<ToolFact>,
}

/// A rule that a later one undoes.
#[derive(Serialize, JsonSchema)]
pub(super) struct UndoneFact {
    /// The rule: `bash "rm *": deny`.
    name: String,
    /// The one behind it.
    by: String,
    /// Where that one is written.
    by_origin: String,
    /// The agent whose rules they are; null for all.
    agent: Option<String>,
    /// Where the rule is written.
    at: Option<Location>,
}

/// All of it.
pub(super) struct Permissions {
    pub(super) tools: Vec<ToolFact>,
    pub(super) agents: Vec<AgentFact>,
    pub(super) undone: Vec<UndoneFact>,
}

/// A kind of tool, with an input that stands for any.
struct Kind {
    name: &'static str,
    about: &'static str,
    permission: &'static str,
    input: &'static str,
    broad: bool,
}

const KINDS: &[Kind] = &[
    kind("shell", "run any command", "bash", "some-program --some-argument", true),
    kind("edit", "write any file of the project", "edit", "some/file", true),
    kind("outside", "read and write outside the project", "external_directory", "/some/folder/*", true),
    kind("secrets", "read `.env` files", "read", ".env", true),
    kind("fetch", "fetch any address", "webfetch", "https://some.example/", false),
    kind("search", "search the web", "websearch", "some words", false),
    kind("task", "start any other agent", "task", "some-agent", false),
    kind("mcp", "call any tool of MCP servers", "some-server_some-tool", "*", false),
];

const fn kind(
    name: &'static str,
    about: &'static str,
    permission: &'static str,
    input: &'static str,
    broad: bool,
) -> Kind {
    Kind { name, about, permission, input, broad }
}

/// See [`Permissions`].
pub(super) fn look(host: &dyn Host, subject: &Subject, config: &Effective) -> Permissions {
    let opencode = subject.agent.permissions == Some(PermissionShape::Opencode);
    if !opencode || subject.agent.merging != Merging::Opencode {
        return Permissions { tools: Vec::new(), agents: Vec::new(), undone: Vec::new() };
    }
    let all = rules::of_agents(host, subject, config);
    let agents: Vec<AgentFact> = all.iter().map(|agent| of_agent(config, agent)).collect();
    let mut tools = loosest(&agents);
    // In the repo scope what the account and the machine say is not looked at: only what the project itself
    // says can be judged.
    tools.retain(|tool| subject.scope > Scope::Repo || tool.at.is_some());
    Permissions { tools, undone: undone(config, &all), agents }
}

fn of_agent(config: &Effective, agent: &AgentRules) -> AgentFact {
    let tools = KINDS.iter().map(|kind| {
        let rule = rules::deciding(&agent.rules, kind.permission, kind.input);
        ToolFact {
            name: kind.name,
            about: kind.about,
            broad: kind.broad,
            // What no rule matches is asked for.
            action: rule.map_or(Look::Known(Action::Ask), action),
            agents: vec![agent.name.clone()],
            rule: rule.map_or_else(|| "no rule".to_owned(), words),
            origin: rule.map_or_else(|| "built in".to_owned(), |rule| super::origin(config, rule.at)),
            at: rule.and_then(|rule| config.location(rule.at)),
        }
    });
    AgentFact {
        name: agent.name.clone(),
        native: agent.native,
        hidden: agent.hidden,
        mode: agent.mode.clone(),
        rules: agent.rules.len(),
        tools: tools.collect(),
    }
}

fn action(rule: &Rule) -> Look<Action> {
    let why = || format!("the action of `{}` is filled in from elsewhere when the agent starts", rule.permission);
    rule.action.map_or_else(|| Look::unknown(why(), "write the action itself"), Look::Known)
}

/// One item for each kind of tool and deciding rule, of the loosest action among the agents that are not hidden.
fn loosest(agents: &[AgentFact]) -> Vec<ToolFact> {
    let mut out: Vec<ToolFact> = Vec::new();
    for kind in KINDS {
        let tools: Vec<&ToolFact> = agents
            .iter()
            .filter(|agent| !agent.hidden)
            .flat_map(|agent| agent.tools.iter().filter(|tool| tool.name == kind.name))
            .collect();
        // An action that is not known counts as the loosest.
        let Some(worst) = tools.iter().map(|tool| tool.action.known().copied()).min() else { continue };
        for tool in tools.into_iter().filter(|tool| tool.action.known().copied() == worst) {
            match out.iter_mut().find(|known| known.name == kind.name && known.origin == tool.origin) {
                Some(known) => known.agents.extend(tool.agents.iter().cloned()),
                None => out.push(tool.clone()),
            }
        }
    }
    out
}

/// Rules undone within one list: the one for all agents, and each agent's own.
fn undone(config: &Effective, agents: &[AgentRules]) -> Vec<UndoneFact> {
    let of = |agent: &AgentRules, level: Level| -> Vec<Rule> {
        agent.rules.iter().filter(|rule| rule.level == level).cloned().collect()
    };
    let mut out = Vec::new();
    let top = agents.first().map(|agent| (None, of(agent, Level::Top)));
    let own = agents.iter().map(|agent| (Some(agent.name.clone()), of(agent, Level::Agent)));
    for (agent, rules) in top.into_iter().chain(own) {
        for (rule, by) in rules::undone(&rules) {
            out.push(UndoneFact {
                name: words(rule),
                by: words(by),
                by_origin: super::origin(config, by.at),
                agent: agent.clone(),
                at: config.location(rule.at),
            });
        }
    }
    out
}

/// A rule as it is talked about.
fn words(rule: &Rule) -> String {
    let action = rule.action.map_or("(filled in)", Action::name);
    redact_line(&format!("{} \"{}\": {action}", rule.permission, rule.pattern))
}
