//! Files that derive from the source are as the source says. `UPDATE=1 cargo test --test generated` writes them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use harden::catalog::{self, Types};

fn hold(name: &str, expected: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, expected).expect("writable");
        return;
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(found == expected, "{name} is not current: UPDATE=1 cargo test --test generated");
}

#[test]
fn schemas_for_editors_are_current() {
    for (name, schema) in [
        ("check", catalog::check_schema()),
        ("profile", catalog::profile_schema()),
        ("facts", catalog::facts_schema()),
        ("framework", catalog::framework_schema()),
        ("attestations", catalog::attestations_schema()),
        ("diff", harden::evidence::diff_schema()),
        ("assessment", harden::evidence::assessment_schema()),
        ("scan", harden::report::leaks_schema()),
        ("policy", catalog::policy_schema()),
    ] {
        let text = serde_json::to_string_pretty(&schema).expect("plain data") + "\n";
        hold(&format!("schemas/{name}.schema.json"), &text);
    }
}

#[test]
fn the_index_of_checks_is_current() {
    let checks = catalog::checks(&Types::default()).unwrap_or_else(|error| panic!("{error}"));
    let mut rows: Vec<_> = checks.values().collect();
    rows.sort_by_key(|check| (check.area.0.clone(), check.code.clone()));
    let mut out = format!(
        "# The {} checks\n\nMade by `UPDATE=1 cargo test --test generated`. `harden explain CODE` says more of each.\n",
        rows.len()
    );
    let mut area = "";
    for check in &rows {
        if check.area.0 != area {
            area = &check.area.0;
            let _ = write!(
                out,
                "\n## {area}\n\n| code | check | severity | scope | systems | finds |\n| --- | --- | --- | --- | --- | --- |\n"
            );
        }
        let systems: Vec<&str> = check.os.iter().map(|os| os.name()).collect();
        let _ = writeln!(
            out,
            "| {} | [{id}]({area}/{id}.yaml) | {} | {} | {} | {} |",
            check.code,
            check.severity,
            check.scope.name(),
            systems.join(", "),
            check.title.replace('|', "\\|"),
            id = check.id,
        );
    }
    hold("checks/README.md", &out);
}
