//! Goes through what commits change, path by path and not commit by commit: all versions of one file come one after
//! the other, each is unpacked once and is still at hand as the older side of the next change, and what git stored as
//! the difference to its neighbour is made from what was read just before. A change that several commits make to a
//! path is looked at once.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::change::Change;
use super::commits::{Node, report};
use super::files::Files;
use super::objects::{Damage, Data, Kind, Object};
use super::problem::Problems;
use super::queue::Queue;
use super::tree::{self, Form};
use super::{ProblemKind, Totals};

/// The most commits that are gone through at once: it bounds what waits.
const COMMITS: usize = 16_384;
/// The most changes of one path that one thread goes through at a time.
const RUN: usize = 256;
/// The longest path.
const PATH: usize = 4096;
/// A repository may be taken to hold so many objects more than it does when their repeats are counted.
const GRACE: u64 = 16_384;

/// What takes the place of a file or a folder.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Olds {
    None,
    One(Object),
    /// Of a merge: one for each parent that has the path.
    Many(Box<[Object]>),
}

/// The commits that make a change.
#[derive(Clone)]
enum Commits {
    One([Object; 1]),
    Many(Arc<[Object]>),
}

/// One version of a path, and those before it.
#[derive(Clone)]
struct Version {
    new: Object,
    olds: Olds,
    commits: Commits,
}

/// A path and how it changes.
struct Task {
    path: Arc<[u8]>,
    folder: bool,
    versions: Vec<Version>,
}

impl Olds {
    fn of(mut olds: Vec<Object>) -> Olds {
        olds.sort_unstable();
        olds.dedup();
        match olds[..] {
            [] => Olds::None,
            [one] => Olds::One(one),
            _ => Olds::Many(olds.into()),
        }
    }

    fn list(&self) -> &[Object] {
        match self {
            Olds::None => &[],
            Olds::One(one) => std::slice::from_ref(one),
            Olds::Many(many) => many,
        }
    }
}

impl Commits {
    fn list(&self) -> &[Object] {
        match self {
            Commits::One(one) => one,
            Commits::Many(many) => many,
        }
    }
}

/// What all threads share.
pub(super) struct Shared<'a> {
    problems: &'a Problems,
    queue: Queue<Task>,
    /// How many changes of paths were met, and after how many those that are known from another path are left out:
    /// folders that hold each other many times over name more files than there is time for.
    count: AtomicU64,
    most: u64,
    known: Mutex<HashMap<Object, Vec<Olds>>>,
}

impl<'a> Shared<'a> {
    /// What these commits change, in a repository of so many objects, each of which may come `repeats` times.
    pub(super) fn new(nodes: &[Node], objects: usize, repeats: u64, problems: &'a Problems) -> Shared<'a> {
        let version = |node: &Node| Version {
            new: node.tree,
            olds: Olds::of(node.parents.clone()),
            commits: Commits::One([node.commit]),
        };
        let changes = |node: &&Node| !node.parents.contains(&node.tree);
        let task = |nodes: &[Node]| Task {
            path: Arc::from(&b""[..]),
            folder: true,
            versions: nodes.iter().filter(changes).map(version).collect(),
        };
        let most = (objects as u64 + GRACE).saturating_mul(repeats);
        let tasks = nodes.chunks(COMMITS).rev().map(task).collect();
        Shared { problems, queue: Queue::new(tasks), count: AtomicU64::new(0), most, known: Mutex::default() }
    }

    /// Whether this change need not be looked at: there are far too many, and it was met before.
    fn skips(&self, version: &Version) -> bool {
        if self.count.fetch_add(1, Ordering::Relaxed) < self.most {
            return false;
        }
        self.problems.add(ProblemKind::Limit, || {
            format!("more than {} changes; of the rest those known from other paths were left out", self.most)
        });
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let olds = known.entry(version.new).or_default();
        let met = olds.contains(&version.olds);
        if !met {
            olds.push(version.olds.clone());
        }
        met
    }
}

/// One thread's part of the work.
pub(super) struct Worker<'a, V> {
    shared: &'a Shared<'a>,
    files: Files<'a, V>,
}

