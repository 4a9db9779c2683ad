//! The graph of commits: who is whose parent, and which of them a range holds.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use super::objects::{Damage, Kind, NumberMap, Object, Reader, Store};
use super::problem::Problems;
use super::{Id, ProblemKind};

/// The longest chain of tags.
const TAGS: usize = 16;
/// The most parents that a merge is compared with: with fewer of them more of its lines count as new.
const PARENTS: usize = 64;
/// How many commits that are not wanted are still looked at once all others are found: times in commits can be wrong,
/// and a commit that one of these leads to is not wanted either.
const SLACK: usize = 20_000;

/// In the place of a number: a commit that cannot be read.
const UNREAD: u32 = u32::MAX;

/// A commit whose added lines are wanted.
pub(super) struct Node {
    /// Its own number.
    pub(super) commit: Object,
    pub(super) tree: Object,
    /// The trees of its parents.
    pub(super) parents: Vec<Object>,
}

/// A commit as it was read.
struct Seen {
    commit: Object,
    tree: Object,
    time: i64,
    parents: Vec<Object>,
    /// Whether its parents were read.
    walked: bool,
    /// Whether it is reachable from what is left out.
    out: bool,
}

/// What a commit says of itself.
struct Parsed {
    tree: Object,
    time: i64,
    parents: Vec<Object>,
}

/// Walks the graph.
pub(super) struct Walk<'a, 'b> {
    reader: &'b mut Reader<'a>,
    problems: &'b Problems,
    /// Commits whose parents were not fetched.
    shallow: HashSet<Id>,
    seen: Vec<Seen>,
    numbers: NumberMap<u32, u32>,
    queue: BinaryHeap<(i64, Reverse<u32>)>,
    /// How many in the queue are wanted.
    wanted: usize,
}

impl<'a, 'b> Walk<'a, 'b> {
    pub(super) fn new(reader: &'b mut Reader<'a>, shallow: HashSet<Id>, problems: &'b Problems) -> Walk<'a, 'b> {
        Walk {
            reader,
            problems,
            shallow,
            seen: Vec::new(),
            numbers: NumberMap::default(),
            queue: BinaryHeap::new(),
            wanted: 0,
        }
    }

    /// The commits that are reachable from `tips` and not from `out`, newest first.
    pub(super) fn between(&mut self, tips: &[Object], out: &[Object]) -> Vec<Node> {
        for (objects, out) in [(tips, false), (out, true)] {
            for &object in objects {
                if let Some(commit) = peeled(self.reader, object, self.problems) {
                    self.enter(commit, out);
                }
            }
        }
        self.run(!out.is_empty());
        self.nodes()
    }

    /// Reads a commit unless it is known, and puts it into the queue; says again what is left out if need be.
    fn enter(&mut self, commit: Object, out: bool) {
        if let Some(&number) = self.numbers.get(&commit.0) {
            if out && number != UNREAD {
                self.leave_out(number);
            }
            return;
        }
        let Some(Parsed { tree, time, parents }) = self.parse(commit) else {
            self.numbers.insert(commit.0, UNREAD);
            return;
        };
        let number = self.seen.len() as u32;
        self.numbers.insert(commit.0, number);
        self.seen.push(Seen { commit, tree, time, parents, walked: false, out });
        self.queue.push((time, Reverse(number)));
        self.wanted += usize::from(!out);
    }

    /// Reads what is reachable. `bounded` says that something is left out, and that not all of that need be read.
    fn run(&mut self, bounded: bool) {
        let (mut slack, mut oldest) = (SLACK, i64::MAX);
        while let Some((time, Reverse(number))) = self.queue.pop() {
            let seen = &mut self.seen[number as usize];
            seen.walked = true;
            let (out, parents) = (seen.out, seen.parents.clone());
            if !out {
                self.wanted -= 1;
                oldest = oldest.min(time);
            } else if bounded && self.wanted == 0 && time < oldest {
                match slack.checked_sub(1) {
                    Some(left) => slack = left,
                    None => break,
                }
            }
            for parent in parents {
                self.enter(parent, out);
            }
        }
    }

