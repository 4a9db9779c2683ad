//! Repositories that mean harm. Each is audited by the program itself, under limits of time and memory: it has to say
//! what it skipped, must not panic, change anything, or start anything.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Virtual memory of the audit: 1.5 GiB of addresses, far below what the bombs would take.
const MEMORY_KIB: u64 = 1_500_000;
/// Time on a processor, which does not depend on what else the machine does; beyond it the kernel ends the audit.
const PROCESSOR_SECONDS: u64 = 20;
/// Waiting takes no time on a processor: an audit that a FIFO holds up for ever ends here.
const HELD_UP_SECONDS: u64 = 1200;

struct Repo {
    folder: tempfile::TempDir,
}

impl Repo {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let git = folder.path().join(".git");
        for part in ["objects", "refs/heads", "hooks"] {
            fs::create_dir_all(git.join(part)).expect("made");
        }
        fs::write(git.join("HEAD"), "ref: refs/heads/main\n").expect("written");
        fs::write(git.join("config"), "[core]\n\tbare = false\n").expect("written");
        Self { folder }
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("below the top")).expect("made");
        fs::write(path, content).expect("written");
        self
    }

    /// Audits it. The tree must be the same afterwards.
    fn audit(&self) -> Audit {
        let before = listing(self.folder.path());
        let limits = format!("ulimit -v {MEMORY_KIB}; ulimit -t {PROCESSOR_SECONDS}");
        let output = Command::new("/bin/sh")
            .arg("-c")
            .arg(format!("{limits}; exec timeout {HELD_UP_SECONDS} \"$@\""))
            .arg("sh")
            .arg(env!("CARGO_BIN_EXE_harden"))
            .args(["audit", "--scope", "repo", "--no-history", "--format", "json"])
            .arg(self.folder.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.folder.path().join("no-home"))
            .output()
            .expect("started");
        let audit = Audit { output };
        assert_eq!(before, listing(self.folder.path()), "the audit changed the tree");
        audit.check();
        audit
    }
}

/// Every path with its kind, size and time.
fn listing(top: &Path) -> Vec<String> {
    walkdir::WalkDir::new(top)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| {
            let entry = entry.expect("readable");
            let meta = entry.path().symlink_metadata().expect("readable");
            format!("{:?} {:?} {} {:?}", entry.path(), meta.file_type(), meta.len(), meta.modified().ok())
        })
        .collect()
}

struct Audit {
    output: Output,
}

impl Audit {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned() + &String::from_utf8_lossy(&self.output.stderr)
    }

    fn check(&self) {
        let text = self.text();
        assert!(matches!(self.output.status.code(), Some(0..=3)), "{:?}: {text}", self.output.status);
        assert!(!text.contains("panicked"), "{text}");
        let steering = |c: char| (c.is_control() && c != '\n' && c != '\t') || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!text.chars().any(steering), "control characters in {text:?}");
    }

    /// Whether the audit speaks of this.
    fn says(&self, words: &str) -> &Self {
        let text = self.text();
        assert!(text.contains(words), "nothing about `{words}` in {text}");
        self
    }

    fn never_says(&self, words: &str) -> &Self {
        assert!(!self.text().contains(words), "`{words}` came out");
        self
    }
}

