//! Every figure of a report is counted again by a script that shares nothing with the program: `tests/evidence/recount.py`.
//! Where there is no python3 the test is skipped, and says so.

#[path = "evidence/made.rs"]
mod made;
#[path = "report/sample.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod sample;

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use harden::evidence::{csv, html, json, markdown};
use harden::report::Report;
use made::{assessment, attestation, bare, framework, kept};

#[test]
fn a_script_of_its_own_counts_the_same() {
    if Command::new("python3").arg("--version").output().is_err() {
        // Past the capture of the harness: a skipped test has to be seen.
        let _ = writeln!(std::io::stderr(), "skipped: python3 is missing");
        return;
    }
    let mut other = sample::ordinary();
    other.project = "/srv/other".into();
    other.findings.iter_mut().step_by(2).for_each(|it| it.status = harden::model::Status::Pass);
    let given = [attestation("PO.2.2", "2029-06-01", "2030-06-01"), attestation("PO.2.3", "2028-06-01", "2029-06-01")];
    let cases: [(&str, &[Report]); 4] = [
        ("ssdf-1.1", &[sample::ordinary()]),
        ("ssdf-1.1", &[sample::ordinary(), other]),
        ("ssdf-218a", &[sample::hostile()]),
        ("checklist", &[sample::ordinary()]),
    ];
    for (name, reports) in cases {
        for framework in [framework(name), bare_where_it_can_be(name)] {
            let folder = tempfile::tempdir().expect("a folder");
            let write = |name: &str, text: &str| {
                let file = folder.path().join(name);
                std::fs::write(&file, text).expect("written");
                file
            };
            let saved: Vec<_> = reports.iter().enumerate().map(|(at, it)| kept(&at.to_string(), it)).collect();
            let given = if name.starts_with("ssdf") { &given[..] } else { &[] };
            let assessment = assessment(&framework, &saved, given);
            let mut files = vec![
                write("report.json", &json(&assessment)),
                write("report.html", &html(&assessment)),
                write("report.md", &markdown(&assessment)),
                write("report.csv", &csv(&assessment)),
            ];
            files.extend(
                reports.iter().enumerate().map(|(at, it)| write(&format!("{at}.json"), &harden::report::json(it))),
            );
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/evidence/recount.py");
            let done = Command::new("python3").arg(script).args(files).output().expect("python3 starts");
            let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
            assert!(done.status.success(), "{name}: {said}");
        }
    }
}

/// Without our mapping, where the framework names no check itself.
fn bare_where_it_can_be(name: &str) -> harden::model::Framework {
    if name == "ssdf-1.1" { bare(name) } else { framework(name) }
}
