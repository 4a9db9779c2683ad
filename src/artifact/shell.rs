//! Words of a shell script.

use super::Refusal;

/// A word that the shell takes as it is.
pub(super) fn quoted(word: &str) -> Result<String, Refusal> {
    if word.chars().any(char::is_control) {
        return Err(Refusal::new("a path or name of the profile holds a control character", "name another"));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return Ok(word.to_owned());
    }
    Ok(format!("'{}'", word.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_reach_a_program_as_they_are() {
        for (word, expected) in [
            ("/srv/a b", "'/srv/a b'"),
            ("it's", r"'it'\''s'"),
            ("/srv/app", "/srv/app"),
            ("$(x)", "'$(x)'"),
            ("", "''"),
        ] {
            assert_eq!(super::quoted(word).expect("no control character"), expected);
        }
        assert!(super::quoted("a\nb").is_err());
    }
}