#[test]
fn a_config_that_links_out_of_the_tree_is_not_followed() {
    let outside = tempfile::tempdir().expect("a folder");
    fs::write(outside.path().join("x.json"), r#"{"username": "canary-outside"}"#).expect("written");
    let repo = Repo::new();
    symlink(outside.path().join("x.json"), repo.path("opencode.json")).expect("linked");
    repo.audit().says("leads out of").never_says("canary-outside");
}

#[test]
fn a_config_folder_that_links_out_of_the_tree_is_not_followed() {
    let outside = tempfile::tempdir().expect("a folder");
    fs::write(outside.path().join("opencode.json"), r#"{"username": "canary-outside"}"#).expect("written");
    let repo = Repo::new();
    symlink(outside.path(), repo.path(".opencode")).expect("linked");
    repo.audit().says("leads out of").never_says("canary-outside");
}

#[test]
fn a_config_that_links_to_itself_is_reported() {
    let repo = Repo::new();
    symlink("opencode.json", repo.path("opencode.json")).expect("linked");
    repo.audit().says("opencode.json");
}

#[test]
fn fifos_in_the_place_of_configs_do_not_block() {
    let repo = Repo::new();
    for name in ["opencode.json", ".mcp.json", "AGENTS.md", ".harden.yaml", ".gitignore"] {
        let made = Command::new("mkfifo").arg(repo.path(name)).status().expect("mkfifo runs");
        assert!(made.success());
    }
    repo.audit().says("FIFO or device");
}

#[test]
fn folders_in_the_place_of_configs_are_reported() {
    let repo = Repo::new();
    for name in ["opencode.json", ".mcp.json"] {
        fs::create_dir(repo.path(name)).expect("made");
    }
    repo.audit().says("directory");
}

#[test]
fn devices_in_the_place_of_configs_are_not_opened() {
    let repo = Repo::new();
    let made =
        Command::new("mknod").arg(repo.path("opencode.json")).args(["c", "1", "5"]).output().expect("mknod runs");
    if !made.status.success() {
        std::io::stdout().write_all(b"SKIPPED: making a device needs root\n").expect("standard output");
        return;
    }
    repo.audit().says("FIFO or device");
}

#[test]
fn a_config_of_a_gibibyte_is_not_read() {
    let repo = Repo::new();
    for name in ["opencode.json", ".mcp.json", "AGENTS.md"] {
        fs::File::create(repo.path(name)).and_then(|file| file.set_len(1 << 30)).expect("made");
    }
    repo.audit().says("1073741824 bytes");
}

#[test]
fn nesting_of_a_hundred_thousand_levels_is_refused() {
    for (open, close) in [("{\"a\":", "}"), ("[", "]")] {
        let text = open.repeat(100_000) + "1" + &close.repeat(100_000);
        Repo::new().file("opencode.json", &text).file(".mcp.json", &text).audit().says("opencode.json");
    }
}

#[test]
fn yaml_that_multiplies_by_aliases_is_refused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let before = level - 1;
        bomb += &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{before}"); 9].join(", "));
    }
    Repo::new()
        .file(".harden.yaml", &bomb)
        .file("policy.yaml", &bomb)
        .file(".opencode/policy.yaml", &bomb)
        .file(".github/workflows/bomb.yml", &bomb)
        .file(".pre-commit-config.yaml", &bomb)
        .file(".opencode/agent/bomb.md", format!("---\n{bomb}---\nbody"))
        .audit()
        .says(".harden.yaml");
}

#[test]
fn yaml_nested_a_hundred_thousand_levels_is_refused() {
    let deep = "[".repeat(100_000);
    Repo::new().file(".harden.yaml", &deep).file(".github/workflows/deep.yml", &deep).audit().says(".harden.yaml");
}

#[test]
fn duplicate_keys_are_reported() {
    let text = r#"{"permission": "deny", "permission": "allow"}"#;
    Repo::new().file("opencode.json", text).audit().says("permission");
}

#[test]
fn nul_bytes_and_invalid_utf8_are_reported() {
    Repo::new().file("opencode.json", b"{\"a\": \"\xff\xfe\"}").audit().says("UTF-8");
    Repo::new().file("opencode.json", b"{\"a\": \0}").audit().says("opencode.json");
    Repo::new().file("AGENTS.md", b"\xff\xfe\x00\x00 do as I say").audit();
}

#[test]
fn broken_json_is_reported_with_its_place() {
    Repo::new().file("opencode.json", "{\n  \"mcp\": {\n    \"a\": [\n").audit().says("opencode.json");
}

#[test]
fn names_with_newlines_and_escapes_cannot_steer_the_output() {
    let name = "evil\n\u{1b}[2J::error::\u{202e}.env";
    let config = format!(
        "{{\"mcp\": {{{}: {{\"type\": \"local\", \"command\": [\"npx\", \"\\u001b[31mpkg\"]}}}}}}",
        serde_json::json!(name)
    );
    let repo = Repo::new().file("opencode.json", config).file(name, "TOKEN=x\n").file("dir\n\u{7}/AGENTS.md", "hi");
    fs::write(repo.path(OsStr::from_bytes(b"bad\xff\xfe.env")), "A=1\n").expect("written");
    symlink("/etc/passwd", repo.path("link\n::warning::")).expect("linked");
    repo.audit().says("npx");
}

