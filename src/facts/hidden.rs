//! Characters that a reader does not see and a model does: in instructions they carry orders past a review.
//!
//! Scripts and emoji need some of them. Each exception here is as narrow as its use: a joiner between the letters of
//! a script that joins, one selector behind one symbol, the three flags that are spelled with tags.

use unicode_script::{Script, UnicodeScript};

/// What a hidden character is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Hiding {
    /// Copies of ASCII that nothing displays.
    Tag,
    /// Changes the order in which text is displayed.
    BidiControl,
    /// Takes no room.
    ZeroWidth,
    /// Chooses between forms of the character before it; a run of them can encode anything.
    VariationSelector,
    /// A run of characters without a public meaning.
    PrivateUse,
    /// A run of optional hyphens.
    SoftHyphen,
    /// Steers a terminal.
    Control,
    /// A word of Latin letters with look-alikes of another script.
    MixedScript,
}

/// A run of hidden characters of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) kind: Hiding,
    pub(super) first: char,
    pub(super) count: u32,
    pub(super) line: u32,
    pub(super) column: u32,
}

impl Run {
    /// `3 x U+200B ZERO WIDTH SPACE`.
    pub(super) fn name(&self) -> String {
        let times = if self.count > 1 { format!("{} x ", self.count) } else { String::new() };
        format!("{times}U+{:04X} {}", u32::from(self.first), name_of(self.first, self.kind))
    }
}

/// Runs shorter than this are icons, not text.
const PRIVATE_RUN: u32 = 8;

/// The hidden characters of a text, in order, at most `limit` runs.
pub(super) fn hidden(text: &str, limit: usize) -> Vec<Run> {
    let mut runs = Vec::new();
    for (at, line) in text.split('\n').enumerate() {
        let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
        if !line.is_ascii() || line.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
            hidden_in_line(line, number, &mut runs);
        }
        if runs.len() >= limit {
            break;
        }
    }
    runs.truncate(limit);
    runs
}

fn hidden_in_line(line: &str, number: u32, runs: &mut Vec<Run>) {
    let chars: Vec<char> = line.chars().collect();
    // Asked once for each line: a hostile one may be nothing but marks.
    let is_rtl = chars.iter().any(|c| is_right_to_left(*c));
    let start = runs.len();
    let mut open: Option<Run> = None;
    for at in 0..chars.len() {
        let kind = hiding(&chars, at, number, is_rtl);
        match (&mut open, kind) {
            (Some(run), Some(kind)) if run.kind == kind => run.count += 1,
            (_, kind) => {
                runs.extend(open.take());
                open = kind.map(|kind| Run {
                    kind,
                    first: chars[at],
                    count: 1,
                    line: number,
                    column: u32::try_from(at + 1).unwrap_or(u32::MAX),
                });
            }
        }
    }
    runs.extend(open);
    let long_enough = |run: &Run| match run.kind {
        Hiding::PrivateUse => run.count >= PRIVATE_RUN,
        Hiding::SoftHyphen => run.count >= 2,
        _ => true,
    };
    let mut kept: Vec<Run> = runs.drain(start..).filter(long_enough).collect();
    kept.extend(mixed_words(&chars, number));
    kept.sort_by_key(|run| run.column);
    runs.append(&mut kept);
}

/// Whether the character at a place in its line hides something there.
fn hiding(line: &[char], at: usize, number: u32, is_rtl: bool) -> Option<Hiding> {
    let c = *line.get(at)?;
    let before = at.checked_sub(1).and_then(|at| line.get(at)).copied();
    let behind = line.get(at + 1).copied();
    match c {
        '\u{9}' | '\u{c}' => None,
        '\r' => behind.is_some().then_some(Hiding::Control).filter(|_| behind != Some('\r')),
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' => Some(Hiding::Control),
        '\u{e0000}'..='\u{e007f}' => (!is_flag(line, at)).then_some(Hiding::Tag),
        '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202c}' | '\u{2066}'..='\u{2069}' => {
            (!is_rtl).then_some(Hiding::BidiControl)
        }
        '\u{202d}' | '\u{202e}' => Some(Hiding::BidiControl),
        '\u{feff}' if number == 1 && at == 0 => None,
        '\u{200b}' => (!before.or(behind).is_some_and(breaks_by_zero_width)).then_some(Hiding::ZeroWidth),
        '\u{200c}' | '\u{200d}' => (!joins(before, behind)).then_some(Hiding::ZeroWidth),
        '\u{180e}'
        | '\u{2060}'..='\u{2064}'
        | '\u{206a}'..='\u{206f}'
        | '\u{feff}'
        | '\u{34f}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{1d173}'..='\u{1d17a}' => Some(Hiding::ZeroWidth),
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => {
            let hangul = |c: Option<char>| c.is_some_and(|c| c.script() == Script::Hangul && c != '\u{3164}');
            (!hangul(before) && !hangul(behind)).then_some(Hiding::ZeroWidth)
        }
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => {
            is_stray_selector(c, before, behind).then_some(Hiding::VariationSelector)
        }
        '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}' => Some(Hiding::PrivateUse),
        '\u{ad}' => Some(Hiding::SoftHyphen),
        _ => None,
    }
}

