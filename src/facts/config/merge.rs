//! Layers over layers. OpenCode's rules are those of 1.18.33: see `profiles/agents/opencode.yaml`.

use super::layers::{Document, Layers, Part, Reach, Step};
use super::node::{Key, Map, Node, NodeValue};
use super::source::Span;
use super::{Effective, Tree, decode};
use crate::facts::subject::{place, seems_to_exist, shown};
use crate::host::Host;
use crate::model::{AbsPath, Scope, Subject, redact_line};

/// A plugin that is loaded, and who brought it.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginOrigin {
    /// As the program names it: a package, or `file://…`.
    pub spec: String,
    /// The entry, with its options.
    pub entry: Node,
    /// The file or folder it came from, as the program names it.
    pub source: String,
    /// Whether the project brought it.
    pub local: bool,
    /// Where it is written, or the file itself.
    pub at: Span,
}

/// Something noticed while reading.
#[derive(Clone, Debug, PartialEq)]
pub struct Remark {
    /// What.
    pub kind: RemarkKind,
    /// The key it is about, dotted.
    pub key: String,
    /// What is the matter, and what to do, in words.
    pub why: String,
    /// Where.
    pub at: Span,
    /// Whether another version of the agent would take it otherwise.
    pub of_version: bool,
}

/// What was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemarkKind {
    /// The agent does not start.
    Refused,
    /// The key does nothing.
    Dropped,
    /// The key stands twice.
    Repeated,
    /// The key nearly names a tool, and is taken for the name of another.
    Misspelt,
}

/// Every file for itself.
pub(super) fn separate(layers: Layers) -> Effective {
    let mut remarks = Vec::new();
    let mut trees = Vec::new();
    let steps = layers.steps;
    for document in steps.into_iter().flat_map(|step| step.documents).filter(|document| document.part == Part::Config) {
        remarks.extend(repeated(&document));
        let file = layers.files.get(document.layer).map(|layer| layer.shown.clone());
        trees.push(Tree { file, root: document.root });
    }
    Effective {
        merging: crate::model::Merging::Separate,
        sources: layers.sources,
        layers: layers.files,
        trees,
        plugins: Vec::new(),
        managed: Map::default(),
        remarks,
        folders: layers.folders,
        start: layers.start,
        work_tree: layers.work_tree,
    }
}

/// Map by map, later files over earlier ones.
pub(super) fn deep(layers: Layers) -> Effective {
    let mut out = separate(layers);
    let mut root = Map::default();
    for tree in std::mem::take(&mut out.trees) {
        if let NodeValue::Map(map) = tree.root.value {
            root.merge(map);
        }
    }
    out.merging = crate::model::Merging::Deep;
    out.trees = vec![Tree { file: None, root: Node::made(NodeValue::Map(root)) }];
    out
}

pub(super) fn repeated(document: &Document) -> impl Iterator<Item = Remark> {
    document.repeated.iter().map(|(lost, _)| Remark {
        kind: RemarkKind::Repeated,
        key: lost.name.clone(),
        why: "it stands again further down, and only that counts".to_owned(),
        at: lost.at,
        of_version: false,
    })
}

/// As OpenCode does.
pub(super) fn opencode(host: &dyn Host, subject: &Subject, mut layers: Layers) -> Effective {
    let steps = std::mem::take(&mut layers.steps);
    let mut merging = Merging {
        host,
        subject,
        layers,
        root: Map::default(),
        plugins: Vec::new(),
        managed: Map::default(),
        remarks: Vec::new(),
    };
    let (last, steps): (Vec<Step>, Vec<Step>) = steps.into_iter().partition(|step| step.at.is_some());
    for step in steps {
        merging.step(step);
    }
    merging.finish(last);
    let Merging { layers, root, plugins, managed, remarks, .. } = merging;
    Effective {
        merging: crate::model::Merging::Opencode,
        sources: layers.sources,
        layers: layers.files,
        trees: vec![Tree { file: None, root: Node::made(NodeValue::Map(root)) }],
        plugins,
        managed,
        remarks,
        folders: layers.folders,
        start: layers.start,
        work_tree: layers.work_tree,
    }
}

struct Merging<'a> {
    host: &'a dyn Host,
    subject: &'a Subject,
    layers: Layers,
    root: Map,
    plugins: Vec<PluginOrigin>,
    managed: Map,
    remarks: Vec<Remark>,
}

