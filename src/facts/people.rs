//! The homes that matter: those of people, of root and of the agent's account.

use super::ProbeError;
use super::reach::abs;
use std::io;

use crate::host::{self, Account, CONFIG_LIMIT, Host};
use crate::model::{AbsPath, Look, Os, Subject, Uid, Unseen};

/// A home.
pub(super) struct Home {
    /// Where it is.
    pub(super) path: AbsPath,
    /// The name of its account.
    pub(super) owner: String,
    /// The number of its account.
    pub(super) uid: Uid,
    /// Whether a person logs in with that account, as far as that could be told.
    pub(super) is_human: bool,
    /// Why it could not be told for certain.
    pub(super) doubt: Option<Unseen>,
}

/// Every home once; the top of the file system is nobody's.
pub(super) fn homes(host: &dyn Host, subject: &Subject) -> Result<Vec<Home>, ProbeError> {
    let accounts = host.accounts().map_err(|error| ProbeError::unreadable(&abs("/etc/passwd"), error))?;
    let mut homes: Vec<Home> = Vec::new();
    let agent = subject.user.known().and_then(|user| user.uid);
    for account in &accounts.users {
        let Some(path) = account.home.clone().filter(|path| *path != AbsPath::root()) else { continue };
        let (is_human, doubt) = match is_person(host, account, subject.os) {
            Look::Known(is_human) => (is_human, None),
            Look::Unknown(unseen) => (true, Some(unseen)),
        };
        let wanted = is_human || account.uid == Uid(0) || Some(account.uid) == agent;
        if wanted && !homes.iter().any(|home| home.path == path) {
            homes.push(Home { path, owner: account.name.clone(), uid: account.uid, is_human, doubt });
        }
    }
    Ok(homes)
}

/// Whether a person logs in with an account. One that looks like a person's by its number and shell is nobody's where
/// nobody can log in with it: no password opens it, and no key. That is what `useradd -m -s /bin/bash` leaves.
pub(super) fn is_person(host: &dyn Host, account: &Account, os: Os) -> Look<bool> {
    if !account.is_human(os) {
        return Look::Known(false);
    }
    if os != Os::Linux {
        return Look::Known(true);
    }
    let shadow = abs("/etc/shadow");
    match host::read_text(host, &shadow, None, CONFIG_LIMIT) {
        Ok(Some(text)) if is_locked(&text, &account.name) => {}
        Ok(_) => return Look::Known(true),
        Err(error) => return closed(&shadow, &account.name, &error),
    }
    for keys in [".ssh/authorized_keys", ".ssh/authorized_keys2"] {
        let Some(path) = account.home.as_ref().map(|home| home.join(keys)) else { continue };
        match host::read_text(host, &path, None, CONFIG_LIMIT) {
            Ok(Some(text)) if text.lines().any(|line| !line.trim().is_empty() && !line.starts_with('#')) => {
                return Look::Known(true);
            }
            Ok(_) => {}
            Err(error) => return closed(&path, &account.name, &error),
        }
    }
    Look::Known(false)
}

fn closed(path: &AbsPath, account: &str, error: &io::Error) -> Look<bool> {
    Look::unknown(
        format!("whether anybody can log in as `{account}` stands in `{path}`, which cannot be read: {error}"),
        "run with sudo, or give the account a number below 1000 or the shell /usr/sbin/nologin",
    )
}

/// Whether no password opens an account. An account without a line, or with an empty password, is not locked.
fn is_locked(shadow: &str, account: &str) -> bool {
    let password = |line: &str| {
        let (name, rest) = line.split_once(':')?;
        (name == account).then(|| rest.starts_with(['!', '*']))
    };
    shadow.lines().find_map(password).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_locked_where_no_password_can_match() {
        for (line, expected) in [
            ("agent:!:19000:0:99999:7:::", true),
            ("agent:*:19000::::::", true),
            ("agent:!$y$j9T$x:19000::::::", true),
            ("agent::19000::::::", false),
            ("agent:$y$j9T$x:19000::::::", false),
            ("agents:!:19000::::::", false),
            ("", false),
        ] {
            assert_eq!(is_locked(line, "agent"), expected, "{line}");
        }
    }
}
