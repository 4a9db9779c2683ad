//! How each kind of thing is looked at, and how a state is put there. Putting starts from whatever is there now, so that
//! the same call finishes what was cut off, and takes it back.

use std::io;

use super::machine::{Machine, New};
use super::tool::{Changer, ToolFailure, done};
use super::{account, rules, service};
use crate::host::ToolError;
use crate::model::{AbsPath, Checker, State, Thing};

/// What is wrong with a thing.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// A path could not be read or changed.
    #[error("{thing}: {cause}")]
    Path {
        /// The path.
        thing: Thing,
        /// What the system said.
        cause: io::Error,
    },
    /// A tool did not do it.
    #[error("{thing}: {cause}")]
    Tool {
        /// The thing.
        thing: Thing,
        /// Why.
        cause: ToolFailure,
    },
    /// It must not be done.
    #[error("{thing}: {why}")]
    Refused {
        /// The thing.
        thing: Thing,
        /// Why.
        why: String,
    },
}

impl Trouble {
    pub(super) fn path(thing: &Thing, cause: io::Error) -> Self {
        Self::Path { thing: thing.clone(), cause }
    }

    pub(super) fn refused(thing: &Thing, why: impl Into<String>) -> Self {
        Self::Refused { thing: thing.clone(), why: why.into() }
    }
}

/// What a thing is now, with its content where it has one.
pub fn look(machine: &dyn Machine, thing: &Thing) -> Result<(State, Option<Vec<u8>>), Trouble> {
    let io = |cause| Trouble::path(thing, cause);
    match thing {
        Thing::Path(path) => machine.look(path).map_err(io),
        Thing::Rights(path) => Ok((rights(machine, path).map_err(io)?, None)),
        Thing::Account(name) => Ok((account::state(&machine.accounts().map_err(io)?, name), None)),
        Thing::Members(group) => {
            let accounts = machine.accounts().map_err(io)?;
            let group = accounts.groups.iter().find(|known| known.name == *group);
            Ok((group.map_or(State::Absent, |group| State::Value { value: group.members.join(",") }), None))
        }
        Thing::Table(name) => rules::table(machine, thing, name),
        Thing::AuditKey(key) => {
            let rules = rules::of_key(machine, thing, key)?;
            let text: String = rules.iter().map(|rule| format!("{rule}\n")).collect();
            Ok((State::rules(&text), Some(text.into_bytes())))
        }
        Thing::Auditing => {
            let said = ask(machine, thing, Changer::Auditctl, &["-s"])?;
            let value = said.lines().find_map(|line| line.strip_prefix("enabled "));
            let value = value.ok_or_else(|| Trouble::refused(thing, "`auditctl -s` does not tell whether it is on"))?;
            Ok((State::Value { value: value.trim().to_owned() }, None))
        }
        Thing::Kernel(name) => {
            let value = ask(machine, thing, Changer::Sysctl, &["-n", name])?;
            Ok((State::Value { value: value.trim().to_owned() }, None))
        }
        Thing::Service(unit) => Ok((service::state(machine, thing, unit)?, None)),
    }
}

/// Puts a state there. `content` is that of the state, where it has one.
pub(super) fn put(
    machine: &mut dyn Machine,
    thing: &Thing,
    to: &State,
    content: Option<&[u8]>,
    check: Option<Checker>,
) -> Result<(), Trouble> {
    match thing {
        Thing::Path(path) => put_path(machine, thing, path, to, content, check),
        Thing::Rights(path) => match to.access() {
            Some(access) => machine.set_access(path, access).map_err(|cause| Trouble::path(thing, cause)),
            None => Err(Trouble::refused(thing, "what it belonged to is gone")),
        },
        Thing::Account(name) => account::put(machine, thing, name, to),
        Thing::Members(group) => match to {
            // The whole list, so that it comes back in its order.
            State::Value { value } => run(machine, thing, Changer::Gpasswd, &["-M", value, group]).map(|_| ()),
            _ => Err(Trouble::refused(thing, "the group is gone")),
        },
        Thing::Table(name) => rules::put_table(machine, thing, name, to, content),
        Thing::AuditKey(key) => rules::put_of_key(machine, thing, key, to, content),
        Thing::Auditing => match to {
            State::Value { value } if value == "0" || value == "1" => {
                run(machine, thing, Changer::Auditctl, &["-e", value]).map(|_| ())
            }
            _ => Err(Trouble::refused(thing, "the audit is locked until the next boot")),
        },
        Thing::Kernel(name) => match to {
            State::Value { value } => {
                run(machine, thing, Changer::Sysctl, &["-q", "-w", &format!("{name}={value}")]).map(|_| ())
            }
            _ => Err(Trouble::refused(thing, "this kernel does not have it")),
        },
        Thing::Service(unit) => service::put(machine, thing, unit, to),
    }
}

