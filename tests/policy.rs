//! What a policy is compiled into, against the model of OpenCode and the program's own answers: the cases `policy*` of
//! `fixtures/opencode` hold the settings that are written here, a project that wants more, and what OpenCode made of both.
//! And `harden policy` as people call it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use harden::artifact::{self, Account, Dialect, Site};
use harden::catalog;
use harden::facts::config::{self, rules, wildcard};
use harden::facts::subject;
use harden::host::FixtureHost;
use harden::model::{AbsPath, Action, Approval, Gid, Os, Parameters, Scope, Setting, State, Uid, declared};
use serde_json::{Value, json};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/opencode");

fn path(text: &str) -> AbsPath {
    AbsPath::root().join(text)
}

/// A machine with this policy.
fn site(dialect: Dialect, approved: &[&[&str]]) -> Site {
    let approval = |words: &&[&str]| Approval {
        id: None,
        argv: words.iter().map(|&word| word.to_owned()).collect(),
        project: Some("/srv/app".into()),
        by: None,
        when: None,
        reason: None,
        expires: None,
    };
    Site {
        os: Os::Linux,
        account: Ok(Account {
            name: "agent".into(),
            uid: Uid(990),
            gid: Gid(990),
            home: path("/var/lib/agent"),
            exists: true,
        }),
        developer: None,
        agent: "OpenCode".into(),
        managed_config: (dialect == Dialect::Opencode).then(|| path("/etc/opencode/opencode.json")),
        command: "opencode".into(),
        off_switches: Vec::new(),
        ignored: Vec::new(),
        audit_log_mib: 200,
        workspace: path("/srv/app"),
        project: path("/srv/app"),
        project_owner: (Uid(1000), Gid(1000)),
        launcher: path("/usr/local/bin/opencode-hardened"),
        runs_32_bit: true,
        has_systemd: true,
        there: Vec::new(),
        dialect: Some(dialect),
        project_off: Some("OPENCODE_DISABLE_PROJECT_CONFIG".into()),
        policy: declared("production", &Parameters::default(), &path("/srv/app")),
        approvals: approved.iter().map(approval).collect(),
        accepted: Ok(String::new()),
    }
}

/// The agent's settings as a new file, and where that lies.
fn settings(site: &Site) -> (String, Value) {
    let actions = artifact::build("managed-config", site).unwrap_or_else(|refusal| panic!("{}", refusal.why));
    let edit = actions.iter().find(|action| matches!(action, Action::EditConfig { .. })).expect("one");
    let (_, text) = harden::plan::settle(edit, &State::Absent, None).expect("can be written");
    let Action::EditConfig { path, set, .. } = edit else { panic!("an edit") };
    let value: Value = serde_json::from_slice(&text.expect("a file")).expect("JSON");
    for Setting { at, value: wanted } in set {
        assert_eq!(value.pointer(&format!("/{}", at.join("/"))), Some(wanted));
    }
    (path.text(), value)
}

fn case(name: &str) -> (Value, Value) {
    let read = |file: &str| fs::read_to_string(Path::new(CASES).join(name).join(file)).expect("readable");
    let expected = serde_json::from_str(&read("expected.json")).expect("recorded");
    (serde_yaml::from_str(&read("host.yaml")).expect("YAML"), expected)
}

/// What the program says: the last rule of an agent that fits.
fn answer<'a>(expected: &'a Value, agent: &str, tool: &str, input: &str) -> &'a str {
    let rules = expected["agents"][agent].as_array().expect("a list");
    let text = |rule: &'a Value, key: &str| rule[key].as_str().expect("text");
    let fits = |rule: &&'a Value| {
        wildcard::matches(tool, text(rule, "permission")) && wildcard::matches(input, text(rule, "pattern"))
    };
    rules.iter().rev().find(fits).map_or("ask", |rule| text(rule, "action"))
}

