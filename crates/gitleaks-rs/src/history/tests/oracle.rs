//! What is added is what `git log -p -U0` says.

use super::*;

/// What git says that all commits but merges add; the lines of submodules left out.
fn told_by_git(made: &mut Made) -> Added {
    let text = made_log(made);
    let (mut added, mut key, mut number, mut left) = (Added::new(), (String::new(), String::new()), 0, 0);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        if line.starts_with(b"\\") {
            // The line before has no end.
            if let Some(line) = added.get_mut(&key).and_then(|lines: &mut Vec<_>| lines.last_mut())
                && left == 0
                && number == line.0 + 1
            {
                line.1.pop();
            }
            continue;
        }
        if left > 0 {
            if let Some(line) = line.strip_prefix(b"+") {
                if !line.starts_with(b"Subproject commit") {
                    added.entry(key.clone()).or_default().push((number, line.to_vec()));
                }
                (number, left) = (number + 1, left - 1);
            }
            continue;
        }
        let text = String::from_utf8_lossy(bare);
        if let Some(commit) = text.strip_prefix("commit ") {
            key.0 = commit.to_owned();
        } else if let Some(path) = text.strip_prefix("+++ ") {
            key.1 = path.trim_end_matches('\t').trim_start_matches("b/").to_owned();
        } else if let Some(hunk) = text.strip_prefix("@@ ") {
            let place = hunk.split(' ').nth(1).expect("a place").trim_start_matches('+');
            let (start, count) = place.split_once(',').unwrap_or((place, "1"));
            (number, left) = (start.parse().expect("a line"), count.parse().expect("a count"));
        }
    }
    added
}

fn made_log(made: &mut Made) -> Vec<u8> {
    let arguments = ["-c", "core.quotepath=off", "log", "-p", "-U0", "--full-history", "--all", "--no-renames"];
    let more = ["--no-color", "--no-ext-diff", "--no-textconv", "--format=commit %H", "--diff-filter=tuxb"];
    let output = git_at(&made.path, &[&arguments[..], &more[..4]].concat(), 0);
    assert!(output.status.success());
    output.stdout
}

/// Compares what both say of every commit that is no merge.
fn agree(made: &mut Made) {
    let git = told_by_git(made);
    let merges: BTreeSet<String> = made.git(&["rev-list", "--all", "--merges"]).lines().map(str::to_owned).collect();
    let mut ours = added(made);
    ours.retain(|(commit, _), _| !merges.contains(commit));
    let shown = |added: &Added| -> Vec<String> {
        let line = |(number, line): &(usize, Vec<u8>)| format!("{number}:{:?}", String::from_utf8_lossy(line));
        let each = |((commit, path), lines): (&(String, String), &Vec<_>)| {
            format!("{} {path} {}", &commit[..8], lines.iter().map(line).collect::<Vec<_>>().join(" "))
        };
        added.iter().map(each).collect()
    };
    assert_eq!(shown(&ours), shown(&git));
}

