//! Work done as another account. On Linux a thread can have an account of its own: one is started for the work, gives
//! root's rights up for good, and ends with it.

use std::io;

use crate::host::Accounts;
use crate::model::Uid;

/// Does `work` with the rights of an account, and no more.
#[cfg(target_os = "linux")]
pub(super) fn act_as<T: Send>(
    accounts: &Accounts,
    uid: Uid,
    work: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    use rustix::process::{Gid as RawGid, Uid as RawUid};
    use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
    let account = accounts.user_of(uid);
    let account = account
        .ok_or_else(|| io::Error::other(format!("the folder belongs to the number {}, which no account has", uid.0)))?;
    let groups: Vec<RawGid> = accounts.groups_of(account).iter().map(|gid| RawGid::from_raw(gid.0)).collect();
    let (user, group) = (RawUid::from_raw(uid.0), RawGid::from_raw(account.gid.0));
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            set_thread_groups(&groups)?;
            set_thread_res_gid(group, group, group)?;
            set_thread_res_uid(user, user, user)?;
            work()
        });
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the work as another account broke off")))
    })
}

/// Other systems have no such threads.
#[cfg(not(target_os = "linux"))]
pub(super) fn act_as<T: Send>(_: &Accounts, uid: Uid, _: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    let why = format!("the folder belongs to the number {}: run this as that account", uid.0);
    Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
}
