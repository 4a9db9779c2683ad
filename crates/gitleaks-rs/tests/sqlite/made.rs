//! Makes databases of many shapes, and reads them in both ways.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use gitleaks_rs::sqlite::{Database, Kind, Part, Payload, Place, Position, Tally, Which};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

/// How a database is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) page_size: u32,
    pub(crate) auto_vacuum: u8,
    pub(crate) encoding: &'static str,
    pub(crate) journal: &'static str,
    pub(crate) reserved: u8,
}

impl Shape {
    pub(crate) const USUAL: Self =
        Self { page_size: 4096, auto_vacuum: 0, encoding: "UTF-8", journal: "wal", reserved: 0 };
    pub(crate) const SMALL: Self = Self { page_size: 512, ..Self::USUAL };

    /// One or two of everything.
    pub(crate) fn all() -> Vec<Self> {
        let mut shapes = Vec::new();
        for (at, page_size) in [512, 1024, 4096, 16384, 65536].into_iter().enumerate() {
            for (encoding, reserved) in [("UTF-8", 0), ("UTF-16le", 0), ("UTF-16be", 16), ("UTF-8", 32)] {
                let auto_vacuum = ((at + usize::from(reserved) / 16) % 3) as u8;
                let journal = if shapes.len() % 2 == 0 { "wal" } else { "delete" };
                shapes.push(Self { page_size, auto_vacuum, encoding, journal, reserved });
            }
        }
        shapes
    }
}

/// A database with the connection that made it, which stays open.
pub(crate) struct Made {
    _folder: tempfile::TempDir,
    pub(crate) path: PathBuf,
    pub(crate) sql: Connection,
}

impl Made {
    pub(crate) fn new(shape: Shape) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.db");
        let open = || {
            let sql = Connection::open(&path).unwrap();
            sql.pragma_update(None, "page_size", shape.page_size).unwrap();
            sql.pragma_update(None, "auto_vacuum", shape.auto_vacuum).unwrap();
            sql.pragma_update(None, "encoding", shape.encoding).unwrap();
            sql
        };
        if shape.reserved > 0 {
            open().execute_batch("CREATE TABLE gone(x); DROP TABLE gone; VACUUM").unwrap();
            reserve(&path, shape);
        }
        let sql = open();
        sql.pragma_update(None, "journal_mode", shape.journal).unwrap();
        sql.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
        sql.pragma_update(None, "synchronous", "off").unwrap();
        Self { path, sql, _folder: folder }
    }

    pub(crate) fn run(&self, sql: &str) {
        self.sql.execute_batch(sql).unwrap();
    }

    pub(crate) fn files(&self) -> (Vec<u8>, Vec<u8>) {
        let log = self.path.with_extension("db-wal");
        (std::fs::read(&self.path).unwrap(), std::fs::read(log).unwrap_or_default())
    }

    /// Tables, indexes and rows of all kinds.
    pub(crate) fn fill(&self, rows: usize, seed: u64) {
        self.run(
            "CREATE TABLE plain(id INTEGER PRIMARY KEY, a TEXT, n INT, \"odd \"\" name\" BLOB, c TEXT);
             CREATE TABLE [no, rowid](a TEXT, k TEXT, v TEXT AS (a || k), b TEXT, PRIMARY KEY (k)) WITHOUT ROWID;
             CREATE INDEX by_c ON plain(c);
             CREATE INDEX by_expression ON plain(lower(a), n);
             CREATE INDEX by_b ON [no, rowid](b, a);",
        );
        let mut random = Random(seed);
        self.run("BEGIN");
        let page: u32 = self.sql.pragma_query_value(None, "page_size", |row| row.get(0)).unwrap();
        for row in 0..rows {
            let id = if row % 7 == 0 { random.below(1 << 40) as i64 } else { row as i64 };
            let blob = random.text(&format!("blob {row} "), page).into_bytes();
            let values = (id, random.text(&format!("a {row} "), page), blob, random.text(&format!("c {row} "), page));
            self.sql.execute("INSERT OR REPLACE INTO plain VALUES (?1, ?2, -5, ?3, ?4)", values).unwrap();
            let keyed = ["A", "K", "B"].map(|column| random.text(&format!("{column} {row} "), page));
            self.sql.execute("INSERT INTO [no, rowid](a, k, b) VALUES (?1, ?2, ?3)", keyed).unwrap();
        }
        self.run("COMMIT");
        self.run("ALTER TABLE plain ADD COLUMN late TEXT; UPDATE plain SET late = 'late ' || id WHERE id % 3 = 0");
        self.run("ANALYZE");
    }
}

/// Makes room at the end of the only page, as an extension would have it.
fn reserve(path: &std::path::Path, shape: Shape) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[20] = shape.reserved;
    let content = (shape.page_size - u32::from(shape.reserved)) as u16;
    bytes[105..107].copy_from_slice(&content.to_be_bytes());
    std::fs::write(path, bytes).unwrap();
}

