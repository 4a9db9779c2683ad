//! What OpenCode 2 makes of its files. Each is brought to one shape first ([`normalize`]); then, from the lowest to the
//! highest, rules, plugins, skills and policies add up, agents and servers are taken by name, and of every other key the
//! last file counts.
//!
//! The rules are those of its public source at 2.0.18 and of its documentation. No package of 2.x could be installed
//! where this was written, so unlike those of 1.18 they were not held against the program itself; what a preview of it
//! (`@opencode-ai/cli-linux-x64` 1.18.18) answers on files and rules is recorded in `fixtures/opencode2`.

mod agents;
mod normalize;
mod permissions;
pub(super) mod rules;
mod servers;

use super::layers::{Document, Layers, Part};
use super::merge::{Remark, missing_files, package, plugin_name, repeated};
use super::node::{Key, Map, Node, NodeValue};
use super::source::Span;
use super::{Effective, PluginOrigin, Tree};
use crate::host::Host;
use crate::model::{Merging, Scope, Subject};

/// Keys whose values add up over the files.
const ADDED_UP: &[&str] = &["permissions", "skills"];
/// Keys whose entries are taken by name, each from the last file that has it.
const BY_NAME: &[&str] = &["commands", "references"];

/// The configuration as OpenCode 2 sees it.
pub(super) fn merge(host: &dyn Host, subject: &Subject, mut layers: Layers) -> Effective {
    let steps = std::mem::take(&mut layers.steps);
    let mut merging = Two {
        host,
        subject,
        layers,
        root: Map::default(),
        found: Vec::new(),
        named: Vec::new(),
        policies: Vec::new(),
        remarks: Vec::new(),
    };
    for document in steps.into_iter().flat_map(|step| step.documents) {
        merging.document(document);
    }
    merging.finish()
}

struct Two<'a> {
    host: &'a dyn Host,
    subject: &'a Subject,
    layers: Layers,
    root: Map,
    /// Plugins that lie in folders.
    found: Vec<PluginOrigin>,
    /// Plugins that files name; a name behind `-` takes one out.
    named: Vec<PluginOrigin>,
    /// The policies of each file.
    policies: Vec<Vec<Node>>,
    remarks: Vec<Remark>,
}

