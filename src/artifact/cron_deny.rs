//! The account in `cron.deny` and `at.deny`. Where a list of allowed accounts is there it decides alone, and the account
//! is not in it or a person put it there.

use super::{Refusal, Site, path};
use crate::model::{Access, Action};

pub(super) fn build(site: &Site) -> Result<Vec<Action>, Refusal> {
    let account = site.account()?;
    let deny = |file: &str| Action::EditBlock {
        path: path(file),
        label: "accounts of coding agents".to_owned(),
        lines: vec![account.name.clone()],
        access: Access::of_root(0o644),
    };
    Ok(["/etc/cron.deny", "/etc/at.deny"].map(deny).into())
}
