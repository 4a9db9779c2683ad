//! Any bytes as a database and its log: no panic, and no more work than the files are long.
//!
//! An input is one byte of choices, two bytes that say how long the database is, the database, and the log.

#![no_main]

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use gitleaks_rs::sqlite::{Database, Position, ReadAt, Which};
use libfuzzer_sys::fuzz_target;

/// Counts what is read, and may show another version every other time.
struct Source<'b> {
    now: &'b [u8],
    then: &'b [u8],
    reads: AtomicU64,
    bytes: AtomicU64,
}

impl ReadAt for Source<'_> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let first = self.reads.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        let read = if first { &self.now } else { &self.then }.read_at(offset, buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.now.len() as u64)
    }
}

fuzz_target!(|input: &[u8]| {
    let [choices, high, low, rest @ ..] = input else { return };
    let (main, log) = rest.split_at(rest.len().min(usize::from(*high) << 8 | usize::from(*low)));
    let mut log = log.to_vec();
    if choices & 1 == 1 {
        make_committed(&mut log);
    }
    let then = if choices & 2 == 2 { &log } else { main };
    let (reads, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
    let main = Source { now: main, then, reads, bytes };
    let (reads, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
    let log = Source { now: &log, then: &log, reads, bytes };
    read(&main, &log, choices >> 2);
});

fn read(main: &Source, log: &Source, choices: u8) {
    let size = (main.now.len().max(main.then.len()) + log.now.len()) as u64;
    let Ok(database) = Database::new(main, Some(log)) else { return };
    let which = if choices & 1 == 1 { Which::All } else { Which::Spilled };
    let limit = 1024 << (choices >> 1 & 3);
    let (mut given, mut positions) = (0, Vec::new());
    database.payloads(which, limit, usize::from(choices) * 16, &mut |payload| {
        given += payload.bytes.len() as u64;
        let stand: usize = payload.stand(0..payload.bytes.len()).map(|(.., length)| length).sum();
        assert_eq!(stand, payload.bytes.len());
        for value in payload.values {
            assert!(!payload.bytes[value.range.clone()].is_empty());
        }
        if positions.len() < 20 {
            positions.push(Position::Payload(payload.origin, payload.start + 3));
        }
    });
    assert!(given <= size * 3, "{given} bytes given of {size}");
    let read = || main.bytes.load(Ordering::Relaxed) + log.bytes.load(Ordering::Relaxed);
    assert!(read() <= size * 16 + 4096, "{} bytes read of {size}", read());
    let step = (size / 20).max(1) as usize;
    positions.extend((0..size).step_by(step).flat_map(|at| [Position::Main(at), Position::Log(at)]));
    for place in database.places(&positions) {
        let shown = place.to_string();
        assert!(!shown.chars().any(char::is_control) && shown.len() < 1024);
    }
    assert!(read() <= size * 50 + positions.len() as u64 * (70 << 10), "{} bytes read of {size}", read());
}

/// Gives each frame the salts and checksums with which it counts; nobody guesses those.
fn make_committed(log: &mut [u8]) {
    let Some(header) = log.get_mut(..32) else { return };
    let big = header[3] & 1 == 1;
    let size = u32::from_be_bytes([header[8], header[9], header[10], header[11]]) as usize;
    if !(512..=65536).contains(&size) {
        return;
    }
    let salts: [u8; 8] = std::array::from_fn(|at| header[16 + at]);
    let mut sums = checksum(big, (0, 0), &header[..24]);
    write(&mut header[24..], sums);
    for frame in log[32..].chunks_exact_mut(24 + size) {
        frame[8..16].copy_from_slice(&salts);
        sums = checksum(big, checksum(big, sums, &frame[..8]), &frame[24..]);
        write(&mut frame[16..], sums);
    }
}

fn checksum(big: bool, (mut first, mut second): (u32, u32), bytes: &[u8]) -> (u32, u32) {
    let word = |at: &[u8; 4]| if big { u32::from_be_bytes(*at) } else { u32::from_le_bytes(*at) };
    let words: Vec<u32> = bytes.as_chunks::<4>().0.iter().map(word).collect();
    for [one, two] in words.as_chunks::<2>().0 {
        first = first.wrapping_add(*one).wrapping_add(second);
        second = second.wrapping_add(*two).wrapping_add(first);
    }
    (first, second)
}

fn write(at: &mut [u8], sums: (u32, u32)) {
    at[..4].copy_from_slice(&sums.0.to_be_bytes());
    at[4..8].copy_from_slice(&sums.1.to_be_bytes());
}
