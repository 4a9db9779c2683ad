//! The refs of a repository: what they point at, read from plain files.

use std::collections::BTreeSet;
use std::io;

use rustix::fs::FileType;

use super::folder::Folder;
use super::place::Place;
use super::problem::Problems;
use super::{Id, ProblemKind};

/// The largest list of refs, or log of one, that is read.
const LIST: u64 = 256 << 20;
/// The largest loose ref that is read.
const LOOSE: u64 = 4096;
/// The most refs that are read.
const MOST: usize = 1_000_000;
/// The deepest folder of refs.
const DEPTH: usize = 64;
/// The longest chain of refs that name refs.
const CHAIN: usize = 8;

/// Everything that a ref points at: heads, tags, remotes, the stash, notes, replacements, each work tree's HEAD. With
/// `logs` also everything that one ever pointed at, older stashes among them.
pub(super) fn tips(place: &Place, logs: bool, problems: &Problems) -> BTreeSet<Id> {
    let mut tips = BTreeSet::new();
    let note = |name: &str, result: io::Result<()>| {
        if let Err(error) = result {
            problems.add(ProblemKind::of(&error), || format!("`{name}`: {error}"));
        }
    };
    if matches!(place.common.kind("reftable"), Ok(Some(_))) {
        problems.add(ProblemKind::Unreadable, || "`reftable`: refs in tables are not read".into());
    }
    note("HEAD", head(&place.own, &mut tips));
    note("HEAD", head(&place.common, &mut tips));
    note("packed-refs", packed(&place.common, &mut tips));
    note("refs", below(&place.common, "refs", &mut tips, &mut |bytes, tips| tips.extend(first_id(bytes))));
    note("worktrees", below(&place.common, "worktrees", &mut tips, &mut |bytes, tips| tips.extend(first_id(bytes))));
    if logs {
        note(
            "logs",
            below(&place.common, "logs", &mut tips, &mut |bytes, tips| {
                for line in bytes.split(|byte| *byte == b'\n') {
                    tips.extend(line.split(|byte| *byte == b' ').take(2).filter_map(Id::from_hex));
                }
            }),
        );
    }
    tips.retain(|id| !id.is_null() && id.as_bytes().len() == place.width);
    tips
}

/// The object that a file begins with.
fn first_id(bytes: &[u8]) -> Option<Id> {
    Id::from_hex(bytes.split(u8::is_ascii_whitespace).next()?)
}

fn head(folder: &Folder, tips: &mut BTreeSet<Id>) -> io::Result<()> {
    tips.extend(folder.read(b"HEAD", LOOSE)?.and_then(|bytes| first_id(&bytes)));
    Ok(())
}

fn packed(common: &Folder, tips: &mut BTreeSet<Id>) -> io::Result<()> {
    let bytes = common.read(b"packed-refs", LIST)?.unwrap_or_default();
    // A line that begins with `^` holds what the tag above it leads to.
    tips.extend(bytes.split(|byte| *byte == b'\n').filter_map(first_id));
    Ok(())
}

/// Reads every file below a folder. Of work trees only what may name objects is wanted, which other files there do
/// not begin with; their indexes are too large to be read.
fn below(
    common: &Folder,
    top: &str,
    tips: &mut BTreeSet<Id>,
    take: &mut dyn FnMut(&[u8], &mut BTreeSet<Id>),
) -> io::Result<()> {
    let mut todo = vec![top.as_bytes().to_vec()];
    let mut files = 0;
    while let Some(path) = todo.pop() {
        let entries = match common.folder(&path).and_then(|folder| folder.list()) {
            Ok(entries) => entries,
            Err(error) if path == top.as_bytes() && super::folder::is_absence(&error) => return Ok(()),
            Err(error) => return Err(error),
        };
        for (name, kind) in entries {
            let mut full = path.clone();
            full.push(b'/');
            full.extend(&name);
            match kind {
                FileType::Directory if full.iter().filter(|byte| **byte == b'/').count() < DEPTH => todo.push(full),
                FileType::RegularFile if top != "worktrees" || !matches!(&name[..], b"index" | b"logs") => {
                    files += 1;
                    if files > MOST {
                        return Err(io::Error::other(format!("holds more than {MOST} files")));
                    }
                    let limit = if top == "logs" { LIST } else { LOOSE };
                    match common.read(&full, limit) {
                        Ok(bytes) => take(&bytes.unwrap_or_default(), tips),
                        // Larger than a ref can be.
                        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {}
                        Err(error) => return Err(error),
                    }
                }
                FileType::Symlink if top == "refs" => {
                    let shown = String::from_utf8_lossy(&full).into_owned();
                    return Err(io::Error::other(format!("`{shown}` is a link and was left alone")));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// What the refs of a remote pointed at when they were last fetched. What cannot be read leads to nothing: these refs
/// say what needs no scan, and without them there is more to scan, not less.
pub(super) fn of_remote(place: &Place, remote: &str) -> BTreeSet<Id> {
    let mut tips = BTreeSet::new();
    if remote.split('/').any(|step| matches!(step, "" | "." | "..")) {
        return tips;
    }
    let top = format!("refs/remotes/{remote}");
    let _ = below(&place.common, &top, &mut tips, &mut |bytes, tips| tips.extend(first_id(bytes)));
    let packed = place.common.read(b"packed-refs", LIST).ok().flatten().unwrap_or_default();
    let inside = [top.as_bytes(), b"/"].concat();
    tips.extend(packed.split(|byte| *byte == b'\n').filter_map(|line| {
        let space = line.iter().position(|byte| *byte == b' ')?;
        line[space + 1..].starts_with(&inside).then(|| first_id(line))?
    }));
    tips.retain(|id| !id.is_null() && id.as_bytes().len() == place.width);
    tips
}

/// The object that a ref of this full name points at.
pub(super) fn named(place: &Place, name: &str) -> io::Result<Option<Id>> {
    let mut name = name.to_owned();
    for _ in 0..CHAIN {
        if name.split('/').any(|step| matches!(step, "" | "." | "..")) {
            return Ok(None);
        }
        let own = place.own.read(name.as_bytes(), LOOSE);
        let bytes = match own {
            Ok(None) => place.common.read(name.as_bytes(), LOOSE),
            other => other,
        };
        let bytes = match bytes {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return packed_named(place, &name),
            // `refs/heads/a` is a folder where there is `refs/heads/a/b`.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => return packed_named(place, &name),
            Err(error) => return Err(error),
        };
        match bytes.strip_prefix(b"ref:") {
            Some(target) => name = String::from_utf8_lossy(target).trim().to_owned(),
            None => return Ok(first_id(&bytes)),
        }
    }
    Ok(None)
}

fn packed_named(place: &Place, name: &str) -> io::Result<Option<Id>> {
    let bytes = place.common.read(b"packed-refs", LIST)?.unwrap_or_default();
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let line = lines.find(|line| line.split(|byte| *byte == b' ').nth(1) == Some(name.as_bytes()));
    Ok(line.and_then(first_id))
}
