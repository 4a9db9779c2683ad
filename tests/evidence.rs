//! What `harden report` promises: nothing lost, nothing counted twice, nothing said that is not so. `UPDATE=1 cargo test
//! --test evidence` writes the recorded forms.

#[path = "evidence/made.rs"]
mod made;
#[path = "report/sample.rs"]
mod sample;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::LazyLock;

use harden::evidence::{
    Answer, Assessment, Hold, Stance, assessment_plan, assessment_results, assessment_schema, component_definition,
    csv, html, json, junit, markdown, plan_of_action, sarif,
};
use harden::model::{Framework, Status};
use harden::report::Report;
use made::{assessment, attestation, bare, framework, kept};
use proptest::prelude::*;
use serde_json::Value;

/// Each format by name, but for SARIF, which wants the audits too.
fn formats(assessment: &Assessment) -> Vec<(&'static str, String)> {
    vec![
        ("md", markdown(assessment)),
        ("csv", csv(assessment)),
        ("json", json(assessment)),
        ("html", html(assessment)),
        ("junit", junit(assessment)),
        ("oscal-ar", assessment_results(assessment)),
        ("oscal-ap", assessment_plan(assessment)),
        ("oscal-component", component_definition(assessment)),
        ("oscal-poam", plan_of_action(assessment)),
    ]
}

fn ordinary() -> Assessment {
    let given = [
        attestation("PO.2.2", "2029-06-01", "2030-06-01"),
        attestation("PO.2.3", "2028-06-01", "2029-06-01"),
        attestation("PW.2.1", "2030-02-01", "2030-06-01"),
    ];
    assessment(&bare("ssdf-1.1"), &[kept("host.json", &sample::ordinary())], &given)
}

fn task<'a>(assessment: &'a Assessment, id: &str) -> &'a harden::evidence::Task {
    assessment.tasks.iter().find(|task| task.task == id).expect("there")
}

fn recorded(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/evidence").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, text).expect("writable");
    }
    let was = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(was == text, "tests/evidence/{name} differs; UPDATE=1 writes it. Now:\n{text}");
}

#[test]
fn an_ordinary_assessment_reads_as_recorded() {
    let assessment = ordinary();
    recorded("report.md", &markdown(&assessment));
    recorded("report.csv", &csv(&assessment));
}

#[test]
fn every_task_is_in_every_format() {
    let assessment = assessment(&framework("ssdf-1.1"), &[kept("host.json", &sample::ordinary())], &[]);
    assert_eq!(assessment.tasks.len(), 42);
    for (name, text) in formats(&assessment) {
        // What is left to do goes by finding; what checks are about leaves out what none is about.
        let some = |task: &&harden::evidence::Task| name != "oscal-component" || !task.checks.is_empty();
        for task in assessment.tasks.iter().filter(some).filter(|_| name != "oscal-poam") {
            assert!(text.contains(&task.task), "{name}: {} is missing", task.task);
        }
    }
}

#[test]
fn nothing_is_ever_called_compliant() {
    for (name, text) in formats(&ordinary()) {
        assert!(!text.to_lowercase().contains("complian"), "{name}");
    }
}

#[test]
fn attestations_fill_what_no_audit_sees_while_they_hold() {
    let assessment = ordinary();
    let holds: Vec<Hold> = assessment.attestations.iter().map(|it| it.hold).collect();
    assert_eq!(holds, [Hold::Holds, Hold::Expired, Hold::NotYet]);
    assert_eq!(task(&assessment, "PO.2.2").answer, Answer::EvidenceFor);
    assert_eq!(task(&assessment, "PO.2.3").answer, Answer::NotObservable);
    assert_eq!(task(&assessment, "PW.2.1").answer, Answer::NotObservable);
    assert!(markdown(&assessment).contains("(expired, does not count, see"));
}

#[test]
fn a_waiver_that_has_ended_since_the_audit_accepts_nothing() {
    let audits = [kept("host.json", &sample::ordinary())];
    let on = |day: &str| {
        let all = harden::evidence::assess(&bare("ssdf-1.1"), &audits, &[], &[], day.parse().expect("a date"));
        let waived = all.findings.iter().find(|it| it.finding.status == Status::Waived).expect("one is waived");
        waived.stance
    };
    assert_eq!((on("2030-01-31"), on("2030-02-01")), (Stance::Accepted, Stance::Against));
}

