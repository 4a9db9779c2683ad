//! Accounts of the system's range, by the system's own tools, which hold its locks.

use super::machine::Machine;
use super::things::{Trouble, run};
use super::tool::Changer;
use crate::host::Accounts;
use crate::model::{Gid, State, Thing, Uid};

/// What an account is now.
pub(super) fn state(accounts: &Accounts, name: &str) -> State {
    accounts.user(name).map_or(State::Absent, |user| State::Account {
        uid: user.uid,
        gid: user.gid,
        home: user.home.as_ref().map(crate::model::AbsPath::text).unwrap_or_default(),
        shell: user.shell.clone(),
    })
}

/// Makes the account with its group, or takes both away. Each half may be done already.
pub(super) fn put(machine: &mut dyn Machine, thing: &Thing, name: &str, to: &State) -> Result<(), Trouble> {
    let accounts = machine.accounts().map_err(|cause| Trouble::path(thing, cause))?;
    match to {
        State::Account { uid, gid, home, shell } => make(machine, thing, &accounts, name, (*uid, *gid), (home, shell)),
        _ => remove(machine, thing, &accounts, name),
    }
}

fn make(
    machine: &mut dyn Machine,
    thing: &Thing,
    accounts: &Accounts,
    name: &str,
    (uid, gid): (Uid, Gid),
    (home, shell): (&str, &str),
) -> Result<(), Trouble> {
    if uid.0 == 0 || gid.0 == 0 {
        return Err(Trouble::refused(thing, "an agent is never given root's number"));
    }
    if accounts.user_of(uid).is_some_and(|user| user.name != name) {
        return Err(Trouble::refused(thing, format!("the number {} was taken in the meantime", uid.0)));
    }
    let (user_number, group_number) = (uid.0.to_string(), gid.0.to_string());
    match accounts.groups.iter().find(|group| group.name == name || group.gid == gid) {
        None => drop(run(machine, thing, Changer::Groupadd, &["--system", "--gid", &group_number, name])?),
        Some(group) if group.name == name && group.gid == gid => {}
        Some(group) => {
            return Err(Trouble::refused(thing, format!("the group {} ({}) is in the way", group.name, group.gid.0)));
        }
    }
    if accounts.user(name).is_none() {
        let comment = "coding agent (harden)";
        // Made without a password, an account is locked.
        let args = [
            "--system",
            "--uid",
            &user_number,
            "--gid",
            &group_number,
            "--home-dir",
            home,
            "--no-create-home",
            "--shell",
            shell,
            "--comment",
            comment,
            name,
        ];
        run(machine, thing, Changer::Useradd, &args)?;
    }
    Ok(())
}

/// Locks the account first: what comes after may find that it cannot go.
fn remove(machine: &mut dyn Machine, thing: &Thing, accounts: &Accounts, name: &str) -> Result<(), Trouble> {
    if let Some(user) = accounts.user(name) {
        run(machine, thing, Changer::Usermod, &["--lock", name])?;
        if let Some(why) = in_use(machine, user.uid) {
            return Err(Trouble::refused(thing, format!("it was locked and not removed: {why}")));
        }
        run(machine, thing, Changer::Userdel, &[name])?;
    }
    let left = machine.accounts().map_err(|cause| Trouble::path(thing, cause))?;
    if left.groups.iter().any(|group| group.name == name) {
        run(machine, thing, Changer::Groupdel, &[name])?;
    }
    Ok(())
}

/// Why an account cannot be taken away: what it runs and owns would be the next account's of this number.
pub(super) fn in_use(machine: &dyn Machine, uid: Uid) -> Option<String> {
    match machine.processes_of(uid) {
        Err(error) => return Some(format!("its processes could not be listed: {error}")),
        Ok(pids) if !pids.is_empty() => {
            let pids: Vec<String> = pids.iter().take(5).map(u32::to_string).collect();
            return Some(format!("it runs processes: {}", pids.join(", ")));
        }
        Ok(_) => {}
    }
    match machine.files_of(uid) {
        Err(error) => Some(format!("its files could not be looked for: {error}")),
        Ok(files) if files.is_empty() => None,
        Ok(files) => {
            let named: Vec<String> = files.iter().take(3).map(ToString::to_string).collect();
            Some(format!("it owns files: {}{}", named.join(", "), if files.len() > 3 { ", …" } else { "" }))
        }
    }
}
