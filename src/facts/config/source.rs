//! The texts that a configuration was read from, and places in them.

use std::sync::Arc;

use crate::model::{AbsPath, Location};

/// A place in one of the [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// Number of the source; [`Span::NOWHERE`] has none.
    pub source: u32,
    /// First byte.
    pub start: u32,
    /// Byte behind the last.
    pub end: u32,
}

impl Span {
    /// For values that no file holds.
    pub const NOWHERE: Self = Self { source: u32::MAX, start: 0, end: 0 };
}

/// A text that nodes point into.
#[derive(Clone, Debug)]
pub struct Source {
    /// How it is shown: a path relative to the project, an absolute one, or `$NAME` for a variable.
    pub shown: String,
    /// The file; none for a variable.
    pub path: Option<AbsPath>,
    /// Its number among the layers.
    pub layer: usize,
    text: Arc<str>,
    lines: Arc<[u32]>,
}

/// All texts that a tree came from.
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// Adds a text and returns its number.
    pub fn add(&mut self, shown: String, path: Option<AbsPath>, layer: usize, text: &str) -> u32 {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(breaks.map(|(at, _)| as_u32(at + 1))).collect();
        self.0.push(Source { shown, path, layer, text: text.into(), lines });
        as_u32(self.0.len() - 1)
    }

    /// The source that a place lies in.
    pub fn of(&self, at: Span) -> Option<&Source> {
        self.0.get(at.source as usize)
    }

    /// File, line and column. None for what no file holds.
    pub fn location(&self, at: Span) -> Option<Location> {
        let source = self.of(at)?;
        source.path.as_ref()?;
        let (line, column, text) = source.place(at.start);
        let (end_line, end_column, _) = source.place(at.end.max(at.start + 1));
        let shown = Location::line(source.shown.clone(), line, text);
        Some(Location {
            column,
            end_line,
            end_column: end_column.max(if line == end_line { column + 1 } else { 1 }),
            ..shown
        })
    }

    /// The location, or the name of the variable.
    pub fn origin(&self, at: Span) -> Option<String> {
        let source = self.of(at)?;
        Some(self.location(at).map_or_else(|| source.shown.clone(), |at| at.to_string()))
    }
}

impl Source {
    /// The text itself. It may hold secrets.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn place(&self, byte: u32) -> (u32, u32, &str) {
        let line = self.lines.partition_point(|start| *start <= byte).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or(0) as usize;
        let rest = self.text.get(start..).unwrap_or("");
        let text = rest.lines().next().unwrap_or("");
        let before = self.text.get(start..byte as usize).unwrap_or("");
        let column = before.trim_start_matches('\u{feff}').chars().count();
        (as_u32(line), as_u32(column).saturating_add(1), text)
    }
}

pub(super) fn as_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