#[test]
fn the_real_program_resolves_what_is_written_as_the_policy_says() {
    for (name, approved, wants) in [
        ("policy", &[][..], &[("git status", "ask"), ("curl x", "ask")][..]),
        (
            "policy-approved",
            &[&["git", "status"][..]],
            &[("git status", "allow"), ("git push", "ask"), ("curl x", "ask")],
        ),
    ] {
        let (host, expected) = case(name);
        let (file, written) = settings(&site(Dialect::Opencode, approved));
        let text = host["files"][&file].as_str().expect("the managed file");
        let there: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(there, written, "{name}: put this into {file} of the case, and record it");
        assert_eq!(expected["exit"], "ok", "{name}");
        for (key, value) in [("share", json!("disabled")), ("autoupdate", json!(false))] {
            assert_eq!(expected["config"][key], value, "{name}");
        }
        for (command, wanted) in wants {
            assert_eq!(answer(&expected, "build", "bash", command), *wanted, "{name}: {command}");
        }
        for (tool, input, wanted) in [
            ("edit", "src/main.rs", "ask"),
            ("webfetch", "https://x.example/", "ask"),
            ("external_directory", "/etc/*", "deny"),
            ("read", ".env", "deny"),
            ("read", ".env.example", "allow"),
            ("read", "README.md", "allow"),
        ] {
            assert_eq!(answer(&expected, "build", tool, input), wanted, "{name}: {tool} {input}");
        }
    }
}

#[test]
fn a_server_that_nobody_reviewed_is_off_for_the_real_program_and_still_there() {
    let (host, expected) = case("policy-mcp");
    let actions = artifact::switch_off(&site(Dialect::Opencode, &[]), "docs").expect("can be");
    let edit = actions.iter().find(|action| matches!(action, Action::EditConfig { .. })).expect("one");
    let (_, text) = harden::plan::settle(edit, &State::Absent, None).expect("can be written");
    let written: Value = serde_json::from_slice(&text.expect("a file")).expect("JSON");
    let there: Value =
        serde_json::from_str(host["files"]["/etc/opencode/opencode.json"].as_str().expect("text")).expect("JSON");
    assert_eq!(there, written, "put this into the case, and record it");
    let server = &expected["config"]["mcp"]["docs"];
    assert_eq!((&server["enabled"], &server["command"][2]), (&json!(false), &json!("docs-server")));
}

/// The rules of the agent `build` of OpenCode 2, with the settings of a site and a project that wants more.
fn build_of_2(site: &Site, project_off: bool) -> rules::AgentRules {
    let (file, written) = settings(site);
    let greedy = json!({ "permissions": [{ "action": "*", "resource": "*", "effect": "allow" }] });
    let mut env = BTreeMap::from([("XDG_CONFIG_HOME", "/etc/harden/agent")]);
    if project_off {
        env.insert("OPENCODE_CONFIG_PROJECT_DISABLE", "1");
    }
    let spec = json!({
        "os": "linux", "user": "dev", "cwd": "/srv/app", "env": env, "git": {},
        "files": { file: written.to_string(), "/srv/app/opencode.json": greedy.to_string() },
    });
    let host = FixtureHost::parse(&spec.to_string(), Path::new(CASES)).unwrap_or_else(|error| panic!("{error}"));
    let agent = catalog::agent("opencode").expect("known");
    let parameters = Parameters([("agent_version".to_owned(), Value::from("2.0.18"))].into());
    let subject = subject::settle(&host, agent, &parameters, Scope::Host, &path("/srv/app")).expect("settles");
    let config = config::effective(&host, &subject).expect("looks");
    let all = rules::of_agents(&host, &subject, &config);
    all.into_iter().find(|agent| agent.name == "build").expect("there")
}

#[test]
fn opencode_2_resolves_what_is_written_as_the_policy_says() {
    let says = |agent: &rules::AgentRules, tool: &str, input: &str| {
        agent.deciding(tool, input).and_then(|rule| rule.action).map(rules::Action::name)
    };
    let site = site(Dialect::Opencode2, &[&["git", "status"]]);
    let alone = build_of_2(&site, true);
    for (tool, input, wanted) in [
        ("shell", "git status", "allow"),
        ("shell", "git push", "ask"),
        ("edit", "src/main.rs", "ask"),
        ("webfetch", "https://x.example/", "ask"),
        ("external_directory", "/etc/*", "deny"),
        ("read", ".env", "deny"),
        ("read", ".env.example", "allow"),
    ] {
        assert_eq!(says(&alone, tool, input), Some(wanted), "{tool} {input}");
    }
    // What is denied holds against a project, too; what is asked for only while its configuration is kept out.
    let greedy = build_of_2(&site, false);
    for (tool, input, wanted) in
        [("external_directory", "/etc/*", "deny"), ("read", ".env", "deny"), ("shell", "git push", "allow")]
    {
        assert_eq!(says(&greedy, tool, input), Some(wanted), "{tool} {input}");
    }
}

