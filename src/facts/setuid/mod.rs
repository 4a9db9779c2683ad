//! Programs that start with other rights than their caller's: setuid, setgid, file capabilities. Looked for where
//! programs usually lie and where one would be dropped, not on the whole disk.

use std::collections::{BTreeSet, HashSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::ProbeError;
use super::mounts::Mounts;
use super::reach::{Reach, abs, unseen};
use crate::host::{Accounts, Host, Kind, Stat, Want};
use crate::model::{AbsPath, Gid, Look, Mode, Subject, Uid, Unseen};

/// What distributions ship, as `kind path` lines.
const EXPECTED: &str = include_str!("expected.txt");
/// Folders of programs, besides those of PATH.
const FOLDERS: &[&str] = &[
    "/usr/bin",
    "/usr/sbin",
    "/bin",
    "/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/games",
    "/usr/lib/openssh",
    "/usr/lib/ssh",
    "/usr/lib/dbus-1.0",
    "/usr/lib/policykit-1",
    "/usr/lib/polkit-1",
    "/usr/lib/snapd",
    "/usr/lib/xorg",
    "/usr/lib/eject",
    "/usr/libexec",
    "/usr/libexec/openssh",
    "/usr/libexec/dbus-1",
    "/usr/libexec/sssd",
    "/opt",
    "/opt/bin",
    "/tmp",
    "/var/tmp",
    "/dev/shm",
    "/home",
    "/srv",
];
/// How many entries of one folder are looked at.
const ENTRIES: usize = 20_000;

/// Programs that start with other rights than their caller's.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Those that were found, and folders that could not be looked into.
    programs: Vec<Program>,
    /// How many folders were looked through.
    folders: usize,
}

/// Such a program.
#[derive(Serialize, JsonSchema)]
struct Program {
    /// Where it is.
    path: AbsPath,
    /// What raises its rights.
    kind: ProgramKind,
    /// Its owner's name: whom a setuid program runs as.
    owner: String,
    /// Its group's name.
    group: String,
    /// Its mode.
    mode: Mode,
    /// Whether distributions ship it so, or the parameter `setuid_allow` names it.
    expected: bool,
    /// Whether the mount lets it have its rights.
    effective: bool,
    /// Whether the agent's account may start it.
    reachable: Look<bool>,
}

/// What raises the rights of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum ProgramKind {
    /// It runs as its owner.
    Setuid,
    /// It runs with its group.
    Setgid,
    /// It carries capabilities.
    Capabilities,
    /// A folder of programs that could not be looked into.
    Unread,
}

impl ProgramKind {
    fn word(self) -> &'static str {
        match self {
            Self::Setuid => "setuid",
            Self::Setgid => "setgid",
            Self::Capabilities => "capabilities",
            Self::Unread => "unread",
        }
    }
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let reach = Reach::of_agent(host, subject)?;
    let accounts = host.accounts().map_err(|error| ProbeError::unreadable(&abs("/etc/passwd"), error))?;
    let mounts = Mounts::read(host).map_err(ProbeError::Unseen)?;
    let allowed = subject.parameters.list("setuid_allow");
    let find = Find { host, reach, accounts, mounts, expected: expected(), allowed };
    let mut programs = Vec::new();
    let folders = folders(host, subject);
    for folder in &folders {
        find.folder(folder, &mut programs);
    }
    programs.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Fact { programs, folders: folders.len() })
}

/// The real folders to look through, each once.
fn folders(host: &dyn Host, subject: &Subject) -> BTreeSet<AbsPath> {
    let path = host.env("PATH").unwrap_or_default();
    let listed = super::search_path::folders(&path);
    let own = subject.home().into_iter().flat_map(|home| [home.clone(), home.join("bin"), home.join(".local/bin")]);
    let all = FOLDERS.iter().map(|folder| abs(folder)).chain(listed).chain(own).chain([subject.workspace.clone()]);
    // What cannot be resolved is kept: looking into it says why.
    all.map(|folder| crate::host::resolve(host, &folder, None).unwrap_or(folder)).collect()
}

fn expected() -> HashSet<(&'static str, &'static str)> {
    let lines = EXPECTED.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(' ')).map(|(kind, path)| (kind, path.trim())).collect()
}

struct Find<'a> {
    host: &'a dyn Host,
    reach: Reach<'a>,
    accounts: Accounts,
    mounts: Mounts,
    expected: HashSet<(&'static str, &'static str)>,
    allowed: Vec<&'a str>,
}

