use std::io::Write as _;

use zlib_rs::{Deflate, DeflateFlush};

use super::*;

/// What `read` gives: members with their bytes, and what was not read.
type Got = (Vec<(String, Vec<u8>)>, Vec<(String, Trouble)>);

fn got(bytes: &[u8], name: &str, limits: Limits) -> Got {
    let mut members = Vec::new();
    let mut take = |path: &str, from: &mut dyn Read| {
        let mut all = Vec::new();
        from.read_to_end(&mut all)?;
        members.push((path.to_owned(), all));
        Ok(())
    };
    let kind = Kind::of(&bytes[..bytes.len().min(HEAD)], name).expect("an archive");
    let mut source = bytes;
    let troubles = read(&mut source, kind, (name, bytes.len() as u64), limits, &mut take);
    (members, troubles.into_iter().map(|(path, _, trouble)| (path, trouble)).collect())
}

fn all(bytes: &[u8], name: &str) -> Got {
    got(bytes, name, Limits::default())
}

fn member(path: &str, bytes: &[u8]) -> (String, Vec<u8>) {
    (path.to_owned(), bytes.to_vec())
}

fn deflated(bytes: &[u8], bits: u8, header: bool) -> Vec<u8> {
    let mut state = Deflate::new(6, header, bits);
    let mut out = vec![0; bytes.len() + (bytes.len() >> 3) + 128];
    state.compress(bytes, &mut out, DeflateFlush::Finish).expect("there is room");
    out.truncate(usize::try_from(state.total_out()).expect("it is small"));
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    [&head[..], &deflated(bytes, 15, false), &crc(bytes).to_le_bytes(), &(bytes.len() as u32).to_le_bytes()].concat()
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}

/// How a member of a zip is written.
struct Zipped<'z> {
    name: &'z str,
    flags: u16,
    method: u16,
    /// What the header says, and what is there.
    size: u32,
    packed: &'z [u8],
    /// The sizes behind it, where they stand there.
    behind: Option<u32>,
}

fn zip_of(members: &[Zipped<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for one in members {
        let shorts = [20, one.flags, one.method, 0, 0];
        out.extend(b"PK\x03\x04");
        out.extend(shorts.iter().flat_map(|short: &u16| short.to_le_bytes()));
        out.extend([0, one.size, 7].iter().flat_map(|long| long.to_le_bytes()));
        out.extend([one.name.len() as u16, 0].iter().flat_map(|short| short.to_le_bytes()));
        out.extend(one.name.bytes());
        out.extend(one.packed);
        if let Some(size) = one.behind {
            out.extend(b"PK\x07\x08\x01\x02\x03\x04");
            out.extend([size, 7].iter().flat_map(|long| long.to_le_bytes()));
        }
    }
    out.extend(b"PK\x01\x02 and the list of members");
    out
}

fn plain<'z>(name: &'z str, packed: &'z [u8]) -> Zipped<'z> {
    Zipped { name, flags: 0, method: 0, size: packed.len() as u32, packed, behind: None }
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let packed: Vec<Vec<u8>> = members.iter().map(|(_, bytes)| deflated(bytes, 15, false)).collect();
    let members = members.iter().zip(&packed);
    zip_of(&members.map(|((name, _), packed)| Zipped { method: 8, ..plain(name, packed) }).collect::<Vec<_>>())
}

fn tar_header(name: &str, kind: u8, size: usize) -> [u8; 512] {
    let mut block = [0; 512];
    block[..name.len().min(100)].copy_from_slice(&name.as_bytes()[..name.len().min(100)]);
    block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    block[156] = kind;
    block[257..263].copy_from_slice(b"ustar\0");
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
    block[154] = 0;
    block
}

fn tarred(out: &mut Vec<u8>, name: &str, kind: u8, bytes: &[u8]) {
    out.extend(tar_header(name, kind, bytes.len()));
    out.extend(bytes);
    out.resize(out.len().next_multiple_of(512), 0);
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    members.iter().for_each(|(name, bytes)| tarred(&mut out, name, b'0', bytes));
    out.extend([0; 1024]);
    out
}

#[test]
fn every_kind_is_read_by_its_bytes() {
    let text = "some text, and more of it\n".repeat(3000);
    let text = text.as_bytes();
    let mut bz2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    bz2.write_all(text).expect("memory");
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(6)).expect("an encoder");
    xz.write_all(text).expect("memory");
    let zst = ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest);
    for (name, packed) in [
        ("a.gz", gzip(text)),
        ("a.bz2", bz2.finish().expect("memory")),
        ("a.xz", xz.finish().expect("memory")),
        ("a.zst", zst),
    ] {
        assert_eq!(all(&packed, name), (vec![member(name, text)], vec![]), "{name}");
    }
    let (members, troubles) = all(&zip(&[("a/b.txt", text), ("c", b"d")]), "x.docx");
    assert_eq!((members, troubles), (vec![member("x.docx!a/b.txt", text), member("x.docx!c", b"d")], vec![]));
    let (members, troubles) = all(&tar(&[("./a/b.txt", text), ("c", b"d")]), "anything");
    assert_eq!((members, troubles), (vec![member("anything!a/b.txt", text), member("anything!c", b"d")], vec![]));
}