#[test]
fn a_report_that_is_given_twice_counts_once_and_two_hosts_count_twice() {
    let (one, mut other) = (sample::ordinary(), sample::ordinary());
    let twice = assessment(&bare("ssdf-1.1"), &[kept("a.json", &one), kept("b.json", &one)], &[]);
    assert_eq!((twice.audits.len(), twice.findings.len()), (1, one.findings.len()));
    assert!(twice.notes[0].contains("`b.json` is the same report as `a.json`"));
    other.project = "/srv/other".into();
    let both = assessment(&bare("ssdf-1.1"), &[kept("a.json", &one), kept("b.json", &other)], &[]);
    assert_eq!((both.audits.len(), both.findings.len()), (2, 2 * one.findings.len()));
}

#[test]
fn hostile_names_steer_nothing() {
    let assessment = assessment(&bare("ssdf-1.1"), &[kept("\u{1b}[2Jx", &sample::hostile())], &[]);
    let steers = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    for (name, text) in formats(&assessment) {
        assert!(!text.replace("\r\n", "\n").contains(steers), "{name}");
    }
    // In the page every tag is one of ours, and no element has a style or a handler.
    let page = html(&assessment);
    let body = page.split("<body>").nth(1).and_then(|rest| rest.split("<script>").next()).expect("a body");
    let known = "a address button caption code dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 header \
                 input label legend li main output p path polyline pre rect section span strong summary svg table tbody td \
                 th thead time tr ul";
    let known: BTreeSet<&str> = known.split_whitespace().collect();
    for tag in body.split('<').skip(1) {
        let tag = tag.split('>').next().expect("ends");
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().expect("a name");
        assert!(known.contains(name), "<{tag}>");
        assert!(!tag.contains(" on") && !tag.contains("style=") && !tag.contains("src="), "<{tag}>");
        assert!(!tag.contains("href=") || tag.contains("href=\"#"), "<{tag}>");
    }
    assert_eq!(page.matches("<script>").count(), 1);
    for line in markdown(&assessment).lines() {
        let outside: String = line.split('`').step_by(2).collect();
        assert!(!outside.contains(['<', '@', '!']) && !outside.contains("]("), "{line}");
    }
    // What OSCAL says is markup is markup of ours alone.
    fn markup(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| markup(item, found)),
            Value::Object(map) => map.iter().for_each(|(name, item)| match item {
                Value::String(text) if ["title", "description", "remarks", "statement"].contains(&name.as_str()) => {
                    found.push(text.clone());
                }
                item => markup(item, found),
            }),
            _ => {}
        }
    }
    for text in [assessment_results(&assessment), assessment_plan(&assessment), plan_of_action(&assessment)] {
        let mut found = Vec::new();
        markup(&serde_json::from_str(&text).expect("JSON"), &mut found);
        assert!(!found.is_empty());
        for text in found {
            let outside: String = text.split('`').step_by(2).collect();
            assert!(!outside.contains(['<', '@', '!', '*']) && !outside.contains("]("), "{text}");
        }
    }
    let mut rows = ::csv::ReaderBuilder::new().from_reader(csv_text(&assessment).as_bytes()).into_records();
    assert!(rows.all(|row| row.expect("a row").iter().all(|cell| !cell.starts_with(['=', '+', '-', '@', '|', '%']))));
}

fn csv_text(assessment: &Assessment) -> &'static str {
    Box::leak(csv(assessment).into_boxed_str())
}

#[test]
fn the_page_lets_nothing_in() {
    let page = html(&ordinary());
    let policy = page.split("Content-Security-Policy\" content=\"").nth(1).and_then(|rest| rest.split('"').next());
    let policy = policy.expect("a policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    assert!(
        !page.contains("href=\"http") && !page.contains("src=") && !page.contains("@import") && !page.contains("url(")
    );
}

#[test]
fn the_same_audits_make_the_same_documents_on_any_day() {
    let audits = [kept("host.json", &sample::ordinary())];
    let on = |day: &str| {
        let all = harden::evidence::assess(&bare("ssdf-1.1"), &audits, &[], &[], day.parse().expect("a date"));
        [assessment_results(&all), assessment_plan(&all), component_definition(&all), plan_of_action(&all)]
    };
    assert_eq!(on("2030-01-02"), on("2030-01-20"));
    assert_ne!(on("2030-01-02")[0], on("2030-03-01")[0], "a waiver has ended");
}

