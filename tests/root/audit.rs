//! What `harden` says of audit rules that are really loaded. The kernel has one list of them for all: only rules under
//! a key of this test are added, and taken away again.

use std::process::Command;

const KEY: &str = "harden-root-test";
const ACCOUNT: &str = "nobody";

fn auditctl(args: &str) {
    let output = Command::new("auditctl").args(args.split(' ')).output().expect("auditctl starts");
    assert!(output.status.success(), "auditctl {args}: {}", String::from_utf8_lossy(&output.stderr));
}

fn missing() -> String {
    crate::fact("audit", ACCOUNT)["loaded"]["missing"].to_string()
}

/// Takes the rules away, whatever happens.
struct Rules;

impl Rules {
    fn load(rules: &[&str]) -> Self {
        let loaded = Self;
        rules.iter().for_each(|rule| auditctl(&format!("{rule} -k {KEY}")));
        loaded
    }
}

impl Drop for Rules {
    fn drop(&mut self) {
        let _ = Command::new("auditctl").args(["-D", "-k", KEY]).output();
    }
}

#[test]
fn loaded_rules_are_judged_as_they_are() {
    if !crate::disposable("audit::loaded_rules_are_judged_as_they_are") {
        return;
    }
    assert_eq!(missing(), r#"["all commands"]"#, "start without audit rules of your own");
    {
        let _rules = Rules::load(&["-a always,exit -F arch=b64 -S execve -F uid=nobody"]);
        let said = missing();
        for hole in ["execveat of 64-bit programs", "execve and execveat of 32-bit programs", "another real user"] {
            assert!(said.contains(hole), "{said}");
        }
    }
    {
        let _rules = Rules::load(&[
            "-a always,exit -F arch=b64 -S execve,execveat -F uid=nobody",
            "-a always,exit -F arch=b64 -S execve,execveat -F euid=nobody",
            "-a always,exit -F arch=b32 -S execve,execveat -F uid=nobody",
            "-a always,exit -F arch=b32 -S execve,execveat -F euid=nobody",
        ]);
        assert_eq!(missing(), "[]");
        let _more = Rules::load(&["-A never,exit -F arch=b64 -S all -F uid=nobody"]);
        let said = missing();
        assert!(said.contains("because of `-a never,exit -F arch=b64 -S all -F uid=65534"), "{said}");
    }
    assert_eq!(missing(), r#"["all commands"]"#, "the rules are gone again");
}

/// Puts the switch back, whatever happens.
struct Switch(String);

impl Drop for Switch {
    fn drop(&mut self) {
        let _ = Command::new("auditctl").args(["-e", &self.0]).output();
    }
}

#[test]
fn auditing_that_is_off_is_seen() {
    if !crate::disposable("audit::auditing_that_is_off_is_seen") {
        return;
    }
    let state = Command::new("auditctl").arg("-s").output().expect("auditctl starts");
    let state = String::from_utf8_lossy(&state.stdout).into_owned();
    let enabled = state.lines().find_map(|line| line.strip_prefix("enabled ")).expect("tells").to_owned();
    if enabled == "2" {
        return;
    }
    let _switch = Switch(enabled);
    auditctl("-e 0");
    assert_eq!(crate::fact("audit", ACCOUNT)["enabled"], "off");
    assert!(crate::fact("audit", ACCOUNT)["trouble"].to_string().contains("switched off"));
    auditctl("-e 1");
    assert_eq!(crate::fact("audit", ACCOUNT)["enabled"], "on");
}
