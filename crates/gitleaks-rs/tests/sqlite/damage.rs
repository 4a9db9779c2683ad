//! Databases that are damaged, made up, or change while they are read: nothing panics, and the work stays in proportion.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use gitleaks_rs::sqlite::{Database, Position, ReadAt, Which, is_database};
use proptest::prelude::*;

use crate::made::{Made, Random, Shape, counted_anew};

/// Counts what is read.
struct Counted<'b> {
    versions: Vec<&'b [u8]>,
    reads: AtomicU64,
    bytes: AtomicU64,
}

impl<'b> Counted<'b> {
    fn new(versions: Vec<&'b [u8]>) -> Self {
        Self { versions, reads: AtomicU64::new(0), bytes: AtomicU64::new(0) }
    }
}

impl ReadAt for Counted<'_> {
    /// Each read sees another version, and the first half of what is read comes from the one before.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        let turn = self.reads.fetch_add(1, Ordering::Relaxed) as usize;
        let version = |turn: usize| self.versions[turn % self.versions.len()];
        let half = buffer.len() / 2;
        let read = version(turn).read_at(offset, buffer)?;
        version(turn + 1).read_at(offset, &mut buffer[..half])?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }

    fn size(&self) -> std::io::Result<u64> {
        Ok(self.versions[0].len() as u64)
    }
}

/// Reads everything in every way, and looks at how much work that was.
fn read(main: &[&[u8]], log: &[&[u8]]) {
    let size = (main[0].len() + log[0].len()) as u64;
    let (main, log) = (Counted::new(main.to_vec()), Counted::new(log.to_vec()));
    let Ok(database) = Database::new(&main, Some(&log)) else { return };
    let mut positions = Vec::new();
    for which in [Which::Spilled, Which::All] {
        let mut given = 0;
        database.payloads(which, 2048, 100, &mut |payload| {
            given += payload.bytes.len() as u64;
            let stand: usize = payload.stand(0..payload.bytes.len()).map(|(.., length)| length).sum();
            assert_eq!(stand, payload.bytes.len());
            assert!(payload.values.iter().all(|value| value.range.end <= payload.bytes.len()));
            if positions.len() < 100 {
                positions.push(Position::Payload(payload.origin, payload.start + 5));
            }
        });
        assert!(given <= size * 3, "{given} bytes given of {size}");
    }
    let bytes = || main.bytes.load(Ordering::Relaxed) + log.bytes.load(Ordering::Relaxed);
    assert!(bytes() <= size * 16 + 4096, "{} bytes read of {size}", bytes());
    let each = (size / 60).max(1);
    positions.extend((0..size).step_by(each as usize).flat_map(|at| [Position::Main(at), Position::Log(at)]));
    assert_eq!(database.places(&positions).len(), positions.len());
    let most = size * 50 + positions.len() as u64 * (70 << 10);
    assert!(bytes() <= most, "{} bytes read of {size} for {} places", bytes(), positions.len());
}

/// Small databases with everything in them, and their logs.
fn bases() -> &'static [(Vec<u8>, Vec<u8>)] {
    static BASES: OnceLock<Vec<(Vec<u8>, Vec<u8>)>> = OnceLock::new();
    BASES.get_or_init(|| {
        let shapes = [
            Shape::SMALL,
            Shape { auto_vacuum: 2, encoding: "UTF-16le", ..Shape::SMALL },
            Shape { page_size: 1024, journal: "delete", reserved: 8, ..Shape::SMALL },
        ];
        let base = |(seed, shape)| {
            let made = Made::new(shape);
            made.fill(12, seed);
            made.run("PRAGMA wal_checkpoint(PASSIVE); DELETE FROM plain WHERE id % 3 = 1; DELETE FROM [no, rowid] WHERE b > 'B 5'");
            made.run("UPDATE plain SET c = 'x' WHERE id % 2 = 0");
            made.files()
        };
        (0..).zip(shapes).map(base).collect()
    })
}