#[test]
fn controls_have_the_ids_of_their_catalogue() {
    let text = assessment_results(&ordinary());
    assert!(text.contains("\"control-id\": \"PO.1.1\"") && text.contains("\"target-id\": \"statement_PO.5.1\""));
    let lines = assessment_results(&assessment(&framework("checklist"), &[kept("a", &sample::ordinary())], &[]));
    assert!(lines.contains("\"control-id\": \"checklist-12\""), "a token begins with a letter");
}

#[test]
fn an_assessment_fits_its_published_schema_and_reads_back() {
    let validator = jsonschema::validator_for(&assessment_schema()).expect("a schema");
    let hostile = assessment(&framework("ssdf-218a"), &[kept("x", &sample::hostile())], &[]);
    for assessment in [ordinary(), hostile, assessment(&bare("cis-8"), &[], &[])] {
        let text = json(&assessment);
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(serde_json::from_str::<Assessment>(&text).expect("reads"), assessment);
    }
}

/// Audits of the sample's findings, some left out, some with other statuses, codes and controls.
fn audits() -> impl Strategy<Value = Vec<Report>> {
    let statuses = prop::sample::select(vec![
        Status::Fail,
        Status::Known,
        Status::Waived,
        Status::Unknown,
        Status::Pass,
        Status::NotApplicable,
    ]);
    let code = prop::sample::select(vec!["USR-01", "MCP-03", "NET-01", "LOG-05", "ZZZ-99"]);
    let tasks = prop::collection::vec(prop::sample::select(vec!["PO.5.1", "PO.5.2", "PW.4.1", "XX.1"]), 0..4);
    let finding = (statuses, code, tasks, 0..5_usize);
    let report = prop::collection::vec(finding, 0..30).prop_map(|rows| {
        let mut report = sample::ordinary();
        let some = report.findings.clone();
        report.findings = rows
            .into_iter()
            .enumerate()
            .map(|(at, (status, code, tasks, which))| {
                let mut finding = some[which].clone();
                finding.status = status;
                finding.code = code.into();
                finding.controls =
                    BTreeMap::from([("ssdf-1.1".into(), tasks.into_iter().map(str::to_owned).collect())]);
                finding.fingerprint = format!("{at:016x}");
                finding
            })
            .collect();
        report
    });
    prop::collection::vec(report, 1..4).prop_map(|mut reports| {
        reports.iter_mut().enumerate().for_each(|(at, report)| report.project = format!("/srv/{at}"));
        reports
    })
}

