//! What an agent's tools may do, from its final rules.

use schemars::JsonSchema;
use serde::Serialize;

use super::switches::SwitchFact;
use crate::facts::config::rules::{self, Action, AgentRules, Level, Rule};
use crate::facts::config::{Effective, Node};
use crate::host::Host;
use crate::model::{Location, Look, Merging, PermissionShape, Scope, Subject, SwitchKind, plain, redact_line};

/// What a kind of tool may do.
#[derive(Clone, Serialize, JsonSchema)]
pub(super) struct ToolFact {
    /// `shell`, `edit`, `outside`, `secrets`, `fetch`, `search`, `task`, `mcp`; a switch or entry of other agents.
    name: String,
    /// What it does, as the end of "it may …".
    about: String,
    /// Whether that is everything the machine's account can do.
    broad: bool,
    /// What the rules say to an input that no special rule names.
    action: Look<Action>,
    /// The agents to which that applies; empty where the program knows no agents of its own.
    agents: Vec<String>,
    /// Those in words: "agents build, plan".
    who: String,
    /// The rule that decides: `bash *`.
    rule: String,
    /// Where it comes from.
    origin: String,
    /// What to write instead.
    fix: String,
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

/// A rule that somebody wrote.
#[derive(Serialize, JsonSchema)]
pub(super) struct RuleFact {
    /// The rule: `bash "rm *": deny`.
    name: String,
    /// The weaker rule behind it that covers it, so that no input reaches this one; null where there is none.
    undone_by: Option<String>,
    /// Where that one is written.
    undone_at: Option<String>,
    /// The agent whose rules they are; null for all.
    agent: Option<String>,
    /// Where the rule is written.
    at: Option<Location>,
}

/// All of it.
#[derive(Default)]
pub(super) struct Permissions {
    pub(super) tools: Vec<ToolFact>,
    pub(super) agents: Vec<AgentFact>,
    pub(super) rules: Vec<RuleFact>,
}

/// A kind of tool, with an input that stands for any.
struct Kind {
    name: &'static str,
    about: &'static str,
    permission: &'static str,
    input: &'static str,
    broad: bool,
    fix: &'static str,
}

const KINDS: &[Kind] = &[
    Kind {
        name: "shell",
        about: "run any command",
        permission: "bash",
        input: "some-program --some-argument",
        broad: true,
        fix: r#"write "permission": { "bash": { "*": "ask", "git status": "allow" } }: the star first, exact forms behind it"#,
    },
    Kind {
        name: "edit",
        about: "write any file of the project",
        permission: "edit",
        input: "some/file",
        broad: true,
        fix: r#"write "permission": { "edit": "ask" }, or name the folders that may change behind a star that asks"#,
    },
    Kind {
        name: "outside",
        about: "read and write outside the project",
        permission: "external_directory",
        input: "/some/folder/*",
        broad: true,
        fix: r#"write "permission": { "external_directory": "deny" }"#,
    },
    Kind {
        name: "secrets",
        about: "read `.env` files",
        permission: "read",
        input: ".env",
        broad: true,
        fix: r#"write "permission": { "read": { "*": "allow", "*.env": "deny", "*.env.*": "deny" } }"#,
    },
    narrow("fetch", "fetch any address", "webfetch", "https://some.example/"),
    narrow("search", "search the web", "websearch", "some words"),
    narrow("task", "start any other agent", "task", "some-agent"),
    narrow("mcp", "call any tool of MCP servers", "some-server_some-tool", "*"),
];

/// The same in OpenCode 2, where two tools have other names.
const KINDS_OF_2: &[Kind] = &[
    Kind {
        name: "shell",
        about: "run any command",
        permission: "shell",
        input: "some-program --some-argument",
        broad: true,
        fix: r#"write "permissions": [{ "action": "shell", "resource": "*", "effect": "ask" }], with exact forms that are allowed behind it"#,
    },
    Kind {
        name: "edit",
        about: "write any file of the project",
        permission: "edit",
        input: "some/file",
        broad: true,
        fix: r#"write "permissions": [{ "action": "edit", "resource": "*", "effect": "ask" }], or name the folders that may change behind it"#,
    },
    Kind {
        name: "outside",
        about: "read and write outside the project",
        permission: "external_directory",
        input: "/some/folder/*",
        broad: true,
        fix: r#"write "permissions": [{ "action": "external_directory", "resource": "*", "effect": "deny" }]"#,
    },
    Kind {
        name: "secrets",
        about: "read `.env` files",
        permission: "read",
        input: ".env",
        broad: true,
        fix: r#"write "permissions": [{ "action": "read", "resource": "*.env", "effect": "deny" }, { "action": "read", "resource": "*.env.*", "effect": "deny" }]"#,
    },
    narrow_of_2("fetch", "fetch any address", "webfetch", "https://some.example/"),
    narrow_of_2("search", "search the web", "websearch", "some words"),
    narrow_of_2("task", "start any other agent", "subagent", "some-agent"),
    narrow_of_2("mcp", "call any tool of MCP servers", "some-server_some-tool", "*"),
    narrow_of_2("code", "run code that calls any tool", "execute", "*"),
];

fn kinds(config: &Effective) -> &'static [Kind] {
    if config.merging == Merging::Opencode2 { KINDS_OF_2 } else { KINDS }
}

