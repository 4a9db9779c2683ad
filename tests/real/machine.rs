//! Accounts and files that a test makes on a disposable machine, and takes away again.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// The program to audit. Says why, where the test is skipped.
pub(crate) fn opencode() -> Option<String> {
    let allowed = std::env::var("HARDEN_ROOT_TESTS").is_ok_and(|value| value == "disposable");
    let path = std::env::var("HARDEN_OPENCODE").ok();
    match path {
        Some(path) if allowed && rustix::process::geteuid().is_root() && !path.is_empty() => Some(path),
        _ => {
            // Past the capture of the harness: a skipped test has to be seen.
            let line = "SKIPPED: needs root, HARDEN_ROOT_TESTS=disposable and HARDEN_OPENCODE=/path/to/opencode\n";
            std::io::stdout().write_all(line.as_bytes()).expect("standard output");
            None
        }
    }
}

/// A copy of the program where every account can start it; the checkout may be closed to them.
pub(crate) struct Program {
    folder: PathBuf,
}

impl Program {
    pub(crate) fn copy(from: &str) -> Self {
        let folder = PathBuf::from("/usr/local/lib/hdntest");
        fs::create_dir_all(&folder).expect("made");
        fs::copy(from, folder.join("opencode")).expect("copied");
        Self { folder }
    }

    pub(crate) fn path(&self) -> String {
        self.folder.join("opencode").display().to_string()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The folder of a program.
pub(crate) fn folder(program: &str) -> String {
    Path::new(program).parent().map(|p| p.display().to_string()).unwrap_or_default()
}

fn run(program: &str, args: &[&str]) {
    let output = Command::new(program).args(args).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// An account that is removed with its home at the end.
pub(crate) struct Account {
    name: String,
    home: PathBuf,
}

impl Account {
    /// One that a person would log in with, as Debian makes it: home 0755.
    pub(crate) fn person(name: &str) -> Self {
        let home = PathBuf::from(format!("/home/{name}"));
        remove(name, &home);
        run("useradd", &["--create-home", "--shell", "/bin/bash", "--home-dir", &home.display().to_string(), name]);
        fs::set_permissions(&home, fs::Permissions::from_mode(0o755)).expect("set");
        Self { name: name.to_owned(), home }
    }

    /// One for a program alone.
    pub(crate) fn system(name: &str) -> Self {
        let home = PathBuf::from(format!("/var/lib/{name}"));
        remove(name, &home);
        run(
            "useradd",
            &[
                "--system",
                "--create-home",
                "--shell",
                "/usr/sbin/nologin",
                "--home-dir",
                &home.display().to_string(),
                name,
            ],
        );
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).expect("set");
        Self { name: name.to_owned(), home }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.home.join(below)
    }

    /// A command that runs as this account, with its home and nothing else.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &self.name, "--regid", &self.name, "--init-groups", "--"]);
        command.env_clear().env("HOME", &self.home).env("PATH", "/usr/bin:/bin").env("USER", &self.name);
        command.env("TMPDIR", &self.home);
        command
    }

    pub(crate) fn write(&self, below: &str, text: &str) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().expect("below the home")).expect("made");
        fs::write(&path, text).expect("written");
        self.own();
    }

    pub(crate) fn git_init(&self, below: &str) {
        let status = self.command().args(["git", "init", "--quiet"]).arg(self.path(below)).status().expect("git runs");
        assert!(status.success());
    }

    pub(crate) fn close_home(&self) {
        fs::set_permissions(&self.home, fs::Permissions::from_mode(0o700)).expect("set");
    }

    pub(crate) fn own_folder(&self, below: &str) -> PathBuf {
        let path = self.path(below);
        fs::create_dir_all(&path).expect("made");
        self.own();
        path
    }

    fn own(&self) {
        run("chown", &["-R", &format!("{0}:{0}", self.name), &self.home.display().to_string()]);
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        remove(&self.name, &self.home);
    }
}

fn remove(name: &str, home: &Path) {
    // Absence is fine: this also clears what an earlier, killed run left.
    let _ = Command::new("userdel").arg(name).stderr(Stdio::null()).status();
    let _ = fs::remove_dir_all(home);
}

/// A file of root's that goes away at the end. Refuses to stand in for one that was there.
pub(crate) struct RootFile {
    pub(crate) path: String,
}

impl RootFile {
    pub(crate) fn new(path: &str, text: &str, mode: u32) -> Self {
        let ours = fs::read_to_string(path).map(|old| old.contains("hdntest")).unwrap_or(true);
        assert!(ours, "{path} is there already");
        fs::create_dir_all(Path::new(path).parent().expect("absolute")).expect("made");
        fs::write(path, text).expect("written");
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
        Self { path: path.to_owned() }
    }
}

