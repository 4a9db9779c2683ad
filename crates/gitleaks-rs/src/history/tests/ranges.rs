//! Exactly the commits that a range holds.

use super::*;

/// A history with branches and merges, whose commits do not all tell the true time.
fn tangled() -> (Made, Vec<String>) {
    let (mut made, mut commits) = (Made::new(), Vec::<String>::new());
    for round in 0_usize..40 {
        if round > 0 {
            let from = commits[(round * 7 + 3) % commits.len()].clone();
            made.git(&["checkout", "-q", "-B", &format!("b{}", round % 6), &from]);
        }
        if round % 5 == 4 {
            let other = commits[round / 2].clone();
            made.git(&["merge", "-q", "-s", "ours", "--no-ff", "-m", "merge", &other]);
        }
        // Every seventh clock is far behind.
        let clock = made.clock;
        if round % 7 == 6 {
            made.clock /= 50;
        }
        made.write(&format!("f{}", round % 3), format!("round {round}\n"));
        commits.push(made.commit("round"));
        made.clock = clock + 300;
    }
    (made, commits)
}

fn names(made: &Made, range: &Range) -> BTreeSet<String> {
    made.open().names(range).expect("a range").iter().map(Id::to_string).collect()
}

fn listed(made: &mut Made, arguments: &[&str]) -> BTreeSet<String> {
    made.git(&[&["rev-list"], arguments].concat()).lines().map(str::to_owned).collect()
}

fn id(name: &str) -> Id {
    Id::from_hex(name.as_bytes()).expect("a name")
}

#[test]
fn everything_is_what_all_refs_lead_to() {
    let (mut made, _) = tangled();
    let expected = listed(&mut made, &["--all"]);
    assert_eq!(names(&made, &Range::All), expected);
    made.git(&["pack-refs", "--all"]);
    assert_eq!(names(&made, &Range::All), expected);
}

#[test]
fn since_leaves_out_exactly_what_a_ref_leads_to() {
    let (mut made, commits) = tangled();
    for commit in &commits {
        let expected = listed(&mut made, &["--all", "--not", commit]);
        assert_eq!(names(&made, &Range::Since(vec![commit.clone()])), expected, "since {commit}");
    }
}

#[test]
fn a_push_brings_exactly_what_is_new() {
    let (mut made, commits) = tangled();
    let null = "0".repeat(40);
    for (new, old) in commits.iter().zip(commits.iter().skip(5)) {
        let pushed = Range::Pushed { refs: vec![(id(new), id(old))], remote: None };
        assert_eq!(names(&made, &pushed), listed(&mut made, &[new, &format!("^{old}")]));
    }
    let [one, other, third] = [&commits[39], &commits[30], &commits[12]];
    made.git(&["update-ref", "refs/remotes/far/main", third]);
    made.git(&["update-ref", "refs/remotes/farther/main", one]);
    let expected = listed(&mut made, &[one, &format!("^{other}"), &format!("^{third}")]);
    for pack in [false, true] {
        if pack {
            made.git(&["pack-refs", "--all"]);
        }
        let refs = vec![(id(one), id(&null)), (id(&null), id(other))];
        let fresh = Range::Pushed { refs, remote: Some("far".to_owned()) };
        assert_eq!(names(&made, &fresh), expected, "packed: {pack}");
    }
    for remote in ["", "..", "far/../farther", "https://localhost/x", "/far", "nowhere"] {
        let all = Range::Pushed { refs: vec![(id(one), id(&null))], remote: Some(remote.to_owned()) };
        assert_eq!(names(&made, &all), listed(&mut made, &[one]), "{remote}");
    }
}

#[test]
fn revisions_are_understood_as_git_does() {
    let (mut made, commits) = tangled();
    made.git(&["tag", "-a", "-m", "tag", "v1", &commits[20]]);
    made.git(&["update-ref", "refs/remotes/origin/main", &commits[10]]);
    let merge = made.git(&["rev-list", "--all", "--merges", "-1"]).trim().to_owned();
    let short = commits[7][..9].to_owned();
    let second = format!("{merge}^2~0^");
    for name in ["HEAD", "@", "b3", "heads/b3", "refs/heads/b3", "v1", "v1~2", "origin/main", &short, &second, "HEAD~"]
    {
        let repository = made.open();
        let found = repository.revision(&mut repository.reader(), name).expect(name);
        let expected = made.git(&["rev-parse", &format!("{name}^{{commit}}")]);
        assert_eq!(repository.store.name(found).expect("a name").to_string(), expected.trim(), "{name}");
    }
    for name in
        ["", "nothing", "HEAD~9999", "HEAD^9", "HEAD^0^0^{x}", "../../../etc/passwd", "HEAD@{1}", "abc", "~", "\u{e4}~"]
    {
        let repository = made.open();
        assert!(repository.revision(&mut repository.reader(), name).is_err(), "{name}");
    }
}

#[test]
fn work_trees_and_their_heads_are_part_of_the_history() {
    let mut made = Made::new();
    made.write("f", "root\n");
    made.commit("root");
    let tree = made.path.with_file_name("tree");
    made.git(&["worktree", "add", "-q", "--detach", &tree.display().to_string()]);
    std::fs::write(tree.join("only-here"), "detached\n").expect("written");
    git_at(&tree, &["add", "-A"], 1);
    assert!(git_at(&tree, &["commit", "-q", "-m", "detached"], 2).status.success());
    assert_eq!(at_path(&added(&made), "only-here").len(), 1);
    // And seen from the work tree.
    let repository = Repository::open(&tree, Options::default()).expect("its git directory points back");
    assert_eq!(at_path(&added_in(&repository, &Range::All).0, "only-here").len(), 1);
}

#[test]
fn dropped_commits_are_read_from_logs_if_wanted() {
    let mut made = Made::new();
    made.write("f", "root\n");
    made.commit("root");
    made.write("f", "root\ndropped\n");
    made.commit("dropped");
    made.git(&["reset", "-q", "--hard", "HEAD~"]);
    for text in ["first", "second"] {
        made.write("f", format!("root\n{text} stash\n"));
        made.git(&["stash", "-q"]);
    }
    let all = added(&made);
    let found = at_path(&all, "f");
    assert!(!found.iter().any(|(_, text)| text.contains("dropped") || text.contains("first stash")));
    assert!(found.iter().any(|(_, text)| text.contains("second stash")));
    let options = Options { logs: true, ..Options::default() };
    let repository = Repository::open(&made.path, options).expect("a repository");
    let all = added_in(&repository, &Range::All).0;
    let found = at_path(&all, "f");
    assert!(
        ["dropped", "first stash", "second stash"].iter().all(|word| found.iter().any(|(_, text)| text.contains(word)))
    );
}