impl<'a, V: FnMut(&Change<'_>)> Worker<'a, V> {
    pub(super) fn new(shared: &'a Shared<'a>, files: Files<'a, V>) -> Worker<'a, V> {
        Worker { shared, files }
    }

    /// Works until all is done.
    pub(super) fn run(mut self) -> Totals {
        let shared = self.shared;
        shared.queue.run(|task, more| {
            let versions = grouped(task.versions);
            if task.folder {
                self.folder(&task.path, &versions, more);
            } else {
                self.file(&task.path, &versions);
            }
        });
        self.files.totals
    }

    fn folder(&mut self, path: &[u8], versions: &[Version], more: &mut Vec<Task>) {
        let mut children: HashMap<(Vec<u8>, bool), Vec<Version>> = HashMap::new();
        for version in versions {
            if self.shared.skips(version) {
                continue;
            }
            let Some(new) = self.tree(version.new) else { continue };
            let olds: Vec<_> = version.olds.list().iter().filter_map(|old| self.tree(*old)).collect();
            let olds: Vec<&[u8]> = olds.iter().map(|old| &old.bytes[..]).collect();
            let store = self.files.reader.store();
            let whole = tree::changes(&new.bytes, &olds, store.width(), |entry, olds| {
                if entry.form == Form::Module {
                    return;
                }
                let child = Version {
                    new: store.find(entry.id),
                    olds: Olds::of(olds.map(|old| store.find(old.id)).collect()),
                    commits: version.commits.clone(),
                };
                match children.entry((entry.name.to_vec(), entry.form == Form::Folder)) {
                    Slot::Occupied(mut slot) => slot.get_mut().push(child),
                    Slot::Vacant(slot) => {
                        slot.insert(vec![child]);
                    }
                }
            });
            if !whole {
                report(store, version.new, Damage::Broken, self.shared.problems);
            }
        }
        for ((name, folder), versions) in children {
            if path.len() + name.len() >= PATH {
                self.shared.problems.add(ProblemKind::Limit, || format!("a path is longer than {PATH} bytes"));
                continue;
            }
            let slash: &[u8] = if path.is_empty() { b"" } else { b"/" };
            let path: Arc<[u8]> = [path, slash, &name].concat().into();
            if folder || versions.len() <= RUN {
                more.push(Task { path, folder, versions });
            } else {
                let task = |versions: &[Version]| Task { path: Arc::clone(&path), folder, versions: versions.to_vec() };
                more.extend(versions.chunks(RUN).map(task));
            }
        }
    }

    fn tree(&mut self, object: Object) -> Option<Rc<Data>> {
        self.files
            .reader
            .read_kind(object, Kind::Tree)
            .map_err(|damage| report(self.files.reader.store(), object, damage, self.shared.problems))
            .ok()
    }

    fn file(&mut self, path: &[u8], versions: &[Version]) {
        for version in versions {
            if !self.shared.skips(version) {
                self.files.file(path, version.new, version.olds.list(), version.commits.list());
            }
        }
    }
}

/// Puts the commits together that make the same change. The order stays that of the first of them.
fn grouped(versions: Vec<Version>) -> Vec<Version> {
    if versions.len() < 2 {
        return versions;
    }
    let mut places: HashMap<(Object, Olds), usize> = HashMap::with_capacity(versions.len());
    let mut groups: Vec<Version> = Vec::with_capacity(versions.len());
    let mut more: HashMap<usize, Vec<Object>> = HashMap::new();
    for version in versions {
        match places.entry((version.new, version.olds.clone())) {
            Slot::Vacant(slot) => {
                slot.insert(groups.len());
                groups.push(version);
            }
            Slot::Occupied(slot) => {
                let group = *slot.get();
                let all = more.entry(group).or_insert_with(|| groups[group].commits.list().to_vec());
                all.extend(version.commits.list());
            }
        }
    }
    for (group, mut commits) in more {
        let mut seen = std::collections::HashSet::new();
        commits.retain(|commit| seen.insert(*commit));
        groups[group].commits = Commits::Many(commits.into());
    }
    groups
}
