//! Records as aligned columns.

use serde_json::Value;

use super::Look;
use super::console::{Sheet, Tone};

/// One line for each record, its last field being a sentence that wraps.
pub fn list(rows: &[Value], look: Look) -> String {
    let cells: Vec<Vec<&str>> = rows
        .iter()
        .filter_map(Value::as_object)
        .map(|record| record.values().map(|value| value.as_str().unwrap_or_default()).collect())
        .collect();
    let columns = cells.first().map_or(0, Vec::len);
    let widest = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.saturating_sub(1)).map(widest).collect();
    let taken: usize = widths.iter().map(|width| width + 2).sum();
    if taken + 20 > usize::from(look.width) {
        // Too narrow for columns: the sentence goes below.
        let line = |row: &Vec<&str>| {
            let (last, first) = row.split_last().map_or(("", &[][..]), |(last, first)| (*last, first));
            let mut sheet = Sheet::new(look, 0, &[]);
            sheet.row(&[(&first.join(" "), Tone::Bold)]);
            sheet.row(&[(last, Tone::Plain)]);
            sheet.text()
        };
        return cells.iter().map(line).collect();
    }
    let mut sheet = Sheet::new(look, 0, &widths);
    for row in &cells {
        let row: Vec<(&str, Tone)> = row.iter().map(|cell| (*cell, Tone::Plain)).collect();
        sheet.row(&row);
    }
    sheet.text()
}
