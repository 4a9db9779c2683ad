//! What the documents promise is still so.

use std::path::Path;

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The dependencies that the manifests name.
fn dependencies() -> Vec<String> {
    let mut inside = false;
    let mut names = Vec::new();
    for line in (file("Cargo.toml") + &file("crates/gitleaks-rs/Cargo.toml")).lines() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
        } else if let Some((name, _)) = line.split_once('=').filter(|_| inside) {
            names.push(name.trim().to_owned());
        }
    }
    names
}

#[test]
fn every_dependency_has_a_reason() {
    let table = file("CONTRIBUTING.md");
    let named: Vec<&str> = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    for name in dependencies() {
        assert!(named.contains(&name.as_str()), "CONTRIBUTING.md: say in the table why `{name}` is here");
    }
    let known = dependencies();
    for name in named.iter().filter(|name| !name.contains(' ') && !name.contains('/')) {
        assert!(known.iter().any(|known| known == name), "CONTRIBUTING.md: `{name}` is no dependency; remove its row");
    }
}

#[test]
fn every_action_is_pinned_by_a_hash() {
    for name in ["action.yml", ".github/workflows/ci.yml", "docs/pull-requests.md"] {
        for line in file(name).lines() {
            let Some((_, used)) = line.split_once("uses: ") else { continue };
            let used = used.split_whitespace().next().unwrap_or_default();
            // Our own action, here and where a reader puts in what is theirs.
            if used == "./" || used == "OWNER/harden@COMMIT" {
                continue;
            }
            let hash = used.split_once('@').map(|(_, hash)| hash).unwrap_or_default();
            assert!(
                hash.len() == 40 && hash.chars().all(|c| c.is_ascii_hexdigit()),
                "{name}: pin `{used}` by its hash"
            );
        }
    }
}

#[test]
fn exit_codes_and_formats_are_told_in_the_readme() {
    let readme = file("README.md");
    for (name, _) in harden::cli::Format::ALL {
        assert!(readme.contains(&format!("`{name}`")), "README.md: name the format `{name}`");
    }
    let reports = file("docs/reports.md");
    for (name, _) in <harden::cli::ReportFormat as harden::cli::Named>::ALL {
        assert!(reports.contains(&format!("`{name}`")), "docs/reports.md: name the format `{name}`");
    }
    for code in ["| 0 |", "| 1 |", "| 2 |", "| 3 |", "| 4 |", "| 5 |"] {
        assert!(readme.contains(code), "README.md: explain exit code {code}");
    }
}

#[test]
fn what_is_linked_is_there() {
    for name in ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"] {
        for link in file(name).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !link.starts_with("http") {
                file(link.split('#').next().unwrap_or_default());
            }
        }
    }
}
