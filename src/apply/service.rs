//! Services of the machine, by its own service manager.

use std::collections::BTreeSet;
use std::io;

use super::machine::Machine;
use super::rules;
use super::things::{Trouble, ask, run};
use super::tool::Changer;
use crate::model::{AbsPath, State, Thing};

/// The daemon that reads the kernel's records.
const AUDITD: &str = "auditd.service";
/// Where it finds its rules.
const RULES: &str = "/etc/audit/rules.d";

/// Whether a service runs; absent where its unit is masked. One that has yet to be written is stopped.
pub(super) fn state(machine: &dyn Machine, thing: &Thing, unit: &str) -> Result<State, Trouble> {
    let shown = ask(machine, thing, Changer::Systemctl, &["show", "--property=LoadState,ActiveState", unit])?;
    let value = |key: &str| shown.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    if value("LoadState") == Some("masked") {
        return Ok(State::Absent);
    }
    let runs = matches!(value("ActiveState"), Some("active" | "reloading" | "activating"));
    Ok(State::Value { value: if runs { "running" } else { "stopped" }.to_owned() })
}

/// Starts or stops it.
pub(super) fn put(machine: &mut dyn Machine, thing: &Thing, unit: &str, to: &State) -> Result<(), Trouble> {
    match to {
        State::Value { value } if value == "running" && unit == AUDITD => start_auditd(machine, thing),
        State::Value { value } if value == "running" => {
            run(machine, thing, Changer::Systemctl, &["start", unit]).map(|_| ())
        }
        State::Value { .. } => run(machine, thing, Changer::Systemctl, &["stop", unit]).map(|_| ()),
        _ => Err(Trouble::refused(thing, "its unit is gone")),
    }
}

fn start_auditd(machine: &mut dyn Machine, thing: &Thing) -> Result<(), Trouble> {
    if let Some(why) = hinders(machine, thing)? {
        return Err(Trouble::refused(thing, why));
    }
    run(machine, thing, Changer::Systemctl, &["start", AUDITD]).map(|_| ())
}

/// Why a service must not be started. With the daemon of the audit most systems load the rules on the disk, and forget
/// those that somebody loaded by hand; put back afterwards they would be lost to whoever pulls the plug in between.
pub fn hinders(machine: &dyn Machine, thing: &Thing) -> Result<Option<String>, Trouble> {
    if *thing != Thing::Service(AUDITD.to_owned()) {
        return Ok(None);
    }
    let kept = on_disk(machine).map_err(|cause| Trouble::path(thing, cause))?;
    let lost = rules::all(machine, thing)?.into_iter().find(|rule| !is_ours(rule) && !kept.contains(&form(rule)));
    Ok(lost.map(|rule| {
        format!(
            "the rule `{rule}` is loaded and stands in no file of {RULES}: the daemon would forget it when it starts"
        )
    }))
}

/// Rules of ours are files by the time the daemon starts.
fn is_ours(rule: &str) -> bool {
    form(rule).iter().any(|word| word.starts_with("key=harden-"))
}

/// The rules that are loaded when the daemon starts.
fn on_disk(machine: &dyn Machine) -> io::Result<BTreeSet<Vec<String>>> {
    let folder = AbsPath::root().join(RULES);
    if machine.look(&folder)?.0 == State::Absent {
        return Ok(BTreeSet::new());
    }
    let mut rules = BTreeSet::new();
    for name in machine.list(&folder)?.iter().filter(|name| name.ends_with(".rules")) {
        let text = machine.look(&folder.join(name))?.1.unwrap_or_default();
        rules.extend(String::from_utf8_lossy(&text).lines().map(form));
    }
    Ok(rules)
}

/// The words of a rule in any order, as far as it takes to see that two are the same; what is missed is a refusal.
fn form(rule: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = rule.split_whitespace();
    while let Some(word) = rest.next() {
        match word {
            "-k" => words.push(format!("key={}", rest.next().unwrap_or_default())),
            "-S" => words.extend(rest.next().unwrap_or_default().split(',').map(str::to_owned)),
            "-a" | "-A" | "-F" => words.extend(rest.next().map(str::to_owned)),
            other => words.push(other.to_owned()),
        }
    }
    words.sort();
    words
}

/// The daemon of the audit reads its settings anew; where none runs, the next one will.
pub(super) fn reread(machine: &mut dyn Machine, thing: &Thing) -> Result<(), Trouble> {
    let said = ask(machine, thing, Changer::Auditctl, &["-s"])?;
    let pid = said.lines().find_map(|line| line.strip_prefix("pid ")).map_or("0", str::trim);
    if pid == "0" {
        return Ok(());
    }
    run(machine, thing, Changer::Auditctl, &["--signal", "HUP"]).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::form;

    #[test]
    fn a_rule_is_known_in_each_of_its_spellings() {
        let listed = form("-a always,exit -F arch=b64 -S execve,execveat -F uid=7 -F key=x");
        assert_eq!(listed, form("-a always,exit -F arch=b64 -F uid=7 -S execve -S execveat -k x"));
        assert_ne!(listed, form("-a always,exit -F arch=b64 -S execve -F uid=7 -k x"));
        assert_eq!(form("-w /etc/x -p wa -k y"), form("-w /etc/x -k y -p wa"));
    }
}
