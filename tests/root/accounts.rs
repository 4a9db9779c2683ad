//! Real accounts, rules, jobs and programs: made, audited, removed again.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use harden::catalog::{self, Request, Types};
use harden::facts::reach::Reach;
use harden::facts::{self, subject};
use harden::host::{Host, RealHost, Want, Who};
use harden::model::{AbsPath, Finding, Scope, Status};
use harden::{check, host};

/// What was made, to be removed in reverse order, also when a test fails.
struct Made {
    prefix: String,
    accounts: Vec<String>,
    paths: Vec<PathBuf>,
}

impl Made {
    fn new(test: &str) -> Self {
        // Letters only: a word of letters and digits would be masked as a possible secret.
        let letters =
            std::process::id().to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect::<String>();
        Self { prefix: format!("hdnt{test}{letters}"), accounts: Vec::new(), paths: Vec::new() }
    }

    fn account(&mut self, name: &str, options: &[&str]) -> String {
        let name = format!("{}{name}", self.prefix);
        self.accounts.push(name.clone());
        must("useradd", &[options, &["--create-home", &name]].concat());
        if !options.contains(&"--system") {
            // A password that nobody knows: an account without one is nobody's.
            must("usermod", &["--password", "$6$nobody$knows", &name]);
        }
        name
    }

    /// A file with an owner and a mode.
    fn file(&mut self, path: impl Into<PathBuf>, content: &str, owner: (u32, u32), mode: u32) -> PathBuf {
        let path = path.into();
        self.paths.push(path.clone());
        fs::create_dir_all(path.parent().expect("a parent")).expect("folder");
        fs::write(&path, content).expect("writable");
        own(&path, owner, mode);
        path
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for path in self.paths.iter().rev() {
            if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap_or_default();
        }
        for name in self.accounts.iter().rev() {
            run("userdel", &["--remove", name]);
        }
    }
}

fn own(path: &Path, (uid, gid): (u32, u32), mode: u32) {
    chown(path, Some(uid), Some(gid)).expect("owner");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
}

fn run(program: &str, args: &[&str]) -> Output {
    Command::new(program).args(args).output().unwrap_or_else(|error| panic!("{program}: {error}"))
}

