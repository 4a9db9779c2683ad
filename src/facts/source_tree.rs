//! What the agent's account may write in the project. Looked at from the top down to a few levels: a tree that is
//! open is open near its top.

use std::collections::VecDeque;

use schemars::JsonSchema;
use serde::Serialize;

use super::ProbeError;
use super::reach::{Reach, list};
use super::subject::shown;
use crate::host::{Host, Kind, Want};
use crate::model::{AbsPath, Look, Subject};

/// How deep folders are looked at.
const DEPTH: usize = 3;
/// How many folders are looked at.
const FOLDERS: usize = 400;
/// Folders that hold what is fetched or built, not sources.
const BUILT: &[&str] = &["node_modules", "target", "dist", "build", ".venv", "__pycache__", ".cache"];

/// What the agent's account may write in the project.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// The topmost folders and files that the account may write, and those of which that is not known; the project
    /// itself in any case.
    entries: Vec<Entry>,
    /// Whether the bounds left nothing out: the first three levels were looked at.
    complete: bool,
}

/// A folder or file of the project.
#[derive(Serialize, JsonSchema)]
struct Entry {
    /// Its name in the project.
    name: String,
    /// Where it is.
    path: AbsPath,
    /// Whether the account may write it.
    writable: Look<bool>,
    /// Whether the parameter `write_dirs` names it or a folder above it.
    declared: bool,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let reach = Reach::of_agent(host, subject)?;
    let declared: Vec<AbsPath> =
        subject.parameters.list("write_dirs").into_iter().map(|dir| subject.project.join(dir)).collect();
    let mut entries = Vec::new();
    let mut todo = VecDeque::from([(subject.project.clone(), 0)]);
    let (mut looked, mut complete) = (0, true);
    while let Some((folder, depth)) = todo.pop_front() {
        looked += 1;
        if looked > FOLDERS {
            complete = false;
            break;
        }
        let entry = judge(&reach, subject, &folder, &declared);
        let open = entry.writable != Look::Known(false);
        let top = depth == 0;
        let named = entry.declared;
        if open || top {
            entries.push(entry);
        }
        if named || (open && !declared.iter().any(|dir| dir.is_within(&folder))) || depth >= DEPTH {
            continue;
        }
        // A folder that the audit cannot list was told apart above: the account's rights are in its mode.
        for child in list(host, &folder, 2000).unwrap_or_default().into_iter().flatten() {
            let path = folder.join(&child.name);
            match child.kind {
                Kind::Dir if !BUILT.iter().any(|name| child.name == *name) => todo.push_back((path, depth + 1)),
                Kind::File if depth < 2 => {
                    let entry = judge(&reach, subject, &path, &declared);
                    entries.extend((entry.writable != Look::Known(false) && !entry.declared).then_some(entry));
                }
                _ => {}
            }
        }
    }
    Ok(Fact { entries, complete })
}

fn judge(reach: &Reach<'_>, subject: &Subject, path: &AbsPath, declared: &[AbsPath]) -> Entry {
    Entry {
        name: if *path == subject.project { ".".into() } else { shown(subject, path) },
        path: path.clone(),
        writable: reach.may_look(path, Want::Write),
        declared: declared.iter().any(|dir| path.is_within(dir)),
    }
}
