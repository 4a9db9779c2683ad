//! The names of columns, from the statements that made tables and indexes.
//!
//! Only as much SQL as that needs: names, parentheses and commas. A statement that is not understood gives fewer names,
//! never an error.

/// What a statement says of the records that it led to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Columns {
    /// In the order of the record; None for an expression.
    pub(super) names: Vec<Option<String>>,
    pub(super) without_rowid: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Open,
    Close,
    Comma,
    Other,
}

impl Token {
    fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Word(name) | Self::Quoted(name) => Some(name),
            _ => None,
        }
    }
}

/// The columns of a table, as its records have them.
pub(super) fn of_table(sql: &str) -> Columns {
    let tokens = tokens(sql);
    let (items, rest) = items(&tokens);
    let without_rowid = rest.windows(2).any(|pair| pair[0].is("without") && pair[1].is("rowid"));
    let (mut names, mut key) = (Vec::new(), Vec::new());
    for item in items {
        let Some(first) = item.first() else { continue };
        if ["constraint", "primary", "unique", "check", "foreign"].iter().any(|keyword| first.is(keyword)) {
            key.extend(key_of(item));
        } else if let Some(name) = first.name() {
            if item.windows(2).any(|pair| pair[0].is("primary") && pair[1].is("key")) {
                key.push(name.to_owned());
            }
            if !is_virtual(item) {
                names.push(name.to_owned());
            }
        }
    }
    let names = if without_rowid { key_first(names, key) } else { names };
    Columns { names: names.into_iter().map(Some).collect(), without_rowid }
}

/// The columns of an index. Behind them its records hold the row's number or key.
pub(super) fn of_index(sql: &str) -> Columns {
    let tokens = tokens(sql);
    let (items, _) = items(&tokens);
    let names = items.into_iter().map(|item| {
        let name = item.first()?.name()?;
        // A name and an order is a column; a name and a parenthesis or an operator is an expression.
        let plain = item.get(1).is_none_or(|next| ["collate", "asc", "desc"].iter().any(|keyword| next.is(keyword)));
        plain.then(|| name.to_owned())
    });
    Columns { names: names.collect(), without_rowid: false }
}

/// A computed column that is not stored.
fn is_virtual(item: &[Token]) -> bool {
    let computed = item.windows(2).position(|pair| pair[0].is("as") && pair[1] == Token::Open);
    computed.is_some_and(|at| !item[at..].iter().any(|token| token.is("stored")))
}

/// The columns of a key that is declared for the whole table.
fn key_of(item: &[Token]) -> Vec<String> {
    let Some(at) = item.windows(2).position(|pair| pair[0].is("primary") && pair[1].is("key")) else {
        return Vec::new();
    };
    let (columns, _) = items(&item[at..]);
    columns.iter().filter_map(|column| Some(column.first()?.name()?.to_owned())).collect()
}

/// Records without a row number start with the key.
fn key_first(names: Vec<String>, key: Vec<String>) -> Vec<String> {
    let mut ordered: Vec<String> = Vec::new();
    for name in key.into_iter().chain(names) {
        if ordered.len() < 4096 && !ordered.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            ordered.push(name);
        }
    }
    ordered
}

/// The parts between the commas of the first parenthesis, and what follows it.
fn items(tokens: &[Token]) -> (Vec<&[Token]>, &[Token]) {
    let Some(open) = tokens.iter().position(|token| *token == Token::Open) else { return (Vec::new(), &[]) };
    let (mut items, mut depth, mut start) = (Vec::new(), 0_usize, open + 1);
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::Open => depth += 1,
            Token::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        let ends = depth == 0;
        if ends || (depth == 1 && *token == Token::Comma) {
            items.push(&tokens[start..at]);
            start = at + 1;
        }
        if ends {
            return (items, &tokens[start..]);
        }
    }
    (items, &[])
}

fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '"' | '\'' | '`' => quoted(rest, first),
            '[' => quoted(rest, ']'),
            '(' => (Some(Token::Open), 1),
            ')' => (Some(Token::Close), 1),
            ',' => (Some(Token::Comma), 1),
            '-' if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => (None, rest[2..].find("*/").map_or(rest.len(), |end| end + 4)),
            space if space.is_ascii_whitespace() => (None, 1),
            letter if is_word(letter) => {
                let length = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
                (Some(Token::Word(rest[..length].to_owned())), length)
            }
            other => (Some(Token::Other), other.len_utf8()),
        };
        tokens.extend(token);
        rest = &rest[length..];
    }
    tokens
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || letter == '$' || !letter.is_ascii()
}

/// A name in quotes, where two of them stand for one, and how long it was with them.
fn quoted(rest: &str, close: char) -> (Option<Token>, usize) {
    let (mut name, mut letters) = (String::new(), rest.char_indices().skip(1).peekable());
    while let Some((at, letter)) = letters.next() {
        if letter != close {
            name.push(letter);
        } else if close != ']' && letters.peek().is_some_and(|(_, next)| *next == close) {
            letters.next();
            name.push(close);
        } else {
            return (Some(Token::Quoted(name)), at + 1);
        }
    }
    (Some(Token::Quoted(name)), rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(columns: &Columns) -> String {
        columns.names.iter().map(|name| name.as_deref().unwrap_or("?")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn columns_of_tables_are_named_as_their_records_have_them() {
        for (sql, expected) in [
            ("CREATE TABLE t(a, b TEXT DEFAULT (','), [c d] INT, \"e\"\"f\" BLOB)", "a b c d e\"f"),
            ("CREATE TABLE t(a /* , x */, -- , y\n b, CHECK (a > b), UNIQUE (a, b))", "a b"),
            ("CREATE TABLE t(a, v AS (a + 1), s AS (a) STORED, g INT GENERATED ALWAYS AS (a) VIRTUAL, z)", "a s z"),
            ("CREATE TABLE t(a, key, b, PRIMARY KEY (b, key)) WITHOUT ROWID", "b key a"),
            ("CREATE TABLE t(a, b TEXT PRIMARY KEY, c) strict, without  rowid", "b a c"),
            ("CREATE TABLE t(a, b, CONSTRAINT k PRIMARY KEY (B, a)) WITHOUT ROWID", "B a"),
            ("CREATE TABLE \"odd(,\"('x', `y`)", "x y"),
            ("CREATE TABLE t(a, b", "a"),
            ("CREATE TABLE t", ""),
            ("", ""),
            ("(((((", ""),
            ("'", ""),
            ("/*/", ""),
        ] {
            assert_eq!(names(&of_table(sql)), expected, "{sql}");
        }
    }

    #[test]
    fn expressions_of_an_index_have_no_name() {
        for (sql, expected) in [
            ("CREATE INDEX i ON t(a, b COLLATE NOCASE DESC, lower(c), d || e, \"f\" ASC)", "a b ? ? f"),
            ("CREATE UNIQUE INDEX i ON t(a) WHERE b IN (1, 2)", "a"),
        ] {
            assert_eq!(names(&of_index(sql)), expected, "{sql}");
        }
    }
}
