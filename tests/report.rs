//! What the formats promise, on reports made by hand. `UPDATE=1 cargo test --test report` writes the recorded ones.

#[path = "report/sample.rs"]
mod sample;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use harden::model::{Finding, Status};
use harden::report::{Look, Report, csv, github, json, junit, markdown, report_schema, sarif, summary, table};
use serde_json::Value;

const WIDTHS: [u16; 5] = [40, 60, 80, 120, 200];

fn look(width: u16) -> Look {
    Look { width, colour: false, verbose: 0, quiet: false }
}

fn loud(width: u16) -> Look {
    Look { verbose: 2, ..look(width) }
}

/// Each format by name.
fn formats(report: &Report) -> Vec<(&'static str, String)> {
    vec![
        ("table", table(report, look(80))),
        ("table -vv", table(report, loud(80))),
        ("json", json(report)),
        ("sarif", sarif(report)),
        ("junit", junit(report)),
        ("csv", csv(report)),
        ("github", github(report)),
        ("markdown", markdown(report)),
    ]
}

/// Compares with a file under tests/report.
fn recorded(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, text).expect("writable");
    }
    let was = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(was == text, "tests/report/{name} differs; UPDATE=1 writes it. Now:\n{text}");
}

#[test]
fn an_ordinary_report_reads_as_recorded() {
    let report = sample::ordinary();
    for width in WIDTHS {
        recorded(&format!("table-{width}.txt"), &table(&report, look(width)));
    }
    recorded("table-verbose.txt", &table(&report, loud(120)));
    recorded("table-colour.txt", &table(&report, Look { colour: true, ..look(80) }));
    for (name, text) in [
        ("report.json", json(&report)),
        ("report.sarif", sarif(&report)),
        ("junit.xml", junit(&report)),
        ("report.csv", csv(&report)),
        ("github.txt", github(&report)),
        ("comment.md", markdown(&report)),
    ] {
        recorded(name, &text);
    }
}

#[test]
fn an_empty_report_says_that_nothing_ran() {
    let report = sample::empty();
    for (name, text) in formats(&report) {
        assert!(!text.is_empty(), "{name}");
    }
    assert!(summary(&report).contains("no check ran"));
    assert_eq!(sarif_results(&report).len(), 0);
}

#[test]
fn no_line_of_the_table_is_wider_than_the_terminal() {
    for report in [sample::ordinary(), sample::hostile(), sample::empty()] {
        for width in WIDTHS {
            for look in [look(width), loud(width)] {
                for line in table(&report, look).lines() {
                    // Wide characters take two columns; only the hostile names have some.
                    let columns = line.chars().map(|c| if ('漢'..='漢').contains(&c) || c == '字' { 2 } else { 1 });
                    // A command taken apart is longer than it was.
                    let slack = 5 * (line.matches("\\u{3a}").count() + line.matches("\\u{23}").count());
                    assert!(columns.sum::<usize>() <= usize::from(width) + slack, "{width}: {line}");
                }
            }
        }
    }
}

#[test]
fn only_terminals_get_escape_codes() {
    let report = sample::ordinary();
    assert!(table(&report, Look { colour: true, ..look(80) }).contains("\u{1b}["));
    for (name, text) in formats(&report) {
        assert!(!text.contains('\u{1b}'), "{name}");
    }
}

#[test]
fn quiet_is_one_line() {
    let text = table(&sample::ordinary(), Look { quiet: true, ..look(80) });
    assert_eq!(text.lines().count(), 1);
    assert!(text.starts_with("7 failing (2 critical, 4 high, 1 low) · 3 could not be told"), "{text}");
}

/// Control and direction characters; a line break ends a line and is no part of a name.
fn steers(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[test]
fn no_name_steers_a_terminal() {
    for (name, text) in formats(&sample::hostile()) {
        assert!(!text.replace("\r\n", "\n").contains(steers), "{name}");
    }
    fn texts(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::String(text) => found.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
            Value::Object(map) => map.values().for_each(|item| texts(item, found)),
            _ => {}
        }
    }
    for text in [json(&sample::hostile()), sarif(&sample::hostile())] {
        let mut found = Vec::new();
        texts(&serde_json::from_str(&text).expect("JSON"), &mut found);
        assert!(!found.iter().any(|text| text.replace("\n\n", "").contains(|c: char| c.is_control())));
    }
}

