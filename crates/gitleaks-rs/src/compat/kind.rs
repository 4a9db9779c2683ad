//! Which files Gitleaks does not read at all: those that an archive's name or a program's first bytes give away.
//!
//! The names and signatures are facts about the two Go libraries it asks. Pictures, films and sounds come first there:
//! what looks like one of them is read, whatever its later bytes say.

/// Names of archives: parts of a file's name, wherever they stand in it.
const ARCHIVES: &[&str] =
    &[".7z", ".br", ".bz2", ".gz", ".lz4", ".rar", ".sz", ".s2", ".tar", ".xz", ".zip", ".zz", ".zst"];

/// Whether a name says archive. `.br` in `a.branch.txt` does.
pub(super) fn named_like_archive(path: &str) -> bool {
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_lowercase();
    ARCHIVES.iter().any(|part| name.contains(part)) || name.ends_with(".lz") || name.ends_with(".mz")
}

/// Whether the first bytes are of type `application/*`.
pub(super) fn is_application(bytes: &[u8]) -> bool {
    is_wasm_or_dex(bytes) || (!is_media(bytes) && (is_font(bytes) || is_document(bytes) || is_archive(bytes)))
}

/// Whether bytes stand at a place, in a text longer than `least`.
fn at(bytes: &[u8], offset: usize, expected: &[u8]) -> bool {
    bytes.get(offset..).is_some_and(|rest| rest.starts_with(expected))
}

fn is_wasm_or_dex(bytes: &[u8]) -> bool {
    let dex = |bytes: &[u8]| bytes.len() > 36 && at(bytes, 0, b"dex\n") && bytes[36] == 0x70;
    at(bytes, 0, b"\0asm\x01\0\0\0")
        || dex(bytes)
        || (bytes.len() > 100 && at(bytes, 0, b"dey\n") && dex(&bytes[40..100]))
}

fn is_media(bytes: &[u8]) -> bool {
    let long = |least: usize| bytes.len() > least;
    let any = |offset: usize, signatures: &[&[u8]]| signatures.iter().any(|one| at(bytes, offset, one));
    let image = any(0, &[b"\xff\xd8\xff", b"\x89PNG", b"GIF", b"BM", b"II\xbc", b"8BPS", b"\0\0\x01\0", b"AC10"])
        || at(bytes, 0, b"\0\0\0\x0cjP  \r\n\x87\n\0")
        || at(bytes, 8, b"WEBP")
        || (long(10) && any(0, &[b"II*\0", b"MM\0*"]));
    let film = any(4, &[b"ftypM4V", b"ftyp3gp"])
        || (at(bytes, 4, b"ftyp") && (MP4.iter().any(|brand| at(bytes, 8, *brand)) || is_heif(bytes)))
        || (long(15) && (at(bytes, 0, b"\0\0\0\x14ftyp") || any(4, &[b"moov", b"mdat"]) || at(bytes, 12, b"mdat")))
        || (at(bytes, 0, b"\x1a\x45\xdf\xa3") && is_matroska(bytes))
        || (at(bytes, 0, b"RIFF") && at(bytes, 8, b"AVI"))
        || at(bytes, 0, b"0&\xb2u\x8ef\xcf\x11\xa6\xd9")
        || (long(3) && at(bytes, 0, b"\0\0\x01") && (0xb0..=0xbf).contains(&bytes[3]))
        || at(bytes, 0, b"FLV\x01");
    let sound = any(0, &[b"MThd", b"OggS", b"fLaC", b"\xff\xf1", b"\xff\xf9", b"ID3"])
        || (long(2) && at(bytes, 0, b"\xff\xfb"))
        || at(bytes, 4, b"ftypM4A")
        || (long(10) && at(bytes, 0, b"M4A "))
        || (long(11) && at(bytes, 0, b"#!AMR\n"))
        || (at(bytes, 0, b"RIFF") && at(bytes, 8, b"WAVE"))
        || (at(bytes, 0, b"FORM") && at(bytes, 8, b"AIFF"));
    image || film || sound
}

/// Brands of MP4.
const MP4: &[&[u8; 4]] = &[
    b"avc1", b"dash", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"isom", b"mmp4", b"mp41", b"mp42", b"mp4v",
    b"mp71", b"MSNV", b"NDAS", b"NDSC", b"NSDC", b"NDSH", b"NDSM", b"NDSP", b"NDSS", b"NDXC", b"NDXH", b"NDXM",
    b"NDXP", b"NDXS", b"F4V ", b"F4P ",
];

fn is_heif(bytes: &[u8]) -> bool {
    let Some(length) = bytes.first_chunk::<4>().map(|length| u32::from_be_bytes(*length) as usize) else {
        return false;
    };
    if bytes.len() < 17 || bytes.len() < length {
        return false;
    }
    at(bytes, 8, b"heic")
        || ((at(bytes, 8, b"mif1") || at(bytes, 8, b"msf1"))
            && (16..length).step_by(4).any(|offset| at(bytes, offset, b"heic")))
}

