//! The names that a git history holds, read from its objects in-process: git itself would run what a hostile
//! repository's configuration names.
//!
//! Objects are opened by path, so the folder that holds them is looked over first: no links, no FIFOs, nothing that
//! is borrowed from elsewhere. Whatever keeps the whole history from being seen is said in `incomplete`.

use std::collections::{BTreeSet, BinaryHeap, HashSet};
use std::io;
use std::path::Path;

use gix_hash::ObjectId;
use gix_object::{CommitRefIter, Find, Kind as ObjectKind, TagRefIter, TreeRefIter};

use super::{History, Host, Kind, SHALLOW, is_absent};
use crate::model::AbsPath;

/// The most trees that are read.
const TREES: usize = 300_000;
/// The most refs that are followed.
const REFS: usize = 100_000;
/// The deepest path that is followed.
const DEPTH: usize = 256;
/// The largest object that is unpacked: 64 MiB.
const OBJECT_LIMIT: usize = 64 << 20;
/// The largest ref or list of refs that is read: 32 MiB.
const REF_LIMIT: u64 = 32 << 20;
/// The longest chain of tags.
const TAGS: usize = 8;

/// See [`Host::history`]. `real` is where `git_dir` lies on this machine.
pub(super) fn history(
    host: &dyn Host,
    real: &Path,
    git_dir: &AbsPath,
    limit: u64,
    keep: &(dyn Fn(&[u8]) -> bool + Sync),
) -> io::Result<History> {
    if let Some(why) = obstacle(host, git_dir)? {
        return Ok(History { paths: Vec::new(), commits: 0, incomplete: Some(why) });
    }
    let options = gix_odb::store::init::Options { alloc_limit_bytes: Some(OBJECT_LIMIT), ..Default::default() };
    let objects = gix_odb::at_opts(real.join("objects"), gix_hash::Kind::Sha1, None, options)?;
    let mut walk = Walk { objects: &objects, keep, seen: HashSet::new(), paths: BTreeSet::new(), incomplete: None };
    let tips = tips(host, git_dir)?;
    // The decoder of packs takes some damage for impossible and panics; what was seen until then still counts.
    let walked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| walk.commits(tips, limit)));
    if walked.is_err() {
        walk.incomplete = Some("packed objects are damaged".into());
    } else if exists(host, &git_dir.join("shallow"))? {
        walk.incomplete = Some(SHALLOW.into());
    }
    let commits = walked.unwrap_or(0);
    Ok(History { paths: walk.paths.into_iter().collect(), commits, incomplete: walk.incomplete })
}

/// Why the objects must not, or cannot, be opened.
fn obstacle(host: &dyn Host, git_dir: &AbsPath) -> io::Result<Option<String>> {
    let config = host.read(&git_dir.join("config"), super::CONFIG_LIMIT).unwrap_or_default();
    if String::from_utf8_lossy(&config).to_ascii_lowercase().contains("objectformat = sha256") {
        return Ok(Some("objects named by SHA-256 are not read".into()));
    }
    let objects = git_dir.join("objects");
    let odd = |path: &AbsPath| {
        Some(format!("`{}` is no plain file or folder", path.below(git_dir).unwrap_or(Path::new("")).display()))
    };
    if host.stat(&objects)?.kind != Kind::Dir {
        return Ok(odd(&objects));
    }
    for name in ["info/alternates", "info/http-alternates"] {
        if exists(host, &objects.join(name))? {
            return Ok(Some(format!("objects are borrowed from elsewhere (`objects/{name}`)")));
        }
    }
    for folder in host.list(&objects)? {
        let path = objects.join(&folder.name);
        match folder.kind {
            Kind::Dir => {
                if let Some(entry) =
                    host.list(&path)?.iter().find(|entry| !matches!(entry.kind, Kind::File | Kind::Dir))
                {
                    return Ok(odd(&path.join(&entry.name)));
                }
            }
            Kind::File => {}
            _ => return Ok(odd(&path)),
        }
    }
    Ok(None)
}

fn exists(host: &dyn Host, path: &AbsPath) -> io::Result<bool> {
    match host.stat(path) {
        Ok(_) => Ok(true),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Every object that a ref, packed or loose, or a work tree's HEAD names.
fn tips(host: &dyn Host, git_dir: &AbsPath) -> io::Result<BTreeSet<ObjectId>> {
    let mut tips = BTreeSet::new();
    let mut take = |text: &[u8]| {
        let hex = text.split(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default();
        tips.extend(ObjectId::from_hex(hex).ok().filter(|id| !id.is_null()));
    };
    let read = |path: &AbsPath| match host.read(path, REF_LIMIT) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidInput) => Ok(Vec::new()),
        other => other,
    };
    for line in read(&git_dir.join("packed-refs"))?.split(|byte| *byte == b'\n') {
        take(line.strip_prefix(b"^").unwrap_or(line));
    }
    take(&read(&git_dir.join("HEAD"))?);
    let mut loose = Vec::new();
    for name in ["refs", "worktrees"] {
        let folder = git_dir.join(name);
        if !exists(host, &folder)? || host.stat(&folder)?.kind != Kind::Dir {
            continue;
        }
        let (found, _) = host.walk(&folder, &mut |path, kind| {
            // `worktrees/<name>/HEAD`, and not the log of the same name further down.
            let wanted = name == "refs" || path.components().count() == 2 && path.ends_with("HEAD");
            match kind {
                Kind::Dir if path.components().count() > DEPTH => super::Keep::Prune,
                Kind::File if wanted => super::Keep::Yes,
                _ => super::Keep::Pass,
            }
        })?;
        loose.extend(found.into_iter().take(REFS).map(|(path, _)| folder.join(path)));
    }
    for path in loose {
        take(&read(&path)?);
    }
    Ok(tips)
}

/// A commit that waits, newest first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    time: i64,
    id: ObjectId,
}