const fn narrow_of_2(name: &'static str, about: &'static str, permission: &'static str, input: &'static str) -> Kind {
    Kind { fix: "write a rule for it into \"permissions\"", ..narrow(name, about, permission, input) }
}

const fn narrow(name: &'static str, about: &'static str, permission: &'static str, input: &'static str) -> Kind {
    Kind { name, about, permission, input, broad: false, fix: "write a rule for it below \"permission\"" }
}

/// See [`Permissions`].
pub(super) fn look(host: &dyn Host, subject: &Subject, config: &Effective, switches: &[SwitchFact]) -> Permissions {
    let opencode = subject.agent.permissions == Some(PermissionShape::Opencode);
    if !opencode || !matches!(subject.agent.merging, Merging::Opencode | Merging::Opencode2) {
        let mut tools = approvals(switches);
        if subject.agent.permissions == Some(PermissionShape::AllowLists) {
            tools.extend(config.trees.iter().flat_map(|tree| allowed(config, &tree.root)));
        }
        return Permissions { tools, agents: Vec::new(), rules: Vec::new() };
    }
    let all = rules::of_agents(host, subject, config);
    let agents: Vec<AgentFact> = all.iter().map(|agent| of_agent(config, agent)).collect();
    let mut tools = loosest(kinds(config), &agents);
    // In the repo scope what the account and the machine say is not looked at: only what the project itself
    // says can be judged.
    tools.retain(|tool| subject.scope > Scope::Repo || tool.at.is_some());
    Permissions { tools, rules: written(config, &all), agents }
}

/// Switches that approve in advance, as tools.
fn approvals(switches: &[SwitchFact]) -> Vec<ToolFact> {
    let approving = switches.iter().filter(|switch| switch.kind == SwitchKind::Approval);
    let tool = |switch: &SwitchFact| ToolFact {
        name: switch.name.clone(),
        about: switch.about.clone(),
        broad: true,
        action: switch.off.clone().map(|off| if off { Action::Ask } else { Action::Allow }),
        agents: Vec::new(),
        who: "the agent".to_owned(),
        rule: format!("{}: {}", switch.name, switch.value.as_deref().unwrap_or("set")),
        origin: switch.origin.clone(),
        fix: switch.fix.clone(),
        at: switch.at.clone(),
    };
    approving.map(tool).collect()
}

