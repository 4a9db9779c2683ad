//! Where two texts that differ go on alike a few lines further down. Most changes are of this kind, and finding them
//! so costs nothing that grows with the size of the file.

use super::line_end;
use super::table::hash;

/// How many lines, and bytes of lines, are looked at on either side.
const LINES: usize = 48;
const BYTES: usize = 4 << 10;
/// How long the texts must then be the same, unless they end: less may be chance. Each such step also costs at most
/// so many looks for so many bytes.
const SAME: usize = 512;

/// Where the next lines are, and their hashes; kept so that no memory is asked for each time.
#[derive(Default)]
pub(super) struct Near {
    old: Vec<(usize, u64)>,
    new: Vec<(usize, u64)>,
}

impl Near {
    /// How much of either text differs before both go on alike; nothing if they do not do so soon.
    pub(super) fn next(&mut self, seed: u64, old: &[u8], new: &[u8]) -> Option<(usize, usize)> {
        list(seed, old, &mut self.old);
        list(seed, new, &mut self.new);
        let (olds, news) = (&self.old, &self.new);
        for sum in 1..olds.len() + news.len() {
            let first = (sum + 1).saturating_sub(news.len());
            for at in first..olds.len().min(sum + 1) {
                let (one, other) = (olds[at], news[sum - at]);
                if one.1 == other.1 && go_on_alike(&old[one.0..], &new[other.0..]) {
                    return Some((one.0, other.0));
                }
            }
        }
        None
    }
}

fn list(seed: u64, text: &[u8], lines: &mut Vec<(usize, u64)>) {
    lines.clear();
    let mut at = 0;
    while at < text.len().min(BYTES) && lines.len() < LINES {
        let end = line_end(text, at);
        // The hash of the start of a long line will do: what follows is compared.
        lines.push((at, hash(seed, &text[at..end.min(at + BYTES)])));
        at = end;
    }
}

fn go_on_alike(old: &[u8], new: &[u8]) -> bool {
    match (old.get(..SAME), new.get(..SAME)) {
        (Some(old), Some(new)) => old == new,
        _ => old == new,
    }
}