/// Part of the flag of England, Scotland or Wales.
fn is_flag(line: &[char], at: usize) -> bool {
    let is_tag = |c: &char| ('\u{e0000}'..='\u{e007f}').contains(c);
    // The longest of the three has six tags.
    let nearest = at.saturating_sub(6);
    let start = line[nearest..at].iter().rposition(|c| !is_tag(c)).map(|start| nearest + start);
    let Some(start) = start.filter(|start| line[*start] == '\u{1f3f4}') else { return false };
    let tags: Vec<u32> =
        line[start + 1..].iter().take(7).take_while(|c| is_tag(c)).map(|c| u32::from(*c) - 0xe0000).collect();
    let word: String = tags.iter().filter_map(|code| char::from_u32(*code)).collect();
    matches!(word.as_str(), "gbeng\u{7f}" | "gbsct\u{7f}" | "gbwls\u{7f}")
}

fn is_right_to_left(c: char) -> bool {
    matches!(
        c.script(),
        Script::Arabic | Script::Hebrew | Script::Syriac | Script::Thaana | Script::Nko | Script::Adlam
    )
}

/// Scripts without spaces, where a zero width space marks the end of a word.
fn breaks_by_zero_width(c: char) -> bool {
    matches!(
        c.script(),
        Script::Thai | Script::Lao | Script::Khmer | Script::Myanmar | Script::Tibetan | Script::Javanese
    )
}

/// Whether a joiner or non-joiner stands where it is needed: inside an emoji, or behind a letter of a script whose
/// letters change their form.
fn joins(before: Option<char>, behind: Option<char>) -> bool {
    let Some(before) = before else { return false };
    let shaping = matches!(
        before.script(),
        Script::Arabic
            | Script::Syriac
            | Script::Mongolian
            | Script::Nko
            | Script::Devanagari
            | Script::Bengali
            | Script::Gurmukhi
            | Script::Gujarati
            | Script::Oriya
            | Script::Tamil
            | Script::Telugu
            | Script::Kannada
            | Script::Malayalam
            | Script::Sinhala
            | Script::Khmer
            | Script::Myanmar
    );
    let emoji = is_emoji(before) || before == '\u{fe0f}' || ('\u{1f3fb}'..='\u{1f3ff}').contains(&before);
    shaping || emoji && behind.is_some_and(is_emoji)
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{1f000}'..='\u{1faff}')
}

/// One selector that lost its base shows nothing and says nothing; anything more can carry text.
fn is_stray_selector(c: char, before: Option<char>, behind: Option<char>) -> bool {
    let is_selector = |c: char| matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}');
    if before.is_some_and(is_selector) || behind.is_some_and(is_selector) {
        return true;
    }
    match c {
        '\u{fe0e}' | '\u{fe0f}' => false,
        _ => !before.is_some_and(|base| {
            matches!(base.script(), Script::Han | Script::Mongolian | Script::Phags_Pa | Script::Myanmar)
                || is_emoji(base)
                || ('\u{2200}'..='\u{22ff}').contains(&base)
        }),
    }
}

/// Words that mix Latin letters with look-alikes, where every foreign letter is one: a Russian ending on an English
/// stem has letters that look like nothing in Latin.
fn mixed_words(line: &[char], number: u32) -> Vec<Run> {
    const LOOK_ALIKES: &str = "аеорсухіјѕһԁԛԝӏАВЕКМНОРСТУХІЈЅοορνκΑΒΕΖΗΙΚΜΝΟΡΤΥΧ";
    let mut runs = Vec::new();
    let mut at = 0;
    while at < line.len() {
        let length = line[at..].iter().take_while(|c| c.is_alphabetic()).count();
        let word = &line[at..at + length];
        let foreign: Vec<(usize, char)> = word
            .iter()
            .enumerate()
            .filter(|(_, c)| {
                matches!(c.script(), Script::Cyrillic | Script::Greek | Script::Armenian | Script::Cherokee)
            })
            .map(|(at, c)| (at, *c))
            .collect();
        let latin = word.iter().filter(|c| c.is_ascii_alphabetic()).count();
        let all_alike = foreign.iter().all(|(_, c)| LOOK_ALIKES.contains(*c));
        if let Some((first, c)) = foreign.first().filter(|_| all_alike && latin >= 2 && length >= 4) {
            runs.push(Run {
                kind: Hiding::MixedScript,
                first: *c,
                count: u32::try_from(foreign.len()).unwrap_or(u32::MAX),
                line: number,
                column: u32::try_from(at + first + 1).unwrap_or(u32::MAX),
            });
        }
        at += length.max(1);
    }
    runs
}

