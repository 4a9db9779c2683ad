//! The account in `cron.deny` and `at.deny`.
//!
//! Where a list of the allowed is there it decides alone, and the account is not on it. Where neither list is there, what
//! that means differs: Debian's cron lets everybody, other ones let root alone, and so does `at`; there a new list would
//! give rights to all who are not on it.

use super::{Refusal, Site, path};
use crate::model::{Access, Action};

pub(super) fn build(site: &Site) -> Result<Vec<Action>, Refusal> {
    let account = site.account()?;
    let is_there = |file: &str| site.there.contains(&path(file));
    let debian_cron = is_there("/etc/debian_version") && is_there("/etc/cron.d");
    let asked = |allow: &str, deny: &str, or_new: bool| !is_there(allow) && (is_there(deny) || or_new);
    let files = [
        ("/etc/cron.deny", asked("/etc/cron.allow", "/etc/cron.deny", debian_cron)),
        ("/etc/at.deny", asked("/etc/at.allow", "/etc/at.deny", false)),
    ];
    let deny = |file: &str| Action::EditBlock {
        path: path(file),
        label: "accounts of coding agents".to_owned(),
        lines: vec![account.name.clone()],
        access: Access::of_root(0o644),
    };
    Ok(files.iter().filter(|(_, asked)| *asked).map(|(file, _)| deny(file)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::tests::site;

    #[test]
    fn no_list_is_made_that_would_let_others_in() {
        for (there, expected) in [
            (vec![], vec![]),
            (vec!["/etc/cron.d"], vec![]),
            (vec!["/etc/cron.d", "/etc/debian_version"], vec!["/etc/cron.deny"]),
            (vec!["/etc/cron.d", "/etc/debian_version", "/etc/cron.allow"], vec![]),
            (vec!["/etc/cron.deny", "/etc/at.deny"], vec!["/etc/cron.deny", "/etc/at.deny"]),
            (vec!["/etc/at.deny", "/etc/at.allow"], vec![]),
        ] {
            let site = Site { there: there.iter().map(|file| path(file)).collect(), ..site() };
            let actions = build(&site).expect("has an account");
            let files: Vec<String> = actions.iter().map(|action| action.thing().to_string()).collect();
            assert_eq!(files, expected, "{there:?}");
        }
    }
}
