//! Where it is recorded what the agent does, and whether the agent's account can change those records.

use std::io;

use schemars::JsonSchema;
use serde::Serialize;

use super::audit::daemon;
use super::chain::{Verdict, verify};
use super::reach::agent;
use super::subject::place;
use super::units::read;
use super::{ProbeError, needs_running};
use crate::host::{Host, can_replace, read_text};
use crate::model::{AbsPath, Look, Os, StateKind, Subject, Unseen};

/// Where it is recorded what the agent does.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Logs that the account can write, cut, or put others in the place of.
    exposed: Look<Vec<String>>,
    /// Logs that exist and that it cannot.
    safe: Look<Vec<String>>,
    /// Logs that the profile names and that are not there.
    absent: Look<Vec<String>>,
    /// The agent's own logs, which are its own to change.
    own: Vec<String>,
    /// How these stand to the account, in a few words.
    says: String,
    /// Whether approvals and relaxations are recorded.
    approvals: Look<Approvals>,
    /// Whether a chained log is declared.
    has_chain: bool,
    /// What checking the chain of the declared ledger says.
    chain: Look<Chain>,
    /// What is wrong with it.
    chain_problem: Option<String>,
    /// What records a session on macOS: a wrapper with `script`, or the system's audit.
    capture: Look<Vec<String>>,
}

/// Whether approvals are recorded.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Approvals {
    /// A ledger is there, with entries.
    Recorded,
    /// A ledger is declared and there is none, or it is empty.
    Missing,
}

/// What a chain of hashes says.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Chain {
    /// Nothing was changed or taken out.
    Intact,
    /// Something was.
    Broken,
}

/// The largest ledger that is verified: 64 MiB.
const LEDGER_LIMIT: u64 = 64 << 20;

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let standing = standing(host, subject);
    let (chain, chain_problem) = chain(host, subject);
    let exposed = pick(&standing, |standing| match standing {
        Standing::Exposed(how) => Some(how.clone()),
        _ => None,
    });
    let absent = pick(&standing, |standing| match standing {
        Standing::Absent(path) => Some(path.clone()),
        _ => None,
    });
    let own = own(subject);
    let name = subject.user.known().map_or("the agent", |user| user.name.as_str());
    Ok(Fact {
        says: says(name, &exposed, &absent, &own),
        exposed,
        safe: pick(&standing, |standing| match standing {
            Standing::Safe(path) => Some(path.clone()),
            _ => None,
        }),
        absent,
        own,
        approvals: approvals(host, subject),
        has_chain: subject.parameters.text("ledger").is_some(),
        chain,
        chain_problem,
        capture: if subject.os == Os::Macos {
            capture(host, subject)
        } else {
            Look::unknown("sessions are captured by the audit system here", "see `audit`")
        },
    })
}

/// What is worst about the logs.
fn says(name: &str, exposed: &Look<Vec<String>>, absent: &Look<Vec<String>>, own: &[String]) -> String {
    let some = |look: &Look<Vec<String>>| look.known().filter(|list| !list.is_empty()).map(|list| list.join(", "));
    match (some(exposed), some(absent), own) {
        (Some(exposed), ..) => format!("`{name}` can change or replace the log of what it does: {exposed}"),
        (None, Some(absent), _) => format!("what `{name}` does is to be logged in {absent}, which is not there"),
        (None, None, []) => format!("no log of what `{name}` does is known"),
        (None, None, own) => {
            format!("no log of what `{name}` does is out of its reach; {} is its own to change", own.join(", "))
        }
    }
}

/// How a log stands to the account.
enum Standing {
    Exposed(String),
    Safe(String),
    Absent(String),
}

/// Those that fit; unknown where none does and one could not be told.
fn pick(all: &[Look<Standing>], fits: impl Fn(&Standing) -> Option<String>) -> Look<Vec<String>> {
    let found: Vec<String> = all.iter().filter_map(Look::known).filter_map(fits).collect();
    let unseen = all.iter().find_map(|look| match look {
        Look::Unknown(unseen) => Some(unseen.clone()),
        Look::Known(_) => None,
    });
    match unseen {
        Some(unseen) if found.is_empty() => Look::Unknown(unseen),
        _ => Look::Known(found),
    }
}

/// Every log that is kept of the agent by something else than itself.
fn standing(host: &dyn Host, subject: &Subject) -> Vec<Look<Standing>> {
    let named = ["log_dir", "ledger"].into_iter().filter_map(|name| subject.parameters.text(name));
    let mut all: Vec<Look<Standing>> = named
        .map(|text| match place(subject, text) {
            Some(path) => of(host, subject, &path),
            None => Look::unknown(format!("`{text}` is no absolute path"), "write it absolute in the profile"),
        })
        .collect();
    if subject.os == Os::Linux {
        match daemon(host) {
            Ok(daemon) => all.extend(AbsPath::new(&daemon.log_file).map(|path| of(host, subject, &path))),
            // Without auditd there is no such log, which is an answer.
            Err(ProbeError::Unseen(_)) => {}
            Err(error) => all.push(Look::Unknown(error.into())),
        }
    }
    if all.is_empty() && !host.is_live() {
        all.push(Look::unknown(
            "nothing in the image records what the agent does, and what runs it may",
            "name that log as `log_dir` in the profile, or audit the running machine",
        ));
    }
    all
}