#[test]
fn no_name_is_a_command_to_a_runner() {
    let report = sample::hostile();
    for (name, text) in formats(&report) {
        if name == "json" || name == "sarif" {
            continue; // Their lines start with quotes and brackets.
        }
        for line in text.lines() {
            let ours =
                name == "github" && ["::error ", "::warning ", "::notice "].iter().any(|start| line.starts_with(start));
            assert!(ours || !line.trim_start().starts_with("::"), "{name}: {line}");
            assert!(name == "junit" || name == "csv" || name == "markdown" || !line.contains("##["), "{name}: {line}");
        }
    }
    let expected = report.count(Status::Fail) + report.problems.len();
    let commands = github(&report).lines().filter(|line| line.starts_with("::")).count();
    assert!(commands >= expected, "{commands} of {expected}");
    // One line each, and the summary.
    assert_eq!(github(&report).lines().count(), commands + 1);
}

#[test]
fn no_cell_is_a_formula() {
    let text = csv(&sample::hostile());
    let mut reader = csv_reader(&text);
    let mut rows = 0;
    for record in reader.records() {
        rows += 1;
        for cell in &record.expect("a row") {
            assert!(!cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '\t']), "{cell}");
        }
    }
    assert_eq!(rows, sample::hostile().findings.len());
}

fn csv_reader(text: &str) -> ::csv::Reader<&[u8]> {
    ::csv::Reader::from_reader(text.as_bytes())
}

#[test]
fn no_name_is_markup_in_a_comment() {
    let text = markdown(&sample::hostile());
    let ours = [
        "<!-- harden audit -->",
        "</details>",
        "</summary>",
        "<details><summary>",
        "<br>",
        "**critical**",
        "**high**",
        "**medium**",
        "**low**",
    ];
    for line in text.lines() {
        let mut outside = without_spans(line);
        for mark in ours {
            outside = outside.replace(mark, "");
        }
        assert!(!outside.contains(['<', '>', '@', '|', '*', '_', '~', '!', '\\', '`']), "{line}\n{outside}");
        assert!(!outside.contains("://") && !outside.contains("www."), "{line}");
        assert!(!outside.contains("]("), "{line}");
        let start = line.trim_start();
        assert!(
            start.is_empty() || ["- ", "### ", "#### ", "<", "`", "…"].iter().any(|begin| start.starts_with(begin)),
            "{line}"
        );
    }
    assert_eq!(text.matches("\n<details>").count(), text.matches("\n</details>").count());
}

/// A line with its code spans taken out.
fn without_spans(line: &str) -> String {
    assert_eq!(line.matches('`').count() % 2, 0, "{line}");
    line.split('`').step_by(2).collect()
}