#[test]
fn an_approval_keeps_the_projects_own_configuration_out() {
    let script = |site: &Site| {
        let actions = artifact::build("launcher", site).unwrap_or_else(|refusal| panic!("{}", refusal.why));
        let content = actions.into_iter().find_map(|action| match action {
            Action::WriteFile { content, .. } => Some(content),
            _ => None,
        });
        content.expect("the launcher")
    };
    let off = "  OPENCODE_DISABLE_PROJECT_CONFIG=1 \\\n";
    assert!(script(&site(Dialect::Opencode, &[&["git", "status"]])).contains(off));
    assert!(!script(&site(Dialect::Opencode, &[])).contains(off));
    assert!(!script(&site(Dialect::Opencode, &[&["echo", "two words"]])).contains(off), "it is no rule");
}

/// A machine's policy and a project in a folder.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("etc")).expect("made");
        fs::create_dir_all(folder.path().join("project/.git")).expect("made");
        let machine = Self { folder };
        machine.write("etc/policy.yaml", "version: 1\nshell:\n  default: ask\nnetwork:\n  allow: [a.example]\n");
        machine
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().canonicalize().expect("there").join(below)
    }

    fn write(&self, below: &str, text: &str) {
        fs::write(self.path(below), text).expect("written");
    }

    fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).expect("readable")
    }

    fn policy(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_harden"))
            .arg("policy")
            .arg("--machine")
            .arg(self.path("etc/policy.yaml"))
            .args(args)
            .current_dir(self.path("project"))
            .env("COLUMNS", "200")
            .output()
            .expect("harden starts")
    }

    /// What it printed, after it ended with this code.
    fn says(&self, code: i32, args: &[&str]) -> String {
        let output = self.policy(args);
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        said
    }

    fn allow(&self, words: &[&str]) -> String {
        let said = self.says(0, &[&["allow", "--reason", "reads only", "--"], words].concat());
        said.split(' ').nth(2).expect("an id").trim_end_matches(',').to_owned()
    }
}

#[test]
fn an_approval_holds_until_it_is_revoked_and_nothing_is_ever_rewritten() {
    let machine = Machine::new();
    assert!(machine.says(1, &["why", "git status"]).contains("policy.yaml:3"));
    let id = machine.allow(&["git", "status"]);
    let first = machine.read("etc/approvals.jsonl");
    let said = machine.says(0, &["why", "git  'status'"]);
    assert!(said.starts_with("allow: approved by ") && said.contains("approvals.jsonl:1"), "{said}");
    for other in ["git status -s", "git", "git status; git status", "git status > x", "X=1 git status"] {
        assert!(machine.says(1, &["why", other]).starts_with("ask: "), "{other}");
    }
    assert!(machine.says(2, &["allow", "--reason", "again", "--", "git", "status"]).contains("approved already"));
    machine.says(0, &["revoke", &id]);
    let both = machine.read("etc/approvals.jsonl");
    assert!(both.starts_with(&first) && both.lines().count() == 2, "{both}");
    assert!(machine.says(1, &["why", "git status"]).starts_with("ask: "));
    assert!(machine.says(2, &["revoke", &id]).contains("no approval that stands"));
    assert_ne!(machine.allow(&["git", "status"]), "", "it can be approved anew");
}

#[test]
fn what_is_no_exact_command_is_not_approved() {
    let machine = Machine::new();
    let token = ["ghp", "_16C7e42F292c6912E7710c838347Ae178B4a"].concat();
    for (words, why) in [
        (&["bash", "-c", "ls"][..], "an interpreter"),
        (&["git", "*"], "a wildcard"),
        (&["sudo", "ls"], "changes the account"),
        (&["ls", "a;b"], "characters of the shell"),
        (&["env", "ls"], "changes the environment"),
        (&["gh", "auth", &token], "could be a secret"),
        (&["ls", "a\u{1b}b"], "control character"),
    ] {
        let said = machine.says(2, &[&["allow", "--reason", "x", "--"], words].concat());
        assert!(said.contains(why) && !said.contains(&token[4..]), "{words:?}: {said}");
    }
    machine.says(2, &["allow", "--reason", " ", "--", "ls"]);
    machine.says(2, &["allow", "--reason", "x", "--expires", "2020-01-01", "--", "ls"]);
    assert!(!machine.path("etc/approvals.jsonl").exists());
}

