//! The kernel's audit, switched on.

use super::{Refusal, Site};
use crate::model::Action;

pub(super) fn build(site: &Site) -> Result<Vec<Action>, Refusal> {
    site.linux_only("the kernel's audit")?;
    Ok(vec![Action::EnableAudit])
}
