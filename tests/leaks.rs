//! What the formats of `harden scan` promise, on findings made by hand: hostile names, and thirty thousand of them.

use std::collections::BTreeSet;

use gitleaks_rs::{Commit, Confidence, Context, Encoding, Finding, Problem};
use harden::report::{Leaks, Standing, leaks_github, leaks_json, leaks_junit, leaks_sarif};
use serde_json::Value;

const TIME: &str = "2026-01-02T03:04:05";
const HOSTILE: &str = "a\u{1b}[2J\r\n::error::b]](x) <>&\"'`\u{202e} c%d#e?f]]>.zip!../../é/漢";

fn finding(path: &str, number: u32) -> Finding {
    Finding {
        rule: "github-pat".into(),
        description: "GitHub as a person, classic token".into(),
        path: path.into(),
        line: number + 1,
        column: 8,
        end_line: number + 1,
        offset: 7,
        length: 40,
        entropy: 4.5,
        confidence: Confidence::High,
        encodings: vec![Encoding::Escaped],
        context: Context::Test,
        place: None,
        commit: None,
        hash: "0011223344556677".into(),
        fingerprint: format!("{path}:github-pat:{}", number + 1),
        stable: format!("{number:016x}-2"),
        rotate: Some("https://github.com/settings/tokens".into()),
        allowed: false,
        also: vec!["gitleaks".into()],
    }
}

fn hostile() -> Leaks {
    let commit = Commit { id: "ab".repeat(20), subject: HOSTILE.into(), author: HOSTILE.into(), ..Commit::default() };
    let other =
        |rule: &str, confidence| Finding { rule: rule.into(), confidence, ..finding(HOSTILE, rule.len() as u32) };
    let findings = vec![
        (finding(HOSTILE, 0), Standing::Open),
        (finding("/home/dev/state/a b.json", 1), Standing::Known),
        (Finding { commit: Some(commit), ..finding("src/a.rs", 2) }, Standing::Accepted(Some(HOSTILE.into()))),
        (Finding { line: 0, end_line: 0, column: 0, ..other(HOSTILE, Confidence::Low) }, Standing::Credential),
        (Finding { allowed: true, ..other("generic-password", Confidence::Medium) }, Standing::Accepted(None)),
        (Finding { end_line: 99, ..other("private-key", Confidence::High) }, Standing::Open),
    ];
    let problems = vec![Problem { path: HOSTILE.into(), why: HOSTILE.into(), kind: std::io::ErrorKind::InvalidData }];
    Leaks { findings, problems, scanned: HOSTILE.into() }
}

fn huge() -> Leaks {
    let findings = (0..30_000).map(|number| (finding(&format!("src/{number}.rs"), number), Standing::Open)).collect();
    Leaks { findings, scanned: "30000 files".into(), ..Leaks::default() }
}

fn run(leaks: &Leaks) -> Value {
    let log: Value = serde_json::from_str(&leaks_sarif(leaks)).expect("JSON");
    log["runs"][0].clone()
}

