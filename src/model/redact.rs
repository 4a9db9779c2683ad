//! What may be printed: no control characters, no values that could be secrets.

use std::borrow::Cow;

/// Longest text shown of one line.
const LINE_LIMIT: usize = 160;

/// `text` with control, bidirectional and other invisible characters written as `\u{…}`, so that nothing read from
/// a hostile file can steer a terminal or hide in a report.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unprintable(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{e0000}'..='\u{e0fff}' | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

/// One line of source, trimmed and shortened, with every word that could be a secret masked. It masks too much
/// rather than too little: the reader has the file, others must not get the value.
pub fn redact_line(line: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for c in line.trim().chars().take(LINE_LIMIT) {
        if is_word(c) {
            word.push(c);
        } else {
            flush(&mut out, &mut word);
            out.push(c);
        }
    }
    flush(&mut out, &mut word);
    if line.trim().chars().nth(LINE_LIMIT).is_some() {
        out.push('…');
    }
    plain(&out).into_owned()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '=' | '%' | '~' | '!' | '#' | '^' | '&')
}

fn flush(out: &mut String, word: &mut String) {
    if could_be_secret(word) {
        out.push_str("***");
    } else {
        out.push_str(word);
    }
    word.clear();
}

/// A run of at least 12 word characters that is not made of short plain words: digits mixed with letters, both
/// cases mixed without a pattern, or simply very long.
fn could_be_secret(word: &str) -> bool {
    let length = word.chars().count();
    if length < 8 {
        return false;
    }
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let longest_part = word.split(['_', '-']).map(|part| part.chars().count()).max().unwrap_or(0);
    let symbols = word.chars().any(|c| matches!(c, '+' | '=' | '%' | '~' | '!' | '#' | '^' | '&'));
    (digits >= 2 && digits < length && longest_part >= 6)
        || longest_part > 24
        || (symbols && digits > 0)
        || (digits == length && length >= 12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_masked_and_ordinary_config_is_not() {
        // In parts, so that a scan of this repository finds no token.
        let bearer = concat!(r#"  "Authorization": "Bearer ghp"#, r#"_16C7e42F292c6912E7710c838347Ae178B4a","#);
        for (line, shown) in [
            (bearer, r#""Authorization": "Bearer ***","#),
            (
                r#""command": ["npx", "-y", "@modelcontextprotocol/server-filesystem"]"#,
                r#""command": ["npx", "-y", "@modelcontextprotocol/server-filesystem"]"#,
            ),
            (r#""API_KEY": "{env:CONTEXT7_API_KEY}""#, r#""API_KEY": "{env:CONTEXT7_API_KEY}""#),
            (r#""password": "hunter2hunter2""#, r#""password": "***""#),
        ] {
            assert_eq!(redact_line(line), shown);
        }
    }

    #[test]
    fn control_characters_are_spelled_out() {
        assert_eq!(plain("a\x1b[31mb\u{202e}c"), "a\\u{1b}[31mb\\u{202e}c");
        assert_eq!(plain("plain"), "plain");
    }
}
