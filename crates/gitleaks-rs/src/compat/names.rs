//! The names of a file in the head of its diff, quoted or not.

use super::header::moment;

/// What the head of a diff tells of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FileHeader {
    pub(super) old_name: Vec<u8>,
    pub(super) new_name: Vec<u8>,
    pub(super) is_new: bool,
    pub(super) is_delete: bool,
}

const NOWHERE: &[u8] = b"/dev/null";
/// More than two paths.
const LONGEST: usize = 16 << 10;

impl FileHeader {
    /// Fills in the name of the first line, and tells whether all names are known.
    pub(super) fn complete(&mut self, name: &[u8]) -> bool {
        if self.old_name.is_empty() && self.new_name.is_empty() {
            (self.old_name, self.new_name) = (name.to_vec(), name.to_vec());
        }
        (self.is_delete || !self.new_name.is_empty()) && (self.is_new || !self.old_name.is_empty())
    }
}

/// The name that `a/name b/name` has twice; empty where the two differ or cannot be told apart, none for bad quoting.
pub(super) fn git_header_name(header: &[u8]) -> Option<Vec<u8>> {
    let header = header.strip_suffix(b"\n").unwrap_or(header);
    let (first, second) = match header.iter().position(|byte| *byte == b'"') {
        None => return Some(same_twice(without_prefix(header))),
        Some(0) => {
            let (first, length) = quoted(header)?;
            let rest = header.get(length..).unwrap_or_default();
            let second = &rest[rest.iter().take_while(|byte| is_space(**byte)).count()..];
            if second.is_empty() {
                return Some(Vec::new());
            }
            (first, if second[0] == b'"' { quoted(second)?.0 } else { second.to_vec() })
        }
        Some(at) => {
            if !is_space(header[at - 1]) {
                return None;
            }
            (header[..at - 1].to_vec(), quoted(&header[at..])?.0)
        }
    };
    let first = without_prefix(&first);
    if second.is_empty() {
        return Some(same_twice(first));
    }
    Some(if first == without_prefix(&second) { first.to_vec() } else { Vec::new() })
}

/// Names may hold spaces, so every space may be the one in between.
fn same_twice(names: &[u8]) -> Vec<u8> {
    // No path is that long, and every space costs a look at all of it.
    let names = if names.len() > LONGEST { &[] } else { names };
    for at in memchr::memchr2_iter(b' ', b'\t', names) {
        // The halves differ in length by the prefix alone, which is a few letters.
        let second = without_prefix(&names[at + 1..]);
        if at + 1 < names.len() && second.len() == at && names[..at] == *second {
            return second.to_vec();
        }
    }
    Vec::new()
}

/// Without the first folder, which is git's `a` or `b`.
fn without_prefix(name: &[u8]) -> &[u8] {
    memchr::memchr(b'/', name).map_or(&[], |slash| &name[slash + 1..])
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n')
}

/// Takes in a line of a head: whether it is the last one, or none if it contradicts another.
pub(super) fn git_header_data(file: &mut FileHeader, line: &[u8], name: &[u8]) -> Option<bool> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let is = |prefix: &str| line.strip_prefix(prefix.as_bytes());
    if let Some(rest) = is("--- ") {
        let old = plain_or_quoted(rest, Some(b'\t'), 1)?;
        if file.old_name.is_empty() && !file.is_new {
            file.old_name = old;
        } else {
            agree(&old, &file.old_name, file.is_new)?;
        }
    } else if let Some(rest) = is("+++ ") {
        let new = plain_or_quoted(rest, Some(b'\t'), 1)?;
        if file.new_name.is_empty() && !file.is_delete {
            file.new_name = new;
        } else {
            agree(&new, &file.new_name, file.is_delete)?;
        }
    } else if let Some(rest) = is("old mode ").or_else(|| is("new mode ")) {
        mode(rest)?;
    } else if let Some(rest) = is("deleted file mode ") {
        (file.is_delete, file.old_name) = (true, name.to_vec());
        mode(rest)?;
    } else if let Some(rest) = is("new file mode ") {
        (file.is_new, file.new_name) = (true, name.to_vec());
        mode(rest)?;
    } else if let Some(rest) = is("copy from ").or_else(|| is("rename old ")).or_else(|| is("rename from ")) {
        file.old_name = plain_or_quoted(rest, None, 0)?;
    } else if let Some(rest) = is("copy to ").or_else(|| is("rename new ")).or_else(|| is("rename to ")) {
        file.new_name = plain_or_quoted(rest, None, 0)?;
    } else if let Some(rest) = is("similarity index ").or_else(|| is("dissimilarity index ")) {
        number(rest.strip_suffix(b"%").unwrap_or(rest), 10)?;
    } else if let Some(rest) = is("index ") {
        let (ids, mode) = split_once(rest, b' ').map_or((rest, None), |(ids, mode)| (ids, Some(mode)));
        memchr::memmem::find(ids, b"..")?;
        mode.map_or(Some(()), self::mode)?;
    } else {
        return Some(true);
    }
    Some(false)
}

