//! What is staged.

use super::*;

/// What is staged, as `path: lines`.
fn staged(path: &Path) -> Vec<String> {
    let repository = Repository::open(path, Options::default()).expect("a repository");
    let mut found = Vec::new();
    let summary = repository.staged(None, |change| {
        assert_eq!(change.commits().count(), 0);
        for (number, line) in lines_of(change) {
            found.push(format!(
                "{}:{number}:{}",
                String::from_utf8_lossy(change.path()),
                String::from_utf8_lossy(&line)
            ));
        }
    });
    assert_eq!(summary.expect("an index").problems, []);
    found
}

#[test]
fn what_differs_from_head_is_staged() {
    for version in ["2", "3", "4"] {
        let mut made = Made::new();
        made.write("old.txt", "line one\nline two\n");
        made.write("same/deep/file", "the same\n");
        made.git(&["add", "-A"]);
        // Before the first commit all is new.
        assert_eq!(staged(&made.path).len(), 3);
        made.commit("root");
        made.git(&["update-index", "--index-version", version]);
        assert_eq!(staged(&made.path), [""; 0]);
        made.write("old.txt", "line one\nline new\nline two\n");
        made.write("fresh/file", "fresh\nlines");
        made.write("unstaged", "not yet\n");
        made.git(&["add", "old.txt", "fresh"]);
        made.write("old.txt", "line one\nnot staged\n");
        made.git(&["add", "-N", "unstaged"]);
        assert_eq!(staged(&made.path), ["fresh/file:1:fresh\n", "fresh/file:2:lines", "old.txt:2:line new\n"]);
        made.git(&["gc", "-q"]);
        assert_eq!(staged(&made.path).len(), 3);
    }
}

#[test]
fn a_conflict_counts_as_staged() {
    let mut made = Made::new();
    made.write("f", "root line\n");
    made.commit("root");
    made.git(&["checkout", "-q", "-b", "side"]);
    made.write("f", "side line\n");
    made.commit("side");
    made.git(&["checkout", "-q", "main"]);
    made.write("f", "main line\n");
    made.commit("main");
    assert!(!git_at(&made.path, &["merge", "-q", "side"], 1).status.success());
    assert!(staged(&made.path).contains(&"f:1:side line\n".to_owned()));
}

#[test]
fn another_index_can_be_named() {
    let mut made = Made::new();
    made.write("f", "root\n");
    made.commit("root");
    made.write("f", "root\nstaged\n");
    made.git(&["add", "-A"]);
    let other = made.path.join("other-index");
    std::fs::copy(made.path.join(".git/index"), &other).expect("copied");
    made.git(&["reset", "-q"]);
    assert_eq!(staged(&made.path), [""; 0]);
    let mut count = 0;
    made.open().staged(Some(&other), |_| count += 1).expect("an index");
    assert_eq!(count, 1);
    std::fs::write(&other, "DIRC no index at all").expect("written");
    assert!(made.open().staged(Some(&other), |_| ()).is_err());
}

#[test]
fn every_blob_comes_once_reachable_or_not() {
    let mut made = Made::new();
    for round in 0..30 {
        made.write("f", (0..100).map(|at| format!("{at} {}\n", at * round)).collect::<String>());
        made.commit("round");
    }
    made.git(&["repack", "-qad"]);
    made.write("lost", "nothing leads here\n");
    let lost = made.git(&["hash-object", "-w", "lost"]);
    // The same object in a pack and loose, and in two packs.
    made.git(&["cat-file", "-p", "HEAD:f"]);
    made.write("f", "later\n");
    made.commit("later");
    made.git(&["repack", "-q"]);
    let expected = made.git(&["cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)"]);
    let expected: Vec<&str> = expected.lines().filter_map(|line| line.strip_prefix("blob ")).collect();
    let found = Mutex::new(Vec::new());
    let visitor = || |blob: &Blob<'_>| found.lock().expect("no panic").push((blob.id.to_string(), blob.bytes.len()));
    let summary = made.open().every_blob(visitor);
    assert_eq!(summary.problems, []);
    let mut found = found.into_inner().expect("no panic");
    found.sort_unstable();
    assert!(found.iter().map(|(id, _)| &id[..]).eq(expected.iter().copied()));
    assert!(found.contains(&(lost.trim().to_owned(), 19)));
    // No more than is wanted, and it is said.
    let options = Options { total: 1000, threads: 1, ..Options::default() };
    let some = Repository::open(&made.path, options).expect("a repository").every_blob(|| |_: &Blob<'_>| ());
    assert!(some.changes < summary.changes, "{} of {}", some.changes, summary.changes);
    assert_eq!(some.problems.iter().map(|problem| problem.kind).collect::<Vec<_>>(), [ProblemKind::Limit]);
}