impl Find<'_> {
    fn folder(&self, folder: &AbsPath, found: &mut Vec<Program>) {
        // What the agent cannot pass holds nothing that it could start.
        match self.reach.may(folder, Want::Execute) {
            Ok(None | Some(false)) => return,
            Err(unseen) => return found.push(self.unread(folder, unseen)),
            Ok(Some(true)) => {}
        }
        let entries = match self.host.list_stats(folder) {
            Ok(entries) => entries,
            Err(error) => return found.push(self.unread(folder, unseen(folder, &error))),
        };
        if entries.len() > ENTRIES {
            let why = format!("`{folder}` holds more than {ENTRIES} names, and only the first were looked at");
            found.push(self.unread(folder, Unseen::new(why, format!("look with `find {folder} -xdev -perm /6000`"))));
        }
        for (entry, stat) in entries.into_iter().take(ENTRIES).filter(|(entry, _)| entry.kind == Kind::File) {
            let path = folder.join(&entry.name);
            found.extend(self.kind(&path, &stat).map(|kind| self.program(path, &stat, kind)));
        }
    }

    fn kind(&self, path: &AbsPath, stat: &Stat) -> Option<ProgramKind> {
        let mode = stat.mode.bits();
        if mode & 0o111 == 0 {
            return None;
        }
        match (mode & 0o4000 != 0, mode & 0o2010 == 0o2010) {
            (true, _) => Some(ProgramKind::Setuid),
            (_, true) => Some(ProgramKind::Setgid),
            _ => self.host.has_capabilities(path).unwrap_or(false).then_some(ProgramKind::Capabilities),
        }
    }

    fn program(&self, path: AbsPath, stat: &Stat, kind: ProgramKind) -> Program {
        // Some belong to an account of the system: `at` to daemon.
        let of_system = stat.uid == Uid(0) || (stat.uid.0 < 1000 && stat.uid != self.reach.uid());
        let listed = |usual: String| self.expected.contains(&(kind.word(), usual.as_str()));
        let shipped = of_system && usual_paths(&path.text()).into_iter().any(listed);
        Program {
            expected: shipped || self.allowed.contains(&path.text().as_str()),
            effective: !self.mounts.is_nosuid(&path),
            reachable: self.reach.may_look(&path, Want::Execute),
            owner: self.owner(stat.uid),
            group: self.accounts.group_name(stat.gid),
            mode: stat.mode,
            kind,
            path,
        }
    }

    fn owner(&self, uid: Uid) -> String {
        self.accounts.user_of(uid).map_or_else(|| uid.0.to_string(), |user| user.name.clone())
    }

    fn unread(&self, folder: &AbsPath, unseen: Unseen) -> Program {
        Program {
            path: folder.clone(),
            kind: ProgramKind::Unread,
            owner: self.owner(Uid(0)),
            group: self.accounts.group_name(Gid(0)),
            mode: Mode::new(0),
            expected: false,
            effective: true,
            reachable: Look::Unknown(unseen),
        }
    }
}

/// Where a system with a merged `/usr` has the file, and one with merged `bin` and `sbin`.
fn usual_paths(path: &str) -> [String; 2] {
    let usual =
        if path.starts_with("/bin/") || path.starts_with("/sbin/") { format!("/usr{path}") } else { path.into() };
    let other = match (usual.strip_prefix("/usr/bin/"), usual.strip_prefix("/usr/sbin/")) {
        (Some(name), _) => format!("/usr/sbin/{name}"),
        (_, Some(name)) => format!("/usr/bin/{name}"),
        _ => usual.clone(),
    };
    [usual, other]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_expected_programs_is_well_formed() {
        for line in EXPECTED.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (kind, path) = line.split_once(' ').expect("two words");
            assert!(matches!(kind, "setuid" | "setgid" | "capabilities"), "{line}");
            assert_eq!(usual_paths(path)[0], path, "{line}: write it below /usr");
            assert_eq!(AbsPath::new(path).map(|p| p.text()).as_deref(), Some(path), "{line}");
        }
        assert!(expected().contains(&("setuid", "/usr/bin/sudo")));
    }

    #[test]
    fn a_program_is_the_same_where_folders_are_merged() {
        for (path, usual) in [
            ("/bin/su", ["/usr/bin/su", "/usr/sbin/su"]),
            ("/usr/bin/unix_chkpwd", ["/usr/bin/unix_chkpwd", "/usr/sbin/unix_chkpwd"]),
            ("/sbin/mount.nfs", ["/usr/sbin/mount.nfs", "/usr/bin/mount.nfs"]),
            ("/usr/lib/openssh/ssh-keysign", ["/usr/lib/openssh/ssh-keysign"; 2]),
        ] {
            assert_eq!(usual_paths(path), usual);
        }
    }
}
