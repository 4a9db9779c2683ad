//! `harden apply` on this machine: an account, folders, packet rules, audit rules, a launcher and its sudo rule are really
//! made, used and taken back, while things of others stand beside. A script that shares no code with harden lists the
//! machine before and after.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const AGENT: &str = "hardentest-agent";
const DEVELOPER: &str = "hardentest-dev";
const PROJECT: &str = "/srv/hardentest-project";
const LAUNCHER: &str = "/usr/local/bin/hardentest-opencode-hardened";
const PROGRAM: &str = "/usr/local/bin/opencode";
const FOREIGN_SUDO: &str = "/etc/sudoers.d/hardentest-foreign";
const MANAGED: &str = "/etc/opencode/opencode.json";
const STATE: &str = "/run/hardentest-state";
const PROFILE: &str = "/run/hardentest.yaml";

/// What was put there for the test, and is taken away again whatever happens.
struct Prepared {
    paths: Vec<PathBuf>,
}

impl Prepared {
    fn new() -> Self {
        let taken = [PROJECT, LAUNCHER, FOREIGN_SUDO, MANAGED, STATE, "/etc/harden"].map(Path::new);
        let taken: Vec<&&Path> = taken.iter().filter(|path| path.exists()).collect();
        assert!(taken.is_empty(), "start on a machine without these: {taken:?}");
        assert!(!listed("nft", &["list", "tables"]).contains("inet harden"), "start without a table `inet harden`");
        let mut prepared = Self { paths: Vec::new() };
        must("useradd", &["--create-home", "--shell", "/bin/bash", DEVELOPER]);
        must("usermod", &["--password", "$6$nobody$knows", DEVELOPER]);
        fs::set_permissions(format!("/home/{DEVELOPER}"), fs::Permissions::from_mode(0o755)).expect("mode");
        must("git", &["init", "--quiet", PROJECT]);
        prepared.paths.push(PROJECT.into());
        prepared.file(
            &format!("{PROJECT}/opencode.json"),
            "{ \"$schema\": \"https://opencode.ai/config.json\" }\n",
            0o644,
        );
        prepared.file(&format!("{PROJECT}/.gitignore"), "target\n", 0o664);
        must("chown", &["-R", &format!("{DEVELOPER}:{DEVELOPER}"), PROJECT]);
        prepared.file(FOREIGN_SUDO, &format!("{DEVELOPER} ALL=(root) /usr/bin/true\n"), 0o440);
        prepared.file(MANAGED, "{\n  // the owner's own words\n  \"username\": \"somebody\"\n}\n", 0o640);
        prepared.file(PROFILE, &profile(), 0o600);
        if !Path::new(PROGRAM).exists() {
            prepared.file(PROGRAM, "#!/bin/sh\n/usr/bin/id -un\n/usr/bin/env | /usr/bin/sort\n", 0o755);
        }
        must("setfacl", &["-m", "u:nobody:r", MANAGED]);
        must("nft", &["add", "table", "ip", "hardentest_foreign"]);
        must("nft", &["add", "chain", "ip", "hardentest_foreign", "kept"]);
        must("nft", &["add", "rule", "ip", "hardentest_foreign", "kept", "counter", "accept"]);
        must("auditctl", &["-a", "always,exit", "-F", "arch=b64", "-S", "mount", "-k", "hardentest-foreign"]);
        prepared
    }