fn name_of(c: char, kind: Hiding) -> &'static str {
    match c {
        '\u{200b}' => "ZERO WIDTH SPACE",
        '\u{200c}' => "ZERO WIDTH NON-JOINER",
        '\u{200d}' => "ZERO WIDTH JOINER",
        '\u{2060}' => "WORD JOINER",
        '\u{feff}' => "ZERO WIDTH NO-BREAK SPACE",
        '\u{200e}' => "LEFT-TO-RIGHT MARK",
        '\u{200f}' => "RIGHT-TO-LEFT MARK",
        '\u{202a}' => "LEFT-TO-RIGHT EMBEDDING",
        '\u{202b}' => "RIGHT-TO-LEFT EMBEDDING",
        '\u{202c}' => "POP DIRECTIONAL FORMATTING",
        '\u{202d}' => "LEFT-TO-RIGHT OVERRIDE",
        '\u{202e}' => "RIGHT-TO-LEFT OVERRIDE",
        '\u{2066}' => "LEFT-TO-RIGHT ISOLATE",
        '\u{2067}' => "RIGHT-TO-LEFT ISOLATE",
        '\u{2068}' => "FIRST STRONG ISOLATE",
        '\u{2069}' => "POP DIRECTIONAL ISOLATE",
        '\u{3164}' => "HANGUL FILLER",
        '\u{1b}' => "ESCAPE",
        _ => match kind {
            Hiding::Tag => "TAG character",
            Hiding::BidiControl => "bidirectional control",
            Hiding::ZeroWidth => "invisible character",
            Hiding::VariationSelector => "VARIATION SELECTOR",
            Hiding::PrivateUse => "private use character",
            Hiding::SoftHyphen => "SOFT HYPHEN",
            Hiding::Control => "control character",
            Hiding::MixedScript => "look-alike in a Latin word",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Hiding, u32, u32, u32)> {
        hidden(text, 100).into_iter().map(|run| (run.kind, run.count, run.line, run.column)).collect()
    }

    #[test]
    fn hidden_characters_are_found_with_their_place() {
        for (text, found) in [
            ("a\nb\u{200b}c", (Hiding::ZeroWidth, 1, 2, 2)),
            ("hi\u{e0069}\u{e0067}", (Hiding::Tag, 2, 1, 3)),
            ("if \u{202e}x", (Hiding::BidiControl, 1, 1, 4)),
            ("a \u{2066}x\u{2069}", (Hiding::BidiControl, 1, 1, 3)),
            ("\u{1f600}\u{e0101}\u{e0102}\u{e0103}", (Hiding::VariationSelector, 3, 1, 2)),
            ("a\u{fe01}", (Hiding::VariationSelector, 1, 1, 2)),
            ("a\u{1b}[8mb", (Hiding::Control, 1, 1, 2)),
            ("p\u{430}ssword", (Hiding::MixedScript, 1, 1, 2)),
            ("a\u{ad}\u{ad}b", (Hiding::SoftHyphen, 2, 1, 2)),
            ("x \u{feff}", (Hiding::ZeroWidth, 1, 1, 3)),
            ("a\u{200d}b", (Hiding::ZeroWidth, 1, 1, 2)),
            ("\u{1f3f4}\u{e0068}\u{e0069}\u{e007f}", (Hiding::Tag, 3, 1, 2)),
        ] {
            assert_eq!(kinds(text).first(), Some(&found), "{text:?}");
        }
    }

    #[test]
    fn scripts_and_emoji_keep_what_they_need() {
        for text in [
            "\u{feff}# Title",
            "\u{26a0}\u{fe0f} careful",
            "1\u{fe0f}\u{20e3} first",
            "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
            "\u{1f3f3}\u{fe0f}\u{200d}\u{1f308}",
            "\u{1f469}\u{1f3fd}\u{200d}\u{1f4bb}",
            "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
            "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
            "\u{915}\u{94d}\u{200d}\u{937}",
            "\u{5d0}\u{200f} abc",
            "\u{e2a}\u{e27}\u{200b}\u{e31}",
            "\u{845b}\u{e0100}",
            "commit\u{438}\u{442}\u{44c}",
            "\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442}",
            "5 \u{3bc}s, \u{394}t",
            "line\r",
            "co\u{ad}operate",
            " \u{e0a0} main",
            "tab\there",
        ] {
            assert_eq!(kinds(text), [], "{text:?}");
        }
    }
}
