//! Folders that hold a skill, and folders named as references: OpenCode lets its tools into them without asking.

use super::node::{Map, Node};
use super::{Effective, is_on};
use crate::facts::subject::{jail, place};
use crate::host::{Host, Kind, resolve};
use crate::model::{AbsPath, Scope, Subject};

/// Most entries looked at below one folder of skills.
const ENTRY_LIMIT: usize = 5_000;
/// Deepest folder looked into.
const FOLDER_DEPTH: usize = 8;

/// The folders, in the order of their rules.
pub fn folders(host: &dyn Host, subject: &Subject, config: &Effective) -> Vec<AbsPath> {
    let claude =
        !is_on(subject, "OPENCODE_DISABLE_CLAUDE_CODE") && !is_on(subject, "OPENCODE_DISABLE_CLAUDE_CODE_SKILLS");
    let names: &[&str] = if claude { &[".claude", ".agents"] } else { &[".agents"] };
    let mut roots: Vec<AbsPath> = Vec::new();
    if !is_on(subject, "OPENCODE_DISABLE_EXTERNAL_SKILLS") {
        let home = place(subject, "{home}");
        let upward = config
            .start
            .ancestors()
            .take_while(|folder| folder.is_within(&config.work_tree) || !config.start.is_within(&config.work_tree));
        for folder in home.into_iter().chain(upward) {
            roots.extend(names.iter().map(|name| folder.join(name).join("skills")));
        }
    }
    for folder in &config.folders {
        roots.extend(["skill", "skills"].map(|name| folder.join(name)));
    }
    let paths = config.root().and_then(|root| root.get("skills.paths")).and_then(Node::list).unwrap_or_default();
    for path in paths.iter().filter_map(Node::text) {
        roots.extend(beside(subject, &config.start, path));
    }
    let mut found = Vec::new();
    for root in roots {
        if subject.scope > Scope::Repo || root.is_within(&subject.project) {
            let mut left = ENTRY_LIMIT;
            below(host, subject, &root, 0, &mut left, &mut found);
        }
    }
    found
}

/// Folders that `references` names on this machine; repositories elsewhere are left out.
pub fn references(subject: &Subject, config: &Effective) -> Vec<AbsPath> {
    let root = config.root();
    let named = ["reference", "references"].into_iter().filter_map(|key| root?.get(key)?.map()).flat_map(Map::iter);
    named
        .filter_map(|(_, node)| {
            let text = node.text().or_else(|| node.get("path")?.text())?;
            let file = config.sources.of(node.at).and_then(|source| source.path.clone());
            let folder = file.and_then(|file| file.parent()).unwrap_or_else(|| config.start.clone());
            text.starts_with(['.', '/', '~']).then(|| beside(subject, &folder, text))?
        })
        .collect()
}

fn beside(subject: &Subject, folder: &AbsPath, path: &str) -> Option<AbsPath> {
    match path.strip_prefix("~/") {
        Some(rest) => Some(place(subject, "{home}")?.join(rest)),
        None => Some(folder.join(path)),
    }
}

fn below(
    host: &dyn Host,
    subject: &Subject,
    folder: &AbsPath,
    depth: usize,
    left: &mut usize,
    found: &mut Vec<AbsPath>,
) {
    let real = |path: &AbsPath| resolve(host, path, jail(subject, path));
    let Ok(entries) = real(folder).and_then(|path| host.list(&path)) else { return };
    for entry in entries {
        if *left == 0 {
            return;
        }
        *left -= 1;
        let path = folder.join(&entry.name);
        let kind = if entry.kind == Kind::Link {
            real(&path).and_then(|path| host.stat(&path)).map_or(Kind::Special, |stat| stat.kind)
        } else {
            entry.kind
        };
        if kind == Kind::File && entry.name == "SKILL.md" {
            if !found.contains(folder) {
                found.push(folder.clone());
            }
        } else if kind == Kind::Dir && depth < FOLDER_DEPTH {
            below(host, subject, &path, depth + 1, left, found);
        }
    }
}
