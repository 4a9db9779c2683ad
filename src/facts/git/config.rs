//! Reads git's config format: sections, keys, quotes, continued lines. Includes are entries like others here; nothing
//! is followed or expanded.

/// A key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// `section.key` or `section.Sub.key`, section and key in lower case.
    pub name: String,
    /// The section, in lower case.
    pub section: String,
    /// The key, in lower case.
    pub key: String,
    /// Its value; None for a key alone, which means true.
    pub value: Option<String>,
    /// Its line, from 1.
    pub line: u32,
    /// That line as written.
    pub text: String,
}

/// Every setting, in order. What is not understood is skipped, as far as git would stop there: it is no setting.
pub fn parse(text: &str) -> Vec<Setting> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut settings = Vec::new();
    let (mut section, mut sub) = (String::new(), None);
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let mut rest = line.trim();
        if rest.starts_with('[') {
            let Some((name, name_sub, after)) = header(rest) else { continue };
            (section, sub) = (name, name_sub);
            rest = after.trim();
        }
        if rest.is_empty() || rest.starts_with(['#', ';']) || section.is_empty() {
            continue;
        }
        let (key, value) = match rest.split_once('=') {
            Some((key, value)) => (key.trim(), Some(value.to_owned())),
            None => (rest.split(['#', ';']).next().unwrap_or_default().trim(), None),
        };
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            continue;
        }
        let value = value.map(|first| {
            let mut reading = Reading::default();
            let mut goes_on = reading.line(&first);
            while let Some((_, line)) = goes_on.then(|| lines.next()).flatten() {
                goes_on = reading.line(line);
            }
            reading.done()
        });
        let key = key.to_ascii_lowercase();
        settings.push(Setting {
            name: [Some(section.clone()), sub.clone(), Some(key.clone())]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join("."),
            section: section.clone(),
            key,
            value,
            line: u32::try_from(at + 1).unwrap_or(u32::MAX),
            text: line.to_owned(),
        });
    }
    settings
}

/// `[section "Sub"]` or the old `[section.sub]`, and what follows on the line.
fn header(line: &str) -> Option<(String, Option<String>, &str)> {
    let inner = line.strip_prefix('[')?;
    let Some(quote) = inner.find(['"', ']']).filter(|at| inner[*at..].starts_with('"')) else {
        let (name, after) = inner.split_once(']')?;
        let (name, sub) = match name.split_once('.') {
            Some((name, sub)) => (name, Some(sub.to_ascii_lowercase())),
            None => (name, None),
        };
        return Some((name.trim().to_ascii_lowercase(), sub, after));
    };
    let name = inner[..quote].trim().to_ascii_lowercase();
    let mut sub = String::new();
    let mut chars = inner[quote + 1..].char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => sub.extend(chars.next().map(|(_, c)| c)),
            '"' => {
                let after = inner[quote + 1 + at + 1..].trim_start().strip_prefix(']')?;
                return Some((name, Some(sub), after));
            }
            c => sub.push(c),
        }
    }
    None
}

/// A value as it is put together from its lines.
#[derive(Default)]
struct Reading {
    out: String,
    /// Spaces that count only if something follows.
    spaces: String,
    quoted: bool,
}

impl Reading {
    /// Takes a line in; whether the value goes on with the next.
    fn line(&mut self, line: &str) -> bool {
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            match c {
                '"' => {
                    self.settle();
                    self.quoted = !self.quoted;
                }
                '\\' => match chars.next() {
                    None => return true,
                    Some('n') => self.push('\n'),
                    Some('t') => self.push('\t'),
                    Some('b') => {}
                    Some(c) => self.push(c),
                },
                '#' | ';' if !self.quoted => return false,
                c if c.is_whitespace() && !self.quoted => {
                    if !self.out.is_empty() {
                        self.spaces.push(c);
                    }
                }
                c => self.push(c),
            }
        }
        false
    }

    fn push(&mut self, c: char) {
        self.settle();
        self.out.push(c);
    }

    fn settle(&mut self) {
        self.out.push_str(&std::mem::take(&mut self.spaces));
    }

    fn done(self) -> String {
        self.out
    }
}

/// Whether the value is one that git reads as a yes or no.
pub fn is_boolean(value: Option<&str>) -> bool {
    value.is_none_or(|value| {
        matches!(value.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no" | "on" | "off" | "1" | "0" | "")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_git_does() {
        for (text, expected) in [
            ("[core]\n\tbare = false\n", vec![("core.bare", Some("false"))]),
            ("[Core]\nHooksPath=x", vec![("core.hookspath", Some("x"))]),
            ("[core] fsmonitor = \"./a b\" # c", vec![("core.fsmonitor", Some("./a b"))]),
            ("[filter \"A.b\"]\nclean = a \\\n  b", vec![("filter.A.b.clean", Some("a   b"))]),
            ("[a \"x\\\"]y\"]\nk", vec![("a.x\"]y.k", None)]),
            ("[alias]\nx = \"!sh -c 'a; b'\"", vec![("alias.x", Some("!sh -c 'a; b'"))]),
            ("[a.B]\nk=v", vec![("a.b.k", Some("v"))]),
            ("k=v\n[broken\nk=v\n[ok]\nk=v;c", vec![("ok.k", Some("v"))]),
            ("\u{feff}[a]\nk = \"x\ty\"", vec![("a.k", Some("x\ty"))]),
            ("[a]\nk = v\\", vec![("a.k", Some("v"))]),
            ("", vec![]),
        ] {
            let found = parse(text);
            let found: Vec<_> = found.iter().map(|s| (s.name.as_str(), s.value.as_deref())).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn words_for_yes_and_no_are_known() {
        assert!(is_boolean(None) && is_boolean(Some("True")) && is_boolean(Some("0")));
        assert!(!is_boolean(Some("./watch")));
    }
}