fn must(program: &str, args: &[&str]) -> String {
    let output = run(program, args);
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Audits this machine with the account as the agent's.
fn audit(account: &str, project: &Path) -> Vec<Finding> {
    let host = RealHost::live().expect("this machine");
    let checks = catalog::checks(&Types::default()).unwrap_or_else(|error| panic!("{error}"));
    let only = ["user", "privilege", "SEC-04"].map(str::to_owned).to_vec();
    let request = Request { only, scope: Some(Scope::Host), ..Request::default() };
    let mut policy =
        catalog::policy(&checks, &request, catalog::today()).unwrap_or_else(|error| panic!("policy: {error}"));
    policy.parameters.0.insert("agent_user".into(), account.into());
    let agent = catalog::agent("opencode").expect("known agent");
    let project = AbsPath::new(project).expect("absolute");
    let subject = subject::settle(&host, agent, &policy.parameters, policy.scope, &project).expect("settles");
    let (facts, _) = facts::gather(&host, &[subject], &check::needed_probes(&policy));
    check::findings(&policy, host.os(), &["opencode".into()], &facts)
}

/// The failing subjects of a check.
fn failing(findings: &[Finding], code: &str) -> Vec<String> {
    let failing = findings.iter().filter(|finding| finding.code == code && finding.status == Status::Fail);
    failing.map(|finding| finding.subject.clone().unwrap_or_default()).collect()
}

pub(crate) fn who(account: &str) -> Who {
    let accounts = RealHost::live().and_then(|host| host.accounts()).expect("accounts");
    let account: &host::Account = accounts.user(account).expect("listed");
    Who { uid: account.uid, gids: accounts.groups_of(account) }
}

#[test]
fn a_machine_that_gives_much_is_told_and_one_that_gives_nothing_is_not() {
    if !super::disposable("accounts") {
        return;
    }
    let mut made = Made::new("a");
    let agent = made.account("ag", &["--system", "--shell", "/usr/sbin/nologin"]);
    let person = made.account("hu", &["--shell", "/bin/bash"]);
    let prefix = made.prefix.clone();
    let Who { uid, gids } = who(&agent);
    let (own_ids, root) = ((uid.0, gids[0].0), (0, 0));
    let home = PathBuf::from(format!("/home/{person}"));
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).expect("closed");
    let project = std::env::temp_dir();

    // Before: neither groups nor rules nor files of ours.
    let before = audit(&agent, &project);
    for code in ["USR-02", "USR-03"] {
        assert!(failing(&before, code).is_empty(), "{code}");
    }
    for code in ["USR-04", "USR-06", "PRV-01", "PRV-02", "PRV-03", "PRV-05", "PRV-07", "SEC-04"] {
        let ours: Vec<String> = failing(&before, code).into_iter().filter(|s| s.contains(&prefix)).collect();
        assert!(ours.is_empty(), "{code}: {ours:?}");
    }

    must("usermod", &["--append", "--groups", "sudo", &agent]);
    let rule = format!("{agent} ALL=(root) NOPASSWD: /usr/bin/systemctl status {prefix}\n");
    // sudo reads a name without a dot; the draft with one is checked first.
    let draft = made.file(format!("/etc/sudoers.d/{prefix}.draft"), &rule, root, 0o440);
    must("visudo", &["-c", "-f", &draft.to_string_lossy()]);
    made.file(format!("/etc/sudoers.d/{prefix}"), &rule, root, 0o440);
    let script = made.file(format!("/var/tmp/{prefix}/job"), "#!/bin/true\n", root, 0o755);
    own(script.parent().expect("a parent"), own_ids, 0o755);
    made.paths.push(format!("/var/tmp/{prefix}").into());
    made.file(format!("/etc/cron.d/{prefix}"), &format!("@yearly root {} now\n", script.display()), root, 0o644);
    made.file(format!("/etc/profile.d/{prefix}.sh"), "", own_ids, 0o644);
    let polkit = format!(
        "polkit.addRule(function(action, subject) {{\n  if (action.id == \"org.freedesktop.systemd1.manage-units\" && subject.user == \"{agent}\") return polkit.Result.YES;\n}});\n"
    );
    if Path::new("/etc/polkit-1/rules.d").is_dir() {
        made.file(format!("/etc/polkit-1/rules.d/90-{prefix}.rules"), &polkit, root, 0o644);
    }
    let raised = PathBuf::from(format!("/usr/local/bin/{prefix}"));
    made.paths.push(raised.clone());
    fs::copy("/bin/true", &raised).expect("copied");
    own(&raised, root, 0o4755);
    made.file(home.join(".netrc"), "machine h login l password p\n", root, 0o644);
    let socket = made.file(home.join(".colima/default/docker.sock"), "", root, 0o600);
    fs::remove_file(&socket).expect("replaced");
    let _listener = UnixListener::bind(&socket).expect("bound");
    own(&socket, root, 0o666);
    fs::set_permissions(&home, fs::Permissions::from_mode(0o755)).expect("open");

    let findings = audit(&agent, &project);
    assert_eq!(failing(&findings, "USR-03"), [""], "in the group sudo");
    for (code, subject) in [
        ("USR-04", format!("sudo {agent}: (root) NOPASSWD: /usr/bin/systemctl status {prefix}")),
        ("USR-04", "sudo %sudo: (ALL:ALL) ALL".to_owned()),
        ("USR-06", person.clone()),
        ("PRV-01", script.display().to_string()),
        ("PRV-02", format!("sudo for {agent}: (root) NOPASSWD: /usr/bin/systemctl status {prefix}")),
        ("PRV-03", socket.display().to_string()),
        ("PRV-05", raised.display().to_string()),
        ("PRV-07", format!("/etc/profile.d/{prefix}.sh")),
        ("SEC-04", home.join(".netrc").display().to_string()),
    ] {
        let all = failing(&findings, code);
        // The group's rule is the distribution's, written in more than one way.
        let found = all.contains(&subject) || (subject.contains("%sudo") && all.iter().any(|s| s.contains("%sudo")));
        assert!(found, "{code}: no {subject} in {all:?}");
    }
    if Path::new("/etc/polkit-1/rules.d").is_dir() {
        let ways = failing(&findings, "PRV-02");
        assert!(ways.iter().any(|way| way.starts_with(&format!("polkit for {agent}"))), "{ways:?}");
    }

    // sudo itself agrees.
    let listing = must("sudo", &["-n", "-l", "-U", &agent]);
    assert!(listing.contains(&format!("NOPASSWD: /usr/bin/systemctl status {prefix}")), "{listing}");
    assert!(listing.contains("(ALL : ALL) ALL"), "{listing}");
}

