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

/// A project that git knows.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let made = Command::new("git").args(["init", "--quiet"]).arg(folder.path()).status().expect("git starts");
    assert!(made.success());
    std::fs::write(folder.path().join("opencode.json"), "{}\n").expect("written");
    folder
}

/// Runs harden with a store of its own.
fn with_store(project: &Path, store: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harden"));
    command
        .args(args)
        .current_dir(project)
        .env("HARDEN_STATE_DIR", store.join("harden"))
        .output()
        .expect("harden starts")
}

#[test]
fn what_is_applied_in_a_project_is_taken_back_byte_for_byte() {
    let (project, store) = (repository(), tempfile::tempdir().expect("a folder"));
    let ignore = project.path().join(".gitignore");
    std::fs::write(&ignore, "target\r\n").expect("written");
    let run = |args: &[&str]| with_store(project.path(), store.path(), args);
    let only = ["--agent", "opencode", "--scope", "repo", "--only", "SEC-06"];

    let plan = run(&[&["plan", "-o", "plan.json"], &only[..]].concat());
    assert_eq!(plan.status.code(), Some(1), "{plan:?}");
    assert!(text(&plan.stdout).contains("put the lines of state of coding agents into"), "{}", text(&plan.stdout));
    assert_eq!(std::fs::read_to_string(&ignore).expect("there"), "target\r\n", "a plan changes nothing");
    assert!(run(&["apply", "plan.json"]).status.code() == Some(2), "nobody is there to be asked");

    let applied = run(&["apply", "plan.json", "--yes"]);
    assert_eq!(applied.status.code(), Some(0), "{applied:?}");
    assert!(text(&applied.stdout).contains("fixed  SEC-06 state-not-ignored"), "{}", text(&applied.stdout));
    let edited = std::fs::read_to_string(&ignore).expect("there");
    assert!(edited.starts_with("target\r\n# >>> harden: state of coding agents ("), "{edited}");
    assert!(run(&["plan"]).stderr.is_empty() && run(&[&["plan"], &only[..]].concat()).status.code() == Some(0));

    let stale = run(&["apply", "plan.json", "--yes"]);
    assert!(stale.status.code() == Some(2) && text(&stale.stderr).contains("the plan is stale"), "{stale:?}");
    assert_eq!(run(&["drift"]).status.code(), Some(0));
    assert!(text(&run(&["runs"]).stdout).contains("in place"));

    assert_eq!(run(&["rollback"]).status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(&ignore).expect("there"), "target\r\n");
    assert!(text(&run(&["runs"]).stdout).contains("taken back"));
    assert_eq!(run(&["rollback"]).status.code(), Some(2), "there is no run left");
}

#[test]
fn an_unconfirmed_change_goes_back_by_itself_and_a_confirmed_one_stays() {
    for confirms in [false, true] {
        let (project, store) = (repository(), tempfile::tempdir().expect("a folder"));
        let ignore = project.path().join(".gitignore");
        let run = |args: &[&str]| with_store(project.path(), store.path(), args);
        let applied = run(&[
            "apply",
            "--agent",
            "opencode",
            "--scope",
            "repo",
            "--only",
            "SEC-06",
            "--yes",
            "--class",
            "safe",
            "--confirm-within",
            "20s",
        ]);
        assert_eq!(applied.status.code(), Some(0), "{applied:?}");
        assert!(ignore.exists());
        if confirms {
            assert!(run(&["confirm"]).status.success());
        }
        let id = text(&run(&["runs", "--format", "json"]).stdout);
        let id =
            serde_json::from_str::<serde_json::Value>(&id).expect("JSON")[0]["run"].as_str().expect("an id").to_owned();
        // What the armed process does when its time is over, without waiting for a clock.
        let undone = run(&["rollback", &id, "--unless-confirmed", "1s"]);
        assert!(undone.status.success() || text(&undone.stderr).contains("taken back already"), "{undone:?}");
        assert_eq!(ignore.exists(), confirms);
    }
}

#[test]
fn a_server_is_pinned_to_what_is_installed_and_the_pin_is_taken_back() {
    let (project, store) = (repository(), tempfile::tempdir().expect("a folder"));
    let config = project.path().join("opencode.json");
    let before = "{\n  // kept\n  \"mcp\": { \"docs\": { \"type\": \"local\", \"command\": [\"npx\", \"-y\", \"@example/docs\"] } }\n}\n";
    std::fs::write(&config, before).expect("written");
    let run = |args: &[&str]| with_store(project.path(), store.path(), args);
    let only = ["--agent", "opencode", "--scope", "repo", "--only", "MCP-03", "--class", "unsafe"];

    let unknown = run(&[&["plan"], &only[..]].concat());
    let said = text(&unknown.stdout);
    assert_eq!(unknown.status.code(), Some(0), "{said}");
    assert!(said.contains("no version of its package is installed here"), "{said}");
    assert!(said.contains("npm view @example/docs version"), "{said}");

    let package = project.path().join("node_modules/@example/docs");
    std::fs::create_dir_all(&package).expect("made");
    std::fs::write(package.join("package.json"), "{ \"name\": \"@example/docs\", \"version\": \"1.4.2\" }")
        .expect("written");
    let usual = run(&["plan", "--agent", "opencode", "--scope", "repo", "--only", "MCP-03"]);
    assert!(text(&usual.stdout).contains("--class unsafe"), "people wrote it: {}", text(&usual.stdout));
    let applied = run(&[&["apply", "--yes"], &only[..]].concat());
    assert_eq!(applied.status.code(), Some(0), "{applied:?}");
    let after = std::fs::read_to_string(&config).expect("there");
    assert!(after.contains("// kept") && after.contains("\"@example/docs@1.4.2\""), "{after}");
    assert_eq!(run(&["rollback"]).status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(&config).expect("there"), before);
}

#[test]
fn a_pinned_server_is_recorded_with_its_integrity_where_that_is_asked_for() {
    let (project, store) = (repository(), tempfile::tempdir().expect("a folder"));
    let write = |file: &str, said: &str| std::fs::write(project.path().join(file), said).expect("written");
    let server =
        |name: &str| format!("\"{name}\": {{ \"type\": \"local\", \"command\": [\"npx\", \"-y\", \"{name}@1.4.2\"] }}");
    write("opencode.json", &format!("{{ \"mcp\": {{ {}, {} }} }}\n", server("docs"), server("more")));
    let before = "version: 1\nservers:\n  other: { package: other, version: 2.0.0 } # looked at\n";
    write("harden.mcp.lock", before);
    let locked = "{\"packages\":{\"node_modules/docs\":{\"version\":\"1.4.2\",\"integrity\":\"sha512-AAAA\"}}}";
    write("package-lock.json", locked);
    let run = |args: &[&str]| with_store(project.path(), store.path(), args);
    let only = ["--agent", "opencode", "--scope", "repo", "--only", "MCP-14"];

    assert_eq!(run(&[&["plan"], &only[..]].concat()).status.code(), Some(0), "nobody looked at them");
    let applied = run(&[&["apply", "--yes", "--class", "unsafe"], &only[..]].concat());
    assert_eq!(applied.status.code(), Some(0), "{applied:?}");
    let after = std::fs::read_to_string(project.path().join("harden.mcp.lock")).expect("there");
    assert!(after.starts_with(before) && after.matches("\"version\":\"1.4.2\"").count() == 2, "{after}");
    assert_eq!(after.matches("\"integrity\":\"sha512-AAAA\"").count(), 1, "{after}");
    assert_eq!(run(&["rollback"]).status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(project.path().join("harden.mcp.lock")).expect("there"), before);
}
