//! `harden hooks` with the real git: what is refused, what passes, and that all is as it was afterwards.

mod planted;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use planted::token;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// A work tree, and a bare repository that it pushes to.
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a folder") };
        std::fs::create_dir_all(place.at("work")).expect("writable");
        place.git(&["init", "--quiet", "--bare", "-b", "main", "../far"]);
        place.git(&["init", "--quiet", "-b", "main"]);
        place.git(&["remote", "add", "origin", "../far"]);
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().expect("there").join(name)
    }

    fn hook(&self, name: &str) -> PathBuf {
        self.at("work/.git/hooks").join(name)
    }

    fn command(&self, program: &Path, args: &[&str], folder: &Path) -> Output {
        let mut command = Command::new(program);
        command.args(args).current_dir(folder).env_clear().env("HOME", self.folder.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("GIT_CONFIG_NOSYSTEM", "1");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "dev").env(format!("GIT_{who}_EMAIL"), "dev@localhost");
        }
        let output = command.output().expect("it runs");
        assert!(!said(&output).contains(&token()[..12]), "the secret was printed: {}", said(&output));
        output
    }

    fn try_git(&self, args: &[&str]) -> Output {
        self.command(Path::new("git"), args, &self.at("work"))
    }

    fn git(&self, args: &[&str]) {
        let done = self.try_git(args);
        assert!(done.status.success(), "{args:?}: {}", said(&done));
    }

    fn harden(&self, args: &[&str]) -> Output {
        self.command(Path::new(env!("CARGO_BIN_EXE_harden")), &[&["hooks"], args].concat(), &self.at("work"))
    }

    fn install(&self) {
        let done = self.harden(&["install"]);
        assert!(done.status.success(), "{}", said(&done));
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.at("work").join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("writable");
        std::fs::write(file, text).expect("writable");
    }

    fn write_secret(&self, name: &str) {
        self.write(name, &format!("TOKEN={}\n", token()));
    }

    fn write_hook(&self, name: &str, text: &str, mode: u32) {
        std::fs::create_dir_all(self.hook("")).expect("writable");
        std::fs::write(self.hook(name), text).expect("writable");
        std::fs::set_permissions(self.hook(name), std::fs::Permissions::from_mode(mode)).expect("writable");
    }

    fn commit(&self, more: &[&str]) -> Output {
        self.git(&["add", "--all"]);
        self.try_git(&[&["commit", "--quiet", "-m", "a change"], more].concat())
    }

    /// State of the hooks before a commit, a merge and a push.
    fn states(&self) -> [String; 3] {
        let output = self.harden(&["status", "--format", "json"]);
        let status: serde_json::Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)));
        let all = status["hooks"].as_array().expect("a list").iter().all(|one| one["scans"] == true);
        assert_eq!(output.status.code(), Some(i32::from(!all)), "{status}");
        [0, 1, 2].map(|at| status["hooks"][at]["state"].as_str().expect("a word").to_owned())
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

fn mode(file: &Path) -> u32 {
    std::fs::metadata(file).expect("there").permissions().mode() & 0o7777
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>, u32)> {
    let entries = std::fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable").path());
    let mut files: Vec<_> = entries
        .map(|file| (file.display().to_string(), std::fs::read(&file).expect("readable"), mode(&file)))
        .collect();
    files.sort();
    files
}

