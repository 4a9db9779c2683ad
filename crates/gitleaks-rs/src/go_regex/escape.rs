//! What stands behind a backslash, and the counts in braces.

use super::{Kind, RegexError};

/// One escaped character: its number and what is left of `text`, which starts with the backslash. The number may be a
/// surrogate's, which Go takes and which matches nothing.
pub(super) fn character(text: &str) -> Result<(u32, &str), RegexError> {
    let mut rest = text.get(1..).unwrap_or_default();
    let Some(first) = take(&mut rest) else { return Err(RegexError::new(Kind::TrailingBackslash, "")) };
    let value = match first {
        '1'..='7' if !rest.starts_with(|next| matches!(next, '0'..='7')) => None,
        '0'..='7' => Some(octal(first, &mut rest)),
        'x' => hex(&mut rest),
        'a' => Some(0x07),
        't' => Some(0x09),
        'n' => Some(0x0a),
        'v' => Some(0x0b),
        'f' => Some(0x0c),
        'r' => Some(0x0d),
        other if other.is_ascii() && !other.is_ascii_alphanumeric() => Some(u32::from(other)),
        _ => None,
    };
    match value {
        Some(value) => Ok((value, rest)),
        None => Err(RegexError::new(Kind::Escape, &text[..text.len() - rest.len()])),
    }
}

/// Removes the first character.
pub(super) fn take(rest: &mut &str) -> Option<char> {
    let mut chars = rest.chars();
    let first = chars.next()?;
    *rest = chars.as_str();
    Some(first)
}

/// Up to three octal digits, the first one already read.
fn octal(first: char, rest: &mut &str) -> u32 {
    let mut value = first.to_digit(8).unwrap_or(0);
    for _ in 0..2 {
        let Some(digit) = rest.chars().next().and_then(|next| next.to_digit(8)) else { break };
        take(rest);
        value = value * 8 + digit;
    }
    value
}

/// Two hexadecimal digits, or any number of them in braces.
fn hex(rest: &mut &str) -> Option<u32> {
    let first = take(rest)?;
    if first != '{' {
        let second = take(rest)?;
        return Some(first.to_digit(16)? * 16 + second.to_digit(16)?);
    }
    let (mut value, mut digits) = (0_u32, 0);
    loop {
        match take(rest)? {
            '}' if digits > 0 => return Some(value),
            digit => value = value * 16 + digit.to_digit(16)?,
        }
        if value > u32::from(char::MAX) {
            return None;
        }
        digits += 1;
    }
}

/// A count in braces.
pub(super) struct Count {
    pub(super) min: u32,
    /// None for no end.
    pub(super) max: Option<u32>,
    /// Whether Go takes it.
    pub(super) valid: bool,
}

/// The most repetitions that may be counted.
pub(super) const MOST: u32 = 1000;

/// A count, if the text starts with one; otherwise its brace is an ordinary character.
pub(super) fn count(text: &str) -> Option<(Count, &str)> {
    let (min, rest) = number(text.strip_prefix('{')?)?;
    let (max, rest) = match rest.strip_prefix(',') {
        None => (Some(min), rest),
        Some(rest) if rest.starts_with('}') => (None, rest),
        Some(rest) => {
            let (max, rest) = number(rest)?;
            (Some(max), rest)
        }
    };
    let rest = rest.strip_prefix('}')?;
    let valid = min <= MOST && max.is_none_or(|max| max <= MOST && min <= max);
    Some((Count { min, max, valid }, rest))
}

/// A number without leading zeros; one that is too large stays too large.
fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some((digits.parse().unwrap_or(u32::MAX), rest))
}
