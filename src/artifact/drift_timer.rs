//! A timer that asks once a day whether everything is as it was left. A change makes its service fail, which is what
//! service managers and those who watch them look at.

use super::{Refusal, mark, path};
use crate::model::{AbsPath, Access, Action, Checker};

const UNITS: &str = "/etc/systemd/system";
const TIMER: &str = "harden-drift.timer";
const SERVICE: &str = "harden-drift.service";

/// The units, for the program that is to be started as root; its way is the caller's to judge.
pub fn drift_timer(program: &AbsPath, has_systemd: bool) -> Result<Vec<Action>, Refusal> {
    if !has_systemd {
        return Err(Refusal::new(
            "systemd does not run here, so nothing would start the timer",
            "have `harden drift` started once a day by what runs here",
        ));
    }
    let text = program.text();
    if !text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)) {
        return Err(Refusal::new(
            format!("systemd would not read `{text}` as a plain path"),
            "install harden elsewhere",
        ));
    }
    let units = path(UNITS);
    let wants = units.join("timers.target.wants");
    let unit = |name: &str, content: String| Action::WriteFile {
        path: units.join(name),
        content,
        access: Access::of_root(0o644),
        check: Some(Checker::Systemd),
    };
    Ok(vec![
        Action::EnsureDir { path: wants.clone(), access: Access::of_root(0o755) },
        unit(SERVICE, service(&text)),
        unit(TIMER, timer()),
        Action::EnsureLink { path: wants.join(TIMER), target: units.join(TIMER).text() },
        Action::StartService { unit: TIMER.to_owned() },
    ])
}

fn service(program: &str) -> String {
    format!(
        "{}[Unit]\nDescription=Whether anything was changed since harden apply\n\n[Service]\nType=oneshot\n\
         ExecStart={program} drift\nProtectSystem=strict\nProtectHome=read-only\nPrivateTmp=yes\n",
        mark("Fails where something was changed.")
    )
}

fn timer() -> String {
    format!(
        "{}[Unit]\nDescription=Daily look for changes since harden apply\n\n[Timer]\nOnCalendar=daily\n\
         RandomizedDelaySec=15min\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n",
        mark("Starts harden-drift.service once a day.")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_units_stand_before_the_timer_is_started() {
        let actions = drift_timer(&path("/usr/local/bin/harden"), true).expect("can be written");
        let text = format!("{actions:?}");
        assert!(text.contains("ExecStart=/usr/local/bin/harden drift\\n"), "{text}");
        let ranks: Vec<u8> = actions.iter().map(Action::rank).collect();
        assert!(ranks.is_sorted(), "{ranks:?}");
        assert!(drift_timer(&path("/opt/my tools/harden"), true).is_err());
        assert!(drift_timer(&path("/usr/local/bin/harden"), false).is_err());
    }
}
