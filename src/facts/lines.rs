//! Lines of configuration that go on behind a backslash, as sudoers, doas and systemd join them.

/// The lines of a text, each with the number of its first one, from 1. A comment never goes on: what stands below it
/// counts.
pub(super) fn joined(text: &str) -> Vec<(u32, String)> {
    let mut lines: Vec<(u32, String)> = Vec::new();
    let mut goes_on = false;
    for (number, raw) in (1..).zip(text.lines()) {
        let is_comment = raw.trim_start().starts_with('#');
        let part = raw.strip_suffix('\\').filter(|_| !is_comment);
        let ends = part.is_none();
        let part = part.unwrap_or(raw);
        match lines.last_mut().filter(|_| goes_on) {
            Some((_, line)) => {
                line.push(' ');
                line.push_str(part);
            }
            None => lines.push((number, part.to_owned())),
        }
        goes_on = !ends;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn lines_go_on_behind_a_backslash_and_comments_do_not() {
        for (text, lines) in [
            ("a\nb", vec![(1, "a"), (2, "b")]),
            ("a \\\n  b\\\nc\nd", vec![(1, "a    b c"), (4, "d")]),
            ("# a \\\nb", vec![(1, "# a \\"), (2, "b")]),
            ("a \\", vec![(1, "a ")]),
            ("", vec![]),
        ] {
            let got = joined(text);
            assert_eq!(got.iter().map(|(n, line)| (*n, line.as_str())).collect::<Vec<_>>(), lines, "{text}");
        }
    }
}
