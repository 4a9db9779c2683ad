//! Damaged and hostile repositories: what cannot be read is told, the rest is read, nothing is followed out.

use std::fs;

use super::*;

fn kinds(summary: &Summary) -> BTreeSet<ProblemKind> {
    summary.problems.iter().map(|problem| problem.kind).collect()
}

fn two_commits() -> (Made, String, String) {
    let mut made = Made::new();
    made.write("a", "of a\n");
    let one = made.commit("one");
    made.write("b", "of b\n");
    made.write("folder/c", "of c\n");
    let two = made.commit("two");
    (made, one, two)
}

fn loose(made: &mut Made, name: &str) -> PathBuf {
    let hex = made.git(&["rev-parse", name]);
    made.path.join(".git/objects").join(&hex[..2]).join(hex[2..].trim())
}

#[test]
fn a_missing_object_is_told_and_the_rest_is_read() {
    for (lost, left) in [("HEAD:b", 2), ("HEAD:folder", 2), ("HEAD^{tree}", 1), ("HEAD~", 3), ("HEAD", 0)] {
        let (mut made, ..) = two_commits();
        fs::remove_file(loose(&mut made, lost)).expect("removed");
        let (added, summary) = added_in(&made.open(), &Range::All);
        assert_eq!((kinds(&summary), added.len()), (BTreeSet::from([ProblemKind::Missing]), left), "{lost}");
    }
}

#[test]
fn a_damaged_object_is_told_and_the_rest_is_read() {
    let (mut made, ..) = two_commits();
    let path = loose(&mut made, "HEAD:b");
    let whole = fs::read(&path).expect("bytes");
    fs::remove_file(&path).expect("removed");
    for cut in 0..whole.len() {
        fs::write(&path, &whole[..cut]).expect("written");
        let (added, summary) = added_in(&made.open(), &Range::All);
        assert_eq!((kinds(&summary), added.len()), (BTreeSet::from([ProblemKind::Damaged]), 2), "{cut}");
    }
}

#[test]
fn a_damaged_pack_never_panics() {
    let mut made = Made::new();
    for round in 0..12 {
        made.write("f", (0..60).map(|at| format!("{at} {}\n", at * round % 13)).collect::<String>());
        made.commit("round");
    }
    made.git(&["gc", "-q", "--aggressive"]);
    let packs = fs::read_dir(made.path.join(".git/objects/pack")).expect("packs");
    let files: Vec<PathBuf> = packs.map(|entry| entry.expect("an entry").path()).collect();
    for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "pack" || end == "idx")) {
        fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("set");
        let whole = fs::read(file).expect("bytes");
        for at in (0..whole.len()).step_by(7) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            fs::write(file, &bytes).expect("written");
            let repository = made.open();
            added_in(&repository, &Range::All);
            repository.every_blob(|| |_: &Blob<'_>| ());
            if at % 5 == 0 {
                fs::write(file, &whole[..at]).expect("written");
                added_in(&made.open(), &Range::All);
            }
        }
        fs::write(file, &whole).expect("written");
    }
    assert_eq!(added_in(&made.open(), &Range::All).1.problems, []);
}

