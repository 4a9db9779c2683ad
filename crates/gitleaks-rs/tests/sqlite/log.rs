//! The write-ahead log: what counts, what is old, and what was never finished.

use gitleaks_rs::sqlite::{Database, Position, Problem, Which};

use crate::made::{Made, Shape, by_pages, by_sql, counted_anew, tables};

fn long(mark: &str) -> String {
    (0..300).map(|number| format!("{mark}{number:03} ")).collect()
}

/// Where a text is, by payloads.
fn places(database: &Database, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    database.payloads(Which::All, 1 << 20, 0, &mut |payload| {
        if let Some(at) = payload.bytes.windows(text.len()).position(|bytes| bytes == text.as_bytes()) {
            found.push(Position::Payload(payload.origin, at as u64));
        }
    });
    database.places(&found).into_iter().map(|place| place.to_string()).collect()
}

#[test]
fn an_older_row_in_the_log_is_put_together_too() {
    let made = Made::new(Shape::SMALL);
    made.run("CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT)");
    made.sql.execute("INSERT INTO t VALUES (7, ?1)", [long("old")]).unwrap();
    made.sql.execute("UPDATE t SET a = ?1", [long("new")]).unwrap();
    let (main, log) = made.files();
    let database = Database::new(&main, Some(&log)).unwrap();
    let (old, new) = (places(&database, &long("old")), places(&database, &long("new")));
    assert_eq!((old.len(), new.len()), (1, 1), "{old:?} {new:?}");
    assert!(old[0].starts_with("write-ahead log, frame "), "{old:?}");
    assert!(old[0].ends_with(r#"page 2: table "t", row 7, column "a" (not its present state)"#), "{old:?}");
    assert!(new[0].ends_with(r#"page 2: table "t", row 7, column "a""#), "{new:?}");
}

#[test]
fn what_the_log_wrote_over_is_still_in_the_database() {
    let made = Made::new(Shape::SMALL);
    made.run("CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT)");
    made.sql.execute("INSERT INTO t VALUES (7, ?1)", [long("old")]).unwrap();
    made.run("PRAGMA wal_checkpoint(TRUNCATE)");
    made.sql.execute("UPDATE t SET a = ?1", [long("new")]).unwrap();
    let (main, log) = made.files();
    let database = Database::new(&main, Some(&log)).unwrap();
    let old = places(&database, &long("old"));
    assert_eq!(old, [r#"table "t", row 7, column "a" (as it was before the write-ahead log)"#]);
}

#[test]
fn a_transaction_that_was_not_committed_is_given_and_not_present() {
    let made = Made::new(Shape::SMALL);
    made.run("CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, 'kept')");
    made.run("PRAGMA cache_size = 4; PRAGMA cache_spill = 1; BEGIN");
    for id in 2..40 {
        made.sql.execute("INSERT INTO t VALUES (?1, ?2)", (id, long(&format!("pending{id}-")))).unwrap();
    }
    let (main, log) = made.files();
    let database = Database::new(&main, Some(&log)).unwrap();
    let pending = places(&database, &long("pending5-"));
    assert!(pending.len() == 1 && pending[0].ends_with("(not its present state)"), "{pending:?}");
    let (rows, _) = tables(&by_pages(&database, Which::All).0);
    made.run("ROLLBACK");
    let expected = by_sql(&made.sql, "t", true);
    assert_eq!(rows.into_iter().filter(|(table, ..)| table == "t").collect::<Vec<_>>(), Vec::from_iter(expected));
}

#[test]
fn frames_of_an_earlier_round_do_not_count() {
    let made = Made::new(Shape::SMALL);
    made.run("CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT)");
    for id in 0..20 {
        made.sql.execute("INSERT INTO t VALUES (?1, ?2)", (id, long(&format!("early{id}-")))).unwrap();
    }
    made.run("PRAGMA wal_checkpoint(RESTART); UPDATE t SET a = 'now' WHERE id = 19");
    let (main, log) = made.files();
    let database = Database::new(&main, Some(&log)).unwrap();
    let (rows, _) = tables(&by_pages(&database, Which::All).0);
    let expected = by_sql(&made.sql, "t", true);
    assert_eq!(rows.into_iter().filter(|(table, ..)| table == "t").collect::<Vec<_>>(), Vec::from_iter(expected));
    let early = places(&database, &long("early19-"));
    assert!(early.iter().any(|place| place.starts_with("write-ahead log, frame ")), "{early:?}");
}

#[test]
fn a_log_counts_up_to_the_first_damaged_frame() {
    let made = Made::new(Shape::SMALL);
    made.run("CREATE TABLE t(a TEXT); INSERT INTO t VALUES ('first')");
    let before = made.files().1.len();
    made.run("INSERT INTO t VALUES ('second'); INSERT INTO t VALUES ('third')");
    let (main, mut log) = made.files();
    log[before + 24 + 400] ^= 1;
    let database = Database::new(&main, Some(&log)).unwrap();
    let (rows, _) = tables(&by_pages(&database, Which::All).0);
    let texts: Vec<_> = rows.into_iter().filter(|(table, ..)| table == "t").map(|(.., bytes)| bytes).collect();
    assert_eq!(texts, [b"first"]);
}

#[test]
fn a_log_of_either_byte_order_is_read_and_one_that_does_not_fit_is_said() {
    let made = Made::new(Shape::SMALL);
    made.run("CREATE TABLE t(a TEXT); INSERT INTO t VALUES ('here')");
    let (main, log) = made.files();
    let other = Made::new(Shape::USUAL);
    other.run("CREATE TABLE t(a TEXT)");
    let mut swapped = log.clone();
    swapped[3] ^= 1;
    let swapped = counted_anew(swapped);
    let database = Database::new(&main, Some(&swapped)).unwrap();
    assert_eq!((places(&database, "here").len(), database.problems()), (1, vec![]));
    let (_, foreign) = other.files();
    let mut damaged = log.clone();
    damaged[25] ^= 1;
    for (log, problem) in [
        (foreign, Problem::LogPageSize { log: 4096, database: 512 }),
        (damaged, Problem::LogHeader(24)),
        (vec![1, 2, 3], Problem::NotADatabase),
    ] {
        assert_eq!(Database::new(&main, Some(&log)).unwrap().problems(), [problem]);
    }
}

#[test]
fn a_log_that_claims_many_pages_makes_no_more_work() {
    let made = Made::new(Shape::SMALL);
    made.run("CREATE TABLE t(a TEXT); INSERT INTO t VALUES ('here')");
    let (main, log) = made.files();
    for (page, pages) in [(2, u32::MAX), (1 << 23, 1 << 23), (u32::MAX, u32::MAX)] {
        let mut log = log.clone();
        let last = log.len() - 512 - 24;
        log[last..last + 4].copy_from_slice(&u32::to_be_bytes(page));
        log[last + 4..last + 8].copy_from_slice(&u32::to_be_bytes(pages));
        let log = counted_anew(log);
        let database = Database::new(&main, Some(&log)).unwrap();
        assert_eq!(places(&database, "here").len(), 1, "{page}");
    }
}

#[test]
fn a_checkpointed_page_is_as_present_as_its_frame() {
    let made = Made::new(Shape::SMALL);
    made.run("CREATE TABLE t(a TEXT); INSERT INTO t VALUES ('here')");
    made.run("PRAGMA wal_checkpoint(PASSIVE)");
    let (main, log) = made.files();
    let database = Database::new(&main, Some(&log)).unwrap();
    let at = main.windows(4).position(|bytes| bytes == b"here").unwrap();
    assert_eq!(database.place(at as u64).to_string(), r#"table "t", row 1, column "a""#);
    assert_eq!(places(&database, "here").len(), 1);
}

#[test]
fn a_database_that_is_only_in_its_log_is_read() {
    let made = Made::new(Shape::SMALL);
    made.run("CREATE TABLE t(a TEXT); INSERT INTO t VALUES ('here')");
    let (_, log) = made.files();
    let database = Database::new(&Vec::<u8>::new(), Some(&log)).map(|_| ());
    assert_eq!(database, Ok(()));
    let empty = Vec::new();
    let database = Database::new(&empty, Some(&log)).unwrap();
    let found = places(&database, "here");
    assert!(found.len() == 1 && found[0].ends_with(r#"table "t", row 1, column "a""#), "{found:?}");
}

#[test]
fn rows_are_found_while_another_connection_writes() {
    let made = Made::new(Shape::SMALL);
    made.run("CREATE TABLE steady(id INTEGER PRIMARY KEY, a TEXT); CREATE TABLE t(a TEXT)");
    for id in 0..30 {
        made.sql.execute("INSERT INTO steady VALUES (?1, ?2)", (id, long(&format!("steady{id}-")))).unwrap();
    }
    made.run("PRAGMA wal_checkpoint(TRUNCATE)");
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (path, done) = (&made.path, &done);
        scope.spawn(move || {
            let writer = rusqlite::Connection::open(path).unwrap();
            writer.pragma_update(None, "synchronous", "off").unwrap();
            writer.pragma_update(None, "wal_autocheckpoint", 20).unwrap();
            for round in 0.. {
                writer.execute("INSERT INTO t VALUES (?1)", [long(&format!("busy{round}-"))]).unwrap();
                if round % 5 == 4 {
                    writer.execute("DELETE FROM t WHERE rowid % 3 = 0", []).unwrap();
                }
                if done.load(std::sync::atomic::Ordering::Relaxed) {
                    return;
                }
            }
        });
        for _ in 0..25 {
            let main = std::fs::File::open(path).unwrap();
            let log = std::fs::File::open(path.with_extension("db-wal")).unwrap();
            let database = Database::new(&main, Some(&log)).unwrap();
            let mut seen = 0;
            database.payloads(Which::Spilled, 1 << 20, 0, &mut |payload| {
                let text = payload.values.first().map(|value| &payload.bytes[value.range.clone()]);
                seen += usize::from(text.is_some_and(|text| text.starts_with(b"steady") && text.len() > 2400));
            });
            assert!(seen >= 30, "{seen} of 30 steady rows");
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}