fn of(host: &dyn Host, subject: &Subject, path: &AbsPath) -> Look<Standing> {
    let who = match agent(subject) {
        Ok(who) => who,
        Err(error) => return Look::Unknown(error.into()),
    };
    // What is not there yet is made by whoever can write the folder above.
    for (above, at) in path.ancestors().enumerate() {
        match can_replace(host, &who, &at) {
            Ok(Some(through)) if through == *path => return Look::Known(Standing::Exposed(path.text())),
            Ok(Some(through)) => return Look::Known(Standing::Exposed(format!("{path} (through {through})"))),
            Ok(None) if above == 0 => return Look::Known(Standing::Safe(path.text())),
            Ok(None) if !host.is_live() => break,
            Ok(None) => return Look::Known(Standing::Absent(path.text())),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound) => {}
            Err(error) => return Look::Unknown(ProbeError::unreadable(&at, error).into()),
        }
    }
    if let Err(Unseen { how, .. }) = needs_running(host, "records of what runs") {
        return Look::unknown(format!("`{path}` is made by the running machine, and is not in the image"), how);
    }
    Look::Known(Standing::Absent(path.text()))
}

fn own(subject: &Subject) -> Vec<String> {
    let logs = subject.agent.state.iter().filter(|state| state.kind == StateKind::Log);
    logs.filter_map(|log| place(subject, &log.path)).map(|path| path.text()).collect()
}

fn ledger(host: &dyn Host, subject: &Subject) -> Option<Result<Option<String>, ProbeError>> {
    let text = subject.parameters.text("ledger")?;
    let Some(path) = place(subject, text) else {
        let unseen = Unseen::new(format!("`{text}` is no absolute path"), "write it absolute in the profile");
        return Some(Err(ProbeError::Unseen(unseen)));
    };
    let found = read_text(host, &path, None, LEDGER_LIMIT);
    Some(found.map_err(|error| ProbeError::unreadable(&path, error)))
}

fn approvals(host: &dyn Host, subject: &Subject) -> Look<Approvals> {
    match ledger(host, subject) {
        None => Look::unknown(
            "no record of what was approved or relaxed is known for this agent, and the profile names no `ledger`",
            "start the agent through something that keeps one, and name the file as `ledger` in the profile",
        ),
        Some(Ok(Some(text))) if text.lines().any(|line| !line.trim().is_empty()) => Look::Known(Approvals::Recorded),
        Some(Ok(_)) => Look::Known(Approvals::Missing),
        Some(Err(error)) => Look::Unknown(error.into()),
    }
}

fn chain(host: &dyn Host, subject: &Subject) -> (Look<Chain>, Option<String>) {
    let unpinned =
        |why: &str| (Look::unknown(why, "let the writer of the log pin its end, outside the agent's reach"), None);
    let text = match ledger(host, subject) {
        None => return unpinned("no chained log is declared"),
        Some(Err(error)) => return (Look::Unknown(error.into()), None),
        Some(Ok(None)) => return (Look::Known(Chain::Broken), Some("the file is not there".into())),
        Some(Ok(Some(text))) => text,
    };
    let name = subject.parameters.text("ledger").unwrap_or_default();
    let head = match place(subject, &format!("{name}.head")).map(|path| read(host, &path)) {
        Some(Ok(head)) => head,
        Some(Err(error)) => return (Look::Unknown(error.into()), None),
        None => None,
    };
    match verify(&text, head.as_deref()) {
        Verdict::Intact => (Look::Known(Chain::Intact), None),
        Verdict::Broken(line, why) => (Look::Known(Chain::Broken), Some(format!("line {line} {why}"))),
        Verdict::Unpinned(why) => unpinned(&format!("the chain of `{name}` holds, but {why}")),
    }
}

/// What records a session on macOS.
fn capture(host: &dyn Host, subject: &Subject) -> Look<Vec<String>> {
    let mut found = Vec::new();
    let control = AbsPath::root().join("etc/security/audit_control");
    match read(host, &control) {
        Ok(text) => found.extend(text.filter(|text| audits_commands(text)).map(|_| format!("flags in {control}"))),
        Err(error) => return Look::Unknown(error.into()),
    }
    let Some(launcher) = subject.parameters.text("launcher").and_then(|text| place(subject, text)) else {
        return if found.is_empty() {
            Look::unknown(
                "no launcher is declared that could record the session",
                "name it as `launcher` in the profile",
            )
        } else {
            Look::Known(found)
        };
    };
    match read(host, &launcher) {
        Ok(text) => found.extend(text.filter(|text| records(text)).map(|_| format!("`script` in {launcher}"))),
        Err(error) => return Look::Unknown(error.into()),
    }
    Look::Known(found)
}

/// Whether the flags name the class of started programs, for success.
fn audits_commands(text: &str) -> bool {
    let flags = text.lines().filter_map(|line| line.trim().strip_prefix("flags:"));
    flags
        .flat_map(|flags| flags.split(','))
        .any(|flag| matches!(flag.trim(), "ex" | "+ex" | "pc" | "+pc" | "all" | "+all"))
}

/// Whether a launcher starts the agent under `script`.
fn records(text: &str) -> bool {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines
        .flat_map(|line| line.split([' ', '\t', ';', '&', '|']))
        .any(|word| word == "script" || word.ends_with("/script"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_launcher_records_when_it_calls_script() {
        for (text, expected) in [
            ("exec script -q /var/log/agent/x.log opencode", true),
            ("  /usr/bin/script -a f \\\n  env -i opencode", true),
            ("# script -a f opencode", false),
            ("exec ./myscript opencode", false),
            ("exec opencode --script x", false),
        ] {
            assert_eq!(records(text), expected, "{text}");
        }
    }

    #[test]
    fn audit_flags_are_whole_words() {
        assert!(audits_commands("dir:/var/audit\nflags:lo,aa,ex\n"));
        assert!(!audits_commands("flags:lo,aa,-ex\nnaflags:ex\n"));
    }
}