impl Two<'_> {
    fn document(&mut self, document: Document) {
        self.remarks.extend(repeated(&document));
        match document.part {
            Part::Config => {
                self.remarks.extend(missing_files(self.host, self.subject, &self.layers.sources, &document));
                let of_project = self.layers.files.get(document.layer).is_some_and(|layer| layer.scope == Scope::Repo);
                let map = normalize::document(self.subject, &document, of_project, &mut self.remarks);
                self.apply(&document, of_project, map);
            }
            Part::Agent | Part::Mode => {
                if let Some(entry) = agents::markdown(&document, &mut self.remarks) {
                    let at = document.name.at;
                    self.agent(document.name, Node { value: NodeValue::Map(entry), at });
                }
            }
            Part::Plugin => {
                let local = document.folder.is_within(&self.subject.project);
                let entry = Node::text_at(document.name.name.clone(), document.name.at);
                self.found.push(PluginOrigin {
                    spec: document.name.name,
                    source: document.folder.text(),
                    local,
                    at: entry.at,
                    entry,
                });
            }
            Part::Command => {}
        }
    }

    fn apply(&mut self, document: &Document, of_project: bool, map: Map) {
        for (key, value) in map.into_pairs() {
            match key.name.as_str() {
                name if ADDED_UP.contains(&name) => self.add_up(key, value),
                name if BY_NAME.contains(&name) => self.by_name(key, value),
                "agents" => {
                    for (name, agent) in pairs(value) {
                        self.agent(name, agent);
                    }
                }
                "mcp" => self.servers(key, value),
                "providers" => {
                    self.root.merge([(key, value)].into_iter().collect());
                }
                "plugins" => self.plugins(document, of_project, &value),
                "experimental" => self.experimental(key, value),
                _ => self.root.set(key, value),
            }
        }
    }

    fn add_up(&mut self, key: Key, value: Node) {
        let NodeValue::List(more) = value.value else { return };
        match self.root.get_mut(&key.name).map(|node| &mut node.value) {
            Some(NodeValue::List(all)) => all.extend(more),
            _ => self.root.set(key, Node { value: NodeValue::List(more), at: value.at }),
        }
    }

    fn by_name(&mut self, key: Key, value: Node) {
        let at = value.at;
        let mut all = self.root.get(&key.name).and_then(Node::map).cloned().unwrap_or_default();
        for (name, entry) in pairs(value) {
            all.set(name, entry);
        }
        self.root.set(key, Node { value: NodeValue::Map(all), at });
    }

    fn servers(&mut self, key: Key, value: Node) {
        let at = value.at;
        let known = self.root.get("mcp").and_then(|mcp| mcp.get("servers"));
        let mut all = known.and_then(Node::map).cloned().unwrap_or_default();
        for (name, server) in value.get("servers").cloned().into_iter().flat_map(pairs) {
            all.set(name, server);
        }
        let servers = Key { name: "servers".to_owned(), at };
        let mcp: Map = [(servers, Node { value: NodeValue::Map(all), at })].into_iter().collect();
        self.root.set(key, Node { value: NodeValue::Map(mcp), at });
    }

    /// An agent over what is known of it: its rules go behind those that are there, of other keys the last counts.
    fn agent(&mut self, name: Key, entry: Node) {
        let at = entry.at;
        let NodeValue::Map(entry) = entry.value else { return };
        if self.root.get("agents").is_none() {
            self.root.set_made("agents", Node::made(NodeValue::Map(Map::default())));
        }
        let Some(agents) = self.root.get_mut("agents").and_then(Node::map_mut) else { return };
        let known = agents.get(&name.name).and_then(Node::map).cloned().unwrap_or_default();
        let is_off = |map: &Map| map.get("disabled").and_then(Node::bool) == Some(true);
        // One that is taken out starts anew where a later file names it again.
        let mut all = if is_off(&known) || is_off(&entry) { Map::default() } else { known };
        for (key, value) in entry.into_pairs() {
            match (all.get_mut(&key.name).map(|node| &mut node.value), value.value) {
                (Some(NodeValue::List(rules)), NodeValue::List(more)) if key.name == "permissions" => {
                    rules.extend(more)
                }
                (_, other) => all.set(key, Node { value: other, at: value.at }),
            }
        }
        agents.set(name, Node { value: NodeValue::Map(all), at });
    }

    fn plugins(&mut self, document: &Document, local: bool, list: &Node) {
        for entry in list.list().unwrap_or_default() {
            let spec = plugin_name(entry).or_else(|| entry.get("package")?.text());
            let Some(spec) = spec else { continue };
            let folder = document.path.as_ref().and_then(crate::model::AbsPath::parent);
            let folder = folder.unwrap_or_else(|| document.folder.clone());
            let spec = if spec.starts_with("./") || spec.starts_with("../") || spec.starts_with('/') {
                format!("file://{}", folder.join(spec).text())
            } else {
                spec.to_owned()
            };
            let source = document.path.as_ref().map(|path| path.text()).unwrap_or_default();
            self.named.push(PluginOrigin { spec, entry: entry.clone(), source, local, at: entry.at });
        }
    }

    fn experimental(&mut self, key: Key, value: Node) {
        let NodeValue::Map(mut map) = value.value else { return };
        if let Some((_, policies)) = map.remove("policies") {
            self.policies.push(policies.list().map(<[Node]>::to_vec).unwrap_or_default());
        }
        let mut all = self.root.get("experimental").and_then(Node::map).cloned().unwrap_or_default();
        for (name, entry) in map.into_pairs() {
            all.set(name, entry);
        }
        self.root.set(key, Node { value: NodeValue::Map(all), at: value.at });
    }

    fn finish(mut self) -> Effective {
        // The account's policies are asked last, so they hold against the project's.
        let policies: Vec<Node> = self.policies.drain(..).rev().flatten().collect();
        if !policies.is_empty() {
            let list: Map =
                [(Key { name: "policies".to_owned(), at: Span::NOWHERE }, Node::made(NodeValue::List(policies)))]
                    .into_iter()
                    .collect();
            let key = Key { name: "experimental".to_owned(), at: Span::NOWHERE };
            self.root.merge([(key, Node::made(NodeValue::Map(list)))].into_iter().collect());
        }
        let mut plugins: Vec<PluginOrigin> = Vec::new();
        for plugin in self.found.into_iter().chain(self.named) {
            let (name, out) = match plugin.spec.strip_prefix('-') {
                Some(name) => (name, true),
                None => (plugin.spec.as_str(), false),
            };
            plugins.retain(|known| package(&known.spec) != package(name));
            if !out {
                plugins.push(plugin);
            }
        }
        Effective {
            merging: Merging::Opencode2,
            sources: self.layers.sources,
            layers: self.layers.files,
            trees: vec![Tree { file: None, root: Node::made(NodeValue::Map(self.root)) }],
            plugins,
            managed: Map::default(),
            remarks: self.remarks,
            folders: self.layers.folders,
            start: self.layers.start,
            work_tree: self.layers.work_tree,
        }
    }
}

fn pairs(node: Node) -> Vec<(Key, Node)> {
    match node.value {
        NodeValue::Map(map) => map.into_pairs(),
        _ => Vec::new(),
    }
}
