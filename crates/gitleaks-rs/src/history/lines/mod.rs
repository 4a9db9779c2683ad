//! Which lines of a text are new, compared with an older one.
//!
//! Most changes touch a few lines, so what both texts begin and end with is cut off first, at the speed of memory.
//! Lines of what is left that the older text does not hold are new without further ado, and only the order of the
//! others is left to an edit script: a shortest one, unless it is so long that a good one must do. Git's default
//! differs where several scripts are as short, or gives up earlier; both are true.

mod near;
mod script;
mod table;

use std::ops::Range;

use self::near::Near;
use self::script::Script;
use self::table::{Table, UNKNOWN};

/// The most lines that are compared; of texts with more all lines count as new between the first and last difference.
const MOST: usize = 1_000_000;

/// Texts shorter than this are compared as a whole: it costs little, and tells moved lines more like git does.
const SHORT: usize = 64 << 10;
/// The most kept lines between new ones that count as new, and how many characters they may hold.
const BRIDGE: usize = 3;
const SLIGHT: usize = 3;

/// Compares texts, and keeps its memory between them.
pub(super) struct Lines {
    near: Near,
    table: Table,
    script: Script,
    before: Vec<u32>,
    after: Vec<u32>,
    /// Where the lines in `after` are in the new text.
    places: Vec<u32>,
    /// For each line of the new text its end, and whether it is new.
    rows: Vec<(u32, bool)>,
    spare: Vec<Range<usize>>,
}

impl Lines {
    pub(super) fn new() -> Lines {
        Lines {
            near: Near::default(),
            table: Table::new(),
            script: Script::default(),
            before: Vec::new(),
            after: Vec::new(),
            places: Vec::new(),
            rows: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Puts the new lines of `new` into `added`: whole lines, in order, the longest ranges there can be.
    pub(super) fn added(&mut self, old: &[u8], new: &[u8], added: &mut Vec<Range<usize>>) {
        added.clear();
        let same = common_start(old, new);
        let end = common_end(&old[same..], &new[same..]);
        let (old, new) = (&old[..old.len() - end], &new[..new.len() - end]);
        let (mut from, mut start) = (same, same);
        loop {
            let same = common_start(&old[from..], &new[start..]);
            (from, start) = (from + same, start + same);
            let (rest, fresh) = (&old[from..], &new[start..]);
            if rest.is_empty() || fresh.is_empty() {
                return push(added, start..new.len());
            }
            if rest.len().min(fresh.len()) < SHORT {
                return self.compare(rest, fresh, start, added);
            }
            match self.near.next(self.table.seed, rest, fresh) {
                Some((gone, come)) => {
                    self.compare(&rest[..gone], &fresh[..come], start, added);
                    (from, start) = (from + gone, start + come);
                }
                None => return self.compare(rest, fresh, start, added),
            }
        }
    }

    /// Adds the new lines of a part of a text that begins at `start`.
    fn compare(&mut self, old: &[u8], new: &[u8], start: usize, added: &mut Vec<Range<usize>>) {
        if old.is_empty() || new.is_empty() || !self.tokens(old, new) {
            return push(added, start..start + new.len());
        }
        let (script, rows, places) = (&mut self.script, &mut self.rows, &self.places);
        script.run(&self.before, &self.after, &mut |line| {
            if let Some(row) = places.get(line).and_then(|place| rows.get_mut(*place as usize)) {
                row.1 = true;
            }
        });
        collect(new, start, rows, added);
    }

    /// Lines that are new compared with each of several texts.
    pub(super) fn added_to_all<'a>(
        &mut self,
        olds: impl IntoIterator<Item = &'a [u8]>,
        new: &[u8],
        added: &mut Vec<Range<usize>>,
    ) {
        added.clear();
        if !new.is_empty() {
            added.push(0..new.len());
        }
        let mut these = std::mem::take(&mut self.spare);
        for old in olds {
            if added.is_empty() {
                break;
            }
            self.added(old, new, &mut these);
            *added = both(added, &these);
        }
        self.spare = these;
    }

    /// Numbers the lines; says whether there were not too many.
    fn tokens(&mut self, old: &[u8], new: &[u8]) -> bool {
        [&mut self.before, &mut self.after, &mut self.places].into_iter().for_each(Vec::clear);
        self.rows.clear();
        if !self.table.fill(old, MOST, &mut self.before) {
            return false;
        }
        let mut at = 0;
        while at < new.len() {
            let end = line_end(new, at);
            let token = self.table.find(old, &new[at..end]);
            if token != UNKNOWN {
                self.places.push(self.rows.len() as u32);
                self.after.push(token);
            }
            self.rows.push((end as u32, token == UNKNOWN));
            at = end;
        }
        let table = &self.table;
        self.before.retain(|token| table.was_found(*token));
        self.rows.len() <= MOST
    }
}

/// Puts ranges of new lines together. A line or two that hold next to nothing, kept between new ones, count as new
/// too: git's default mostly sees it so, and what belongs together stays together.
fn collect(text: &[u8], start: usize, rows: &[(u32, bool)], added: &mut Vec<Range<usize>>) {
    let (mut at, mut kept) = (0, BRIDGE + 1);
    for &(end, new) in rows {
        let end = end as usize;
        if new {
            match added.last_mut() {
                Some(last) if kept <= BRIDGE => last.end = start + end,
                _ => push(added, start + at..start + end),
            }
            kept = 0;
        } else {
            let slight = end - at <= SLIGHT || text[at..end].trim_ascii().len() <= SLIGHT;
            kept = if slight { kept + 1 } else { BRIDGE + 1 };
        }
        at = end;
    }
}

/// Adds a range behind the others, as a part of the last one if they touch.
fn push(added: &mut Vec<Range<usize>>, range: Range<usize>) {
    match added.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ if range.start < range.end => added.push(range),
        _ => {}
    }
}

