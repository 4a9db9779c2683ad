//! Names as OSCAL takes them: UUIDs that derive from what they name, and tokens.

use gix_hash::{Kind, hasher};
use sha2::{Digest, Sha256};

use super::super::Assessment;
use crate::model::hex;

/// What all UUIDs of ours are named in: version 5 of `urn:harden:report` in the namespace of URLs of RFC 9562.
const SPACE: [u8; 16] =
    [0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];

/// Version 5 of RFC 9562, of parts that are told apart.
pub(super) fn uuid(parts: &[&str]) -> String {
    text(named(&named(&SPACE, b"urn:harden:report"), parts.join("\0").as_bytes()))
}

fn named(space: &[u8; 16], name: &[u8]) -> [u8; 16] {
    let mut hash = hasher(Kind::Sha1);
    hash.update(space);
    hash.update(name);
    let mut bytes = [0; 16];
    match hash.try_finalize() {
        Ok(digest) => bytes.copy_from_slice(&digest.as_slice()[..16]),
        // A name that was made to collide gets a hash that it was not made for.
        Err(_) => bytes.copy_from_slice(&Sha256::digest(name)[..16]),
    }
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    bytes
}

fn text(bytes: [u8; 16]) -> String {
    let digits = hex(bytes);
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// What an assessment is told by: its framework, its audits, and how each finding and attestation stands.
pub(super) fn seed(assessment: &Assessment) -> String {
    let audits = assessment.audits.iter().map(|audit| audit.sha256.clone());
    let findings = assessment.findings.iter().map(|it| it.stance.name().to_owned());
    let attested = assessment.attestations.iter().map(|it| {
        format!("{}\0{}\0{}\0{}", it.attestation.task, it.attestation.date, it.attestation.expires, it.hold.words())
    });
    let all = std::iter::once(assessment.framework.framework.clone()).chain(audits).chain(findings).chain(attested);
    uuid(&[&all.collect::<Vec<_>>().join("\0")])
}

/// The id of a control: as in the framework where that is a token, which begins with a letter.
pub(super) fn control_id(assessment: &Assessment, id: &str) -> String {
    let harmless = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let id: String = id.chars().map(harmless).collect();
    if id.starts_with(char::is_alphabetic) { id } else { format!("{}-{id}", assessment.framework.framework) }
}

/// The id of a control's statement: NIST's catalogue puts the word in front.
pub(super) fn statement_id(assessment: &Assessment, id: &str) -> String {
    format!("statement_{}", control_id(assessment, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_those_of_the_standard() {
        // RFC 9562, appendix A.4: www.example.com in the namespace of DNS.
        let dns = [0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];
        assert_eq!(text(named(&dns, b"www.example.com")), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
        assert_eq!(uuid(&["a", "b"]), uuid(&["a", "b"]));
        assert_ne!(uuid(&["a", "b"]), uuid(&["ab"]));
    }
}
