//! Sheets of cells for a terminal: the one module that knows comfy-table.

use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::Look;
use crate::model::Severity;

/// How a piece of text stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// As it is.
    Plain,
    /// A heading, a name.
    Bold,
    /// Of less weight.
    Dim,
    /// Good.
    Good,
    /// Bad, by severity.
    Bad(Severity),
    /// Not told, or soon to end.
    Doubt,
}

/// Rows of columns without lines; the last column takes the room that is left, and wraps.
pub(super) struct Sheet {
    table: Table,
    columns: Vec<ColumnConstraint>,
    indent: u16,
}

impl Sheet {
    /// `fixed` are the widths of all columns but the last.
    pub(super) fn new(look: Look, indent: u16, fixed: &[usize]) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(look.width.max(24));
        if look.colour {
            table.enforce_styling().style_text_only();
        } else {
            table.force_no_tty();
        }
        let total = look.width.max(24);
        let gap = 2;
        let taken: u16 = fixed.iter().map(|width| to_u16(*width) + gap).sum::<u16>() + indent;
        let mut columns: Vec<_> =
            fixed.iter().map(|width| ColumnConstraint::Absolute(Width::Fixed(to_u16(*width) + gap))).collect();
        columns.push(ColumnConstraint::UpperBoundary(Width::Fixed(total.saturating_sub(taken).max(8))));
        Self { table, columns, indent }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: &[(&str, Tone)]) {
        self.table.add_row(cells.iter().map(|(text, tone)| cell(text, *tone)));
    }

    /// The rows as text, a newline behind each.
    pub(super) fn text(mut self) -> String {
        if self.table.is_empty() {
            return String::new();
        }
        let last = self.columns.len() - 1;
        if let ColumnConstraint::Absolute(Width::Fixed(width)) = &mut self.columns[0] {
            *width += self.indent;
        }
        self.table.set_constraints(self.columns);
        for column in self.table.column_iter_mut() {
            let left = if column.index == 0 { self.indent } else { 0 };
            column.set_padding((left, if column.index == last { 0 } else { 2 }));
        }
        let mut text = String::new();
        for line in self.table.trim_fmt().lines() {
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

fn cell(text: &str, tone: Tone) -> Cell {
    let cell = Cell::new(text);
    match tone {
        Tone::Plain => cell,
        Tone::Bold => cell.add_attribute(Attribute::Bold),
        Tone::Dim => cell.add_attribute(Attribute::Dim),
        // The darker yellow and green: the bright ones cannot be read on white.
        Tone::Good => cell.fg(Color::DarkGreen),
        Tone::Doubt => cell.fg(Color::DarkYellow),
        Tone::Bad(severity) => match severity {
            Severity::Critical => cell.fg(Color::Red).add_attribute(Attribute::Bold),
            Severity::High => cell.fg(Color::Red),
            Severity::Medium => cell.fg(Color::DarkYellow),
            Severity::Low | Severity::Info => cell.fg(Color::Blue),
        },
    }
}

fn to_u16(width: usize) -> u16 {
    u16::try_from(width).unwrap_or(u16::MAX / 4)
}

/// A line of text over the whole width.
pub(super) fn line(look: Look, indent: u16, text: &str, tone: Tone) -> String {
    let mut sheet = Sheet::new(look, indent, &[]);
    sheet.row(&[(text, tone)]);
    sheet.text()
}

/// A heading with an empty line before it.
pub(super) fn heading(look: Look, text: &str) -> String {
    format!("\n{}", line(look, 0, text, Tone::Bold))
}
