//! Finds the launcher of an agent: where the profile says, else on the usual paths, and reads it.

use std::io;

use super::{script, unit};
use crate::facts::search_path;
use crate::host::{self, Host, Kind};
use crate::model::launch::{Form, Found, Launch, Launcher, Origin};
use crate::model::{AbsPath, Agent, AgentUser, Os, Parameters, Unseen};

/// The largest launcher that is read: 256 KiB.
const LIMIT: u64 = 256 << 10;
/// The most units of one folder that are read.
const UNITS: usize = 1000;

/// Looks for the launcher of `agent`: done once, when the subject is settled. Of a person the own folders are looked through too.
pub(in crate::facts) fn launcher(
    host: &dyn Host,
    agent: &Agent,
    person: Option<&AgentUser>,
    parameters: &Parameters,
) -> Found {
    let search = Search { host, agent };
    if let Some(path) = parameters.text("launcher").and_then(AbsPath::new) {
        return match search.named(&path) {
            Ok(Some(launcher)) => Found::Launcher(Box::new(launcher)),
            Ok(None) => Found::None { named: Some(path) },
            Err(error) => unreadable(&path, &error),
        };
    }
    for path in search.usual(person) {
        match search.read(&path) {
            Ok(Some(launcher)) if !launcher.launches.is_empty() => return Found::Launcher(Box::new(launcher)),
            // What cannot be read on a usual path is, but for a name that says it, not taken for a launcher.
            Err(error) if path.name_text().ends_with("-hardened") => return unreadable(&path, &error),
            _ => {}
        }
    }
    Found::None { named: None }
}

fn unreadable(path: &AbsPath, error: &io::Error) -> Found {
    let how =
        if error.kind() == io::ErrorKind::PermissionDenied { "run with sudo" } else { "look at the file by hand" };
    Found::Unknown(Unseen::new(format!("cannot read the launcher `{path}`: {error}"), how))
}

struct Search<'a> {
    host: &'a dyn Host,
    agent: &'a Agent,
}

