//! Finds and reads every file that an agent's configuration comes from, lowest precedence first. Nothing is merged
//! or judged here, and nothing is read that the scope does not allow.

use std::io;

use super::document::{Key, Map, Node, NodeValue, Sources, Span, TOO_DEEP, TOO_MANY, jsonc};
use super::{front_matter, work_tree};
use crate::facts::subject::{in_any_home, jail, place, seems_to_exist, shown, unplaced};
use crate::host::{CONFIG_LIMIT, Host, Kind, Outside, Tool, read_text, resolve};
use crate::model::{AbsPath, ConfigLayer, LayerSource, Location, Merging, Scope, Subject, Unseen};

/// Most files of agents, commands or plugins that one folder may hold.
const FILE_LIMIT: usize = 2_000;
/// Deepest folder below `agents/` that is looked into.
const FOLDER_DEPTH: usize = 8;

/// One file or variable that configuration comes from.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The layer it belongs to: `global`, `project`, `managed`.
    pub name: String,
    /// Who controls it: the repository, the account or the machine.
    pub scope: Scope,
    /// Enforced by the machine's owner.
    pub managed: bool,
    /// The file as it is shown, or `$NAME`.
    pub shown: String,
    /// The file; none for a variable.
    pub path: Option<AbsPath>,
    /// What it holds.
    pub part: Part,
    /// What became of reading it.
    pub state: LayerState,
}

/// What became of reading a layer.
#[derive(Clone, Debug, PartialEq)]
pub enum LayerState {
    /// There is none.
    Absent,
    /// It was read.
    Read,
    /// It is there and makes no sense.
    Broken {
        /// Where.
        at: Option<Location>,
        /// What is wrong.
        why: String,
    },
    /// It could not be read: what it says is unknown.
    Unseen(Unseen),
    /// It lies outside the scope of the audit.
    NotLooked,
    /// A variable switches it off.
    Off,
    /// The agent fetches it from this host at start-up.
    Remote(String),
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Configuration.
    Config,
    /// An agent.
    Agent,
    /// An agent, in the old way.
    Mode,
    /// A command.
    Command,
    /// Code that is loaded at start-up.
    Plugin,
}

/// Whom a plugin of a layer is counted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The account or machine.
    Global,
    /// The project.
    Local,
    /// Whoever owns the folder it lies in.
    ByPath,
}

/// Documents that are merged among themselves before they go over what is below.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Whom its plugins are counted to.
    pub reach: Reach,
    /// Where its plugins are said to come from, where that is not its file.
    pub source: Option<String>,
    /// The documents, lowest first.
    pub documents: Vec<Document>,
    /// Only this key of the configuration takes part, and only after all other steps.
    pub at: Option<String>,
}

/// One document.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its layer.
    pub layer: usize,
    /// What it holds.
    pub part: Part,
    /// Where it was read from.
    pub path: Option<AbsPath>,
    /// What relative paths in it are relative to.
    pub folder: AbsPath,
    /// The name of the agent or command.
    pub name: Key,
    /// What it says.
    pub root: Node,
    /// The text below its front matter.
    pub body: Option<String>,
    /// Keys that stand twice: the one that lost, the one that holds.
    pub repeated: Vec<(Key, Key)>,
    /// Its front matter is a program.
    pub code: bool,
}

/// Everything that was read.
#[derive(Debug, Default)]
pub(super) struct Layers {
    /// The texts.
    pub sources: Sources,
    /// The files, in order.
    pub files: Vec<Layer>,
    /// The documents, in order.
    pub steps: Vec<Step>,
    /// Folders of agents, commands, plugins and skills, in order.
    pub folders: Vec<AbsPath>,
    /// Where the upward walk ends; `/` outside of any repository.
    pub work_tree: AbsPath,
    /// The folder the agent starts in, links resolved.
    pub start: AbsPath,
}

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

