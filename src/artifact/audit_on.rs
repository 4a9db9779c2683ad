//! The kernel's audit, switched on. That a daemon reads the records is the service manager's to start, and said by the
//! audit afterwards.

use super::{Refusal, Site};
use crate::model::Action;

pub(super) fn build(site: &Site) -> Result<Vec<Action>, Refusal> {
    site.linux_only("the kernel's audit")?;
    Ok(vec![Action::EnableAudit])
}
