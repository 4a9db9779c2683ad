//! The command line as people type it: `tests/cmd/*`. `TRYCMD=overwrite cargo test --test cli` records them.
//!
//! Machines differ, so that cases audit nothing of the machine: they look at help, mistakes, and texts about the program.
//! What an audit of files says is asked below, in a project made for it.

use std::path::Path;
use std::process::{Command, Output};

fn harden(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_harden"))
        .args(args)
        .current_dir(folder)
        .env_remove("NO_COLOR")
        // No audit of a test goes into the history of whoever runs it.
        .env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"))
        .output()
        .expect("harden starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join(".git")).expect("made");
    std::fs::write(folder.path().join("opencode.json"), "{}\n").expect("written");
    folder
}

#[test]
fn cases() {
    trycmd::TestCases::new().env("COLUMNS", "100").case("tests/cmd/*.toml").case("tests/cmd/*.trycmd");
}

#[test]
fn what_is_written_to_files_is_not_printed() {
    let project = project();
    let outputs =
        ["-f", "json=r.json", "-f", "sarif=r.sarif", "-f", "junit=r.xml", "-f", "csv=r.csv", "-f", "markdown=r.md"];
    let done = harden(
        project.path(),
        &[&["audit", "--scope", "repo", "--allow-unknown", "--fail-on", "critical"], &outputs[..]].concat(),
    );
    assert!(matches!(done.status.code(), Some(0 | 1)), "{done:?}");
    assert!(done.stdout.is_empty());
    assert_eq!(text(&done.stderr).lines().count(), 1, "the summary, on standard error");
    for name in ["r.json", "r.sarif", "r.xml", "r.csv", "r.md"] {
        assert!(project.path().join(name).metadata().expect("written").len() > 40, "{name}");
    }
    let left = std::fs::read_dir(project.path()).expect("readable").count();
    assert_eq!(left, 7, "nothing but the project and the reports");
}

#[test]
fn a_report_is_a_baseline_for_the_next_audit() {
    let project = project();
    // Beside the project: a report in it would be audited, too.
    let beside = tempfile::tempdir().expect("a folder");
    let target = project.path().to_str().expect("text");
    let first = harden(beside.path(), &["audit", target, "-f", "json=before.json", "--allow-unknown"]);
    assert!(matches!(first.status.code(), Some(0 | 1)), "{first:?}");
    let scope = ["--scope", "repo", "--allow-unknown", "-q"];
    let again = harden(beside.path(), &[&["audit", target, "--baseline", "before.json"], &scope[..]].concat());
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    std::fs::write(beside.path().join("bad.json"), "{\"runs\": []}").expect("written");
    let bad = harden(beside.path(), &["audit", "--baseline", "bad.json"]);
    assert_eq!(bad.status.code(), Some(2));
    assert!(text(&bad.stderr).starts_with("nothing was audited\n"), "{bad:?}");
}

#[test]
fn a_report_that_cannot_be_written_does_not_say_that_nothing_was_audited() {
    let project = project();
    let full = Path::new("/dev/full");
    if !full.exists() {
        return;
    }
    let done = harden(project.path(), &["audit", "-f", "json=/dev/full"]);
    assert_eq!(done.status.code(), Some(2));
    let said = text(&done.stderr);
    assert!(said.contains("cannot write `/dev/full`") && !said.contains("nothing was audited"), "{said}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_harden"))
        .args(["schema", "facts"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("harden starts");
    drop(child.stdout.take());
    let done = child.wait_with_output().expect("ends");
    assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
}

#[test]
fn init_writes_a_profile_that_audits_take_and_never_writes_over_one() {
    let project = project();
    let written = harden(project.path(), &["init", "--scope", "repo"]);
    assert_eq!(written.status.code(), Some(0), "{written:?}");
    let file = project.path().join(".harden.yaml");
    let first = std::fs::read_to_string(&file).expect("written");
    let audit = harden(project.path(), &["audit", "--profile", ".harden.yaml", "-q", "--allow-unknown"]);
    assert!(matches!(audit.status.code(), Some(0 | 1)), "{audit:?}");
    assert!(!text(&audit.stdout).contains("on waivers and profiles"), "given by name, it counts once: {audit:?}");
    let again = harden(project.path(), &["init"]);
    assert_eq!(again.status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(&file).expect("there"), first);
}

#[test]
fn timings_go_to_standard_error() {
    let project = project();
    let done = harden(project.path(), &["audit", "--timings", "-f", "json", "--scope", "repo"]);
    let said = text(&done.stderr);
    assert!(said.contains("time by step") && said.contains("start-up"), "{said}");
    serde_json::from_slice::<serde_json::Value>(&done.stdout).expect("standard output is JSON alone");
}

#[test]
fn colours_are_for_terminals_and_those_who_ask() {
    let project = project();
    let plain = harden(project.path(), &["audit"]);
    assert!(!text(&plain.stdout).contains('\u{1b}'));
    let asked = harden(project.path(), &["audit", "--color", "always"]);
    assert!(text(&asked.stdout).contains('\u{1b}'));
}

#[test]
fn every_command_has_a_manual_page_and_every_shell_a_script() {
    let folder = tempfile::tempdir().expect("a folder");
    let done = harden(folder.path(), &["man", "--out", "pages"]);
    assert!(done.status.success(), "{done:?}");
    assert!(folder.path().join("pages/harden-audit.1").is_file());
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(!harden(folder.path(), &["completions", shell]).stdout.is_empty(), "{shell}");
    }
}

#[test]
fn a_mistake_in_a_profile_names_its_line_and_the_nearest_word() {
    let project = project();
    for (profile, line, near) in [
        ("profile: mine\nextends: baseline\nparamaters: {}\n", "p.yaml:3", "parameters"),
        ("profile: mine\nparameters:\n  agnet_user: x\n", "p.yaml:3", "agent_user"),
        ("profile: mine\nscope: hots\n", "p.yaml:2", "host"),
        ("profile: mine\nextends: baselin\n", "p.yaml:2", "baseline"),
        ("profile: mine\nchecks:\n  skip: [mcp-package-unpined]\n", "p.yaml:3", "mcp-package-unpinned"),
        ("profile: mine\nseverity:\n  MCP-99: low\n", "p.yaml:3", "MCP-09"),
    ] {
        std::fs::write(project.path().join("p.yaml"), profile).expect("written");
        let done = harden(project.path(), &["audit", "--profile", "p.yaml"]);
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{profile}");
        assert!(said.contains(line) && said.contains(&format!("did you mean `{near}`?")), "{profile}\n{said}");
    }
}

#[test]
fn a_waiver_is_called_unused_only_where_its_check_ran() {
    let project = project();
    let waiver = |check: &str, expires: &str| {
        format!("  - {{ check: {check}, reason: agreed, owner: owners, expires: {expires} }}\n")
    };
    let soon = jiff::Zoned::now().date().checked_add(jiff::Span::new().days(10)).expect("a date").to_string();
    let profile = format!(
        "profile: mine\nextends: baseline\nwaivers:\n{}{}{}{}  - only words\n",
        waiver("SEC-02", &soon),
        waiver("WSP-02", &soon),
        waiver("USR-01", &soon),
        waiver("MCP-3", &soon),
    );
    std::fs::write(project.path().join("p.yaml"), profile).expect("written");
    let done = harden(project.path(), &["audit", "--profile", "p.yaml", "--scope", "repo", "-f", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).expect("a report");
    let mut said: Vec<(String, String)> = report["problems"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (one["check"].as_str().expect("text").to_owned(), one["problem"].as_str().expect("text").to_owned()))
        .collect();
    said.sort();
    let said: Vec<String> = said.iter().map(|(check, problem)| format!("{check}: {problem}")).collect();
    let [words, near, ending, unused] = &said[..] else { panic!("{said:#?}") };
    assert!(words.starts_with("?: malformed") && !words.contains("struct"), "{words}");
    assert!(near.starts_with("MCP-3: not applied") && near.contains("did you mean `MCP-03`?"), "{near}");
    assert!(ending.starts_with("SEC-02: ends on"), "{ending}");
    assert_eq!(unused, "WSP-02: covers no failing finding; remove it");
}
