//! Where this account's runs are kept.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::apply::{Kept, Progress, ROOT_STORE, RealMachine, Record, Store};
use crate::commands::Failure;
use crate::commands::failure::cause;
use crate::model::{AbsPath, Access, Gid, Uid};

/// The store of whoever runs this: root's own, or one below XDG_STATE_HOME. `HARDEN_STATE_DIR` names another.
pub(super) fn of_caller() -> Result<Store, Failure> {
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    let owner = Access { uid: Uid(uid.as_raw()), gid: Gid(gid.as_raw()), ..Access::of_root(0o700) };
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let top = match named("HARDEN_STATE_DIR") {
        Some(folder) => folder,
        None if uid.is_root() => PathBuf::from(ROOT_STORE),
        None => {
            let state = named("XDG_STATE_HOME").or_else(|| named("HOME").map(|home| home.join(".local/state")));
            let state =
                state.ok_or_else(|| Failure::usage("neither XDG_STATE_HOME nor HOME is set", "set one of them"))?;
            state.join("harden")
        }
    };
    let shown = top.display().to_string();
    // Links on the way are followed once, here; the writer follows none.
    let above = top.parent().and_then(|above| above.canonicalize().ok());
    let top = above.zip(top.file_name()).map_or(top.clone(), |(above, name)| above.join(name));
    let top = AbsPath::new(&top).ok_or_else(|| Failure::usage(format!("`{shown}` is no absolute path"), "name one"))?;
    Ok(Store::new(top, owner))
}

/// Takes the store for a change.
pub(super) fn open(store: &Store, machine: &mut RealMachine) -> Result<(), Failure> {
    match store.open(machine) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::usage("another run of harden is at work", "wait until it has ended")),
        Err(error) => Err(Failure::usage(
            format!("the journal cannot be kept: {}", cause(&error)),
            "make room, or run as who may write there",
        )),
    }
}

/// A name for a new run: the time to the millisecond, since runs are taken back in the order of their names and only one
/// is made at a time; and something that two stores do not share.
pub(super) fn new_id() -> String {
    let time = Timestamp::now();
    let (millisecond, more) = (time.subsec_millisecond(), time.subsec_nanosecond() as u32 ^ std::process::id());
    format!("{}-{millisecond:03}-{:04x}", time.strftime("%Y%m%dT%H%M%SZ"), more & 0xffff)
}

/// All runs, oldest first; one whose journal cannot be read is an error.
pub(super) fn all(store: &Store, machine: &RealMachine) -> Result<Vec<(String, Record)>, Failure> {
    let kept = store.all(machine).map_err(|error| {
        Failure::usage(format!("the runs cannot be read: {}", cause(&error)), "run as who made them")
    })?;
    let mut runs = Vec::new();
    for Kept { id, record } in kept {
        match record {
            Ok(Some(record)) => runs.push((id, record)),
            // It never came to change anything.
            Ok(None) => {}
            Err(why) => {
                return Err(Failure::usage(format!("the run {id} cannot be read: {why}"), "look at the file by hand"));
            }
        }
    }
    Ok(runs)
}

/// A run that was cut off, for which something has to be decided first.
pub(super) fn cut_off(runs: &[(String, Record)]) -> Option<&(String, Record)> {
    runs.iter().rev().find(|(_, record)| record.progress == Progress::CutOff)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_later_run_has_a_later_name() {
        let first = super::new_id();
        std::thread::sleep(std::time::Duration::from_millis(2));
        assert!(first < super::new_id(), "{first}");
    }
}