    /// Marks a commit, and all that are known to be reachable from it, as left out.
    fn leave_out(&mut self, number: u32) {
        let mut todo = vec![number];
        while let Some(number) = todo.pop() {
            let seen = &mut self.seen[number as usize];
            if std::mem::replace(&mut seen.out, true) {
                continue;
            }
            if seen.walked {
                todo.extend(
                    seen.parents.iter().filter_map(|parent| self.numbers.get(&parent.0)).filter(|at| **at != UNREAD),
                );
            } else {
                self.wanted -= 1;
            }
        }
    }

    /// What was found and is wanted.
    fn nodes(&self) -> Vec<Node> {
        let wanted = self.seen.iter().filter(|seen| !seen.out);
        let mut order: Vec<&Seen> = wanted.collect();
        order.sort_by_key(|seen| Reverse(seen.time));
        let tree = |parent: &Object| Some(self.seen.get(*self.numbers.get(&parent.0)? as usize)?.tree);
        let node = |seen: &Seen| Node {
            commit: seen.commit,
            tree: seen.tree,
            parents: seen.parents.iter().filter_map(tree).take(PARENTS).collect(),
        };
        order.into_iter().map(node).collect()
    }

    fn parse(&mut self, commit: Object) -> Option<Parsed> {
        let data = match self.reader.read_kind(commit, Kind::Commit) {
            Ok(data) => data,
            Err(damage) => {
                report(self.reader.store(), commit, damage, self.problems);
                return None;
            }
        };
        let store = self.reader.store();
        let head = Head::of(&data.bytes);
        let Some(tree) = head.tree.filter(|id| id.as_bytes().len() == store.width()) else {
            report(store, commit, Damage::Broken, self.problems);
            return None;
        };
        let cut = !self.shallow.is_empty() && store.name(commit).is_some_and(|id| self.shallow.contains(&id));
        let parents = if cut { Vec::new() } else { head.parents };
        let parents = parents.into_iter().map(|id| store.find(id.as_bytes())).collect();
        Some(Parsed { tree: store.find(tree.as_bytes()), time: head.time, parents })
    }
}

/// The lines of a commit before its message.
struct Head {
    tree: Option<Id>,
    parents: Vec<Id>,
    time: i64,
}

impl Head {
    fn of(bytes: &[u8]) -> Head {
        let mut head = Head { tree: None, parents: Vec::new(), time: 0 };
        for line in bytes.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty()) {
            if let Some(hex) = line.strip_prefix(b"parent ") {
                head.parents.extend(Id::from_hex(hex));
            } else if let Some(hex) = line.strip_prefix(b"tree ") {
                head.tree = head.tree.or_else(|| Id::from_hex(hex));
            } else if let Some(person) = line.strip_prefix(b"committer ") {
                head.time = super::commit::Stamp::of(person).seconds;
                break;
            }
        }
        head
    }
}

/// The commit that an object is, or that a tag leads to. Refs to trees and files are none of history.
pub(super) fn peeled(reader: &mut Reader<'_>, object: Object, problems: &Problems) -> Option<Object> {
    let mut object = object;
    for _ in 0..TAGS {
        let data = match reader.read(object) {
            Ok(data) => data,
            Err(damage) => {
                report(reader.store(), object, damage, problems);
                return None;
            }
        };
        match data.kind {
            Kind::Commit => return Some(object),
            Kind::Tag => {
                let target = data.bytes.split(|byte| *byte == b'\n').next()?.strip_prefix(b"object ");
                object = reader.store().find(Id::from_hex(target?)?.as_bytes());
            }
            Kind::Tree | Kind::Blob => return None,
        }
    }
    None
}

/// The folder of a commit.
pub(super) fn tree_of(reader: &mut Reader<'_>, commit: Object) -> Option<Object> {
    let data = reader.read_kind(commit, Kind::Commit).ok()?;
    Some(reader.store().find(Head::of(&data.bytes).tree?.as_bytes()))
}

/// Notes that an object cannot be read.
pub(super) fn report(store: &Store, object: Object, damage: Damage, problems: &Problems) {
    let name = || store.name(object).map_or_else(|| "an object".into(), |id| id.to_string());
    match damage {
        Damage::Missing => problems.add(ProblemKind::Missing, || format!("{} is not there", name())),
        Damage::Broken => problems.add(ProblemKind::Damaged, || format!("{} is damaged", name())),
        Damage::TooLarge => problems.add(ProblemKind::Limit, || format!("{} is too large", name())),
    }
}
