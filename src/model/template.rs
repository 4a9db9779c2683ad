//! Sentences with holes: "`{item.name}` starts `{item.package}`".

/// A parsed sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Text and holes in order.
    pub parts: Vec<Part>,
}

/// A piece of a [`Template`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Said as it stands.
    Text(String),
    /// Replaced by the fact at this path.
    Fact(String),
}

impl Template {
    /// Parses `{path}` holes; `{{` and `}}` stand for braces. Err says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
            } else if brace == "}" {
                return Err("a `}` without its `{`; write `}}` for a brace".into());
            } else {
                let end = rest.find('}').ok_or("a `{` without its `}`; write `{{` for a brace")?;
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                parts.push(Part::Fact(rest[..end].trim().to_owned()));
                rest = &rest[end + 1..];
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self { parts })
    }

    /// The fact paths in its holes.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Fact(path) => Some(path.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Fills the holes.
    pub fn fill(&self, mut value: impl FnMut(&str) -> String) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Fact(path) => value(path),
            })
            .collect()
    }

    /// The sentence with its holes as written.
    pub fn source(&self) -> String {
        self.fill(|path| format!("{{{path}}}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_and_doubled_braces_kept() {
        let template = Template::parse("`{item.name}` sends `{{env:X}}`").expect("parses");
        assert_eq!(template.paths().collect::<Vec<_>>(), ["item.name"]);
        assert_eq!(template.fill(|_| "ctx".into()), "`ctx` sends `{env:X}`");
    }

    #[test]
    fn a_lone_brace_is_an_error() {
        for text in ["a { b", "a } b"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