    fn file(&mut self, path: &str, text: &str, mode: u32) {
        let path = PathBuf::from(path);
        let folder = path.parent().expect("has one");
        if !folder.exists() {
            fs::create_dir(folder).expect("made");
            self.paths.push(folder.to_owned());
        }
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("mode");
        self.paths.push(path);
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        // Nothing to take back where the test came to its end.
        let _ = harden(&["rollback"]);
        for path in self.paths.iter().rev() {
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
        let _ = fs::remove_dir_all(STATE);
        run("userdel", &["--remove", DEVELOPER]);
        run("nft", &["delete", "table", "ip", "hardentest_foreign"]);
        run("auditctl", &["-D", "-k", "hardentest-foreign"]);
    }
}

fn profile() -> String {
    format!(
        "profile: hardentest
extends: production
parameters:
  agent_user: {AGENT}
  workspace: {PROJECT}
  launcher: {LAUNCHER}
  log_dir: /var/log/hardentest
  model_endpoint: http://127.0.0.1:11434/v1
  allowed_hosts: [127.0.0.1]
  allowed_ports: [\"11434\"]
"
    )
}

fn run(program: &str, args: &[&str]) -> Output {
    Command::new(program).args(args).output().unwrap_or_else(|error| panic!("{program}: {error}"))
}

fn must(program: &str, args: &[&str]) -> String {
    let output = run(program, args);
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn listed(program: &str, args: &[&str]) -> String {
    must(program, args)
}

/// Runs harden as root behind the developer's sudo, in the project.
fn harden(args: &[&str]) -> Output {
    harden_command(args).output().expect("starts")
}

fn harden_command(args: &[&str]) -> Command {
    let uid = String::from_utf8_lossy(&run("id", &["-u", DEVELOPER]).stdout).trim().to_owned();
    let mut command = Command::new(env!("CARGO_BIN_EXE_harden"));
    command.args(args).env("HARDEN_STATE_DIR", STATE).env("SUDO_UID", uid).env("SUDO_USER", DEVELOPER);
    command.current_dir(if Path::new(PROJECT).exists() { PROJECT } else { "/" });
    command
}

fn planning<'a>(command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&[command, "--agent", "opencode", "--profile", PROFILE], more].concat()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    })
}

fn machine() -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/root/machine-list");
    must(&script.display().to_string(), &["/var/log/hardentest"])
}

/// The lines of two lists that differ.
fn difference(before: &str, after: &str) -> Vec<String> {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
    let (before, after) = (lines(before), lines(after));
    before.symmetric_difference(&after).cloned().collect()
}

#[test]
fn a_machine_is_hardened_and_taken_back_byte_for_byte() {
    if !crate::disposable("apply::a_machine_is_hardened_and_taken_back_byte_for_byte") {
        return;
    }
    let _prepared = Prepared::new();
    let before = machine();
    let foreign =
        (listed("nft", &["-s", "list", "table", "ip", "hardentest_foreign"]), fs::read(FOREIGN_SUDO).expect("there"));

    // What is planned is shown, and nothing else happens.
    let plan = harden(&planning("plan", &["--format", "json", "-o", "/run/hardentest-plan.json"]));
    assert_eq!(plan.status.code(), Some(1), "{}", String::from_utf8_lossy(&plan.stderr));
    assert_eq!(difference(&before, &machine()), Vec::<String>::new());

    // A plan that no longer fits is refused by name.
    fs::write(format!("{PROJECT}/.gitignore"), "target\nmore\n").expect("written");
    let stale = harden(&["apply", "/run/hardentest-plan.json", "--yes"]);
    let said = String::from_utf8_lossy(&stale.stderr).into_owned();
    assert!(stale.status.code() == Some(2) && said.contains("stale") && said.contains(".gitignore"), "{said}");
    fs::write(format!("{PROJECT}/.gitignore"), "target\n").expect("written");

    let applied = harden(&planning("apply", &["--yes", "--class", "safe,guarded", "--format", "json"]));
    let report = json(&applied);
    let became: Vec<String> = report["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|each| {
            format!(
                "{} {}",
                each["finding"]["code"].as_str().unwrap_or_default(),
                each["became"]["outcome"].as_str().unwrap_or_default()
            )
        })
        .collect();
    for code in [
        "USR-01", "USR-06", "ENV-01", "LOG-01", "LOG-05", "NET-01", "NET-02", "NET-04", "NET-05", "NET-07", "SEC-06",
        "CFG-02", "CFG-06", "CFG-07",
    ] {
        assert!(became.contains(&format!("{code} fixed")), "{code}: {became:?}");
    }
    // Nothing starts a daemon here; that is said, not passed over.
    let unfixed: Vec<&String> =
        became.iter().filter(|line| !line.ends_with(" fixed") && !line.starts_with("LOG-02 ")).collect();
    assert_eq!(unfixed, Vec::<&String>::new());

    // Others' things stand as they stood.
    assert_eq!(listed("nft", &["-s", "list", "table", "ip", "hardentest_foreign"]), foreign.0);
    assert_eq!(fs::read(FOREIGN_SUDO).expect("there"), foreign.1);
    assert!(listed("auditctl", &["-l"]).contains("key=hardentest-foreign"));
    assert!(listed("auditctl", &["-l"]).contains("-w /etc/harden -p wa -k harden-policy"));
    assert!(
        fs::read_to_string(MANAGED)
            .expect("there")
            .contains("  // the owner's own words\n  \"username\": \"somebody\"")
    );
    assert!(listed("getfacl", &["-n", "-p", MANAGED]).contains("user:65534:r--"), "an access list is kept");
    assert_eq!(listed("stat", &["-c", "%U %a", &format!("{PROJECT}/.gitignore")]), format!("{DEVELOPER} 664\n"));
    must("visudo", &["-c"]);

    the_launcher_works();
    nothing_more_is_planned();
    drift_is_told();
    an_approval_goes_into_the_agents_rules_and_out_again();

    let back = harden(&["rollback"]);
    assert!(back.status.success(), "{}", String::from_utf8_lossy(&back.stderr));
    assert_eq!(difference(&before, &machine()), Vec::<String>::new(), "the machine before and after");
    let _ = fs::remove_file("/run/hardentest-plan.json");
}

