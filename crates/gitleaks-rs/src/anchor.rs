//! What every match of an expression must hold: a few literals, so rare that looking for them is cheaper than looking
//! for the expression. Found in the syntax tree, so that a wrong choice costs speed and never a match.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

/// Shorter literals are everywhere.
const SHORTEST: usize = 3;
/// The filter looks at no more of a literal than this.
const LONGEST: usize = 16;
/// So many literals of one rule are still fewer than the places where they would stand.
const MOST: usize = 128;
/// A class of more bytes is no text, unless the text is still too short to look for.
const FEW: usize = 8;
/// In hits per byte, what is rare enough to be looked for without what stands behind it.
const RARE: f64 = 1e-7;
/// In hits per byte, what is better looked for together with a quote or slash before it.
const OFTEN: f64 = 1e-5;
/// A literal that may stand anywhere in its part is worth this much less: nothing can be tried where it stands.
const ANYWHERE: f64 = 1000.0;

/// A literal that a match must hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Literal {
    /// Its bytes; letters in lower case where `folded`.
    pub(crate) bytes: Vec<u8>,
    /// For each byte, whether the other case of the letter will do as well.
    pub(crate) folded: Vec<bool>,
}

/// How the matches of an expression are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Anchor {
    /// Every match holds one of these.
    pub(crate) literals: Vec<Literal>,
    /// The most bytes that a match has before the literal; none if there is no limit.
    pub(crate) before: Option<usize>,
    /// The most bytes that a match has from the literal on.
    pub(crate) behind: Option<usize>,
}

/// The best literals of an expression, if it has any that are worth looking for, and the expression from the literal on:
/// what does not match that there is no match. It is absent where the literal may stand at several places.
pub(crate) fn find(hir: &Hir) -> Option<(Anchor, Option<Hir>)> {
    search(&flatten(hir))
}

/// The top of an expression as a row of parts, groups opened: a secret is most often a group inside.
pub(crate) fn flatten(hir: &Hir) -> Vec<Hir> {
    let mut parts = Vec::new();
    let mut waiting = vec![hir.clone()];
    while let Some(next) = waiting.pop() {
        match next.kind() {
            HirKind::Concat(inner) => waiting.extend(inner.iter().rev().cloned()),
            HirKind::Capture(group) => waiting.push((*group.sub).clone()),
            // A text may be looked for from behind its last escaped character on.
            HirKind::Literal(literal) => {
                match literal.0.windows(2).position(|two| !is_plain(two[0]) && is_plain(two[1])) {
                    Some(at) => {
                        let (head, tail) = literal.0.split_at(at + 1);
                        waiting.push(Hir::literal(tail));
                        parts.push(Hir::literal(head));
                    }
                    None => parts.push(next),
                }
            }
            _ => parts.push(next),
        }
    }
    parts
}

/// Each stretch of parts that stands for a few exact texts is a candidate, and so is what every branch or round of a
/// single part holds; the rarest wins.
fn search(parts: &[Hir]) -> Option<(Anchor, Option<Hir>)> {
    let mut best: Option<(f64, (Anchor, Option<Hir>))> = None;
    let mut offer = |literals: Vec<Literal>, at: usize, exact: bool| {
        let Some(literals) = usable(literals) else { return };
        let cost = cost(&literals) * if exact { 1.0 } else { ANYWHERE };
        // An earlier literal of equal cost wins: what stands before it need not be looked at.
        if best.as_ref().is_some_and(|(known, _)| *known <= cost) {
            return;
        }
        let (head, tail) = parts.split_at(at);
        let tail = Hir::concat(tail.to_vec());
        let anchor = Anchor {
            literals,
            before: longest(head)
                .zip(if exact { Some(0) } else { parts[at].properties().maximum_len() })
                .map(|(a, b)| a + b),
            behind: tail.properties().maximum_len(),
        };
        best = Some((cost, (anchor, exact.then_some(tail))));
    };
    for at in 0..parts.len() {
        if exact(&parts[at]).is_some() {
            // Every start in a stretch is tried: the text may be rarer from its second part on, or fit the limit.
            offer(stretch(&parts[at..]), at, true);
        } else if let Some(literals) = inner(&parts[at], 0) {
            offer(literals, at, false);
        }
        if let HirKind::Alternation(_) = parts[at].kind()
            && let Some(prefixes) = prefixes(&parts[at..])
        {
            offer(prefixes, at, true);
        }
    }
    best.map(|(_, found)| found)
}

/// The most bytes that a row of parts matches.
fn longest(parts: &[Hir]) -> Option<usize> {
    parts.iter().try_fold(0_usize, |sum, part| Some(sum + part.properties().maximum_len()?))
}

