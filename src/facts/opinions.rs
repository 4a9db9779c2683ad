//! Reports of other scanners: gitleaks, trufflehog, kingfisher. They hold secrets; here those become hashes at once.
//! Whoever wrote them is not trusted: nothing of their text is told but rules, places and what they are sure of.

use gitleaks_rs::Key;
use serde_json::Value;

/// A finding of another scanner.
#[derive(Debug, PartialEq)]
pub struct Opinion {
    /// Which scanner.
    pub tool: &'static str,
    /// Its rule.
    pub rule: String,
    /// The file, as that scanner names it.
    pub path: String,
    /// Its line; 0 where that is not told.
    pub line: u32,
    /// Its column; 0 where that is not told.
    pub column: u32,
    /// The commit.
    pub commit: Option<String>,
    /// The keyed hash of the secret, where the report shows it.
    pub hash: Option<String>,
    /// Whether the scanner has used the secret and it worked.
    pub live: bool,
}

/// The findings of a report, which is one JSON value or one on each line.
pub fn opinions(text: &str, key: &Key) -> Result<Vec<Opinion>, String> {
    let mut all = Vec::new();
    let mut known = text.trim().is_empty();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let value = value.map_err(|error| match error.classify() {
            serde_json::error::Category::Io | serde_json::error::Category::Eof => "it ends too early".to_owned(),
            // The error's own words may quote the text.
            _ => format!("line {} is no JSON", error.line()),
        })?;
        let list = match &value {
            Value::Array(list) => list.as_slice(),
            Value::Object(_) => {
                value.get("findings").and_then(Value::as_array).map_or(std::slice::from_ref(&value), Vec::as_slice)
            }
            _ => return Err("it holds something else than findings".to_owned()),
        };
        known |= list.is_empty();
        for one in list {
            match opinion(one, key) {
                Some(opinion) => all.push(opinion),
                // Summaries stand between and behind findings.
                None if one.get("audit").is_some() || one.get("findings").is_some() => {}
                None => return Err("a finding in it has no file that could be read".to_owned()),
            }
            known = true;
        }
    }
    if known { Ok(all) } else { Err("it holds no findings".to_owned()) }
}

fn opinion(one: &Value, key: &Key) -> Option<Opinion> {
    let text =
        |path: &str| one.pointer(path).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let number =
        |path: &str| one.pointer(path).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    let hash = |path: &str| {
        let secret = text(path).filter(|secret| !secret.starts_with("REDACTED") && !secret.ends_with("..."))?;
        Some(key.mark(secret.as_bytes()))
    };
    if let Some(rule) = text("/RuleID") {
        return Some(Opinion {
            tool: "gitleaks",
            rule,
            path: text("/File")?,
            line: number("/StartLine"),
            column: 0,
            commit: text("/Commit"),
            hash: hash("/Secret"),
            live: false,
        });
    }
    if let Some(rule) = text("/DetectorName") {
        let data = one.pointer("/SourceMetadata/Data")?.as_object()?;
        let source = data.values().find(|source| source.get("file").is_some())?;
        let source_text = |name: &str| source.get(name).and_then(Value::as_str).map(str::to_owned);
        return Some(Opinion {
            tool: "trufflehog",
            rule,
            path: source_text("file")?,
            line: source.get("line").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
            column: 0,
            commit: source_text("commit"),
            hash: hash("/Raw"),
            live: one.get("Verified").and_then(Value::as_bool).unwrap_or(false),
        });
    }
    let path = text("/finding/git_metadata/file/path").or_else(|| text("/finding/path"))?;
    Some(Opinion {
        tool: "kingfisher",
        rule: text("/rule/id")?,
        path,
        line: number("/finding/line"),
        column: number("/finding/column_start"),
        commit: text("/finding/git_metadata/commit/id"),
        hash: hash("/finding/snippet"),
        live: text("/finding/validation/status").is_some_and(|status| status == "Active Credential"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Opinion>, String> {
        opinions(text, &Key::new([7; 32]))
    }

    #[test]
    fn what_is_no_report_is_said_without_being_quoted() {
        for (text, why) in [
            ("{\"RuleID\": s3cr3t}", "line 1 is no JSON"),
            ("[", "it ends too early"),
            ("3", "it holds something else than findings"),
            ("[{\"a\":1}]", "a finding in it has no file that could be read"),
        ] {
            assert_eq!(read(text), Err(why.to_owned()), "{text}");
        }
        assert_eq!(read("[]"), Ok(Vec::new()));
        assert_eq!(read(""), Ok(Vec::new()));
    }
}
