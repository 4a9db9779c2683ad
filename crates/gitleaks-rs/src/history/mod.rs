//! Git repositories, read in-process: every line that a history adds, what is staged, and every object there is.
//!
//! A repository is as hostile as any other input, and git would run what its configuration names: hooks, filters,
//! fsmonitor, helpers. Nothing is run here. Files are opened step by step without following links; objects that are
//! borrowed from elsewhere, and a `.git` file whose target does not point back, are left alone unless
//! [`Options::follow`] is set. What is missing or damaged is told in [`Summary::problems`], and the rest is read.
//! Objects named by SHA-1 and by SHA-256 are read alike; nothing checks that an object has the name it goes by.
//!
//! Added lines are those of `git log -p -U0 --full-history --all --no-renames`, and beside them
//! - lines of a merge that are in none of its parents (an "evil merge"), which `git log -p` leaves out;
//! - lines of files that attributes keep from being shown as text;
//! - the whole history where replacements or grafts hide some of it from git.
//!
//! Where lines were moved, diff algorithms differ on which of them were; each such line was added earlier.
//!
//! ```no_run
//! # use gitleaks_rs::history::{Options, Range, Repository};
//! let repository = Repository::open(".".as_ref(), Options::default())?;
//! let summary = repository.added(&Range::All, || |change: &gitleaks_rs::history::Change<'_>| {
//!     for piece in change.pieces() {
//!         let _ = (change.path(), change.line(piece.start), piece.bytes);
//!     }
//! })?;
//! assert!(summary.problems.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod blobs;
mod change;
mod commit;
mod commits;
mod files;
mod folder;
mod given;
mod id;
mod large;
mod lines;
mod listing;
mod objects;
mod paths;
mod place;
mod problem;
mod queue;
mod refs;
mod revision;
mod staged;
mod tree;

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

pub use self::blobs::Blob;
pub use self::change::{Change, Piece};
pub use self::commit::Commit;
use self::commits::Walk;
use self::files::Files;
pub(crate) use self::given::Given;
pub use self::id::Id;
pub(crate) use self::listing::{Listing, listing};
use self::objects::{Kind, Object, Reader, Store};
use self::paths::{Shared, Worker};
use self::place::Place;
use self::problem::Problems;
pub use self::problem::{Problem, ProblemKind};
pub use self::staged::index;

/// How a repository is read.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether links, `.git` files and `alternates` may lead out of the repository.
    pub follow: bool,
    /// Whether objects are read that the repository borrows by `alternates`, though nothing else is followed.
    pub borrow: bool,
    /// Whether what reflogs name is part of the history: dropped commits and older stashes.
    pub logs: bool,
    /// Whether files that are no text are handed over too, whole.
    pub binaries: bool,
    /// How many threads read.
    pub threads: usize,
    /// The size of the largest object that is held in memory. A larger file counts as new as a whole, and comes in
    /// parts, where it is stored whole; where it is stored as a difference it is a problem.
    pub object_limit: u64,
    /// About how many bytes of objects each thread keeps at hand.
    pub cache: usize,
    /// How many times each object may come on average. Folders that hold each other many times over can name more
    /// files than there is time for; beyond this each different change is handed over once more and no oftener.
    pub repeats: u64,
    /// About how many bytes of a store's objects are handed over together. What is left then is a problem.
    pub total: u64,
}

impl Default for Options {
    fn default() -> Options {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Options {
            follow: false,
            borrow: false,
            logs: false,
            binaries: false,
            threads,
            object_limit: 64 << 20,
            cache: 8 << 20,
            repeats: 64,
            total: u64::MAX,
        }
    }
}

/// Which commits are wanted.
#[derive(Clone, Debug)]
pub enum Range {
    /// All that a ref or a work tree's HEAD leads to.
    All,
    /// All of those that none of these revisions leads to: names of refs or commits, with `~2` and `^1` behind them
    /// if need be.
    Since(Vec<String>),
    /// What a push brings: for each ref the new commit and the one it was before. All zeros stand for no commit; what
    /// the remote's other refs lead to, as far as that is known here, is left out too.
    Pushed {
        /// New and old commit of each ref.
        refs: Vec<(Id, Id)>,
        /// The remote's name. One that is an address has no refs here, and leaves nothing out.
        remote: Option<String>,
    },
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many commits were gone through.
    pub commits: usize,
    /// How many different changes of files were handed over.
    pub changes: u64,
    /// How many bytes of new lines they held.
    pub bytes: u64,
    /// How many changes of files that are no text were left out.
    pub binaries: u64,
    /// What could not be read. Empty if all was.
    pub problems: Vec<Problem>,
}

/// What one worker did.
#[derive(Clone, Copy, Default)]
struct Totals {
    changes: u64,
    bytes: u64,
    binaries: u64,
}