/// Numbers from a seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// A text that nobody else has, often short, now and then of several pages.
    fn text(&mut self, start: &str, page: u32) -> String {
        let length = match self.below(8) {
            0 => self.below(u64::from(page) * 3),
            1 => self.below(u64::from(page)),
            _ => self.below(60),
        };
        let letters = (0..length).map(|_| char::from(b'a' + self.below(26) as u8));
        start.chars().chain(letters).collect()
    }
}

/// A text or blob by the table, row and column it stands in.
pub(crate) type Rows = BTreeSet<(String, Option<i64>, String, Vec<u8>)>;

/// All texts and blobs of a table as SQL has them. Texts are in UTF-8 here, whatever the database has.
pub(crate) fn by_sql(sql: &Connection, table: &str, with_rowid: bool) -> Rows {
    let first = if with_rowid { "rowid" } else { "NULL" };
    let mut statement = sql.prepare(&format!("SELECT {first}, * FROM [{table}]")).unwrap();
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let (mut rows, mut found) = (statement.query([]).unwrap(), Rows::new());
    while let Some(row) = rows.next().unwrap() {
        let rowid = row.get::<_, Option<i64>>(0).unwrap();
        for (column, name) in names.iter().enumerate().skip(1) {
            let bytes = match row.get_ref(column).unwrap() {
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) if !bytes.is_empty() => bytes.to_vec(),
                _ => continue,
            };
            found.insert((table.to_owned(), rowid, name.clone(), bytes));
        }
    }
    found
}

/// A value as the pages have it.
pub(crate) struct Walked {
    pub(crate) bytes: Vec<u8>,
    pub(crate) position: Position,
    /// Where its last byte stands.
    pub(crate) last: Position,
    pub(crate) place: Place,
}

/// All values of a database as the pages have them, texts as UTF-8.
pub(crate) fn by_pages(database: &Database, which: Which) -> (Vec<Walked>, Tally) {
    let mut found = Vec::new();
    let tally = database.payloads(which, 1 << 20, 0, &mut |payload: &Payload| {
        for value in payload.values {
            let bytes = &payload.bytes[value.range.clone()];
            let bytes = match value.kind {
                Kind::Text => database.encoding().decode(bytes).into_bytes(),
                _ => bytes.to_vec(),
            };
            let position = Position::Payload(payload.origin, payload.start + value.range.start as u64);
            let (file, offset, length) = payload.stand(value.range.clone()).last().unwrap();
            let last = offset + length as u64 - 1;
            let last = match file {
                gitleaks_rs::sqlite::File::Main => Position::Main(last),
                gitleaks_rs::sqlite::File::Log => Position::Log(last),
            };
            found.push((bytes, position, last));
        }
    });
    let places = database.places(&found.iter().map(|(_, position, _)| *position).collect::<Vec<_>>());
    let walked = found.into_iter().zip(places);
    (walked.map(|((bytes, position, last), place)| Walked { bytes, position, last, place }).collect(), tally)
}

/// The rows of tables among the values, and those of indexes.
pub(crate) fn tables(walked: &[Walked]) -> (Rows, BTreeMap<String, Vec<&Walked>>) {
    let (mut rows, mut indexes) = (Rows::new(), BTreeMap::<String, Vec<&Walked>>::new());
    for value in walked {
        let Part::Row(row) = &value.place.part else { continue };
        match &row.owner {
            Some(owner) if owner.index_of.is_some() => indexes.entry(owner.name.clone()).or_default().push(value),
            Some(owner) if value.place.present => {
                let column = row.column.clone().unwrap_or_default();
                rows.insert((owner.name.clone(), row.rowid, column, value.bytes.clone()));
            }
            _ => {}
        }
    }
    (rows, indexes)
}

/// A log all of whose frames count, by their salts and checksums.
pub(crate) fn counted_anew(mut log: Vec<u8>) -> Vec<u8> {
    let Some(header) = log.get_mut(..32) else { return log };
    let big = header[3] & 1 == 1;
    let page_size = u32::from_be_bytes(header[8..12].try_into().unwrap()) as usize;
    if !(512..=65536).contains(&page_size) {
        return log;
    }
    let salts: [u8; 8] = header[16..24].try_into().unwrap();
    let mut sums = carried_on(big, (0, 0), &header[..24]);
    write(&mut header[24..], sums);
    for frame in log[32..].chunks_exact_mut(24 + page_size) {
        frame[8..16].copy_from_slice(&salts);
        sums = carried_on(big, carried_on(big, sums, &frame[..8]), &frame[24..]);
        write(&mut frame[16..], sums);
    }
    log
}

fn carried_on(big: bool, (mut first, mut second): (u32, u32), bytes: &[u8]) -> (u32, u32) {
    let word = |word: &[u8; 4]| if big { u32::from_be_bytes(*word) } else { u32::from_le_bytes(*word) };
    for pair in bytes.as_chunks::<8>().0 {
        let (words, _) = pair.as_chunks::<4>();
        first = first.wrapping_add(word(&words[0])).wrapping_add(second);
        second = second.wrapping_add(word(&words[1])).wrapping_add(first);
    }
    (first, second)
}

fn write(at: &mut [u8], sums: (u32, u32)) {
    at[..4].copy_from_slice(&sums.0.to_be_bytes());
    at[4..8].copy_from_slice(&sums.1.to_be_bytes());
}