struct Walk<'a> {
    objects: &'a gix_odb::Handle,
    keep: &'a (dyn Fn(&[u8]) -> bool + Sync),
    /// Trees by name and path: the same tree in two places holds two sets of paths.
    seen: HashSet<(ObjectId, Vec<u8>)>,
    paths: BTreeSet<String>,
    incomplete: Option<String>,
}

impl Walk<'_> {
    /// Walks at most `limit` commits and returns how many it was.
    fn commits(&mut self, tips: BTreeSet<ObjectId>, limit: u64) -> u64 {
        let mut known: HashSet<ObjectId> = HashSet::new();
        let mut queue = BinaryHeap::new();
        for id in tips {
            self.enqueue(id, &mut known, &mut queue);
        }
        let mut commits = 0;
        while let Some(Waiting { id, .. }) = queue.pop() {
            if commits == limit {
                self.incomplete.get_or_insert_with(|| format!("only the newest {limit} commits were looked through"));
                break;
            }
            commits += 1;
            let Some((tree, parents)) = self.commit(&id) else { continue };
            self.tree(tree);
            if self.seen.len() >= TREES {
                self.incomplete = Some(format!("more than {TREES} folders"));
                break;
            }
            for parent in parents {
                self.enqueue(parent, &mut known, &mut queue);
            }
        }
        commits
    }

    /// Puts a commit, or the commit that a tag leads to, into the queue.
    fn enqueue(&mut self, id: ObjectId, known: &mut HashSet<ObjectId>, queue: &mut BinaryHeap<Waiting>) {
        let mut id = id;
        let mut buffer = Vec::new();
        for _ in 0..TAGS {
            if !known.insert(id) {
                return;
            }
            let (kind, next, time) = match self.objects.try_find(&id, &mut buffer) {
                Ok(Some(object)) => match object.kind {
                    ObjectKind::Commit => (object.kind, None, time_of(object.data)),
                    ObjectKind::Tag => {
                        let target = TagRefIter::from_bytes(object.data, gix_hash::Kind::Sha1).target_id().ok();
                        (object.kind, target, 0)
                    }
                    other => (other, None, 0),
                },
                _ => return self.missing(),
            };
            match (kind, next) {
                (ObjectKind::Commit, _) => return queue.push(Waiting { time, id }),
                (ObjectKind::Tag, Some(target)) => id = target,
                // A ref to a bare tree or file: some tools keep notes so.
                _ => return,
            }
        }
    }

    fn commit(&mut self, id: &ObjectId) -> Option<(ObjectId, Vec<ObjectId>)> {
        let mut buffer = Vec::new();
        let Ok(Some(object)) = self.objects.try_find(id, &mut buffer) else {
            self.missing();
            return None;
        };
        let tree = CommitRefIter::from_bytes(object.data, gix_hash::Kind::Sha1).tree_id();
        let parents = CommitRefIter::from_bytes(object.data, gix_hash::Kind::Sha1).parent_ids().collect();
        match tree {
            Ok(tree) => Some((tree, parents)),
            Err(_) => {
                self.missing();
                None
            }
        }
    }

    fn missing(&mut self) {
        self.incomplete.get_or_insert_with(|| "objects are missing or damaged".into());
    }

    /// Takes the names of a tree and all below it that were not seen at this place before.
    fn tree(&mut self, top: ObjectId) {
        let mut todo = vec![(top, Vec::new())];
        let mut buffer = Vec::new();
        while let Some((id, path)) = todo.pop() {
            if self.seen.len() >= TREES {
                return;
            }
            if !self.seen.insert((id, path.clone())) {
                continue;
            }
            let Ok(Some(object)) = self.objects.try_find(&id, &mut buffer) else {
                self.missing();
                continue;
            };
            if object.kind != ObjectKind::Tree {
                self.missing();
                continue;
            }
            for entry in TreeRefIter::from_bytes(object.data, gix_hash::Kind::Sha1) {
                let Ok(entry) = entry else {
                    self.missing();
                    break;
                };
                let mut full = path.clone();
                if !full.is_empty() {
                    full.push(b'/');
                }
                full.extend_from_slice(entry.filename);
                if entry.mode.is_tree() {
                    if full.len() > 4096 || full.iter().filter(|byte| **byte == b'/').count() > DEPTH {
                        self.incomplete.get_or_insert_with(|| "paths are nested too deeply".into());
                    } else {
                        todo.push((entry.oid.to_owned(), full));
                    }
                } else if (self.keep)(&full) {
                    self.paths.insert(String::from_utf8_lossy(&full).into_owned());
                }
            }
        }
    }
}

/// When a commit was made; 0 where it does not say.
fn time_of(commit: &[u8]) -> i64 {
    let line = commit.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"committer "));
    let text = String::from_utf8_lossy(line.unwrap_or_default());
    let mut words = text.rsplit(' ');
    words.nth(1).and_then(|seconds| seconds.parse().ok()).unwrap_or(0)
}
