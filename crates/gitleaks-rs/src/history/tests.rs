//! Repositories made by git itself; what is read from them is compared with what git says of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use super::*;

mod hostile;
mod oracle;
mod ranges;
mod staging;

/// A repository in a folder that goes away.
struct Made {
    _folder: tempfile::TempDir,
    path: PathBuf,
    clock: u32,
}

impl Made {
    fn new() -> Made {
        Made::with(&[])
    }

    fn with(init: &[&str]) -> Made {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("repository");
        std::fs::create_dir(&path).expect("a folder");
        let mut made = Made { _folder: folder, path, clock: 0 };
        made.git(&[&["init", "-q", "-b", "main"], init].concat());
        made
    }

    /// Runs git without any configuration but its own, at times that only ever rise.
    fn git(&mut self, arguments: &[&str]) -> String {
        self.clock += 60;
        let output = git_at(&self.path, arguments, self.clock);
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder above")).expect("folders");
        std::fs::write(path, content).expect("a file");
    }

    fn commit(&mut self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.head()
    }

    fn head(&mut self) -> String {
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    fn open(&self) -> Repository {
        Repository::open(&self.path, Options::default()).expect("a repository")
    }
}

fn git_at(path: &Path, arguments: &[&str], clock: u32) -> std::process::Output {
    let date = format!("{} +0200", 1_600_000_000 + clock);
    let fixed = ["-c", "user.name=Some One", "-c", "user.email=one@example.org", "-c", "protocol.file.allow=always"];
    Command::new("git")
        .args(fixed)
        .args(arguments)
        .current_dir(path)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", path)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_DATE", &date)
        .env("GIT_COMMITTER_DATE", &date)
        .output()
        .expect("git runs")
}

/// New lines by commit and path: line number and line.
type Added = BTreeMap<(String, String), Vec<(usize, Vec<u8>)>>;

/// The new lines of a change.
fn lines_of(change: &Change<'_>) -> Vec<(usize, Vec<u8>)> {
    let mut lines = Vec::new();
    for piece in change.pieces() {
        let first = change.line(piece.start);
        lines.extend(piece.bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).zip(first..));
    }
    lines.into_iter().map(|(line, number)| (number, line)).collect()
}

/// What a repository says that a range adds.
fn added_in(repository: &Repository, range: &Range) -> (Added, Summary) {
    let found = Mutex::new(Added::new());
    let visitor = || {
        |change: &Change<'_>| {
            let mut found = found.lock().expect("no panic");
            for commit in change.commits() {
                let key = (commit.to_string(), String::from_utf8_lossy(change.path()).into_owned());
                found.entry(key).or_default().extend(lines_of(change));
            }
        }
    };
    let summary = repository.added(range, visitor).expect("a range");
    (found.into_inner().expect("no panic"), summary)
}

fn added(made: &Made) -> Added {
    let (added, summary) = added_in(&made.open(), &Range::All);
    assert_eq!(summary.problems, []);
    added
}

/// The new lines at a path, of all commits, as text.
fn at_path<'a>(added: &'a Added, path: &str) -> Vec<(&'a str, String)> {
    let found = added.iter().filter(|((_, at), _)| at == path);
    found
        .map(|((commit, _), lines)| {
            let text: Vec<u8> = lines.iter().flat_map(|(_, line)| line.clone()).collect();
            (&commit[..], String::from_utf8_lossy(&text).into_owned())
        })
        .collect()
}