struct Reader<'a> {
    host: &'a dyn Host,
    subject: &'a Subject,
    out: Layers,
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
        if layer.off_env.as_deref().is_some_and(|name| is_on(self.subject, name)) {
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
        if layer.off_env.as_deref().is_some_and(|name| is_on(self.subject, name)) {
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

    /// Whether there is a folder that may be looked into. What is there and may not is noted.
    fn is_folder(&mut self, layer: &ConfigLayer, folder: &AbsPath) -> bool {
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
    fn parts(&mut self, layer: &ConfigLayer, folder: &AbsPath) {
        if self.subject.agent.merging != Merging::Opencode {
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
                if file.ends_with(".ts") || file.ends_with(".js") {
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
        if read.skipped {
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

    fn push(&mut self, document: Document, reach: Reach) {
        self.out.steps.push(Step { reach, source: None, documents: vec![document], at: None });
    }

    fn file_step(&mut self, layer: &ConfigLayer, path: &AbsPath, reach: Reach) {
        if let Some(document) = self.document(layer, path, Part::Config) {
            self.push(document, reach);
        }
    }

    fn document(&mut self, layer: &ConfigLayer, path: &AbsPath, part: Part) -> Option<Document> {
        let text = self.text(layer, path, part)?;
        let folder = path.parent().unwrap_or_else(AbsPath::root);
        let name = path.name_text().into_owned();
        self.parse(layer, &text, Some(path), shown(self.subject, path), folder, name)
    }

    /// The text of a file; what keeps it from being read is noted. Of files that are not there, only those are
    /// noted that stand at one fixed place.
    fn text(&mut self, layer: &ConfigLayer, path: &AbsPath, part: Part) -> Option<String> {
        let state = if !self.in_scope(path) {
            LayerState::NotLooked
        } else {
            match read_text(self.host, path, jail(self.subject, path), CONFIG_LIMIT) {
                Ok(Some(text)) => return Some(text),
                Ok(None) => LayerState::Absent,
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                    LayerState::Broken { at: None, why: error.to_string() }
                }
                Err(error) => LayerState::Unseen(unseen(path, &error)),
            }
        };
        let fixed = matches!(layer.source, LayerSource::Files(_) | LayerSource::EnvFile(_));
        if fixed || !matches!(state, LayerState::Absent | LayerState::NotLooked) {
            self.note(layer, Some(path), shown(self.subject, path), part, state);
        }
        None
    }

    fn parse(
        &mut self,
        layer: &ConfigLayer,
        text: &str,
        path: Option<&AbsPath>,
        shown: String,
        folder: AbsPath,
        name: String,
    ) -> Option<Document> {
        let id = self.out.files.len();
        let source = self.out.sources.add(shown.clone(), path.cloned(), id, text);
        let end = text.lines().next().map_or(1, str::len);
        let whole = Span { source, start: 0, end: u32::try_from(end).unwrap_or(1) };
        let whole_key = matches!(&layer.source, LayerSource::EnvText { at: Some(_), .. });
        let strict = whole_key.then(|| serde_json::from_str::<serde::de::IgnoredAny>(text).err()).flatten();
        let parsed = if let Some(error) = strict {
            Err(super::document::Malformed { at: whole, why: format!("no JSON, so it is passed over: {error}") })
        } else if text.is_empty() {
            Ok((Node { value: NodeValue::Map(Map::default()), at: whole }, Vec::new()))
        } else if path.is_some() && (name.ends_with(".toml") || !name.contains('.')) {
            super::toml_text::read(text, source).map(|root| (root, Vec::new()))
        } else if name.ends_with(".yaml") || name.ends_with(".yml") {
            super::yaml_text::read(text, source, 0).map(|root| (root, Vec::new()))
        } else {
            jsonc(text, source).map(|parsed| (parsed.root, parsed.repeated))
        };
        let (root, repeated) = match parsed {
            Ok((root, repeated)) if root.map().is_some() || whole_key => (root, repeated),
            other => {
                let (at, why) = match other {
                    Err(error) => (error.at, error.why),
                    Ok((root, _)) => (root.at, format!("{} where a map belongs", root.kind())),
                };
                let state = if why == TOO_DEEP || why == TOO_MANY {
                    LayerState::Unseen(Unseen::new(format!("`{shown}` is {why}"), "make the file smaller"))
                } else {
                    LayerState::Broken { at: self.out.sources.location(at), why }
                };
                self.note(layer, path, shown, Part::Config, state);
                return None;
            }
        };
        self.note(layer, path, shown, Part::Config, LayerState::Read);
        let name = Key { name, at: whole };
        Some(Document {
            layer: id,
            part: Part::Config,
            path: path.cloned(),
            folder,
            name,
            root,
            body: None,
            repeated,
            code: false,
        })
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

    fn in_scope(&self, path: &AbsPath) -> bool {
        self.subject.scope > Scope::Repo || path.is_within(&self.subject.project)
    }

    fn note(&mut self, layer: &ConfigLayer, path: Option<&AbsPath>, shown: String, part: Part, state: LayerState) {
        let scope = match path {
            Some(path) if layer.scope == Scope::Repo && !path.is_within(&self.subject.project) => Scope::User,
            Some(path) if layer.scope == Scope::User && path.is_within(&self.subject.project) => Scope::Repo,
            _ => layer.scope,
        };
        self.out.files.push(Layer {
            name: layer.layer.clone(),
            scope,
            managed: layer.managed,
            shown,
            path: path.cloned(),
            part,
            state,
        });
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

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn unseen(path: &AbsPath, error: &io::Error) -> Unseen {
    let outside = error.get_ref().is_some_and(|inner| inner.is::<Outside>());
    let how = match error.kind() {
        _ if outside => "put the file itself into the project, or look at the target by hand",
        io::ErrorKind::PermissionDenied => "run with sudo",
        io::ErrorKind::FileTooLarge => "make the file smaller",
        io::ErrorKind::InvalidData => "save the file as UTF-8",
        _ => "look at the file by hand",
    };
    // A link that leads out names itself, its end and the project.
    let why = if outside { error.to_string() } else { format!("cannot read `{path}`: {error}") };
    Unseen::new(why, how)
}