#[test]
fn test_results_are_well_formed() {
    for report in [sample::hostile(), sample::ordinary(), sample::empty()] {
        let text = junit(&report);
        let mut reader = quick_xml::Reader::from_str(&text);
        let mut cases = 0;
        loop {
            match reader.read_event().expect("well-formed") {
                quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                    cases += usize::from(tag.name().as_ref() == "testcase");
                    assert!(tag.attributes().all(|attribute| attribute.is_ok()));
                }
                quick_xml::events::Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(cases, report.findings.len());
    }
}

fn sarif_run(report: &Report) -> Value {
    let log: Value = serde_json::from_str(&sarif(report)).expect("JSON");
    log["runs"][0].clone()
}

fn sarif_results(report: &Report) -> Vec<Value> {
    sarif_run(report)["results"].as_array().expect("results").clone()
}

#[test]
fn code_scanning_gets_what_it_demands() {
    for report in [sample::ordinary(), sample::hostile()] {
        let run = sarif_run(&report);
        for rule in run["tool"]["driver"]["rules"].as_array().expect("rules") {
            for text in [&rule["shortDescription"]["text"], &rule["fullDescription"]["text"], &rule["help"]["text"]] {
                let text = text.as_str().expect("a text");
                assert!(!text.is_empty() && text.chars().count() <= 1024, "{text}");
            }
            let severity: f32 =
                rule["properties"]["security-severity"].as_str().expect("text").parse().expect("number");
            assert!((0.1..=10.0).contains(&severity));
            let tags = rule["properties"]["tags"].as_array().expect("tags");
            assert!(tags.len() <= 10 && tags[0] == "security");
        }
        let mut hashes = BTreeSet::new();
        for result in run["results"].as_array().expect("results") {
            let index = usize::try_from(result["ruleIndex"].as_u64().expect("index")).expect("small");
            assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
            let locations = result["locations"].as_array().expect("locations");
            assert_eq!(locations.len(), 1);
            let place = &locations[0]["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().expect("uri");
            let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/%".contains(c);
            assert!(!uri.is_empty() && !uri.starts_with('/') && uri.chars().all(plain), "{uri}");
            for field in ["startLine", "startColumn", "endLine", "endColumn"] {
                assert!(place["region"][field].as_u64().is_some_and(|number| number > 0), "{field}");
            }
            assert!(result["partialFingerprints"]["primaryLocationLineHash"].is_string());
            assert!(hashes.insert(result["partialFingerprints"]["primaryLocationLineHash"].to_string()));
        }
    }
}

#[test]
fn findings_come_in_the_same_order_everywhere() {
    let report = sample::ordinary();
    let order: Vec<&Finding> = report.findings.iter().collect();
    let prints: Vec<&str> = order.iter().map(|finding| finding.fingerprint.as_str()).collect();
    let rows: Vec<String> = csv_reader(&csv(&report)).records().map(|row| row.expect("a row")[16].to_owned()).collect();
    assert_eq!(rows, prints);
    let results = sarif_results(&report);
    let hashes: Vec<&str> = results
        .iter()
        .filter_map(|result| result["partialFingerprints"]["primaryLocationLineHash"].as_str()?.strip_suffix(":1"))
        .collect();
    let shown = |statuses: &[Status]| -> Vec<&Finding> {
        order.iter().copied().filter(|finding| statuses.contains(&finding.status)).collect()
    };
    let expected: Vec<&str> =
        shown(&[Status::Fail, Status::Waived, Status::Known]).iter().map(|f| f.fingerprint.as_str()).collect();
    assert_eq!(hashes, expected);
    let failing = shown(&[Status::Fail]);
    for (name, text) in
        [("table", table(&report, look(200))), ("github", github(&report)), ("markdown", markdown(&report))]
    {
        // The failures' part of a page; the checklist quotes messages too.
        let text = if name == "markdown" { text.split("What failed").nth(1).expect("part").to_owned() } else { text };
        let mut from = 0;
        for finding in &failing {
            let found = text[from..].find(&finding.message);
            from += found.unwrap_or_else(|| panic!("{name}: {} is missing or out of order", finding.message));
        }
    }
}

/// Thirty thousand findings, made once.
static HUGE: LazyLock<Report> = LazyLock::new(sample::huge);

#[test]
fn thirty_thousand_findings_fit_into_a_comment() {
    let comment = markdown(&HUGE);
    assert!(comment.chars().count() <= 65_536);
    assert!(comment.contains("more left out"));
}

#[test]
fn thirty_thousand_findings_are_a_short_page() {
    let page = table(&HUGE, look(80));
    assert!(page.lines().count() < 100);
    assert!(page.contains("and 29992 more of these"));
}

/// As much of a log as tells how many results there are, read without keeping them.
#[derive(serde::Deserialize)]
struct Log {
    runs: Vec<Run>,
}

#[derive(serde::Deserialize)]
struct Run {
    results: Vec<serde::de::IgnoredAny>,
    invocations: Value,
}

#[test]
fn thirty_thousand_findings_are_as_many_results_as_code_scanning_takes() {
    let log: Log = serde_json::from_str(&sarif(&HUGE)).expect("JSON");
    assert_eq!(log.runs[0].results.len(), 25_000);
    let notes = log.runs[0].invocations[0]["toolExecutionNotifications"].to_string();
    assert!(notes.contains("5000 findings, the least severe, are left out"), "{notes}");
}

#[test]
fn thirty_thousand_findings_are_as_many_rows() {
    assert_eq!(csv(&HUGE).lines().count(), 30_001);
}

#[test]
fn thirty_thousand_findings_are_as_many_annotations() {
    assert_eq!(github(&HUGE).lines().count(), 30_001);
}

#[test]
fn a_comment_that_is_cut_still_closes_what_it_opened() {
    let mut report = HUGE.clone();
    for (at, finding) in report.findings.iter_mut().enumerate() {
        finding.status = [Status::Fail, Status::Unknown, Status::Waived, Status::Pass][at * 4 / 30_000];
    }
    let text = markdown(&report);
    assert!(text.chars().count() <= 65_536);
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
}

#[test]
fn the_published_schema_is_current_and_fits_what_is_written() {
    let schema = report_schema();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/report.schema.json");
    let text = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &text).expect("writable");
    }
    let published = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(published == text, "schemas/report.schema.json is old; UPDATE=1 writes it");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for report in [sample::ordinary(), sample::hostile(), sample::empty()] {
        let value: Value = serde_json::from_str(&json(&report)).expect("JSON");
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
}

#[test]
fn a_saved_report_reads_back_and_says_the_same() {
    let report = sample::ordinary();
    let saved: Report = serde_json::from_str(&json(&report)).expect("reads");
    for ((name, fresh), (_, again)) in formats(&report).into_iter().zip(formats(&saved)) {
        assert_eq!(fresh, again, "{name}");
    }
}

#[test]
fn a_report_is_its_own_baseline() {
    let report = sample::ordinary();
    let known = harden::report::known(&json(&report)).expect("reads");
    let mut findings = report.findings.clone();
    harden::check::apply_baseline(&known, &mut findings);
    assert!(findings.iter().all(|finding| finding.status != Status::Fail));
}
