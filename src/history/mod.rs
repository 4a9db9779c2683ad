//! The audits of this account, kept in one SQLite file that nobody else may read.
//!
//! What is listed and drawn stands in columns; the report itself is packed beside them. The file is ours alone: what it
//! holds was written by [`History::keep`], and a damaged one is an error that names it, never a guess.

mod file;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::evidence::Point;
use crate::report::Report;

/// The form of the tables. A change that older programs cannot read raises it.
const VERSION: i64 = 1;
/// So many audits are kept; the oldest goes for the next.
const MOST: i64 = 10_000;
/// The largest report that is unpacked.
const LIMIT: u64 = 256 << 20;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS audits (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        time TEXT NOT NULL,
        project TEXT NOT NULL,
        profile TEXT NOT NULL,
        scope TEXT NOT NULL,
        harden TEXT NOT NULL,
        against INTEGER NOT NULL,
        accepted INTEGER NOT NULL,
        unknown INTEGER NOT NULL,
        passed INTEGER NOT NULL,
        report BLOB NOT NULL
    );
    CREATE INDEX IF NOT EXISTS audits_by_project ON audits (project, time);
    CREATE INDEX IF NOT EXISTS audits_by_time ON audits (time);";

/// The columns of a [`Kept`], in order.
const COLUMNS: &str = "id, time, project, profile, scope, harden, against, accepted, unknown, passed";

/// Why the history could not be used.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The file cannot be opened, or others may read it.
    #[error("{0}")]
    File(String),
    /// SQLite refuses.
    #[error("the history `{}`: {cause}", crate::model::plain(&file.display().to_string()))]
    Database {
        /// The file.
        file: PathBuf,
        /// What SQLite said.
        cause: String,
    },
}

/// An audit that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its number, which no other audit gets.
    pub id: i64,
    /// The version of `harden` that made it.
    pub harden: String,
    /// How it went.
    pub point: Point,
}

/// The open file.
pub struct History {
    file: PathBuf,
    database: Connection,
}

impl History {
    /// Opens the file, made private where it is new.
    pub fn open(file: &Path) -> Result<Self, HistoryError> {
        let file = file::private(file)?;
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let history = |database| Self { file: file.clone(), database };
        let opened = Connection::open_with_flags(&file, flags).map(history);
        let history = opened.map_err(|error| damaged(&file, &error))?;
        history.prepare().map_err(|error| damaged(&file, &error))?;
        let version: i64 = history.said(|it| it.query_row("PRAGMA user_version", [], |row| row.get(0)))?;
        match version {
            VERSION => Ok(history),
            0 => {
                history.said(|it| {
                    it.execute_batch(&format!("BEGIN IMMEDIATE; {TABLES}; PRAGMA user_version = {VERSION}; COMMIT;"))
                })?;
                Ok(history)
            }
            newer => {
                let cause = format!("is of form {newer}, and this program reads form {VERSION}; use the newer program");
                Err(HistoryError::Database { file: file.clone(), cause })
            }
        }
    }

    /// Waits for others for a while, and forgets in full what is deleted.
    fn prepare(&self) -> rusqlite::Result<()> {
        self.database.busy_timeout(std::time::Duration::from_secs(2))?;
        self.database.pragma_update(None, "secure_delete", true)?;
        self.database.pragma_update(None, "trusted_schema", false)
    }

    fn said<T>(&self, ask: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, HistoryError> {
        ask(&self.database).map_err(|error| damaged(&self.file, &error))
    }

    /// Keeps an audit and says its number.
    pub fn keep(&self, report: &Report) -> Result<i64, HistoryError> {
        let json = serde_json::to_vec(&report.printable()).expect("a report is plain data");
        let packed = ruzstd::encoding::compress_to_vec(json.as_slice(), ruzstd::encoding::CompressionLevel::Fastest);
        let point = Point::of(&report.printable());
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.said(|it| {
            it.execute(
                "INSERT INTO audits (time, project, profile, scope, harden, against, accepted, unknown, passed, report)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                params![
                    point.time,
                    point.project,
                    point.profile,
                    point.scope,
                    report.harden,
                    number(point.against),
                    number(point.accepted),
                    number(point.unknown),
                    number(point.passed),
                    packed
                ],
            )?;
            let id = it.last_insert_rowid();
            it.execute("DELETE FROM audits WHERE id <= ?1 - ?2", params![id, MOST])?;
            Ok(id)
        })
    }

    /// The audits, oldest first; of one project where it is named.
    pub fn list(&self, project: Option<&str>) -> Result<Vec<Kept>, HistoryError> {
        self.said(|it| {
            let mut ask = it
                .prepare(&format!("SELECT {COLUMNS} FROM audits WHERE ?1 IS NULL OR project = ?1 ORDER BY time, id"))?;
            ask.query_map([project], kept)?.collect()
        })
    }

    /// The JSON of one audit; None where it is not kept.
    pub fn report(&self, id: i64) -> Result<Option<Vec<u8>>, HistoryError> {
        let ask = |it: &Connection| {
            it.query_row("SELECT report FROM audits WHERE id = ?1", [id], |row| row.get::<_, Vec<u8>>(0)).optional()
        };
        let Some(packed) = self.said(ask)? else { return Ok(None) };
        let wrong = |cause: String| HistoryError::Database { file: self.file.clone(), cause };
        let mut json = Vec::new();
        let reader = ruzstd::decoding::StreamingDecoder::new(packed.as_slice());
        let reader = reader.map_err(|error| wrong(format!("audit {id} is damaged: {error}")))?;
        let read = reader.take(LIMIT + 1).read_to_end(&mut json);
        match read {
            Ok(size) if size as u64 <= LIMIT => Ok(Some(json)),
            Ok(_) => Err(wrong(format!("audit {id} is larger than 256 MiB"))),
            Err(error) => Err(wrong(format!("audit {id} is damaged: {error}"))),
        }
    }

    /// Forgets the audits before a point in time, and says how many those were.
    pub fn prune(&self, before: Timestamp) -> Result<usize, HistoryError> {
        let before = before.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let pruned = self.said(|it| it.execute("DELETE FROM audits WHERE time < ?1", [before]))?;
        if pruned > 0 {
            self.said(|it| it.execute_batch("VACUUM"))?;
        }
        Ok(pruned)
    }
}

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    let count = |place: usize| row.get::<_, i64>(place).map(|count| usize::try_from(count).unwrap_or(0));
    Ok(Kept {
        id: row.get(0)?,
        harden: row.get(5)?,
        point: Point {
            time: row.get(1)?,
            project: row.get(2)?,
            profile: row.get(3)?,
            scope: row.get(4)?,
            against: count(6)?,
            accepted: count(7)?,
            unknown: count(8)?,
            passed: count(9)?,
        },
    })
}

fn damaged(file: &Path, error: &rusqlite::Error) -> HistoryError {
    HistoryError::Database { file: file.to_owned(), cause: error.to_string() }
}
