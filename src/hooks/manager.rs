//! Programs that write hooks themselves, known by a word in what they write. Nothing is trusted for it: a hook of
//! theirs is treated as any other, and the word decides only which advice is given.

use crate::host::{self, Host};
use crate::model::AbsPath;

/// Names and words of them, with what there is to know of them.
const MANAGERS: &[(&str, &str, &str)] = &[
    ("pre-commit", "pre_commit", "`pre-commit install` writes its own in front of it"),
    ("lefthook", "lefthook", "`lefthook install` replaces it, also by itself when its configuration changes"),
    ("husky", "husky", "husky may write it anew"),
    ("overcommit", "overcommit", "`overcommit --install` replaces it, and its hook wants to be called by its own name"),
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

/// A sentence on each manager that the work tree is set up for.
pub(super) fn notes(host: &dyn Host, top: &AbsPath) -> Vec<String> {
    let there = |name: &str| host::exists(host, &top.join(name)).unwrap_or(false);
    let found = CONFIGS.iter().filter(|(file, _)| there(file));
    let note = |(file, name): &(&str, &str)| {
        let does = MANAGERS.iter().find(|(own, ..)| own == name).map_or("", |(.., does)| does);
        format!(
            "`{file}` is there, and where our hook is installed {does}: run `harden hooks status` after that, or let \
             {name} run `harden scan --staged`"
        )
    };
    found.map(note).collect()
}