fn mode(text: &[u8]) -> Option<()> {
    number(text, 8)
}

fn number(text: &[u8], radix: u32) -> Option<()> {
    i32::from_str_radix(std::str::from_utf8(text).ok()?, radix).ok().map(|_| ())
}

fn split_once(text: &[u8], by: u8) -> Option<(&[u8], &[u8])> {
    memchr::memchr(by, text).map(|at| (&text[..at], &text[at + 1..]))
}

/// Whether a name fits what is known already.
fn agree(name: &[u8], known: &[u8], is_nowhere: bool) -> Option<()> {
    let fits = (known.is_empty() || (!is_nowhere && known == name)) && (!is_nowhere || name == NOWHERE);
    // A new file has no old name, whose place is then nowhere.
    fits.then_some(())
}

/// The names of a head that is not git's.
pub(super) fn traditional(old_line: &[u8], new_line: &[u8]) -> Option<FileHeader> {
    let (old, new) = (plain_or_quoted(old_line, Some(b'\t'), 0)?, plain_or_quoted(new_line, Some(b'\t'), 0)?);
    Some(if old == NOWHERE || is_epoch(old_line) {
        FileHeader { is_new: true, new_name: new, ..FileHeader::default() }
    } else if new == NOWHERE || is_epoch(new_line) {
        FileHeader { is_delete: true, old_name: old, ..FileHeader::default() }
    } else {
        // Of `name` and `name.orig` the shorter one.
        let name = if new.starts_with(&old) { old } else { new };
        FileHeader { old_name: name.clone(), new_name: name, ..FileHeader::default() }
    })
}

/// GNU diff's sign of a file that is not there: the first second of 1970 in any zone.
fn is_epoch(line: &[u8]) -> bool {
    let time = split_once(line, b'\t').and_then(|(_, time)| std::str::from_utf8(time).ok()).unwrap_or_default();
    let words: Vec<&str> = time.trim_end_matches('\n').split(' ').collect();
    let [date, clock, zone] = words.as_slice() else { return false };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let time = format!("{date} {clock} {}", zone.replace(':', ""));
    fraction.bytes().all(|digit| digit == b'0') && moment(&time) == Some(Some(0))
}

/// A name up to a byte, the end of the line or its closing quote, without its first folders and doubled slashes.
fn plain_or_quoted(text: &[u8], until: Option<u8>, folders: usize) -> Option<Vec<u8>> {
    let name = if text.first() == Some(&b'"') {
        quoted(text)?.0
    } else {
        let ends = |byte: &u8| *byte == b'\n' || Some(*byte) == until;
        let length = text.iter().position(ends).unwrap_or(text.len());
        if length == 0 {
            return None;
        }
        text[..length].to_vec()
    };
    Some(if name == NOWHERE { name } else { clean(&name, folders) })
}

