//! Audits are kept, listed, compared, drawn and forgotten.

#[path = "evidence/made.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod made;
#[path = "report/sample.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod sample;

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use harden::evidence::{Diff, diff, diff_schema, diff_text};
use harden::history::History;
use harden::model::{Finding, Severity, Status};
use harden::report::Report;
use made::kept;
use proptest::prelude::*;
use serde_json::Value;

/// A project and a place for its audits.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("shop/.git")).expect("made");
        std::fs::write(folder.path().join("shop/opencode.json"), "{}\n").expect("written");
        Self(folder)
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_harden"))
            .args(args)
            .current_dir(self.0.path())
            .env("XDG_STATE_HOME", self.0.path())
            .output()
            .expect("harden starts")
    }

    fn audit(&self, more: &[&str]) {
        let done = self.run(&[&["audit", "shop", "--scope", "repo", "--allow-unknown", "-q"], more].concat());
        assert!(matches!(done.status.code(), Some(0 | 1)) && done.stderr.is_empty(), "{done:?}");
    }

    fn listed(&self) -> Vec<Value> {
        let done = self.run(&["history", "--format", "json"]);
        serde_json::from_slice(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done:?}"))
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("harden/history.sqlite")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[test]
fn audits_are_kept_for_their_account_alone_and_compared() {
    let place = Place::new();
    place.audit(&[]);
    let config = r#"{ "mcp": { "docs": { "type": "local", "command": ["npx", "-y", "docs-mcp"] } } }"#;
    std::fs::write(place.0.path().join("shop/opencode.json"), config).expect("written");
    place.audit(&[]);
    place.audit(&["--no-history"]);
    let listed = place.listed();
    assert_eq!(listed.len(), 2, "one was not to be kept");
    assert!(listed[0]["audit"]["against"].as_u64() < listed[1]["audit"]["against"].as_u64(), "{listed:?}");
    assert_eq!(place.file().metadata().expect("there").mode() & 0o777, 0o600);
    let shown = text(&place.run(&["history"]).stdout);
    assert!(shown.lines().count() == 2 && shown.contains("open,") && shown.contains("shop"), "{shown}");
    let done = place.run(&["diff", "1", "2", "--format", "json"]);
    assert_eq!(done.status.code(), Some(1), "something is new");
    let changes: Diff = serde_json::from_slice(&done.stdout).expect("JSON");
    assert!(changes.new.iter().any(|it| it.code == "MCP-03") && changes.fixed.is_empty(), "{changes:?}");
    let back = place.run(&["diff", "2", "1"]);
    assert_eq!(back.status.code(), Some(0), "nothing is new");
    assert!(text(&back.stdout).contains("\nfixed\n"), "{back:?}");
}

#[test]
fn a_report_draws_the_past_of_its_project() {
    let place = Place::new();
    place.audit(&["-f", "json=now.json"]);
    let alone = text(&place.run(&["report", "now.json", "-f", "html"]).stdout);
    assert!(!alone.contains("Past audits"), "one audit is no trend");
    place.audit(&[]);
    // Within one second both went alike, and are one point.
    let history = History::open(&place.file()).expect("opens");
    let mut earlier = sample::ordinary();
    earlier.time = "2020-01-01T00:00:00Z".into();
    earlier.project = place.listed()[0]["audit"]["project"].as_str().expect("text").into();
    earlier.scope = harden::model::Scope::Repo;
    history.keep(&earlier).expect("kept");
    earlier.project = "/srv/other".into();
    history.keep(&earlier).expect("kept");
    let page = text(&place.run(&["report", "now.json", "-f", "html"]).stdout);
    assert!(page.contains("Past audits") && page.contains("2020-01-01T00:00:00Z") && !page.contains("/srv/other"));
    let without = text(&place.run(&["report", "now.json", "-f", "html", "--no-history"]).stdout);
    assert!(!without.contains("Past audits"));
    let by_number = place.run(&["report", "1", "-f", "json"]);
    assert!(by_number.status.success() && text(&by_number.stdout).contains("\"audit 1\""), "{by_number:?}");
}

#[test]
fn old_audits_are_forgotten() {
    let place = Place::new();
    place.audit(&[]);
    let history = History::open(&place.file()).expect("opens");
    let mut old = sample::ordinary();
    old.time = "2020-01-01T00:00:00Z".into();
    let id = history.keep(&old).expect("kept");
    assert!(history.report(id).expect("reads").is_some());
    let done = place.run(&["history", "--prune", "90d"]);
    assert!(done.status.success() && text(&done.stderr).contains("forgot 1 audits"), "{done:?}");
    assert_eq!(place.listed().len(), 1);
    assert!(history.report(id).expect("reads").is_none());
    assert_eq!(place.run(&["history", "--prune", "soon"]).status.code(), Some(2));
}

#[test]
fn a_history_that_cannot_be_used_stops_no_audit_and_is_never_guessed_at() {
    type Spoil = (&'static str, fn(&Path));
    let spoil: [Spoil; 4] = [
        ("may be read by others", |file| {
            std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o644)).expect("set");
        }),
        ("not a database", |file| {
            std::fs::write(file, "this is no database, and longer than a header".repeat(40)).expect("written")
        }),
        ("form 7", |file| {
            let database = rusqlite::Connection::open(file).expect("opens");
            database.pragma_update(None, "user_version", 7).expect("set");
        }),
        ("cannot be opened", |file| {
            std::fs::remove_file(file).expect("removed");
            std::os::unix::fs::symlink("elsewhere", file).expect("linked");
        }),
    ];
    for (said, spoil) in spoil {
        let place = Place::new();
        place.audit(&[]);
        spoil(&place.file());
        let done = place.run(&["audit", "shop", "--scope", "repo", "--allow-unknown"]);
        assert!(matches!(done.status.code(), Some(0 | 1)), "{done:?}");
        assert!(
            text(&done.stderr).contains("not kept in the history") && text(&done.stderr).contains(said),
            "{done:?}"
        );
        let listed = place.run(&["history"]);
        assert_eq!(listed.status.code(), Some(2), "{said}: {listed:?}");
        assert!(text(&listed.stderr).contains(said), "{listed:?}");
        assert!(!place.0.path().join("harden/elsewhere").exists(), "no link is followed");
    }
}

