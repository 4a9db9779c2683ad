//! What only the running system can say: accounts of a directory service, processes.

use std::ffi::OsStr;
use std::io;

use crate::host::{Account, Accounts, Group, Process};
use crate::model::{AbsPath, Gid, Uid};

/// Adds the account of this process where it lives in a directory service instead of `/etc/passwd`, or nowhere: a
/// container may run as a number without a name, and what that may do depends on the groups it was given.
pub(super) fn add_from_directory(accounts: &mut Accounts, uid: Uid) {
    if accounts.user_of(uid).is_some() {
        return;
    }
    let Some(user) = users::get_user_by_uid(uid.0) else { return add_nameless(accounts, uid) };
    use users::os::unix::UserExt;
    let name = user.name().to_string_lossy().into_owned();
    for group in users::get_user_groups(&name, user.primary_group_id()).unwrap_or_default() {
        let gid = Gid(group.gid());
        let entry = accounts.groups.iter_mut().find(|known| known.gid == gid);
        match entry {
            Some(known) if !known.members.contains(&name) => known.members.push(name.clone()),
            Some(_) => {}
            None => accounts.groups.push(Group {
                name: group.name().to_string_lossy().into_owned(),
                gid,
                members: vec![name.clone()],
            }),
        }
    }
    accounts.users.push(Account {
        name,
        uid,
        gid: Gid(user.primary_group_id()),
        home: AbsPath::new(user.home_dir()),
        shell: user.shell().to_string_lossy().into_owned(),
    });
}

/// All processes, by number. Values of their variables are dropped at once.
pub(super) fn processes() -> io::Result<Vec<Process>> {
    use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};
    let mut system = System::new().map_err(io::Error::other)?;
    let what = ProcessRefreshKind::nothing()
        .with_user(UpdateKind::Always)
        .with_cmd(UpdateKind::Always)
        .with_exe(UpdateKind::Always)
        .with_environ(UpdateKind::Always)
        .with_cwd(UpdateKind::Always)
        .without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
    let mut list: Vec<Process> = system
        .processes()
        .iter()
        .map(|(pid, process)| Process {
            pid: pid.as_u32(),
            parent: process.parent().map(sysinfo::Pid::as_u32),
            uid: process.effective_user_id().or(process.user_id()).map(|uid| Uid(**uid)),
            name: process.name().to_string_lossy().into_owned(),
            exe: process.exe().and_then(AbsPath::new),
            args: process.cmd().iter().map(|arg| arg.to_string_lossy().into_owned()).collect(),
            env: (!process.environ().is_empty())
                .then(|| process.environ().iter().filter_map(|pair| variable_name(pair)).collect()),
            cwd: process.cwd().and_then(AbsPath::new),
        })
        .collect();
    list.sort_by_key(|process| process.pid);
    Ok(list)
}

fn variable_name(pair: &OsStr) -> Option<String> {
    let text = pair.to_string_lossy();
    text.split_once('=').map(|(name, _)| name.to_owned())
}

fn add_nameless(accounts: &mut Accounts, uid: Uid) {
    let name = uid.0.to_string();
    let groups = rustix::process::getgroups().unwrap_or_default();
    for gid in groups.into_iter().map(|gid| Gid(gid.as_raw())) {
        match accounts.groups.iter_mut().find(|known| known.gid == gid) {
            Some(known) => known.members.push(name.clone()),
            None => {
                accounts.groups.push(Group { name: gid.0.to_string(), gid, members: vec![name.clone()] });
            }
        }
    }
    let home = std::env::var_os("HOME").and_then(AbsPath::new);
    accounts.users.push(Account { name, uid, gid: Gid(users::get_current_gid()), home, shell: String::new() });
}
