//! The ignore rules of a project for what coding agents write into it: of every agent that is known, since the next one
//! comes without asking.

use super::{Refusal, Site};
use crate::model::{Access, Action};

/// As the check's own lines are called, so that both are one block.
const LABEL: &str = "state of coding agents";

pub(super) fn build(site: &Site) -> Result<Vec<Action>, Refusal> {
    let (uid, gid) = site.project_owner;
    Ok(vec![Action::EditBlock {
        path: site.project.join(".gitignore"),
        label: LABEL.to_owned(),
        lines: site.ignored.clone(),
        access: Access { uid, gid, ..Access::of_root(0o644) },
    }])
}
