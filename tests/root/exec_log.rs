//! What `harden log exec` reads back of commands that are really started: by each call, by programs of each width. A
//! daemon of this test writes the records into a folder of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const FOLDER: &str = "/run/hardentest-exec";
const LOG: &str = "/run/hardentest-exec/audit.log";
const KEY: &str = "harden-exec";
const ACCOUNT: &str = "nobody";

/// Starts `/bin/true` by the other call.
const EXECVEAT: &str = r#"
#include <unistd.h>
#include <sys/syscall.h>
int main(void) {
    char *argv[] = { "hardentest-execveat", "two words", 0 };
    char *envp[] = { 0 };
    return (int)syscall(SYS_execveat, -100, "/bin/true", argv, envp, 0);
}
"#;

/// The same by execve of a 32-bit program that needs no library.
const EXECVE_32: &str = r#"
.globl _start
_start:
    movl $11, %eax
    movl $path, %ebx
    movl $argv, %ecx
    movl $envp, %edx
    int $0x80
    movl $1, %eax
    movl $1, %ebx
    int $0x80
.data
path: .asciz "/bin/true"
name: .asciz "hardentest-narrow"
argv: .long name
envp: .long 0
"#;

struct Recording {
    daemon: Child,
    enabled: String,
}

impl Recording {
    fn start() -> Self {
        let state = told("auditctl", &["-s"]);
        let value =
            |key: &str| state.lines().find_map(|line| line.strip_prefix(key)).map(str::trim).expect("tells").to_owned();
        assert_eq!(value("pid "), "0", "start on a machine where no daemon reads the audit");
        assert_eq!(told("auditctl", &["-l", "-k", KEY]).trim(), "No rules", "start without rules of harden");
        let enabled = value("enabled ");
        let _ = fs::remove_dir_all(FOLDER);
        fs::create_dir(FOLDER).expect("made");
        fs::set_permissions(FOLDER, fs::Permissions::from_mode(0o755)).expect("mode");
        fs::create_dir(format!("{FOLDER}/plugins")).expect("made");
        let conf = format!(
            "local_events = yes\nwrite_logs = yes\nlog_file = {LOG}\nlog_format = ENRICHED\nflush = SYNC\n\
             max_log_file = 8\nnum_logs = 2\nmax_log_file_action = ROTATE\nspace_left = 2\nadmin_space_left = 1\nplugin_dir = {FOLDER}/plugins\n"
        );
        fs::write(format!("{FOLDER}/auditd.conf"), conf).expect("written");
        fs::set_permissions(format!("{FOLDER}/auditd.conf"), fs::Permissions::from_mode(0o640)).expect("mode");
        let daemon = Command::new("auditd")
            .args(["-n", "-s", "enable", "-c", FOLDER])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("auditd starts");
        let recording = Self { daemon, enabled };
        // It forks no more: the number that the kernel knows is the child's.
        until("the daemon reads", || told("auditctl", &["-s"]).contains(&format!("pid {}", recording.daemon.id())));
        for width in ["b64", "b32"] {
            let arch = format!("arch={width}");
            let user = format!("uid={ACCOUNT}");
            told("auditctl", &["-a", "always,exit", "-F", &arch, "-S", "execve,execveat", "-F", &user, "-k", KEY]);
        }
        recording
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let _ = Command::new("auditctl").args(["-D", "-k", KEY]).output();
        let _ = Command::new("kill").arg(self.daemon.id().to_string()).status();
        let _ = self.daemon.wait();
        let _ = Command::new("auditctl").args(["-e", &self.enabled]).output();
        let _ = fs::remove_dir_all(FOLDER);
    }
}

fn told(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Waits for something that another process does.
fn until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(60), "{what}: not within a minute");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn as_account(args: &[&str]) {
    told("setpriv", &[&["--reuid", ACCOUNT, "--regid", "nogroup", "--clear-groups", "--"], args].concat());
}

fn read(more: &[&str]) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_harden"))
        .args(["log", "exec", "--log", LOG, "-f", "json"])
        .args(more)
        .output()
        .expect("starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The recorded command with this first argument.
fn recorded(name: &str) -> Option<Value> {
    read(&["--user", ACCOUNT]).into_iter().find(|row| row["arguments"][0] == name)
}

/// Writes a source and builds it; None, and a word, where that cannot be done here.
fn built(name: &str, source: &str, end: &str, args: &[&str]) -> Option<String> {
    let (from, to) = (format!("{FOLDER}/{name}.{end}"), format!("{FOLDER}/{name}"));
    fs::write(&from, source).expect("written");
    let made = Command::new("gcc").args(args).args(["-o", &to, &from]).output();
    if made.is_ok_and(|output| output.status.success()) && Path::new(&to).exists() {
        return Some(to);
    }
    let line = format!("SKIPPED {name} of exec_log: gcc cannot build it here\n");
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).expect("writes");
    None
}

#[test]
fn every_way_to_start_a_command_is_read_back() {
    if !crate::disposable("exec_log::every_way_to_start_a_command_is_read_back") {
        return;
    }
    let recording = Recording::start();
    let token = concat!("ghp", "_16C7e42F292c6912E7710c838347Ae178B4a");
    as_account(&["/bin/echo", "hardentest \u{1b}[31m", token]);
    until("the execve is there", || recorded("/bin/echo").is_some());
    let row = recorded("/bin/echo").expect("there");
    assert_eq!((&row["call"], &row["bits"], &row["success"]), (&"execve".into(), &64.into(), &true.into()), "{row}");
    assert_eq!((row["user"].as_str(), row["arguments"][1].as_str()), (Some(ACCOUNT), Some("hardentest \\u{1b}[31m")));
    assert!(
        !row.to_string().contains("16C7e42F") && row["arguments"][2].as_str().expect("a text").contains("***"),
        "{row}"
    );

    if let Some(program) = built("execveat", EXECVEAT, "c", &[]) {
        as_account(&[&program]);
        until("the execveat is there", || recorded("hardentest-execveat").is_some());
        let row = recorded("hardentest-execveat").expect("there");
        assert_eq!((&row["call"], &row["arguments"][1]), (&"execveat".into(), &"two words".into()), "{row}");
    }
    if let Some(program) = built("execve32", EXECVE_32, "s", &["-m32", "-nostdlib", "-static"]) {
        as_account(&[&program]);
        until("the 32-bit execve is there", || recorded("hardentest-narrow").is_some());
        let row = recorded("hardentest-narrow").expect("there");
        assert_eq!((&row["call"], &row["bits"]), (&"execve".into(), &32.into()), "{row}");
    }
    assert!(read(&["--since", "2999-01-01"]).is_empty(), "nothing was started yet then");
    assert!(read(&["--user", "root"]).is_empty(), "root's own commands are not under the key");
    drop(recording);
}
