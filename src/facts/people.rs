//! The homes that matter: those of people, of root and of the agent's account.

use super::ProbeError;
use super::reach::abs;
use crate::host::Host;
use crate::model::{AbsPath, Subject, Uid};

/// A home.
pub(super) struct Home {
    /// Where it is.
    pub(super) path: AbsPath,
    /// The name of its account.
    pub(super) owner: String,
    /// The number of its account.
    pub(super) uid: Uid,
    /// Whether a person logs in with that account.
    pub(super) is_human: bool,
}

/// Every home once; the top of the file system is nobody's.
pub(super) fn homes(host: &dyn Host, subject: &Subject) -> Result<Vec<Home>, ProbeError> {
    let accounts = host.accounts().map_err(|error| ProbeError::unreadable(&abs("/etc/passwd"), error))?;
    let mut homes: Vec<Home> = Vec::new();
    for account in &accounts.users {
        let Some(path) = account.home.clone().filter(|path| *path != AbsPath::root()) else { continue };
        let is_human = account.is_human(subject.os);
        let wanted = is_human || account.uid == Uid(0) || Some(account.uid) == subject.user.uid;
        if wanted && !homes.iter().any(|home| home.path == path) {
            homes.push(Home { path, owner: account.name.clone(), uid: account.uid, is_human });
        }
    }
    Ok(homes)
}