/// Owner and rights of a file or folder; of anything else what it is.
fn rights(machine: &dyn Machine, path: &AbsPath) -> io::Result<State> {
    Ok(match machine.access(path)? {
        Some(access) => State::Rights { access },
        None => machine.look(path)?.0,
    })
}

/// The name under which a new state stands until it is complete.
pub(super) fn beside(path: &AbsPath) -> AbsPath {
    let folder = path.parent().unwrap_or_else(AbsPath::root);
    folder.join(format!(".{}.harden-new", path.name_text()))
}

/// Takes away what a change that was cut off left beside the thing.
pub(super) fn clear(machine: &mut dyn Machine, thing: &Thing) -> Result<(), Trouble> {
    let left = match thing {
        Thing::Path(path) => beside(path),
        Thing::Table(name) => rules::staged(name),
        _ => return Ok(()),
    };
    let io = |cause| Trouble::path(thing, cause);
    match machine.look(&left).map_err(io)?.0 {
        State::Absent => Ok(()),
        _ => machine.remove(&left).map_err(io),
    }
}

fn put_path(
    machine: &mut dyn Machine,
    thing: &Thing,
    path: &AbsPath,
    to: &State,
    content: Option<&[u8]>,
    check: Option<Checker>,
) -> Result<(), Trouble> {
    let io = |cause| Trouble::path(thing, cause);
    clear(machine, thing)?;
    let now = machine.look(path).map_err(io)?.0;
    let new = beside(path);
    match (to, &now) {
        _ if *to == now => Ok(()),
        (State::Absent, _) => {
            machine.remove(path).map_err(io)?;
            told(machine, thing, check)
        }
        (State::File { digest, access, .. }, State::File { digest: there, .. }) if digest == there => {
            machine.set_access(path, access).map_err(io)
        }
        (State::File { access, .. }, State::Absent | State::File { .. }) => {
            let bytes = content.ok_or_else(|| Trouble::refused(thing, "the content that belongs there is lost"))?;
            let like = matches!(now, State::File { .. }).then_some(path);
            machine.make(&new, New::File { bytes, access, like }).map_err(io)?;
            checked(machine, thing, check, &new)?;
            machine.rename(&new, path).map_err(io)?;
            whole(machine, thing, check)
        }
        (State::Dir { access }, State::Dir { .. }) => machine.set_access(path, access).map_err(io),
        (State::Dir { access }, State::Absent) => {
            machine.make(&new, New::Dir { access }).map_err(io)?;
            machine.rename(&new, path).map_err(io)
        }
        (State::Link { target }, State::Absent) => {
            machine.make(&new, New::Link { target }).map_err(io)?;
            machine.rename(&new, path).map_err(io)
        }
        _ => Err(Trouble::refused(thing, format!("it is {}, which does not make room for {}", now.says(), to.says()))),
    }
}

/// Asks the program that will read a file whether it can, before the file is put in place.
fn checked(machine: &mut dyn Machine, thing: &Thing, check: Option<Checker>, new: &AbsPath) -> Result<(), Trouble> {
    let file = new.text();
    match check {
        None | Some(Checker::Augenrules | Checker::Auditd | Checker::Systemd) => Ok(()),
        Some(Checker::Visudo) => run(machine, thing, Changer::Visudo, &["-cf", &file]).map(|_| ()),
        Some(Checker::Nft) => run(machine, thing, Changer::Nft, &["-c", "-f", &file]).map(|_| ()),
    }
}

/// Asks it about everything together, once the file is in place.
fn whole(machine: &mut dyn Machine, thing: &Thing, check: Option<Checker>) -> Result<(), Trouble> {
    match check {
        Some(Checker::Visudo) => run(machine, thing, Changer::Visudo, &["-c"]).map(|_| ()),
        _ => told(machine, thing, check),
    }
}

/// Tells the program that reads a file that it is another now, or gone.
fn told(machine: &mut dyn Machine, thing: &Thing, check: Option<Checker>) -> Result<(), Trouble> {
    match check {
        Some(Checker::Augenrules) => run(machine, thing, Changer::Augenrules, &["--check"]).map(|_| ()),
        Some(Checker::Systemd) => run(machine, thing, Changer::Systemctl, &["daemon-reload"]).map(|_| ()),
        Some(Checker::Auditd) => service::reread(machine, thing),
        Some(Checker::Visudo | Checker::Nft) | None => Ok(()),
    }
}

/// Runs a tool that changes something.
pub(super) fn run(machine: &mut dyn Machine, thing: &Thing, tool: Changer, args: &[&str]) -> Result<String, Trouble> {
    let ran = machine.run(tool, args);
    done(tool, ran).map_err(|cause| Trouble::Tool { thing: thing.clone(), cause })
}

/// Runs a tool that only lists.
pub(super) fn ask(machine: &dyn Machine, thing: &Thing, tool: Changer, args: &[&str]) -> Result<String, Trouble> {
    let ran: Result<_, ToolError> = machine.ask(tool, args);
    done(tool, ran).map_err(|cause| Trouble::Tool { thing: thing.clone(), cause })
}
