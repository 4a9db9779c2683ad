//! Patterns of permission rules, as OpenCode matches them.

use crate::facts::glob::fits_by;

/// Whether a pattern matches a text: `*` is anything, `?` one character, a blank and `*` at the end may be missing.
pub fn matches(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.replace('\\', "/"), pattern.replace('\\', "/"));
    let text: Vec<Option<char>> = text.chars().map(Some).collect();
    with_optional_end(&text, &pattern)
}

/// Whether everything that `inner` matches is matched by `outer` too. It may say no where that is so in truth.
pub fn covers(outer: &str, inner: &str) -> bool {
    if outer == "*" || outer == inner {
        return true;
    }
    if !outer.contains(['*', '?', '\\']) && !inner.contains('\\') {
        return false;
    }
    let (outer, inner) = (outer.replace('\\', "/"), inner.replace('\\', "/"));
    // What `*` and `?` stand for in the inner pattern is open: only `*` in the outer one takes it.
    let open = |text: &str| text.chars().map(|c| (c != '*' && c != '?').then_some(c)).collect::<Vec<_>>();
    let whole = with_optional_end(&open(&inner), &outer);
    let without_end = inner.strip_suffix(" *").is_none_or(|start| with_optional_end(&open(start), &outer));
    whole && without_end
}

fn with_optional_end(text: &[Option<char>], pattern: &str) -> bool {
    let full: Vec<char> = pattern.chars().collect();
    let short = pattern.strip_suffix(" *").map(|start| start.chars().collect::<Vec<char>>());
    wildcard(text, &full) || short.is_some_and(|short| wildcard(text, &short))
}

/// `*` stands for any text, `?` for a letter that is known.
fn wildcard(text: &[Option<char>], pattern: &[char]) -> bool {
    fits_by(pattern, text, |wanted, letter| *letter == Some(wanted) || wanted == '?' && letter.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_the_program_matches() {
        for (text, pattern, expected) in [
            ("git status", "git *", true),
            ("git", "git *", true),
            ("gitk", "git *", false),
            ("a/b/c.env", "*.env", true),
            (".env.example", "*.env.*", true),
            ("ls", "l?", true),
            ("a\nb", "a*b", true),
            ("Bash", "bash", false),
            ("github_create", "github_*", true),
            ("[x]", "[x]", true),
        ] {
            assert_eq!(matches(text, pattern), expected, "{text} / {pattern}");
        }
    }

    #[test]
    fn a_pattern_covers_only_what_it_matches_for_sure() {
        for (outer, inner, expected) in [
            ("*", "rm *", true),
            ("rm *", "rm -rf *", true),
            ("rm *", "rm *", true),
            ("rm *", "rm*", false),
            ("rm -rf *", "rm *", false),
            ("?", "*", false),
            ("*", "?", true),
            ("git p*", "git push *", true),
            ("*.env", "*.env.local", false),
        ] {
            assert_eq!(covers(outer, inner), expected, "{outer} over {inner}");
        }
    }
}