/// Changes that damage does, and some that somebody would make on purpose.
fn damaged(bytes: &[u8], random: &mut Random, changes: u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..changes {
        let Some(last) = bytes.len().checked_sub(1024) else { break };
        let page = |random: &mut Random| random.below(last as u64 / 512 + 1) as usize * 512;
        let at = random.below(last as u64) as usize;
        match random.below(7) {
            0 => bytes[at] = random.below(256) as u8,
            1 => bytes[at] ^= 1 << random.below(8),
            // The number of another page, where one may stand.
            2 => bytes[at..at + 4].copy_from_slice(&(random.below(200) as u32).to_be_bytes()),
            3 => {
                let (from, to) = (page(random), page(random));
                bytes.copy_within(from..from + 512, to);
            }
            4 => {
                let start = page(random);
                bytes[start + random.below(12) as usize] = random.below(256) as u8;
            }
            5 => bytes[at..at + 9].fill(0xff),
            _ if random.below(20) == 0 => bytes.truncate(at),
            _ => bytes[16 + random.below(84) as usize] = random.below(256) as u8,
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn damaged_databases_are_read_within_bounds(base in 0..3_usize, seed: u64, changes in 1..60_u64) {
        let (main, log) = &bases()[base];
        let mut random = Random(seed);
        let main = damaged(main, &mut random, changes);
        let log = damaged(log, &mut random, changes / 20);
        read(&[&main], &[&log]);
    }

    #[test]
    fn databases_that_change_between_two_reads_are_read_within_bounds(base in 0..3_usize, seed: u64) {
        let (main, log) = &bases()[base];
        let mut random = Random(seed);
        let (main_then, log_then) = (damaged(main, &mut random, 40), damaged(log, &mut random, 10));
        read(&[main, &main_then], &[log, &log_then]);
    }

    #[test]
    fn arbitrary_bytes_are_read_within_bounds(bytes: Vec<u8>, pages: Vec<u8>, size in 9..17_u32, log: bool) {
        let mut head = b"SQLite format 3\0".to_vec();
        head.extend(if size == 16 { [0, 1] } else { (1_u16 << size).to_be_bytes() });
        head.extend([1, 1, 0, 64, 32, 32]);
        head.extend(&bytes);
        head.resize(512, 0);
        head.extend(pages.iter().cycle().take(4096));
        assert!(is_database(&head));
        let start = if log { vec![0x37, 0x7f, 6, 0x82] } else { Vec::new() };
        read(&[&head], &[&[start, bytes].concat()]);
    }
}

#[test]
fn circles_end() {
    let made = Made::new(Shape { journal: "delete", ..Shape::SMALL });
    made.run("CREATE TABLE t(a TEXT); CREATE TABLE u(a TEXT)");
    made.sql.execute("INSERT INTO t VALUES (?1)", ["x".repeat(3000)]).unwrap();
    made.sql.execute("INSERT INTO u VALUES (?1)", ["y".repeat(3000)]).unwrap();
    made.run("DROP TABLE u");
    let (sound, _) = made.files();
    let head = |page: usize| u32::from_be_bytes(sound[page * 512 - 512..][..4].try_into().unwrap());
    let chain = (2..sound.len() / 512).find(|page| head(*page) as usize == page + 1).unwrap();
    let free = u32::from_be_bytes(sound[32..36].try_into().unwrap()) as usize;
    for (at, page) in [(chain + 3, chain), (chain, chain), (free, free)] {
        let mut main = sound.clone();
        main[at * 512 - 512..][..4].copy_from_slice(&(page as u32).to_be_bytes());
        read(&[&main], &[&[]]);
        let database = Database::new(&main, None).unwrap();
        let tally = database.payloads(Which::Spilled, 1 << 20, 0, &mut |_| {});
        assert!(tally.cut > 0 || !database.problems().is_empty(), "{at} {page}");
    }
    // A tree whose root is its own child, and one of a thousand cells in the same place.
    let mut main = sound.clone();
    main[512] = 5;
    main[515..517].copy_from_slice(&[0, 100]);
    main[520..524].copy_from_slice(&2_u32.to_be_bytes());
    main[524..724].fill(1);
    read(&[&main], &[&[]]);
}

/// What the fuzz target came upon, in its own form: a byte of choices, the length of the database, both files.
#[test]
fn inputs_that_were_found_by_fuzzing_are_read_within_bounds() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sqlite/corpus");
    let mut tried = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let input = std::fs::read(entry.unwrap().path()).unwrap();
        let [choices, high, low, rest @ ..] = &input[..] else { continue };
        let (main, log) = rest.split_at(rest.len().min(usize::from(*high) << 8 | usize::from(*low)));
        let log = if choices & 1 == 1 { counted_anew(log.to_vec()) } else { log.to_vec() };
        let then = if choices & 2 == 2 { &log } else { main };
        read(&[main, then], &[&log]);
        tried += 1;
    }
    assert!(tried > 50);
}

/// Inputs to start the fuzz target from: `cargo test --test sqlite seeds -- --ignored`.
#[test]
#[ignore = "writes files"]
fn seeds_for_the_fuzz_target() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/sqlite");
    std::fs::create_dir_all(&folder).unwrap();
    let mut number = 0;
    for (seed, shape) in (0..).zip(Shape::all().into_iter().filter(|shape| shape.page_size <= 1024)) {
        for rows in [0, 1, 3] {
            let made = Made::new(Shape { reserved: shape.reserved, ..shape });
            made.fill(rows, seed);
            made.run("PRAGMA wal_checkpoint(PASSIVE); DELETE FROM plain WHERE id % 3 = 1; DROP TABLE sqlite_stat1");
            let (main, log) = made.files();
            for choices in [5_u8, 0x19] {
                let length = (main.len() as u16).to_be_bytes();
                let input = [&[choices][..], &length, &main, &log].concat();
                std::fs::write(folder.join(format!("seed-{number}")), input).unwrap();
                number += 1;
            }
        }
    }
}
