//! Lists the YAML of `checks/` and `profiles/` so that the program carries it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    let top = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut out = String::new();
    for (name, folder) in [
        ("CHECKS", "checks"),
        ("PROFILES", "profiles"),
        ("AGENTS", "profiles/agents"),
        ("FRAMEWORKS", "profiles/frameworks"),
    ] {
        println!("cargo::rerun-if-changed={folder}");
        let mut files = Vec::new();
        collect(&top.join(folder), folder == "checks", &mut files)?;
        files.sort();
        let _ = writeln!(out, "/// Name and text of each file.\npub(super) const {name}: &[(&str, &str)] = &[");
        for file in &files {
            let short = file.strip_prefix(&top).unwrap_or(file);
            let _ = writeln!(out, "    ({:?}, include_str!({:?})),", short, file);
        }
        out.push_str("];\n");
    }
    std::fs::write(PathBuf::from(std::env::var("OUT_DIR").unwrap_or_default()).join("embedded.rs"), out)
}

fn collect(folder: &Path, deep: bool, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && deep {
            collect(&path, deep, files)?;
        } else if path.extension().is_some_and(|end| end == "yaml") {
            files.push(path);
        }
    }
    Ok(())
}
