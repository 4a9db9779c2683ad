//! Lines of ours between marks in a text file that belongs to somebody else.
//!
//! The first mark holds a digest of the lines, so that an edit by hand is noticed and not written over.

use crate::model::digest;

/// Digits of the digest in the mark.
const DIGITS: usize = 12;

/// The text with the lines between marks: in place of ours that are there, else at the end. Lines that stand in the
/// text anyway are left out where there are no marks yet.
pub(super) fn edit(text: &str, label: &str, lines: &[String]) -> Result<String, String> {
    let end_of_line = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let (first, last) = (format!("# >>> harden: {label}"), format!("# <<< harden: {label}"));
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    let begin = all.iter().position(|line| line.starts_with(&first));
    let Some(begin) = begin else {
        let missing: Vec<&String> =
            lines.iter().filter(|line| !all.iter().any(|known| known.trim_end() == *line)).collect();
        if missing.is_empty() {
            return Ok(text.to_owned());
        }
        let gap = if text.is_empty() || text.ends_with('\n') { "" } else { end_of_line };
        return Ok(format!("{text}{gap}{}", block(&first, &last, &missing, end_of_line)));
    };
    let inside = &all[begin + 1..];
    let length = inside.iter().position(|line| line.trim_end() == last);
    let length = length.ok_or_else(|| format!("the mark `{last}` is gone; put it back, or take `{first}` out"))?;
    let there: Vec<String> =
        inside[..length].iter().map(|line| line.trim_end_matches(['\r', '\n']).to_owned()).collect();
    if !all[begin].contains(&seal(&there)) {
        return Err(format!("the lines below `{first}` were edited by hand; move yours out from between the marks"));
    }
    // Lines that were wanted once stay: what they stood against may come back when they go.
    let mut both = there.clone();
    both.extend(lines.iter().filter(|line| !there.contains(line)).cloned());
    let (before, after) = (all[..begin].concat(), all[begin + 1 + length + 1..].concat());
    Ok(format!("{before}{}{after}", block(&first, &last, &both.iter().collect::<Vec<_>>(), end_of_line)))
}

fn block(first: &str, last: &str, lines: &[&String], end_of_line: &str) -> String {
    let seal = seal(&lines.iter().map(|line| (*line).clone()).collect::<Vec<_>>());
    let mut out = format!("{first} ({seal}){end_of_line}");
    lines.iter().for_each(|line| out += &format!("{line}{end_of_line}"));
    out + last + end_of_line
}

fn seal(lines: &[String]) -> String {
    digest(lines.join("\n").as_bytes()).chars().take(DIGITS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn lines_are_put_once_and_grow_in_place() {
        let once = edit("target\n", "state", &lines(&[".a/", ".b/"])).expect("edits");
        assert!(
            once.starts_with("target\n# >>> harden: state (")
                && once.ends_with(").a/\n.b/\n# <<< harden: state\n".trim_start_matches(')')),
            "{once}"
        );
        assert_eq!(edit(&once, "state", &lines(&[".a/"])).expect("edits"), once);
        let more = edit(&format!("{once}below\n"), "state", &lines(&[".c/"])).expect("edits");
        assert!(more.contains(".a/\n.b/\n.c/\n# <<< harden: state\nbelow\n"), "{more}");
    }

    #[test]
    fn what_stands_there_anyway_is_not_put_again() {
        assert_eq!(edit("a\n.b/\n", "state", &lines(&[".b/"])).expect("edits"), "a\n.b/\n");
    }

    #[test]
    fn the_style_of_line_ends_and_a_missing_last_one_are_respected() {
        let edited = edit("a\r\nb", "state", &lines(&["c"])).expect("edits");
        assert!(
            edited.starts_with("a\r\nb\r\n# >>>") && edited.ends_with("c\r\n# <<< harden: state\r\n"),
            "{edited:?}"
        );
    }

    #[test]
    fn an_edit_by_hand_is_not_written_over() {
        let once = edit("", "state", &lines(&["a"])).expect("edits");
        for edited in [once.replace("\na\n", "\nb\n"), once.replace("# <<< harden: state\n", "")] {
            assert!(edit(&edited, "state", &lines(&["c"])).is_err(), "{edited}");
        }
    }
}