/// Writes an object whose name does not fit its content: nothing checks that, so graphs can have loops.
fn forge(made: &Made, name: &str, kind: &str, content: &[u8]) {
    let object = [format!("{kind} {}\0", content.len()).as_bytes(), content].concat();
    // Deflated without compression: a zlib header, one stored block, and the checksum.
    let length = object.len() as u16;
    let mut bytes = vec![0x78, 0x01, 0x01];
    bytes.extend(length.to_le_bytes());
    bytes.extend((!length).to_le_bytes());
    bytes.extend(&object);
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in &object {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    bytes.extend((b << 16 | a).to_be_bytes());
    made.write(&format!(".git/objects/{}/{}", &name[..2], &name[2..]), bytes);
}

fn name(digit: char) -> String {
    digit.to_string().repeat(40)
}

fn raw(digit: char) -> Vec<u8> {
    Id::from_hex(name(digit).as_bytes()).expect("a name").as_bytes().to_vec()
}

#[test]
fn loops_end() {
    let made = Made::new();
    let commit = |tree: char, parent: char| {
        format!("tree {}\nparent {}\nauthor A <a> 1 +0\ncommitter A <a> 1 +0\n\nm\n", name(tree), name(parent))
    };
    forge(&made, &name('a'), "commit", commit('d', 'b').as_bytes());
    forge(&made, &name('b'), "commit", commit('d', 'a').as_bytes());
    let tree = |entries: &[(&str, char)]| -> Vec<u8> {
        entries.iter().flat_map(|(entry, id)| [entry.as_bytes(), b"\0", &raw(*id)[..]].concat()).collect()
    };
    forge(&made, &name('d'), "tree", &tree(&[("100644 file", 'f'), ("40000 self", 'd')]));
    forge(&made, &name('f'), "blob", b"content\n");
    forge(&made, &name('1'), "commit", format!("tree {}\n\nm\n", name('d')).as_bytes());
    forge(&made, &name('2'), "tag", format!("object {}\n", name('2')).as_bytes());
    for (ref_name, id) in [("heads/loop", 'a'), ("heads/main", '1'), ("tags/loop", '2')] {
        made.write(&format!(".git/refs/{ref_name}"), name(id));
    }
    let (added, summary) = added_in(&made.open(), &Range::All);
    assert_eq!(summary.commits, 3);
    assert!(added.len() > 500, "a file at every depth");
    assert_eq!(kinds(&summary), BTreeSet::from([ProblemKind::Limit]));
}

#[test]
fn folders_that_multiply_end_and_lose_nothing() {
    let made = Made::new();
    let digits: Vec<char> = "0123456789ab".chars().collect();
    for pair in digits.windows(2) {
        let entries: Vec<u8> =
            ('a'..='j').flat_map(|entry| [format!("40000 {entry}\0").as_bytes(), &raw(pair[1])[..]].concat()).collect();
        forge(&made, &name(pair[0]), "tree", &entries);
    }
    forge(&made, &name('b'), "tree", &[b"100644 file\0", &raw('f')[..]].concat());
    forge(&made, &name('f'), "blob", b"content\n");
    forge(&made, &name('c'), "commit", format!("tree {}\n\nm\n", name('0')).as_bytes());
    made.write(".git/refs/heads/main", name('c'));
    let options = Options { repeats: 1, ..Options::default() };
    let repository = Repository::open(&made.path, options).expect("a repository");
    let (added, summary) = added_in(&repository, &Range::All);
    assert!(!added.is_empty() && summary.changes < 100_000);
    assert_eq!(kinds(&summary), BTreeSet::from([ProblemKind::Limit]));
}

#[test]
fn links_and_borrowed_objects_are_not_followed() {
    let (mut made, ..) = two_commits();
    // Objects behind a link.
    let objects = made.path.join(".git/objects");
    let moved = made.path.with_file_name("elsewhere");
    fs::rename(&objects, &moved).expect("moved");
    std::os::unix::fs::symlink(&moved, &objects).expect("a link");
    let (added, summary) = added_in(&made.open(), &Range::All);
    assert!(added.is_empty() && kinds(&summary).contains(&ProblemKind::Outside));
    let follow = Options { follow: true, ..Options::default() };
    let followed = Repository::open(&made.path, follow.clone()).expect("a repository");
    assert_eq!(added_in(&followed, &Range::All).0.len(), 3);
    // Objects that are borrowed.
    fs::remove_file(&objects).expect("removed");
    fs::create_dir_all(objects.join("info")).expect("made");
    fs::write(objects.join("info/alternates"), format!("{}\n", moved.display())).expect("written");
    let (added, summary) = added_in(&made.open(), &Range::All);
    assert!(added.is_empty() && kinds(&summary).contains(&ProblemKind::Outside));
    let followed = Repository::open(&made.path, follow).expect("a repository");
    assert_eq!(added_in(&followed, &Range::All).0.len(), 3);
    made.clock += 1;
}

#[test]
fn a_pointer_is_followed_only_if_its_target_points_back() {
    let (made, ..) = two_commits();
    let other = made.path.with_file_name("project");
    fs::create_dir(&other).expect("made");
    fs::write(other.join(".git"), "gitdir: ../repository/.git\n").expect("written");
    assert!(matches!(Repository::open(&other, Options::default()), Err(OpenError::Elsewhere { .. })));
    let follow = Options { follow: true, ..Options::default() };
    let repository = Repository::open(&other, follow).expect("a repository");
    assert_eq!(added_in(&repository, &Range::All).0.len(), 3);
    fs::remove_file(other.join(".git")).expect("removed");
    std::os::unix::fs::symlink("../repository/.git", other.join(".git")).expect("a link");
    assert!(matches!(Repository::open(&other, Options::default()), Err(OpenError::Elsewhere { .. })));
    fs::remove_file(other.join(".git")).expect("removed");
    assert!(matches!(Repository::open(&other, Options::default()), Err(OpenError::NoRepository { .. })));
}

#[test]
fn a_shallow_clone_says_so() {
    let (mut made, ..) = two_commits();
    let clone = made.path.with_file_name("clone");
    let from = format!("file://{}", made.path.display());
    made.git(&["clone", "-q", "--bare", "--depth=1", &from, &clone.display().to_string()]);
    let repository = Repository::open(&clone, Options::default()).expect("a repository");
    let (added, summary) = added_in(&repository, &Range::All);
    assert_eq!((added.len(), kinds(&summary)), (3, BTreeSet::from([ProblemKind::Shallow])));
}

#[test]
fn nothing_of_the_repository_is_run() {
    let (mut made, ..) = two_commits();
    let mark = made.path.with_file_name("mark");
    let run = format!("touch {}", mark.display());
    for key in ["core.fsmonitor", "diff.external", "filter.x.clean", "filter.x.smudge", "diff.x.textconv", "core.pager"]
    {
        made.git(&["config", key, &run]);
    }
    made.write(".gitattributes", "* filter=x diff=x\n");
    let _ = fs::remove_file(&mark);
    let repository = made.open();
    added_in(&repository, &Range::All);
    repository.staged(None, |_| ()).expect("an index");
    assert!(!mark.exists());
}

#[test]
fn odd_refs_are_told_or_passed_over() {
    let (made, one, _) = two_commits();
    made.write(".git/refs/heads/odd", "no name at all");
    made.write(".git/refs/heads/short", &one[..20]);
    made.write(".git/packed-refs", format!("# header\n{one} refs/tags/t\n^{one}\nrubbish\n\n"));
    made.write(".git/refs/heads/lost", name('e'));
    let (added, summary) = added_in(&made.open(), &Range::All);
    assert_eq!((added.len(), kinds(&summary)), (3, BTreeSet::from([ProblemKind::Missing])));
}
