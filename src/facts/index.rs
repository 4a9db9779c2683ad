//! Which files git tracks, read from its index without running git.

use std::collections::BTreeSet;
use std::io;

use super::ProbeError;
use crate::host::{self, Host, Kind};
use crate::model::{AbsPath, Look, Subject};

/// The largest index that is read: 64 MiB.
const LIMIT: u64 = 64 << 20;

/// The tracked paths among those that `keep` wants; None where the project is no git repository.
pub(super) fn tracked(
    host: &dyn Host,
    subject: &Subject,
    keep: impl Fn(&str) -> bool,
) -> Look<Option<BTreeSet<String>>> {
    let path = match git_dir(host, &subject.project) {
        Ok(Some(dir)) => dir.join("index"),
        Ok(None) => return Look::Known(None),
        Err(error) => {
            return Look::from(Err::<_, ProbeError>(ProbeError::unreadable(&subject.project.join(".git"), error)));
        }
    };
    let bytes = match host::resolve(host, &path, None).and_then(|path| host.read(&path, LIMIT)) {
        Ok(bytes) => bytes,
        // A repository without a commit and without anything staged.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Look::Known(Some(BTreeSet::new())),
        Err(error) => return Look::from(Err::<_, ProbeError>(ProbeError::unreadable(&path, error))),
    };
    let state = gix_index::State::from_bytes(
        &bytes,
        std::time::SystemTime::UNIX_EPOCH.into(),
        gix_hash::Kind::Sha1,
        gix_index::decode::Options { thread_limit: Some(1), alloc_limit_bytes: Some(256 << 20), ..Default::default() },
    );
    match state {
        Ok((state, _)) => {
            let paths = state.entries().iter().map(|entry| entry.path(&state).to_string());
            Look::Known(Some(paths.filter(|path| keep(path)).collect()))
        }
        Err(error) => {
            Look::unknown(format!("git's index `{path}` is not understood: {error}"), "run `git status` to repair it")
        }
    }
}

/// `.git`, or the folder that a `.git` file names.
fn git_dir(host: &dyn Host, top: &AbsPath) -> io::Result<Option<AbsPath>> {
    let git = top.join(".git");
    match host.stat(&git) {
        Ok(stat) if stat.kind == Kind::Dir => Ok(Some(git)),
        Ok(stat) if stat.kind == Kind::File => {
            let text = host::read_text(host, &git, Some(top), 4096)?.unwrap_or_default();
            Ok(text.trim().strip_prefix("gitdir:").map(|dir| top.join(dir.trim())))
        }
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