/// The developer starts the agent through it, and nothing else; the agent gets an environment of its own.
fn the_launcher_works() {
    let as_developer = |args: &[&str]| {
        let mut command = Command::new("runuser");
        command.args(["-u", DEVELOPER, "--"]).args(args).env("SECRET_TOKEN", "x").output().expect("starts")
    };
    if fs::read_to_string(PROGRAM).is_ok_and(|text| text.starts_with("#!/bin/sh\n/usr/bin/id -un")) {
        let started = as_developer(&[LAUNCHER]);
        let said = String::from_utf8_lossy(&started.stdout).into_owned();
        assert!(said.starts_with(&format!("{AGENT}\n")), "{said}{}", String::from_utf8_lossy(&started.stderr));
        assert!(!said.contains("SECRET_TOKEN") && !said.contains("SUDO_"), "{said}");
        assert!(said.contains(&format!("TMPDIR=/var/lib/{AGENT}/tmp\n")), "{said}");
    }
    for other in [["/usr/bin/id"].as_slice(), &["/bin/sh", "-c", "id"]] {
        let refused = as_developer(&[&["/usr/bin/sudo", "-n", "-u", AGENT], other].concat());
        assert!(!refused.status.success(), "{other:?}: {}", String::from_utf8_lossy(&refused.stdout));
    }
}

fn nothing_more_is_planned() {
    let plan = harden(&planning("plan", &["--format", "json"]));
    assert_eq!(json(&plan)["steps"], serde_json::json!([]));
    assert_eq!(plan.status.code(), Some(0));
}

