//! Reads an expression from left to right, with a stack for the open groups.

use regex_syntax::hir::{Capture, Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange};
use regex_syntax::hir::{Hir, Look, Repetition};

use super::escape::{self, MOST, character, take};
use super::{Bytes, Kind, Parsed, RegexError, class};

/// How deep groups and repetitions may nest. Go allows 1000; what compiles the Hir recurses.
const DEEPEST: u32 = 250;
/// How large the program may become, in ranges of characters with all repetitions written out: `\pL` alone has some
/// six hundred.
const LARGEST: u64 = 1 << 20;

#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    fold: bool,
    multi_line: bool,
    dot_newline: bool,
    swap_greed: bool,
}

/// A part of an expression, with what the limits ask about it.
struct Item {
    hir: Hir,
    depth: u32,
    /// The largest product of counts on the way down.
    weight: u64,
    size: u64,
}

impl Item {
    fn leaf(hir: Hir) -> Self {
        Self { hir, depth: 1, weight: 1, size: 1 }
    }
}

/// An open group, or the whole.
#[derive(Default)]
struct Frame {
    /// Its number, if it captures. Its name is read and dropped: Go allows the same one twice, the compiler does not.
    capture: Option<u32>,
    /// The flags to return to.
    outside: Flags,
    alternatives: Vec<Item>,
    items: Vec<Item>,
}

pub(super) struct Parser<'p> {
    pattern: &'p str,
    rest: &'p str,
    bytes: Bytes,
    flags: Flags,
    frame: Frame,
    open: Vec<Frame>,
    groups: u32,
    ranges: u64,
    takes_invalid: bool,
    /// What the repetition just read starts at: two in a row are an error.
    repeated: Option<&'p str>,
}

impl<'p> Parser<'p> {
    pub(super) fn new(pattern: &'p str, bytes: Bytes) -> Self {
        let (frame, open, flags) = (Frame::default(), Vec::new(), Flags::default());
        let (groups, ranges, takes_invalid, repeated) = (0, 0, false, None);
        Self { pattern, rest: pattern, bytes, flags, frame, open, groups, ranges, takes_invalid, repeated }
    }

    pub(super) fn parse(mut self) -> Result<Parsed, RegexError> {
        while let Some(next) = self.rest.chars().next() {
            let repeated = self.repeated.take();
            self.step(next, repeated)?;
            if self.ranges > LARGEST {
                return Err(RegexError::new(Kind::Large, self.pattern));
            }
        }
        if !self.open.is_empty() {
            return Err(RegexError::new(Kind::MissingParen, self.pattern));
        }
        let Item { hir, depth, size, .. } = close(std::mem::take(&mut self.frame));
        self.bounded(depth)?;
        if size > LARGEST {
            return Err(RegexError::new(Kind::Large, self.pattern));
        }
        Ok(Parsed { hir, groups: self.groups as usize, takes_invalid: self.takes_invalid })
    }

    fn step(&mut self, next: char, repeated: Option<&'p str>) -> Result<(), RegexError> {
        match next {
            '(' => self.open_group()?,
            ')' => self.close_group()?,
            '|' => {
                self.rest = &self.rest[1..];
                let items = std::mem::take(&mut self.frame.items);
                self.frame.alternatives.push(concat(items));
            }
            '^' => self.look(1, if self.flags.multi_line { Look::StartLF } else { Look::Start }),
            '$' => self.look(1, if self.flags.multi_line { Look::EndLF } else { Look::End }),
            '.' => {
                self.rest = &self.rest[1..];
                let mut any = ClassUnicode::empty();
                if !self.flags.dot_newline {
                    any.push(ClassUnicodeRange::new('\n', '\n'));
                }
                any.negate();
                self.class(any);
            }
            '[' => {
                let (set, rest) = class::bracket(self.rest, self.flags.fold)?;
                self.rest = rest;
                self.class(set);
            }
            '*' => self.repeat(0, None, &self.rest[1..], repeated)?,
            '+' => self.repeat(1, None, &self.rest[1..], repeated)?,
            '?' => self.repeat(0, Some(1), &self.rest[1..], repeated)?,
            '{' => match escape::count(self.rest) {
                None => self.literal_and_skip('{'),
                Some((count, behind)) if !count.valid => {
                    return Err(RegexError::new(Kind::RepeatSize, self.until(behind)));
                }
                Some((count, behind)) => self.repeat(count.min, count.max, behind, repeated)?,
            },
            '\\' => self.backslash()?,
            other => self.literal_and_skip(other),
        }
        Ok(())
    }