/// Loaded once for all cases.
static SSDF: LazyLock<Framework> = LazyLock::new(|| framework("ssdf-1.1"));

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn no_finding_is_lost_or_counted_twice(reports in audits()) {
        let saved: Vec<_> = reports.iter().enumerate().map(|(at, it)| kept(&format!("{at}.json"), it)).collect();
        let assessment = assessment(&SSDF, &saved, &[]);
        // In: each finding of each report, in order.
        let given: Vec<(usize, &str)> = reports.iter().enumerate()
            .flat_map(|(at, report)| report.findings.iter().map(move |it| (at, it.fingerprint.as_str()))).collect();
        let found: Vec<(usize, &str)> =
            assessment.findings.iter().map(|it| (it.audit, it.finding.fingerprint.as_str())).collect();
        prop_assert_eq!(&given, &found);
        // Every finding is in exactly the tasks that it names, once in each, or elsewhere.
        let mut places: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
        for task in &assessment.tasks {
            for at in &task.findings {
                prop_assert!(places.entry(*at).or_default().insert(&task.task), "twice in {}", task.task);
            }
            prop_assert_eq!(task.counts.values().sum::<usize>(), task.findings.len());
        }
        for (at, observed) in assessment.findings.iter().enumerate() {
            let named: BTreeSet<&str> = observed.tasks.iter().map(String::as_str).collect();
            prop_assert_eq!(named.len(), observed.tasks.len());
            prop_assert_eq!(places.remove(&at).unwrap_or_default(), named);
            prop_assert_eq!(observed.tasks.is_empty(), assessment.elsewhere.contains(&at));
        }
        // Groups add up to the whole, and no open defect hides behind a better answer.
        prop_assert_eq!(assessment.answers.values().sum::<usize>(), 42);
        for answer in Answer::ALL {
            let by_group: usize = assessment.coverage.iter().filter_map(|it| it.answers.get(&answer)).sum();
            prop_assert_eq!(assessment.answers.get(&answer).copied().unwrap_or(0), by_group);
        }
        for task in &assessment.tasks {
            let against = task.counts.contains_key(&Stance::Against);
            prop_assert!(!against || task.answer == Answer::EvidenceAgainst);
        }
        // Out: each once in each format.
        let mut reader = ::csv::ReaderBuilder::new().from_reader(csv_text(&assessment).as_bytes());
        let rows: Vec<::csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
        let finding_rows: Vec<&str> = rows.iter().filter(|row| &row[0] == "finding").map(|row| &row[24]).collect();
        prop_assert_eq!(finding_rows, given.iter().map(|(_, print)| *print).collect::<Vec<_>>());
        prop_assert_eq!(rows.iter().filter(|row| &row[0] == "task").count(), 42);
        let document = markdown(&assessment);
        let page = html(&assessment);
        for at in 1..=given.len() {
            let lines = document.lines().filter(|line| line.starts_with(&format!("- F{at} "))).count();
            prop_assert_eq!((lines, page.matches(&format!("id=\"f{at}\"")).count()), (1, 1), "F{}", at);
        }
        prop_assert_eq!(page.matches("<details class=\"task\"").count(), 42);
        let tests = junit(&assessment);
        prop_assert_eq!(tests.matches("<testcase ").count(), 42 + given.len());
        let results: Value = serde_json::from_str(&assessment_results(&assessment)).expect("JSON");
        let result = &results["assessment-results"]["results"][0];
        let length = |list: &Value| list.as_array().map_or(0, Vec::len);
        let defect = |it: &&harden::evidence::Observed| matches!(it.stance, Stance::Against | Stance::Accepted);
        let defects = assessment.findings.iter().filter(defect).count();
        prop_assert_eq!((length(&result["observations"]), length(&result["risks"])), (given.len(), defects));
        let plan: Value = serde_json::from_str(&plan_of_action(&assessment)).expect("JSON");
        prop_assert_eq!(length(&plan["plan-of-action-and-milestones"]["poam-items"]), defects.max(1));
        let log: Value = serde_json::from_str(&sarif(&assessment, &saved)).expect("JSON");
        let of_runs: usize = log["runs"].as_array().expect("runs").iter().map(|run| length(&run["results"])).sum();
        prop_assert_eq!(of_runs, defects);
        for text in [assessment_results(&assessment), assessment_plan(&assessment), plan_of_action(&assessment)] {
            let ids: Vec<&str> = text.split("\"uuid\": \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
            let several: BTreeSet<&&str> = ids.iter().collect();
            prop_assert_eq!(several.len(), ids.len(), "a UUID stands for two things");
        }
    }
}

fn harden(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_harden"))
        .args(args)
        .current_dir(folder)
        .env("XDG_STATE_HOME", folder)
        .output()
        .expect("harden starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("host.json"), harden::report::json(&sample::ordinary())).expect("written");
    folder
}

#[test]
fn reports_are_written_where_they_are_asked_for() {
    let folder = folder();
    let done = harden(folder.path(), &["report", "host.json", "-f", "csv=r.csv", "-f", "json", "-o", "r.json"]);
    assert!(done.status.success() && done.stdout.is_empty(), "{done:?}");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("written");
    assert!(read("r.csv").starts_with("row,task,"));
    let value: Value = serde_json::from_str(&read("r.json")).expect("JSON");
    assert_eq!(value["tasks"].as_array().map(Vec::len), Some(42));
    let usual = harden(folder.path(), &["report", "host.json"]);
    assert!(text(&usual.stdout).starts_with("# NIST SP 800-218"), "{usual:?}");
}

#[test]
fn a_fresh_audit_is_made_where_no_report_is_given() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("shop/.git")).expect("made");
    std::fs::write(folder.path().join("shop/opencode.json"), "{}\n").expect("written");
    let done = harden(folder.path(), &["report", "--project", "shop", "--scope", "repo", "-f", "json"]);
    assert!(done.status.success(), "{done:?}");
    let made: Assessment = serde_json::from_slice(&done.stdout).expect("JSON");
    assert_eq!(made.audits.len(), 1);
    assert!(made.findings.len() > 20, "{}", made.findings.len());
}