#[test]
fn a_compressed_tar_is_one_archive_and_the_depth_ends() {
    let packed = gzip(&tar(&[("in.zip", &zip(&[("deep.jar", &zip(&[("deeper", b"x")]))]))]));
    let (members, troubles) = got(&packed, "o.tgz", Limits::deep(3));
    assert_eq!((members, troubles), (vec![member("o.tgz!in.zip!deep.jar!deeper", b"x")], vec![]));
    let (members, troubles) = got(&packed, "o.tgz", Limits::deep(2));
    assert_eq!(members.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["o.tgz!in.zip!deep.jar"]);
    assert_eq!(troubles, [("o.tgz!in.zip!deep.jar".to_owned(), Trouble::Depth(2))]);
    // What is compressed over and over is no deeper than anything else.
    let mut packed = b"x".to_vec();
    (0..50).for_each(|_| packed = gzip(&packed));
    let (members, troubles) = all(&packed, "o.gz");
    assert_eq!((members.len(), troubles), (1, vec![("o.gz".to_owned(), Trouble::Depth(2))]));
}

#[test]
fn streams_of_several_members_are_read_to_their_end() {
    let packed = [gzip(b"one "), gzip(b"two")].concat();
    assert_eq!(all(&packed, "a.gz").0, [member("a.gz", b"one two")]);
    let zst = |text: &[u8]| ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest);
    let skipped: &[u8] = &[0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9];
    let packed = [&zst(b"one "), skipped, &zst(b"two")].concat();
    assert_eq!(all(&packed, "a.zst"), (vec![member("a.zst", b"one two")], vec![]));
}

#[test]
fn sizes_behind_members_wrong_sizes_and_what_stands_between_lose_nothing() {
    let packed = deflated(b"hidden", 15, false);
    let bytes = zip_of(&[
        Zipped { method: 8, flags: 8, size: 0, behind: Some(packed.len() as u32), ..plain("behind", &packed) },
        // The list at the end could tell another size; the bytes tell where they end.
        Zipped { method: 8, size: 1, ..plain("small", &packed) },
        Zipped { method: 8, size: 0, ..plain("none", &packed) },
        Zipped { flags: 8, size: 0, behind: Some(10), ..plain("stored", b"a PK\x07\x08 b c") },
        plain("last", b"end"),
    ]);
    let (members, troubles) = all(&bytes, "z");
    let hidden = |name: &str| member(&format!("z!{name}"), b"hidden");
    assert_eq!(troubles, []);
    let stored = member("z!stored", b"a PK\x07\x08 b c");
    assert_eq!(members, [hidden("behind"), hidden("small"), hidden("none"), stored, member("z!last", b"end")]);
    let large = zip_of(&[Zipped { size: 1 << 30, ..plain("large", b"all there is") }]);
    assert_eq!(all(&large, "z").1, [("z".to_owned(), Trouble::Cut)]);
    assert!(all(&large, "z").0[0].1.starts_with(b"all there is"));
}

#[test]
fn what_is_encrypted_or_of_another_method_is_told_and_the_rest_is_read() {
    let bytes = zip_of(&[
        Zipped { flags: 1, ..plain("locked", b"noise") },
        Zipped { flags: 9, size: 0, behind: Some(5), ..plain("locked too", b"noise") },
        Zipped { method: 9, ..plain("other", b"noise") },
        plain("last", b"end"),
    ]);
    let (members, troubles) = all(&bytes, "z");
    assert_eq!(members, [member("z!last", b"end")]);
    let told = [("z!locked".to_owned(), Trouble::Encrypted), ("z!other".to_owned(), Trouble::Method(9))];
    assert_eq!(troubles, told);
    assert_eq!(all(b"7z\xbc\xaf\x27\x1c....", "a.7z").1, [("a.7z".to_owned(), Trouble::Foreign("7z"))]);
}

