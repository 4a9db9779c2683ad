//! What is believed of repositories, held against ones that git itself made: work trees, submodules, packed and
//! shallow ones, every version of the index, hostile settings. Nothing of a repository may run while it is read.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use harden::catalog;
use harden::facts::{self, subject};
use harden::host::{Host, RealHost};
use harden::model::{AbsPath, Parameters, Scope};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder for repositories.
struct Bench {
    _folder: TempDir,
    top: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let top = folder.path().canonicalize().expect("real path");
        Self { _folder: folder, top }
    }

    /// A repository with two commits: the second removes a plan and adds code.
    fn repository(&self, name: &str) -> PathBuf {
        let path = self.top.join(name);
        fs::create_dir(&path).expect("fresh");
        git(&path, &["init", "-q", "-b", "main"]);
        write(&path, ".opencode/plans/secret.md", "x");
        write(&path, "src/a.rs", "a");
        commit(&path, "one");
        fs::remove_file(path.join(".opencode/plans/secret.md")).expect("there");
        write(&path, "src/b/c.rs", "c");
        commit(&path, "two");
        path
    }
}

fn write(top: &Path, path: &str, text: &str) {
    let path = top.join(path);
    fs::create_dir_all(path.parent().expect("below top")).expect("writable");
    fs::write(path, text).expect("writable");
}

fn git(folder: &Path, args: &[&str]) {
    let always = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always"];
    let output = Command::new("git")
        .current_dir(folder)
        .args(always)
        .args(args)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git is installed");
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn commit(folder: &Path, message: &str) {
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "-m", message]);
}

/// The facts of a project, its files alone in view.
fn look(project: &Path, commits: u64) -> (Value, Value) {
    let host = RealHost::live().expect("this machine");
    let demands = [("history_commits", json!(commits)), ("require_history", json!(true))];
    let parameters = Parameters(demands.map(|(name, value)| (name.to_owned(), value)).into());
    let workspace = AbsPath::new(project).expect("absolute");
    let agent = catalog::agent("opencode").expect("known");
    let subject = subject::settle(&host, agent, &parameters, Scope::Repo, &workspace).expect("settles");
    let (facts, _) = facts::gather(&host, &[subject], &BTreeSet::from(["git", "state_in_git"]));
    (facts[0].0["git"].clone(), facts[0].0["state_in_git"].clone())
}

fn names(git: &Value) -> Vec<String> {
    let runs = git["runs"].as_array().expect("a list");
    let odd = runs.iter().filter(|run| run["reviewed"] == json!(false));
    odd.map(|run| run["name"].as_str().expect("named").to_owned()).collect()
}

fn history(project: &Path, limit: u64) -> harden::host::History {
    let host = RealHost::live().expect("this machine");
    let folder = AbsPath::new(project.join(".git")).expect("absolute");
    host.history(&folder, limit, &|_| true).expect("readable")
}

#[test]
fn a_plain_repository_and_its_history_are_read() {
    let bench = Bench::new();
    let top = bench.repository("plain");
    let (git, state) = look(&top, 100);
    assert_eq!(git["form"], "directory");
    assert_eq!(git["tracked_files"], 2);
    assert_eq!(names(&git), Vec::<String>::new());
    assert_eq!(state["tracked"], json!([]));
    assert_eq!(state["in_history"], json!([".opencode/plans/secret.md"]));
    assert_eq!(state["searched"], "all 2 commits");
}

#[test]
fn packed_refs_packs_tags_and_branches_are_followed() {
    let bench = Bench::new();
    let top = bench.repository("packed");
    git(&top, &["checkout", "-q", "-b", "side"]);
    write(&top, "side.txt", "s");
    commit(&top, "three");
    git(&top, &["tag", "-a", "v1", "-m", "v1"]);
    git(&top, &["checkout", "-q", "main"]);
    git(&top, &["branch", "-q", "-D", "side"]);
    git(&top, &["gc", "-q", "--aggressive"]);
    assert!(top.join(".git/packed-refs").exists());
    let whole = history(&top, 100);
    assert_eq!(whole.paths, [".opencode/plans/secret.md", "side.txt", "src/a.rs", "src/b/c.rs"]);
    assert_eq!((whole.commits, whole.incomplete), (3, None));
    let newest = history(&top, 1);
    assert_eq!(newest.commits, 1);
    assert!(newest.incomplete.is_some_and(|why| why.contains("newest 1")));
}

#[test]
fn one_tree_in_two_places_counts_in_both() {
    let bench = Bench::new();
    let top = bench.repository("twins");
    write(&top, "a/x", "same");
    write(&top, "b/x", "same");
    commit(&top, "three");
    let paths = history(&top, 100).paths;
    assert!(paths.contains(&"a/x".into()) && paths.contains(&"b/x".into()));
}