fn clean(name: &[u8], mut folders: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    for (at, byte) in name.iter().enumerate() {
        if *byte == b'/' {
            if name.get(at + 1) == Some(&b'/') {
                continue;
            }
            if folders > 0 {
                folders -= 1;
                out.clear();
                continue;
            }
        }
        out.push(*byte);
    }
    out
}

/// A name in quotes and the length of it all. The first quote without a backslash before it is taken for the end, even
/// if that backslash is itself quoted.
fn quoted(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let end = (1..text.len()).find(|at| text[*at] == b'"' && text[at - 1] != b'\\')?;
    let inner = &text[1..end];
    if inner.is_empty() || inner.contains(&b'\n') {
        return None;
    }
    let mut name = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().copied();
    while let Some(byte) = bytes.next() {
        let value = match byte {
            b'\\' => match bytes.next()? {
                b'a' => 0x07,
                b'b' => 0x08,
                b't' => b'\t',
                b'n' => b'\n',
                b'v' => 0x0b,
                b'f' => 0x0c,
                b'r' => b'\r',
                quoted @ (b'\\' | b'"') => quoted,
                first @ b'0'..=b'7' => {
                    let rest = [bytes.next()?, bytes.next()?];
                    let octal = [first, rest[0], rest[1]];
                    u8::from_str_radix(std::str::from_utf8(&octal).ok()?, 8).ok()?
                }
                // Go knows more of them, but git writes none of those.
                _ => return None,
            },
            plain => plain,
        };
        name.push(value);
    }
    Some((name, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_the_first_line() {
        for (header, name) in [
            ("a/x b/x\n", Some("x")),
            ("a/x y b/x y\n", Some("x y")),
            ("a/x b/y\n", Some("")),
            ("a/d/x b/d/x", Some("d/x")),
            ("i/x w/x", Some("x")),
            ("\"a/\\303\\251\" \"b/\\303\\251\"", Some("é")),
            ("a/x \"b/x\"", Some("x")),
            ("\"a/x\" b/x", Some("x")),
            ("\"a/x\"", Some("")),
            ("\"a/x b/x", None),
            ("a/x\"b/x\"", None),
            ("", Some("")),
        ] {
            let found = git_header_name(header.as_bytes());
            assert_eq!(found.as_deref(), name.map(str::as_bytes), "{header}");
        }
    }

    #[test]
    fn a_plain_diff_names_new_files_by_their_time() {
        for (old, new, name, is_new) in [
            ("x.orig\t2024-01-01 00:00:00 +0000\n", "x\t2024-01-01 00:00:00 +0000\n", "x", false),
            ("x\n", "x.orig\n", "x", false),
            ("x\t1970-01-01 01:00:00.000000000 +0100\n", "y\n", "y", true),
            ("/dev/null\n", "y\n", "y", true),
        ] {
            let file = traditional(old.as_bytes(), new.as_bytes()).expect("names");
            assert_eq!((file.new_name.as_slice(), file.is_new), (name.as_bytes(), is_new), "{old}");
        }
    }

    #[test]
    fn heads_that_contradict_themselves_are_refused() {
        for (lines, fits) in [
            (&["--- a/x", "+++ b/x"][..], true),
            (&["new file mode 100644", "--- /dev/null", "+++ b/x"], true),
            (&["new file mode 100644", "--- a/x"], false),
            (&["new file mode 100644", "+++ b/y"], false),
            (&["deleted file mode 100644", "--- a/x", "+++ /dev/null"], true),
            (&["deleted file mode 100644", "+++ b/x"], false),
            (&["rename from x", "rename to y", "similarity index 95%", "--- a/x", "+++ b/y"], true),
            (&["rename from x", "--- a/z"], false),
            (&["index 12..34 100644"], true),
            (&["index 12"], false),
            (&["old mode 9"], false),
        ] {
            let mut file = FileHeader::default();
            let done = lines.iter().all(|line| git_header_data(&mut file, line.as_bytes(), b"x").is_some());
            assert_eq!(done, fits, "{lines:?}");
        }
    }
}
