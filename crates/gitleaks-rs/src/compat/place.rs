//! Lines and columns, with all that is odd about them in Gitleaks.

use std::ops::Range;

/// Where a match is. Lines count from 0 here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) start_line: usize,
    pub(super) end_line: usize,
    pub(super) start_column: usize,
    pub(super) end_column: usize,
    /// The bytes that count as its line: from the newline before it, that newline included.
    pub(super) line: Range<usize>,
}

/// Where bytes of a text are, by the places of its newlines.
///
/// Columns are measured from the newline before, so the first byte is in column 1 on the first line and in column 2 on
/// all others. A match behind the last newline is treated apart: its `line` starts at the start of the text.
pub(super) fn place(newlines: &[usize], text: &[u8], found: Range<usize>) -> Place {
    let only = [text.len()];
    let newlines = if newlines.is_empty() { &only } else { newlines };
    let before = |index: usize| if index == 0 { 0 } else { newlines[index - 1] };
    let (start, end) = (found.start, found.end);
    let mut place = Place { start_line: 0, end_line: 0, start_column: 0, end_column: 0, line: 0..0 };
    // Line i reaches from one newline to the next: [before, newline) for a start, (before, newline] for an end.
    let start_in = newlines.partition_point(|newline| *newline <= start);
    let end_in = Some(newlines.partition_point(|newline| *newline < end))
        .filter(|index| *index < newlines.len() && before(*index) < end);
    if start_in == newlines.len() {
        let last = before(start_in);
        place.start_column = start - last + 1;
        place.end_column = end.saturating_sub(last);
        (place.start_line, place.end_line) = (start_in, start_in);
        let rest = text.get(end..).unwrap_or_default();
        let length = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
        place.line = 0..end + length;
        return place;
    }
    place.start_column = start - before(start_in) + 1;
    place.start_line = start_in;
    place.end_line = start_in;
    place.line = before(start_in)..newlines[start_in];
    if let Some(index) = end_in {
        place.end_column = end - before(index);
        // An empty match at a newline ends before it starts, and there the start has the last word.
        if index >= start_in {
            place.end_line = index;
            place.line.end = newlines[index];
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Line by line, as the places are defined.
    fn slowly(newlines: &[usize], text: &[u8], found: Range<usize>) -> Place {
        let only = [text.len()];
        let newlines = if newlines.is_empty() { &only } else { newlines };
        let (mut place, mut set, mut before) =
            (Place { start_line: 0, end_line: 0, start_column: 0, end_column: 0, line: 0..0 }, false, 0);
        for (index, newline) in newlines.iter().copied().enumerate() {
            if before <= found.start && found.start < newline {
                set = true;
                (place.start_line, place.end_line) = (index, index);
                place.start_column = found.start - before + 1;
                place.line = before..newline;
            }
            if before < found.end && found.end <= newline {
                place.end_line = index;
                place.end_column = found.end - before;
                place.line.end = newline;
            }
            before = newline;
        }
        if !set {
            place.start_column = found.start - before + 1;
            place.end_column = found.end - before;
            (place.start_line, place.end_line) = (newlines.len(), newlines.len());
            let end = (found.end..text.len()).find(|at| matches!(text[*at], b'\n' | b'\r')).unwrap_or(text.len());
            place.line = 0..end;
        }
        place
    }

    #[test]
    fn places_are_what_a_walk_over_all_lines_gives() {
        for text in ["", "a", "\n", "abc", "a\nb", "\n\nab\n", "ab\ncd\nef", "a\r\nb\rc", "\n\n\n", "ab\n\ncd\n"] {
            let newlines: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
            for start in 0..=text.len() {
                for end in start..=text.len() {
                    let (fast, slow) =
                        (place(&newlines, text.as_bytes(), start..end), slowly(&newlines, text.as_bytes(), start..end));
                    assert_eq!(fast, slow, "{text:?} {start}..{end}");
                }
            }
        }
    }
}
