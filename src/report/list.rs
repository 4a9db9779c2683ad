//! Records as aligned columns.

use serde_json::Value;

use super::Look;
use super::console::{Sheet, Tone, line as console_line};

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
    let longest = cells.iter().filter_map(|row| row.last()).map(|text| text.chars().count()).max().unwrap_or(0);
    let room = usize::from(look.width).saturating_sub(taken);
    if room < (longest / 2).max(20).min(longest) {
        // Too narrow for a column of sentences: each goes below its line.
        let aligned = |first: &[&str]| -> String {
            let padded = |(cell, width): (&&str, &usize)| format!("{cell:width$}  ");
            first.iter().zip(&widths).map(padded).collect::<String>().trim_end().to_owned()
        };
        let line = |row: &Vec<&str>| {
            let (last, first) = row.split_last().map_or(("", &[][..]), |(last, first)| (*last, first));
            let fits = taken <= usize::from(look.width) + 2;
            let head = if fits { aligned(first) } else { first.join(" ") };
            console_line(look, 0, &head, Tone::Bold) + &console_line(look, 2, last, Tone::Plain)
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
