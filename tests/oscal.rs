//! What OSCAL's own tools and schemas say of the documents. Needs `trestle` (PyPI: compliance-trestle) on the PATH, or named
//! by HARDEN_TRESTLE, and the folder of NIST's JSON schemas of OSCAL 1.2.1, named by HARDEN_SCHEMAS; where one is missing its
//! test is skipped, and says so. Nothing is fetched.

#[path = "evidence/made.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod made;
#[path = "report/sample.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod sample;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use harden::evidence::{Assessment, assessment_plan, assessment_results, component_definition, plan_of_action};
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

#[test]
fn published_schemas_take_every_document() {
    let Some(folder) = std::env::var_os("HARDEN_SCHEMAS").map(PathBuf::from) else {
        let _ = writeln!(std::io::stderr(), "skipped: HARDEN_SCHEMAS names no folder of NIST's OSCAL schemas");
        return;
    };
    let files = ["assessment-results", "assessment-plan", "component", "poam"];
    for (file, (_, _, text)) in files.iter().zip(KINDS) {
        let schema = std::fs::read(folder.join(format!("oscal_{file}_schema.json"))).expect("readable");
        let schema = serde_json::from_slice(&schema).expect("JSON");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        for (name, assessment) in assessments() {
            let value = serde_json::from_str(&text(&assessment)).expect("JSON");
            let errors: Vec<String> =
                validator.iter_errors(&value).map(|error| format!("{} {error}", error.instance_path())).collect();
            assert!(errors.is_empty(), "{file} of {name}: {}", errors.join("\n"));
        }
    }
}
