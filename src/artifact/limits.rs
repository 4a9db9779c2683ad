//! Ceilings for the account: no memory of a crashed program on the disk, and no end of processes.

use super::{Refusal, Site, mark, path};
use crate::model::{Access, Action};

const FOLDER: &str = "/etc/security/limits.d";
/// Processes and threads at a time; a build on a large machine stays far below.
const PROCESSES: u32 = 4096;

/// Nothing where no session reads such a file.
pub(super) fn build(site: &Site) -> Result<Vec<Action>, Refusal> {
    let account = site.account()?;
    if !site.there.contains(&path(FOLDER)) {
        return Ok(Vec::new());
    }
    let name = &account.name;
    let content = format!(
        "{}{name} hard core 0\n{name} hard nproc {PROCESSES}\n",
        mark("Ceilings for the coding agent's account.")
    );
    let file = path(FOLDER).join(format!("90-harden-{name}.conf"));
    Ok(vec![Action::WriteFile { path: file, content, access: Access::of_root(0o644), check: None }])
}
