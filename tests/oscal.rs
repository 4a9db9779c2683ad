//! What OSCAL's own tools say of the documents. Needs `trestle` (PyPI: compliance-trestle) on the PATH, or named by
//! HARDEN_TRESTLE; where it is missing the test is skipped, and says so. It fetches nothing.

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
    let given = [attestation("PO.2.2", "2029-06-01", "2030-06-01"), attestation("PO.2.3", "2028-06-01", "2029-06-01")];
    let assessments = [
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
    ];
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