    /// What is read up to `behind`.
    fn until(&self, behind: &str) -> &'p str {
        &self.rest[..self.rest.len() - behind.len()]
    }

    fn look(&mut self, length: usize, look: Look) {
        self.rest = &self.rest[length..];
        self.frame.items.push(Item::leaf(Hir::look(look)));
    }

    fn literal_and_skip(&mut self, value: char) {
        self.rest = &self.rest[value.len_utf8()..];
        self.literal(value);
    }

    fn literal(&mut self, value: char) {
        // Caseless ASCII signs and everything in a case-sensitive part stay literals, which search best.
        let caseless = value.is_ascii() && !value.is_ascii_alphabetic();
        if (!self.flags.fold || caseless) && value != char::REPLACEMENT_CHARACTER {
            let mut buffer = [0; 4];
            let bytes = value.encode_utf8(&mut buffer).as_bytes();
            return self.frame.items.push(Item::leaf(Hir::literal(bytes)));
        }
        let mut set = ClassUnicode::new([ClassUnicodeRange::new(value, value)]);
        if self.flags.fold {
            set = class::folded(set);
        }
        self.class(set);
    }

    fn class(&mut self, set: ClassUnicode) {
        let size = set.ranges().len() as u64;
        self.ranges += size;
        let replacement = char::REPLACEMENT_CHARACTER;
        let invalid = set.iter().any(|range| range.start() <= replacement && replacement <= range.end());
        self.takes_invalid |= invalid;
        let mut hir = Hir::class(Class::Unicode(set));
        if invalid && self.bytes == Bytes::Tolerant {
            // The valid character comes first: only where there is none, one byte of it will do.
            let byte = ClassBytes::new([ClassBytesRange::new(0x80, 0xff)]);
            hir = Hir::alternation(vec![hir, Hir::class(Class::Bytes(byte))]);
        }
        self.frame.items.push(Item { size, ..Item::leaf(hir) });
    }

    fn repeat(
        &mut self,
        min: u32,
        max: Option<u32>,
        mut behind: &'p str,
        repeated: Option<&'p str>,
    ) -> Result<(), RegexError> {
        let start = self.rest;
        let mut greedy = !self.flags.swap_greed;
        if let Some(lazy) = behind.strip_prefix('?') {
            (behind, greedy) = (lazy, !greedy);
        }
        if let Some(before) = repeated {
            return Err(RegexError::new(Kind::RepeatOp, &before[..before.len() - behind.len()]));
        }
        let counted = start.starts_with('{');
        let Some(item) = self.frame.items.pop() else {
            return Err(RegexError::new(Kind::MissingArgument, self.until(behind)));
        };
        // Only counts multiply a program.
        let weight = match (counted, max.unwrap_or(min)) {
            (false, _) => item.weight,
            (true, 0) if max == Some(0) => 1,
            (true, times) => item.weight.saturating_mul(u64::from(times.max(1))),
        };
        if counted && (min >= 2 || max.is_some_and(|max| max >= 2)) && weight > u64::from(MOST) {
            return Err(RegexError::new(Kind::RepeatSize, self.until(behind)));
        }
        let depth = self.bounded(item.depth + 1)?;
        let size = item.size.saturating_mul(u64::from(max.unwrap_or(min).max(1)));
        if size > LARGEST {
            return Err(RegexError::new(Kind::Large, self.pattern));
        }
        let hir = Hir::repetition(Repetition { min, max, greedy, sub: Box::new(item.hir) });
        self.frame.items.push(Item { hir, depth, weight, size });
        (self.rest, self.repeated) = (behind, Some(start));
        Ok(())
    }

    fn bounded(&self, depth: u32) -> Result<u32, RegexError> {
        if depth > DEEPEST { Err(RegexError::new(Kind::Nesting, self.pattern)) } else { Ok(depth) }
    }

    fn backslash(&mut self) -> Result<(), RegexError> {
        match self.rest.as_bytes().get(1) {
            Some(b'A') => self.look(2, Look::Start),
            Some(b'z') => self.look(2, Look::End),
            Some(b'b') => self.look(2, Look::WordAscii),
            Some(b'B') => self.look(2, Look::WordAsciiNegate),
            Some(b'Q') => {
                let quoted = &self.rest[2..];
                let (literal, behind) = quoted.split_once("\\E").unwrap_or((quoted, ""));
                literal.chars().for_each(|value| self.literal(value));
                self.rest = behind;
            }
            _ => {
                if let Some((set, rest)) = class::escaped(self.rest, self.flags.fold)? {
                    self.rest = rest;
                    self.class(set);
                } else {
                    let (value, rest) = character(self.rest)?;
                    self.rest = rest;
                    match char::from_u32(value) {
                        Some(value) => self.literal(value),
                        None => self.frame.items.push(Item::leaf(Hir::fail())),
                    }
                }
            }
        }
        Ok(())
    }

    fn open_group(&mut self) -> Result<(), RegexError> {
        if self.rest.starts_with("(?") {
            return self.open_special();
        }
        self.rest = &self.rest[1..];
        self.push_group(true)
    }

    fn push_group(&mut self, captures: bool) -> Result<(), RegexError> {
        self.groups += u32::from(captures);
        let capture = captures.then_some(self.groups);
        self.bounded(self.open.len() as u32 + 1)?;
        let inner = Frame { capture, outside: self.flags, ..Frame::default() };
        self.open.push(std::mem::replace(&mut self.frame, inner));
        Ok(())
    }

    /// A name, flags, or both a group and flags.
    fn open_special(&mut self) -> Result<(), RegexError> {
        let start = self.rest;
        let named = start.strip_prefix("(?P<").filter(|rest| !rest.is_empty());
        if let Some(rest) = named.or_else(|| start.strip_prefix("(?<").filter(|rest| !rest.is_empty())) {
            let end = rest.find('>').ok_or_else(|| RegexError::new(Kind::NamedCapture, start))?;
            let (name, behind) = (&rest[..end], &rest[end + 1..]);
            if name.is_empty() || !name.chars().all(|letter| letter == '_' || letter.is_ascii_alphanumeric()) {
                return Err(RegexError::new(Kind::NamedCapture, self.until(behind)));
            }
            self.rest = behind;
            return self.push_group(true);
        }
        let mut rest = &start[2..];
        let Some((flags, opens)) = flags(self.flags, &mut rest) else {
            return Err(RegexError::new(Kind::PerlOp, self.until(rest)));
        };
        self.rest = rest;
        if opens {
            self.push_group(false)?;
        }
        self.flags = flags;
        Ok(())
    }

    fn close_group(&mut self) -> Result<(), RegexError> {
        let Some(outer) = self.open.pop() else {
            return Err(RegexError::new(Kind::UnexpectedParen, self.pattern));
        };
        self.rest = &self.rest[1..];
        let mut frame = std::mem::replace(&mut self.frame, outer);
        self.flags = frame.outside;
        let capture = frame.capture.take();
        let Item { hir, depth, weight, size } = close(frame);
        let depth = self.bounded(depth + 1)?;
        let hir = match capture {
            None => hir,
            Some(index) => Hir::capture(Capture { index, name: None, sub: Box::new(hir) }),
        };
        self.frame.items.push(Item { hir, depth, weight, size });
        Ok(())
    }
}