/// A history of most kinds of change.
fn eventful() -> Made {
    let mut made = Made::new();
    made.write("a.txt", "first line\nsecond line\nthird line\n");
    made.write("no-end", "no line end");
    made.write("empty", "");
    made.write("dos.txt", "one line\r\ntwo lines\r\n");
    made.write("binary", b"a\0b\nsecret\n");
    made.write("deep/er/and/deeper.txt", "text below\n");
    made.write("late-nul", ["far from the start\n".repeat(450).as_bytes(), b"\0 after\n"].concat());
    std::os::unix::fs::symlink("a.txt", made.path.join("link")).expect("a link");
    made.commit("root");
    made.write("a.txt", "first line\nsecond line changed\nthird line\nfourth line\n");
    made.write("no-end", "no line end\nbut now\nthere is");
    made.write("empty", "no more\n");
    made.write("dos.txt", "one line\r\ntwo lines\n");
    made.write("binary", b"a\0b\nother secret\n");
    made.commit("changes");
    made.git(&["mv", "deep/er/and/deeper.txt", "deep/moved.txt"]);
    made.git(&["rm", "-q", "empty"]);
    made.write("name with blank and \u{fc}ml\u{e4}ut", "strange\n");
    made.commit("moves");
    // A link becomes a file, a file a folder, a folder a file.
    std::fs::remove_file(made.path.join("link")).expect("removed");
    made.write("link", "a file now\n");
    std::fs::remove_file(made.path.join("no-end")).expect("removed");
    made.write("no-end/inside", "no line end\n");
    std::fs::remove_dir_all(made.path.join("deep")).expect("removed");
    made.write("deep", "text below\n");
    made.commit("types");
    std::fs::set_permissions(made.path.join("a.txt"), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("set");
    made.commit("mode");
    made.git(&["checkout", "-q", "-b", "side", "HEAD~2"]);
    made.write("side.txt", "on the side\n");
    made.commit("side");
    made.git(&["checkout", "-q", "--orphan", "other"]);
    made.git(&["rm", "-rfq", "."]);
    made.write("a.txt", "unrelated root\n");
    made.commit("another root");
    made.git(&["checkout", "-q", "main"]);
    made
}

#[test]
fn loose_objects_say_what_git_says() {
    agree(&mut eventful());
}

#[test]
fn packs_and_packed_refs_say_what_git_says() {
    let mut made = eventful();
    made.git(&["tag", "-a", "-m", "a tag", "v1"]);
    made.git(&["gc", "-q", "--aggressive", "--prune=now"]);
    agree(&mut made);
    made.git(&["repack", "-qadf", "--no-write-bitmap-index"]);
    made.write("a.txt", "first line\nafter the pack\n");
    made.commit("loose beside a pack");
    agree(&mut made);
    made.git(&["repack", "-qd"]);
    made.git(&["config", "pack.indexVersion", "1"]);
    agree(&mut made);
    made.git(&["repack", "-qadf"]);
    agree(&mut made);
}

#[test]
fn names_of_sha256_say_what_git_says() {
    let mut made = Made::with(&["--object-format=sha256"]);
    for round in 0..20 {
        made.write("folder/file", (0..200).map(|at| format!("line {at} {}\n", at * round % 17)).collect::<String>());
        made.commit("round");
    }
    agree(&mut made);
    made.git(&["gc", "-q"]);
    agree(&mut made);
}

#[test]
fn long_chains_of_differences_say_what_git_says() {
    let mut made = Made::new();
    for round in 0..60 {
        let text: String =
            (0..400).map(|at| format!("{at} line of round {}\n", (at + 399 - round * 7) / 400)).collect();
        made.write("src/a.rs", &text);
        made.write(&format!("src/{round}/mod.rs"), text.replace("line", "row"));
        made.commit("round");
    }
    made.git(&["repack", "-qadf", "--depth=50", "--window=50"]);
    agree(&mut made);
}

#[test]
fn submodules_hold_no_lines_here() {
    let mut inner = Made::new();
    inner.write("inner.txt", "inside\n");
    inner.commit("inner");
    let mut made = Made::new();
    made.git(&["submodule", "--quiet", "add", &inner.path.display().to_string(), "module"]);
    made.commit("module");
    agree(&mut made);
    let inside =
        Repository::open(&made.path.join("module"), Options::default()).expect("its git directory points back");
    assert_eq!(added_in(&inside, &Range::All).0.len(), 1);
}

#[test]
fn a_merge_adds_what_no_parent_has() {
    let mut made = Made::new();
    made.write("f", "line one\nline two\nline three\n");
    made.commit("root");
    made.git(&["checkout", "-q", "-b", "b"]);
    made.write("f", "line one\nline two\nline three of b\n");
    made.commit("b");
    made.git(&["checkout", "-q", "-b", "c", "main"]);
    made.write("g", "of c\n");
    made.commit("c");
    made.git(&["checkout", "-q", "main"]);
    made.write("f", "line one of main\nline two\nline three\n");
    made.commit("main");
    made.git(&["merge", "-q", "--no-commit", "b"]);
    made.write("f", "line one of main\nline two\nevil line\nline three of b\n");
    made.write("evil", "a file of the merge\n");
    let merge = made.commit("merge");
    made.git(&["merge", "-q", "-m", "nothing new", "c"]);
    agree(&mut made);
    let added = added(&made);
    assert!(at_path(&added, "f").contains(&(&merge, "evil line\n".to_owned())));
    assert_eq!(at_path(&added, "evil"), [(&merge[..], "a file of the merge\n".to_owned())]);
    assert_eq!(at_path(&added, "g").len(), 1);
}

#[test]
fn an_octopus_adds_nothing_of_its_own() {
    let mut made = Made::new();
    made.write("f", "root\n");
    made.commit("root");
    for branch in ["x", "y", "z"] {
        made.git(&["checkout", "-q", "-b", branch, "main"]);
        made.write(branch, format!("of {branch}\n"));
        made.commit(branch);
    }
    made.git(&["checkout", "-q", "main"]);
    made.git(&["merge", "-q", "-m", "octopus", "x", "y", "z"]);
    agree(&mut made);
    assert_eq!(added(&made).len(), 4);
}

#[test]
fn a_change_that_was_picked_is_told_once_with_all_its_commits() {
    let mut made = Made::new();
    made.write("f", "root\n");
    made.commit("root");
    made.git(&["checkout", "-q", "-b", "side"]);
    made.write("f", "root\npicked\n");
    let first = made.commit("change");
    made.git(&["checkout", "-q", "main"]);
    made.write("g", "other\n");
    made.commit("other");
    made.git(&["cherry-pick", &first]);
    let second = made.head();
    let calls = Mutex::new(Vec::new());
    let visitor = || |change: &Change<'_>| calls.lock().expect("no panic").push(change.commits().count());
    made.open().added(&Range::All, visitor).expect("a range");
    let mut calls = calls.into_inner().expect("no panic");
    calls.sort_unstable();
    assert_eq!(calls, [1, 1, 2]);
    let commits: BTreeSet<_> = at_path(&added(&made), "f").into_iter().map(|(commit, _)| commit.to_owned()).collect();
    assert!(commits.contains(&first) && commits.contains(&second));
}

#[test]
fn what_is_no_text_comes_whole_if_wanted() {
    let made = eventful();
    let options = Options { binaries: true, ..Options::default() };
    let repository = Repository::open(&made.path, options).expect("a repository");
    let added = added_in(&repository, &Range::All).0;
    assert!(at_path(&added, "binary").iter().any(|(_, text)| text == "a\0b\nother secret\n"));
}

#[test]
fn what_becomes_text_is_new_though_git_shows_nothing() {
    let mut made = eventful();
    made.write("binary", "text by now\n");
    made.commit("text");
    assert!(at_path(&added(&made), "binary").iter().any(|(_, text)| text == "text by now\n"));
}

#[test]
fn a_large_file_comes_in_parts() {
    let mut made = Made::new();
    let text: String = (0..1_200_000).map(|at| format!("line {at}\n")).collect();
    made.write("large", &text);
    made.commit("large");
    let read = |made: &Made| {
        let options = Options { object_limit: 1 << 20, ..Options::default() };
        let repository = Repository::open(&made.path, options).expect("a repository");
        let (added, summary) = added_in(&repository, &Range::All);
        assert_eq!((summary.problems, summary.changes), (Vec::new(), 1));
        let lines: Vec<_> = added.into_values().flatten().collect();
        assert!(lines.iter().enumerate().all(|(at, (number, _))| at + 1 == *number));
        assert_eq!(lines.into_iter().flat_map(|(_, line)| line).collect::<Vec<u8>>(), text.as_bytes());
    };
    read(&made);
    made.git(&["gc", "-q"]);
    read(&made);
}

#[test]
fn a_commit_says_who_and_when() {
    let mut made = Made::new();
    let id = made.commit("Subject\n\nBody");
    let commit = made.open().commit(&Id::from_hex(id.as_bytes()).expect("a name")).expect("a commit");
    assert_eq!((&*commit.author, &*commit.email), ("Some One", "one@example.org"));
    assert_eq!((&*commit.date, &*commit.message), ("2020-09-13T12:29:40Z", "Subject\n\nBody"));
}
