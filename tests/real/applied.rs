//! The real OpenCode on a machine that `harden apply` has hardened: it takes the configuration that was written, resolves
//! it as meant, and answers through the launcher and the packet rules.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::machine::{self, Account, Audit, RootFile};

const AGENT: &str = "hdntestagent";
const WORKSPACE: &str = "/srv/hdntest-app";
const LAUNCHER: &str = "/usr/local/bin/hdntest-hardened";
const LINK: &str = "/usr/local/bin/opencode";
const STATE: &str = "/run/hdntest-state";

/// What goes away at the end, whatever happens.
struct Left {
    linked: bool,
}

impl Drop for Left {
    fn drop(&mut self) {
        let _ = harden(&["rollback", "--keep-changed"]);
        if self.linked {
            let _ = fs::remove_file(LINK);
        }
        let _ = fs::remove_dir_all(WORKSPACE);
        let _ = fs::remove_dir_all(STATE);
        let _ = Command::new("userdel").arg(AGENT).stderr(Stdio::null()).status();
        let _ = fs::remove_dir_all(format!("/var/lib/{AGENT}"));
    }
}

fn harden(args: &[&str]) -> Output {
    let uid = Command::new("id").args(["-u", "hdntestdev"]).output().expect("id starts");
    Command::new(env!("CARGO_BIN_EXE_harden"))
        .args(args)
        .env("HARDEN_STATE_DIR", STATE)
        .env("SUDO_UID", String::from_utf8_lossy(&uid.stdout).trim())
        .current_dir(if Path::new(WORKSPACE).exists() { WORKSPACE } else { "/" })
        .output()
        .expect("it runs")
}

pub(crate) fn works(opencode: &str, port: u16) {
    let dev = Account::person("hdntestdev");
    let mut left = Left { linked: false };
    fs::create_dir(WORKSPACE).expect("made");
    fs::write(format!("{WORKSPACE}/opencode.json"), machine::config(port, false)).expect("written");
    assert!(Command::new("git").args(["init", "--quiet", WORKSPACE]).status().expect("git runs").success());
    assert!(Command::new("chown").args(["-R", "hdntestdev", WORKSPACE]).status().expect("runs").success());
    if !Path::new(LINK).exists() {
        std::os::unix::fs::symlink(opencode, LINK).expect("linked");
        left.linked = true;
    }
    let profile = format!(
        "profile: hdntest\nextends: production\nparameters:\n  agent_user: {AGENT}\n  launcher: {LAUNCHER}\n  workspace: \
         {WORKSPACE}\n  log_dir: /var/log/hdntest\n  model_endpoint: http://127.0.0.1:{port}/v1\n"
    );
    let profile = RootFile::new("/etc/hdntest-profile.yaml", &profile, 0o644);
    let applied =
        harden(&["apply", "--agent", "opencode", "--profile", &profile.path, "--yes", "--class", "safe,guarded"]);
    let said = String::from_utf8_lossy(&applied.stdout).into_owned() + &String::from_utf8_lossy(&applied.stderr);
    assert!(matches!(applied.status.code(), Some(0 | 1)), "{said}");

    let resolved = as_agent(&["debug", "config"]);
    let config: Value = serde_json::from_str(&resolved).unwrap_or_else(|error| panic!("{error}: {resolved}"));
    for (key, value) in [("share", "disabled"), ("username", "hdntest")] {
        assert_eq!(config[key], value, "{config:#}");
    }
    assert_eq!(config["autoupdate"], false);
    for (tool, action) in [("bash", "ask"), ("edit", "ask"), ("external_directory", "deny")] {
        assert_eq!(config["permission"][tool], action, "{config:#}");
    }
    // Its configuration folder is root's, and it starts without writing one; it reaches its model through the rules; and
    // the command that the model wants is asked for, which nobody is there to grant.
    let answer = as_developer(&dev, &["run", "hello"]);
    assert!(answer.contains("permission requested: bash (echo canary-from-the-tool)"), "{answer}");

    let audit = Audit::run(&mut Command::new("env"), Path::new(WORKSPACE), &["--profile", &profile.path]);
    for code in [
        "USR-01", "ENV-01", "ENV-07", "CFG-02", "CFG-04", "CFG-06", "CFG-07", "NET-01", "NET-02", "NET-04", "NET-05",
        "LOG-01", "LOG-05",
    ] {
        audit.passes(code);
    }
    // The agent's sessions are its own: they stay, with the account that owns them, and the rest goes.
    let refused = harden(&["rollback"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && said.contains("which this run did not put there"), "{said}");
    let back = harden(&["rollback", "--keep-changed"]);
    assert_eq!(back.status.code(), Some(0), "{}", String::from_utf8_lossy(&back.stderr));
    assert!(!Path::new(LAUNCHER).exists() && Path::new(&format!("/var/lib/{AGENT}")).exists());
}

/// What the launcher's program prints as the agent.
fn as_agent(args: &[&str]) -> String {
    let output = Command::new(LAUNCHER).args(args).stdin(Stdio::null()).output().expect("it runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The same as started by the developer, through sudo.
fn as_developer(dev: &Account, args: &[&str]) -> String {
    let output = dev.command().arg(LAUNCHER).args(args).stdin(Stdio::null()).output().expect("it runs");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
