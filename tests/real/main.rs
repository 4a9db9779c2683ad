//! The real OpenCode makes its configuration, state and database, and `harden` audits them: on a developer's account
//! as it comes, and hardened.
//!
//! Needs root on a disposable machine (`HARDEN_ROOT_TESTS=disposable`) and the program (`HARDEN_OPENCODE=/path`);
//! skipped visibly elsewhere. Runs in a network namespace of its own: nothing but loopback is there.

mod applied;
mod machine;
mod model;

use std::process::Command;

use machine::{Account, Audit, Program, run_opencode};

/// What the scripted model lets the agent do.
const TOOL_CALL: &str = "echo canary-from-the-tool";

#[test]
fn the_real_program_is_seen_as_it_is_and_as_it_is_hardened() {
    let Some(opencode) = machine::opencode() else { return };
    if std::env::var_os("HARDEN_REAL_INSIDE").is_none() {
        let this = std::env::current_exe().expect("known");
        let status = Command::new("unshare")
            .args(["--net", "sh", "-c", "ip link set lo up && exec \"$0\" --nocapture"])
            .arg(this)
            .env("HARDEN_REAL_INSIDE", "1")
            .status()
            .expect("unshare runs");
        assert!(status.success());
        return;
    }
    let port = model::serve(TOOL_CALL);
    let program = Program::copy(&opencode);
    as_it_comes(&program.path(), port);
    hardened(&program.path(), port);
    applied::works(&program.path(), port);
}

/// A developer's own account, nothing set.
fn as_it_comes(opencode: &str, port: u16) {
    let dev = Account::person("hdntestdev");
    dev.write("app/opencode.json", &machine::config(port, false));
    dev.git_init("app");
    let said = run_opencode(&dev.command(), opencode, &dev.path("app"));
    assert!(said.contains("done"), "{said}");
    let audit = Audit::run(
        dev.command().env("PATH", format!("{}:/usr/bin:/bin", machine::folder(opencode))),
        &dev.path("app"),
        &[],
    );
    audit.fails("STA-03", "opencode.db");
    for code in ["USR-01", "ENV-01", "CFG-02", "CFG-06", "CFG-07", "SEC-06"] {
        audit.fails(code, "");
    }
    for code in ["STA-01", "STA-02", "MCP-07", "MCP-18"] {
        audit.does_not_fail(code);
    }
    audit.never_says("canary-from-the-tool");
}

/// An account of its own, state private, configuration in root's hands, a launcher that starts from nothing.
fn hardened(opencode: &str, port: u16) {
    let dev = Account::person("hdntestdev");
    let agent = Account::system("hdntestagent");
    dev.write("app/README.md", "hello\n");
    dev.write("app/.gitignore", ".opencode/\n");
    dev.git_init("app");
    dev.close_home();
    let workspace = agent.own_folder("work");
    let config = machine::RootFile::new("/etc/opencode/opencode.json", &machine::config(port, true), 0o644);
    let launcher =
        machine::RootFile::new("/usr/local/bin/hdntest-hardened", &machine::launcher(&agent, opencode), 0o755);
    let said = run_opencode(&agent.command(), &launcher.path, &workspace);
    assert!(said.contains("done"), "{said}");
    let profile = machine::RootFile::new(
        "/etc/hdntest-profile.yaml",
        &machine::profile(&agent, &launcher.path, port, &workspace),
        0o644,
    );
    let audit = Audit::run(&mut Command::new("env"), &workspace, &["--profile", &profile.path]);
    // What other accounts of this machine leave open is theirs; the two that were made here are closed.
    audit.spares("STA-03", "hdntest");
    audit.spares("USR-06", "hdntest");
    for code in
        ["STA-01", "USR-01", "USR-02", "USR-03", "ENV-01", "ENV-07", "CFG-02", "CFG-06", "CFG-07", "CFG-10", "CFG-11"]
    {
        audit.passes(code);
    }
    drop(config);
}
