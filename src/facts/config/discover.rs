//! Finds every file and variable that an agent's configuration comes from, lowest precedence first. Nothing is merged
//! or judged here, and nothing is read that the scope does not allow.

use super::jsonc::jsonc;
use super::layers::{Document, LayerState, Layers, Part, Reach, Step};
use super::node::{Map, Node};
use super::work_tree;
use crate::facts::subject::{in_any_home, place, seems_to_exist, shown, unplaced};
use crate::host::{Host, Tool, resolve};
use crate::model::{AbsPath, ConfigLayer, LayerSource, Merging, Scope, Subject};

/// Reads all layers of the subject's agent.
pub(super) fn read(host: &dyn Host, subject: &Subject) -> Layers {
    let start = resolve(host, &subject.workspace, None).unwrap_or_else(|_| subject.workspace.clone());
    let mut reader = Reader {
        host,
        subject,
        out: Layers { work_tree: work_tree::top(host, subject, &start), start, ..Layers::default() },
    };
    for layer in &subject.agent.config {
        if layer.os.is_none_or(|os| os == subject.os) {
            reader.layer(layer);
        }
    }
    reader.out
}

/// A variable of the agent's environment; never in the repo scope, never empty.
pub fn variable<'a>(subject: &'a Subject, name: &str) -> Option<&'a str> {
    let value = if subject.scope == Scope::Repo { None } else { subject.env.get(name) };
    value.map(String::as_str).filter(|value| !value.is_empty())
}

/// Whether a switch of the environment is on.
pub fn is_on(subject: &Subject, name: &str) -> bool {
    variable(subject, name).is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "true" | "1"))
}

/// The first of these variables that is set decides whether a layer is off.
fn is_off(subject: &Subject, off_env: &[String]) -> bool {
    off_env.iter().find(|name| variable(subject, name).is_some()).is_some_and(|name| is_on(subject, name))
}

/// Walks the layers of one agent.
pub(super) struct Reader<'a> {
    pub(super) host: &'a dyn Host,
    pub(super) subject: &'a Subject,
    pub(super) out: Layers,
}