impl Search<'_> {
    fn named(&self, path: &AbsPath) -> io::Result<Option<Launcher>> {
        match self.read(path) {
            Ok(Some(launcher)) => Ok(Some(launcher)),
            Ok(None) if host::exists(self.host, path)? => Ok(Some(Launcher {
                path: path.clone(),
                form: Form::Program,
                launches: Vec::new(),
                text: String::new(),
            })),
            other => other,
        }
    }

    /// Every path where a launcher may be, in the order in which they are believed.
    fn usual(&self, person: Option<&AgentUser>) -> Vec<AbsPath> {
        let mut paths = Vec::new();
        let home = person.and_then(|person| person.home.as_ref());
        for command in &self.agent.commands {
            let own = home.into_iter().flat_map(search_path::of_home);
            let folders: Vec<AbsPath> = search_path::of_machine(command).chain(own).collect();
            paths.extend(folders.iter().map(|folder| folder.join(format!("{command}-hardened"))));
            paths.extend(folders.iter().map(|folder| folder.join(command)));
        }
        if self.host.os() == Os::Linux {
            paths.extend(self.units(home));
        }
        let shares = AbsPath::new("/usr/share/applications").into_iter();
        let shares = shares.chain(home.map(|home| home.join(".local/share/applications")));
        for folder in shares {
            let names = self.agent.commands.iter().map(|command| format!("{command}.desktop"));
            paths.extend(names.map(|name| folder.join(name)));
        }
        paths
    }

    /// Units of the machine's owner and the person; those of packages only where the name says so.
    fn units(&self, home: Option<&AbsPath>) -> Vec<AbsPath> {
        let given = ["/etc/systemd/system", "/etc/systemd/user", "/usr/local/lib/systemd/system"];
        let mut folders: Vec<AbsPath> = given.iter().filter_map(AbsPath::new).collect();
        folders.extend(home.map(|home| home.join(".config/systemd/user")));
        folders.extend(["/usr/lib/systemd/system", "/usr/lib/systemd/user"].iter().filter_map(AbsPath::new));
        let mut units = Vec::new();
        for (at, folder) in folders.iter().enumerate() {
            let packaged = at + 2 >= folders.len();
            let Ok(entries) = self.host.list(folder) else { continue };
            let names =
                entries.iter().filter_map(|entry| entry.name.to_str()).filter(|name| name.ends_with(".service"));
            let named =
                |name: &&str| !packaged || self.agent.commands.iter().any(|command| name.contains(command.as_str()));
            units.extend(names.filter(named).take(UNITS).map(|name| folder.join(name)));
        }
        units
    }

    /// None where there is nothing, or nothing that could be a launcher.
    fn read(&self, path: &AbsPath) -> io::Result<Option<Launcher>> {
        let found = host::resolve(self.host, path, None).and_then(|path| Ok((self.host.stat(&path)?, path)));
        let (stat, target) = match found {
            Ok(found) => found,
            Err(error) if host::is_absent(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        // The agent itself may be a program of any size.
        if stat.kind != Kind::File || stat.size > LIMIT {
            return Ok(None);
        }
        let bytes = self.host.read(&target, LIMIT)?;
        let Ok(text) = String::from_utf8(bytes) else { return Ok(None) };
        let name = path.name_text().into_owned();
        let agents = &self.agent.commands;
        let (form, launches) = if name.ends_with(".service") {
            let of_user = path.text().contains("/systemd/user/");
            (Form::Unit, unit::launches(&self.with_drop_ins(path, text.clone()), agents, of_user))
        } else if name.ends_with(".desktop") {
            (Form::Desktop, unit::desktop(&text, agents))
        } else if script::is_shell(&text) {
            let source = |file: &str| {
                let path = AbsPath::new(file)?;
                host::read_text(self.host, &path, None, LIMIT).ok()?.map(|text| script::names(&text))
            };
            (Form::Script, script::launches(&text, agents, &path.text(), &source))
        } else {
            return Ok(None);
        };
        let launches = launches.into_iter().map(|launch| self.with_login(self.with_files(launch))).collect();
        Ok(Some(Launcher { path: path.clone(), form, launches, text }))
    }

    /// The unit and the drop-ins beside it and in `/etc`, in order of their names.
    fn with_drop_ins(&self, path: &AbsPath, text: String) -> Vec<String> {
        let mut texts = vec![text];
        let folder = format!("{}.d", path.name_text());
        let beside = path.parent().map(|parent| parent.join(&folder));
        let above = AbsPath::new("/etc/systemd/system").map(|system| system.join(&folder));
        let mut folders: Vec<AbsPath> = beside.into_iter().chain(above).collect();
        folders.dedup();
        for folder in folders {
            let Ok(entries) = self.host.list(&folder) else { continue };
            let conf = entries.iter().filter(|entry| entry.name.to_string_lossy().ends_with(".conf")).take(50);
            texts.extend(
                conf.filter_map(|entry| host::read_text(self.host, &folder.join(&entry.name), None, LIMIT).ok()?),
            );
        }
        texts
    }

    /// Adds the names that a login shell exports from its start-up files. What cannot be read is noted.
    fn with_login(&self, mut launch: Launch) -> Launch {
        if !launch.login {
            return launch;
        }
        let accounts = self.host.accounts().unwrap_or_default();
        let Some(account) = launch.user.as_deref().and_then(|name| accounts.user(name)) else {
            launch.unread.push("the start-up files of its login shell".to_owned());
            return launch;
        };
        let groups = match account.shell.rsplit('/').next().unwrap_or_default() {
            "sh" | "bash" | "dash" | "ksh" | "ash" => OF_SH,
            "zsh" => OF_ZSH,
            "nologin" | "false" => return launch,
            _ => {
                launch.unread.push(format!("the start-up files of {}", account.shell));
                return launch;
            }
        };
        let placed = |path: &&str| match path.strip_prefix("~/") {
            Some(rest) => Some(account.home.as_ref()?.join(rest)),
            None => AbsPath::new(*path),
        };
        let first = groups.iter().map(|group| group.iter().filter_map(placed).collect()).collect::<Vec<Vec<AbsPath>>>();
        let pieces = self.host.list(&AbsPath::root().join("etc/profile.d")).unwrap_or_default().into_iter();
        let pieces = pieces.map(|entry| AbsPath::root().join("etc/profile.d").join(&entry.name));
        let pieces = pieces.filter(|path| groups == OF_SH && path.name_text().ends_with(".sh")).map(|path| vec![path]);
        for group in first.into_iter().chain(pieces) {
            for file in group {
                match host::read_text(self.host, &file, None, LIMIT) {
                    Ok(None) => {}
                    Ok(Some(text)) => {
                        for name in script::exports(&text) {
                            launch.pass_from(name, Origin::File, launch.line);
                        }
                        break;
                    }
                    Err(_) => {
                        launch.unread.push(file.text());
                        break;
                    }
                }
            }
        }
        launch
    }

    /// Reads the names in files that the launch hands to the agent.
    fn with_files(&self, mut launch: Launch) -> Launch {
        for file in std::mem::take(&mut launch.unread) {
            let text =
                AbsPath::new(&file).and_then(|path| host::read_text(self.host, &path, None, LIMIT).ok()).flatten();
            match text {
                Some(text) => {
                    for name in text.lines().filter_map(env_file_name) {
                        launch.pass_from(name, Origin::File, launch.line);
                    }
                }
                None => launch.unread.push(file),
            }
        }
        launch
    }
}

/// Start-up files of a login shell that is asked for one command; the first of each group that is there counts.
const OF_SH: &[&[&str]] = &[&["/etc/profile"], &["~/.bash_profile", "~/.bash_login", "~/.profile"]];
/// The same for zsh.
const OF_ZSH: &[&[&str]] = &[
    &["/etc/zsh/zshenv", "/etc/zshenv"],
    &["~/.zshenv"],
    &["/etc/zsh/zprofile", "/etc/zprofile"],
    &["~/.zprofile"],
    &["/etc/zsh/zlogin", "/etc/zlogin"],
    &["~/.zlogin"],
];

fn env_file_name(line: &str) -> Option<String> {
    let line = line.trim();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, _) = line.split_once('=')?;
    super::words::is_name(name.trim()).then(|| name.trim().to_owned())
}
