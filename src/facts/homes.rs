//! Homes of people and of root, and what the agent's account can do in them.

use schemars::JsonSchema;
use serde::Serialize;

use super::ProbeError;
use super::credentials::table::KNOWN;
use super::people::{Home, homes};
use super::reach::Reach;
use crate::host::{Host, Kind, Want};
use crate::model::{AbsPath, Look, Mode, Subject, Unseen};

/// Files of a home that are nobody else's business, besides the credentials of tools.
const PRIVATE: &[&str] = &[
    ".bash_history",
    ".zsh_history",
    ".python_history",
    ".psql_history",
    ".mysql_history",
    ".local/share/fish/fish_history",
    ".ssh/config",
    ".mozilla",
    ".config/google-chrome",
    ".config/chromium",
    ".thunderbird",
    ".password-store",
    ".local/share/keyrings",
    "Library/Keychains",
];

/// Homes other than the agent's own.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Those of people and of root.
    homes: Vec<Other>,
}

/// A home.
#[derive(Serialize, JsonSchema)]
struct Other {
    /// Whose it is.
    name: String,
    /// Where it is.
    path: AbsPath,
    /// Its mode; null where it is not there.
    mode: Option<Mode>,
    /// Whether the agent's account may pass through it; a shared project below it needs that.
    traversable: Look<bool>,
    /// Whether the agent's account may list it.
    readable: Look<bool>,
    /// Whether the agent's account may add and remove files in it.
    writable: Look<bool>,
    /// Well-known private files in it that the agent's account can read.
    secrets: Look<Vec<AbsPath>>,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let reach = Reach::of_agent(host, subject)?;
    // To root every home is open; one finding on that account says so.
    if reach.is_root() {
        return Ok(Fact { homes: Vec::new() });
    }
    let others = homes(host, subject)?.into_iter();
    let others = others.filter(|home| home.uid != reach.uid() && Some(&home.path) != subject.home());
    Ok(Fact { homes: others.filter_map(|home| other(&reach, home)).collect() })
}

/// None where the home is not there.
fn other(reach: &Reach<'_>, home: Home) -> Option<Other> {
    let mode = match reach.look(&home.path) {
        Ok(None) => return None,
        Ok(Some((_, stat))) => Some(stat.mode),
        Err(_) => None,
    };
    let traversable = reach.may_look(&home.path, Want::Execute);
    let secrets = match &traversable {
        Look::Known(false) => Look::Known(Vec::new()),
        _ => secrets(reach, &home.path).into(),
    };
    Some(Other {
        mode,
        readable: reach.may_look(&home.path, Want::Read),
        writable: reach.may_look(&home.path, Want::Write),
        traversable,
        secrets,
        name: home.owner,
        path: home.path,
    })
}

fn secrets(reach: &Reach<'_>, home: &AbsPath) -> Result<Vec<AbsPath>, Unseen> {
    let known = KNOWN.iter().map(|known| known.path.trim_end_matches("/*"));
    let mut found = Vec::new();
    for path in known.filter(|path| *path != ".ssh").chain(PRIVATE.iter().copied()) {
        let path = home.join(path);
        let Some((_, stat)) = reach.look(&path)? else { continue };
        let holds = stat.kind == Kind::Dir || stat.size > 0;
        if holds && reach.may(&path, Want::Read)? == Some(true) && !found.contains(&path) {
            found.push(path);
        }
    }
    for key in ["id_rsa", "id_ed25519", "id_ecdsa", "id_dsa"] {
        let path = home.join(".ssh").join(key);
        if reach.may(&path, Want::Read)? == Some(true) {
            found.push(path);
        }
    }
    Ok(found)
}
