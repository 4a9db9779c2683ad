//! What OSCAL's own tools, and published schemas, say of the documents. Needs `trestle` (PyPI: compliance-trestle) on the
//! PATH, or named by HARDEN_TRESTLE, and schemas below the folder that HARDEN_SCHEMAS names (OSCAL 1.2.1, SARIF 2.1.0,
//! JUnit); where one is missing its test is skipped, and says so. Nothing is fetched.

#[path = "evidence/made.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod made;
#[path = "report/sample.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod sample;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use harden::evidence::{
    Assessment, assessment_plan, assessment_results, component_definition, junit, plan_of_action, sarif,
};
use made::{assessment, attestation, framework, kept};

/// Each kind with its folder and file in a workspace of trestle.
type Kind = (&'static str, &'static str, fn(&Assessment) -> String);
const KINDS: &[Kind] = &[
    ("assessment-results", "assessment-results", assessment_results),
    ("assessment-plans", "assessment-plan", assessment_plan),
    ("component-definitions", "component-definition", component_definition),
    ("plan-of-action-and-milestones", "plan-of-action-and-milestones", plan_of_action),
];

fn trestle() -> Option<PathBuf> {
    let named = std::env::var_os("HARDEN_TRESTLE").map(PathBuf::from);
    let paths = std::env::var_os("PATH").unwrap_or_default();
    named.or_else(|| std::env::split_paths(&paths).map(|folder| folder.join("trestle")).find(|file| file.is_file()))
}

fn run(trestle: &Path, folder: &Path, args: &[&str]) -> (bool, String) {
    let done = Command::new(trestle).args(args).current_dir(folder).output().expect("trestle starts");
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    (done.status.success(), said)
}

/// Assessments of every sort.
fn assessments() -> Vec<(&'static str, Assessment)> {
    let given = [attestation("PO.2.2", "2029-06-01", "2030-06-01"), attestation("PO.2.3", "2028-06-01", "2029-06-01")];
    vec![
        ("ordinary", assessment(&framework("ssdf-1.1"), &[kept("host.json", &sample::ordinary())], &given)),
        (
            "hostile",
            assessment(
                &framework("ssdf-1.1"),
                &[kept("a.json", &sample::hostile()), kept("b.json", &sample::ordinary())],
                &[],
            ),
        ),
        ("empty", assessment(&framework("ssdf-1.1"), &[kept("empty.json", &sample::empty())], &[])),
        ("none", assessment(&framework("checklist"), &[], &[])),
        ("lines", assessment(&framework("checklist"), &[kept("host.json", &sample::ordinary())], &[])),
        ("model", assessment(&framework("ssdf-218a"), &[kept("host.json", &sample::ordinary())], &given)),
    ]
}

#[test]
fn trestle_takes_every_document() {
    let Some(trestle) = trestle() else {
        // Past the capture of the harness: a skipped test has to be seen.
        let _ = writeln!(std::io::stderr(), "skipped: trestle is missing (pip install compliance-trestle)");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let (made, said) = run(&trestle, folder.path(), &["init", "--local"]);
    assert!(made, "{said}");
    let assessments = assessments();
    for (name, assessment) in &assessments {
        for (folder_name, file, text) in KINDS {
            let place = folder.path().join(folder_name).join(name);
            std::fs::create_dir_all(&place).expect("made");
            std::fs::write(place.join(format!("{file}.json")), text(assessment)).expect("written");
        }
    }
    let (fine, said) = run(&trestle, folder.path(), &["validate", "--all"]);
    assert!(fine && !said.contains("INVALID"), "{said}");
    let validated = said.matches("VALID:").count();
    assert_eq!(validated, assessments.len() * KINDS.len(), "{said}");
}

/// The published schemas of these names, wherever below HARDEN_SCHEMAS they lie; says so where there are none.
fn schemas(name: &str) -> Vec<PathBuf> {
    let folder = std::env::var_os("HARDEN_SCHEMAS").map(PathBuf::from);
    let files = folder.iter().flat_map(|folder| walkdir::WalkDir::new(folder).sort_by_file_name());
    let files = files.filter_map(|entry| Some(entry.ok()?.into_path()));
    let named = |file: &PathBuf| file.file_name().is_some_and(|it| it.to_string_lossy().starts_with(name));
    let found: Vec<PathBuf> = files.filter(named).collect();
    if found.is_empty() {
        let _ = writeln!(std::io::stderr(), "skipped: no {name} below HARDEN_SCHEMAS");
    }
    found
}

/// A validator of the first schema of this name that compiles: one copy of SARIF's has a broken expression.
fn validator(name: &str) -> Option<jsonschema::Validator> {
    let files = schemas(name);
    let read = |file: &PathBuf| serde_json::from_slice(&std::fs::read(file).expect("readable")).expect("JSON");
    let compiled = files.iter().find_map(|file| jsonschema::validator_for(&read(file)).ok());
    assert!(files.is_empty() || compiled.is_some(), "{name}: no schema compiles");
    compiled
}

fn holds(validator: &jsonschema::Validator, name: &str, text: &str) {
    let value = serde_json::from_str(text).expect("JSON");
    let errors: Vec<String> =
        validator.iter_errors(&value).map(|error| format!("{} {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{name}: {}", errors.join("\n"));
}

#[test]
fn published_schemas_take_every_document() {
    for (file, (_, _, text)) in ["assessment-results", "assessment-plan", "component", "poam"].iter().zip(KINDS) {
        let Some(validator) = validator(&format!("oscal_{file}_schema.json")) else { return };
        assessments().iter().for_each(|(name, assessment)| holds(&validator, name, &text(assessment)));
    }
}

#[test]
fn the_published_schema_of_sarif_takes_every_log() {
    let Some(validator) = validator("sarif-schema-2.1.0") else { return };
    for report in [sample::ordinary(), sample::hostile(), sample::empty()] {
        let saved = [kept("host.json", &report)];
        holds(&validator, "sarif", &sarif(&assessment(&framework("ssdf-1.1"), &saved, &[]), &saved));
    }
}

#[test]
fn the_strict_schema_of_junit_takes_every_result() {
    let Some(schema) = schemas("JUnit.xsd").into_iter().next() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    for (name, assessment) in assessments() {
        let file = folder.path().join(format!("{name}.xml"));
        std::fs::write(&file, junit(&assessment)).expect("written");
        let Ok(done) = Command::new("xmllint").arg("--noout").arg("--schema").arg(&schema).arg(&file).output() else {
            let _ = writeln!(std::io::stderr(), "skipped: xmllint is missing (Debian: libxml2-utils)");
            return;
        };
        assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
    }
}
