//! Sentences with holes: "`{item.name}` starts `{item.package}`[[ as {item.account}]]".

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
    /// Said only where every hole in it has something to say.
    Clause(Template),
}

impl Template {
    /// Parses `{path}` holes and `[[clauses]]`, which are left out where a hole in them has no value; `{{` and `}}`
    /// stand for braces. Err says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("[[") {
            let (inside, behind) = after.split_once("]]").ok_or("a `[[` without its `]]`")?;
            parts.extend(holes(before)?);
            let clause = Self { parts: holes(inside)? };
            // Brackets without a hole are brackets, of a shell's test for one.
            let says_more = clause.paths().next().is_some();
            parts.push(if says_more { Part::Clause(clause) } else { Part::Text(format!("[[{}]]", clause.source())) });
            rest = behind;
        }
        parts.extend(holes(rest)?);
        Ok(Self { parts })
    }

    /// The fact paths in its holes.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let mut paths = Vec::new();
        self.collect(&mut paths);
        paths.into_iter()
    }

    fn collect<'a>(&'a self, paths: &mut Vec<&'a str>) {
        for part in &self.parts {
            match part {
                Part::Text(_) => {}
                Part::Fact(path) => paths.push(path),
                Part::Clause(clause) => clause.collect(paths),
            }
        }
    }

    /// Fills the holes; `value` knows None where there is nothing to say.
    pub fn fill(&self, value: &dyn Fn(&str) -> Option<String>) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Fact(path) => value(path).unwrap_or_else(|| "(none)".into()),
            Part::Clause(clause) if clause.paths().all(|path| value(path).is_some()) => clause.fill(value),
            Part::Clause(_) => String::new(),
        };
        self.parts.iter().map(part).collect()
    }

    /// The sentence with its holes as written, and all its clauses.
    pub fn source(&self) -> String {
        self.fill(&|path| Some(format!("{{{path}}}")))
    }
}

fn holes(text: &str) -> Result<Vec<Part>, String> {
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
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_and_doubled_braces_kept() {
        let template = Template::parse("`{item.name}` sends `{{env:X}}`").expect("parses");
        assert_eq!(template.paths().collect::<Vec<_>>(), ["item.name"]);
        assert_eq!(template.fill(&|_| Some("ctx".into())), "`ctx` sends `{env:X}`");
    }

    #[test]
    fn a_clause_is_said_where_its_holes_have_something_to_say() {
        let template = Template::parse("open:[[ {a};]][[ {b} as {c};]] if [[ -f x ]]").expect("parses");
        assert_eq!(template.paths().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(template.fill(&|path| (path != "c").then(|| path.to_uppercase())), "open: A; if [[ -f x ]]");
        assert_eq!(Template::parse("{a}").expect("parses").fill(&|_| None), "(none)");
    }

    #[test]
    fn a_lone_brace_is_an_error() {
        for text in ["a { b", "a } b", "a [[ {b}"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