/// The end of the line that begins at `at`, its line feed included.
fn line_end(text: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |length| at + length + 1)
}

/// How many bytes of whole lines both begin with.
fn common_start(one: &[u8], other: &[u8]) -> usize {
    const STEP: usize = 256;
    let length = one.len().min(other.len());
    let mut same = 0;
    while same + STEP <= length && one[same..same + STEP] == other[same..same + STEP] {
        same += STEP;
    }
    while same < length && one[same] == other[same] {
        same += 1;
    }
    if same == one.len() && same == other.len() {
        return same;
    }
    memchr::memrchr(b'\n', &one[..same]).map_or(0, |at| at + 1)
}

/// How many bytes of whole lines both end with. Both begin at the start of a line.
fn common_end(one: &[u8], other: &[u8]) -> usize {
    const STEP: usize = 256;
    let length = one.len().min(other.len());
    let tails = |same: usize, step: usize| {
        one[one.len() - same - step..one.len() - same] == other[other.len() - same - step..other.len() - same]
    };
    let mut same = 0;
    while same + STEP <= length && tails(same, STEP) {
        same += STEP;
    }
    while same < length && tails(same, 1) {
        same += 1;
    }
    let starts_line = |text: &[u8]| text.len() == same || text[text.len() - same - 1] == b'\n';
    if starts_line(one) && starts_line(other) {
        return same;
    }
    let tail = &one[one.len() - same..];
    memchr::memchr(b'\n', tail).map_or(0, |at| same - at - 1)
}

/// What is in both of two lists of ranges.
fn both(one: &[Range<usize>], other: &[Range<usize>]) -> Vec<Range<usize>> {
    let (mut found, mut others) = (Vec::new(), other.iter().peekable());
    for range in one {
        while let Some(next) = others.peek() {
            let (start, end) = (range.start.max(next.start), range.end.min(next.end));
            if start < end {
                found.push(start..end);
            }
            if next.end > range.end {
                break;
            }
            others.next();
        }
    }
    found
}

#[cfg(test)]
mod tests;
