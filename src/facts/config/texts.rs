//! Reads one file or variable: its text, what it parses to, and what kept it from either.

use std::io;

use super::discover::Reader;
use super::jsonc::{TOO_DEEP, TOO_MANY, jsonc};
use super::layers::{Document, Layer, LayerState, Part, Reach, Step};
use super::node::{Key, Map, Node, NodeValue};
use super::source::Span;
use crate::facts::subject::{jail, shown};
use crate::host::{CONFIG_LIMIT, Outside, read_text};
use crate::model::{AbsPath, ConfigLayer, LayerSource, Scope, Unseen};

impl Reader<'_> {
    pub(super) fn push(&mut self, document: Document, reach: Reach) {
        self.out.steps.push(Step { reach, source: None, documents: vec![document], at: None });
    }

    pub(super) fn file_step(&mut self, layer: &ConfigLayer, path: &AbsPath, reach: Reach) {
        if let Some(document) = self.document(layer, path, Part::Config) {
            self.push(document, reach);
        }
    }

    pub(super) fn document(&mut self, layer: &ConfigLayer, path: &AbsPath, part: Part) -> Option<Document> {
        let text = self.text(layer, path, part)?;
        let folder = path.parent().unwrap_or_else(AbsPath::root);
        let name = path.name_text().into_owned();
        self.parse(layer, &text, Some(path), shown(self.subject, path), folder, name)
    }

    /// The text of a file; what keeps it from being read is noted. Of files that are not there, only those are
    /// noted that stand at one fixed place.
    pub(super) fn text(&mut self, layer: &ConfigLayer, path: &AbsPath, part: Part) -> Option<String> {
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
        let fixed =
            matches!(layer.source, LayerSource::Files(_) | LayerSource::EnvFile(_) | LayerSource::Folder { .. });
        if fixed || !matches!(state, LayerState::Absent | LayerState::NotLooked) {
            self.note(layer, Some(path), shown(self.subject, path), part, state);
        }
        None
    }

    pub(super) fn parse(
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
            Err(super::jsonc::Malformed { at: whole, why: format!("no JSON, so it is passed over: {error}") })
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

    pub(super) fn in_scope(&self, path: &AbsPath) -> bool {
        self.subject.scope > Scope::Repo || path.is_within(&self.subject.project)
    }

    pub(super) fn note(
        &mut self,
        layer: &ConfigLayer,
        path: Option<&AbsPath>,
        shown: String,
        part: Part,
        state: LayerState,
    ) {
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

pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

pub(super) fn unseen(path: &AbsPath, error: &io::Error) -> Unseen {
    if let Some(unseen) = crate::facts::closed(error) {
        return unseen;
    }
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
