//! Access lists as Linux keeps them beside a file.

use crate::host::access::{Acl, AclEntry, AclTag};
use crate::model::{Gid, Uid};

/// The kernel's form of an access list: a version word, then tag, rights and id of each entry, little-endian.
pub(super) fn parse(bytes: &[u8]) -> Option<Acl> {
    let entries = bytes.strip_prefix(&2u32.to_le_bytes())?;
    let parse = |entry: &[u8]| {
        let id = u32::from_le_bytes(entry[4..8].try_into().ok()?);
        let tag = match u16::from_le_bytes(entry[..2].try_into().ok()?) {
            0x01 => AclTag::Owner,
            0x02 => AclTag::User(Uid(id)),
            0x04 => AclTag::OwningGroup,
            0x08 => AclTag::Group(Gid(id)),
            0x10 => AclTag::Mask,
            0x20 => AclTag::Other,
            _ => return None,
        };
        Some(AclEntry { tag, rights: entry[2] & 7 })
    };
    entries.chunks_exact(8).map(parse).collect::<Option<Vec<_>>>().map(Acl)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_lists_are_read_from_their_kernel_form() {
        let mut bytes = 2u32.to_le_bytes().to_vec();
        for (tag, rights, id) in [(0x01u16, 6u16, u32::MAX), (0x02, 6, 990), (0x10, 4, u32::MAX), (0x20, 0, u32::MAX)] {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(rights.to_le_bytes());
            bytes.extend(id.to_le_bytes());
        }
        let acl = parse(&bytes).expect("of the form");
        assert_eq!(acl.0[1], AclEntry { tag: AclTag::User(Uid(990)), rights: 6 });
        assert_eq!(parse(&[1, 0, 0, 0]), None);
    }
}