#[test]
fn a_torn_line_is_named_and_nothing_is_added_to_it() {
    let machine = Machine::new();
    machine.allow(&["git", "status"]);
    let torn = machine.read("etc/approvals.jsonl") + "{\"allow\":{\"argv\":[";
    machine.write("etc/approvals.jsonl", &torn);
    assert!(machine.says(2, &["allow", "--reason", "x", "--", "ls"]).contains("approvals.jsonl:2"));
    assert!(machine.says(2, &["check"]).contains("approvals.jsonl:2"));
    assert_eq!(machine.read("etc/approvals.jsonl"), torn);
}

#[test]
fn a_link_in_the_place_of_the_approvals_is_not_written_through() {
    let machine = Machine::new();
    machine.write("elsewhere", "");
    std::os::unix::fs::symlink(machine.path("elsewhere"), machine.path("etc/approvals.jsonl")).expect("made");
    machine.says(2, &["allow", "--reason", "x", "--", "ls"]);
    assert_eq!(machine.read("elsewhere"), "");
}

#[test]
fn a_project_narrows_and_its_widenings_are_errors_at_their_lines() {
    let machine = Machine::new();
    let id = machine.allow(&["git", "status"]);
    let own = "project/.harden-policy.yaml";
    machine.write(own, "version: 1\nshell:\n  default: allow\nnetwork:\n  allow:\n    - a.example\n    - b.example\n");
    let said = machine.says(1, &["check", ".harden-policy.yaml"]);
    for line in [".harden-policy.yaml:3:", ".harden-policy.yaml:7:", "network.allow names `b.example`"] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let rows: Value =
        serde_json::from_str(&machine.says(1, &["check", ".harden-policy.yaml", "-f", "json"])).expect("JSON");
    let lines: Vec<&Value> = rows["widenings"].as_array().expect("a list").iter().map(|row| &row["line"]).collect();
    assert_eq!(lines, [&json!(3), &json!(7)]);
    let shown: Value = serde_json::from_str(&machine.says(0, &["show", "-f", "json"])).expect("JSON");
    assert_eq!((&shown["shell"]["default"], &shown["network"]["allow"]), (&json!("ask"), &json!(["a.example"])));
    assert_eq!(shown["approvals"][0]["id"], id);

    machine.write(own, "version: 1\nshell: { default: deny }\napprovals: []\n");
    assert!(machine.says(0, &["check", ".harden-policy.yaml"]).contains("only narrows"));
    let said = machine.says(1, &["why", "git status"]);
    assert!(said.starts_with("deny: the project's own policy takes its approval away"), "{said}");
    assert!(said.contains(".harden-policy.yaml:2"), "{said}");
    // What is printed as the effective policy is one.
    machine.write("effective.yaml", &machine.says(0, &["show"]));
    let effective = machine.path("effective.yaml").display().to_string();
    machine.says(0, &["check", &effective, "--machine", &effective]);
}

#[test]
fn a_difference_is_held_against_what_was_accepted() {
    let machine = Machine::new();
    assert!(machine.says(1, &["diff"]).contains("no policy was accepted yet"));
    let accepted = "version: 1\nshell: { default: ask }\nnetwork: { allow: [a.example, c.example] }\n";
    let policy = serde_yaml::from_str(accepted).expect("a policy");
    let line = serde_json::to_string(&artifact::Accepted::of(&policy, None)).expect("JSON");
    machine.write("etc/accepted.jsonl", &format!("{line}\n"));
    let said = machine.says(0, &["diff"]);
    assert!(said.contains("narrower") && said.contains("names no more `c.example`"), "{said}");
    machine.write("etc/new.yaml", "version: 1\nshell:\n  default: allow\n");
    let new = machine.path("etc/new.yaml").display().to_string();
    let said = machine.says(1, &["diff", &new]);
    assert!(said.contains("wider") && said.contains("new.yaml:3"), "{said}");
    machine.write("etc/accepted.jsonl", "{}\n");
    assert!(machine.says(2, &["diff"]).contains("accepted.jsonl:1"));
}

#[test]
fn what_cannot_be_read_is_one_error() {
    let machine = Machine::new();
    fs::remove_file(machine.path("etc/policy.yaml")).expect("removed");
    for args in [&["check"][..], &["show"], &["diff"], &["why", "ls"]] {
        assert!(machine.says(2, args).contains("there is no policy"), "{args:?}");
    }
    fs::create_dir(machine.path("etc/policy.yaml")).expect("made");
    for args in [&["check"][..], &["show"], &["diff"], &["why", "ls"]] {
        assert!(machine.says(2, args).contains("cannot read"), "{args:?}");
    }
    machine.says(2, &["check", "no/such/file.yaml"]);
}
