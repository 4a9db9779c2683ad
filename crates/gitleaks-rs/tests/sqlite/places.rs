//! What stands at a byte of the files, said in words.

use gitleaks_rs::sqlite::{Database, Part, Place};

use crate::made::{Made, Shape};

fn offset(bytes: &[u8], text: &[u8]) -> u64 {
    bytes.windows(text.len()).position(|window| window == text).unwrap() as u64
}

#[test]
fn a_byte_of_the_database_is_named() {
    let made = Made::new(Shape { journal: "delete", ..Shape::SMALL });
    made.run(
        "CREATE TABLE message(id INTEGER PRIMARY KEY, data TEXT);
         CREATE TABLE session(title TEXT, note TEXT, PRIMARY KEY (note)) WITHOUT ROWID;
         CREATE INDEX by_data ON message(data) WHERE id = 19;
         INSERT INTO message VALUES (17, 'in the row'), (18, 'was deleted'), (19, 'stays');
         INSERT INTO session VALUES ('the title', 'the note');",
    );
    made.sql.execute("INSERT INTO message VALUES (20, ?1)", ["long ".repeat(200) + "end of it"]).unwrap();
    made.run("DELETE FROM message WHERE id = 18");
    let (main, _) = made.files();
    let database = Database::new(&main, None).unwrap();
    let said = |text: &[u8]| database.place(offset(&main, text)).to_string();
    assert_eq!(said(b"in the row"), r#"table "message", row 17, column "data""#);
    assert_eq!(said(b"end of it"), r#"table "message", row 20, column "data""#);
    assert_eq!(said(b"was deleted"), r#"table "message", deleted, page 2"#);
    assert_eq!(said(b"the title"), r#"table "session", column "title""#);
    assert_eq!(said(b"the note"), r#"table "session", column "note""#);
    assert_eq!(said(b"CREATE TABLE message"), r#"table "sqlite_schema", row 1, column "sql""#);
    assert_eq!(said(b"SQLite format"), "database header");
    let in_index = main.windows(5).enumerate().filter(|(_, bytes)| bytes == b"stays").map(|(at, _)| at as u64);
    let in_index: Vec<_> = in_index.map(|at| database.place(at).to_string()).collect();
    assert!(
        in_index.contains(&r#"index "by_data" of table "message", row 19, column "data""#.to_owned()),
        "{in_index:?}"
    );
    assert_eq!(database.place(u64::MAX).part, Part::Unknown);
    assert_eq!(database.place(1 << 40).to_string(), "page 2147483649");
}

#[test]
fn a_byte_of_the_log_is_named() {
    let made = Made::new(Shape::SMALL);
    made.run("CREATE TABLE message(id INTEGER PRIMARY KEY, data TEXT); INSERT INTO message VALUES (17, 'once')");
    made.sql.execute("UPDATE message SET data = ?1", ["long ".repeat(200) + "end of it"]).unwrap();
    let (main, log) = made.files();
    let database = Database::new(&main, Some(&log)).unwrap();
    let place = |text: &[u8]| database.wal_place(offset(&log, text));
    let end: Place = place(b"end of it");
    assert!(end.present && end.to_string().ends_with(r#"page 4: table "message", row 17, column "data""#), "{end}");
    let once = place(b"once");
    assert!(once.to_string().ends_with(r#"row 17, column "data" (not its present state)"#), "{once}");
    assert_eq!(database.wal_place(5).to_string(), "header of the write-ahead log");
    assert_eq!(database.wal_place(32).to_string(), "header of the write-ahead log");
    assert_eq!(database.wal_place(u64::MAX).to_string(), "header of the write-ahead log");
}

#[test]
fn pages_that_only_map_others_are_named() {
    let made = Made::new(Shape { journal: "delete", auto_vacuum: 1, ..Shape::SMALL });
    made.fill(100, 9);
    let (main, _) = made.files();
    let database = Database::new(&main, None).unwrap();
    assert_eq!(database.place(512).to_string(), "pointer map, page 2");
    // A page maps as many others as entries of five bytes fit on it.
    assert_eq!(database.place(512 * (1 + 512 / 5 + 1)).to_string(), "pointer map, page 105");
}

#[test]
fn names_cannot_steer_a_terminal() {
    let made = Made::new(Shape { journal: "delete", ..Shape::SMALL });
    made.run(
        "CREATE TABLE \"a\u{1b}[2Jb\u{202e}\"(\"c\nd\" TEXT); INSERT INTO \"a\u{1b}[2Jb\u{202e}\" VALUES ('here')",
    );
    let (main, _) = made.files();
    let database = Database::new(&main, None).unwrap();
    assert_eq!(database.place(offset(&main, b"here")).to_string(), r#"table "a[2Jb", row 1, column "cd""#);
}
