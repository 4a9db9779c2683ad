//! What SQL reads, the pages have too, at the same place.

use gitleaks_rs::sqlite::{Database, Encoding, Part, Which};

use crate::made::{Made, Rows, Shape, by_pages, by_sql, tables};

fn all_by_sql(made: &Made) -> Rows {
    let mut rows = by_sql(&made.sql, "plain", true);
    // A computed column is in no record.
    rows.extend(by_sql(&made.sql, "no, rowid", false).into_iter().filter(|(.., column, _)| column != "v"));
    rows.extend(by_sql(&made.sql, "sqlite_stat1", true));
    rows.extend(by_sql(&made.sql, "sqlite_stat4", true));
    rows.extend(by_sql(&made.sql, "sqlite_schema", true));
    rows
}

#[test]
fn every_row_that_sql_reads_is_given_and_named() {
    for (seed, shape) in Shape::all().into_iter().enumerate() {
        let made = Made::new(shape);
        made.fill(25, seed as u64);
        let (main, log) = made.files();
        let database = Database::new(&main, (!log.is_empty()).then_some(&log)).unwrap();
        let (walked, tally) = by_pages(&database, Which::All);
        let (rows, _) = tables(&walked);
        let expected = all_by_sql(&made);
        for row in &expected {
            let (table, rowid, column, bytes) = row;
            assert!(rows.contains(row), "{shape:?}: {table} {rowid:?} {column}, {} bytes", bytes.len());
        }
        for row in &rows {
            assert!(expected.contains(row), "{shape:?}: {} {:?} {} is no row", row.0, row.1, row.2);
        }
        assert_eq!((tally.cut, tally.problems, database.problems()), (0, vec![], vec![]), "{shape:?}");
    }
}

#[test]
fn a_place_in_the_file_is_that_of_the_payload() {
    for (seed, shape) in Shape::all().into_iter().enumerate() {
        let made = Made::new(shape);
        made.fill(25, seed as u64);
        let (main, log) = made.files();
        let database = Database::new(&main, (!log.is_empty()).then_some(&log)).unwrap();
        let (walked, _) = by_pages(&database, Which::All);
        let present: Vec<_> = walked.iter().filter(|value| value.place.present).collect();
        let places = database.places(&present.iter().map(|value| value.last).collect::<Vec<_>>());
        for (value, place) in present.iter().zip(&places) {
            assert_eq!(value.place.part, place.part, "{shape:?} {:?} {:?}", value.position, value.last);
        }
    }
}

#[test]
fn entries_of_an_index_name_the_row_they_stand_for() {
    let made = Made::new(Shape::SMALL);
    made.fill(60, 3);
    let (main, log) = made.files();
    let database = Database::new(&main, Some(&log)).unwrap();
    let (walked, _) = by_pages(&database, Which::All);
    let (_, indexes) = tables(&walked);
    let rows = by_sql(&made.sql, "plain", true);
    let named = |index: &str| -> Vec<_> {
        let present = indexes[index].iter().filter(|value| value.place.present);
        present
            .map(|value| match &value.place.part {
                Part::Row(row) => (row.rowid, row.column.clone(), value.bytes.clone()),
                _ => panic!("no row"),
            })
            .collect()
    };
    let by_c = named("by_c");
    assert_eq!(by_c.len(), 60, "one for each row");
    for (rowid, column, bytes) in by_c {
        assert_eq!(column.as_deref(), Some("c"));
        assert!(rows.contains(&("plain".to_owned(), rowid, "c".to_owned(), bytes)));
    }
    assert!(named("by_expression").iter().all(|(rowid, column, _)| rowid.is_some() && column.is_none()));
    assert!(named("by_b").iter().all(|(rowid, column, _)| rowid.is_none() && column.is_some() || column.is_none()));
}

#[test]
fn only_what_lies_across_pages_is_spilled() {
    let made = Made::new(Shape::SMALL);
    let text = "0123456789".repeat(500);
    made.run("CREATE TABLE t(a)");
    made.sql.execute("INSERT INTO t VALUES ('short'), (?1)", [&text]).unwrap();
    let (main, log) = made.files();
    let database = Database::new(&main, Some(&log)).unwrap();
    let mut seen = Vec::new();
    database.payloads(Which::Spilled, 1 << 20, 0, &mut |payload| {
        assert!(payload.straddles(0..payload.bytes.len()) && !payload.straddles(0..10));
        seen.push(payload.bytes[payload.values[0].range.clone()].to_vec());
    });
    assert_eq!(seen, [text.as_bytes()]);
}

#[test]
fn long_payloads_come_in_parts_that_overlap() {
    let made = Made::new(Shape::USUAL);
    let text: String = (0..50_000).map(|number| format!("{number:07} ")).collect();
    made.run("CREATE TABLE t(a, b)");
    made.sql.execute("INSERT INTO t VALUES ('first', ?1)", [&text]).unwrap();
    let (main, log) = made.files();
    let database = Database::new(&main, Some(&log)).unwrap();
    let (mut end, mut parts) = (0, 0);
    database.payloads(Which::Spilled, 10_000, 100, &mut |payload| {
        assert_eq!(payload.start, if parts == 0 { 0 } else { end - 100 });
        end = payload.start + payload.bytes.len() as u64;
        parts += 1;
        let value = payload.values.last().unwrap();
        assert_eq!((value.column, value.range.end), (1, payload.bytes.len()));
        // The header has five bytes, the first value as many.
        let start = (payload.start as usize + value.range.start) - 10;
        assert!(text.as_bytes()[start..].starts_with(&payload.bytes[value.range.clone()]));
    });
    assert_eq!((end, parts > 40), (text.len() as u64 + 10, true));
}

#[test]
fn the_encoding_is_told() {
    for (name, encoding) in
        [("UTF-8", Encoding::Utf8), ("UTF-16le", Encoding::Utf16Le), ("UTF-16be", Encoding::Utf16Be)]
    {
        let made = Made::new(Shape { encoding: name, journal: "delete", ..Shape::USUAL });
        made.run("CREATE TABLE t(a)");
        let (main, _) = made.files();
        assert_eq!(Database::new(&main, None).unwrap().encoding(), encoding);
    }
}