#[test]
fn a_number_that_is_not_kept_is_said() {
    let place = Place::new();
    let done = place.run(&["diff", "1", "2"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stderr).contains("no audit in the history has the number 1"), "{done:?}");
    assert_eq!(text(&place.run(&["history"]).stdout), "no audits are kept\n");
}

/// Two audits: a finding in each may be there or not, and in any status.
fn pair() -> impl Strategy<Value = (Report, Report)> {
    use Status::{Fail, Known, NotApplicable, Pass, Unknown, Waived};
    let status = prop::option::of(prop::sample::select(vec![Fail, Known, Waived, Unknown, Pass, NotApplicable]));
    let finding = (status.clone(), status, any::<bool>());
    prop::collection::vec(finding, 0..20).prop_map(|rows| {
        let (mut before, mut after) = (sample::ordinary(), sample::ordinary());
        let some = before.findings[0].clone();
        before.findings.clear();
        after.findings.clear();
        for (at, (was, is, worse)) in rows.into_iter().enumerate() {
            let finding = |status| Finding { status, fingerprint: format!("{at:016x}"), ..some.clone() };
            before.findings.extend(was.map(finding));
            let severity = if worse { Severity::High } else { some.severity };
            after.findings.extend(is.map(|status| Finding { severity, ..finding(status) }));
        }
        (before, after)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_difference_has_every_finding_once((before, after) in pair()) {
        let found = diff(&kept("a.json", &before), &kept("b.json", &after));
        let names: std::collections::BTreeSet<&str> =
            before.findings.iter().chain(&after.findings).map(|it| it.fingerprint.as_str()).collect();
        let lists = [&found.new, &found.fixed, &found.changed, &found.not_compared];
        prop_assert_eq!(lists.iter().map(|list| list.len()).sum::<usize>() + found.same, names.len());
        let is_defect = |it: &&Finding| matches!(it.status, Status::Fail | Status::Known | Status::Waived);
        let defects = |report: &Report| report.findings.iter().filter(is_defect).map(|it| it.fingerprint.clone()).collect::<Vec<_>>();
        for new in &found.new {
            prop_assert!(!defects(&before).contains(&new.fingerprint) && defects(&after).contains(&new.fingerprint));
        }
        for fixed in &found.fixed {
            prop_assert!(defects(&before).contains(&fixed.fingerprint) && !defects(&after).contains(&fixed.fingerprint));
            prop_assert!(fixed.after != Some(Status::Unknown), "what cannot be told is not fixed");
        }
        // An audit is no different from itself.
        let none = diff(&kept("a.json", &after), &kept("b.json", &after));
        prop_assert_eq!((none.new.len(), none.fixed.len(), none.changed.len()), (0, 0, 0));
    }
}

#[test]
fn what_a_later_audit_did_not_look_for_is_not_fixed() {
    let before = sample::ordinary();
    let mut after = sample::ordinary();
    after.findings.retain(|it| it.code != "USR-01" && it.code != "MCP-07");
    after.checks.retain(|it| it.code != "USR-01");
    after.profile = "ci".into();
    let found = diff(&kept("a.json", &before), &kept("b.json", &after));
    let codes = |list: &[harden::evidence::Change]| list.iter().map(|it| it.code.clone()).collect::<Vec<_>>();
    assert_eq!((codes(&found.fixed), codes(&found.not_compared)), (vec!["MCP-07".into()], vec!["USR-01".into()]));
    assert_eq!(found.notes, ["the profile is another: `baseline`, then `ci`"]);
    let shown = diff_text(&found);
    assert!(shown.contains("0 new, 1 fixed, 0 changed, 1 not compared"), "{shown}");
    let hostile = diff(&kept("a.json", &sample::empty()), &kept("b.json", &sample::hostile()));
    assert!(!diff_text(&hostile).replace('\n', "").contains(char::is_control));
    let validator = jsonschema::validator_for(&diff_schema()).expect("a schema");
    for diff in [found, hostile] {
        assert!(validator.is_valid(&serde_json::to_value(&diff).expect("plain data")));
    }
}
