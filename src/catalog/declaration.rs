//! `policy.yaml` to a [`Declaration`], with the line of everything that is wrong with it.

use serde_json::Value;

use super::error::CatalogError;
use crate::facts::config::{Node, yaml_text};
use crate::model::{Change, DECLARATION_VERSION, Declaration, plain, redact_line};

/// Where secrets may be kept, as a reference begins.
const KEEPERS: &[&str] = &["vault:", "keychain:", "systemd:", "file:/"];

/// A declaration with the file it was read from.
#[derive(Debug)]
pub struct DeclarationFile {
    /// What it says.
    pub declaration: Declaration,
    /// The file as it is shown.
    pub file: String,
    text: String,
    root: Node,
}

/// A fault: keys from the top, the item, what is wrong, and the next move.
type Fault = (&'static str, Value, String, &'static str);

impl DeclarationFile {
    /// Reads a policy.
    pub fn parse(file: &str, text: &str) -> Result<Self, CatalogError> {
        // First by a reader whose depth and copies are bounded, and which knows places.
        let root = yaml_text::read(text, 0, 0).map_err(|bad| CatalogError {
            line: line_of(text, bad.at.start),
            column: column_of(text, bad.at.start),
            text: shown(text),
            ..CatalogError::file(file, plain(&bad.why), "")
        })?;
        let declaration: Declaration = serde_yaml::from_str(text).map_err(|error| {
            let error = CatalogError::yaml(file, text, &error);
            CatalogError { text: shown(text), message: redact(&error.message), ..error }
        })?;
        let read = Self { declaration, file: file.to_owned(), text: text.to_owned(), root };
        match read.faults().into_iter().next() {
            Some((at, item, message, help)) => Err(read.error(at, &item, message, help)),
            None => Ok(read),
        }
    }

    /// The line of a value, or of an item of a list; of what is above it where it is not there. None in an empty file.
    pub fn line(&self, at: &str, item: &Value) -> Option<usize> {
        self.place(at, item).map(|(line, _)| line)
    }

    /// Line and column, from 1.
    fn place(&self, at: &str, item: &Value) -> Option<(usize, usize)> {
        let (mut node, mut key_at) = (&self.root, None);
        for key in at.split('.') {
            let Some((found, below)) = node.map().and_then(|map| map.iter().find(|(found, _)| found.name == key))
            else {
                break;
            };
            (node, key_at) = (below, Some(found.at));
        }
        let items = node.list().unwrap_or_default();
        let place = items.iter().find(|one| one.json() == *item).map(|one| one.at).or(key_at)?;
        Some((line_of(&self.text, place.start), column_of(&self.text, place.start)))
    }

    /// A change of this file against another as an error at its line.
    pub fn widening(&self, change: &Change) -> CatalogError {
        let message = format!("{}: a project's own policy may only narrow the machine's", change.says);
        self.error(&change.at, &change.item, message, "take it out, or ask the machine's owner to allow it")
    }

    fn error(&self, at: &str, item: &Value, message: String, help: &str) -> CatalogError {
        let (line, column) = self.place(at, item).unwrap_or((0, 0));
        CatalogError { line, column, text: shown(&self.text), ..CatalogError::file(&self.file, message, help) }
    }

    fn faults(&self) -> Vec<Fault> {
        let one = &self.declaration;
        let mut out: Vec<Fault> = Vec::new();
        if one.version != DECLARATION_VERSION {
            out.push((
                "version",
                Value::Null,
                format!("`version` is {}, and not 1", one.version),
                "write `version: 1`",
            ));
        }
        self.paths(&mut out);
        self.hosts(&mut out);
        self.names(&mut out);
        for approval in one.approvals.iter().flatten() {
            let item = serde_json::to_value(approval).expect("plain data");
            if approval.argv.first().is_none_or(String::is_empty) {
                out.push((
                    "approvals",
                    item.clone(),
                    "an approval has no command".into(),
                    "name its words: `argv: [git, status]`",
                ));
            }
            let is_date = |day: &str| day.parse::<jiff::civil::Date>().is_ok();
            if approval.expires.as_deref().is_some_and(|day| !is_date(day)) {
                out.push(("approvals", item, "`expires` of an approval is no date".into(), "write YYYY-MM-DD"));
            }
        }
        out
    }

