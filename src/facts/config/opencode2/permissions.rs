//! Permission rules of one file as a list: those of OpenCode 1, then those of OpenCode 2.

use super::super::merge::RemarkKind;
use super::super::node::{Key, Map, Node, NodeValue};
use super::super::source::Span;
use super::normalize::File;

impl File<'_> {
    /// `tools`, then `permission`, then `permissions`, whatever their order in the file.
    pub(super) fn permissions(&mut self, map: &Map) {
        let mut rules = self.of_tools(map.get("tools"), "tools");
        rules.extend(self.of_map(map.get("permission"), "permission"));
        rules.extend(self.of_list(map.get("permissions"), "permissions"));
        let at = ["permissions", "permission", "tools"].iter().find_map(|key| map.get(key)).map(|node| node.at);
        if let Some(at) = at {
            self.out.set_made("permissions", Node { value: NodeValue::List(rules), at });
        }
    }

    pub(super) fn of_tools(&mut self, tools: Option<&Node>, path: &str) -> Vec<Node> {
        let Some(node) = tools else { return Vec::new() };
        let Some(tools) = node.map() else {
            self.misshapen(path, node, "a map");
            return Vec::new();
        };
        let pairs: Vec<_> = tools.iter().cloned().collect();
        pairs
            .into_iter()
            .filter_map(|(key, on)| match on.bool() {
                Some(on) => Some(rule(action(&key.name), "*", if on { "allow" } else { "deny" }, key.at)),
                None => {
                    self.misshapen(&format!("{path}.{}", key.name), &on, "true or false");
                    None
                }
            })
            .collect()
    }

    /// Rules as OpenCode 1 writes them. Names of tools that have changed since are read as what they are called now.
    pub(super) fn of_map(&mut self, permission: Option<&Node>, path: &str) -> Vec<Node> {
        let Some(node) = permission else { return Vec::new() };
        if node.text().is_some() {
            return self.effect(node, path).map(|effect| rule("*", "*", effect, node.at)).into_iter().collect();
        }
        let Some(tools) = node.map() else {
            self.misshapen(path, node, "a word or a map");
            return Vec::new();
        };
        let mut rules = Vec::new();
        for (key, value) in tools.iter() {
            let path = format!("{path}.{}", key.name);
            match &value.value {
                NodeValue::Map(patterns) => {
                    for (pattern, value) in patterns.iter() {
                        let effect = self.effect(value, &format!("{path}.{}", pattern.name));
                        rules.extend(effect.map(|effect| rule(action(&key.name), &pattern.name, effect, pattern.at)));
                    }
                }
                _ => {
                    let effect = self.effect(value, &path);
                    rules.extend(effect.map(|effect| rule(action(&key.name), "*", effect, key.at)));
                }
            }
        }
        rules
    }

    /// Rules as OpenCode 2 writes them. Here a tool's former name is not understood.
    pub(super) fn of_list(&mut self, list: Option<&Node>, path: &str) -> Vec<Node> {
        let Some(node) = list else { return Vec::new() };
        let Some(list) = node.list() else {
            let why = "write a list: `[{ \"action\": \"shell\", \"resource\": \"*\", \"effect\": \"ask\" }]`";
            self.broken = true;
            self.dropped(path, &format!("{} where a list belongs: {why}", node.kind()), node.at);
            return Vec::new();
        };
        let mut rules = Vec::new();
        for (index, entry) in list.iter().enumerate() {
            let path = format!("{path}[{index}]");
            let text = |key: &str| entry.get(key).and_then(Node::text);
            let (Some(tool), Some(resource), Some(effect)) = (text("action"), text("resource"), entry.get("effect"))
            else {
                self.broken = true;
                self.dropped(&path, "a rule needs `action`, `resource` and `effect`", entry.at);
                continue;
            };
            let Some(effect) = self.effect(effect, &path) else { continue };
            if action(tool) != tool {
                let why = format!(
                    "no tool is called `{tool}` any more, so the rule matches nothing: write `{}`",
                    action(tool)
                );
                self.remark(RemarkKind::Dropped, &path, format!("in OpenCode 2 {why}"), entry.at, true);
            }
            rules.push(rule(tool, resource, effect, entry.at));
        }
        rules
    }

    fn effect<'n>(&mut self, node: &'n Node, path: &str) -> Option<&'n str> {
        let filled_in = |text: &&str| text.contains("{env:") || text.contains("{file:");
        let known = node.text().filter(|text| matches!(*text, "allow" | "ask" | "deny") || filled_in(text));
        if known.is_none() {
            self.broken = true;
            self.dropped(path, "it is not `allow`, `ask` or `deny`, and the rule is left out", node.at);
        }
        known
    }
}

/// What a tool of OpenCode 1 is called in OpenCode 2.
pub(super) fn action(tool: &str) -> &str {
    match tool {
        "bash" => "shell",
        "task" => "subagent",
        "write" | "patch" => "edit",
        other => other,
    }
}

fn rule(action: &str, resource: &str, effect: &str, at: Span) -> Node {
    let pairs = [("action", action), ("resource", resource), ("effect", effect)];
    let map = pairs.map(|(key, text)| (Key { name: key.to_owned(), at }, Node::text_at(text, at)));
    Node { value: NodeValue::Map(map.into_iter().collect()), at }
}
