//! Scans the rows of databases, beside the bytes of their files: a secret that stands across two pages is whole in no
//! file, and only a database can say in which table and row something is.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::ops::Range;

use crate::finding::{Finding, Key, findings};
use crate::scanner::Scanner;
use crate::sqlite::{self, Database, Payload, Position, ReadAt, Which};

/// A longer row is looked at in parts, which overlap by what a match may reach.
const PART: usize = 1 << 20;
const OVERLAP: usize = 64 << 10;

/// What a file is to SQLite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A database.
    Main,
    /// The write-ahead log of one.
    Log,
}

/// What a file that begins with these bytes is to SQLite, if anything.
pub(crate) fn kind(head: &[u8]) -> Option<Kind> {
    if sqlite::is_database(head) { Some(Kind::Main) } else { sqlite::is_log(head).then_some(Kind::Log) }
}

/// Adds what the rows hold to what the bytes of the file do, and names the place of each. A database is read without
/// its log, and a log with its database, so that each file's findings depend on what stands in it.
pub(crate) fn scan(
    scanner: &Scanner,
    key: &Key,
    (file, kind): (&File, Kind),
    main: Option<&File>,
    (name, all): (&str, &mut Vec<Finding>),
) -> io::Result<()> {
    let nothing: &[u8] = &[];
    let database = match kind {
        Kind::Main => Database::new(file, None),
        Kind::Log => Database::new(main.map_or(&nothing as &dyn ReadAt, |main| main), Some(file)),
    };
    // A file that only looks like a database was scanned as bytes, and is no more than that.
    let Ok(database) = database else { return Ok(()) };
    let own = if kind == Kind::Main { sqlite::File::Main } else { sqlite::File::Log };
    let mut asked: Vec<Position> = all.iter().map(|finding| position(kind, finding.offset)).collect();
    let mut fresh = Vec::new();
    database.payloads(Which::All, PART, OVERLAP, &mut |payload: &Payload<'_>| {
        for range in values(payload) {
            let matches = scanner.scan_named(&payload.bytes[range.clone()], name);
            for mut finding in findings(&matches, name, key) {
                let start = range.start + usize::try_from(finding.offset).unwrap_or(0);
                let end = start + usize::try_from(finding.length).unwrap_or(0);
                let Some((_, offset, _)) = payload.stand(start..end).find(|(file, ..)| *file == own) else { continue };
                finding.offset = offset;
                asked.push(Position::Payload(payload.origin, payload.start + start as u64));
                fresh.push(finding);
            }
        }
    });
    all.append(&mut fresh);
    for (finding, place) in all.iter_mut().zip(database.places(&asked)) {
        finding.place = Some(place.to_string());
        // Lines mean nothing in a file of pages.
        (finding.line, finding.column, finding.end_line) = (0, 0, 0);
        finding.fingerprint = format!("{name}:{}:{}", finding.rule, finding.offset);
    }
    keep_one_each(all);
    Ok(())
}

/// The values of a row, each by itself; all of the bytes where they are no record.
fn values(payload: &Payload<'_>) -> Vec<Range<usize>> {
    let whole = payload.values.is_empty().then_some(0..payload.bytes.len());
    payload.values.iter().map(|value| value.range.clone()).chain(whole).collect()
}

fn position(kind: Kind, offset: u64) -> Position {
    match kind {
        Kind::Main => Position::Main(offset),
        Kind::Log => Position::Log(offset),
    }
}

/// The bytes of the file and its rows tell of the same secret; what the row says of it is surer.
fn keep_one_each(all: &mut Vec<Finding>) {
    all.sort_by(|a, b| (a.offset, b.confidence, b.length).cmp(&(b.offset, a.confidence, a.length)));
    let mut last: HashMap<String, u64> = HashMap::new();
    let mut end = 0;
    all.retain(|finding| {
        let again = last.insert(finding.hash.clone(), finding.offset).is_some_and(|at| at.abs_diff(finding.offset) < 8);
        let inside = finding.offset < end;
        end = end.max(finding.offset + finding.length);
        !(again || inside)
    });
}
