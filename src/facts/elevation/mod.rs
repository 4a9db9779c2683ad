//! Rules of sudo, doas and polkit, and which of them reach the agent's account.
//!
//! Files decide; `sudo -l` is asked only where sudo also asks a directory service, which files cannot show. A file
//! that cannot be read stands in the list as a rule of which it is not known whether it reaches.

mod doas;
mod polkit;
mod sudo;
mod sudoers;

use schemars::JsonSchema;
use serde::Serialize;

use super::ProbeError;
use super::reach::agent;
use crate::host::{Accounts, Host};
use crate::model::{AbsPath, AgentUser, Gid, Location, Look, Os, Subject, Unseen};

/// The largest rule file that is read: 1 MiB.
const LIMIT: u64 = 1 << 20;
/// How many rules are kept.
const MOST: usize = 2000;
/// Programs that start, stop or define services.
const SERVICE_TOOLS: &[&str] = &[
    "systemctl",
    "service",
    "systemd-run",
    "machinectl",
    "launchctl",
    "rc-service",
    "rc-update",
    "update-rc.d",
    "invoke-rc.d",
    "chkconfig",
    "initctl",
    "supervisorctl",
];

/// Rules of sudo, doas and polkit.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Every rule that was found, and every rule file that could not be read.
    rules: Vec<Rule>,
}

/// A rule that gives more rights to somebody.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Rule {
    /// What it gives, in the words of its program: `(root) NOPASSWD: /usr/bin/systemctl`.
    pub(super) name: String,
    /// Which program it is for.
    pub(super) program: Program,
    /// Whom it names, as written.
    pub(super) who: String,
    /// Whether it reaches the agent's account.
    pub(super) reaches: Look<bool>,
    /// Whether it gives the agent's account more than it has: another account, or an action close to root.
    pub(super) raises: bool,
    /// Whether a password is asked.
    pub(super) asks_password: bool,
    /// Whether the command is written with a wildcard or stands for all.
    pub(super) open_ended: bool,
    /// Whether services can be controlled with it.
    pub(super) services: bool,
    /// Where it stands.
    pub(super) at: Option<Location>,
    /// Whether it stands for rules that could not be read.
    pub(super) unread: bool,
}

/// What applies a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Program {
    /// sudo.
    Sudo,
    /// doas.
    Doas,
    /// polkit.
    Polkit,
}

impl Program {
    /// As written in reports.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sudo => "sudo",
            Self::Doas => "doas",
            Self::Polkit => "polkit",
        }
    }
}

/// The account that rules are held against.
pub(super) struct Person<'a> {
    name: &'a str,
    uid: u32,
    gids: Vec<Gid>,
    groups: Vec<String>,
    os: Os,
    sits_at_desk: bool,
}

impl Person<'_> {
    fn in_group(&self, name: &str) -> bool {
        self.groups.iter().any(|group| group == name)
    }

    fn in_gid(&self, gid: &str) -> bool {
        gid.parse().is_ok_and(|gid| self.gids.contains(&Gid(gid)))
    }
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    Ok(Fact { rules: rules(host, subject)? })
}

/// The PATH of programs that sudo starts, where its files say so.
pub(super) fn secure_path(host: &dyn Host) -> Result<Option<String>, Unseen> {
    if sudo::installed(host) { sudo::read(host).secure_path() } else { Ok(None) }
}

/// All rules, sudo's first.
pub(super) fn rules(host: &dyn Host, subject: &Subject) -> Result<Vec<Rule>, ProbeError> {
    let who = agent(subject)?;
    let accounts =
        host.accounts().map_err(|error| ProbeError::unreadable(&AbsPath::root().join("etc/passwd"), error))?;
    let person = person(&accounts, subject.account()?, subject.os, who.uid.0);
    let mut rules = sudo::rules(host, &person);
    rules.extend(doas_rules(host, &person));
    if subject.os == Os::Linux {
        rules.extend(polkit::rules(host, &person));
    }
    // Root has nothing to gain.
    rules.iter_mut().for_each(|rule| rule.raises &= person.uid != 0);
    // Of what could not be read one line for each program is enough.
    let mut told = Vec::new();
    rules.retain(|rule| {
        let first = !told.contains(&rule.program);
        if rule.unread {
            told.push(rule.program);
        }
        first || !rule.unread
    });
    rules.truncate(MOST);
    Ok(rules)
}