/// The exact texts that a row of parts can begin with, as far as there are few.
fn stretch(parts: &[Hir]) -> Vec<Literal> {
    let mut texts = vec![Literal { bytes: Vec::new(), folded: Vec::new() }];
    for part in parts {
        let short = texts.iter().any(|text| text.bytes.len() < SHORTEST);
        let (next, ends) = match (exact(part), part.kind()) {
            (Some(next), _) => (next, false),
            // Of what is repeated the first round is certain.
            (None, HirKind::Repetition(Repetition { min: 1.., sub, .. })) if short => match exact(sub) {
                Some(next) => (next, true),
                None => break,
            },
            _ => break,
        };
        if texts.len() * next.len() > MOST
            || (next.len() > FEW && !short && !matches!(part.kind(), HirKind::Alternation(_)))
        {
            break;
        }
        if texts.iter().all(|text| text.bytes.len() >= LONGEST) {
            break;
        }
        texts = texts.iter().flat_map(|text| next.iter().map(|more| text.then(more))).collect();
        if ends {
            break;
        }
    }
    texts
}

/// What every alternative begins with, continued by what follows the alternation.
fn prefixes(parts: &[Hir]) -> Option<Vec<Literal>> {
    let HirKind::Alternation(branches) = parts.first()?.kind() else { return None };
    let mut all = Vec::new();
    for branch in branches {
        let mut row = flatten(branch);
        row.extend_from_slice(&parts[1..]);
        all.extend(stretch(&row));
    }
    Some(all)
}

impl Literal {
    fn then(&self, more: &Self) -> Self {
        let mut joined = self.clone();
        joined.bytes.extend_from_slice(&more.bytes);
        joined.folded.extend_from_slice(&more.folded);
        joined
    }

    /// How often its first bytes are to be expected, in hits per byte of source text.
    fn often(&self, length: usize) -> f64 {
        self.bytes.iter().zip(&self.folded).take(length).map(|(byte, folded)| share(*byte, *folded)).product()
    }

    /// Whether it stands at the start of `text`.
    pub(crate) fn starts(&self, text: &[u8]) -> bool {
        text.len() >= self.bytes.len()
            && self
                .bytes
                .iter()
                .zip(&self.folded)
                .zip(text)
                .all(|((own, folded), byte)| own == byte || (*folded && *own == byte.to_ascii_lowercase()))
    }
}

/// The few exact texts that a part stands for.
fn exact(hir: &Hir) -> Option<Vec<Literal>> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(vec![Literal { bytes: Vec::new(), folded: Vec::new() }]),
        HirKind::Literal(literal) => {
            let bytes = literal.0.to_vec();
            Some(vec![Literal { folded: vec![false; bytes.len()], bytes }])
        }
        HirKind::Class(class) => letters(class),
        HirKind::Capture(group) => exact(&group.sub),
        HirKind::Repetition(Repetition { min, max: Some(max), sub, .. }) if min == max && (1..=8).contains(min) => {
            let one = exact(sub)?;
            let [one] = one.as_slice() else { return None };
            Some(vec![(1..*min).fold(one.clone(), |sum, _| sum.then(one))])
        }
        HirKind::Repetition(Repetition { min: 0, max: Some(1), sub, .. }) => {
            let mut texts = exact(sub).filter(|texts| texts.len() <= FEW)?;
            texts.push(Literal { bytes: Vec::new(), folded: Vec::new() });
            Some(texts)
        }
        HirKind::Repetition(_) => None,
        HirKind::Concat(parts) => {
            let mut texts = vec![Literal { bytes: Vec::new(), folded: Vec::new() }];
            for part in parts {
                let next = exact(part)?;
                if texts.len() * next.len() > MOST {
                    return None;
                }
                texts = texts.iter().flat_map(|text| next.iter().map(|more| text.then(more))).collect();
            }
            Some(texts)
        }
        HirKind::Alternation(branches) => {
            let mut texts = Vec::new();
            for branch in branches {
                texts.extend(exact(branch)?);
                if texts.len() > MOST {
                    return None;
                }
            }
            Some(texts)
        }
    }
}

/// A class of one letter in both cases is that letter; of a few bytes, each of them.
fn letters(class: &Class) -> Option<Vec<Literal>> {
    let mut members: Vec<u8> = Vec::new();
    match class {
        Class::Bytes(class) => {
            for range in class.iter() {
                members.extend(range.start()..=range.end());
                if members.len() > MOST {
                    return None;
                }
            }
        }
        Class::Unicode(class) => {
            for range in class.iter() {
                for letter in range.start()..=range.end() {
                    match letter {
                        // The two letters outside ASCII that fold to k and s: their texts are not looked for.
                        '\u{212a}' | '\u{17f}' => {}
                        letter if letter.is_ascii() && members.len() <= MOST => members.push(letter as u8),
                        _ => return None,
                    }
                }
            }
        }
    }
    let pair = |byte: &u8| byte.is_ascii_lowercase() && members.contains(&byte.to_ascii_uppercase());
    let mut texts: Vec<Literal> = members
        .iter()
        .filter(|byte| !(byte.is_ascii_uppercase() && members.contains(&byte.to_ascii_lowercase())))
        .map(|byte| Literal { bytes: vec![*byte], folded: vec![pair(byte)] })
        .collect();
    texts.dedup();
    (texts.len() <= MOST / 2).then_some(texts)
}