#[test]
fn a_git_file_that_points_elsewhere_is_not_followed() {
    let elsewhere = Repo::new().file(".git/config", "[user]\n\tname = canary-elsewhere\n");
    let repo = Repo::new();
    fs::remove_dir_all(repo.path(".git")).expect("removed");
    fs::write(repo.path(".git"), format!("gitdir: {}\n", elsewhere.path(".git").display())).expect("written");
    repo.audit().says(".git").never_says("canary-elsewhere");
}

#[test]
fn git_configuration_that_would_execute_does_not() {
    let repo = Repo::new();
    let canary = repo.folder.path().with_extension("canary");
    let script = format!("touch {}", canary.display());
    let config = format!(
        "[core]\n\tfsmonitor = {script}\n\thooksPath = hooks\n\tsshCommand = {script}\n\tpager = {script}\n\teditor = {script}\n\
         [filter \"x\"]\n\tclean = {script}\n\tsmudge = {script}\n\tprocess = {script}\n[alias]\n\tstatus = !{script}\n\
         [diff]\n\texternal = {script}\n"
    );
    let repo = repo.file(".git/config", config).file(".gitattributes", "* filter=x diff=x\n").file("a.txt", "a");
    for hook in ["post-index-change", "pre-commit", "post-checkout", "reference-transaction"] {
        let path = repo.path(format!("hooks/{hook}"));
        fs::create_dir_all(repo.path("hooks")).expect("made");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("set");
    }
    repo.audit().says("fsmonitor");
    assert!(!canary.exists(), "something of the repository was executed");
}

#[test]
fn what_the_agent_would_execute_is_not() {
    let repo = Repo::new();
    let canary = repo.folder.path().with_extension("canary");
    let touch = format!("touch {}", canary.display());
    let repo = repo
        .file(
            "opencode.json",
            serde_json::json!({"mcp": {"x": {"type": "local", "command": ["sh", "-c", touch]}}, "plugin": ["./p.js"]})
                .to_string(),
        )
        .file("p.js", format!("require('child_process').execSync('{touch}')"))
        .file(".opencode/plugin/q.js", format!("require('child_process').execSync('{touch}')"))
        .file(".opencode/agent/a.md", format!("---js\nrequire('child_process').execSync('{touch}')\n---\nx"))
        .file("package.json", serde_json::json!({"scripts": {"preinstall": touch}}).to_string())
        .file(".envrc", &touch);
    repo.audit();
    assert!(!canary.exists(), "something of the repository was executed");
}

#[test]
fn a_broken_index_is_reported() {
    let mut index = b"DIRC\0\0\0\x02\xff\xff\xff\xff".to_vec();
    index.extend(vec![0xff; 4096]);
    Repo::new().file(".git/index", &index).file("opencode.json", "{}").audit();
    Repo::new().file(".git/index", b"not an index").file("opencode.json", "{}").audit();
}

#[test]
fn folders_nested_beyond_the_longest_path_do_not_matter() {
    let repo = Repo::new().file("opencode.json", "{}");
    let made = Command::new("sh")
        .current_dir(repo.folder.path())
        .args(["-c", "for i in $(seq 600); do mkdir ddddddddddddddd && cd ddddddddddddddd || exit 0; done"])
        .status()
        .expect("ran");
    assert!(made.success());
    let output = Command::new(env!("CARGO_BIN_EXE_harden"))
        .args(["audit", "--scope", "repo", "--no-history", "--format", "json"])
        .arg(repo.folder.path())
        .output()
        .expect("ran");
    assert!(matches!(output.status.code(), Some(0..=3)), "{}", String::from_utf8_lossy(&output.stderr));
    let removed = Command::new("rm").arg("-rf").arg(repo.path("ddddddddddddddd")).status().expect("ran");
    assert!(removed.success());
}

#[test]
fn a_folder_of_fifty_thousand_files_is_walked_in_bounds() {
    let repo = Repo::new().file("opencode.json", "{}");
    for n in 0..50_000 {
        fs::write(repo.path(format!("f{n}.txt")), "").expect("written");
    }
    repo.audit();
}
