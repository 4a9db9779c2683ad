//! One file in the shape of OpenCode 2: its own keys as they are, those of OpenCode 1 as it reads them. What does not
//! fit is left out with a remark; nothing keeps this program from starting.

use super::super::layers::Document;
use super::super::merge::{Remark, RemarkKind};
use super::super::node::{Key, Map, Node, NodeValue};
use super::super::source::Span;
use crate::model::Subject;

/// Settings of the terminal, which has a file of its own.
const ELSEWHERE: &[&str] = &["theme", "keybinds", "tui", "$schema"];

/// Keys of OpenCode 1 that do nothing in OpenCode 2.
const DEAD: &[(&str, &str)] = &[
    ("logLevel", "set OPENCODE_LOG_LEVEL where it is started"),
    ("server", "its service has settings of its own: `opencode service set`"),
    ("subagent_depth", "write `experimental.subagent_depth`"),
    ("layout", "take it out"),
    ("instructions", "it keeps the list and loads none of it: write AGENTS.md"),
    ("lsp", "it keeps the setting and starts no language server: take it out"),
];

const DEAD_EXPERIMENTAL: &[&str] =
    &["disable_paste_summary", "batch_tool", "openTelemetry", "primary_tools", "continue_loop_on_deny"];

/// Keys that are read under another name.
const RENAMED: &[(&str, &str)] =
    &[("snapshot", "snapshots"), ("attachment", "media"), ("reference", "references"), ("command", "commands")];

/// Keys that are taken as they are.
const KNOWN: &[&str] = &[
    "cache",
    "commands",
    "compaction",
    "default_agent",
    "enterprise",
    "formatter",
    "media",
    "model",
    "providers",
    "references",
    "share",
    "shell",
    "skills",
    "small_model",
    "snapshots",
    "tool_output",
    "update",
    "username",
    "warming",
    "watcher",
    "websearch",
    "worktree",
    "enabled_providers",
    "disabled_providers",
];

/// A file's content as it takes part in merging.
pub(super) fn document(subject: &Subject, document: &Document, of_project: bool, remarks: &mut Vec<Remark>) -> Map {
    let mut file = File { remarks, out: Map::default(), broken: false };
    let map = document.root.map().cloned().unwrap_or_default();
    file.permissions(&map);
    file.agents(&map);
    file.plugins(&map);
    file.mcp(&map);
    file.experimental(&map);
    file.update(&map, of_project);
    file.share(&map);
    file.legacy_providers(&map);
    for (key, value) in map.iter() {
        let name = key.name.as_str();
        if ELSEWHERE.contains(&name) || TAKEN.contains(&name) {
            continue;
        }
        if let Some((_, why)) = DEAD.iter().find(|(dead, _)| *dead == name) {
            // What it is set to not to do, it does not do.
            if value.bool() != Some(false) {
                file.dropped(name, why, key.at);
            }
        } else if let Some((_, new)) = RENAMED.iter().find(|(old, _)| *old == name) {
            file.renamed(&map, key, value, new);
        } else if KNOWN.contains(&name) {
            file.known(key, value);
        } else if let Some(dead) = subject.agent.dead_keys.iter().find(|dead| dead.key == name) {
            file.remark(RemarkKind::Dropped, name, dead.instead.clone(), key.at, false);
        } else if !name.starts_with(['_', '$', '/', '#'])
            && !matches!(name, "name" | "description" | "version" | "comment")
        {
            file.remark(RemarkKind::Dropped, name, "no such setting".to_owned(), key.at, false);
        }
    }
    file.out
}

/// Keys that have a reader of their own here.
const TAKEN: &[&str] = &[
    "permission",
    "permissions",
    "tools",
    "agent",
    "agents",
    "mode",
    "plugin",
    "plugins",
    "mcp",
    "experimental",
    "autoupdate",
    "update",
    "autoshare",
    "provider",
];