#[test]
fn a_commit_with_a_secret_is_refused_and_a_clean_one_passes() {
    let place = Place::new();
    assert_eq!(place.states(), ["none", "none", "none"]);
    place.install();
    assert_eq!(place.states(), ["installed", "installed", "installed"]);
    place.write("README", "clean\n");
    let clean = place.commit(&[]);
    assert!(
        clean.status.success() && said(&clean).is_empty(),
        "a guard that finds nothing is silent: {}",
        said(&clean)
    );
    place.write_secret("app/.env");
    let refused = place.commit(&[]);
    let text = said(&refused);
    assert_eq!(refused.status.code(), Some(1), "{text}");
    for part in ["app/.env", "the commit is refused", "gitleaks:allow", "`git commit --no-verify`"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(place.commit(&["--no-verify"]).status.success());
}

#[test]
fn a_push_is_scanned_for_what_the_remote_does_not_have() {
    let place = Place::new();
    place.write_secret("old.env");
    assert!(place.commit(&[]).status.success());
    place.git(&["push", "--quiet", "origin", "main"]);
    place.install();
    place.write("README", "clean\n");
    assert!(place.commit(&[]).status.success());
    place.git(&["push", "--quiet", "origin", "main"]);
    place.git(&["push", "--quiet", "origin", "main:again"]);
    place.write_secret("new.env");
    assert!(place.commit(&["--no-verify"]).status.success());
    place.git(&["rm", "--quiet", "new.env"]);
    assert!(place.commit(&[]).status.success());
    for target in ["main", "main:topic"] {
        let refused = place.try_git(&["push", "origin", target]);
        let text = said(&refused);
        assert!(!refused.status.success() && text.contains("new.env") && !text.contains("old.env"), "{text}");
        assert!(text.contains("the push is refused") && text.contains("`git push --no-verify`"), "{text}");
    }
    place.git(&["push", "--quiet", "origin", "--delete", "again"]);
    place.git(&["push", "--quiet", "--no-verify", "origin", "main"]);
    place.git(&["push", "--quiet", "origin", "main:topic"]);
}

#[test]
fn a_hook_that_was_there_runs_after_ours_and_comes_back_as_it_was() {
    let place = Place::new();
    let note =
        |name: &str| format!("#!/bin/sh\necho \"$0\" \"$@\" >>../{name}\ncat >>../{name}\nexit \"${{CODE:-0}}\"\n");
    place.write_hook("pre-commit", &note("committed"), 0o750);
    place.write_hook("pre-push", &note("pushed"), 0o711);
    let before = files(&place.hook(""));
    place.install();
    assert_eq!(place.states(), ["chained", "installed", "chained"]);
    let installed = files(&place.hook(""));
    assert_eq!(mode(&place.hook("pre-commit")), 0o755);
    place.install();
    assert_eq!(files(&place.hook("")), installed, "the second time nothing changes");

    place.write("README", "clean\n");
    let done = place.commit(&[]);
    assert!(done.status.success(), "{}", said(&done));
    let ran = std::fs::read_to_string(place.at("committed")).expect("it ran");
    assert_eq!(ran, ".git/hooks/pre-commit.before-harden\n");
    place.git(&["push", "--quiet", "origin", "main"]);
    let ran = std::fs::read_to_string(place.at("pushed")).expect("it ran");
    let (first, second) = ran.split_once('\n').expect("two lines");
    assert!(first.ends_with("pre-push.before-harden origin ../far"), "{first}");
    let words: Vec<&str> = second.split(' ').collect();
    assert!(words.len() == 4 && words[0] == "refs/heads/main" && words[3] == "0".repeat(40) + "\n", "{second:?}");

    place.write_secret(".env");
    assert!(!place.commit(&[]).status.success());
    let again = std::fs::read_to_string(place.at("committed")).expect("it ran");
    assert_eq!(again, ".git/hooks/pre-commit.before-harden\n", "what is refused goes no further");

    let done = place.harden(&["uninstall"]);
    assert!(done.status.success(), "{}", said(&done));
    assert_eq!(files(&place.hook("")), before);
    assert_eq!(place.states(), ["foreign", "none", "foreign"]);
}

#[test]
fn what_the_former_hook_says_counts() {
    let place = Place::new();
    place.write_hook("pre-commit", "#!/bin/sh\nexit 7\n", 0o755);
    place.write_hook("pre-push", "#!/bin/sh\necho no >&2\nexit 7\n", 0o755);
    place.install();
    place.write("README", "clean\n");
    assert!(!place.commit(&[]).status.success());
    assert!(place.commit(&["--no-verify"]).status.success());
    assert!(!place.try_git(&["push", "origin", "main"]).status.success());
    // Git runs no hook that is not executable, and neither do we.
    for name in ["pre-commit.before-harden", "pre-push.before-harden"] {
        std::fs::set_permissions(place.hook(name), std::fs::Permissions::from_mode(0o644)).expect("writable");
    }
    assert!(place.commit(&["--allow-empty"]).status.success());
    place.git(&["push", "--quiet", "origin", "main"]);
}

#[test]
fn what_pre_commit_has_put_aside_still_scans() {
    let place = Place::new();
    place.install();
    std::fs::rename(place.hook("pre-commit"), place.hook("pre-commit.legacy")).expect("moved");
    place.write_hook("pre-commit", "#!/bin/sh\n# -mpre_commit\nexec \"$0.legacy\" \"$@\"\n", 0o755);
    let output = place.harden(&["status"]);
    assert!(output.status.success() && said(&output).contains("pre-commit.legacy"), "{}", said(&output));
    let before = files(&place.hook(""));
    place.install();
    assert_eq!(files(&place.hook("")), before);
    place.write_secret(".env");
    assert!(!place.commit(&[]).status.success());
}

#[test]
fn uninstalling_leaves_nothing_behind_where_there_was_nothing() {
    let place = Place::new();
    let before = files(&place.hook(""));
    place.install();
    assert!(place.harden(&["uninstall"]).status.success());
    assert!(place.harden(&["uninstall"]).status.success());
    assert_eq!(files(&place.hook("")), before);
}

#[test]
fn links_are_refused_and_named() {
    let place = Place::new();
    std::fs::write(place.at("outside"), "#!/bin/sh\n").expect("writable");
    std::os::unix::fs::symlink(place.at("outside"), place.hook("pre-commit")).expect("a link");
    let done = place.harden(&["install"]);
    assert!(done.status.code() == Some(1) && said(&done).contains("`pre-commit` is a link"), "{}", said(&done));
    assert_eq!(place.states(), ["foreign", "installed", "installed"]);
    assert_eq!(std::fs::read_to_string(place.at("outside")).expect("there"), "#!/bin/sh\n");
    assert!(place.hook("pre-commit").is_symlink());

    let place = Place::new();
    std::fs::rename(place.hook(""), place.at("elsewhere")).expect("moved");
    std::os::unix::fs::symlink(place.at("elsewhere"), place.at("work/.git/hooks")).expect("a link");
    let done = place.harden(&["install"]);
    assert!(done.status.code() == Some(2) && said(&done).contains("is a link"), "{}", said(&done));
    assert!(!place.at("elsewhere/pre-push").exists());
}

#[test]
fn a_hook_that_was_edited_is_kept() {
    let place = Place::new();
    place.install();
    let edited = std::fs::read_to_string(place.hook("pre-commit")).expect("there") + "make check\n";
    std::fs::write(place.hook("pre-commit"), &edited).expect("writable");
    assert_eq!(place.states(), ["edited", "installed", "installed"]);
    for act in ["install", "uninstall"] {
        let done = place.harden(&[act]);
        assert!(done.status.code() == Some(1) && said(&done).contains("edited"), "{}", said(&done));
        assert_eq!(std::fs::read_to_string(place.hook("pre-commit")).expect("there"), edited);
    }
    assert!(!place.hook("pre-push").exists());
}

#[test]
fn a_folder_in_the_work_tree_is_the_projects_own() {
    let place = Place::new();
    place.write(".husky/_/pre-commit", "#!/usr/bin/env sh\n. \"${0%/*}/h\"\n");
    place.git(&["config", "core.hooksPath", ".husky/_"]);
    let before = files(&place.at("work/.husky/_"));
    let done = place.harden(&["install"]);
    let text = said(&done).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(done.status.code(), Some(2), "{text}");
    assert!(text.contains("add the line `harden scan --staged` to `.husky/pre-commit`"), "{text}");
    assert_eq!(files(&place.at("work/.husky/_")), before);
    assert_eq!(place.states(), ["managed", "managed", "managed"]);
    place.write(".husky/pre-commit", "harden scan --staged\n");
    place.write(".husky/pre-merge-commit", "harden scan --staged\n");
    place.write(".husky/pre-push", "harden scan --pushed --remote=\"$1\"\n");
    assert_eq!(place.states(), ["managed", "managed", "managed"]);
    assert_eq!(place.harden(&["status"]).status.code(), Some(0));
}

#[test]
fn a_folder_that_others_use_needs_a_word_and_none_at_all_is_said() {
    let place = Place::new();
    std::fs::create_dir(place.at("all")).expect("writable");
    std::fs::write(place.at("more"), "[core]\n\thooksPath = ~/all\n").expect("writable");
    std::fs::write(place.at(".gitconfig"), "[include]\n\tpath = more\n").expect("writable");
    let done = place.harden(&["install"]);
    assert!(done.status.code() == Some(2) && said(&done).contains("--shared"), "{}", said(&done));
    assert!(place.harden(&["install", "--shared"]).status.success());
    place.write_secret(".env");
    assert!(!place.commit(&[]).status.success());
    assert!(place.harden(&["uninstall", "--shared"]).status.success());
    assert_eq!(files(&place.at("all")), []);

    // The repository's own setting wins.
    place.git(&["config", "core.hooksPath", ".git/hooks"]);
    place.install();
    assert!(!place.commit(&[]).status.success());
    place.git(&["config", "core.hooksPath", "/dev/null"]);
    assert_eq!(place.states(), ["off", "off", "off"]);
    let done = place.harden(&["install"]);
    assert!(done.status.code() == Some(2) && said(&done).contains("turned off"), "{}", said(&done));
}

#[test]
fn a_linked_work_tree_shares_the_hooks() {
    let place = Place::new();
    place.write("README", "clean\n");
    assert!(place.commit(&[]).status.success());
    place.git(&["worktree", "add", "--quiet", "-b", "topic", "../linked"]);
    let linked = place.at("linked");
    let run = |args: &[&str]| place.command(Path::new(env!("CARGO_BIN_EXE_harden")), args, &linked);
    let done = run(&["hooks", "install"]);
    assert!(done.status.success(), "{}", said(&done));
    assert_eq!(place.states(), ["installed", "installed", "installed"]);
    std::fs::write(linked.join(".env"), format!("TOKEN={}\n", token())).expect("writable");
    let git = |args: &[&str]| place.command(Path::new("git"), args, &linked);
    assert!(git(&["add", "--all"]).status.success());
    let refused = git(&["commit", "-m", "a change"]);
    assert!(!refused.status.success() && said(&refused).contains("the commit is refused"), "{}", said(&refused));
    assert!(git(&["commit", "--quiet", "--no-verify", "-m", "a change"]).status.success());
    let refused = git(&["push", "origin", "topic"]);
    assert!(!refused.status.success() && said(&refused).contains("the push is refused"), "{}", said(&refused));
}

#[test]
fn what_cannot_be_read_is_refused_and_not_called_a_secret() {
    let place = Place::new();
    place.install();
    place.write("README", "clean\n");
    place.git(&["add", "--all"]);
    place.git(&["update-index", "--split-index"]);
    let refused = place.try_git(&["commit", "-m", "a change"]);
    let text = said(&refused);
    assert!(!refused.status.success() && text.contains("git update-index --no-split-index"), "{text}");
    assert!(text.contains("may hold a secret") && !text.contains("gitleaks:allow"), "{text}");
}

#[test]
fn a_repository_may_borrow_its_objects() {
    let place = Place::new();
    place.write("README", "clean\n");
    place.write_secret("old.env");
    assert!(place.commit(&[]).status.success());
    place.git(&["push", "--quiet", "origin", "main"]);
    place.git(&["clone", "--quiet", "--shared", "../far", "../borrows"]);
    let borrows = place.at("borrows");
    let run = |program: &str, args: &[&str]| place.command(Path::new(program), args, &borrows);
    assert!(run(env!("CARGO_BIN_EXE_harden"), &["hooks", "install"]).status.success());
    let done = run("git", &["commit", "--quiet", "--allow-empty", "-m", "a change"]);
    assert!(done.status.success(), "{}", said(&done));
    let done = run("git", &["push", "--quiet", "origin", "main:topic"]);
    assert!(done.status.success(), "{}", said(&done));
    std::fs::write(borrows.join("new.env"), format!("TOKEN={}\n", token())).expect("writable");
    run("git", &["add", "--all"]);
    let refused = run("git", &["commit", "-m", "a change"]);
    let text = said(&refused);
    assert!(!refused.status.success() && text.contains("new.env") && !text.contains("old.env"), "{text}");
    run("git", &["commit", "--quiet", "--no-verify", "-m", "a change"]);
    let refused = run("git", &["push", "origin", "main"]);
    let text = said(&refused);
    assert!(!refused.status.success() && text.contains("new.env") && !text.contains("old.env"), "{text}");
}

#[test]
fn a_git_directory_that_only_git_names_is_scanned() {
    let place = Place::new();
    std::fs::rename(place.at("work/.git"), place.at("apart")).expect("moved");
    let named = ["--git-dir", "../apart", "--work-tree", "."];
    let git = |args: &[&str]| place.try_git(&[&named, args].concat());
    let program = env!("CARGO_BIN_EXE_harden");
    for (hook, call) in [("pre-commit", "scan --staged"), ("pre-push", "scan --pushed --remote \"$1\"")] {
        let file = place.at("apart/hooks").join(hook);
        std::fs::create_dir_all(place.at("apart/hooks")).expect("writable");
        std::fs::write(&file, format!("#!/bin/sh\nexec '{program}' {call}\n")).expect("writable");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("writable");
    }
    place.write("README", "clean\n");
    assert!(git(&["add", "--all"]).status.success());
    let done = git(&["commit", "--quiet", "-m", "a change"]);
    assert!(done.status.success(), "{}", said(&done));
    let done = git(&["push", "--quiet", "origin", "main"]);
    assert!(done.status.success(), "{}", said(&done));
    place.write_secret("app.env");
    place.write("README", "clean, too\n");
    // Of two changed files the one that is committed counts: git has an index of its own for it.
    assert!(git(&["commit", "--quiet", "-m", "one file", "README"]).status.success());
    assert!(git(&["add", "--all"]).status.success());
    let refused = git(&["commit", "-m", "a change"]);
    assert!(!refused.status.success() && said(&refused).contains("app.env"), "{}", said(&refused));
    assert!(git(&["commit", "--quiet", "--no-verify", "-m", "a change"]).status.success());
    let refused = git(&["push", "origin", "main"]);
    assert!(!refused.status.success() && said(&refused).contains("app.env"), "{}", said(&refused));
}

#[test]
fn an_index_that_is_named_is_not_waited_for_and_no_link() {
    let place = Place::new();
    place.write_secret("app.env");
    place.git(&["add", "--all"]);
    let pipe = place.at("pipe");
    assert!(place.command(Path::new("mkfifo"), &[pipe.to_str().expect("a path")], &place.at("work")).status.success());
    std::os::unix::fs::symlink(place.at("work/.git/index"), place.at("link")).expect("a link");
    let staged = |variable: &str, value: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harden"));
        command.args(["scan", "--staged"]).current_dir(place.at("work")).env_clear().env(variable, value);
        command.env("HOME", place.folder.path()).output().expect("it runs")
    };
    for (variable, value, code) in [
        ("GIT_INDEX_FILE", place.at("work/.git/index"), 1),
        ("GIT_INDEX_FILE", place.at("none"), 0),
        ("GIT_INDEX_FILE", pipe, 2),
        ("GIT_INDEX_FILE", place.at("link"), 2),
        ("GIT_DIR", place.at("work/.git"), 1),
        ("GIT_DIR", place.at("far"), 0),
        ("GIT_DIR", place.at("none"), 2),
        ("GIT_OBJECT_DIRECTORY", place.at("far/objects"), 2),
    ] {
        let done = staged(variable, &value);
        assert_eq!(done.status.code(), Some(code), "{variable} {value:?}: {}", said(&done));
    }
}

