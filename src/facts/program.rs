//! Where the agent's program lies, and the package it came in. It is looked at and never started.

use std::io;

use super::{ProbeError, subject};
use crate::host::{self, CONFIG_LIMIT, Host, Kind};
use crate::model::{AbsPath, Subject};

/// How far above the program its package may begin.
const PACKAGE_DEPTH: usize = 4;

/// The program on the path of the agent's account: as found, and with links followed.
pub(super) fn find(host: &dyn Host, subject: &Subject) -> Result<Option<(AbsPath, AbsPath)>, ProbeError> {
    let agent = &subject.agent;
    let of_others = agent.others.iter().flat_map(|other| &other.commands).filter(|name| !agent.commands.contains(name));
    // Its own name counts wherever it lies; another edition's only where that is not there.
    let names = [agent.commands.iter().collect::<Vec<_>>(), of_others.collect()];
    let folders = search_path(subject);
    for (folder, command) in names.iter().flat_map(|names| pairs(&folders, names)) {
        let path = folder.join(command);
        match host::resolve(host, &path, None).and_then(|end| Ok((host.stat(&end)?.kind, end))) {
            Ok((Kind::File, end)) => return Ok(Some((path, end))),
            Ok(_) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            // A folder that the auditor may not enter, on the agent's path: it may hold the program.
            Err(error) => return Err(ProbeError::unreadable(&path, error)),
        }
    }
    Ok(None)
}

/// Every name in the first folder, then in the next.
fn pairs<'a>(folders: &'a [AbsPath], names: &'a [&'a String]) -> impl Iterator<Item = (&'a AbsPath, &'a String)> {
    folders.iter().flat_map(move |folder| names.iter().map(move |name| (folder, *name)))
}

/// The account's own PATH where it is known, then where installers put programs.
fn search_path(subject: &Subject) -> Vec<AbsPath> {
    let set = subject.env.get("PATH").map(String::as_str).unwrap_or_default();
    let usual = [
        "{home}/.opencode/bin",
        "{home}/.local/bin",
        "{home}/bin",
        "{home}/.bun/bin",
        "{home}/.npm-global/bin",
        "/usr/local/sbin",
        "/usr/local/bin",
        "/usr/sbin",
        "/usr/bin",
        "/sbin",
        "/bin",
        "/opt/homebrew/bin",
    ];
    let mut all: Vec<AbsPath> = set.split(':').filter_map(AbsPath::new).collect();
    all.extend(usual.iter().filter_map(|path| subject::place(subject, path)));
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|path| seen.insert(path.clone()));
    all
}

/// A package that holds the program.
pub(super) struct Package {
    pub(super) folder: AbsPath,
    pub(super) name: String,
    pub(super) version: Option<String>,
}

/// The nearest `package.json` above the program.
pub(super) fn package(host: &dyn Host, program: &AbsPath) -> Result<Option<Package>, String> {
    for folder in program.ancestors().skip(1).take(PACKAGE_DEPTH) {
        let file = folder.join("package.json");
        let text = match host::read_text(host, &file, None, CONFIG_LIMIT) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(format!("cannot read `{file}`: {error}"));
            }
            text => text.ok().flatten(),
        };
        // One that is no JSON names no package; the program is told without it.
        let json = text.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok()).unwrap_or_default();
        let text = |key: &str| json.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
        if let Some(name) = text("name") {
            return Ok(Some(Package { name, version: text("version"), folder }));
        }
    }
    Ok(None)
}