/// Reads one file, or one part of it.
pub(super) struct File<'a> {
    pub(super) remarks: &'a mut Vec<Remark>,
    pub(super) out: Map,
    /// Something did not fit.
    pub(super) broken: bool,
}

impl File<'_> {
    pub(super) fn remark(&mut self, kind: RemarkKind, key: &str, why: String, at: Span, of_version: bool) {
        self.remarks.push(Remark { kind, key: key.to_owned(), why, at, of_version });
    }

    pub(super) fn dropped(&mut self, key: &str, why: &str, at: Span) {
        self.remark(RemarkKind::Dropped, key, format!("OpenCode 2 passes over it: {why}"), at, true);
    }

    pub(super) fn misshapen(&mut self, key: &str, node: &Node, wanted: &str) {
        self.broken = true;
        self.dropped(key, &format!("{} where {wanted} belongs", node.kind()), node.at);
    }

    fn plugins(&mut self, map: &Map) {
        let mut all = Vec::new();
        for key in ["plugin", "plugins"] {
            match map.get(key).map(|node| (node, node.list())) {
                Some((_, Some(list))) => all.extend(list.iter().cloned()),
                Some((node, None)) => self.misshapen(key, node, "a list"),
                None => {}
            }
        }
        if !all.is_empty() {
            self.out.set_made("plugins", Node { value: NodeValue::List(all), at: Span::NOWHERE });
        }
    }

    fn experimental(&mut self, map: &Map) {
        let Some(node) = map.get("experimental") else { return };
        let Some(experimental) = node.map() else { return self.misshapen("experimental", node, "a map") };
        let mut out = Map::default();
        for (key, value) in experimental.iter() {
            let path = format!("experimental.{}", key.name);
            if DEAD_EXPERIMENTAL.contains(&key.name.as_str()) {
                if value.bool() != Some(false) {
                    self.dropped(&path, "take it out", key.at);
                }
            } else if key.name == "policies" {
                let policies = self.policies(value, &path);
                out.set(key.clone(), Node { value: NodeValue::List(policies), at: value.at });
            } else {
                out.set(key.clone(), value.clone());
            }
        }
        self.out.set_made("experimental", Node { value: NodeValue::Map(out), at: node.at });
    }

    fn policies(&mut self, node: &Node, path: &str) -> Vec<Node> {
        let Some(list) = node.list() else {
            self.misshapen(path, node, "a list");
            return Vec::new();
        };
        let mut out = Vec::new();
        for (index, entry) in list.iter().enumerate() {
            let text = |key: &str| entry.get(key).and_then(Node::text);
            let action = matches!(text("action"), Some("provider.use" | "permission"));
            let effect = matches!(text("effect"), Some("allow" | "deny"));
            if action && effect && text("resource").is_some() {
                out.push(entry.clone());
            } else {
                let why = "a policy needs `action` (`permission` or `provider.use`), `resource` and `effect` (`allow` or `deny`)";
                self.dropped(&format!("{path}[{index}]"), why, entry.at);
            }
        }
        out
    }

    /// `update`, else what `autoupdate` means. Of a project's file neither counts.
    fn update(&mut self, map: &Map, of_project: bool) {
        if of_project {
            for (key, _) in ["autoupdate", "update"].iter().filter_map(|key| map.entry(key)) {
                self.dropped(&key.name, "only the account's own configuration decides it", key.at);
            }
            return;
        }
        if let Some((key, value)) = map.entry("autoupdate") {
            let word = match (value.bool(), value.text()) {
                (Some(true), _) => Some("auto"),
                (Some(false), _) => Some("disable"),
                (_, Some("notify")) => Some("notify"),
                _ => None,
            };
            match word {
                Some(word) => {
                    self.out.set(Key { name: "update".to_owned(), at: key.at }, Node::text_at(word, value.at))
                }
                None => self.misshapen("autoupdate", value, "true, false or `notify`"),
            }
        }
        if let Some((key, value)) = map.entry("update") {
            match value.text() {
                Some("disable" | "notify" | "auto") => self.out.set(key.clone(), value.clone()),
                _ => self.dropped("update", "it is not `disable`, `notify` or `auto`", value.at),
            }
        }
    }

    /// What `autoshare` means; `share` itself is taken as it is, over this.
    fn share(&mut self, map: &Map) {
        if map.get("autoshare").and_then(Node::bool) == Some(true) {
            let at = map.get("autoshare").map_or(Span::NOWHERE, |node| node.at);
            self.out.set_made("share", Node::text_at("auto", at));
        }
    }

    fn legacy_providers(&mut self, map: &Map) {
        let all: Map =
            entries(map, "provider").into_iter().map(|(name, entry)| (name, legacy_provider(&entry))).collect();
        if let Some(at) = map.get("provider").map(|node| node.at).filter(|_| !all.is_empty()) {
            self.out.set(Key { name: "providers".to_owned(), at }, Node { value: NodeValue::Map(all), at });
        }
    }

    fn renamed(&mut self, map: &Map, key: &Key, value: &Node, new: &str) {
        // The newer name counts where a file has both; of maps, entry by entry.
        match (map.get(new).map(|node| node.map().is_some()), value.map()) {
            (Some(false), _) | (Some(true), None) => {}
            (_, None) => self.out.set(Key { name: new.to_owned(), at: key.at }, value.clone()),
            (_, Some(old)) => {
                let mut all = old.clone();
                for (name, entry) in map.get(new).and_then(Node::map).into_iter().flat_map(Map::iter) {
                    all.set(name.clone(), entry.clone());
                }
                self.out
                    .set(Key { name: new.to_owned(), at: key.at }, Node { value: NodeValue::Map(all), at: value.at });
            }
        }
    }

    fn known(&mut self, key: &Key, value: &Node) {
        let name = key.name.as_str();
        let filled_in = value.text().is_some_and(|text| text.contains("{env:") || text.contains("{file:"));
        let fits = match name {
            "share" => filled_in || matches!(value.text(), Some("manual" | "auto" | "disabled")),
            "snapshots" => value.bool().is_some(),
            "providers" | "references" | "commands" => value.map().is_some(),
            _ => true,
        };
        if !fits {
            return self.misshapen(name, value, "another value");
        }
        match (name, value.map(), self.out.get(name).is_some()) {
            ("skills", Some(_), _) => {
                let list =
                    ["paths", "urls"].iter().filter_map(|key| value.get(key)?.list()).flatten().cloned().collect();
                self.out.set(key.clone(), Node { value: NodeValue::List(list), at: value.at });
            }
            ("providers", Some(_), _) => self.out.merge([(key.clone(), value.clone())].into_iter().collect()),
            (_, Some(_), true) => {}
            _ => self.out.set(key.clone(), value.clone()),
        }
    }
}

/// `npm` is a `package`, `options` are `settings`, and an address is one of them.
fn legacy_provider(entry: &Node) -> Node {
    let Some(map) = entry.map() else { return entry.clone() };
    let mut out = map.clone();
    let mut settings = map.get("options").and_then(Node::map).cloned().unwrap_or_default();
    if let Some((key, package)) = map.entry("npm") {
        out.set(Key { name: "package".to_owned(), at: key.at }, package.clone());
    }
    if let Some((key, address)) = map.entry("api") {
        settings.set(Key { name: "baseURL".to_owned(), at: key.at }, address.clone());
    }
    out.set_made("settings", Node { value: NodeValue::Map(settings), at: entry.at });
    Node { value: NodeValue::Map(out), at: entry.at }
}

pub(super) fn entries(map: &Map, key: &str) -> Vec<(Key, Node)> {
    map.get(key).and_then(Node::map).into_iter().flat_map(Map::iter).cloned().collect()
}