impl Drop for RootFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// What the agent is told of its model; strict where it is hardened.
pub(crate) fn config(port: u16, strict: bool) -> String {
    let mut config = json!({
        "$schema": "https://opencode.ai/config.json",
        "username": "hdntest",
        "model": "local/m",
        "small_model": "local/m",
        "provider": { "local": {
            "npm": "@ai-sdk/openai-compatible",
            "options": { "baseURL": format!("http://127.0.0.1:{port}/v1"), "apiKey": "none" },
            "models": { "m": {} },
        } },
    });
    if strict {
        config["share"] = json!("disabled");
        config["autoupdate"] = json!(false);
        config["snapshot"] = json!(false);
        config["plugin"] = json!([]);
        config["permission"] = json!({
            "*": "deny", "bash": { "*": "deny", "echo canary-from-the-tool": "allow" }, "edit": "ask", "webfetch": "deny",
            "external_directory": "deny",
        });
    }
    config.to_string()
}

/// A launcher that starts the agent from nothing.
pub(crate) fn launcher(agent: &Account, opencode: &str) -> String {
    let home = agent.home.display();
    format!(
        "#!/bin/sh\n# hdntest\numask 077\nexec env -i HOME={home} PATH=/usr/bin:/bin TMPDIR={home}/tmp \
         OPENCODE_DISABLE_MODELS_FETCH=1 OPENCODE_DISABLE_AUTOUPDATE=1 OPENCODE_DISABLE_SHARE=1 OPENCODE_DISABLE_PROJECT_CONFIG=1 \
         OPENCODE_PURE=1 {opencode} \"$@\"\n"
    )
}

/// The profile of the hardened machine.
pub(crate) fn profile(agent: &Account, launcher: &str, port: u16, workspace: &Path) -> String {
    format!(
        "profile: hdntest\nextends: production\nparameters:\n  agent_user: {}\n  launcher: {launcher}\n  workspace: {}\n  \
         model_endpoint: http://127.0.0.1:{port}/v1\n",
        agent.name,
        workspace.display()
    )
}

/// Lets the agent answer one message, and returns what it printed.
pub(crate) fn run_opencode(as_user: &Command, program: &str, folder: &Path) -> String {
    let mut command = Command::new(as_user.get_program());
    command.args(as_user.get_args()).env_clear().envs(as_user.get_envs().filter_map(|(k, v)| Some((k, v?))));
    let output = command
        .args([program, "run", "hello"])
        .env("OPENCODE_DISABLE_MODELS_FETCH", "1")
        .env("OPENCODE_DISABLE_AUTOUPDATE", "1")
        .env("OPENCODE_PURE", "1")
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// What an audit said.
pub(crate) struct Audit {
    text: String,
    findings: Vec<Value>,
}

impl Audit {
    pub(crate) fn run(command: &mut Command, folder: &Path, args: &[&str]) -> Self {
        let output = command
            .arg(env!("CARGO_BIN_EXE_harden"))
            .args(["audit", "--agent", "opencode", "--no-history", "--format", "json"])
            .args(args)
            .arg(folder)
            .output()
            .expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let report: Value = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)));
        let findings = report["findings"].as_array().expect("a list").clone();
        Self { text, findings }
    }

    fn of<'a>(&'a self, code: &'a str) -> impl Iterator<Item = &'a Value> {
        self.findings.iter().filter(move |finding| finding["code"] == code)
    }

    pub(crate) fn fails(&self, code: &str, words: &str) {
        let hit = self.of(code).any(|f| f["status"] == "fail" && f.to_string().contains(words));
        assert!(hit, "{code} does not fail with `{words}`: {:#?}", self.of(code).collect::<Vec<_>>());
    }

    pub(crate) fn does_not_fail(&self, code: &str) {
        assert!(self.of(code).all(|f| f["status"] != "fail"), "{code} fails: {:#?}", self.of(code).collect::<Vec<_>>());
    }

    /// Nothing whose subject holds these words is at fault; others on this machine may be.
    pub(crate) fn spares(&self, code: &str, words: &str) {
        let about = |f: &&Value| f["subject"].as_str().is_some_and(|subject| subject.contains(words));
        let bad: Vec<&Value> = self.of(code).filter(about).filter(|f| f["status"] != "pass").collect();
        assert!(self.of(code).next().is_some() && bad.is_empty(), "{code}: {bad:#?}");
    }

    pub(crate) fn passes(&self, code: &str) {
        let mut all = self.of(code).peekable();
        assert!(all.peek().is_some(), "{code} did not run");
        assert!(all.all(|f| f["status"] == "pass"), "{code} does not pass: {:#?}", self.of(code).collect::<Vec<_>>());
    }

    pub(crate) fn never_says(&self, words: &str) {
        assert!(!self.text.contains(words), "`{words}` came out");
    }
}
