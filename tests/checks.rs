//! Runs every case of `fixtures/checks/<id>/<case>.<status>/`, that check only, and compares what is said with
//! `finding.txt` beside it. `UPDATE=1 cargo test --test checks` writes those files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use harden::catalog::{self, Request, Types};
use harden::check;
use harden::facts::{self, subject};
use harden::host::{FixtureHost, Host};
use harden::model::{Check, Finding, Scope, Status};
use rayon::prelude::*;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/checks");

struct Case {
    check: String,
    folder: PathBuf,
    expected: Status,
}

fn cases() -> Vec<Case> {
    let folders = |path: &Path| {
        let mut all: Vec<PathBuf> =
            fs::read_dir(path).expect("readable").map(|e| e.expect("readable").path()).collect();
        all.sort();
        all
    };
    folders(Path::new(CASES))
        .into_iter()
        .flat_map(|check| folders(&check).into_iter().map(move |folder| (check.clone(), folder)))
        .map(|(check, folder)| Case { check: name(&check), expected: status(&folder), folder })
        .collect()
}

fn name(path: &Path) -> String {
    path.file_name().expect("named").to_string_lossy().into_owned()
}

fn status(folder: &Path) -> Status {
    match folder.extension().and_then(|end| end.to_str()) {
        Some("pass") => Status::Pass,
        Some("fail") => Status::Fail,
        Some("unknown") => Status::Unknown,
        Some("na") => Status::NotApplicable,
        _ => panic!("{}: end the name in .pass, .fail, .unknown or .na", folder.display()),
    }
}

fn audit(case: &Case, checks: &BTreeMap<String, Arc<Check>>) -> Vec<Finding> {
    let host = FixtureHost::load(&case.folder).unwrap_or_else(|error| panic!("{error}"));
    let request =
        Request { only: vec![case.check.clone()], scope: host.scope.or(Some(Scope::Host)), ..Request::default() };
    let mut policy = catalog::policy(checks, &request, catalog::today())
        .unwrap_or_else(|error| panic!("{}: {error}", case.folder.display()));
    policy.parameters.0.extend(host.parameters.clone());
    let agent = catalog::agent(host.agent.as_deref().unwrap_or("opencode")).unwrap_or_else(|error| panic!("{error}"));
    let id = agent.agent.clone();
    let subject = subject::settle(&host, agent, &policy.parameters, policy.scope, &host.cwd).expect("settles");
    let (facts, _) = facts::gather(&host, &[subject], &check::needed_probes(&policy));
    check::findings(&policy, host.os(), &[id], &facts)
}

/// What a reader of the case wants to see: outcome, message, evidence with its place.
fn story(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        let subject = finding.subject.as_deref().map(|s| format!(" [{s}]")).unwrap_or_default();
        out.push_str(&format!("{}{subject}: {}\n", finding.status.name(), finding.message));
        for evidence in &finding.evidence {
            let at = evidence.at.as_ref().map(|at| format!("  ({at})")).unwrap_or_default();
            out.push_str(&format!("    {} = {}{at}\n", evidence.fact, evidence.value));
        }
        for unseen in &finding.unseen {
            out.push_str(&format!("    -> {}\n", unseen.how));
        }
        if finding.status == Status::Fail {
            out.push_str(&format!("    next: {}\n", finding.remediation));
        }
    }
    out
}

#[test]
fn every_case_ends_as_its_name_says() {
    let checks = catalog::checks(&Types::default()).unwrap_or_else(|error| panic!("{error}"));
    let update = std::env::var_os("UPDATE").is_some();
    let cases = cases();
    assert!(!cases.is_empty());
    let wrong: Vec<String> = cases
        .par_iter()
        .filter_map(|case| {
            let findings = audit(case, &checks);
            let story = story(&findings);
            let worst = findings.iter().map(|finding| finding.status).min();
            if worst != Some(case.expected) {
                return Some(format!("{}: expected {}\n{story}", case.folder.display(), case.expected.name()));
            }
            let file = case.folder.join("finding.txt");
            if update {
                fs::write(&file, &story).expect("writable");
                return None;
            }
            let recorded = fs::read_to_string(&file).unwrap_or_default();
            (recorded != story)
                .then(|| format!("{}: says\n{story}but finding.txt has\n{recorded}", case.folder.display()))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// A proposal whose holes stay empty, or whose condition never holds, would be dropped without a word.
#[test]
fn every_fix_is_proposed_in_a_failing_case() {
    let checks = catalog::checks(&Types::default()).unwrap_or_else(|error| panic!("{error}"));
    let cases = cases();
    for check in checks.values().filter(|check| !check.fix.is_empty()) {
        let failing = cases.iter().filter(|case| case.check == check.id && case.expected == Status::Fail);
        let wishes: Vec<_> = failing.flat_map(|case| audit(case, &checks)).flat_map(|finding| finding.fix).collect();
        for proposal in &check.fix {
            let mut made = wishes.iter().filter(|wish| wish.form == proposal.form.name);
            assert!(made.next().is_some(), "{}: no failing case proposes `{}`", check.id, proposal.source);
        }
        for wish in &wishes {
            let is_said = |value: &serde_json::Value| match value.as_array() {
                Some(items) => {
                    !items.is_empty() && items.iter().all(|item| item.as_str().is_some_and(|text| !text.is_empty()))
                }
                None => value.as_str().is_some_and(|text| !text.is_empty()),
            };
            assert!(wish.fields.values().all(is_said), "{}: {wish:?}", check.id);
        }
    }
}