/// The policy is there and says what was accepted; an approval is a rule of the agent after the next run, and none after
/// it was revoked and the one after that.
fn an_approval_goes_into_the_agents_rules_and_out_again() {
    let policy = |args: &[&str]| {
        let output = harden(&[&["policy"], args].concat());
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), said)
    };
    for quiet in ["check", "diff"] {
        let (code, said) = policy(&[quiet]);
        assert_eq!(code, Some(0), "{said}");
    }
    let apply = || {
        let done = harden(&planning("apply", &["--yes", "--class", "safe,guarded"]));
        assert!(matches!(done.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    let rules = || {
        let text = fs::read_to_string(MANAGED).expect("there");
        let text: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        serde_json::from_str::<Value>(&text).expect("JSON")["permission"]["bash"].clone()
    };
    assert_eq!(rules(), "ask");
    let (code, said) = policy(&["allow", "--reason", "reads only", "--", "git", "status"]);
    assert_eq!(code, Some(0), "{said}");
    let id = said.split(' ').nth(2).expect("an id").trim_end_matches(',').to_owned();
    let said = apply();
    assert!(said.contains("fixed  CFG-13"), "{said}");
    assert_eq!(rules(), serde_json::json!({ "*": "ask", "git status": "allow" }));
    assert!(fs::read_to_string(LAUNCHER).expect("there").contains("OPENCODE_DISABLE_PROJECT_CONFIG=1"));
    assert_eq!(policy(&["why", "git status"]).0, Some(0));
    nothing_more_is_planned();
    assert_eq!(policy(&["revoke", &id]).0, Some(0));
    apply();
    assert_eq!(rules(), "ask");
    // What people approved is theirs: a rollback would leave it, and the folder with it.
    fs::remove_file("/etc/harden/approvals.jsonl").expect("there");
    for _ in 0..2 {
        let back = harden(&["rollback"]);
        assert!(back.status.success(), "{}", String::from_utf8_lossy(&back.stderr));
    }
}

fn drift_is_told() {
    assert_eq!(harden(&["drift"]).status.code(), Some(0));
    fs::set_permissions(LAUNCHER, fs::Permissions::from_mode(0o777)).expect("mode");
    let drift = harden(&["drift"]);
    let said = String::from_utf8_lossy(&drift.stdout).into_owned();
    assert!(drift.status.code() == Some(1) && said.contains(LAUNCHER) && said.contains("mode 0777"), "{said}");
    // Rolling back asks first, and changes nothing.
    let refused = harden(&["rollback"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && said.contains("nothing was taken back"), "{said}");
    fs::set_permissions(LAUNCHER, fs::Permissions::from_mode(0o755)).expect("mode");
    assert_eq!(harden(&["drift"]).status.code(), Some(0));
}

/// A run is killed after each of these journal lines; going on and going back, in turn, ends as it should.
#[test]
fn a_killed_run_is_gone_on_with_or_gone_back_from() {
    if !crate::disposable("apply::a_killed_run_is_gone_on_with_or_gone_back_from") {
        return;
    }
    let _prepared = Prepared::new();
    let before = machine();
    let apply = planning("apply", &["--yes", "--class", "safe,guarded"]);
    let mut killed = 0;
    for (turn, lines) in [1, 3, 6, 12, 20, 30, 38, 41].into_iter().enumerate() {
        if !kill_after(&apply, lines) {
            // It was faster than the watcher: whatever it reached is taken back like any other run.
            assert!(harden(&["rollback"]).status.success());
            continue;
        }
        killed += 1;
        let again = harden(&apply);
        let said = String::from_utf8_lossy(&again.stderr).into_owned();
        assert!(again.status.code() == Some(2) && said.contains("was cut off") && said.contains("--resume"), "{said}");
        if turn % 2 == 0 {
            let on = harden(&["apply", "--resume"]);
            assert!(matches!(on.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&on.stderr));
            assert!(listed("nft", &["list", "tables"]).contains("inet harden"));
        }
        let back = harden(&["rollback"]);
        assert!(back.status.success(), "after {lines} lines: {}", String::from_utf8_lossy(&back.stderr));
        assert_eq!(difference(&before, &machine()), Vec::<String>::new(), "after {lines} lines");
    }
    assert!(killed >= 3, "only {killed} runs were caught in the middle");
}

/// Starts a run and kills it once its journal has so many lines; whether it was caught in the middle.
fn kill_after(args: &[&str], lines: usize) -> bool {
    let known = journals();
    let mut child = harden_command(args)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("starts");
    loop {
        let journal = journals().into_iter().find(|journal| !known.contains(journal));
        let text = journal.as_ref().and_then(|journal| fs::read_to_string(journal).ok()).unwrap_or_default();
        if text.lines().count() >= lines {
            break;
        }
        if child.try_wait().expect("can be asked").is_some() {
            return false;
        }
    }
    child.kill().expect("is ours");
    child.wait().expect("ends");
    let journal = journals().into_iter().find(|journal| !known.contains(journal)).expect("began");
    !fs::read_to_string(journal).expect("readable").contains("\"applied\"")
}

fn journals() -> Vec<PathBuf> {
    let runs = fs::read_dir(format!("{STATE}/runs")).into_iter().flatten().flatten();
    runs.map(|run| run.path().join("journal.jsonl")).filter(|journal| journal.exists()).collect()
}

/// What root writes into a folder of somebody else is written as that account, and a link in the way leads nowhere.
#[test]
fn root_is_not_led_astray_by_links_and_folders_of_others() {
    if !crate::disposable("apply::root_is_not_led_astray_by_links_and_folders_of_others") {
        return;
    }
    use harden::apply::{Machine, New, RealMachine};
    use harden::model::{AbsPath, Access, Gid, Uid};
    let folder = PathBuf::from("/srv/hardentest-way");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).expect("made");
    let theirs = folder.join("theirs");
    fs::create_dir(&theirs).expect("made");
    chown(&theirs, Some(65534), Some(65534)).expect("given");
    fs::write(folder.join("root-only"), "secret").expect("written");
    fs::set_permissions(folder.join("root-only"), fs::Permissions::from_mode(0o600)).expect("mode");
    std::os::unix::fs::symlink("/etc", theirs.join("etc")).expect("linked");
    fs::hard_link(folder.join("root-only"), theirs.join("hard")).expect("linked");
    let open = folder.join("open");
    fs::create_dir(&open).expect("made");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).expect("mode");

    let mut machine = RealMachine::live().expect("opens /");
    let abs = |path: PathBuf| AbsPath::new(path).expect("absolute");
    let of = |uid, mode| Access { uid: Uid(uid), gid: Gid(uid), ..Access::of_root(mode) };
    let mut make =
        |path: PathBuf, access: &Access| machine.make(&abs(path), New::File { bytes: b"x", access, like: None });
    // Through a link: not even as whoever made it.
    assert!(make(theirs.join("etc/hardentest"), &of(0, 0o644)).is_err());
    // As root in a folder of others: never. As its owner: yes.
    assert!(make(theirs.join("roots"), &of(0, 0o644)).is_err());
    assert!(!theirs.join("roots").exists(), "nothing half-made is left");
    make(theirs.join("own"), &of(65534, 0o640)).expect("as nobody");
    assert_eq!(listed("stat", &["-c", "%u %a", "/srv/hardentest-way/theirs/own"]), "65534 640\n");
    // Where everybody may write, root writes nothing.
    assert!(make(open.join("new"), &of(0, 0o644)).is_err());
    // A file of root's under another's name is not given away, nor are its rights changed.
    assert!(machine.set_access(&abs(theirs.join("hard")), &of(65534, 0o666)).is_err());
    assert_eq!(listed("stat", &["-c", "%u %a", "/srv/hardentest-way/root-only"]), "0 600\n");
    fs::remove_dir_all(&folder).expect("removed");
}