/// The flags behind `(?`, and whether a group starts with them.
fn flags(mut flags: Flags, rest: &mut &str) -> Option<(Flags, bool)> {
    let (mut on, mut saw) = (true, false);
    loop {
        match take(rest)? {
            'i' => flags.fold = on,
            'm' => flags.multi_line = on,
            's' => flags.dot_newline = on,
            'U' => flags.swap_greed = on,
            '-' if on => {
                (on, saw) = (false, false);
                continue;
            }
            ending @ (':' | ')') if on || saw => return Some((flags, ending == ':')),
            _ => return None,
        }
        saw = true;
    }
}

fn concat(items: Vec<Item>) -> Item {
    join(items, Hir::concat)
}

fn close(mut frame: Frame) -> Item {
    let last = concat(frame.items);
    if frame.alternatives.is_empty() {
        return last;
    }
    frame.alternatives.push(last);
    join(frame.alternatives, Hir::alternation)
}

fn join(items: Vec<Item>, with: fn(Vec<Hir>) -> Hir) -> Item {
    let depth = items.iter().map(|item| item.depth).max().unwrap_or(0);
    let weight = items.iter().map(|item| item.weight).max().unwrap_or(1);
    let size = items.iter().map(|item| item.size).fold(1, u64::saturating_add);
    // One level for itself, but only where it is one.
    let depth = depth + u32::from(items.len() > 1);
    Item { hir: with(items.into_iter().map(|item| item.hir).collect()), depth, weight, size }
}