#[test]
fn a_shallow_clone_says_that_it_is_one() {
    let bench = Bench::new();
    let top = bench.repository("whole");
    let url = format!("file://{}", top.display());
    git(&bench.top, &["clone", "-q", "--depth", "1", &url, "shallow"]);
    let (_, state) = look(&bench.top.join("shallow"), 100);
    let why = state["in_history"]["$unknown"]["why"].as_str().expect("unknown").to_owned();
    assert!(why.contains("shallow"), "{why}");
    assert_eq!(state["tracked"], json!([]));
}

#[test]
fn borrowed_and_missing_objects_are_said() {
    let bench = Bench::new();
    let top = bench.repository("lender");
    git(&bench.top, &["clone", "-q", "--shared", top.to_str().expect("text"), "borrower"]);
    let borrowed = history(&bench.top.join("borrower"), 100);
    assert!(borrowed.incomplete.is_some_and(|why| why.contains("borrowed")));
    let objects = top.join(".git/objects");
    for entry in fs::read_dir(&objects).expect("readable") {
        let path = entry.expect("readable").path();
        if path.file_name().is_some_and(|name| name.len() == 2) {
            fs::remove_dir_all(path).expect("removable");
        }
    }
    assert!(history(&top, 100).incomplete.is_some_and(|why| why.contains("missing")));
}

#[test]
fn damaged_packs_end_in_a_reason() {
    let bench = Bench::new();
    let top = bench.repository("damaged");
    git(&top, &["gc", "-q"]);
    for entry in fs::read_dir(top.join(".git/objects/pack")).expect("readable") {
        let path = entry.expect("readable").path();
        let mut bytes = fs::read(&path).expect("readable");
        let end = bytes.len().min(4000);
        bytes[40.min(end)..end].iter_mut().step_by(7).for_each(|byte| *byte ^= 0x5a);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("own");
        fs::write(&path, bytes).expect("writable");
    }
    let host = RealHost::live().expect("this machine");
    let folder = AbsPath::new(top.join(".git")).expect("absolute");
    if let Ok(history) = host.history(&folder, 100, &|_| true) {
        assert!(history.incomplete.is_some());
    }
}

#[test]
fn objects_behind_a_link_or_a_fifo_are_not_opened() {
    let bench = Bench::new();
    let top = bench.repository("linked");
    fs::rename(top.join(".git/objects"), bench.top.join("objects")).expect("movable");
    symlink(bench.top.join("objects"), top.join(".git/objects")).expect("linkable");
    assert!(history(&top, 100).incomplete.is_some_and(|why| why.contains("no plain file")));
    let top = bench.repository("fifo");
    let folder = top.join(".git/objects/ab");
    fs::create_dir_all(&folder).expect("writable");
    let made = Command::new("mkfifo").arg(folder.join("c".repeat(38))).status().expect("mkfifo");
    assert!(made.success());
    assert!(history(&top, 100).incomplete.is_some_and(|why| why.contains("no plain file")));
}

#[test]
fn work_trees_and_submodules_point_back_and_strangers_do_not() {
    let bench = Bench::new();
    let main = bench.repository("main");
    git(&main, &["worktree", "add", "-q", "../linked", "-b", "linked"]);
    let (linked, state) = look(&bench.top.join("linked"), 100);
    assert_eq!(linked["form"], "worktree");
    assert_eq!(linked["tracked_files"], 2);
    assert_eq!(state["in_history"], json!([".opencode/plans/secret.md"]));

    assert_eq!(history(&main, 100).incomplete, None);

    let library = bench.repository("library");
    git(&main, &["submodule", "add", "-q", library.to_str().expect("text"), "vendor/library"]);
    commit(&main, "submodule");
    let (whole, _) = look(&main, 100);
    assert_eq!(whole["submodules"][0]["path"], "vendor/library");
    let (module, _) = look(&main.join("vendor/library"), 100);
    assert_eq!(module["form"], "submodule");

    let stranger = bench.top.join("stranger");
    fs::create_dir(&stranger).expect("fresh");
    fs::write(stranger.join(".git"), format!("gitdir: {}\n", main.join(".git").display())).expect("writable");
    let (pointed, state) = look(&stranger, 100);
    assert_eq!((&pointed["git_dir"], names(&pointed)), (&Value::Null, vec![".git".to_owned()]));
    assert!(state["tracked"]["$unknown"].is_object());
}

