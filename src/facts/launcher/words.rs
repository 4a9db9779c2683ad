//! Splits shell text into commands and words, without running or expanding anything. It knows as much of the shell
//! as launchers use; what it does not know stays text.

/// A piece of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text as it stands.
    Text(String),
    /// `$NAME` or `${NAME…}`.
    Variable(String),
    /// `$(…)` or backquotes, with the text inside.
    Command(String),
}

/// A word: pieces without space between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) pieces: Vec<Piece>,
}

/// A simple command and the line it starts on, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) line: u32,
    pub(super) words: Vec<Word>,
}

impl Word {
    pub(super) fn text(text: &str) -> Self {
        Self { pieces: vec![Piece::Text(text.to_owned())] }
    }

    /// Its text where it has no holes.
    pub(super) fn plain(&self) -> Option<String> {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    /// Its text up to the first hole.
    pub(super) fn start(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Text(text)) => text,
            _ => "",
        }
    }

    /// `NAME=rest` as name and the rest as a word.
    pub(super) fn assignment(&self) -> Option<(String, Word)> {
        let Some(Piece::Text(first)) = self.pieces.first() else { return None };
        let (name, rest) = first.split_once('=')?;
        let name = name.strip_suffix('+').unwrap_or(name);
        if !is_name(name) {
            return None;
        }
        let mut pieces = self.pieces.clone();
        pieces[0] = Piece::Text(rest.to_owned());
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        Some((name.to_owned(), Word { pieces }))
    }

    fn push(&mut self, c: char) {
        match self.pieces.last_mut() {
            Some(Piece::Text(text)) => text.push(c),
            _ => self.pieces.push(Piece::Text(c.into())),
        }
    }
}

/// Whether it could name a variable.
pub(super) fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The commands of a script, in order. Separators, keywords of control flow and redirections are dropped: whatever
/// may run counts as run.
pub(super) fn commands(text: &str) -> Vec<Command> {
    let mut reader = Reader { chars: text.chars().collect(), at: 0, line: 1, out: Vec::new(), heredocs: Vec::new() };
    reader.read();
    reader.out
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    line: u32,
    out: Vec<Command>,
    heredocs: Vec<String>,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.at += 1;
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    fn read(&mut self) {
        let mut command = Command { line: self.line, words: Vec::new() };
        while let Some(c) = self.peek(0) {
            match c {
                '\\' if self.peek(1) == Some('\n') => {
                    self.next();
                    self.next();
                }
                '#' => {
                    while self.peek(0).is_some_and(|c| c != '\n') {
                        self.next();
                    }
                }
                '\n' => {
                    self.next();
                    self.skip_heredocs();
                    self.end(&mut command);
                }
                ';' | '&' | '|' | '(' | ')' => {
                    self.next();
                    self.end(&mut command);
                }
                '<' | '>' => self.redirection(),
                c if c.is_whitespace() => {
                    self.next();
                }
                _ => {
                    if command.words.is_empty() {
                        command.line = self.line;
                    }
                    let word = self.word();
                    let descriptor = word.plain().is_some_and(|text| text.chars().all(|c| c.is_ascii_digit()));
                    if descriptor && matches!(self.peek(0), Some('<' | '>')) {
                        continue;
                    }
                    if !(command.words.is_empty() && is_keyword(&word)) {
                        command.words.push(word);
                    }
                }
            }
        }
        self.end(&mut command);
    }

    fn end(&mut self, command: &mut Command) {
        if !command.words.is_empty() {
            self.out.push(std::mem::replace(command, Command { line: self.line, words: Vec::new() }));
        }
    }

    /// Skips `> file`, `2>&1`, `<<EOF` (whose body is skipped at the end of the line).
    fn redirection(&mut self) {
        let mut sign = String::new();
        while let Some(c) = self.peek(0).filter(|c| matches!(c, '<' | '>' | '&' | '|' | '-')) {
            sign.push(c);
            self.next();
        }
        while self.peek(0).is_some_and(|c| c == ' ' || c == '\t') {
            self.next();
        }
        if self.peek(0).is_some_and(|c| c == '(') {
            return;
        }
        let target = self.word();
        if (sign == "<<" || sign == "<<-") && !target.pieces.is_empty() {
            self.heredocs.push(target.plain().unwrap_or_default());
        }
    }

    fn skip_heredocs(&mut self) {
        for end in std::mem::take(&mut self.heredocs) {
            loop {
                let mut line = String::new();
                let mut more = false;
                while let Some(c) = self.next() {
                    if c == '\n' {
                        more = true;
                        break;
                    }
                    line.push(c);
                }
                if line.trim_start_matches('\t') == end || !more {
                    break;
                }
            }
        }
    }

    fn word(&mut self) -> Word {
        let mut word = Word::default();
        while let Some(c) = self.peek(0) {
            match c {
                c if c.is_whitespace() || matches!(c, ';' | '&' | '|' | '(' | ')' | '<' | '>') => break,
                '\'' => {
                    self.next();
                    word.pieces.push(Piece::Text(String::new()));
                    while let Some(c) = self.next().filter(|c| *c != '\'') {
                        word.push(c);
                    }
                }
                '"' => {
                    self.next();
                    self.quoted(&mut word);
                }
                '\\' => {
                    self.next();
                    match self.next() {
                        Some('\n') | None => {}
                        Some(c) => word.push(c),
                    }
                }
                '$' | '`' => self.expansion(&mut word),
                c => {
                    self.next();
                    word.push(c);
                }
            }
        }
        join(&mut word);
        word
    }

    fn quoted(&mut self, word: &mut Word) {
        word.pieces.push(Piece::Text(String::new()));
        while let Some(c) = self.peek(0) {
            match c {
                '"' => {
                    self.next();
                    return;
                }
                '\\' => {
                    self.next();
                    match self.next() {
                        Some('\n') | None => {}
                        Some(c @ ('"' | '\\' | '$' | '`')) => word.push(c),
                        Some(c) => {
                            word.push('\\');
                            word.push(c);
                        }
                    }
                }
                '$' | '`' => self.expansion(word),
                c => {
                    self.next();
                    word.push(c);
                }
            }
        }
    }

    fn expansion(&mut self, word: &mut Word) {
        if self.next() == Some('`') {
            let mut text = String::new();
            while let Some(c) = self.next().filter(|c| *c != '`') {
                text.push(c);
            }
            word.pieces.push(Piece::Command(text));
            return;
        }
        match self.peek(0) {
            Some('(') => {
                self.next();
                let text = self.until(')', '(');
                word.pieces.push(Piece::Command(text));
            }
            Some('{') => {
                self.next();
                let text = self.until('}', '{');
                let name: String = text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                word.pieces.push(Piece::Variable(name));
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let mut name = String::new();
                while let Some(c) = self.peek(0).filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    name.push(c);
                    self.next();
                }
                word.pieces.push(Piece::Variable(name));
            }
            Some(c) if c.is_ascii_digit() || matches!(c, '@' | '*' | '#' | '?' | '$' | '!' | '-') => {
                self.next();
                word.pieces.push(Piece::Variable(c.into()));
            }
            _ => word.push('$'),
        }
    }

    /// The text up to the matching `close`, nesting counted, quotes respected as far as single ones go.
    fn until(&mut self, close: char, open: char) -> String {
        let (mut depth, mut text) = (0_usize, String::new());
        while let Some(c) = self.next() {
            if c == open {
                depth += 1;
            } else if c == close {
                if depth == 0 {
                    break;
                }
                depth -= 1;
            }
            text.push(c);
        }
        text
    }
}

