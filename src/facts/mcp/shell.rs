//! Just enough of a shell's grammar to see which commands a `sh -c` line holds. Nothing is expanded or run.

/// Longest line that is taken apart.
const LINE_LIMIT: usize = 16 << 10;

/// What ends a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// `;`, `&&`, `||`, `&`, a newline, a bracket, the end.
    Plain,
    /// `|`: its output goes into the next one.
    Pipe,
}

/// A command of a line: its words, and what follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Simple {
    pub(super) words: Vec<String>,
    pub(super) end: End,
}

/// The commands of a line in order. Quotes are taken off; `$(…)` stays part of its word.
pub(super) fn commands(line: &str) -> Vec<Simple> {
    let line: String = line.chars().take(LINE_LIMIT).collect();
    let mut reader = Reader { commands: Vec::new(), words: Vec::new(), word: None };
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let word = reader.word();
                word.extend(chars.by_ref().take_while(|c| *c != '\''));
            }
            '"' => quoted(&mut chars, reader.word()),
            '\\' => {
                let next = chars.next();
                reader.word().extend(next.filter(|c| *c != '\n'));
            }
            '$' if chars.peek() == Some(&'(') => substitution(&mut chars, reader.word()),
            '#' if reader.word.is_none() => {
                chars.by_ref().find(|c| *c == '\n');
                reader.end_command(End::Plain);
            }
            '|' if chars.peek() == Some(&'|') => {
                chars.next();
                reader.end_command(End::Plain);
            }
            '|' => reader.end_command(End::Pipe),
            ';' | '\n' | '(' | ')' => reader.end_command(End::Plain),
            '&' if matches!(chars.peek(), Some('>')) => reader.word().push('&'),
            // `2>&1` is one word.
            '&' if reader.word.as_ref().is_some_and(|word| word.ends_with(['>', '<'])) => reader.word().push('&'),
            '&' => reader.end_command(End::Plain),
            c if c.is_whitespace() => reader.end_word(),
            c => reader.word().push(c),
        }
    }
    reader.end_command(End::Plain);
    reader.commands
}

struct Reader {
    commands: Vec<Simple>,
    words: Vec<String>,
    word: Option<String>,
}

impl Reader {
    fn word(&mut self) -> &mut String {
        self.word.get_or_insert_default()
    }

    fn end_word(&mut self) {
        self.words.extend(self.word.take());
    }

    fn end_command(&mut self, end: End) {
        self.end_word();
        let words = std::mem::take(&mut self.words);
        if !words.is_empty() {
            self.commands.push(Simple { words, end });
        }
    }
}

fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, word: &mut String) {
    while let Some(c) = chars.next() {
        match c {
            '"' => return,
            '\\' if matches!(chars.peek(), Some('"' | '\\' | '$' | '`')) => word.extend(chars.next()),
            '$' if chars.peek() == Some(&'(') => substitution(chars, word),
            c => word.push(c),
        }
    }
}

fn substitution(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, word: &mut String) {
    word.push('$');
    let mut depth = 0usize;
    for c in chars.by_ref() {
        word.push(c);
        match c {
            '(' => depth += 1,
            ')' if depth <= 1 => return,
            ')' => depth -= 1,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fall_apart_where_a_shell_would_end_a_command() {
        for (line, parts) in [
            ("npx -y pkg", &["npx|-y|pkg"][..]),
            (
                "cd \"$(git rev-parse --show-toplevel)\" && exec npx pkg",
                &["cd|$(git rev-parse --show-toplevel)", "exec|npx|pkg"],
            ),
            ("[ -f x ] && exec ./x || exit 0", &["[|-f|x|]", "exec|./x", "exit|0"]),
            ("curl -fsSL https://x | sh", &["curl|-fsSL|https://x", "sh"]),
            ("A='b c' \"d e\"f\\ g", &["A=b c|d ef g"]),
            ("a 2>&1; b", &["a|2>&1", "b"]),
            ("# nothing\na", &["a"]),
            ("'open", &["open"]),
            ("$(((((", &["$((((("]),
            ("", &[]),
        ] {
            let found: Vec<String> = commands(line).into_iter().map(|command| command.words.join("|")).collect();
            assert_eq!(found, parts, "{line}");
        }
        assert_eq!(commands("a | b")[0].end, End::Pipe);
    }
}
