//! Programs that write hooks themselves, known by a word in what they write. Nothing is trusted for it: a hook of
//! theirs is treated as any other, and the word decides only which advice is given.

use std::io;

use super::Hook;
use super::disk::{Folder, Found};
use crate::facts::git::own_hook::{self, Origin};
use crate::host::{self, Host};
use crate::model::AbsPath;

/// Names and words of them, with what there is to know of them.
const MANAGERS: &[(&str, &str, &str)] = &[
    ("pre-commit", "pre_commit", "`pre-commit install` writes its own hook in front of harden's"),
    ("lefthook", "lefthook", "lefthook replaces hooks by its own, also unasked when its configuration changes"),
    ("husky", "husky", "husky may write its own anew"),
    (
        "overcommit",
        "overcommit",
        "`overcommit --install` replaces hooks by its own, which want to be called by their usual names",
    ),
];

/// The configurations that say that a manager will write hooks here.
const CONFIGS: &[(&str, &str)] = &[
    (".pre-commit-config.yaml", "pre-commit"),
    ("lefthook.yml", "lefthook"),
    (".lefthook.yml", "lefthook"),
    ("lefthook.yaml", "lefthook"),
];

/// The manager that wrote a hook, and what it may do to ours.
pub(super) fn wrote(text: &str) -> Option<(&'static str, &'static str)> {
    MANAGERS.iter().find(|(_, word, _)| text.contains(word)).map(|(name, _, does)| (*name, *does))
}

/// Whether the hook of this text runs ours, which pre-commit has put aside when it was installed.
pub(super) fn runs_ours(folder: &Folder, hook: Hook, text: &str) -> io::Result<bool> {
    if !text.contains("pre_commit") {
        return Ok(false);
    }
    Ok(match folder.look(&format!("{}.legacy", hook.name()))? {
        Found::File { bytes, runs } => runs && matches!(own_hook::origin(hook, &bytes), Origin::Ours(_)),
        _ => false,
    })
}

/// A sentence on each manager that the work tree is set up for.
pub(super) fn notes(host: &dyn Host, top: &AbsPath) -> Vec<String> {
    let there = |name: &str| host::exists(host, &top.join(name)).unwrap_or(false);
    let found = CONFIGS.iter().filter(|(file, _)| there(file));
    let note = |(file, name): &(&str, &str)| {
        let does = MANAGERS.iter().find(|(own, ..)| own == name).map_or("", |(.., does)| does);
        format!(
            "`{file}` is there: {does}; run `harden hooks status` after that, or let {name} run `harden scan --staged`"
        )
    };
    found.map(note).collect()
}