impl Merging<'_> {
    fn step(&mut self, step: Step) {
        let mut merged = Map::default();
        let mut from = None;
        for document in step.documents {
            self.remarks.extend(repeated(&document));
            match document.part {
                Part::Config => {
                    let mut document = document;
                    let missing = missing_files(self.host, self.subject, &self.layers.sources, &document);
                    self.remarks.extend(missing);
                    if document.path.as_ref().is_some_and(|path| path.name_text() == "config") {
                        legacy_model(&mut document);
                    }
                    let decoded = decode::document(self.subject, &document, &mut self.remarks);
                    merged.merge(decoded);
                    from = Some(document);
                }
                Part::Agent | Part::Mode => self.markdown(document, "agent"),
                Part::Command => self.markdown(document, "command"),
                Part::Plugin => self.add_plugins(
                    step.reach,
                    &document.folder.text(),
                    &document.folder,
                    &[Node::text_at(document.name.name.clone(), document.name.at)],
                ),
            }
        }
        let Some(document) = from else { return };
        if self.layers.files.get(document.layer).is_some_and(|layer| layer.managed) {
            self.managed.merge(merged.clone());
        }
        let source = step.source.or_else(|| document.path.as_ref().map(AbsPath::text)).unwrap_or_default();
        let folder = document.path.clone().unwrap_or_else(|| document.folder.clone());
        self.apply(merged, step.reach, &source, &folder);
    }

    /// One layer over all below.
    fn apply(&mut self, mut over: Map, reach: Reach, source: &str, path: &AbsPath) {
        let ours = self.root.get("instructions").and_then(Node::list).map(<[Node]>::to_vec);
        if let (Some(mut all), Some(node)) = (ours, over.get_mut("instructions"))
            && let NodeValue::List(theirs) = &node.value
        {
            let known: std::collections::HashSet<String> =
                all.iter().filter_map(Node::text).map(str::to_owned).collect();
            all.extend(theirs.iter().filter(|item| item.text().is_none_or(|text| !known.contains(text))).cloned());
            node.value = NodeValue::List(all);
        }
        let plugins = over.get("plugin").and_then(Node::list).map(<[Node]>::to_vec).unwrap_or_default();
        self.root.merge(over);
        if !plugins.is_empty() {
            self.add_plugins(reach, source, path, &plugins);
        }
    }

    fn add_plugins(&mut self, reach: Reach, source: &str, path: &AbsPath, specs: &[Node]) {
        let (start, top) = (&self.layers.start, &self.layers.work_tree);
        let inside = path.is_within(start) || (*top != AbsPath::root() && path.is_within(top));
        let local = reach == Reach::Local || (reach == Reach::ByPath && inside);
        for node in specs {
            let Some(spec) = plugin_name(node) else { continue };
            let name = package(spec);
            self.plugins.retain(|known| package(&known.spec) != name);
            self.plugins.push(PluginOrigin {
                spec: spec.to_owned(),
                entry: node.clone(),
                source: source.to_owned(),
                local,
                at: node.at,
            });
        }
        let all = self.plugins.iter().map(|plugin| plugin.entry.clone()).collect();
        self.root.set_made("plugin", Node::made(NodeValue::List(all)));
    }

    fn markdown(&mut self, document: Document, key: &str) {
        let name = match document.root.get("name") {
            Some(Node { value: NodeValue::Text(name), .. }) => name.clone(),
            _ => document.name.name.clone(),
        };
        let Some(entry) = decode::markdown(&document, &name, &mut self.remarks) else { return };
        let at = document.name.at;
        let one: Map = [(Key { name, at }, Node { value: NodeValue::Map(entry), at })].into_iter().collect();
        let over: Map =
            [(Key { name: key.to_owned(), at }, Node { value: NodeValue::Map(one), at })].into_iter().collect();
        self.root.merge(over);
    }

    fn finish(&mut self, last: Vec<Step>) {
        decode::modes(&mut self.root);
        for step in last {
            let Some(at) = step.at else { continue };
            for document in step.documents.into_iter().filter(|_| at == "permission") {
                decode::permission_text(&mut self.root, document.root);
            }
        }
        decode::finish(&mut self.root, self.subject);
    }
}

/// `{file:…}` of what is not there keeps the program from starting. The files are not read.
pub(super) fn missing_files(
    host: &dyn Host,
    subject: &Subject,
    sources: &super::Sources,
    document: &Document,
) -> Vec<Remark> {
    let Some(source) = sources.of(document.name.at) else { return Vec::new() };
    let mut missing = Vec::new();
    for (at, name) in file_references(source.text()) {
        let path = match name.strip_prefix("~/").zip(place(subject, "{home}")) {
            Some((rest, home)) => home.join(rest),
            None => document.folder.join(name),
        };
        let looked = subject.scope > Scope::Repo || path.is_within(&subject.project);
        if looked && !seems_to_exist(host, &path) {
            let at = Span { source: document.name.at.source, start: at, end: at.saturating_add(6) };
            missing.push(Remark {
                kind: RemarkKind::Refused,
                key: format!("{{file:{}}}", redact_line(name)),
                why: format!("`{}` is not there: OpenCode does not start", shown(subject, &path)),
                at,
                of_version: false,
            });
        }
    }
    missing
}

/// Where files are named to be filled in, but in comments of a line.
fn file_references(text: &str) -> Vec<(u32, &str)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("{file:").take(100) {
        let line = text[..at].rsplit('\n').next().unwrap_or("");
        let name = text[at + 6..].split('}').next().unwrap_or("");
        if !line.trim_start().starts_with("//") && !name.is_empty() && !name.contains("{env:") {
            found.push((u32::try_from(at).unwrap_or(u32::MAX), name));
        }
    }
    found
}

/// The TOML of old times names provider and model apart.
fn legacy_model(document: &mut Document) {
    let Some(map) = document.root.map_mut() else { return };
    let Some((_, provider)) = map.remove("provider") else { return };
    if let (Some(provider), Some(model)) = (provider.text(), map.get_mut("model"))
        && let NodeValue::Text(text) = &mut model.value
    {
        *text = format!("{provider}/{text}");
    }
}

/// The name in `"name"` or `["name", {…}]`.
pub(super) fn plugin_name(node: &Node) -> Option<&str> {
    node.text().or_else(|| node.list()?.first()?.text())
}

/// What makes two plugins the same: the address of a file, the name of a package without its version.
pub(super) fn package(spec: &str) -> &str {
    if spec.starts_with("file://") {
        return spec;
    }
    let spec = spec.split_once("@npm:").map_or(spec, |(_, target)| target);
    match spec.get(1..).and_then(|rest| rest.find('@')) {
        Some(at) => &spec[..=at],
        None => spec,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn packages_are_named_without_their_version() {
        for (spec, name) in [
            ("x@1.0.0", "x"),
            ("x", "x"),
            ("@scope/x@latest", "@scope/x"),
            ("@scope/x", "@scope/x"),
            ("file:///a@b.js", "file:///a@b.js"),
            ("y@npm:x@2", "x"),
        ] {
            assert_eq!(super::package(spec), name, "{spec}");
        }
    }
}
