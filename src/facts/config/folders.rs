//! Reads folders of agents, commands and plugins. Of plugins only the names: they are code.

use super::discover::Reader;
use super::front_matter;
use super::layers::{Document, LayerState, Part, Reach};
use super::node::{Key, Node, NodeValue};
use super::source::Span;
use super::texts::{is_absent, unseen};
use crate::facts::subject::{jail, shown};
use crate::host::{Kind, resolve};
use crate::model::{AbsPath, ConfigLayer, Merging, Unseen};

/// Most files of agents, commands or plugins that one folder may hold.
const FILE_LIMIT: usize = 2_000;
/// What makes a folder of plugins one that OpenCode 2 loads.
const ENTRIES: &[&str] = &["package.json", "index.ts", "index.js"];
/// Deepest folder below `agents/` that is looked into.
const FOLDER_DEPTH: usize = 8;

impl Reader<'_> {
    /// Whether there is a folder that may be looked into. What is there and may not is noted.
    pub(super) fn is_folder(&mut self, layer: &ConfigLayer, folder: &AbsPath) -> bool {
        if !self.in_scope(folder) {
            return false;
        }
        match resolve(self.host, folder, jail(self.subject, folder)).and_then(|path| self.host.stat(&path)) {
            Ok(stat) => stat.kind == Kind::Dir,
            Err(error) if is_absent(&error) => false,
            Err(error) => {
                let state = LayerState::Unseen(unseen(folder, &error));
                self.note(layer, Some(folder), shown(self.subject, folder), Part::Config, state);
                false
            }
        }
    }

    /// The agents, commands and plugins of a folder.
    pub(super) fn parts(&mut self, layer: &ConfigLayer, folder: &AbsPath) {
        if !matches!(self.subject.agent.merging, Merging::Opencode | Merging::Opencode2) {
            return;
        }
        for (names, part, deep) in [
            (["command", "commands"], Part::Command, true),
            (["agent", "agents"], Part::Agent, true),
            (["mode", "modes"], Part::Mode, false),
        ] {
            for name in names {
                let mut found = Vec::new();
                self.markdown(layer, &folder.join(name), "", deep, &mut found);
                for relative in found {
                    self.part(layer, folder, name, &relative, part);
                }
            }
        }
        for name in ["plugin", "plugins"] {
            for file in self.names(layer, &folder.join(name)) {
                let is_package = self.subject.agent.merging == Merging::Opencode2
                    && ENTRIES.iter().any(|entry| self.is_there(&folder.join(name).join(&file).join(entry)));
                if file.ends_with(".ts") || file.ends_with(".js") || is_package {
                    self.plugin(layer, folder, &folder.join(name).join(&file));
                }
            }
        }
    }

    fn names(&mut self, layer: &ConfigLayer, folder: &AbsPath) -> Vec<String> {
        let entries = resolve(self.host, folder, jail(self.subject, folder)).and_then(|path| self.host.list(&path));
        match entries {
            Ok(entries) => {
                let names = entries.into_iter().take(FILE_LIMIT);
                names.filter_map(|entry| entry.name.into_string().ok()).collect()
            }
            Err(error) if is_absent(&error) => Vec::new(),
            Err(error) => {
                let state = LayerState::Unseen(unseen(folder, &error));
                self.note(layer, Some(folder), shown(self.subject, folder), Part::Config, state);
                Vec::new()
            }
        }
    }

    /// Markdown files below `folder`, links followed: paths relative to where it was first called.
    fn markdown(&mut self, layer: &ConfigLayer, folder: &AbsPath, prefix: &str, deep: bool, found: &mut Vec<String>) {
        for name in self.names(layer, folder) {
            let relative = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            if found.len() >= FILE_LIMIT {
                return;
            }
            if name.ends_with(".md") {
                found.push(relative);
            } else if deep && relative.split('/').count() < FOLDER_DEPTH && self.leads_to_folder(&folder.join(&name)) {
                self.markdown(layer, &folder.join(&name), &relative, deep, found);
            }
        }
    }

    fn is_there(&self, path: &AbsPath) -> bool {
        self.in_scope(path) && resolve(self.host, path, jail(self.subject, path)).is_ok()
    }

    fn leads_to_folder(&self, path: &AbsPath) -> bool {
        let stat = resolve(self.host, path, jail(self.subject, path)).and_then(|path| self.host.stat(&path));
        // A link that leads out is found again, and noted, when its files are asked for.
        stat.map_or(true, |stat| stat.kind == Kind::Dir)
    }

    fn part(&mut self, layer: &ConfigLayer, folder: &AbsPath, kind: &str, relative: &str, part: Part) {
        let path = folder.join(kind).join(relative);
        let Some(text) = self.text(layer, &path, part) else { return };
        let id = self.out.files.len();
        let source = self.out.sources.add(shown(self.subject, &path), Some(path.clone()), id, &text);
        let read = front_matter::read(&text, source);
        let state = match &read.problem {
            Some(problem) if read.code => LayerState::Unseen(Unseen::new(
                format!("`{}`: {}", shown(self.subject, &path), problem.why),
                "write its front matter in YAML",
            )),
            Some(problem) => LayerState::Broken { at: self.out.sources.location(problem.at), why: problem.why.clone() },
            None => LayerState::Read,
        };
        self.note(layer, Some(&path), shown(self.subject, &path), part, state);
        // OpenCode 2 passes over a file whose front matter it cannot read; its forerunner forgets the settings alone.
        let is_lost = self.subject.agent.merging == Merging::Opencode2 && read.problem.is_some() && !read.code;
        if read.skipped || is_lost {
            return;
        }
        let name = relative.strip_suffix(".md").unwrap_or(relative);
        let document = Document {
            layer: id,
            part,
            path: Some(path),
            folder: folder.clone(),
            name: Key { name: name.to_owned(), at: Span { source, start: 0, end: 3 } },
            root: read.root,
            body: Some(read.body),
            repeated: Vec::new(),
            code: read.code,
        };
        self.push(document, Reach::ByPath);
    }

    fn plugin(&mut self, layer: &ConfigLayer, folder: &AbsPath, path: &AbsPath) {
        let id = self.out.files.len();
        let source = self.out.sources.add(shown(self.subject, path), Some(path.clone()), id, "");
        self.note(layer, Some(path), shown(self.subject, path), Part::Plugin, LayerState::Read);
        let at = Span { source, start: 0, end: 0 };
        let document = Document {
            layer: id,
            part: Part::Plugin,
            path: Some(path.clone()),
            folder: folder.clone(),
            name: Key { name: format!("file://{}", path.text()), at },
            root: Node { value: NodeValue::Null, at },
            body: None,
            repeated: Vec::new(),
            code: false,
        };
        self.push(document, Reach::ByPath);
    }
}
