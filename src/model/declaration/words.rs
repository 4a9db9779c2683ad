//! The words of a command line, where it is one command and nothing in it is for the shell to fill in. Whatever could mean
//! more to some shell is refused: an approval is for words, and a line that says more has none.

/// Why a line is not one command of plain words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inexact(
    /// As the end of "it …".
    pub &'static str,
);

/// Words that a shell takes for something else than a program.
const RESERVED: &[&str] = &[
    "if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "in", "select",
    "function", "time", "coproc",
];

/// The words of a line.
pub fn exact_words(line: &str) -> Result<Vec<String>, Inexact> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' => words.extend(word.take()),
            '\'' | '"' => word.get_or_insert_default().push_str(&quoted(letter, &mut letters)?),
            _ => {
                if let Some(why) = meaning(letter, word.is_none()) {
                    return Err(Inexact(why));
                }
                word.get_or_insert_default().push(letter);
            }
        }
    }
    words.extend(word);
    let first = words.first().ok_or(Inexact("is empty"))?;
    if first.is_empty() {
        return Err(Inexact("begins with an empty word"));
    }
    if RESERVED.contains(&first.as_str()) {
        return Err(Inexact("begins with a word of the shell's own"));
    }
    if is_assignment(first) {
        return Err(Inexact("sets a variable"));
    }
    Ok(words)
}

/// What stands between two quotes.
fn quoted(quote: char, letters: &mut std::str::Chars<'_>) -> Result<String, Inexact> {
    let mut text = String::new();
    for letter in letters.by_ref() {
        if letter == quote {
            return Ok(text);
        }
        match letter {
            '$' | '`' if quote == '"' => return Err(Inexact("has something for the shell to fill in")),
            '\\' | '!' if quote == '"' => return Err(Inexact("has a character that shells read differently")),
            _ if letter.is_control() => return Err(Inexact("has a control character")),
            _ => text.push(letter),
        }
    }
    Err(Inexact("has a quote without its end"))
}

/// What a letter outside of quotes means to a shell; None where it means itself.
fn meaning(letter: char, begins_word: bool) -> Option<&'static str> {
    Some(match letter {
        '|' => "joins commands by a pipe",
        ';' | '&' | '\n' => "is several commands",
        '<' | '>' => "redirects what is read or written",
        '(' | ')' => "has a part that another shell would run",
        '$' | '`' => "has something for the shell to fill in",
        '*' | '?' | '[' | ']' | '{' | '}' => "has a pattern for the shell to fill in",
        '~' => "has a home for the shell to fill in",
        '\\' | '!' | '^' => "has a character that shells read differently",
        '#' if begins_word => "has a comment",
        _ if letter.is_control() => "has a control character",
        // A blank of another kind looks like one and is none.
        _ if letter.is_whitespace() => "has a blank that is none to a shell",
        _ => return None,
    })
}

fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map(|(name, _)| name.trim_end_matches('+'));
    name.is_some_and(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_command_of_plain_words_is_told_from_all_else() {
        for (line, words) in [
            ("git status", &["git", "status"][..]),
            ("  git\tcommit -m 'two words' ", &["git", "commit", "-m", "two words"]),
            ("a\"b c\"'d'", &["ab cd"]),
            ("cargo test -- --exact x=y", &["cargo", "test", "--", "--exact", "x=y"]),
            ("echo ''", &["echo", ""]),
            ("a#b", &["a#b"]),
        ] {
            assert_eq!(exact_words(line).expect(line), words, "{line}");
        }
        for (line, why) in [
            ("", "is empty"),
            ("   ", "is empty"),
            ("a | b", "joins commands by a pipe"),
            ("a && b", "is several commands"),
            ("a; b", "is several commands"),
            ("a\nb", "is several commands"),
            ("a & ", "is several commands"),
            ("a > b", "redirects what is read or written"),
            ("a $HOME", "has something for the shell to fill in"),
            ("a \"$(b)\"", "has something for the shell to fill in"),
            ("a `b`", "has something for the shell to fill in"),
            ("ls *.rs", "has a pattern for the shell to fill in"),
            ("ls {a,b}", "has a pattern for the shell to fill in"),
            ("ls ~", "has a home for the shell to fill in"),
            ("a\\ b", "has a character that shells read differently"),
            ("a # b", "has a comment"),
            ("a 'b", "has a quote without its end"),
            ("A=b c", "sets a variable"),
            ("if a", "begins with a word of the shell's own"),
            ("a\u{a0}b", "has a blank that is none to a shell"),
            ("a\u{1b}b", "has a control character"),
            ("'' a", "begins with an empty word"),
        ] {
            assert_eq!(exact_words(line), Err(Inexact(why)), "{line}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        /// The shell is only ever given what was found to be plain words, behind a program that prints them.
        #[test]
        fn the_shell_reads_the_same_words(line in "[ab '\"=#,.:@%+\\-~*$\\\\]{0,12}") {
            if let Ok(words) = exact_words(&line) {
                let script = format!("printf '%s\\001' {line}");
                let output = Command::new("/bin/sh").args(["-c", &script]).env_clear().output().expect("sh starts");
                let said = String::from_utf8(output.stdout).expect("text");
                let read: Vec<&str> = said.strip_suffix('\u{1}').unwrap_or(&said).split('\u{1}').collect();
                prop_assert_eq!(read, words);
            }
        }
    }
}
