//! Where the agent's program lies, and the package it came in. It is looked at and never started.

use std::io;

use super::{ProbeError, search_path};
use crate::host::{self, CONFIG_LIMIT, Host, Kind};
use crate::model::{AbsPath, Subject};

/// How far above the program its package may begin.
const PACKAGE_DEPTH: usize = 4;

/// The program on the path of the agent's account: as found, and with links followed.
pub(super) fn find(host: &dyn Host, subject: &Subject) -> Result<Option<(AbsPath, AbsPath)>, ProbeError> {
    let agent = &subject.agent;
    let of_others = agent.others.iter().flat_map(|other| &other.commands).filter(|name| !agent.commands.contains(name));
    let of_others: Vec<String> = of_others.cloned().collect();
    // Its own name counts wherever it lies; another edition's only where that is not there.
    for path in search_path::of_agent(subject).into_iter().chain(search_path::of_commands(subject, &of_others)) {
        match host::resolve(host, &path, None).and_then(|end| Ok((host.stat(&end)?.kind, end))) {
            Ok((Kind::File, end)) => return Ok(Some((path, end))),
            Ok(_) => {}
            Err(error) if host::is_absent(&error) => {}
            // A folder that the auditor may not enter, on the agent's path: it may hold the program.
            Err(error) => return Err(ProbeError::unreadable(&path, error)),
        }
    }
    Ok(None)
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
