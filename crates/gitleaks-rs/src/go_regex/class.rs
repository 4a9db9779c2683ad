//! Sets of characters: in brackets, by a letter behind a backslash, by a name.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

use super::escape::{character, take};
use super::{Kind, RegexError};

/// A set and what is left of the text behind it.
type Read<'t> = (ClassUnicode, &'t str);

/// The set in brackets that `text` starts with.
pub(super) fn bracket(text: &str, fold: bool) -> Result<Read<'_>, RegexError> {
    let mut rest = text.get(1..).unwrap_or_default();
    let negated = rest.starts_with('^');
    rest = rest.strip_prefix('^').unwrap_or(rest);
    let mut class = ClassUnicode::empty();
    let mut plain = ClassUnicode::empty();
    let mut first = true;
    // A bracket that comes first is itself.
    while first || !rest.starts_with(']') {
        first = false;
        if let Some((named, behind)) = member(rest, fold)? {
            class.union(&named);
            rest = behind;
            continue;
        }
        let whole = rest;
        let (low, mut behind) = one(rest, text)?;
        let mut high = low;
        if let Some(upper) = behind.strip_prefix('-').filter(|upper| !upper.is_empty() && !upper.starts_with(']')) {
            (high, behind) = one(upper, text)?;
            if high < low {
                return Err(RegexError::new(Kind::CharRange, &whole[..whole.len() - behind.len()]));
            }
        }
        if let Some(range) = range(low, high) {
            plain.push(range);
        }
        rest = behind;
    }
    if fold {
        plain = folded(plain);
    }
    class.union(&plain);
    if negated {
        class.negate();
    }
    Ok((class, rest.get(1..).unwrap_or_default()))
}

/// A set within a set: `[:digit:]`, `\pL`, `\d`.
fn member(rest: &str, fold: bool) -> Result<Option<Read<'_>>, RegexError> {
    if let Some(end) = rest.strip_prefix("[:").and_then(|inner| inner.find(":]")) {
        let (name, behind) = rest.split_at(end + 4);
        let class = posix(name).ok_or_else(|| RegexError::new(Kind::CharRange, name))?;
        return Ok(Some((sign(class, name.starts_with("[:^"), fold), behind)));
    }
    escaped(rest, fold)
}

/// The characters from one number to another, surrogates left out.
pub(super) fn range(low: u32, high: u32) -> Option<ClassUnicodeRange> {
    let low = char::from_u32(low).unwrap_or('\u{e000}');
    let high = char::from_u32(high).unwrap_or('\u{d7ff}');
    (low <= high).then(|| ClassUnicodeRange::new(low, high))
}

/// One character of a set, escaped or not.
fn one<'t>(rest: &'t str, whole: &str) -> Result<(u32, &'t str), RegexError> {
    if rest.starts_with('\\') {
        return character(rest);
    }
    let mut behind = rest;
    take(&mut behind)
        .map(|first| (u32::from(first), behind))
        .ok_or_else(|| RegexError::new(Kind::MissingBracket, whole))
}

/// The set that a letter behind a backslash names, if it names one.
pub(super) fn escaped(text: &str, fold: bool) -> Result<Option<Read<'_>>, RegexError> {
    let Some(letter) = text.strip_prefix('\\').and_then(|behind| behind.chars().next()) else { return Ok(None) };
    let ranges: &[(char, char)] = match letter.to_ascii_lowercase() {
        'd' => &[('0', '9')],
        // No vertical tab, unlike [:space:].
        's' => &[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')],
        'w' => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        'p' => return property(text, fold).map(Some),
        _ => return Ok(None),
    };
    Ok(Some((sign(ranges_of(ranges), letter.is_ascii_uppercase(), fold), &text[2..])))
}

/// `\pN`, `\p{Name}`, `\p{^Name}` and the same with a capital letter.
fn property(text: &str, fold: bool) -> Result<Read<'_>, RegexError> {
    let mut negated = text.starts_with("\\P");
    let mut rest = &text[2..];
    let mut name = rest;
    match take(&mut rest) {
        None => return Err(RegexError::new(Kind::CharRange, text)),
        Some('{') => {
            let end = rest.find('}').ok_or_else(|| RegexError::new(Kind::CharRange, text))?;
            (name, rest) = (&rest[..end], &rest[end + 1..]);
        }
        Some(_) => name = &name[..name.len() - rest.len()],
    }
    if let Some(behind) = name.strip_prefix('^') {
        (name, negated) = (behind, !negated);
    }
    let class = named(name).ok_or_else(|| RegexError::new(Kind::CharRange, &text[..text.len() - rest.len()]))?;
    Ok((sign(class, negated, fold), rest))
}

/// A general category or a script.
fn named(name: &str) -> Option<ClassUnicode> {
    // Go looks only at letters; the parser asked here would also take `Script=Greek`, ages and the like.
    if !name.chars().all(|letter| letter.is_ascii_alphabetic() || "_- ".contains(letter)) || name.is_empty() {
        return None;
    }
    let asked = regex_syntax::Parser::new().parse(&format!(r"\p{{{name}}}")).ok()?;
    match asked.kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class.clone()),
        _ => None,
    }
}

fn posix(name: &str) -> Option<ClassUnicode> {
    let inner = name.strip_prefix("[:")?.strip_suffix(":]")?;
    let ranges: &[(char, char)] = match inner.strip_prefix('^').unwrap_or(inner) {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "ascii" => &[('\0', '\x7f')],
        "blank" => &[('\t', '\t'), (' ', ' ')],
        "cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        "digit" => &[('0', '9')],
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[('\t', '\r'), (' ', ' ')],
        "upper" => &[('A', 'Z')],
        "word" => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    };
    Some(ranges_of(ranges))
}

fn ranges_of(ranges: &[(char, char)]) -> ClassUnicode {
    ClassUnicode::new(ranges.iter().map(|(low, high)| ClassUnicodeRange::new(*low, *high)))
}

/// A set as its flags want it: folding comes before the negation.
fn sign(class: ClassUnicode, negated: bool, fold: bool) -> ClassUnicode {
    let mut class = if fold { folded(class) } else { class };
    if negated {
        class.negate();
    }
    class
}

/// With the other cases of all its characters.
pub(super) fn folded(mut class: ClassUnicode) -> ClassUnicode {
    class.case_fold_simple();
    class
}