#[test]
fn every_version_of_the_index_is_read() {
    let bench = Bench::new();
    let top = bench.repository("index");
    for version in ["2", "3", "4"] {
        git(&top, &["update-index", "--index-version", version]);
        assert_eq!(look(&top, 1).0["tracked_files"], 2, "version {version}");
    }
    write(&top, "later.txt", "x");
    git(&top, &["add", "-N", "later.txt"]);
    assert_eq!(look(&top, 1).0["tracked_files"], 3, "intent to add");
    git(&top, &["update-index", "--split-index"]);
    assert!(look(&top, 1).0["tracked_files"]["$unknown"].is_object(), "split");
    git(&top, &["update-index", "--no-split-index"]);
    fs::write(top.join(".git/index"), b"DIRC\0\0\0\x02\xff\xff\xff\xff").expect("writable");
    assert!(look(&top, 1).0["tracked_files"]["$unknown"].is_object(), "cut");
}

#[test]
fn a_sparse_index_stands_for_what_it_leaves_out() {
    let bench = Bench::new();
    let top = bench.repository("sparse");
    write(&top, ".opencode/plans/kept.md", "x");
    write(&top, "docs/deep/a.md", "x");
    commit(&top, "three");
    git(&top, &["sparse-checkout", "init", "--cone", "--sparse-index"]);
    git(&top, &["sparse-checkout", "set", "src"]);
    assert!(!top.join(".opencode").exists());
    // The index holds `.opencode/` alone; the newest commit tells what is in it.
    let (git, state) = look(&top, 1);
    assert_eq!(git["tracked_files"], 4);
    assert_eq!(state["in_history"], json!([".opencode/plans/kept.md"]));
}

#[test]
fn hostile_settings_are_told_and_nothing_runs() {
    let bench = Bench::new();
    let top = bench.repository("hostile");
    let canary = bench.top.join("canary");
    let script = top.join("run.sh");
    fs::write(&script, format!("#!/bin/sh\ntouch {}\n", canary.display())).expect("writable");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("own");
    let run = script.to_str().expect("text");
    let mut config = fs::read_to_string(top.join(".git/config")).expect("readable");
    config.push_str(&format!(
        "[core]\n\tfsmonitor = {run}\n\thooksPath = tools\n\tsshCommand = {run}\n\tpager = {run}\n\
         [alias]\n\tstatus = !{run}\n[filter \"x\"]\n\tclean = {run}\n\tsmudge = {run}\n[diff \"x\"]\n\ttextconv = {run}\n\
         [credential]\n\thelper = !{run}\n[include]\n\tpath = ../../outside\n[includeIf \"gitdir:/\"]\n\tpath = /etc/passwd\n",
    ));
    fs::write(top.join(".git/config"), config).expect("writable");
    write(&top, ".gitattributes", "* filter=x diff=x\n");
    write(&top, "tools/post-checkout", &format!("#!/bin/sh\n{run}\n"));
    fs::set_permissions(top.join("tools/post-checkout"), fs::Permissions::from_mode(0o755)).expect("own");
    let (git, _) = look(&top, 100);
    assert_eq!(
        names(&git),
        [
            "core.fsmonitor",
            "core.hookspath",
            "core.sshcommand",
            "core.pager",
            "alias.status",
            "filter.x.clean",
            "filter.x.smudge",
            "diff.x.textconv",
            "credential.helper",
            "include.path",
            "includeif.gitdir:/.path",
            "post-checkout",
        ]
    );
    assert!(!canary.exists(), "something of the repository ran");
}

#[test]
fn ignore_rules_agree_with_git() {
    let bench = Bench::new();
    let rules = [
        ("/.opencode/\n", ""),
        (".opencode/*\n!.opencode/plans/\n", ""),
        ("plans\n", ""),
        ("**/plans/\n", "!plans\n"),
        ("", "plans/\nnode_modules\n"),
        ("", "*\n"),
        ("*.md\n", ""),
        ("\\.opencode\n", ""),
        ("[.]opencode/\n#.opencode\n", ""),
        (".opencode/plans \n", ""),
        (".opencode/plans/*\n", ""),
    ];
    for (at, (outer, inner)) in rules.into_iter().enumerate() {
        let top = bench.top.join(format!("ignore{at}"));
        fs::create_dir_all(top.join(".opencode/plans")).expect("fresh");
        git(&top, &["init", "-q"]);
        fs::write(top.join(".gitignore"), outer).expect("writable");
        fs::write(top.join(".opencode/.gitignore"), inner).expect("writable");
        let said = Command::new("git")
            .current_dir(&top)
            .args(["check-ignore", "-q", ".opencode/plans/x"])
            .env("HOME", &top)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .status()
            .expect("git is installed");
        let found = &look(&top, 1).1["ignore"]["patterns"][0];
        assert_eq!(found["path"], ".opencode/plans/");
        assert_eq!(found["ignored"], json!(said.success()), "{outer:?} and {inner:?}");
    }
}
