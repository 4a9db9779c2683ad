//! What kind of file a path names: a token in a test is worth another look than one in a program.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// The kind of file that a secret stands in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Context {
    /// Code, configuration, anything else.
    #[default]
    Source,
    /// A test or its data.
    Test,
    /// An example or template.
    Example,
    /// Documentation.
    Docs,
    /// A list of resolved dependencies.
    LockFile,
}

const LOCKS: &[&str] = &["package-lock.json", "pnpm-lock.yaml", "go.sum", "npm-shrinkwrap.json", "gradle.lockfile"];
const TEST_FOLDERS: &[&str] = &[
    "test",
    "tests",
    "__tests__",
    "spec",
    "specs",
    "testdata",
    "fixtures",
    "__fixtures__",
    "fixture",
    "e2e",
    "mocks",
    "__mocks__",
    "__snapshots__",
    "testing",
    "test-data",
    "evals",
];
const TEST_NAMES: &[&str] = &[".test.", ".spec.", "_test.", "_spec.", "-test.", ".snap", "test_helper"];
const EXAMPLE_FOLDERS: &[&str] = &[
    "example",
    "examples",
    "sample",
    "samples",
    "demo",
    "demos",
    "playground",
    "playgrounds",
    "templates",
    "template",
];
const EXAMPLE_NAMES: &[&str] = &[".example", ".sample", ".template", ".dist", "-example.", "_example.", "-sample."];
const DOC_FOLDERS: &[&str] = &["docs", "doc", "documentation", "references"];
const DOC_NAMES: &[&str] = &[".md", ".mdx", ".rst", ".adoc", ".ipynb"];

impl Context {
    /// That of a path, as its folders and its name tell.
    pub fn of(path: &Path) -> Self {
        let lower = path.to_string_lossy().to_lowercase();
        let (folders, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
        let in_folder = |names: &[&str]| folders.split('/').any(|folder| names.contains(&folder));
        let holds = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
        if name.ends_with(".lock") || LOCKS.contains(&name) {
            Self::LockFile
        } else if in_folder(TEST_FOLDERS)
            || holds(TEST_NAMES)
            || folders.split('/').any(names_tests)
            || starts_test(name)
        {
            Self::Test
        } else if in_folder(EXAMPLE_FOLDERS) || holds(EXAMPLE_NAMES) {
            Self::Example
        } else if in_folder(DOC_FOLDERS) || DOC_NAMES.iter().any(|end| name.ends_with(end)) {
            Self::Docs
        } else {
            Self::Source
        }
    }

    /// What a report says of it; nothing of ordinary files.
    pub fn note(self) -> Option<&'static str> {
        match self {
            Self::Source => None,
            Self::Test => Some("in a test"),
            Self::Example => Some("in an example"),
            Self::Docs => Some("in documentation"),
            Self::LockFile => Some("in a lock file"),
        }
    }
}

fn names_tests(folder: &str) -> bool {
    ["-test", "-tests", "_test", "_tests"].iter().any(|end| folder.ends_with(end))
        || ["test-", "test_", "tests-", "tests_"].iter().any(|start| folder.starts_with(start))
}

fn starts_test(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    stem.starts_with("test_") || stem.starts_with("test-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_told_by_folder_and_name() {
        for (path, context) in [
            ("src/main.rs", Context::Source),
            (".env", Context::Source),
            (".env.example", Context::Example),
            ("tests/fixtures/a.json", Context::Test),
            ("src/auth.test.ts", Context::Test),
            ("pkg/auth_test.go", Context::Test),
            ("src/contest/latest.rs", Context::Source),
            ("README.md", Context::Docs),
            ("docs/setup.html", Context::Docs),
            ("Cargo.lock", Context::LockFile),
            ("examples/app/config.yaml", Context::Example),
            ("tools/pebble-test/key.pem", Context::Test),
        ] {
            assert_eq!(Context::of(Path::new(path)), context, "{path}");
        }
    }
}
