//! A server's own code: the file that its command runs, and whether it is part of the project that reviewers see.

use std::cell::OnceCell;
use std::os::unix::ffi::OsStrExt;

use schemars::JsonSchema;
use serde::Serialize;

use super::command::{Launch, Launcher};
use super::package::has_variable;
use crate::facts::git;
use crate::facts::subject::shown;
use crate::host::{Host, Kind, Outside, is_absent, read_text, resolve};
use crate::model::{AbsPath, Look, Subject};

/// The largest source file that is read.
const SOURCE_LIMIT: u64 = 512 << 10;

/// Most source files that are read of one server.
const MOST_FILES: usize = 40;

/// Where a server's own code is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Origin {
    /// The file that is run.
    pub path: String,
    /// Whether reviewers see it.
    pub state: Look<Place>,
}

/// Whether code is part of the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// It is committed with the project.
    Tracked,
    /// It is not, but its folder of build results lies beside code that is.
    Built,
    /// It lies in the project and is not part of it.
    Untracked,
    /// It lies elsewhere.
    Outside,
    /// There is no such file.
    Missing,
}

/// Folders of build results.
const BUILT: &[&str] = &["dist", "build", "out", "lib", "target", "bin", ".next", "_build"];

/// Folders of programs that a package manager or administrator put there.
const INSTALLED: &[&str] =
    &["/usr", "/opt", "/nix", "/bin", "/sbin", "/snap", "/Applications", "/Library", "/System", "/run/current-system"];

/// What git tracks in the project, read when it is first asked for.
#[derive(Default)]
pub(super) struct Tracked(OnceCell<Look<Option<git::Tracked>>>);

impl Tracked {
    fn get(&self, host: &dyn Host, subject: &Subject) -> &Look<Option<git::Tracked>> {
        self.0.get_or_init(|| git::tracked_at(host, &subject.project))
    }
}

/// The code that a command runs; None where that is a package, an installed program or nothing in particular.
pub(super) fn origin(
    host: &dyn Host,
    subject: &Subject,
    tracked: &Tracked,
    launch: &Launch,
    cwd: Option<&str>,
) -> Option<Origin> {
    let script = launch.script.as_deref()?;
    if script.contains("node_modules/") || script.contains("://") {
        return None;
    }
    let tidy = ["${workspaceFolder}/", "${workspaceRoot}/", "$PWD/", "${PWD}/"];
    let script = tidy.iter().find_map(|start| script.strip_prefix(start)).unwrap_or(script);
    if script.contains(":\\") || script.contains(":/") {
        return Some(Origin { path: crate::model::redact_line(script), state: Look::Known(Place::Outside) });
    }
    let Some(path) = absolute(subject, script, cwd) else {
        let how = "write the path without variables";
        let state = Look::unknown(format!("`{}` is decided at start", crate::model::redact_line(script)), how);
        return Some(Origin { path: crate::model::redact_line(script), state });
    };
    if launch.launcher == Launcher::Absolute && is_installed(&path) {
        return None;
    }
    Some(Origin { path: shown(subject, &path), state: place(host, subject, tracked, &path) })
}

fn absolute(subject: &Subject, script: &str, cwd: Option<&str>) -> Option<AbsPath> {
    let home = || subject.env.get("HOME").and_then(AbsPath::new);
    for start in ["~/", "$HOME/", "${HOME}/", "{env:HOME}/"] {
        if let Some(rest) = script.strip_prefix(start) {
            return Some(home()?.join(rest));
        }
    }
    if has_variable(script) || cwd.is_some_and(has_variable) {
        return None;
    }
    let base = cwd.map_or_else(|| subject.workspace.clone(), |cwd| subject.workspace.join(cwd));
    Some(base.join(script))
}

fn is_installed(path: &AbsPath) -> bool {
    let below = |folder: &&str| AbsPath::new(folder).is_some_and(|folder| path.is_within(&folder));
    let in_bin = path.parent().is_some_and(|folder| folder.name_text() == "bin");
    INSTALLED.iter().any(below) || in_bin
}

fn place(host: &dyn Host, subject: &Subject, tracked: &Tracked, path: &AbsPath) -> Look<Place> {
    if !path.is_within(&subject.project) {
        return Look::Known(Place::Outside);
    }
    let real = match resolve(host, path, Some(&subject.project)) {
        Ok(real) => Some(real),
        Err(error) if is_absent(&error) => None,
        Err(error) if error.get_ref().is_some_and(|inner| inner.is::<Outside>()) => {
            return Look::Known(Place::Outside);
        }
        Err(error) => return Look::unknown(format!("cannot read `{path}`: {error}"), "look at the path by hand"),
    };
    let tracked = match tracked.get(host, subject) {
        Look::Known(Some(tracked)) => tracked,
        Look::Known(None) => return Look::Known(if real.is_some() { Place::Untracked } else { Place::Missing }),
        Look::Unknown(unseen) => return Look::Unknown(unseen.clone()),
    };
    let target = real.as_ref().unwrap_or(path);
    Look::Known(
        match (is_tracked(tracked, subject, target), beside_tracked(tracked, subject, target), real.is_some()) {
            (true, _, _) => Place::Tracked,
            (false, true, _) => Place::Built,
            (false, false, true) => Place::Untracked,
            (false, false, false) => Place::Missing,
        },
    )
}

fn is_tracked(tracked: &git::Tracked, subject: &Subject, path: &AbsPath) -> bool {
    path.below(&subject.project).is_some_and(|path| tracked.holds(path.as_os_str().as_bytes()))
}

/// Whether a build folder on the way lies in a folder with tracked files.
fn beside_tracked(tracked: &git::Tracked, subject: &Subject, path: &AbsPath) -> bool {
    let on_the_way = path.ancestors().skip(1).filter(|folder| folder.is_within(&subject.project));
    let mut built = on_the_way.filter(|folder| BUILT.contains(&folder.name_text().as_ref()));
    built.any(|folder| folder.parent().is_some_and(|parent| is_tracked(tracked, subject, &parent)))
}

/// The files to read for words: the one that runs, and code beside it.
pub(super) fn code(host: &dyn Host, subject: &Subject, launch: &Launch, cwd: Option<&str>) -> Vec<(String, String)> {
    let Some(path) = launch.script.as_deref().and_then(|script| absolute(subject, script, cwd)) else {
        return Vec::new();
    };
    if !path.is_within(&subject.project) || launch.launcher == Launcher::Absolute && is_installed(&path) {
        return Vec::new();
    }
    let mut paths = vec![path.clone()];
    if let Some(folder) = path.parent().filter(|folder| *folder != subject.project) {
        let entries = resolve(host, &folder, Some(&subject.project)).and_then(|folder| host.list(&folder));
        let code = entries.unwrap_or_default().into_iter().filter(|entry| entry.kind == Kind::File);
        let names = code.filter_map(|entry| entry.name.into_string().ok()).filter(|name| is_code(name));
        paths.extend(names.map(|name| folder.join(name)).filter(|other| *other != path).take(MOST_FILES - 1));
    }
    let text = |path: AbsPath| {
        let text = read_text(host, &path, Some(&subject.project), SOURCE_LIMIT).ok()??;
        Some((shown(subject, &path), text))
    };
    paths.into_iter().filter_map(text).collect()
}

fn is_code(name: &str) -> bool {
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    let is_test = name.contains(".test.") || name.contains(".spec.") || name.starts_with("test_");
    matches!(end, "js" | "mjs" | "cjs" | "ts" | "mts" | "py" | "rb" | "go" | "rs" | "sh" | "json") && !is_test
}
