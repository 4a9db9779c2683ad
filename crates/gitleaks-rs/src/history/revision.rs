//! The commit that a person names.

use super::commits::{peeled, report};
use super::objects::{Damage, Kind, Object, Reader};
use super::{Id, OpenError, Repository, refs};

/// The most steps that `~` takes.
const STEPS: usize = 10_000_000;

impl Repository {
    /// The commit of `main`, `v1.0`, `HEAD~3`, `refs/heads/x^2`, a name or the start of one.
    pub(super) fn revision(&self, reader: &mut Reader<'_>, name: &str) -> Result<Object, OpenError> {
        let unknown = || OpenError::Revision { name: name.to_owned() };
        let cut = name.find(['~', '^']).unwrap_or(name.len());
        let (base, mut steps) = name.split_at(cut);
        let mut commit =
            self.named(base).and_then(|object| peeled(reader, object, &self.problems)).ok_or_else(unknown)?;
        while let Some(kind) = steps.chars().next() {
            let rest = &steps[1..];
            let digits = rest.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(rest.len());
            let count = if digits == 0 { 1 } else { rest[..digits].parse().map_err(|_| unknown())? };
            steps = &rest[digits..];
            if count > STEPS || !matches!(kind, '~' | '^') {
                return Err(unknown());
            }
            let (times, parent) = if kind == '~' { (count, 1) } else { (usize::from(count > 0), count) };
            for _ in 0..times {
                commit = self.parent(reader, commit, parent).ok_or_else(unknown)?;
            }
        }
        Ok(commit)
    }

    fn named(&self, name: &str) -> Option<Object> {
        let name = if name == "@" { "HEAD" } else { name };
        if let Some(id) = Id::from_hex(name.as_bytes()) {
            return self.store.find_present(id.as_bytes());
        }
        let forms = ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"];
        let found = forms.iter().find_map(|form| refs::named(&self.place, &format!("{form}{name}")).ok()?);
        let found = found.or_else(|| refs::named(&self.place, &format!("refs/remotes/{name}/HEAD")).ok()?);
        match found {
            Some(id) => self.store.find_present(id.as_bytes()),
            None => self.store.abbreviated(name.as_bytes()),
        }
    }

    fn parent(&self, reader: &mut Reader<'_>, commit: Object, which: usize) -> Option<Object> {
        let data = match reader.read_kind(commit, Kind::Commit) {
            Ok(data) => data,
            Err(damage) => {
                report(&self.store, commit, damage, &self.problems);
                return None;
            }
        };
        let head = data.bytes.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
        let mut parents = head.filter_map(|line| Id::from_hex(line.strip_prefix(b"parent ")?));
        let id = parents.nth(which.checked_sub(1)?)?;
        let parent = self.store.find_present(id.as_bytes());
        if parent.is_none() {
            report(&self.store, self.store.find(id.as_bytes()), Damage::Missing, &self.problems);
        }
        parent
    }
}