/// Why a repository cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no repository.
    #[error("`{}` is no git repository", .path.display())]
    NoRepository {
        /// Where one was looked for.
        path: PathBuf,
    },
    /// The repository's parts lie elsewhere.
    #[error("`{}` leads to `{}`, which does not point back", .path.display(), .target.display())]
    Elsewhere {
        /// The `.git`.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read `{}`: {error}", .path.display())]
    Unreadable {
        /// Where.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The index cannot be read.
    #[error("the index {why}")]
    Index {
        /// Why, for people.
        why: String,
    },
    /// A revision is not known.
    #[error("no commit is named `{name}`")]
    Revision {
        /// The revision.
        name: String,
    },
}

impl From<OpenError> for io::Error {
    /// Of the kind that kept a file closed, where one did.
    fn from(error: OpenError) -> Self {
        let kind = match &error {
            OpenError::Unreadable { error, .. } => error.kind(),
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// A repository.
pub struct Repository {
    place: Place,
    store: Store,
    options: Options,
    problems: Problems,
}

impl Repository {
    /// Opens the repository of the work tree at `path`, or the bare one that is there.
    pub fn open(path: &Path, options: Options) -> Result<Repository, OpenError> {
        Ok(Self::of(place::open(path, options.follow)?, options))
    }

    /// Opens the repository of a git directory that git itself has named: nothing has to point back to it.
    pub fn of_git_dir(path: &Path, options: Options) -> Result<Repository, OpenError> {
        Ok(Self::of(place::of_git_dir(path)?, options))
    }

    fn of(place: Place, options: Options) -> Repository {
        let problems = Problems::default();
        let store = Store::open(place::objects(&place, &options, &problems), place.width, &problems);
        Repository { place, store, options, problems }
    }

    fn reader(&self) -> Reader<'_> {
        Reader::new(&self.store, self.options.cache, self.options.object_limit)
    }

    /// Hands over every line that the commits of a range add. `visitor` is called once on each thread.
    pub fn added<V: FnMut(&Change<'_>)>(
        &self,
        range: &Range,
        visitor: impl Fn() -> V + Sync,
    ) -> Result<Summary, OpenError> {
        let nodes = self.commits(range)?;
        let shared = Shared::new(&nodes, self.store.count(), self.options.repeats, &self.problems);
        let commits = nodes.len();
        drop(nodes);
        let totals = self.on_threads(|| {
            let files = Files::new(self.reader(), self.options.binaries, &self.problems, visitor());
            Worker::new(&shared, files).run()
        });
        Ok(self.summary(commits, &totals))
    }

    /// Does the same on all threads.
    fn on_threads(&self, work: impl Fn() -> Totals + Sync) -> Vec<Totals> {
        let work = &work;
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..self.options.threads).map(|_| scope.spawn(work)).collect();
            let mut totals = vec![work()];
            for other in others {
                totals.push(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            totals
        })
    }

    fn summary(&self, commits: usize, totals: &[Totals]) -> Summary {
        let mut summary = Summary { commits, problems: self.problems.list(), ..Summary::default() };
        for Totals { changes, bytes, binaries } in totals {
            summary.changes += changes;
            summary.bytes += bytes;
            summary.binaries += binaries;
        }
        summary
    }

    /// The commits of a range, newest first.
    fn commits(&self, range: &Range) -> Result<Vec<commits::Node>, OpenError> {
        let mut reader = self.reader();
        let find = |id: &Id| self.store.find(id.as_bytes());
        let tips = || refs::tips(&self.place, self.options.logs, &self.problems).iter().map(find).collect();
        let (tips, out): (Vec<Object>, Vec<Object>) = match range {
            Range::All => (tips(), Vec::new()),
            Range::Since(names) => {
                let out = names.iter().map(|name| self.revision(&mut reader, name)).collect::<Result<_, _>>()?;
                (tips(), out)
            }
            Range::Pushed { refs, remote } => {
                let real = |id: &&Id| !id.is_null();
                // The remote may have what is not here: such a commit leaves nothing out.
                let here = |id: &Id| self.store.find_present(id.as_bytes());
                let known = remote.iter().flat_map(|name| refs::of_remote(&self.place, name)).collect::<Vec<_>>();
                let olds = refs.iter().map(|(_, old)| old).chain(&known).filter(real).filter_map(here).collect();
                (refs.iter().map(|(new, _)| new).filter(real).map(find).collect(), olds)
            }
        };
        let shallow = match range {
            // What was never fetched is not pushed either, so that nothing of a push is missing.
            Range::Pushed { .. } => self.cut().unwrap_or_default(),
            Range::All | Range::Since(_) => self.shallow(),
        };
        Ok(Walk::new(&mut reader, shallow, &self.problems).between(&tips, &out))
    }

    /// The commits whose parents were not fetched, of which the summary tells.
    fn shallow(&self) -> HashSet<Id> {
        let cut = self.cut().unwrap_or_else(|error| {
            self.problems.add(ProblemKind::of(&error), || format!("`shallow`: {error}"));
            HashSet::new()
        });
        if !cut.is_empty() {
            self.problems.add(ProblemKind::Shallow, || {
                format!("the history is cut off behind {} commits: it was cloned so", cut.len())
            });
        }
        cut
    }

    fn cut(&self) -> io::Result<HashSet<Id>> {
        let lines = self.place.common.read(b"shallow", 64 << 20)?.unwrap_or_default();
        Ok(lines.split(|byte| *byte == b'\n').filter_map(Id::from_hex).collect())
    }

    /// What a commit says of itself.
    pub fn commit(&self, id: &Id) -> Option<Commit> {
        let object = self.store.find_present(id.as_bytes())?;
        let mut reader = Reader::new(&self.store, 0, self.options.object_limit);
        let data = reader.read_kind(object, Kind::Commit).ok()?;
        Some(Commit::parse(*id, &data.bytes))
    }

    /// The names of a range's commits, newest first.
    pub fn names(&self, range: &Range) -> Result<Vec<Id>, OpenError> {
        Ok(self.commits(range)?.iter().filter_map(|node| self.store.name(node.commit)).collect())
    }
}

#[cfg(test)]
mod tests;