/// The entries of `permissions.allow`. Only those that name a tool and no pattern are broad.
fn allowed(config: &Effective, root: &Node) -> Vec<ToolFact> {
    let list = root.get("permissions.allow").and_then(Node::list).unwrap_or_default();
    let tool = |node: &Node| {
        let text = node.text()?;
        let (name, pattern) =
            text.split_once('(').map_or((text, "*"), |(name, rest)| (name, rest.trim_end_matches(')')));
        let everything = matches!(pattern, "" | "*" | "**" | ":*" | "*:*");
        let broad = everything && matches!(name, "*" | "Bash" | "Edit" | "Write" | "MultiEdit" | "NotebookEdit");
        Some(ToolFact {
            name: redact_line(text),
            about: format!("use `{}`", redact_line(name)),
            broad,
            action: Look::Known(if everything { Action::Allow } else { Action::Ask }),
            agents: Vec::new(),
            who: "the agent".to_owned(),
            rule: redact_line(text),
            origin: super::origin(config, node.at),
            fix: format!("name the exact forms instead: `{}(npm test)`", redact_line(name)),
            at: config.location(node.at),
        })
    };
    list.iter().filter_map(tool).collect()
}

fn of_agent(config: &Effective, agent: &AgentRules) -> AgentFact {
    let tools = kinds(config).iter().map(|kind| {
        let rule = agent.deciding(kind.permission, kind.input);
        ToolFact {
            name: kind.name.to_owned(),
            about: kind.about.to_owned(),
            broad: kind.broad,
            // What no rule matches is asked for.
            action: rule.map_or(Look::Known(Action::Ask), action),
            agents: vec![agent.name.clone()],
            who: String::new(),
            rule: rule.map_or_else(|| "no rule".to_owned(), words),
            origin: rule.map_or_else(|| "built in".to_owned(), |rule| super::origin(config, rule.at)),
            fix: kind.fix.to_owned(),
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

/// One item for each kind of tool: the loosest action among the agents that are not hidden, and who may do so. The
/// first place is named for all.
fn loosest(kinds: &[Kind], agents: &[AgentFact]) -> Vec<ToolFact> {
    let mut out: Vec<ToolFact> = Vec::new();
    for kind in kinds {
        let tools: Vec<&ToolFact> = agents
            .iter()
            .filter(|agent| !agent.hidden)
            .flat_map(|agent| agent.tools.iter().filter(|tool| tool.name == kind.name))
            .collect();
        // An action that is not known counts as the loosest.
        let Some(worst) = tools.iter().map(|tool| tool.action.known().copied()).min() else { continue };
        let mut loose: Vec<&ToolFact> =
            tools.into_iter().filter(|tool| tool.action.known().copied() == worst).collect();
        // A rule that somebody wrote says more than one of the program.
        loose.sort_by_key(|tool| tool.at.is_none());
        for tool in loose {
            match out.iter_mut().find(|known| known.name == kind.name) {
                Some(known) => known.agents.extend(tool.agents.iter().cloned()),
                None => out.push(tool.clone()),
            }
        }
    }
    for tool in &mut out {
        tool.who = in_words(&tool.agents);
    }
    out
}

/// "agent a", "agents a, b and 7 more".
fn in_words(agents: &[String]) -> String {
    let names: Vec<_> = agents.iter().take(4).map(|name| plain(name)).collect();
    let more = agents.len().saturating_sub(names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{} {}{more}", if agents.len() == 1 { "agent" } else { "agents" }, names.join(", "))
}

/// Written rules, each judged within its own list: the one for all agents, and each agent's own.
fn written(config: &Effective, agents: &[AgentRules]) -> Vec<RuleFact> {
    let of = |agent: &AgentRules, level: Level| -> Vec<Rule> {
        agent.rules.iter().filter(|rule| rule.level == level).cloned().collect()
    };
    let mut out = Vec::new();
    let top = agents.first().map(|agent| (None, of(agent, Level::Top)));
    let own = agents.iter().map(|agent| (Some(agent.name.clone()), of(agent, Level::Agent)));
    for (agent, rules) in top.into_iter().chain(own) {
        let undone = rules::undone(&rules);
        for rule in &rules {
            let by = undone.iter().find(|(lost, _)| std::ptr::eq(*lost, rule)).map(|(_, by)| *by);
            out.push(RuleFact {
                name: words(rule),
                undone_by: by.map(words),
                undone_at: by.map(|by| super::origin(config, by.at)),
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
