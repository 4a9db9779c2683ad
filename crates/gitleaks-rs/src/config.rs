//! Reads rules from TOML, in Gitleaks' form. Keys that this crate gives no meaning to are errors, not silence.

use serde::Deserialize;

use crate::rule::{Allowlist, Rule, Target};

/// Why rules could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Not TOML of the form.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// A rule cannot work.
    #[error("rule `{rule}`: {problem}")]
    Rule {
        /// Its id.
        rule: String,
        /// What is wrong.
        problem: String,
    },
}

impl LoadError {
    pub(crate) fn rule(rule: &str, problem: impl std::fmt::Display) -> Self {
        Self::Rule { rule: rule.to_owned(), problem: problem.to_string() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    #[expect(dead_code, reason = "for readers of the file")]
    title: String,
    #[serde(default)]
    #[expect(dead_code, reason = "for readers of the file")]
    description: String,
    rules: Vec<RawRule>,
    #[serde(default)]
    allowlists: Vec<RawAllowlist>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawRule {
    id: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    regex: String,
    /// A rule for files of some name: not for a scan of bytes.
    path: Option<String>,
    #[serde(default)]
    secret_group: usize,
    #[serde(default)]
    entropy: f32,
    keywords: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    allowlists: Vec<RawAllowlist>,
    #[expect(dead_code, reason = "for tests of the file")]
    examples: Option<Vec<String>>,
    #[expect(dead_code, reason = "for tests of the file")]
    negatives: Option<Vec<String>>,
    #[expect(dead_code, reason = "for readers of the file")]
    rotate: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawAllowlist {
    #[serde(default)]
    #[expect(dead_code, reason = "for readers of the file")]
    description: String,
    #[serde(default)]
    regex_target: String,
    #[serde(default)]
    regexes: Vec<String>,
    #[serde(default)]
    stopwords: Vec<String>,
}

/// The rules of a file and the allowlists that hold for all of them. Nothing is compiled yet.
pub(crate) fn parse(text: &str) -> Result<(Vec<Rule>, Vec<Allowlist>), LoadError> {
    let config: Config = toml::from_str(text)?;
    let rules = config.rules.into_iter().filter(|rule| rule.path.is_none()).map(rule).collect::<Result<_, _>>()?;
    let allowlists = config.allowlists.into_iter().map(|raw| allowlist("(all)", raw)).collect::<Result<_, _>>()?;
    Ok((rules, allowlists))
}

fn rule(raw: RawRule) -> Result<Rule, LoadError> {
    if raw.id.trim().is_empty() {
        return Err(LoadError::rule("", "it has no id"));
    }
    if raw.keywords.iter().all(String::is_empty) {
        return Err(LoadError::rule(&raw.id, "it has no keyword"));
    }
    let allowlists =
        raw.allowlists.into_iter().map(|list| allowlist(&raw.id, list)).collect::<Result<Vec<_>, LoadError>>()?;
    let keywords = raw.keywords.iter().map(|word| word.to_lowercase()).collect();
    Ok(Rule::new(raw.id, raw.description, raw.regex, raw.secret_group, raw.entropy, keywords, raw.tags, allowlists))
}

fn allowlist(rule: &str, raw: RawAllowlist) -> Result<Allowlist, LoadError> {
    let target = match raw.regex_target.as_str() {
        "" | "secret" => Target::Secret,
        "match" => Target::Match,
        "line" => Target::Line,
        other => return Err(LoadError::rule(rule, format!("regexTarget `{other}` is not secret, match or line"))),
    };
    if raw.regexes.is_empty() && raw.stopwords.is_empty() {
        return Err(LoadError::rule(rule, "an allowlist names neither regexes nor stopwords"));
    }
    Ok(Allowlist::new(target, raw.regexes, raw.stopwords.iter().map(|word| word.to_lowercase()).collect()))
}