#[test]
fn a_merge_is_scanned_for_what_it_brings() {
    let place = Place::new();
    place.write("README", "clean\n");
    assert!(place.commit(&[]).status.success());
    place.git(&["branch", "dirty"]);
    place.git(&["branch", "clean"]);
    for (branch, secret) in [("dirty", true), ("clean", false)] {
        place.git(&["checkout", "--quiet", branch]);
        if secret {
            place.write_secret("app.env")
        } else {
            place.write("more", "clean\n")
        }
        assert!(place.commit(&[]).status.success());
    }
    place.git(&["checkout", "--quiet", "main"]);
    place.write("own", "clean\n");
    assert!(place.commit(&[]).status.success());
    place.install();
    place.git(&["merge", "--quiet", "--no-edit", "clean"]);
    let refused = place.try_git(&["merge", "--no-edit", "dirty"]);
    let text = said(&refused);
    assert!(!refused.status.success() && text.contains("app.env") && text.contains("the merge is refused"), "{text}");
    assert!(text.contains("`git merge --no-verify`"), "{text}");
}

#[test]
fn what_is_left_behind_where_git_has_moved_on_is_named_and_taken_out() {
    let place = Place::new();
    let foreign = "#!/bin/sh\nexit 0\n";
    place.write_hook("pre-push", foreign, 0o755);
    place.install();
    for folder in ["tools", "/dev/null"] {
        place.install();
        std::fs::create_dir_all(place.at("work/tools")).expect("writable");
        place.git(&["config", "core.hooksPath", folder]);
        let status = place.harden(&["status"]);
        let text = said(&status).split_whitespace().collect::<Vec<_>>().join(" ");
        for hook in ["pre-commit", "pre-merge-commit", "pre-push"] {
            assert!(text.contains(&format!(".git/hooks/{hook}` is harden's, and git takes hooks from else")), "{text}");
        }
        let done = place.harden(&["uninstall"]);
        assert!(done.status.success() && said(&done).contains("left behind in"), "{}", said(&done));
        let names: Vec<_> =
            files(&place.hook("")).into_iter().filter(|(name, ..)| !name.ends_with(".sample")).collect();
        assert_eq!(names.len(), 1, "{names:?}");
        assert_eq!(std::fs::read_to_string(place.hook("pre-push")).expect("it is back"), foreign);
        assert!(!said(&place.harden(&["status"])).contains("is harden's, and git"), "{folder}");
        place.git(&["config", "--unset", "core.hooksPath"]);
    }
}