#[test]
fn mistakes_name_the_file_the_line_and_the_next_move() {
    let folder = folder();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    write("bad.json", "{\n  \"version\": 1,\n  \"scope\": \"hunter2\"\n}\n");
    write(
        "bad.yaml",
        "attestations:\n  - task: PO.9.9\n    statement: s\n    owner: o\n    date: 2030-01-01\n    expires: 2030-01-02\n",
    );
    write("own.yaml", "framework: own\ntitle: t\nsource: s\ncontrols:\n  - { id: a, name: n, checks: [MCP-30] }\n");
    write("soon.json", &harden::report::json(&Report { time: "soon".into(), ..sample::ordinary() }));
    for (args, said) in [
        (&["report", "soon.json"][..], &["soon.json", "`time` is no point in time"][..]),
        (&["report", "bad.json"], &["bad.json", "line 3", "harden audit -f json=FILE"]),
        (&["report", "none.json"], &["none.json", "no such file"]),
        (&["report", "host.json", "--attestations", "bad.yaml"], &["bad.yaml:2", "PO.9.9"]),
        (&["report", "host.json", "--framework", "own.yaml"], &["own.yaml:5", "MCP-30", "MCP-03"]),
        (&["report", "host.json", "--framework", "ssdf"], &["ssdf-1.1"]),
        (&["report", "host.json", "--scope", "repo"], &["--scope", "fresh audit"]),
        (&["report", "host.json", "-f", "md", "-f", "csv"], &["two formats"]),
        (&["report", "host.json", "-f", "md=a.md", "-f", "csv=b.csv", "-o", "c"], &["--output"]),
    ] {
        let done = harden(folder.path(), args);
        let text = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{args:?}: {text}");
        assert!(said.iter().all(|word| text.contains(word)) && !text.contains("hunter2"), "{args:?}: {text}");
    }
}

#[test]
fn every_framework_makes_a_report_with_every_control() {
    let folder = folder();
    for name in harden::catalog::framework_names() {
        let done = harden(folder.path(), &["report", "host.json", "--framework", name, "-f", "json"]);
        let made: Assessment = serde_json::from_slice(&done.stdout).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(made.tasks.len(), framework(name).controls.len());
    }
}

#[test]
fn the_command_that_verifies_a_control_is_one_that_harden_takes() {
    use clap::Parser as _;
    for name in harden::catalog::framework_names() {
        for task in assessment(&framework(name), &[], &[]).tasks.iter().filter(|task| !task.verify.is_empty()) {
            let words = task.verify.split(' ');
            harden::cli::Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{}: {error}", task.verify));
        }
    }
}

#[test]
fn thirty_thousand_findings_and_none_are_written_in_full() {
    let huge = assessment(&bare("ssdf-1.1"), &[kept("huge.json", &sample::huge())], &[]);
    assert_eq!(csv(&huge).lines().count(), 1 + 42 + 30_000);
    assert_eq!(markdown(&huge).lines().filter(|line| line.starts_with("- F")).count(), 30_000);
    let length = |text: String| text.matches("<testcase ").count();
    assert_eq!(length(junit(&huge)), 42 + 30_000);
    assert_eq!(html(&huge).matches("<details class=\"finding\"").count(), 30_000);
    let empty = assessment(&bare("ssdf-1.1"), &[kept("empty.json", &sample::empty())], &[]);
    assert!(empty.answers.keys().all(|answer| matches!(answer, Answer::NotAssessed | Answer::NotObservable)));
}

#[test]
fn code_scanning_gets_no_more_than_it_takes() {
    let huge = [kept("huge.json", &sample::huge())];
    let log: Value = serde_json::from_str(&sarif(&assessment(&bare("ssdf-1.1"), &huge, &[]), &huge)).expect("JSON");
    let run = &log["runs"][0];
    assert_eq!(run["results"].as_array().map(Vec::len), Some(25_000));
    assert_eq!(run["taxonomies"][0]["taxa"].as_array().map(Vec::len), Some(42));
    assert_eq!(run["results"][0]["taxa"][0]["id"], "PO.5.1");
    let many: Vec<_> = (0..23)
        .map(|at| kept(&format!("{at}.json"), &Report { project: format!("/srv/{at}"), ..sample::ordinary() }))
        .collect();
    let log: Value = serde_json::from_str(&sarif(&assessment(&bare("ssdf-1.1"), &many, &[]), &many)).expect("JSON");
    let runs = log["runs"].as_array().expect("runs");
    let categories: BTreeSet<&str> = runs.iter().filter_map(|run| run["automationDetails"]["id"].as_str()).collect();
    assert_eq!((runs.len(), categories.len()), (20, 20), "two runs of one category would replace each other");
    assert!(runs[19]["invocations"].to_string().contains("3 audits are left out"));
}
