//! What git tells its pre-push hook: a line for each ref, with the object it is to name and the one it names now.

use std::io::{self, Read};

use gitleaks_rs::history::Id;

/// The most that is read: some hundred thousand refs.
const LIMIT: u64 = 64 << 20;

/// Why it is not known what is pushed.
#[derive(Debug, thiserror::Error)]
pub enum PushedError {
    /// Standard input cannot be read.
    #[error("cannot read standard input: {0}")]
    Unreadable(#[from] io::Error),
    /// There is more than git would say.
    #[error("standard input holds more than {} MiB", LIMIT >> 20)]
    Large,
    /// A line is no ref.
    #[error("line {0} of standard input is not `<local ref> <local object> <remote ref> <remote object>`")]
    Line(usize),
}

/// New and old object of each ref, all zeros where there is none.
pub fn pushed(input: impl Read) -> Result<Vec<(Id, Id)>, PushedError> {
    let mut bytes = Vec::new();
    input.take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        return Err(PushedError::Large);
    }
    let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let lines = text.split(|byte| *byte == b'\n').enumerate();
    lines.map(|(at, line)| one(line).ok_or(PushedError::Line(at + 1))).collect()
}

/// Read from the end: the local ref is as the person wrote it, and `:/fix the door` holds spaces.
fn one(line: &[u8]) -> Option<(Id, Id)> {
    let mut words = line.rsplitn(4, |byte| *byte == b' ');
    let old = Id::from_hex(words.next()?)?;
    let remote = words.next().filter(|name| !name.is_empty())?;
    let new = Id::from_hex(words.next()?)?;
    let local = words.next().filter(|name| !name.is_empty())?;
    (!remote.contains(&0) && !local.contains(&0)).then_some((new, old))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_git_writes_them() {
        let (a, b, none) = ("a".repeat(40), "b".repeat(40), "0".repeat(40));
        for (text, expected) in [
            (String::new(), Some(vec![])),
            (format!("refs/heads/x {a} refs/heads/x {b}\n"), Some(vec![(&a, &b)])),
            (format!("refs/heads/x {a} refs/heads/x {none}"), Some(vec![(&a, &none)])),
            (format!("(delete) {none} refs/heads/x {b}\n"), Some(vec![(&none, &b)])),
            (format!(":/fix the door {a} refs/heads/x {b}\n"), Some(vec![(&a, &b)])),
            (format!("x {a} y {b}\nx {b} z {a}\n"), Some(vec![(&a, &b), (&b, &a)])),
            ("\n".to_owned(), Some(vec![])),
            (format!("x {a} y {b}\n\n"), None),
            (format!("x {a} y\n"), None),
            (format!("{a} y {b}\n"), None),
            (format!("x {a} y {b} \n"), None),
            (format!("x {} y {b}\n", &a[1..]), None),
            (format!("x {a} y {}g\n", &b[1..]), None),
            ("harden".to_owned(), None),
        ] {
            let found = pushed(text.as_bytes()).ok();
            let id = |hex: &String| Id::from_hex(hex.as_bytes()).expect("an id");
            let expected = expected.map(|list| list.into_iter().map(|(new, old)| (id(new), id(old))).collect());
            assert_eq!(found, expected, "{text:?}");
        }
        let error = pushed(format!("x {a} y {b}\nbad\n").as_bytes()).expect_err("bad");
        assert!(error.to_string().starts_with("line 2 of standard input"), "{error}");
    }
}