fn is_matroska(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(4096)];
    [&b"matroska"[..], b"webm"].iter().any(|kind| {
        memchr::memmem::find(start, kind).is_some_and(|found| found >= 3 && at(start, found - 3, b"\x42\x82"))
    })
}

fn is_font(bytes: &[u8]) -> bool {
    [&b"wOFF\0\x01\0\0"[..], b"wOF2\0\x01\0\0", b"\0\x01\0\0\0", b"OTTO\0"].iter().any(|one| at(bytes, 0, one))
}

/// Word, Excel and PowerPoint; the newer ones are zip files anyway.
fn is_document(bytes: &[u8]) -> bool {
    let kinds: [&[u8]; 3] = [b"\xec\xa5", b"\x09\x08", b"\xa0\x46"];
    at(bytes, 0, b"\xd0\xcf\x11\xe0") && (bytes.len() <= 513 || kinds.iter().any(|kind| at(bytes, 512, kind)))
}

fn is_archive(bytes: &[u8]) -> bool {
    const STARTS: &[&[u8]] = &[
        b"\x1f\x8b\x08",
        b"BZh",
        b"7z\xbc\xaf\x27\x1c",
        b"\xfd7zXZ\0",
        b"%PDF",
        b"MZ",
        b"CWS",
        b"FWS",
        b"{\\rtf",
        b"%!",
        b"SQLi",
        b"NES\x1a",
        b"Cr24",
        b"MSCF",
        b"ISc(",
        b"!<arch>",
        b"\x1f\xa0",
        b"\x1f\x9d",
        b"LZIP",
        b"Rar!\x1a\x07\0",
        b"Rar!\x1a\x07\x01",
        b"\xfe\xed\xfa\xcf",
        b"\xfe\xed\xfa\xce",
        b"\xbe\xba\xfe\xca",
        b"\xcf\xfa\xed\xfe",
        b"\xce\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
    ];
    let zip = bytes.len() > 3 && at(bytes, 0, b"PK") && matches!(bytes[2], 3 | 5 | 7) && matches!(bytes[3], 4 | 6 | 8);
    let eot = bytes.len() > 35
        && at(bytes, 34, b"LP")
        && [b"\x02\0\x01", b"\x01\0\0", b"\x02\0\x02"].iter().any(|version| at(bytes, 8, &version[..]));
    STARTS.iter().any(|start| at(bytes, 0, start))
        || zip
        || eot
        || is_zstd(bytes)
        || at(bytes, 257, b"ustar")
        || (bytes.len() > 96 && at(bytes, 0, b"\xed\xab\xee\xdb"))
        || (bytes.len() > 52 && at(bytes, 0, b"\x7fELF"))
        || at(bytes, 128, b"DICM")
        || at(bytes, 32_769, b"CD001")
}

/// A frame, or frames to skip and then one.
fn is_zstd(mut bytes: &[u8]) -> bool {
    loop {
        if at(bytes, 0, b"\x28\xb5\x2f\xfd") {
            return true;
        }
        let (Some(magic), Some(length)) = (bytes.first_chunk::<4>(), bytes.get(4..8)) else { return false };
        let length = length.iter().rev().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
        match bytes.get(8 + length..) {
            Some(rest) if u32::from_le_bytes(*magic) & 0xffff_fff0 == 0x184d_2a50 => bytes = rest,
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_archives_count_wherever_they_stand() {
        for (path, archive) in [
            ("a/b.zip", true),
            ("b.TAR", true),
            ("x.zipped", true),
            ("a.branch.txt", true),
            ("a.lz", true),
            ("a.lzx", false),
            ("a.tar/b.txt", false),
            ("", false),
            ("zip", false),
            ("a.gz/", true),
        ] {
            assert_eq!(named_like_archive(path), archive, "{path}");
        }
    }

    #[test]
    fn databases_and_programs_are_skipped_and_pictures_are_not() {
        let mut tar = vec![b'a'; 300];
        tar[257..262].copy_from_slice(b"ustar");
        let mut picture = tar.clone();
        picture[..4].copy_from_slice(b"\x89PNG");
        let skipped: [&[u8]; 6] = [b"SQLite format 3\0", b"%!", b"PK\x03\x04", b"%PDF-1.7", b"\x1f\x8b\x08", &tar];
        assert!(skipped.iter().all(|bytes| is_application(bytes)));
        let read: [&[u8]; 6] = [b"", b"text", b"\x7fELF", b"PK", b"\x50\x2a\x4d\x18\xff\xff\xff\xff", &picture];
        assert!(!read.iter().any(|bytes| is_application(bytes)));
        assert!(is_application(b"\x50\x2a\x4d\x18\x01\0\0\0x\x28\xb5\x2f\xfd"));
    }
}
