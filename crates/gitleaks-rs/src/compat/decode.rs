//! Passes over a text: each one puts decoded parts in the place of encoded ones and remembers where they came from.

use super::encoding::{Encoding, encoded_parts};
use crate::go_regex::Text;

/// From one byte to another, ends included where two are compared: touching counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    fn touches(self, other: Self) -> bool {
        other.start <= self.end && other.end >= self.start
    }

    fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    fn joined(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// A decoded part of a text.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// Where it was in the first text.
    original: Span,
    /// Where it was in the text before.
    encoded: Span,
    /// Where it is now.
    pub(super) decoded: Span,
    /// By which encodings it went, over all passes; a bit for each.
    encodings: u8,
}

/// A text after some passes, with the segments of each of them.
pub(super) struct Decoded {
    pub(super) text: Vec<u8>,
    passes: Vec<Vec<Segment>>,
}

impl Decoded {
    /// The next pass over a text; none if nothing in it decodes.
    pub(super) fn next(text: &Text<'_>, before: Option<&Self>) -> Option<Self> {
        let known: &[Vec<Segment>] = before.map_or(&[], |before| &before.passes);
        let (mut out, mut from, mut segments) = (Vec::with_capacity(text.bytes().len()), 0, Vec::new());
        for (encoding, place) in encoded_parts(text) {
            let Some(value) = encoding.decode(&text.bytes()[place.clone()]) else { continue };
            let encoded = Span { start: place.start, end: place.end };
            out.extend_from_slice(&text.bytes()[from..place.start]);
            let decoded = Span { start: out.len(), end: out.len() + value.len() };
            out.extend_from_slice(&value);
            from = place.end;
            let inherited = known.last().into_iter().flatten().filter(|older| encoded.touches(older.decoded));
            let encodings = inherited.fold(1 << encoding as u8, |bits, older| bits | older.encodings);
            segments.push(Segment { original: to_original(known, encoded), encoded, decoded, encodings });
        }
        if segments.is_empty() {
            return None;
        }
        out.extend_from_slice(&text.bytes()[from..]);
        let passes = known.iter().cloned().chain([segments]).collect();
        Some(Self { text: out, passes })
    }

    /// What a match in this text came from, if it touches anything that was decoded.
    pub(super) fn source(&self, start: usize, end: usize) -> Option<Origin> {
        let found = Span { start, end };
        let (last, before) = self.passes.split_last()?;
        let touched: Vec<Segment> = last.iter().filter(|one| one.decoded.touches(found)).cloned().collect();
        if touched.is_empty() {
            return None;
        }
        let place = match one_level(&touched, found) {
            Level::Done(span) => span,
            Level::Up(span) => to_original(before, span),
        };
        let bits = touched.iter().fold(0, |bits, one| bits | one.encodings);
        let kinds = Encoding::ALL.into_iter().filter(|kind| bits >> *kind as u8 & 1 == 1);
        let mut tags: Vec<String> = kinds.map(|kind| format!("decoded:{}", kind.name())).collect();
        tags.push(format!("decode-depth:{}", self.passes.len()));
        let whole = touched.iter().map(|one| one.decoded).reduce(Span::joined)?;
        Some(Origin { place, tags, line: self.line(whole) })
    }

    /// From the newline before a span to the one behind it.
    fn line(&self, span: Span) -> std::ops::Range<usize> {
        let (start, end) = (span.start.min(self.text.len()), span.end.min(self.text.len()));
        // The first decoded byte itself may be a newline.
        let seen = &self.text[..self.text.len().min(start + 1)];
        let from = memchr::memrchr(b'\n', seen).unwrap_or(0);
        let to = memchr::memchr(b'\n', &self.text[end..]).map_or(self.text.len(), |length| end + length);
        from..to
    }
}

/// Where a match in a decoded text came from.
pub(super) struct Origin {
    /// Its place in the first text.
    pub(super) place: Span,
    /// How it was decoded.
    pub(super) tags: Vec<String>,
    /// Its line in the decoded text.
    pub(super) line: std::ops::Range<usize>,
}

/// A place, pass by pass, back in the first text.
fn to_original(passes: &[Vec<Segment>], mut span: Span) -> Span {
    for segments in passes.iter().rev() {
        match one_level(segments, span) {
            Level::Done(original) => return original,
            Level::Up(before) => span = before,
        }
    }
    span
}

enum Level {
    /// In the first text.
    Done(Span),
    /// In the text before.
    Up(Span),
}

fn one_level(segments: &[Segment], span: Span) -> Level {
    let mut encoded: Option<Span> = None;
    for one in segments.iter().filter(|one| one.decoded.touches(span)) {
        if one.decoded.contains(span) {
            return Level::Done(one.original);
        }
        // What sticks out on either side sticks out of the encoded part as far.
        let joined = one.decoded.joined(span);
        let moved = Span {
            start: one.encoded.start.saturating_sub(one.decoded.start - joined.start),
            end: one.encoded.end + (joined.end - one.decoded.end),
        };
        encoded = Some(encoded.map_or(moved, |known| known.joined(moved)));
    }
    match encoded {
        Some(span) => Level::Up(span),
        None => Level::Done(span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lead_back_to_the_first_text_over_all_passes() {
        // "key: <secret-value-of-ours>" with the value in base64, then all of it with percent signs.
        let first = b"x\nbefore %6bey: c2VjcmV0LXZhbHVlLW9m%4c%57%39%31%63%6e%4d%3d after";
        let text = Text::new(first);
        let one = Decoded::next(&text, None).expect("percent signs");
        assert_eq!(one.text, b"x\nbefore key: c2VjcmV0LXZhbHVlLW9mLW91cnM= after");
        let two = Decoded::next(&Text::new(&one.text), Some(&one)).expect("base64");
        assert_eq!(two.text, b"x\nbefore key: secret-value-of-ours after");
        assert!(Decoded::next(&Text::new(&two.text), Some(&two)).is_none());
        let origin = two.source(14, 20).expect("it is decoded");
        assert_eq!(
            &first[origin.place.start..origin.place.end],
            b"%6bey: c2VjcmV0LXZhbHVlLW9m%4c%57%39%31%63%6e%4d%3d"
        );
        assert_eq!(origin.tags, ["decoded:percent", "decoded:base64", "decode-depth:2"]);
        assert_eq!(&two.text[origin.line], b"\nbefore key: secret-value-of-ours after");
        assert!(two.source(0, 5).is_none());
        assert_eq!(two.source(2, 20).map(|origin| origin.place.start), Some(2));
    }
}
