//! What a folder of a commit holds, and what in it differs from its parents'.

use std::cmp::Ordering;

/// What an entry of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Form {
    Folder,
    File,
    /// A link: its text is where it leads.
    Link,
    /// The commit of another repository.
    Module,
}

impl Form {
    /// What a file mode says.
    pub(super) fn of(mode: u32) -> Form {
        match mode >> 12 {
            0o04 => Form::Folder,
            0o12 => Form::Link,
            0o16 => Form::Module,
            _ => Form::File,
        }
    }
}

/// An entry of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) form: Form,
    pub(super) name: &'a [u8],
    /// The name of the object.
    pub(super) id: &'a [u8],
}

impl Entry<'_> {
    /// Git's order: folders as if their names ended with a slash.
    fn order(&self, other: &Entry<'_>) -> Ordering {
        let common = self.name.len().min(other.name.len());
        let end = |entry: &Entry<'_>| match entry.name.get(common) {
            Some(byte) => *byte,
            None if entry.form == Form::Folder => b'/',
            None => 0,
        };
        self.name[..common]
            .cmp(&other.name[..common])
            .then_with(|| end(self).cmp(&end(other)))
            .then_with(|| self.name.len().cmp(&other.name.len()))
    }
}

/// The entries of a folder; ends early where it is damaged, and says so in `damaged`.
pub(super) struct Entries<'a> {
    rest: &'a [u8],
    width: usize,
    pub(super) damaged: bool,
}

/// The entries in a tree object.
pub(super) fn entries(bytes: &[u8], width: usize) -> Entries<'_> {
    Entries { rest: bytes, width, damaged: false }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let entry = split(self.rest, self.width);
        self.damaged |= entry.is_none();
        let (entry, rest) = entry.unwrap_or((None, &[]));
        self.rest = rest;
        entry.or_else(|| self.next_sound())
    }
}

impl<'a> Entries<'a> {
    /// Skips entries whose names can be no file's.
    fn next_sound(&mut self) -> Option<Entry<'a>> {
        while !self.rest.is_empty() {
            self.damaged = true;
            let (entry, rest) = split(self.rest, self.width)?;
            self.rest = rest;
            if entry.is_some() {
                return entry;
            }
        }
        None
    }
}

/// The first entry, nothing if its name is empty, and what follows.
fn split(bytes: &[u8], width: usize) -> Option<(Option<Entry<'_>>, &[u8])> {
    let space = bytes.iter().take(8).position(|byte| *byte == b' ')?;
    let mode = bytes[..space].iter().try_fold(0_u32, |mode, digit| match digit {
        b'0'..=b'7' => Some(mode << 3 | u32::from(digit - b'0')),
        _ => None,
    })?;
    let after = &bytes[space + 1..];
    let end = memchr::memchr(0, after)?;
    let (name, after) = (&after[..end], &after[end + 1..]);
    let (id, rest) = after.split_at_checked(width)?;
    Some(((!name.is_empty()).then_some(Entry { form: Form::of(mode), name, id }), rest))
}

/// Calls `each` with every entry of `new` that is in none of `olds` just so, and with what stands at its place there:
/// an entry of the same form, or nothing. Where folders are not in order more may seem new, and nothing less. Says
/// whether `new` is whole.
pub(super) fn changes<'a>(
    new: &'a [u8],
    olds: &[&'a [u8]],
    width: usize,
    mut each: impl FnMut(Entry<'a>, &mut dyn Iterator<Item = Entry<'a>>),
) -> bool {
    let mut news = entries(new, width);
    let mut olds: Vec<_> = olds.iter().map(|old| entries(old, width).peekable()).collect();
    let mut here: Vec<Entry<'a>> = Vec::new();
    for entry in &mut news {
        here.clear();
        let mut known = false;
        for old in &mut olds {
            while let Some(next) = old.peek().copied() {
                match next.order(&entry) {
                    Ordering::Less => {
                        old.next();
                    }
                    Ordering::Equal => {
                        old.next();
                        if next.form == entry.form && next.name == entry.name {
                            known |= next.id == entry.id;
                            here.push(next);
                        }
                        break;
                    }
                    Ordering::Greater => break,
                }
            }
        }
        if !known {
            each(entry, &mut here.iter().copied());
        }
    }
    !news.damaged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(entries: &[(&str, &str, u8)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (mode, name, id) in entries {
            bytes.extend(format!("{mode} {name}\0").bytes());
            bytes.extend([*id; 20]);
        }
        bytes
    }

    fn changed(new: &[u8], olds: &[&[u8]]) -> Vec<(String, usize)> {
        let mut found = Vec::new();
        changes(new, olds, 20, |entry, olds| {
            found.push((String::from_utf8_lossy(entry.name).into_owned(), olds.count()));
        });
        found
    }

    #[test]
    fn what_differs_from_all_parents_is_told() {
        let old = tree(&[("100644", "a", 1), ("40000", "b", 2), ("100644", "c", 3)]);
        let new = tree(&[("100755", "a", 1), ("100644", "b", 9), ("40000", "b", 4), ("100644", "d", 5)]);
        let expected = [("b".to_owned(), 0), ("b".to_owned(), 1), ("d".to_owned(), 0)];
        assert_eq!(changed(&new, &[&old]), expected);
        assert_eq!(changed(&new, &[&old, &new]), []);
        assert_eq!(changed(&new, &[]).len(), 4);
        let link = tree(&[("120000", "a", 1)]);
        assert_eq!(changed(&link, &[&old]), [("a".to_owned(), 0)]);
    }

    #[test]
    fn damage_and_disorder_lose_nothing_before_them() {
        let new = tree(&[("100644", "z", 1), ("100644", "a", 2), ("100644", "", 3), ("100644", "y", 4)]);
        let sorted = tree(&[("100644", "a", 2), ("100644", "z", 1)]);
        assert!(changed(&new, &[&sorted]).contains(&("y".to_owned(), 0)));
        for cut in 0..new.len() {
            changed(&new[..cut], &[]);
        }
        assert_eq!(changed(&new, &[]).len(), 3);
        assert!(!changes(&new[..20], &[], 20, |_, _| {}));
    }
}
