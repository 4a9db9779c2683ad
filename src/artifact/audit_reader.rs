//! The daemon that reads the kernel's records: started, and wanted by the next boot.

use super::{Refusal, Site, path};
use crate::model::{Access, Action};

const UNIT: &str = "auditd.service";
/// Where distributions put the unit.
const FILES: [&str; 2] = ["/usr/lib/systemd/system/auditd.service", "/lib/systemd/system/auditd.service"];
const UNITS: &str = "/etc/systemd/system";

pub(super) fn build(site: &Site) -> Result<Vec<Action>, Refusal> {
    site.linux_only("the kernel's audit")?;
    let file = FILES.iter().find(|file| site.there.contains(&path(file)));
    let Some(file) = file.filter(|_| site.there.contains(&path(UNITS))) else {
        return Err(Refusal::new("there is no unit auditd.service that could read the records", "install auditd"));
    };
    if !site.has_systemd {
        return Err(Refusal::new(
            "systemd does not run here, so nothing could start the daemon that reads the records",
            "start `auditd` with the service manager that runs here, and have it start at boot",
        ));
    }
    let wants = path(UNITS).join("multi-user.target.wants");
    Ok(vec![
        Action::EnsureDir { path: wants.clone(), access: Access::of_root(0o755) },
        Action::EnsureLink { path: wants.join(UNIT), target: (*file).to_owned() },
        Action::StartService { unit: UNIT.to_owned() },
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::tests::site;

    #[test]
    fn nothing_is_started_where_nothing_could_start_it() {
        let actions = build(&site()).expect("systemd runs");
        assert_eq!(actions.last(), Some(&Action::StartService { unit: UNIT.to_owned() }));
        let refused = |site: Site| build(&site).expect_err("cannot").why;
        assert!(refused(Site { has_systemd: false, ..site() }).contains("systemd does not run"));
        assert!(refused(Site { there: vec![path(UNITS)], ..site() }).contains("no unit"));
    }
}
