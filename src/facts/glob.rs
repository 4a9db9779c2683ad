//! Patterns as lists of names write them: `*` stands for any text. Globs of files with folders and classes are
//! `globset`'s.

/// Whether `pattern` fits the whole of `text`.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    fits_by(&pattern, &text, |wanted, letter| wanted == *letter)
}

/// As [`fits`], where `one` says which letters fit a letter of the pattern other than `*`. Greedy, with one place to
/// return to: it ends within the product of both lengths.
pub(super) fn fits_by<T>(pattern: &[char], text: &[T], one: impl Fn(char, &T) -> bool) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(letter) = text.get(t) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(wanted) if one(*wanted, letter) => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, from)) => {
                    (p, t) = (at + 1, from + 1);
                    star = Some((at, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|wanted| *wanted == '*')
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, answer) in [
            ("LD_*", "LD_PRELOAD", true),
            ("LD_*", "LD_", true),
            ("LD_*", "OLD_X", false),
            ("a*b", "ab", true),
            ("a*b", "a", false),
            ("ab*ba", "aba", false),
            ("*.x.*", "a.x.y.x.z", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(fits(pattern, text), answer, "{pattern} {text}");
        }
    }
}
