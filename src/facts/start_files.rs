//! Files that shells and editors run when they start, and whether the agent's account could put its own text there.

use schemars::JsonSchema;
use serde::Serialize;

use super::ProbeError;
use super::people::{Home, homes};
use super::reach::{Reach, abs, list};
use crate::host::{Host, Want};
use crate::model::{AbsPath, Look, Subject, Unseen};

/// Files and folders of the system. Of a folder every file counts.
const SYSTEM: &[&str] = &[
    "/etc/profile",
    "/etc/profile.d",
    "/etc/environment",
    "/etc/environment.d",
    "/etc/bash.bashrc",
    "/etc/bashrc",
    "/etc/bash_completion.d",
    "/etc/zsh",
    "/etc/zshenv",
    "/etc/zprofile",
    "/etc/zshrc",
    "/etc/zlogin",
    "/etc/fish",
    "/etc/fish/conf.d",
    "/etc/csh.cshrc",
    "/etc/csh.login",
    "/etc/X11/Xsession.d",
    "/etc/vim",
    "/etc/inputrc",
];
/// The same below a home.
const HOME: &[&str] = &[
    ".profile",
    ".bash_profile",
    ".bash_login",
    ".bash_logout",
    ".bashrc",
    ".bash_aliases",
    ".zshenv",
    ".zprofile",
    ".zshrc",
    ".zlogin",
    ".zlogout",
    ".cshrc",
    ".tcshrc",
    ".login",
    ".xprofile",
    ".xsessionrc",
    ".pam_environment",
    ".direnvrc",
    ".tmux.conf",
    ".vimrc",
    ".emacs",
    ".emacs.d",
    ".ssh/rc",
    ".ssh/environment",
    ".config",
    ".config/fish",
    ".config/fish/config.fish",
    ".config/fish/conf.d",
    ".config/fish/functions",
    ".config/direnv",
    ".config/environment.d",
    ".config/nvim",
    ".config/emacs",
    ".config/autostart",
    ".vim",
    ".vim/plugin",
    ".oh-my-zsh",
];
/// How many files of one folder are looked at.
const FILES: usize = 300;

/// Files that shells and editors run when they start.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Every one of the system and of homes of people, of root and of the agent's account. Of a home that the
    /// account owns or may add to, only the home itself.
    files: Vec<StartFile>,
}

/// A file, a folder of such files, or a home in which they could be made.
#[derive(Serialize, JsonSchema)]
struct StartFile {
    /// Where it is.
    path: AbsPath,
    /// Whose shells run it.
    whose: Whose,
    /// The account; `everyone` for those of the system.
    account: String,
    /// Whether the agent's account can change it or put another in its place.
    writable: Look<bool>,
    /// What the account would write to for that.
    through: Option<AbsPath>,
}

/// Whose shells run a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Whose {
    /// Everybody's.
    System,
    /// Root's.
    Root,
    /// A person's.
    Person,
    /// Those of an account that only the agent uses.
    Agent,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let reach = Reach::of_agent(host, subject)?;
    let mut files = Vec::new();
    if reach.is_root() {
        let path = abs("/etc/profile");
        let all = StartFile {
            whose: Whose::System,
            account: "everyone".into(),
            writable: Look::Known(true),
            through: None,
            path,
        };
        return Ok(Fact { files: vec![all] });
    }
    for path in SYSTEM.iter().map(|path| abs(path)) {
        add(host, &reach, path, (Whose::System, "everyone"), &mut files);
    }
    for home in homes(host, subject)? {
        let whose = match (home.uid.0, home.is_human) {
            (0, _) => Whose::Root,
            (_, true) => Whose::Person,
            _ => Whose::Agent,
        };
        // Its own home is the agent's to write, unless somebody else logs in there.
        match home.doubt.clone().filter(|_| home.uid == reach.uid()) {
            Some(unseen) => files.push(unread(home.path.clone(), whose, &home.owner, unseen)),
            None => of_home(host, &reach, &home, whose, &mut files),
        }
    }
    Ok(Fact { files })
}

fn of_home(host: &dyn Host, reach: &Reach<'_>, home: &Home, whose: Whose, files: &mut Vec<StartFile>) {
    let at = files.len();
    files.extend(judge(reach, home.path.clone(), whose, &home.owner));
    let settled = files.get(at).is_none_or(|home| home.writable != Look::Known(false));
    // Behind a closed door nothing can be written.
    if settled || reach.may(&home.path, Want::Execute) == Ok(Some(false)) {
        return;
    }
    for path in HOME {
        add(host, reach, home.path.join(path), (whose, &home.owner), files);
    }
}

/// The entry for a path, and for each file in it where it is a folder.
fn add(host: &dyn Host, reach: &Reach<'_>, path: AbsPath, (whose, account): (Whose, &str), files: &mut Vec<StartFile>) {
    let folder = matches!(reach.look(&path), Ok(Some((_, stat))) if stat.kind == crate::host::Kind::Dir);
    let Some(entry) = judge(reach, path.clone(), whose, account) else { return };
    let open = entry.writable != Look::Known(false);
    files.push(entry);
    if !folder || open || path.name_text() == ".config" {
        return;
    }
    match list(host, &path, FILES) {
        Err(unseen) => files.push(unread(path, whose, account, unseen)),
        Ok(entries) => {
            let below = entries.into_iter().flatten().map(|entry| path.join(entry.name));
            // Only what can be changed is worth a line; the folder stands for the rest.
            let changed = |file: &StartFile| file.writable != Look::Known(false);
            files.extend(below.filter_map(|path| judge(reach, path, whose, account)).filter(changed));
        }
    }
}

/// None where nothing is there.
fn judge(reach: &Reach<'_>, path: AbsPath, whose: Whose, account: &str) -> Option<StartFile> {
    let (writable, through) = match reach.replace(&path) {
        Ok(None) => return None,
        Ok(Some(through)) => (Look::Known(through.is_some()), through),
        Err(unseen) => (Look::Unknown(unseen), None),
    };
    Some(StartFile { path, whose, account: account.to_owned(), writable, through })
}

fn unread(path: AbsPath, whose: Whose, account: &str, unseen: Unseen) -> StartFile {
    StartFile { path, whose, account: account.to_owned(), writable: Look::Unknown(unseen), through: None }
}