/// What every match of a single part holds somewhere.
fn inner(hir: &Hir, depth: usize) -> Option<Vec<Literal>> {
    if depth > 32 {
        return None;
    }
    match hir.kind() {
        HirKind::Capture(group) => inner(&group.sub, depth + 1),
        HirKind::Repetition(repeated) if repeated.min >= 1 => inner(&repeated.sub, depth + 1),
        HirKind::Concat(_) => {
            let parts = flatten(hir);
            let stretches = (0..parts.len()).map(|at| match exact(&parts[at]) {
                Some(_) => usable(stretch(&parts[at..])),
                None => inner(&parts[at], depth + 1),
            });
            stretches.flatten().min_by(|a, b| cost(a).total_cmp(&cost(b)))
        }
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                all.extend(inner(branch, depth + 1)?);
            }
            usable(all)
        }
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => None,
        HirKind::Literal(_) | HirKind::Class(_) => usable(exact(hir)?),
    }
}

/// Cuts literals to the length that is looked at and drops doubles; none if one is too short to look for.
fn usable(literals: Vec<Literal>) -> Option<Vec<Literal>> {
    let mut literals: Vec<Literal> = literals.into_iter().flat_map(however_escaped).collect();
    for literal in &mut literals {
        literal.bytes.truncate(LONGEST);
        literal.folded.truncate(LONGEST);
        for (byte, folded) in literal.bytes.iter_mut().zip(&literal.folded) {
            if *folded {
                *byte = byte.to_ascii_lowercase();
            }
        }
    }
    literals.sort();
    // What begins with another one is found with it.
    literals.dedup_by(|next, kept| next.bytes.starts_with(&kept.bytes) && next.folded.starts_with(&kept.folded));
    let fits = !literals.is_empty() && literals.len() <= MOST && literals.iter().all(|one| one.bytes.len() >= SHORTEST);
    fits.then_some(literals)
}

/// The texts that a literal begins with, however JSON or a URL writes it: it is cut before a character that either may
/// escape, or where what is left is a common word behind what the escape begins with.
fn however_escaped(literal: Literal) -> Vec<Literal> {
    let plain = literal.bytes.iter().take_while(|byte| is_plain(**byte)).count();
    if plain < SHORTEST || plain >= literal.bytes.len().min(LONGEST) {
        return vec![literal];
    }
    let cut = |last: &[u8]| Literal {
        bytes: [&literal.bytes[..plain], last].concat(),
        folded: literal.folded[..plain].iter().copied().chain(last.iter().map(|_| false)).collect(),
    };
    if literal.often(plain) <= RARE {
        return vec![cut(&[])];
    }
    vec![cut(&literal.bytes[plain..=plain]), cut(b"\\"), cut(b"%")]
}

/// How often the literals are to be expected, in hits per byte of source text, roughly. One that begins with a character
/// that JSON or a URL escapes is missed where they do, and only better than one that is everywhere.
fn cost(literals: &[Literal]) -> f64 {
    let often = |literal: &Literal| {
        let often = literal.often(literal.bytes.len());
        if literal.bytes.first().is_some_and(|byte| is_plain(*byte)) { often } else { often.max(OFTEN) }
    };
    literals.iter().map(often).sum()
}

/// Whether a byte needs no escape in JSON and no more than a space does in a URL.
pub(crate) fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'~' | b' ')
}

/// The share of a byte in source text. A character that JSON or a URL would escape is not relied on.
pub(crate) fn share(byte: u8, folded: bool) -> f64 {
    let plain = match byte {
        b' ' => 0.15,
        b'e' | b't' => 0.07,
        b'a' | b'i' | b'n' | b'o' | b'r' | b's' => 0.05,
        b'c' | b'd' | b'l' | b'p' | b'u' | b'm' | b'f' | b'h' => 0.025,
        b'_' | b'.' | b'-' | b'0' | b'1' => 0.02,
        b'b' | b'g' | b'v' | b'y' | b'w' | b'k' | b'x' => 0.01,
        b'2'..=b'9' => 0.008,
        b'A'..=b'Z' | b'j' | b'q' | b'z' => 0.004,
        _ => 0.5,
    };
    if folded { plain * 1.2 } else { plain }
}
