//! The permission rules that OpenCode 1.18.33 brings itself.

use super::rules::{Action, AgentRules, Level, Rule};
use super::source::Span;
use super::{Effective, skills};
use crate::facts::subject::place;
use crate::host::Host;
use crate::model::{AbsPath, Subject};

/// A rule of the program.
pub(super) fn built_in(permission: &str, pattern: &str, action: Action) -> Rule {
    Rule {
        permission: permission.into(),
        pattern: pattern.into(),
        action: Some(action),
        level: Level::BuiltIn,
        at: Span::NOWHERE,
    }
}

/// What the built-in rules speak of.
pub(super) struct Places {
    pub(super) data: String,
    tmp: String,
    plans: String,
    outside: Vec<String>,
}

impl Places {
    pub(super) fn new(host: &dyn Host, subject: &Subject, config: &Effective) -> Self {
        let folder = |path: &str| place(subject, path).unwrap_or_else(AbsPath::root);
        let data = folder("{data}/opencode");
        let mut outside: Vec<String> = Vec::new();
        for path in skills::folders(host, subject, config).into_iter().chain(skills::references(subject, config)) {
            let pattern = format!("{path}/*");
            if !outside.contains(&pattern) {
                outside.push(pattern);
            }
        }
        Self {
            plans: relative(&config.work_tree, &data.join("plans/*.md")),
            data: data.text(),
            tmp: folder("{tmp}/opencode").text(),
            outside,
        }
    }

    /// Asked for every folder outside, but for these.
    fn external(&self) -> Vec<Rule> {
        let own = [format!("{}/tool-output/*", self.data), format!("{}/*", self.tmp)];
        let allowed = own.iter().chain(&self.outside);
        std::iter::once(built_in("external_directory", "*", Action::Ask))
            .chain(allowed.map(|pattern| built_in("external_directory", pattern, Action::Allow)))
            .collect()
    }

    pub(super) fn base(&self) -> Vec<Rule> {
        use Action::{Allow, Ask, Deny};
        let mut rules = vec![built_in("*", "*", Allow), built_in("doom_loop", "*", Ask)];
        rules.extend(self.external());
        for (permission, pattern, action) in [
            ("question", "*", Deny),
            ("plan_enter", "*", Deny),
            ("plan_exit", "*", Deny),
            ("read", "*", Allow),
            ("read", "*.env", Ask),
            ("read", "*.env.*", Ask),
            ("read", "*.env.example", Allow),
        ] {
            rules.push(built_in(permission, pattern, action));
        }
        rules
    }
}

/// The way from one folder to a path, upward where needed.
fn relative(from: &AbsPath, to: &AbsPath) -> String {
    let common = from.ancestors().find(|folder| to.is_within(folder)).unwrap_or_else(AbsPath::root);
    let up = from.below(&common).map_or(0, |rest| rest.components().count());
    let down = to.below(&common).map(|rest| rest.to_string_lossy().into_owned()).unwrap_or_default();
    format!("{}{down}", "../".repeat(up))
}

/// The agents that the program brings.
pub(super) fn native(places: &Places, base: &[Rule]) -> Vec<AgentRules> {
    use Action::{Allow, Deny};
    let agent = |name: &str, mode: &str, hidden: bool, own: Vec<Rule>| AgentRules {
        name: name.to_owned(),
        native: true,
        hidden,
        mode: mode.to_owned(),
        rules: base.iter().cloned().chain(own).collect(),
        policies: Vec::new(),
        at: Span::NOWHERE,
    };
    let mut explore = vec![built_in("*", "*", Deny)];
    for tool in ["grep", "glob", "list", "bash", "webfetch", "websearch", "read"] {
        explore.push(built_in(tool, "*", Allow));
    }
    explore.extend(places.external());
    let plan = vec![
        built_in("question", "*", Allow),
        built_in("plan_exit", "*", Allow),
        built_in("task", "general", Deny),
        built_in("external_directory", &format!("{}/plans/*", places.data), Allow),
        built_in("edit", "*", Deny),
        built_in("edit", ".opencode/plans/*.md", Allow),
        built_in("edit", &places.plans, Allow),
    ];
    let nothing = || vec![built_in("*", "*", Deny)];
    vec![
        agent("build", "primary", false, vec![built_in("question", "*", Allow), built_in("plan_enter", "*", Allow)]),
        agent("plan", "primary", false, plan),
        agent("general", "subagent", false, vec![built_in("todowrite", "*", Deny)]),
        agent("explore", "subagent", false, explore),
        agent("compaction", "primary", true, nothing()),
        agent("title", "primary", true, nothing()),
        agent("summary", "primary", true, nothing()),
    ]
}
