//! The names that a git history holds, read from its objects in-process: git itself would run what a hostile
//! repository's configuration names.

use std::io;
use std::path::Path;

use super::{History, Host};
use crate::model::AbsPath;

/// See [`Host::history`]. `real` is where `git_dir` lies on this machine.
pub(super) fn history(
    _host: &dyn Host,
    _real: &Path,
    _git_dir: &AbsPath,
    _limit: u64,
    _keep: &(dyn Fn(&[u8]) -> bool + Sync),
) -> io::Result<History> {
    Err(io::Error::other("not yet"))
}