fn person<'a>(accounts: &Accounts, user: &'a AgentUser, os: Os, uid: u32) -> Person<'a> {
    Person {
        name: &user.name,
        uid,
        gids: user.groups.clone(),
        groups: user.groups.iter().map(|gid| accounts.group_name(*gid)).collect(),
        os,
        sits_at_desk: accounts.user(&user.name).is_some_and(|account| account.is_human(os)),
    }
}

/// The entry for rules that could not be read.
fn unread(program: Program, path: &AbsPath, unseen: Unseen) -> Rule {
    Rule {
        name: format!("the rules of `{path}`"),
        program,
        who: "somebody".into(),
        reaches: Look::Unknown(unseen),
        raises: true,
        asks_password: true,
        open_ended: false,
        services: true,
        at: None,
        unread: true,
    }
}

/// Whether services can be controlled with a command.
fn controls_services(command: &str) -> bool {
    let program = command.split_whitespace().next().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or_default();
    command == "ALL" || program.ends_with('/') || SERVICE_TOOLS.contains(&name) || name == "*"
}

/// The rules of doas. The last one that matches a command decides, so a later `deny` takes earlier rules back.
fn doas_rules(host: &dyn Host, person: &Person<'_>) -> Vec<Rule> {
    let mut files = vec![super::reach::abs("/etc/doas.conf")];
    if person.os == Os::Macos {
        files.extend(["/opt/homebrew/etc/doas.conf", "/usr/local/etc/doas.conf"].map(super::reach::abs));
    }
    let folder = super::reach::abs("/etc/doas.d");
    let mut rules = Vec::new();
    match super::reach::list(host, &folder, 256) {
        Ok(entries) => {
            let names = entries.into_iter().flatten().map(|entry| folder.join(entry.name));
            files.extend(names.filter(|path| path.name_text().ends_with(".conf")));
        }
        Err(unseen) => rules.push(unread(Program::Doas, &folder, unseen)),
    }
    for file in files {
        match super::reach::text(host, &file, LIMIT) {
            Ok(None) => {}
            Err(unseen) => rules.push(unread(Program::Doas, &file, unseen)),
            Ok(Some(text)) => {
                let (found, garbled) = doas::rules(&text);
                rules.extend(garbled.first().map(|line| {
                    let why = format!("line {line} of `{file}` is not understood");
                    unread(Program::Doas, &file, Unseen::new(why, "check it with `doas -C`"))
                }));
                rules.extend(doas_of(&file, &found, person));
            }
        }
    }
    rules
}

fn doas_of(file: &AbsPath, found: &[doas::Rule], person: &Person<'_>) -> Vec<Rule> {
    let names_person = |rule: &doas::Rule| match rule.identity.strip_prefix(':') {
        Some(group) => person.in_group(group) || person.in_gid(group),
        None => rule.identity == person.name || rule.identity == person.uid.to_string(),
    };
    let overruled = |at: usize, rule: &doas::Rule| {
        let later = found.iter().skip(at + 1).filter(|later| names_person(later));
        later.filter(|later| !later.permit).any(|deny| {
            deny.target.is_none_or_same(rule.target.as_ref()) && deny.command.is_none_or_same(rule.command.as_ref())
        })
    };
    let permits = found.iter().enumerate().filter(|(_, rule)| rule.permit);
    permits
        .map(|(at, rule)| {
            let target = rule.target.as_deref().unwrap_or("anyone");
            let command = rule.command.as_deref().unwrap_or("ALL");
            let words = if rule.nopass { "nopass " } else { "" };
            Rule {
                name: crate::model::redact_line(&format!("{words}as {target}: {command}")),
                program: Program::Doas,
                who: rule.identity.clone(),
                reaches: Look::Known(names_person(rule) && !overruled(at, rule)),
                raises: rule.target.as_deref() != Some(person.name),
                asks_password: !rule.nopass,
                open_ended: rule.command.is_none(),
                services: controls_services(command),
                at: Some(Location::line(file.text(), rule.number, &rule.text)),
                unread: false,
            }
        })
        .collect()
}

/// A restriction that is missing covers every value.
trait Covers {
    fn is_none_or_same(&self, other: Option<&String>) -> bool;
}

impl Covers for Option<String> {
    fn is_none_or_same(&self, other: Option<&String>) -> bool {
        self.is_none() || self.as_ref() == other
    }
}
