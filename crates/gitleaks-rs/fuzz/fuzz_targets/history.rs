//! A repository made of the input: a pack whose objects, whole or stored as differences, lead to each other as the
//! input says, an index and refs. Names are made up, so loops and impossible graphs come about. Reading must end,
//! and must not panic.

#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use gitleaks_rs::history::{Blob, Change, Options, Range, Repository};
use libfuzzer_sys::fuzz_target;

/// In memory, where there is such a place.
static PLACE: LazyLock<PathBuf> = LazyLock::new(|| {
    let shared = PathBuf::from("/dev/shm");
    let above = if shared.is_dir() { shared } else { std::env::temp_dir() };
    let place = tempfile::Builder::new().prefix("history").tempdir_in(above).expect("a folder").keep();
    for folder in ["objects/pack", "refs/heads", "worktrees/w"] {
        fs::create_dir_all(place.join(folder)).expect("a folder");
    }
    fs::write(place.join("HEAD"), "ref: refs/heads/main\n").expect("written");
    place
});

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

fn name(number: u8) -> [u8; 20] {
    [number % 24; 20]
}

fn hex(number: u8) -> String {
    format!("{:02x}", number % 24).repeat(20)
}

/// What an object of this kind holds.
fn content(kind: u8, input: &mut Input<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let count = input.byte();
    match kind {
        1 => {
            bytes.extend(format!("tree {}\n", hex(input.byte())).bytes());
            (0..count % 4).for_each(|_| bytes.extend(format!("parent {}\n", hex(input.byte())).bytes()));
            bytes.extend(format!("author A <a> 1 +0\ncommitter A <a> {} +0\n\n", input.byte()).bytes());
        }
        2 => {
            for _ in 0..count % 6 {
                let mode = ["100644", "40000", "120000", "160000", "100755"][usize::from(input.byte()) % 5];
                bytes.extend(format!("{mode} {}\0", char::from(b'a' + input.byte() % 4)).bytes());
                bytes.extend(name(input.byte()));
            }
        }
        4 => bytes.extend(format!("object {}\n", hex(input.byte())).bytes()),
        _ => {}
    }
    let length = usize::from(input.byte()) * if count > 200 { 64 } else { 1 };
    bytes.extend(input.take(length));
    bytes
}

/// Deflated without compression.
fn stored(content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x78, 0x01];
    let mut parts = content.chunks(0xffff).peekable();
    if parts.peek().is_none() {
        bytes.extend([1, 0, 0, 0xff, 0xff]);
    }
    while let Some(part) = parts.next() {
        let length = part.len() as u16;
        bytes.push(u8::from(parts.peek().is_none()));
        bytes.extend(length.to_le_bytes());
        bytes.extend((!length).to_le_bytes());
        bytes.extend(part);
    }
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in content {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    bytes.extend((b << 16 | a).to_be_bytes());
    bytes
}

/// A pack and its index.
fn pack(input: &mut Input<'_>) -> (Vec<u8>, Vec<u8>) {
    let mut bytes = b"PACK\0\0\0\x02\0\0\0\0".to_vec();
    let mut offsets: Vec<usize> = Vec::new();
    for _ in 0..input.byte() % 24 {
        let kind = input.byte();
        let (kind, torn) = (kind % 8, kind > 250);
        let offset = bytes.len();
        let content = content(kind, input);
        let mut size = content.len();
        bytes.push(kind << 4 | (size & 15) as u8 | if size > 15 { 0x80 } else { 0 });
        size >>= 4;
        while size > 0 {
            bytes.push((size & 0x7f) as u8 | if size > 0x7f { 0x80 } else { 0 });
            size >>= 7;
        }
        if kind == 6 {
            let base = offsets.get(usize::from(input.byte())).copied().unwrap_or(0);
            let mut distance = offset - base;
            let mut coded = vec![(distance & 0x7f) as u8];
            while distance > 0x7f {
                distance = (distance >> 7) - 1;
                coded.insert(0, (distance & 0x7f) as u8 | 0x80);
            }
            bytes.extend(coded);
        } else if kind == 7 {
            bytes.extend(name(input.byte()));
        }
        if torn {
            bytes.extend(&content);
        } else {
            bytes.extend(stored(&content));
        }
        offsets.push(offset);
    }
    let mut index = vec![0xff, b't', b'O', b'c', 0, 0, 0, 2];
    (0..256_usize).for_each(|first| index.extend((offsets.len().min(first + 1) as u32).to_be_bytes()));
    (0..offsets.len()).for_each(|number| index.extend(name(number as u8)));
    index.extend(vec![0; 4 * offsets.len()]);
    offsets.iter().for_each(|offset| index.extend((*offset as u32).to_be_bytes()));
    index.extend([0; 40]);
    if let Some(byte) = index.get_mut(8 + usize::from(input.byte()) * 8) {
        *byte ^= if input.byte() == 7 { 1 } else { 0 };
    }
    (bytes, index)
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let (pack, index) = pack(&mut input);
    let head = hex(input.byte());
    let write = |path: &str, bytes: &[u8]| fs::write(PLACE.join(path), bytes).expect("written");
    write("objects/pack/p.pack", &pack);
    write("objects/pack/p.idx", &index);
    write("refs/heads/main", head.as_bytes());
    let other = format!("{} refs/x\n", hex(input.byte()));
    write("packed-refs", &[other.as_bytes(), input.take(16)].concat());
    write("index", input.0);
    let options =
        Options { threads: 1, object_limit: 1 << 16, cache: 1 << 14, binaries: true, repeats: 1, ..Options::default() };
    let repository = Repository::open(&PLACE, options).expect("a repository");
    let check = |change: &Change<'_>| {
        let mut end = 0;
        for range in change.added() {
            assert!(range.start >= end && range.start < range.end && range.end <= change.text().len());
            assert!(range.start == 0 || change.text()[range.start - 1] == b'\n');
            end = range.end;
        }
        change.pieces().for_each(|piece| assert!(change.line(piece.start) > 0));
    };
    repository.added(&Range::All, || check).expect("a range");
    let _ = repository.names(&Range::Since(vec!["x".into()]));
    let _ = repository.staged(None, check);
    repository.every_blob(|| |_: &Blob<'_>| ());
});