    fn paths(&self, out: &mut Vec<Fault>) {
        let (files, logging) = (&self.declaration.files, &self.declaration.logging);
        let steps = |path: &str| path.split('/').any(|part| part == "..");
        let single = [
            ("files.workspace", &files.workspace),
            ("logging.folder", &logging.folder),
            ("logging.ledger", &logging.ledger),
        ];
        for (at, path) in single.into_iter().filter_map(|(at, path)| Some((at, path.as_deref()?))) {
            if !path.starts_with('/') || steps(path) || has_control(path) {
                let message = format!("`{}` of `{at}` is no absolute path", plain(path));
                out.push((at, path.into(), message, "write it from `/` on, without `..`"));
            }
        }
        for path in files.write.iter().flatten() {
            if path.is_empty() || path.starts_with('/') || steps(path) || has_control(path) {
                let message = format!("`{}` of `files.write` lies outside of the workspace", plain(path));
                out.push((
                    "files.write",
                    path.as_str().into(),
                    message,
                    "write it relative to the workspace; `.` is all of it",
                ));
            }
        }
        for pattern in files.hidden.iter().flatten().filter(|pattern| pattern.is_empty() || has_control(pattern)) {
            out.push((
                "files.hidden",
                pattern.as_str().into(),
                "a pattern of `files.hidden` is empty or holds a control character".into(),
                "",
            ));
        }
    }

    fn hosts(&self, out: &mut Vec<Fault>) {
        let network = &self.declaration.network;
        for (at, list) in [("network.allow", &network.allow), ("network.deny", &network.deny)] {
            for host in list.iter().flatten() {
                if host.is_empty() || host.contains('@') || host.chars().any(|c| c.is_whitespace() || c.is_control()) {
                    let message = format!("an entry of `{at}` is no host: {}", redact(host));
                    out.push((at, host.as_str().into(), message, "name a host or an address, without an account"));
                }
            }
        }
        if let Some(model) = &network.model {
            let plain_url = model.split_once("://").is_some_and(|(scheme, rest)| {
                matches!(scheme, "http" | "https") && !rest.is_empty() && !rest.contains(['@', '?', '#'])
            });
            if !plain_url || has_control(model) || model.contains(char::is_whitespace) {
                let message = "`network.model` is no plain address".to_owned();
                out.push((
                    "network.model",
                    model.as_str().into(),
                    message,
                    "write `http://HOST:PORT/PATH`, without an account or a key",
                ));
            }
        }
    }

    fn names(&self, out: &mut Vec<Fault>) {
        let is_name = |name: &str, star: bool| {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || star && c == '*';
            !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(fits)
        };
        for name in self.declaration.environment.pass.iter().flatten().filter(|name| !is_name(name, true)) {
            let message = format!("an entry of `environment.pass` is no name of a variable: {}", redact(name));
            out.push(("environment.pass", name.as_str().into(), message, "names only: values have no place here"));
        }
        for secret in self.declaration.secrets.iter().flatten() {
            let item = serde_json::to_value(secret).expect("plain data");
            if !is_name(&secret.name, false) {
                out.push(("secrets", item.clone(), "`name` of a secret is no name of a variable".into(), ""));
            }
            let rest = KEEPERS.iter().find_map(|keeper| secret.from.strip_prefix(keeper));
            let fits = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
            // What is no reference may be the secret itself, and is not said.
            if !rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(fits)) {
                let message = "`from` of a secret is no reference".to_owned();
                out.push((
                    "secrets",
                    item,
                    message,
                    "write `vault:NAME`, `keychain:NAME`, `systemd:NAME` or `file:/PATH`",
                ));
            }
        }
        for name in self.declaration.mcp.servers.iter().flatten().filter(|name| name.is_empty() || has_control(name)) {
            out.push((
                "mcp.servers",
                name.as_str().into(),
                "a name of `mcp.servers` is empty or holds a control character".into(),
                "",
            ));
        }
    }
}

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

fn redact(text: &str) -> String {
    redact_line(text)
}

