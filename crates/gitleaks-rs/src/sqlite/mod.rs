//! Reads SQLite databases as pages, while other programs have them open: no lock is taken, nothing is written, and no
//! SQLite is needed.
//!
//! Whoever scans the bytes of a database and of its write-ahead log as they are sees nearly everything, deleted rows and
//! old frames included. Two things that misses: what stands across two pages, and where a value starts that stands
//! directly behind another. [`Database::payloads`] gives the rows' payloads put together, with where each byte came
//! from. And it cannot say where it is: [`Database::places`] names table, row and column.
//!
//! Nothing that stands in the files is believed. They may change between two reads, so a page is read once into memory
//! and looked at there; every length is checked against it. Work is bounded by the size of the files and memory by
//! three MiB for usual databases and some fifteen for any; what lies beyond is left to the scan of the bytes, and said in a [`Problem`].
//!
//! ```no_run
//! use gitleaks_rs::sqlite::{Database, Position, Which};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (main, log) = (std::fs::File::open("agent.db")?, std::fs::File::open("agent.db-wal")?);
//! let database = Database::new(&main, Some(&log))?;
//! let mut found = Vec::new();
//! database.payloads(Which::All, 1 << 20, 4 << 10, &mut |payload| {
//!     if let Some(at) = payload.bytes.windows(4).position(|bytes| bytes == b"key=") {
//!         found.push(Position::Payload(payload.origin, payload.start + at as u64));
//!     }
//! });
//! for place in database.places(&found) {
//!     println!("{place}"); // table "message", row 17, column "data"
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The format: <https://www.sqlite.org/fileformat2.html>.

mod bits;
mod columns;
mod free;
mod header;
mod locate;
mod node;
mod pages;
mod passes;
mod payload;
mod place;
mod problem;
mod record;
mod schema;
mod source;
mod tree;
mod wal;

use std::sync::OnceLock;

pub use header::{Encoding, is_database, is_log};
pub use locate::Position;
pub use pages::File;
pub use passes::{Tally, Which};
pub use payload::{Origin, Payload, Piece, Value};
pub use place::{Owner, Part, Place, Row};
pub use problem::Problem;
pub use record::Kind;
pub use source::ReadAt;

/// A database with its write-ahead log.
pub struct Database<'a> {
    pages: pages::Pages<'a>,
    problems: Vec<Problem>,
    free: OnceLock<(free::Free, Vec<Problem>)>,
}

impl<'a> Database<'a> {
    /// Reads the header, and from the log which of its frames count. A log without its database can be given with an
    /// empty one.
    ///
    /// # Errors
    /// If it is no database or its header cannot be true. Problems of the log are none: see [`Database::problems`].
    pub fn new(main: &'a dyn ReadAt, log: Option<&'a dyn ReadAt>) -> Result<Self, Problem> {
        let mut problems = Vec::new();
        let pages = pages::Pages::open(main, log, &mut problems)?;
        Ok(Self { pages, problems, free: OnceLock::new() })
    }

    /// What is wrong with it and left part of it to the scan of the bytes.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let (_, listed) = self.free();
        self.problems.iter().chain(listed).cloned().collect()
    }

    /// How its texts are encoded. Those of a UTF-16 database are found by nobody who looks for UTF-8.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.pages.shape.encoding
    }

    /// How long its pages are.
    #[must_use]
    pub fn page_size(&self) -> usize {
        self.pages.shape.page_size
    }

    /// Gives the payloads of all rows and index entries put together: the present ones, those on free pages, those of
    /// deleted rows as far as their pages can still be told, and those in old frames of the log.
    ///
    /// A payload longer than `limit` (at least 1 KiB) comes in parts of that length, of which each starts with the last
    /// `overlap` bytes (at most half the limit) of the one before.
    pub fn payloads(&self, which: Which, limit: usize, overlap: usize, visit: &mut dyn FnMut(&Payload)) -> Tally {
        let (free, _) = self.free();
        passes::Passes::new(&self.pages, free, which, (limit, overlap), visit).run()
    }

    /// Says where bytes stand, in the order of the questions. Asked together they cost one walk through the database.
    #[must_use]
    pub fn places(&self, positions: &[Position]) -> Vec<Place> {
        let (free, _) = self.free();
        locate::Locator { pages: &self.pages, free }.places(positions)
    }

    /// Says where a byte of the database file stands.
    #[must_use]
    pub fn place(&self, offset: u64) -> Place {
        self.places(&[Position::Main(offset)]).swap_remove(0)
    }

    /// Says where a byte of the write-ahead log stands.
    #[must_use]
    pub fn wal_place(&self, offset: u64) -> Place {
        self.places(&[Position::Log(offset)]).swap_remove(0)
    }

    fn free(&self) -> &(free::Free, Vec<Problem>) {
        self.free.get_or_init(|| {
            let mut problems = Vec::new();
            let free = free::Free::read(&self.pages, pages::View::Now, &mut problems);
            (free, problems)
        })
    }
}

impl std::fmt::Debug for Database<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        let (shape, count) = (self.pages.shape, self.pages.count);
        out.debug_struct("Database").field("shape", &shape).field("pages", &count).finish_non_exhaustive()
    }
}