#[test]
fn names_lead_nowhere_and_links_hold_nothing() {
    let mut bytes = Vec::new();
    tarred(&mut bytes, "link", b'2', b"");
    tarred(&mut bytes, "../../etc/passwd", b'0', b"a");
    let long = "d/".repeat(90) + "e";
    tarred(&mut bytes, "././@LongLink", b'L', format!("{long}\0").as_bytes());
    tarred(&mut bytes, "cut", b'0', b"b");
    let record = format!(" path={long}2\n");
    let length = record.len() + 3;
    tarred(&mut bytes, "pax", b'x', format!("{length}{record}").as_bytes());
    tarred(&mut bytes, "cut", b'0', b"c");
    let (members, troubles) = all(&bytes, "t");
    let expected = [("../../etc/passwd", b"a"), (&long, b"b"), (&format!("{long}2"), b"c")];
    assert_eq!(members, expected.map(|(name, bytes)| member(&format!("t!{name}"), bytes)));
    assert_eq!(troubles, []);
}

#[test]
fn what_is_cut_off_or_damaged_is_read_as_far_as_it_goes() {
    let numbers = (0..30_000_u32).map(|number| number.wrapping_mul(2_654_435_761).to_string());
    let text = numbers.collect::<Vec<_>>().join(" ").into_bytes();
    let whole = gzip(&tar(&[("one", b"first"), ("two", &text)]));
    let (members, troubles) = all(&whole[..whole.len() / 2], "o.tgz");
    assert_eq!(members[0], member("o.tgz!one", b"first"));
    assert!(members[1].1.len() > 50_000 && text.starts_with(&members[1].1));
    assert_eq!(troubles, [("o.tgz".to_owned(), Trouble::Cut)]);
    let mut broken = zip(&[("one", &text), ("two", b"second")]);
    broken[5000..5100].fill(0xff);
    let (members, troubles) = all(&broken, "z");
    assert!(text.starts_with(&members[0].1[..1000]));
    assert_eq!(members.last(), Some(&member("z!two", b"second")));
    assert_eq!(troubles, [("z!one".to_owned(), Trouble::Damaged)]);
    // Every end, so that none is a panic or goes on for ever.
    for archive in [&zip(&[("one", b"first"), ("two", b"second")]), &tar(&[("a", b"b")]), &gzip(b"text")] {
        for end in 4..archive.len() {
            if Kind::of(&archive[..end.min(HEAD)], "a").is_some() {
                all(&archive[..end], "a");
            }
        }
    }
}

#[test]
fn bombs_are_read_up_to_a_limit_that_is_told() {
    let zeros = vec![0; 8 << 20];
    let inner = zip(&[("0", &zeros)]);
    let names: Vec<String> = (0..64).map(|number| number.to_string()).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &inner[..])).collect();
    // Half a gigabyte in some kilobytes.
    let bomb = zip(&many);
    assert!(bomb.len() < 64 << 10, "{}", bomb.len());
    let (mut read_bytes, mut members) = (0, 0);
    let mut take = |_: &str, from: &mut dyn Read| {
        members += 1;
        read_bytes += io::copy(from, &mut io::sink())?;
        Ok(())
    };
    let troubles = read(&mut &bomb[..], Kind::Zip, ("z", bomb.len() as u64), Limits::default(), &mut take);
    assert!(read_bytes <= Limits::FREE && read_bytes > Limits::FREE / 2, "{read_bytes}");
    assert_eq!(troubles, [("z".to_owned(), 1, Trouble::Total(Limits::FREE))]);
    assert!(members < 10, "{members}");
    let limits = Limits { member: 1 << 20, members: 20, ..Limits::default() };
    let (members, troubles) = got(&zip(&[("large", &zeros), ("small", b"x")]), "z", limits);
    assert_eq!((members[0].1.len(), &members[1]), (1 << 20, &member("z!small", b"x")));
    assert_eq!(troubles, [("z!large".to_owned(), Trouble::Member(1 << 20))]);
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    let (members, troubles) = got(&tar(&many), "t", limits);
    assert_eq!((members.len(), troubles), (20, vec![("t".to_owned(), Trouble::Members(20))]));
}

#[test]
fn a_decoder_that_wants_much_memory_is_not_given_it() {
    let options = lzma_rust2::XzOptions::with_preset(9);
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), options).expect("an encoder");
    xz.write_all(b"text").expect("memory");
    let packed = xz.finish().expect("memory");
    assert_eq!(all(&packed, "a.xz").1, [("a.xz".to_owned(), Trouble::Memory)]);
    // A frame of Zstandard with a window of 128 MiB.
    let packed = [0x28, 0xb5, 0x2f, 0xfd, 0, 17 << 3, 1, 0, 0];
    assert_eq!(all(&packed, "a.zst").1, [("a.zst".to_owned(), Trouble::Memory)]);
}

#[test]
fn text_is_no_archive() {
    for text in [&b"PK is a name"[..], b"", b"BZh is one", b"\x1f\x8b", &[0; 512], &[b'a'; 512]] {
        assert_eq!(Kind::of(text, "a.tar"), None);
    }
}