fn line_of(text: &str, byte: u32) -> usize {
    let before = text.as_bytes().get(..byte as usize).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

fn column_of(text: &str, byte: u32) -> usize {
    let before = text.get(..byte as usize).unwrap_or_default();
    before.chars().rev().take_while(|letter| *letter != '\n').count() + 1
}

/// The text for an excerpt: lines that could hold a secret are masked.
fn shown(text: &str) -> String {
    let line = |line: &str| {
        let masked = redact_line(line);
        let indent = &line[..line.len() - line.trim_start().len()];
        if masked.contains("***") { format!("{indent}{masked}\n") } else { format!("{line}\n") }
    };
    text.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_told_with_its_line_and_the_nearest_name() {
        for (text, line, said) in [
            ("version: 1\nnetwrok: {}\n", 2, "did you mean `network`?"),
            ("version: 1\nshell:\n  default: alow\n", 3, "did you mean `allow`?"),
            ("version: 2\n", 1, "write `version: 1`"),
            ("version: 1\nversion: 1\n", 2, "a key that stands twice"),
            ("version: 1\nfiles:\n  write:\n    - src\n    - ../x\n", 5, "outside of the workspace"),
            ("version: 1\nfiles: { workspace: src }\n", 2, "no absolute path"),
            ("version: 1\n# u@h\nnetwork:\n  allow: [a.b,\n    u@h]\n", 5, "is no host"),
            ("version: 1\nnetwork: { model: 'ftp://x' }\n", 2, "no plain address"),
            ("version: 1\nenvironment: { pass: [A, B=c] }\n", 2, "no name of a variable"),
            ("version: 1\napprovals:\n  - { argv: [ls] }\n  - { argv: [] }\n", 4, "has no command"),
            ("version: 1\napprovals:\n  - { argv: [ls], expires: soon }\n", 3, "no date"),
        ] {
            let error = DeclarationFile::parse("p.yaml", text).expect_err(text);
            assert_eq!(error.line, line, "{text}\n{error}");
            let whole = format!("{} {}", error.message, error.help);
            assert!(whole.contains(said), "{text}\n{whole}");
        }
    }

    #[test]
    fn no_error_says_what_may_be_a_secret() {
        let token = ["ghp", "_16C7e42F292c6912E7710c838347Ae178B4a"].concat();
        for text in [
            format!("version: 1\nsecrets:\n  - {{ name: T, from: {token} }}\n"),
            format!("version: 1\nenvironment: {{ pass: [T={token}] }}\n"),
            format!("version: 1\nenvironment: {{ set: {{ T: {token} }} }}\n"),
            format!("version: {token}\n"),
            format!("version: 1\nshell: {{ default: {token} }}\n"),
        ] {
            let error = DeclarationFile::parse("p.yaml", &text).expect_err("no policy");
            let all = format!("{error}{}{}", error.text, error.help);
            assert!(!all.contains(&token[8..]), "{all}");
        }
    }

    #[test]
    fn hostile_files_end_with_an_error() {
        for text in ["[".repeat(100_000), "a: *b".to_owned(), "- x".to_owned(), "\u{0}".to_owned(), String::new()] {
            assert!(DeclarationFile::parse("p.yaml", &text).is_err());
        }
    }

    proptest::proptest! {
        /// Whatever stands in a project, the answer is a policy or an error that can be shown.
        #[test]
        fn no_text_stops_the_reader(text in "(version: 1\n)?([a-z]{1,9}: ?|[-\\[\\]{}#&*!|>'\"\\\\ \n\t\u{0}\u{e9}\u{1f600}]|deny|allow|write|network|argv|1){0,40}") {
            match DeclarationFile::parse("p.yaml", &text) {
                Ok(read) => {
                    let all = crate::model::changes(&Declaration::default(), &read.declaration);
                    proptest::prop_assert!(all.iter().all(|change| read.line(&change.at, &change.item) != Some(0)));
                }
                Err(error) => proptest::prop_assert!(error.line <= text.lines().count() + 1, "{error}"),
            }
        }
    }

    #[test]
    fn a_widening_stands_at_its_line() {
        let machine = DeclarationFile::parse("m", "version: 1\nnetwork: { allow: [a.b] }\n").expect("reads");
        let text = "version: 1\nnetwork:\n  allow:\n    - a.b # c.d\n    - c.d\nlogging: { commands: false }\n";
        let project = DeclarationFile::parse("p", text).expect("reads");
        let found = crate::model::widenings(&machine.declaration, &project.declaration);
        let lines: Vec<usize> = found.iter().map(|change| project.widening(change).line).collect();
        assert_eq!(lines, [5, 6]);
    }
}
