//! The place of a finding in words: table, row and column, or what else stands there.

use std::fmt;

/// A longer name is cut.
const LONGEST: usize = 64;

/// Where something stands in a database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The frame of the write-ahead log, counted from 1; None for the database itself.
    pub frame: Option<u32>,
    /// The page, counted from 1; 0 if it is on none.
    pub page: u32,
    /// Whether it is what a reader sees now, and not an older state of the page.
    pub present: bool,
    /// What stands there.
    pub part: Part,
}

/// What stands at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The header of the database or of its log.
    Header,
    /// A row, or an entry of an index.
    Row(Row),
    /// Room of a table or index that no row takes: what stands there was deleted.
    Deleted(Option<Owner>),
    /// A page that nothing uses any more.
    Free,
    /// A page that maps others to their parents.
    PointerMap,
    /// A page of which no more is known.
    Unknown,
}

/// A row, as far as it can be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The table or index.
    pub owner: Option<Owner>,
    /// The row's number; tables without one have a key instead.
    pub rowid: Option<i64>,
    /// The column.
    pub column: Option<String>,
}

/// A table or an index. Names are printable and bounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its name.
    pub name: String,
    /// The table, if this is an index.
    pub index_of: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let Self { page, .. } = self;
        match (self.frame, &self.part) {
            (None, Part::Header) => return write!(out, "database header"),
            (Some(frame), Part::Unknown) => return write!(out, "write-ahead log, frame {frame}, page {page}"),
            (Some(0), _) => return write!(out, "header of the write-ahead log"),
            (Some(frame), _) => write!(out, "write-ahead log, frame {frame}, page {page}: ")?,
            (None, _) => {}
        }
        match &self.part {
            Part::Header => write!(out, "database header"),
            Part::Row(row) => write!(out, "{row}"),
            Part::Deleted(Some(owner)) => write!(out, "{owner}, deleted, page {page}"),
            Part::Deleted(None) => write!(out, "deleted, page {page}"),
            Part::Free => write!(out, "free page {page}"),
            Part::PointerMap => write!(out, "pointer map, page {page}"),
            Part::Unknown => write!(out, "page {page}"),
        }?;
        match (self.present, self.frame) {
            (false, None) => write!(out, " (as it was before the write-ahead log)"),
            (false, Some(_)) => write!(out, " (not its present state)"),
            (true, _) => Ok(()),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match &self.owner {
            Some(owner) => write!(out, "{owner}")?,
            None => write!(out, "table unknown")?,
        }
        if let Some(rowid) = self.rowid {
            write!(out, ", row {rowid}")?;
        }
        match &self.column {
            Some(column) => write!(out, ", column \"{column}\""),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match &self.index_of {
            Some(table) => write!(out, "index \"{}\" of table \"{table}\"", self.name),
            None => write!(out, "table \"{}\"", self.name),
        }
    }
}

/// A name from a database as it can be shown: whoever made it may have wanted to steer a terminal, or to turn the
/// direction of writing.
pub(super) fn shown(name: &str) -> String {
    let mut letters = name.chars().filter(|letter| !steers(*letter));
    let mut shown: String = letters.by_ref().take(LONGEST).collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    shown
}

fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_without_what_steers() {
        assert_eq!(shown("a\u{1b}[31mb\nc\u{202e}d\0"), "a[31mbcd");
        assert_eq!(shown(&"ä".repeat(65)), format!("{}…", "ä".repeat(64)));
        assert_eq!(shown(&"x".repeat(64)), "x".repeat(64));
    }

    #[test]
    fn a_place_reads_as_a_sentence_does() {
        let owner = Owner { name: "message".into(), index_of: None };
        let index = Owner { name: "by_id".into(), index_of: Some("message".into()) };
        let row =
            |owner, column: Option<&str>| Part::Row(Row { owner, rowid: Some(17), column: column.map(str::to_owned) });
        for (frame, present, part, said) in [
            (None, true, row(Some(owner.clone()), Some("data")), r#"table "message", row 17, column "data""#),
            (None, true, row(Some(index), None), r#"index "by_id" of table "message", row 17"#),
            (None, true, row(None, None), "table unknown, row 17"),
            (None, true, Part::Deleted(Some(owner.clone())), r#"table "message", deleted, page 5"#),
            (None, true, Part::Free, "free page 5"),
            (None, true, Part::Unknown, "page 5"),
            (None, true, Part::Header, "database header"),
            (Some(3), true, Part::Unknown, "write-ahead log, frame 3, page 5"),
            (
                Some(3),
                false,
                row(Some(owner.clone()), None),
                r#"write-ahead log, frame 3, page 5: table "message", row 17 (not its present state)"#,
            ),
            (None, false, row(Some(owner), None), r#"table "message", row 17 (as it was before the write-ahead log)"#),
            (Some(0), true, Part::Header, "header of the write-ahead log"),
        ] {
            assert_eq!(Place { frame, page: 5, present, part }.to_string(), said);
        }
    }
}