/// Joins neighbouring text; an empty quote leaves nothing beside other pieces.
fn join(word: &mut Word) {
    let mut pieces: Vec<Piece> = Vec::with_capacity(word.pieces.len());
    for piece in std::mem::take(&mut word.pieces) {
        match (pieces.last_mut(), piece) {
            (Some(Piece::Text(before)), Piece::Text(text)) => before.push_str(&text),
            (_, piece) => pieces.push(piece),
        }
    }
    if pieces.len() > 1 {
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
    }
    word.pieces = pieces;
}

fn is_keyword(word: &Word) -> bool {
    matches!(
        word.plain().as_deref(),
        Some("if" | "then" | "else" | "elif" | "fi" | "while" | "until" | "do" | "done" | "{" | "}" | "!" | "time")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Variable(name) => format!("<{name}>"),
            Piece::Command(text) => format!("<({text})>"),
        };
        let word = |word: &Word| word.pieces.iter().map(piece).collect::<String>();
        commands(text)
            .iter()
            .map(|c| format!("{}: {}", c.line, c.words.iter().map(word).collect::<Vec<_>>().join("|")))
            .collect()
    }

    #[test]
    fn commands_are_split_as_the_shell_does() {
        for (text, expected) in [
            ("exec env -i HOME=/x opencode \"$@\"", vec!["1: exec|env|-i|HOME=/x|opencode|<@>"]),
            ("a; b && c | d", vec!["1: a", "1: b", "1: c", "1: d"]),
            ("# note\nexec \\\n  env -i \\\n  x", vec!["2: exec|env|-i|x"]),
            ("K='a b'\"c $D\"e", vec!["1: K=a bc <D>e"]),
            ("X=$(op read 'op://a/(b)') y", vec!["1: X=<(op read 'op://a/(b)')>|y"]),
            ("cat <<EOF >/dev/null\nexec evil\nEOF\nexec x", vec!["1: cat", "4: exec|x"]),
            ("if [ -n \"${A:-b}\" ]; then x; fi", vec!["1: [|-n|<A>|]", "1: x"]),
            ("x 2>&1 >/dev/null", vec!["1: x"]),
            ("echo a#b", vec!["1: echo|a#b"]),
            ("f() { x; }", vec!["1: f", "1: x"]),
            ("'unclosed", vec!["1: unclosed"]),
            ("$(unclosed (", vec!["1: <(unclosed ()>"]),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn assignments_need_a_name() {
        let of = |text: &str| commands(text)[0].words[0].assignment().map(|(name, word)| (name, word.plain()));
        assert_eq!(of("A=b"), Some(("A".into(), Some("b".into()))));
        assert_eq!(of("A=\"$B\""), Some(("A".into(), None)));
        assert_eq!(of("--x=y"), None);
        assert_eq!(of("1A=y"), None);
    }
}