#[test]
fn code_scanning_gets_what_it_demands_under_our_names() {
    let run = run(&hostile());
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "harden");
    for rule in driver["rules"].as_array().expect("rules") {
        for text in [&rule["shortDescription"]["text"], &rule["fullDescription"]["text"], &rule["help"]["text"]] {
            let text = text.as_str().expect("a text");
            assert!(!text.is_empty() && text.chars().count() <= 1024, "{text}");
        }
        let severity: f32 = rule["properties"]["security-severity"].as_str().expect("text").parse().expect("number");
        assert!((0.1..=10.0).contains(&severity));
    }
    let results = run["results"].as_array().expect("results");
    let levels: Vec<&str> = results.iter().filter_map(|result| result["level"].as_str()).collect();
    assert_eq!(levels, ["error", "error", "error", "note", "warning", "error"]);
    let suppressed: Vec<&str> =
        results.iter().map(|result| result["suppressions"][0]["kind"].as_str().unwrap_or("")).collect();
    assert_eq!(suppressed, ["", "", "external", "external", "inSource", ""]);
    assert_eq!(results[1]["baselineState"], "unchanged");
    let mut hashes = BTreeSet::new();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("index")).expect("small");
        assert_eq!(driver["rules"][index]["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().expect("uri");
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/%".contains(c);
        let whole = uri.strip_prefix("file:///").unwrap_or(uri);
        assert!(!whole.is_empty() && !whole.starts_with('/') && whole.chars().all(plain), "{uri}");
        assert_eq!(uri.starts_with("file:"), place["artifactLocation"].get("uriBaseId").is_none(), "{uri}");
        let field = |name: &str| place["region"][name].as_u64().expect("a number");
        let (start, end) = ((field("startLine"), field("startColumn")), (field("endLine"), field("endColumn")));
        assert!(start >= (1, 1) && start < end, "{start:?} {end:?}");
        assert!(hashes.insert(result["partialFingerprints"]["primaryLocationLineHash"].to_string()));
    }
    let help = driver["rules"].to_string();
    assert!(help.contains("revoke it at https://github.com/settings/tokens"), "{help}");
    assert_eq!(run["invocations"][0]["toolExecutionNotifications"].as_array().map(Vec::len), Some(1));
}

#[test]
fn no_name_steers_a_reader() {
    fn steers(c: char) -> bool {
        (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}')
    }
    fn texts(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::String(text) => found.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
            Value::Object(map) => map.values().for_each(|item| texts(item, found)),
            _ => {}
        }
    }
    let leaks = hostile();
    let mut found = Vec::new();
    texts(&run(&leaks), &mut found);
    assert!(found.iter().all(|text| !text.contains(steers)), "{found:?}");
    for text in [leaks_junit(&leaks, TIME), leaks_github(&leaks)] {
        assert!(!text.contains(steers), "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("::error::b")), "{text}");
    }
}

#[test]
fn test_results_are_well_formed_and_counted() {
    let text = leaks_junit(&hostile(), TIME);
    let mut reader = quick_xml::Reader::from_str(&text);
    let (mut names, mut suite) = (Vec::new(), String::new());
    loop {
        match reader.read_event().expect("well-formed") {
            quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                let attributes: Vec<_> = tag.attributes().map(|one| one.expect("well-formed")).collect();
                if tag.name().as_ref() == "testsuite" {
                    suite = attributes.iter().map(|one| format!("{}={} ", one.key.as_ref(), one.value)).collect();
                }
                names.push(tag.name().as_ref().to_owned());
            }
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    let count = |name: &str| names.iter().filter(|one| *one == name).count();
    assert_eq!((count("testcase"), count("failure"), count("skipped"), count("error")), (7, 2, 4, 1), "{text}");
    let counts = "tests=7 failures=2 errors=1 skipped=4 ";
    assert!(suite.contains(counts) && suite.contains(&format!("timestamp={TIME} ")), "{suite}");
    assert!(leaks_junit(&Leaks::default(), TIME).contains("tests=\"0\""));
}

#[test]
fn thirty_thousand_findings_are_as_many_results_as_code_scanning_takes() {
    let text = leaks_sarif(&huge());
    // So that what is uploaded stays far below its limit even before it is compressed.
    assert!(text.len() < 48 << 20, "{}", text.len());
    let log: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(log["runs"][0]["results"].as_array().map(Vec::len), Some(25_000));
    let notes = log["runs"][0]["invocations"][0]["toolExecutionNotifications"].to_string();
    assert!(notes.contains("5000 findings, the least sure, are left out"), "{notes}");
}

#[test]
fn thirty_thousand_findings_are_as_many_cases_and_objects() {
    let leaks = huge();
    assert_eq!(leaks_junit(&leaks, TIME).matches("<testcase ").count(), 30_000);
    let list: Vec<Value> = serde_json::from_str(&leaks_json(&leaks)).expect("JSON");
    assert_eq!(list.len(), 30_000);
}