#[test]
fn the_kernel_agrees_on_what_an_account_may_do() {
    if !super::disposable("access") {
        return;
    }
    let mut made = Made::new("b");
    let agent = made.account("ag", &["--system", "--shell", "/usr/sbin/nologin"]);
    let Who { uid, gids } = who(&agent);
    let (uid, gid) = (uid.0, gids[0].0);
    let top = PathBuf::from(format!("/var/tmp/{}", made.prefix));
    made.paths.push(top.clone());
    let mut paths = Vec::new();
    for (name, owner, mode, list) in [
        ("all", (0, 0), 0o644, ""),
        ("none", (0, 0), 0o600, ""),
        ("group", (0, gid), 0o640, ""),
        ("group-shut-out", (0, gid), 0o604, ""),
        ("listed", (0, 0), 0o660, "u:AGENT:r"),
        ("listed-to-write", (0, 0), 0o660, "u:AGENT:rw"),
        ("listed-and-masked", (0, 0), 0o660, "u:AGENT:rw,m::r"),
        ("listed-by-group", (0, 0), 0o600, "g:AGENT:r"),
        ("shut-out-by-list", (0, 0), 0o664, "u:AGENT:-"),
        ("closed/inside", (0, 0), 0o666, ""),
        ("passage/inside", (0, 0), 0o666, ""),
        ("own-folder/inside", (0, 0), 0o600, ""),
    ] {
        let path = top.join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folder");
        fs::write(&path, "x").expect("written");
        own(&path, owner, mode);
        if !list.is_empty() {
            must("setfacl", &["-m", &list.replace("AGENT", &agent), &path.to_string_lossy()]);
        }
        paths.push(path);
    }
    own(&top.join("closed"), (0, 0), 0o700);
    own(&top.join("passage"), (0, 0), 0o711);
    own(&top.join("own-folder"), (uid, gid), 0o755);

    let host = RealHost::live().expect("this machine");
    let reach = Reach::new(&host, who(&agent));
    for path in &paths {
        for (flag, want) in [("-r", Want::Read), ("-w", Want::Write)] {
            let shown = path.to_string_lossy();
            let ids = [format!("--reuid={uid}"), format!("--regid={gid}")];
            let kernel = run("setpriv", &[&ids[0], &ids[1], "--clear-groups", "test", flag, &shown]).status.success();
            let ours = reach.may(&AbsPath::new(path).expect("absolute"), want).expect("looked at");
            assert_eq!(ours, Some(kernel), "{shown} {flag}");
        }
    }
    let inside = AbsPath::new(top.join("own-folder/inside")).expect("absolute");
    assert_eq!(reach.replace(&inside), Ok(Some(AbsPath::new(top.join("own-folder")))), "through its folder");
}
