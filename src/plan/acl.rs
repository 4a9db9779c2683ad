//! What a change of the permission bits does to an access list, in the kernel's form.

use crate::model::Mode;

const HEADER: usize = 8;
const ENTRY: usize = 16;

/// The list, in hexadecimal digits, as the kernel leaves it when the bits are set to `mode`: owner, mask and rest
/// follow them. What is not of the form stays as it is.
pub(super) fn with_mode(list: &str, mode: Mode) -> String {
    if !list.is_ascii() || list.len() < HEADER || !(list.len() - HEADER).is_multiple_of(ENTRY) {
        return list.to_owned();
    }
    let (header, entries) = list.split_at(HEADER);
    let entries: Vec<&str> = (0..entries.len() / ENTRY).map(|at| &entries[at * ENTRY..(at + 1) * ENTRY]).collect();
    // Tag and rights are two bytes each, the low one first.
    let has_mask = entries.iter().any(|entry| entry.starts_with("1000"));
    let rights = |entry: &str| match &entry[..4] {
        "0100" => Some(mode.bits() >> 6 & 7),
        "0400" if !has_mask => Some(mode.bits() >> 3 & 7),
        "1000" => Some(mode.bits() >> 3 & 7),
        "2000" => Some(mode.bits() & 7),
        _ => None,
    };
    let changed = entries.iter().map(|entry| match rights(entry) {
        Some(rights) => format!("{}{rights:02x}00{}", &entry[..4], &entry[8..]),
        None => (*entry).to_owned(),
    });
    format!("{header}{}", changed.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_follows_the_group_bits() {
        let list = "02000000010007 00ffffffff 02000600e6030000 04000500ffffffff 10000700ffffffff 20000500ffffffff"
            .replace(' ', "");
        let expected = "02000000010007 00ffffffff 02000600e6030000 04000500ffffffff 10000000ffffffff 20000000ffffffff"
            .replace(' ', "");
        assert_eq!(with_mode(&list, Mode::new(0o700)), expected);
        assert_eq!(with_mode("02", Mode::new(0)), "02");
    }
}
