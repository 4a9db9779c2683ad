use super::*;

fn added(old: &str, new: &str) -> String {
    let mut ranges = Vec::new();
    Lines::new().added(old.as_bytes(), new.as_bytes(), &mut ranges);
    ranges.into_iter().map(|range| format!("[{}]", &new[range])).collect()
}

#[test]
fn new_lines_are_found() {
    for (old, new, expected) in [
        ("", "", ""),
        ("", "a\nb", "[a\nb]"),
        ("a\nb\n", "", ""),
        ("a\nb\n", "a\nb\n", ""),
        ("a\nb\n", "a\nx\nb\n", "[x\n]"),
        ("a\nb\n", "a\nb\nb\n", "[b\n]"),
        ("a\nb", "a\nb\n", "[b\n]"),
        ("a\nb\n", "a\nb", "[b]"),
        ("ab\n", "b\n", "[b\n]"),
        ("b\n", "ab\n", "[ab\n]"),
        ("a\r\nb\n", "a\nb\n", "[a\n]"),
        ("a\nb\nlong\nd\ne\n", "a\nX\nlong\nY\ne\n", "[X\n][Y\n]"),
        ("a\nb\n}\n\nd\ne\n", "a\nX\n}\n\nY\ne\n", "[X\n}\n\nY\n]"),
        ("1\n2\n3\n4\n5\n6\n", "4\n5\n6\n1\n2\n", "[1\n2\n]"),
        ("x\nlong\ny\n", "z\nlong\nw\nlong\nv\n", "[z\n][w\nlong\nv\n]"),
        ("\n\n\n", "\n\n\n\n", "[\n]"),
    ] {
        assert_eq!(added(old, new), expected, "{old:?} to {new:?}");
    }
}

/// Lines of `new` less the longest common subsequence, the slow way.
fn least(old: &[&str], new: &[&str]) -> usize {
    let mut row = vec![0_usize; new.len() + 1];
    for line in old {
        let mut diagonal = 0;
        for (at, other) in new.iter().enumerate() {
            let above = row[at + 1];
            row[at + 1] = if line == other { diagonal + 1 } else { above.max(row[at]) };
            diagonal = above;
        }
    }
    new.len() - row[new.len()]
}

#[test]
fn scripts_are_shortest_and_true() {
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let words = ["line a\n", "line b\n", "line c\n", "line d\n", "line e\n", "line f\n", "line g\n", "line h\n"];
    let mut lines = Lines::new();
    for round in 0..20_000 {
        let kinds = 1 + round % words.len();
        let mut text = || -> Vec<&str> { (0..random(24)).map(|_| words[random(kinds)]).collect() };
        let (old, new) = (text(), text());
        let (before, after) = (old.concat(), new.concat());
        let mut ranges = Vec::new();
        lines.added(before.as_bytes(), after.as_bytes(), &mut ranges);
        let count: usize = ranges.iter().map(|range| after[range.clone()].lines().count()).sum();
        assert_eq!(count, least(&old, &new), "{old:?} to {new:?}");
        // What is not new must be in the old text, in order.
        let mut rest = before.split_inclusive('\n');
        let mut at = 0;
        for line in after.split_inclusive('\n') {
            if !ranges.iter().any(|range| range.contains(&at)) {
                assert!(rest.any(|old| old == line), "{old:?} to {new:?}");
            }
            at += line.len();
        }
    }
}

#[test]
fn long_scripts_are_cut_and_stay_true() {
    let lines =
        |step: usize, count: usize| -> String { (0..count).map(|at| format!("{}\n", at * step % 997)).collect() };
    let (old, new) = (lines(7, 20_000), lines(11, 20_000));
    let mut ranges = Vec::new();
    Lines::new().added(old.as_bytes(), new.as_bytes(), &mut ranges);
    let mut rest = old.split_inclusive('\n');
    let (mut at, mut ranges) = (0, ranges.into_iter().peekable());
    for line in new.split_inclusive('\n') {
        while ranges.peek().is_some_and(|range| range.end <= at) {
            ranges.next();
        }
        if !ranges.peek().is_some_and(|range| range.contains(&at)) {
            assert!(rest.any(|old| old == line));
        }
        at += line.len();
    }
}

#[test]
fn few_changes_in_a_long_text_are_found_one_by_one() {
    let line = |at: usize| format!("line {at} of a long text, {}\n", at * 7919 % 1009);
    let old: String = (0..6000).map(line).collect();
    let mut expected = Vec::new();
    let mut new = String::new();
    for at in 0..6000 {
        match at % 500 {
            3 => {}
            9 => {
                let fresh = format!("changed {at}\nand more\n");
                expected.push(fresh.clone());
                new += &fresh;
            }
            // Too much to be found close by.
            11 if at > 5000 => {
                let fresh: String = (0..300).map(|more| format!("much more {at} {more}\n")).collect();
                expected.push(fresh.clone());
                new += &(fresh + &line(at));
            }
            _ => new += &line(at),
        }
    }
    let mut ranges = Vec::new();
    Lines::new().added(old.as_bytes(), new.as_bytes(), &mut ranges);
    let found: Vec<&str> = ranges.into_iter().map(|range| &new[range]).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_line_of_a_merge_is_new_if_no_parent_has_it() {
    let mut ranges = Vec::new();
    let olds = [&b"a\nb\nc\n"[..], b"a\nx\nc\n"];
    let new = b"a\nb\nevil\nx\nc\n";
    Lines::new().added_to_all(olds, new, &mut ranges);
    assert_eq!((ranges.len(), &ranges[0]), (1, &(4..9)));
    assert_eq!(both(&[0..4, 6..9], &[2..7, 8..20]), [2..4, 6..7, 8..9]);
}
