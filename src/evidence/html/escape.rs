//! Texts as HTML takes them.

use std::borrow::Cow;

/// Text that stays text, between tags and in quoted attributes.
pub(super) fn esc(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'', '`']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '`' => out.push_str("&#96;"),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// A sentence of ours, whose code spans become elements.
pub(super) fn sentence(text: &str) -> String {
    let pieces: Vec<&str> = text.split('`').collect();
    let mut out = String::new();
    for (at, piece) in pieces.iter().enumerate() {
        // Behind the last odd backtick nothing is open.
        if at % 2 == 1 && at + 1 < pieces.len() {
            out.push_str("<code>");
            out.push_str(&esc(piece));
            out.push_str("</code>");
        } else {
            out.push_str(&esc(piece));
        }
    }
    out
}

/// Bytes as a content policy writes hashes.
pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let three = [chunk[0], chunk.get(1).copied().unwrap_or(0), chunk.get(2).copied().unwrap_or(0)];
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_texts() {
        assert_eq!(esc("a<b>&\"'`"), "a&lt;b&gt;&amp;&quot;&#39;&#96;");
        for (text, shown) in [
            ("runs `a<b` now", "runs <code>a&lt;b</code> now"),
            ("left `open", "left open"),
            ("<i>`x`</i>", "&lt;i&gt;<code>x</code>&lt;/i&gt;"),
        ] {
            assert_eq!(sentence(text), shown, "{text}");
        }
    }

    #[test]
    fn hashes_are_written_as_policies_do() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
