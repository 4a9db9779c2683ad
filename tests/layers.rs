//! Holds the `use crate::` lines of each module against the table of ARCHITECTURE.md.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Module to what it may use.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("host", &["model"]),
    ("facts", &["model", "host"]),
    ("catalog", &["model", "facts"]),
    ("check", &["model", "facts"]),
    ("report", &["model"]),
    ("evidence", &["model", "report"]),
    ("history", &["model", "report", "evidence"]),
    ("hooks", &["model", "host", "facts"]),
    ("artifact", &["model"]),
    ("plan", &["model", "facts", "artifact"]),
    ("apply", &["model", "host"]),
    ("cli", &["model"]),
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn module_files(module: &str) -> Vec<PathBuf> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let file = top.join(format!("{module}.rs"));
    if file.exists() { vec![file] } else { files(&top.join(module)) }
}

/// The modules that a source text names as `crate::module`, outside comments and unit tests.
fn used(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    let words = code.split("crate::").skip(1);
    words.map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()).collect()
}

#[test]
fn modules_use_only_what_the_architecture_allows() {
    for (module, allowed) in LAYERS {
        for file in module_files(module) {
            let text = fs::read_to_string(&file).expect("readable");
            for name in used(&text).into_iter().filter(|name| name != module && !name.is_empty()) {
                assert!(allowed.contains(&name.as_str()), "{}: {module} may not use {name}", file.display());
            }
        }
    }
}

/// Whoever holds a `Machine` can write.
#[test]
fn only_apply_and_its_commands_name_what_changes_the_machine() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in files(&top) {
        let place = file.strip_prefix(&top).expect("below").display().to_string();
        let text = fs::read_to_string(&file).expect("readable");
        let names = text.contains("RealMachine") || text.contains("dyn Machine");
        let writers = ["apply/", "commands/apply/", "commands/policy/record.rs"];
        let may = writers.iter().any(|writer| place.starts_with(writer));
        assert!(!names || may, "{place}: only `apply` and its commands may change the machine");
    }
}

#[test]
fn every_module_has_a_row() {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).expect("readable");
    let modules = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    for module in modules.filter(|module| *module != "commands") {
        assert!(LAYERS.iter().any(|(name, _)| *name == module), "{module}: add a row to LAYERS and ARCHITECTURE.md");
    }
}
