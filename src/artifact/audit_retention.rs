//! How much of the audit log is kept: as many files as the profile's `audit_log_mib` takes, the oldest given up for the
//! newest. The daemon has no folder for drop-ins, so its own file is edited.

use super::{Refusal, Site, path};
use crate::model::{Action, Checker};

const FILE: &str = "/etc/audit/auditd.conf";
/// The size of one file, in MiB.
const EACH: u64 = 25;
/// As few as can be rotated, and as many as the daemon takes.
const FILES: std::ops::RangeInclusive<u64> = 2..=999;

pub(super) fn build(site: &Site) -> Result<Vec<Action>, Refusal> {
    site.linux_only("the kernel's audit")?;
    if !site.there.contains(&path(FILE)) {
        return Err(Refusal::new(format!("there is no {FILE}: auditd is not installed"), "install auditd"));
    }
    let files = site.audit_log_mib.div_ceil(EACH).clamp(*FILES.start(), *FILES.end());
    let set = [
        ("max_log_file", EACH.to_string()),
        ("num_logs", files.to_string()),
        ("max_log_file_action", "ROTATE".to_owned()),
    ];
    let set = set.map(|(key, value)| (key.to_owned(), value)).to_vec();
    Ok(vec![Action::EditKeys { path: path(FILE), set, check: Some(Checker::Auditd) }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::tests::site;

    #[test]
    fn files_are_counted_up() {
        for (mib, files) in [(0, "2"), (200, "8"), (201, "9"), (1_000_000, "999")] {
            let mut site = site();
            site.audit_log_mib = mib;
            let actions = build(&site).expect("auditd is there");
            let [Action::EditKeys { set, .. }] = &actions[..] else { panic!("one edit") };
            assert_eq!(set[1].1, files, "{mib} MiB");
        }
    }
}