impl Reader<'_> {
    fn layer(&mut self, layer: &ConfigLayer) {
        match &layer.source {
            LayerSource::Files(files) => self.files(layer, files),
            LayerSource::EnvFile(name) => {
                if let Some(value) = variable(self.subject, name) {
                    let path = self.out.start.join(value);
                    self.file_step(layer, &path, Reach::Global);
                }
            }
            LayerSource::EnvText { name, at } => self.variable_text(layer, name, at.clone()),
            LayerSource::Upward(files) => self.upward(layer, files),
            LayerSource::Directories { first, dir, extra, env, files } => {
                self.directories(layer, first.as_deref(), dir, extra, env.as_deref(), files);
            }
            LayerSource::UpwardToRoot(files) => self.upward_to_root(layer, files),
            LayerSource::Folder { path, env, files } => self.account_folder(layer, path, env.as_deref(), files),
            LayerSource::FoldersToRoot { dir, files } => self.folders_to_root(layer, dir, files),
            LayerSource::Preferences(domain) => self.preferences(layer, domain),
            LayerSource::Remote { file, entry_type } => self.remote(layer, file, entry_type),
        }
    }

    fn files(&mut self, layer: &ConfigLayer, files: &[String]) {
        let moved = layer.dir_env.as_deref().and_then(|name| variable(self.subject, name));
        let moved = moved.map(|value| self.out.start.join(value));
        let paths: Vec<AbsPath> = files
            .iter()
            .filter_map(|file| {
                let path = self.place(layer, file)?;
                Some(moved.as_ref().map_or(path.clone(), |folder| folder.join(path.name_text().as_ref())))
            })
            .collect();
        let alone = self.subject.agent.merging == Merging::Separate || layer.managed;
        let source = paths.first().and_then(AbsPath::parent).map(|folder| folder.text()).filter(|_| !alone);
        let documents: Vec<Document> =
            paths.iter().filter_map(|path| self.document(layer, path, Part::Config)).collect();
        let step = |documents| Step { reach: Reach::Global, source: source.clone(), documents, at: None };
        if alone {
            self.out.steps.extend(documents.into_iter().map(|document| step(vec![document])));
        } else if !documents.is_empty() {
            self.out.steps.push(step(documents));
        }
    }

    fn upward(&mut self, layer: &ConfigLayer, files: &[String]) {
        if is_off(self.subject, &layer.off_env) {
            self.note(layer, None, files.join(", "), Part::Config, LayerState::Off);
            return;
        }
        for folder in self.folders_upward().into_iter().rev() {
            for file in files {
                let path = folder.join(file);
                self.file_step(layer, &path, Reach::Local);
            }
        }
    }

    /// From the start up to the top of the work tree.
    fn folders_upward(&self) -> Vec<AbsPath> {
        let (start, top) = (&self.out.start, &self.out.work_tree);
        start.ancestors().take_while(|folder| folder.is_within(top) || !start.is_within(top)).collect()
    }

    fn directories(
        &mut self,
        layer: &ConfigLayer,
        first: Option<&str>,
        dir: &str,
        extra: &[String],
        env: Option<&str>,
        files: &[String],
    ) {
        let first = first.and_then(|folder| self.place(layer, folder));
        let named = env.and_then(|name| variable(self.subject, name)).map(|value| self.out.start.join(value));
        let mut folders: Vec<AbsPath> = first.iter().cloned().collect();
        if is_off(self.subject, &layer.off_env) {
            self.note(layer, None, dir.to_owned(), Part::Config, LayerState::Off);
        } else {
            folders.extend(self.folders_upward().iter().map(|folder| folder.join(dir)));
        }
        folders.extend(extra.iter().filter_map(|folder| self.place(layer, folder)));
        folders.extend(named.clone());
        let mut seen = std::collections::HashSet::new();
        folders.retain(|folder| seen.insert(folder.clone()));
        for folder in folders {
            if !self.is_folder(layer, &folder) {
                continue;
            }
            self.out.folders.push(folder.clone());
            if folder.name_text() == dir || named.as_ref() == Some(&folder) {
                for file in files {
                    self.file_step(layer, &folder.join(file), Reach::ByPath);
                }
            }
            self.parts(layer, &folder);
        }
    }

    /// From the top of the file system down to the start; none where the agent starts in the account's own folder.
    fn ancestors(&self) -> Vec<AbsPath> {
        let own = self.out.folders.first().and_then(|folder| resolve(self.host, folder, None).ok());
        let mut all: Vec<AbsPath> = self.out.start.ancestors().collect();
        if own.as_ref() == Some(&self.out.start) {
            all.clear();
        }
        all.reverse();
        all
    }

    fn upward_to_root(&mut self, layer: &ConfigLayer, files: &[String]) {
        if is_off(self.subject, &layer.off_env) {
            self.note(layer, None, files.join(", "), Part::Config, LayerState::Off);
            return;
        }
        let own = self.out.folders.first().cloned();
        for folder in self.ancestors().into_iter().filter(|folder| Some(folder) != own.as_ref()) {
            for file in files {
                self.file_step(layer, &folder.join(file), Reach::Local);
            }
        }
    }

    fn account_folder(&mut self, layer: &ConfigLayer, path: &str, env: Option<&str>, files: &[String]) {
        let named = env.and_then(|name| variable(self.subject, name)).map(|value| self.out.start.join(value));
        let Some(folder) = named.or_else(|| self.place(layer, path)) else { return };
        for file in files {
            self.file_step(layer, &folder.join(file), Reach::Global);
        }
        // It is remembered even where there is none, so that the walk through the project leaves it out.
        self.out.folders.push(folder.clone());
        if self.is_folder(layer, &folder) {
            self.parts(layer, &folder);
        }
    }

    fn folders_to_root(&mut self, layer: &ConfigLayer, dir: &str, files: &[String]) {
        if is_off(self.subject, &layer.off_env) {
            self.note(layer, None, dir.to_owned(), Part::Config, LayerState::Off);
            return;
        }
        for folder in self.ancestors().into_iter().map(|folder| folder.join(dir)) {
            if self.out.folders.contains(&folder) || !self.is_folder(layer, &folder) {
                continue;
            }
            for file in files {
                self.file_step(layer, &folder.join(file), Reach::ByPath);
            }
            self.out.folders.push(folder.clone());
            self.parts(layer, &folder);
        }
    }

    fn variable_text(&mut self, layer: &ConfigLayer, name: &str, at: Option<String>) {
        let Some(text) = variable(self.subject, name) else { return };
        let text = text.to_owned();
        let folder = self.out.start.clone();
        if let Some(document) = self.parse(layer, &text, None, format!("${name}"), folder, name.to_owned()) {
            let step = Step { reach: Reach::Local, source: Some(name.to_owned()), documents: vec![document], at };
            self.out.steps.push(step);
        }
    }

    /// The first property list of the domain that is there and can be converted, as the program takes it.
    fn preferences(&mut self, layer: &ConfigLayer, domain: &str) {
        let top = AbsPath::root().join("Library/Managed Preferences");
        let own = match self.subject.account() {
            Ok(user) => Some(top.join(&user.name)),
            Err(unseen) if self.in_scope(&top) && seems_to_exist(self.host, &top) => {
                let shown = format!("{top}/*/{domain}.plist");
                self.note(layer, None, shown, Part::Config, LayerState::Unseen(unseen));
                None
            }
            Err(_) => None,
        };
        for path in own.into_iter().chain([top.clone()]).map(|folder| folder.join(format!("{domain}.plist"))) {
            let there = self.in_scope(&path) && seems_to_exist(self.host, &path);
            if !there {
                continue;
            }
            let shown = shown(self.subject, &path);
            match self.host.run(Tool::Plutil, &["-convert", "json", "-o", "-", &path.text()]) {
                Ok(output) if output.status == 0 => {
                    let text = without_payload(&output.stdout);
                    let name = format!("{domain}.json");
                    if let Some(document) = self.parse(layer, &text, Some(&path), shown, top, name) {
                        self.push(document, Reach::Local);
                    }
                    return;
                }
                Ok(_) => {
                    let why = "plutil cannot convert it".to_owned();
                    self.note(layer, Some(&path), shown, Part::Config, LayerState::Broken { at: None, why });
                }
                Err(error) => {
                    self.note(layer, Some(&path), shown, Part::Config, LayerState::Unseen(error.into()));
                    return;
                }
            }
        }
    }

    /// Entries of a credential file that make the agent fetch configuration. Only their addresses are kept.
    fn remote(&mut self, layer: &ConfigLayer, file: &str, entry_type: &str) {
        let Some(path) = self.place(layer, file) else { return };
        let inline = variable(self.subject, "OPENCODE_AUTH_CONTENT").map(str::to_owned);
        let text = match inline {
            Some(text) => text,
            None => match self.text(layer, &path, Part::Config) {
                Some(text) => text,
                None => return,
            },
        };
        let Ok(parsed) = jsonc(&text, u32::MAX) else { return };
        for (key, entry) in parsed.root.map().into_iter().flat_map(Map::iter) {
            if entry.get("type").and_then(Node::text) == Some(entry_type) {
                let address = super::address(&key.name);
                self.note(layer, Some(&path), shown(self.subject, &path), Part::Config, LayerState::Remote(address));
            }
        }
    }

    /// The path of a file or folder. The home of an account that is not known is noted once.
    fn place(&mut self, layer: &ConfigLayer, path: &str) -> Option<AbsPath> {
        if let Some(unseen) = unplaced(self.subject, path).filter(|_| self.subject.scope > Scope::Repo) {
            let state = LayerState::Unseen(unseen);
            if !self.out.files.iter().any(|file| file.state == state) {
                self.note(layer, None, in_any_home("{home}"), Part::Config, state);
            }
        }
        place(self.subject, path)
    }
}

/// What a management profile adds to the keys it carries.
const PAYLOAD: &[&str] =
    &["PayloadDisplayName", "PayloadIdentifier", "PayloadType", "PayloadUUID", "PayloadVersion", "_manualProfile"];

/// The JSON of a property list without the keys of its profile; as it was where it is no JSON.
fn without_payload(json: &str) -> String {
    let Ok(mut map) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(json) else {
        return json.to_owned();
    };
    map.retain(|key, _| !PAYLOAD.contains(&key.as_str()));
    serde_json::Value::Object(map).to_string()
}
