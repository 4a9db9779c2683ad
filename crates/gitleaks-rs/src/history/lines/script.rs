//! A short edit script: which items of one sequence are not kept from another. Myers' search from both ends in
//! linear memory ("An O(ND) Difference Algorithm and Its Variations"), without recursion.

use std::ops::Range;

/// How many edits are tried before a box is cut where the search has come farthest. It bounds the work to a constant
/// for each item.
const EDITS: usize = 256;

/// Memory of the search.
#[derive(Default)]
pub(super) struct Script {
    forward: Vec<i32>,
    backward: Vec<i32>,
    boxes: Vec<(Range<usize>, Range<usize>)>,
}

impl Script {
    /// Calls `new` with the place of each item of `after` that is not kept from `before`.
    pub(super) fn run(&mut self, before: &[u32], after: &[u32], new: &mut dyn FnMut(usize)) {
        self.boxes.clear();
        self.boxes.push((0..before.len(), 0..after.len()));
        while let Some((mut old, mut now)) = self.boxes.pop() {
            trim(before, after, &mut old, &mut now);
            if now.is_empty() {
                continue;
            }
            if old.is_empty() {
                now.for_each(&mut *new);
                continue;
            }
            let (a, b) = (&before[old.clone()], &after[now.clone()]);
            let split = self.split(a, b).filter(|split| {
                let corner = *split == (0, 0) || *split == (a.len(), b.len());
                split.0 <= a.len() && split.1 <= b.len() && !corner
            });
            match split {
                Some((x, y)) => {
                    self.boxes.push((old.start + x..old.end, now.start + y..now.end));
                    self.boxes.push((old.start..old.start + x, now.start..now.start + y));
                }
                // Nothing better is known than that all may be new.
                None => now.for_each(&mut *new),
            }
        }
    }

    /// A point on a short path from the start to the end of both.
    fn split(&mut self, a: &[u32], b: &[u32]) -> Option<(usize, usize)> {
        let (n, m) = (a.len() as i32, b.len() as i32);
        let size = a.len() + b.len() + 3;
        for line in [&mut self.forward, &mut self.backward] {
            if line.len() < size {
                line.resize(size, 0);
            }
        }
        let (forward, backward) = (&mut self.forward, &mut self.backward);
        // Diagonals are numbered x - y, from -m to n, with one more at either end.
        let at = |diagonal: i32| (diagonal + m + 1) as usize;
        let odd = (n - m) & 1 != 0;
        let (mut low, mut high) = (0, 0);
        let (mut back_low, mut back_high) = (n - m, n - m);
        forward[at(0)] = 0;
        backward[at(n - m)] = n;
        for _ in 0..EDITS {
            widen(&mut low, &mut high, -m, n, |diagonal| forward[at(diagonal)] = -1);
            for diagonal in (low..=high).rev().step_by(2) {
                let (left, right) = (forward[at(diagonal - 1)], forward[at(diagonal + 1)]);
                let mut x = if left >= right { left + 1 } else { right };
                x += run(a, b, x, x - diagonal);
                forward[at(diagonal)] = x;
                if odd && (back_low..=back_high).contains(&diagonal) && backward[at(diagonal)] <= x {
                    return point(x, diagonal);
                }
            }
            widen(&mut back_low, &mut back_high, -m, n, |diagonal| backward[at(diagonal)] = i32::MAX);
            for diagonal in (back_low..=back_high).rev().step_by(2) {
                let (left, right) = (backward[at(diagonal - 1)], backward[at(diagonal + 1)]);
                let mut x = if left < right { left } else { right - 1 };
                x -= run_back(a, b, x, x - diagonal);
                backward[at(diagonal)] = x;
                if !odd && (low..=high).contains(&diagonal) && x <= forward[at(diagonal)] {
                    return point(x, diagonal);
                }
            }
        }
        let reached = (low..=high).step_by(2).map(|diagonal| {
            let x = forward[at(diagonal)].min(n).min(m + diagonal);
            (2 * x - diagonal, x, diagonal)
        });
        reached.max().and_then(|(_, x, diagonal)| point(x, diagonal))
    }
}

/// Adds a diagonal at either end, or takes one away where there are no more.
fn widen(low: &mut i32, high: &mut i32, first: i32, last: i32, mut bar: impl FnMut(i32)) {
    if *low > first {
        *low -= 1;
        bar(*low - 1);
    } else {
        *low += 1;
    }
    if *high < last {
        *high += 1;
        bar(*high + 1);
    } else {
        *high -= 1;
    }
}

fn point(x: i32, diagonal: i32) -> Option<(usize, usize)> {
    Some((usize::try_from(x).ok()?, usize::try_from(x - diagonal).ok()?))
}

/// How many items are the same from here on.
fn run(a: &[u32], b: &[u32], x: i32, y: i32) -> i32 {
    let (Some(a), Some(b)) = (a.get(x as usize..), b.get(y as usize..)) else { return 0 };
    a.iter().zip(b).take_while(|(a, b)| a == b).count() as i32
}

/// How many items are the same before here.
fn run_back(a: &[u32], b: &[u32], x: i32, y: i32) -> i32 {
    let (Some(a), Some(b)) = (a.get(..x as usize), b.get(..y as usize)) else { return 0 };
    a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count() as i32
}

/// Takes off what both begin and end with.
fn trim(before: &[u32], after: &[u32], old: &mut Range<usize>, now: &mut Range<usize>) {
    let (a, b) = (&before[old.clone()], &after[now.clone()]);
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[start..], &b[start..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    *old = old.start + start..old.end - end;
    *now = now.start + start..now.end - end;
}
