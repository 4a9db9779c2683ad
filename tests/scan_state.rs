//! `harden scan --state` on what agents leave behind: what it finds where, what it leaves out, and that it says so.

mod fits;
mod planted;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use planted::token;

/// An account with a project. Every place of the agent's is in a folder that goes away.
struct Account {
    folder: tempfile::TempDir,
}

impl Account {
    fn new() -> Self {
        let account = Self { folder: tempfile::tempdir().expect("a folder") };
        for folder in ["work", "config", "data", "state", "cache", "tmp"] {
            std::fs::create_dir_all(account.at(folder)).expect("writable");
        }
        account
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().canonicalize().expect("it is there").join(path)
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let file = self.at(path);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("writable");
        std::fs::write(file, text).expect("writable");
    }

    fn scan(&self, args: &[&str]) -> Output {
        self.harden(&[&["scan", "--state", "--agent", "opencode"], args].concat())
    }

    /// What the audit makes of secrets in the state: its findings, and that it shows none.
    fn audit(&self) -> Vec<Value> {
        let output = self.harden(&[
            "audit",
            "--no-history",
            "--agent",
            "opencode",
            "--scope",
            "user",
            "--only",
            "secret-in-state",
            "-f",
            "json",
        ]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("{error}: {}", String::from_utf8_lossy(&output.stderr));
        });
        report["findings"].as_array().expect("findings").clone()
    }

    fn harden(&self, args: &[&str]) -> Output {
        let mut harden = Command::new(env!("CARGO_BIN_EXE_harden"));
        harden.args(args).current_dir(self.at("work")).env_clear();
        for (name, folder) in [
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"),
            ("TMPDIR", "tmp"),
        ] {
            harden.env(name, self.at(folder));
        }
        let output = harden.stdin(Stdio::null()).output().expect("harden runs");
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        assert!(!String::from_utf8_lossy(&said).contains(&token()[..12]), "the secret was printed");
        output
    }

    /// Path, line and standing of each finding.
    fn found(&self, args: &[&str]) -> Vec<(PathBuf, u64, String)> {
        let output = self.scan(&[args, &["-f", "json"]].concat());
        let list = fits::findings(&output.stdout).unwrap_or_else(|error| {
            panic!("{error}: {}", String::from_utf8_lossy(&output.stderr));
        });
        let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
        let mut found: Vec<_> = list
            .iter()
            .map(|one| (text(one, "File").into(), one["StartLine"].as_u64().unwrap_or(0), text(one, "Standing")))
            .collect();
        found.sort();
        found
    }

    fn git(&self, store: &Path, args: &[&str]) {
        let mut git = Command::new("git");
        git.arg("--git-dir").arg(store).arg("--work-tree").arg(self.at("work")).args(args);
        let done = git.current_dir(self.at("work")).env("HOME", self.at("tmp")).output().expect("git runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn everything_that_an_agent_has_written_is_scanned_and_paths_are_absolute() {
    let account = Account::new();
    let token = token();
    account.write("data/opencode/storage/part/a.json", format!(r#"{{"output":"A\nTOKEN={token}\n"}}"#));
    account.write("data/opencode/log/today.log", format!("one\nTOKEN={token}\n"));
    account.write("data/opencode/tool-output/t.txt", format!("TOKEN={token}\n"));
    account.write("state/opencode/history.jsonl", format!("{{}}\n{{\"input\":\"{token}\"}}\n"));
    account.write("tmp/opencode/run.out", format!("TOKEN={token}\n"));
    account.write("work/.opencode/plans/next.md", format!("{token}\n"));
    account.write("work/.env", format!("TOKEN={token}\n"));
    account.write("data/another/a.txt", format!("TOKEN={token}\n"));
    let open = |path: &str, line| (account.at(path), line, "open".to_owned());
    let mut expected = [
        open("data/opencode/storage/part/a.json", 1),
        open("data/opencode/log/today.log", 2),
        open("data/opencode/tool-output/t.txt", 1),
        open("state/opencode/history.jsonl", 2),
        open("tmp/opencode/run.out", 1),
        open("work/.opencode/plans/next.md", 1),
    ];
    expected.sort();
    assert_eq!(account.found(&[]), expected);
    assert_eq!(account.scan(&[]).status.code(), Some(1));
}

#[test]
fn keys_in_credential_files_are_counted_and_downloads_left_out() {
    let account = Account::new();
    account.write("data/opencode/auth.json", format!(r#"{{"github":{{"key":"{}"}}}}"#, token()));
    account.write("cache/opencode/models.json", format!("TOKEN={}\n", token()));
    account.write("data/opencode/bin/tool/x.js", format!("TOKEN={}\n", token()));
    assert_eq!(account.found(&[]), [(account.at("data/opencode/auth.json"), 1, "credential".to_owned())]);
    let output = account.scan(&[]);
    assert_eq!(output.status.code(), Some(0));
    let said = stdout(&output);
    assert!(
        said.contains("no secrets, 1 in the agent's credential files") && said.contains("downloads left out"),
        "{said}"
    );
}

#[test]
fn snapshots_are_read_through_what_git_has_packed() {
    let account = Account::new();
    let store = account.at("data/opencode/snapshot/0123abcd/ef");
    std::fs::create_dir_all(&store).expect("writable");
    account.write("work/app/.env", format!("A=1\nTOKEN={}\n", token()));
    account.git(&store, &["init", "--quiet"]);
    account.git(&store, &["add", "."]);
    account.git(&store, &["write-tree"]);
    account.write("work/app/.env", "A=1\n");
    let found = account.found(&[]);
    assert_eq!(found.len(), 1, "{found:?}");
    let path = found[0].0.to_string_lossy().into_owned();
    assert!(path.starts_with(&format!("{}!", store.display())) && found[0].1 == 2, "{path}");
    assert!(stdout(&account.scan(&["-q"])).contains("1 store of snapshots"));
}

#[test]
fn an_audit_reads_snapshots_too_and_what_is_damaged_is_unknown() {
    let account = Account::new();
    let store = account.at("data/opencode/snapshot/0123abcd/ef");
    std::fs::create_dir_all(&store).expect("writable");
    account.write("work/app/.env", format!("A=1\nTOKEN={}\n", token()));
    account.git(&store, &["init", "--quiet"]);
    account.git(&store, &["add", "."]);
    account.git(&store, &["-c", "user.name=a", "-c", "user.email=a@localhost", "commit", "--quiet", "-m", "one"]);
    account.git(&store, &["repack", "-adq"]);
    let found = account.audit();
    assert_eq!((found.len(), found[0]["status"].as_str()), (1, Some("fail")), "{found:?}");
    let told = found[0].to_string();
    assert!(told.contains(&store.display().to_string()) && told.contains("github-pat"), "{told}");
    for entry in std::fs::read_dir(store.join("objects/pack")).expect("it was made") {
        let path = entry.expect("readable").path();
        if path.extension().is_some_and(|end| end == "pack") {
            let pack = std::fs::read(&path).expect("readable");
            std::fs::remove_file(&path).expect("ours");
            std::fs::write(&path, &pack[..pack.len() / 2]).expect("writable");
        }
    }
    let found = account.audit();
    assert_eq!((found.len(), found[0]["status"].as_str()), (1, Some("unknown")), "{found:?}");
    assert!(found[0].to_string().contains("snapshots could not be read whole"), "{found:?}");
}

#[test]
fn no_state_is_said_with_the_places_and_is_no_failure() {
    let account = Account::new();
    let output = account.scan(&[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr(&output).contains(&format!("`{}`", account.at("data/opencode").display())), "{}", stderr(&output));
    assert!(stdout(&output).contains("no state of an agent was found"), "{}", stdout(&output));
}

#[test]
fn what_is_closed_makes_the_answer_unknown_and_says_how_to_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let account = Account::new();
    account.write("data/opencode/storage/a.json", "{}");
    let closed = account.at("data/opencode/storage");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).expect("ours");
    let is_root = std::fs::read_dir(&closed).is_ok();
    let output = account.scan(&[]);
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).expect("ours");
    if !is_root {
        assert_eq!(output.status.code(), Some(3));
        // However long the folder's path is, and so wherever the line breaks.
        let said = stdout(&output).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("with sudo"), "{said}");
    }
}

#[test]
fn links_out_of_the_state_are_not_followed_and_a_project_cannot_point_elsewhere() {
    let account = Account::new();
    account.write("outside/a.env", format!("TOKEN={}\n", token()));
    account.write("data/opencode/log/one.log", "nothing\n");
    std::os::unix::fs::symlink("../../../outside", account.at("data/opencode/log/up")).expect("a link");
    std::fs::create_dir_all(account.at("work/.git")).expect("writable");
    std::fs::create_dir_all(account.at("work/.opencode")).expect("writable");
    std::os::unix::fs::symlink("../../outside", account.at("work/.opencode/plans")).expect("a link");
    assert_eq!(account.found(&[]), []);
    let output = account.scan(&[]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stdout(&output).contains("leads out of"), "{}", stdout(&output));
}

#[test]
fn waivers_accept_with_their_reason_until_they_end() {
    let account = Account::new();
    account.write("data/opencode/log/a.log", format!("TOKEN={}\n", token()));
    let log = account.at("data/opencode/log/a.log").display().to_string();
    let profile = |check: &str, subject: &str, expires: &str| {
        format!(
            "profile: own\ndescription: d\nextends: baseline\nwaivers:\n  - {{ check: {check}, subject: \"{subject}\", \
             reason: a drill, owner: dev, expires: {expires} }}\n"
        )
    };
    for (check, subject, expires, code) in [
        ("STA-06", log.as_str(), "2999-01-01", 0),
        ("secret-in-state", log.as_str(), "2999-01-01", 0),
        ("github-pat", log.as_str(), "2999-01-01", 0),
        ("SEC-01", log.as_str(), "2999-01-01", 1),
        ("aws-access-token", log.as_str(), "2999-01-01", 1),
        ("STA-06", "/another.log", "2999-01-01", 1),
        ("STA-06", log.as_str(), "2001-01-01", 1),
    ] {
        account.write("own.yaml", profile(check, subject, expires));
        let output = account.scan(&["--profile", "../own.yaml", "-v"]);
        assert_eq!(output.status.code(), Some(code), "{check} {subject} {expires}: {}", stderr(&output));
        let said = stdout(&output);
        assert_eq!(said.contains("accepted: a drill (dev, until 2999-01-01)"), code == 0, "{said}");
        assert_eq!(stderr(&output).contains("expired on 2001-01-01"), expires.starts_with("2001"));
    }
}

#[test]
fn the_next_scan_reads_what_has_changed() {
    let account = Account::new();
    account.write("data/opencode/storage/a.json", format!("TOKEN={}\n", token()));
    grow_old();
    let first = account.found(&[]);
    assert_eq!(first.len(), 1);
    assert!(stdout(&account.scan(&["-q"])).contains("1 of them unchanged, 0 bytes read"));
    assert_eq!(account.found(&[]), first);
}

#[test]
fn a_store_of_snapshots_is_read_again_once_an_object_has_come_or_changed() {
    let account = Account::new();
    let store = account.at("data/opencode/snapshot/0123abcd/ef");
    std::fs::create_dir_all(&store).expect("writable");
    account.write("work/app/.env", format!("A=1\nTOKEN={}\n", token()));
    account.git(&store, &["init", "--quiet"]);
    account.git(&store, &["add", "."]);
    grow_old();
    let first = account.found(&[]);
    assert_eq!(first.len(), 1);
    let said = || stdout(&account.scan(&["-q"]));
    let nothing = |said: &str| said.contains(", 0 bytes read");
    // The store's other files are files as any; its objects are not unpacked again.
    assert!(nothing(&said()), "{}", said());
    assert_eq!(account.found(&[]), first);
    assert!(!nothing(&stdout(&account.scan(&["-q", "--no-cache"]))));
    account.write("work/app/other.env", format!("B=1\nTOKEN={}\n", token()));
    account.git(&store, &["add", "."]);
    assert_eq!(account.found(&[]).len(), 2);
    grow_old();
    assert_eq!(account.found(&[]).len(), 2);
    assert!(nothing(&said()), "{}", said());
    // The same objects, packed.
    account.git(&store, &["write-tree"]);
    account.git(&store, &["repack", "--quiet", "-a", "-d", "--keep-unreachable"]);
    assert!(!nothing(&said()));
    assert_eq!(account.found(&[]).len(), 2);
}

/// What was changed within the last two seconds may change again unseen, and is not remembered.
fn grow_old() {
    std::thread::sleep(std::time::Duration::from_millis(2_300));
}

#[test]
fn a_member_of_an_archive_is_no_credential_file_whatever_it_is_called() {
    let account = Account::new();
    account.write("data/opencode/auth.json", "{}");
    let text = format!("TOKEN={}\n", token());
    let mut header = vec![0; 512];
    header[..24].copy_from_slice(b"../../opencode/auth.json");
    header[124..135].copy_from_slice(format!("{:011o}", text.len()).as_bytes());
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
    account.write("data/opencode/storage/a.tar", [&header, text.as_bytes(), &vec![0; 512 - text.len()]].concat());
    let path =
        PathBuf::from(format!("{}!../../opencode/auth.json", account.at("data/opencode/storage/a.tar").display()));
    assert_eq!(account.found(&[]), [(path, 1, "open".to_owned())]);
}
