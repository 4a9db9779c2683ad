//! What a rule of somebody else gives the agent's account, a rule of ours takes back, and leaves theirs as it is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

const AGENT: &str = "hardentest-denied";
const THEIRS: &str = "/etc/sudoers.d/hardentest-grants";
const RULE: &str = "hardentest-denied ALL=(root) NOPASSWD: /usr/bin/id\n";
const STATE: &str = "/run/hardentest-denied";
const PROFILE: &str = "/run/hardentest-denied.yaml";

fn harden(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harden"));
    command.args(args).env("HARDEN_STATE_DIR", STATE).current_dir("/tmp").output().expect("starts")
}

/// Whether the account becomes root by sudo.
fn is_raised() -> bool {
    let args = ["-u", AGENT, "--", "sudo", "-n", "/usr/bin/id", "-u"];
    let output = Command::new("runuser").args(args).output().expect("starts");
    output.status.success() && output.stdout == b"0\n"
}

struct Prepared;

impl Prepared {
    fn new() -> Self {
        let made =
            Command::new("useradd").args(["--system", "--user-group", "--home-dir", "/nonexistent", AGENT]).status();
        assert!(made.expect("starts").success(), "start without an account {AGENT}");
        let prepared = Self;
        fs::write(THEIRS, RULE).expect("written");
        fs::set_permissions(THEIRS, fs::Permissions::from_mode(0o440)).expect("mode");
        let profile = format!("profile: denied\nextends: baseline\nparameters:\n  agent_user: {AGENT}\n");
        fs::write(PROFILE, profile).expect("written");
        prepared
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        let _ = harden(&["rollback"]);
        for file in [THEIRS, PROFILE] {
            let _ = fs::remove_file(file);
        }
        let _ = fs::remove_dir_all(STATE);
        let _ = Command::new("userdel").arg(AGENT).status();
    }
}

#[test]
fn sudo_gives_the_agent_nothing_whatever_others_wrote() {
    if !crate::disposable("denied::sudo_gives_the_agent_nothing_whatever_others_wrote") {
        return;
    }
    let _prepared = Prepared::new();
    assert!(is_raised(), "their rule works");
    let only = ["--agent", "generic", "--profile", PROFILE, "--only", "USR-04", "--class", "safe,guarded"];
    let applied = harden(&[&["apply", "--yes"], &only[..]].concat());
    let said = String::from_utf8_lossy(&applied.stdout).into_owned() + &String::from_utf8_lossy(&applied.stderr);
    assert!(applied.status.success(), "{said}");
    assert!(!is_raised(), "{said}");
    assert_eq!(fs::read_to_string(THEIRS).expect("there"), RULE);
    assert!(harden(&["rollback"]).status.success());
    assert!(is_raised(), "their rule works again");
}
