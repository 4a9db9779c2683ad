//! What is wrong with a check, profile or agent file, and where.

/// An error in a YAML file: file, line and the next move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogError {
    /// The file as it was named.
    pub file: String,
    /// Its text, for the excerpt; empty where it could not be read.
    pub text: String,
    /// From 1; 0 where the error has no line.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do; empty where the message says it.
    pub help: String,
}

impl std::error::Error for CatalogError {}

impl std::fmt::Display for CatalogError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}: {}", self.file, self.message),
        }
    }
}

impl CatalogError {
    /// An error of a whole file.
    pub fn file(file: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { file: file.into(), text: String::new(), line: 0, column: 0, message: message.into(), help: help.into() }
    }

    /// What the YAML parser said.
    pub fn yaml(file: &str, text: &str, error: &serde_yaml::Error) -> Self {
        let (line, column) = error.location().map_or((0, 0), |at| (at.line(), at.column()));
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        // The parser names our types, which say nothing to a reader.
        let message = match message.split_once(", expected struct ") {
            Some((found, _)) => format!("{found}, expected keys with values, as in `key: value`"),
            None => message.to_owned(),
        };
        let help = meant(&message).map_or_else(String::new, |near| format!("did you mean `{near}`?"));
        Self { file: file.into(), text: text.into(), line, column, message, help }
    }

    /// An error about a word of the file: placed at the first line that holds it.
    pub fn at_word(file: &str, text: &str, word: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        let found = text.lines().enumerate().find_map(|(at, line)| Some((at + 1, line.find(word)? + 1)));
        let (line, column) = found.unwrap_or((0, 0));
        Self { file: file.into(), text: text.into(), line, column, message: message.into(), help: help.into() }
    }
}

impl CatalogError {
    /// The same, at the first line of `text` that holds the word the message speaks of.
    pub(super) fn placed(self, text: &str) -> Self {
        let word = self.message.split('`').nth(1).unwrap_or_default().to_owned();
        if word.is_empty() { self } else { Self::at_word(&self.file, text, &word, self.message, self.help) }
    }
}

/// The nearest of the names that the parser lists behind one that it does not know.
fn meant(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("unknown field `").or_else(|| message.split_once("unknown variant `"))?;
    let (word, names) = rest.split_once('`')?;
    nearest(word, names.split('`').skip(1).step_by(2))
}

/// The candidate that `word` was most likely meant to be, upper and lower case alike; letters that changed places are
/// one mistake. A candidate that shares too little with the word is none.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(far, candidate)| *far <= (candidate.chars().count().max(word.chars().count()) / 3).max(1))
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_and_a_far_one_is_not() {
        assert_eq!(nearest("verson", ["version", "name"]), Some("version"));
        assert_eq!(nearest("zzzzzz", ["version", "name"]), None);
        assert_eq!(nearest("nonsense", ["version", "MCP-03"]), None);
        assert_eq!(nearest("MCP-30", ["MCP-01", "MCP-03", "USR-30"]), Some("MCP-03"));
        assert_eq!(nearest("mcp03", ["MCP-01", "MCP-03"]), Some("MCP-03"));
        assert_eq!(nearest("hihg", ["low", "high", "hint"]), Some("high"));
        for (message, expected) in [
            ("unknown field `paramaters`, expected one of `profile`, `parameters`", Some("parameters")),
            ("severity: unknown variant `hihg`, expected one of `low`, `high`", Some("high")),
            ("unknown field `x`, there are no fields", None),
            ("missing field `version`", None),
        ] {
            assert_eq!(meant(message), expected, "{message}");
        }
    }
}
