//! What was deleted is still there, and is put together as far as its pages can be told.

use gitleaks_rs::sqlite::{Database, Part, Position, Which};

use crate::made::{Made, Shape};

/// A text that is nowhere whole in the file: it is longer than two pages.
fn long(mark: &str) -> String {
    (0..400).map(|number| format!("{mark}{number:03} ")).collect()
}

/// The payloads that hold a text, with their places.
fn holding(main: &Vec<u8>, log: &Vec<u8>, text: &str) -> Vec<String> {
    let database = Database::new(main, Some(log)).unwrap();
    let mut found = Vec::new();
    database.payloads(Which::Spilled, 1 << 20, 0, &mut |payload| {
        if let Some(at) = payload.bytes.windows(text.len()).position(|bytes| bytes == text.as_bytes()) {
            assert!(payload.straddles(at..at + text.len()));
            found.push(Position::Payload(payload.origin, payload.start + at as u64));
        }
    });
    database.places(&found).into_iter().map(|place| place.to_string()).collect()
}

fn made(auto_vacuum: u8) -> Made {
    let made = Made::new(Shape { journal: "delete", auto_vacuum, ..Shape::SMALL });
    made.run("CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT); CREATE TABLE u(a TEXT)");
    for (id, text) in [(1, long("first")), (2, long("gone")), (3, long("kept"))] {
        made.sql.execute("INSERT INTO t VALUES (?1, ?2)", (id, text)).unwrap();
        made.sql.execute("INSERT INTO u VALUES (?1)", [long(&format!("other{id}"))]).unwrap();
    }
    made
}

#[test]
fn a_deleted_row_is_whole_with_the_part_that_stayed_on_its_page() {
    for auto_vacuum in [0, 2] {
        let made = made(auto_vacuum);
        // The first page that is freed holds the list, and loses its beginning to it.
        made.run("DELETE FROM t WHERE id = 1; DELETE FROM t WHERE id = 2");
        let (main, log) = made.files();
        let places = holding(&main, &log, &long("gone"));
        assert!(places.len() == 1 && places[0].starts_with(r#"table "t", deleted, page "#), "{places:?}");
        assert_eq!(holding(&main, &log, &long("kept")), [r#"table "t", row 3, column "a""#]);
    }
}

#[test]
fn rows_of_a_table_that_is_gone_are_whole() {
    let made = made(0);
    made.run("DELETE FROM t WHERE id = 1; DROP TABLE u");
    let (main, log) = made.files();
    let database = Database::new(&main, Some(&log)).unwrap();
    for id in 1..=3 {
        let places = holding(&main, &log, &long(&format!("other{id}")));
        assert_eq!(places.len(), 1, "{id} {places:?}");
        assert!(places[0].starts_with("table unknown, row ") || places[0].starts_with("free page "), "{places:?}");
    }
    assert_eq!(database.problems(), []);
}

#[test]
fn a_chain_whose_row_is_gone_is_given_alone() {
    let made = made(0);
    made.run("DELETE FROM t WHERE id = 2");
    let (main, log) = made.files();
    // What stood before is on the page that the list of free pages is written to now.
    let places = holding(&main, &log, &long("gone")[800..1700]);
    assert!(places.len() == 1 && places[0].starts_with("free page "), "{places:?}");
}

#[test]
fn free_pages_are_named() {
    let made = made(0);
    made.run("DROP TABLE u");
    let (main, log) = made.files();
    let database = Database::new(&main, Some(&log)).unwrap();
    let at = main.windows(9).position(|bytes| bytes == b"other2007").unwrap() as u64;
    let place = database.place(at);
    assert_eq!((place.part.clone(), place.to_string()), (Part::Free, format!("free page {}", at / 512 + 1)));
}
