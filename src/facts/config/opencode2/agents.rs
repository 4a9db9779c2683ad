//! Agents as OpenCode 2 reads them, from its configuration and from Markdown. Front matter with a key that it does not
//! know is taken for one of OpenCode 1, all of it.

use super::super::layers::{Document, Part};
use super::super::merge::Remark;
use super::super::node::{Key, Map, Node, NodeValue};
use super::super::source::Span;
use super::normalize::{File, entries};

/// Keys of an agent in OpenCode 2.
const KEYS: &[&str] = &[
    "model",
    "variant",
    "request",
    "system",
    "description",
    "mode",
    "hidden",
    "color",
    "steps",
    "disabled",
    "permissions",
];

/// The agent that a file makes.
pub(super) fn markdown(document: &Document, remarks: &mut Vec<Remark>) -> Option<Map> {
    let map = document.root.map().cloned().unwrap_or_default();
    let legacy = map.iter().any(|(key, _)| !KEYS.contains(&key.name.as_str()));
    let entry = Node { value: NodeValue::Map(map), at: document.name.at };
    let path = format!("agents.{}", document.name.name);
    let mut file = File { remarks, out: Map::default(), broken: false };
    let mut agent =
        file.whole(
            &path,
            |file| {
                if legacy { file.legacy_agent(&entry, &path, false) } else { file.agent(&entry, &path) }
            },
        )?;
    if document.part == Part::Mode {
        agent.set_made("mode", Node::text_at("primary", document.name.at));
    }
    Some(agent)
}

impl File<'_> {
    /// `agent` and `mode`, then `agents`, which replace them whole.
    pub(super) fn agents(&mut self, map: &Map) {
        let mut agents = Map::default();
        for (group, primary) in [("agent", false), ("mode", true)] {
            for (name, entry) in entries(map, group) {
                let path = format!("{group}.{}", name.name);
                if let Some(agent) = self.whole(&path, |file| file.legacy_agent(&entry, &path, primary)) {
                    agents.set(name, Node { value: NodeValue::Map(agent), at: entry.at });
                }
            }
        }
        for (name, entry) in entries(map, "agents") {
            let path = format!("agents.{}", name.name);
            if let Some(agent) = self.whole(&path, |file| file.agent(&entry, &path)) {
                agents.set(name, Node { value: NodeValue::Map(agent), at: entry.at });
            }
        }
        let at = ["agents", "agent", "mode"].iter().find_map(|key| map.get(key)).map_or(Span::NOWHERE, |node| node.at);
        if !agents.is_empty() {
            self.out.set_made("agents", Node { value: NodeValue::Map(agents), at });
        }
    }

    /// An agent, or none of it where a part does not fit.
    fn whole(&mut self, path: &str, read: impl FnOnce(&mut Self) -> Option<Map>) -> Option<Map> {
        let before = self.remarks.len();
        self.broken = false;
        let agent = read(self);
        if !std::mem::take(&mut self.broken) {
            return agent;
        }
        for remark in self.remarks.iter_mut().skip(before) {
            remark.why.push_str(&format!("; `{path}` is left out for it, its restrictions included"));
        }
        None
    }

    /// An agent as OpenCode 1 writes it.
    fn legacy_agent(&mut self, entry: &Node, path: &str, primary: bool) -> Option<Map> {
        let Some(map) = entry.map() else {
            self.misshapen(path, entry, "a map");
            return None;
        };
        let mut out = self.common(map, path, &[("disable", "disabled"), ("prompt", "system")]);
        if let Some((key, _)) = map.entry("permissions") {
            let why = "beside keys of OpenCode 1 it restricts nothing: write the whole agent in the form of OpenCode 2";
            self.dropped(&format!("{path}.permissions"), why, key.at);
        }
        let mut rules = self.of_tools(map.get("tools"), &format!("{path}.tools"));
        rules.extend(self.of_map(map.get("permission"), &format!("{path}.permission")));
        let at = map.get("permission").map_or(entry.at, |node| node.at);
        out.set_made("permissions", Node { value: NodeValue::List(rules), at });
        if primary {
            out.set_made("mode", Node::text_at("primary", entry.at));
        }
        Some(out)
    }

    /// An agent as OpenCode 2 writes it.
    fn agent(&mut self, entry: &Node, path: &str) -> Option<Map> {
        let Some(map) = entry.map() else {
            self.misshapen(path, entry, "a map");
            return None;
        };
        for (old, new) in
            [("permission", "permissions"), ("tools", "permissions"), ("disable", "disabled"), ("prompt", "system")]
        {
            if let Some((key, _)) = map.entry(old) {
                self.dropped(&format!("{path}.{old}"), &format!("below `agents` write `{new}`"), key.at);
            }
        }
        let mut out = self.common(map, path, &[]);
        let rules = self.of_list(map.get("permissions"), &format!("{path}.permissions"));
        let at = map.get("permissions").map_or(entry.at, |node| node.at);
        out.set_made("permissions", Node { value: NodeValue::List(rules), at });
        Some(out)
    }

    /// What both forms share, and what only has another name.
    fn common(&mut self, map: &Map, path: &str, renamed: &[(&str, &str)]) -> Map {
        let mut out = Map::default();
        for (key, value) in map.iter() {
            let new = renamed.iter().find(|(old, _)| *old == key.name).map(|(_, new)| *new);
            let name = new.unwrap_or(&key.name);
            let fits = match name {
                "disabled" | "hidden" => value.bool().is_some(),
                "mode" => matches!(value.text(), Some("subagent" | "primary" | "all")),
                "system" | "description" | "model" => value.text().is_some() || value.map().is_some(),
                _ => continue,
            };
            if fits {
                out.set(Key { name: name.to_owned(), at: key.at }, value.clone());
            } else {
                self.misshapen(&format!("{path}.{}", key.name), value, "something else");
            }
        }
        out
    }
}