#[test]
fn parts_of_a_commit_are_scanned_as_they_are_committed() {
    let place = Place::new();
    place.install();
    place.write("README", "clean\n");
    place.write("app.env", "A=1\n");
    assert!(place.commit(&[]).status.success());
    place.write("README", "clean, too\n");
    place.write_secret("app.env");
    place.git(&["commit", "--quiet", "-m", "one file", "README"]);
    assert!(!place.try_git(&["commit", "--quiet", "-m", "the other", "app.env"]).status.success());
    assert!(!place.try_git(&["commit", "--quiet", "-a", "-m", "all"]).status.success());
}

#[test]
fn an_audit_knows_our_hooks_and_looks_at_those_they_run() {
    let place = Place::new();
    let program = place.at("bin/harden");
    std::fs::create_dir(place.at("bin")).expect("writable");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_harden"), &program).expect("a link");
    let unreviewed = || {
        let args = ["audit", "--scope", "repo", "--no-history", "--only", "PRV-08", "-f", "csv"];
        said(&place.command(&program, &args, &place.at("work")))
    };
    assert!(place.command(&program, &["hooks", "install"], &place.at("work")).status.success());
    assert!(!unreviewed().contains("nobody has reviewed"), "{}", unreviewed());
    place.write_hook("pre-commit.before-harden", "#!/bin/sh\n", 0o755);
    assert!(unreviewed().contains("`pre-commit.before-harden` is a hook that nobody has reviewed"), "{}", unreviewed());
}

#[test]
fn without_the_program_nothing_passes_and_it_is_said_how_to_go_on() {
    let place = Place::new();
    std::fs::create_dir(place.at("it's $HOME")).expect("writable");
    let program = place.at("it's $HOME/harden");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_harden"), &program).expect("a link");
    let done = place.command(&program, &["hooks", "install"], &place.at("work"));
    assert!(done.status.success(), "{}", said(&done));
    place.write("README", "clean\n");
    let done = place.commit(&[]);
    assert!(done.status.success(), "{}", said(&done));
    std::fs::remove_file(&program).expect("there");
    place.write("README", "clean, too\n");
    let refused = place.commit(&[]);
    let text = said(&refused);
    assert!(!refused.status.success(), "{text}");
    for part in
        ["it's $HOME/harden` is gone", "`git commit --no-verify`", "harden hooks install", ".git/hooks/pre-commit"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let status = said(&place.harden(&["status"]));
    assert!(status.contains("is gone"), "{status}");
    place.install();
    assert!(place.commit(&[]).status.success(), "another program takes its place");
}
