//! The arguments of a command as they may be shown, and what kind of values they hold.

use super::reference::Reference;
use super::secret::{self, Class, Classified};
use super::{address, shell};
use crate::facts::secret_names;
use crate::model::redact_line;

/// A value in an argument list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Argument {
    /// What names it: `--api-key`, `TOKEN`; empty where nothing does.
    pub(super) name: String,
    /// Which argument holds it.
    pub(super) index: usize,
    pub(super) class: Class,
    pub(super) references: Vec<Reference>,
}

/// The values in an argument list, judged.
pub(super) fn values(argv: &[String]) -> Vec<Argument> {
    let mut found = Vec::new();
    for (index, arg) in argv.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|at| argv.get(at)).map(String::as_str);
        if is_line(arg) {
            // A line for a shell: its words are arguments too.
            let words: Vec<String> = shell::commands(arg).into_iter().flat_map(|command| command.words).collect();
            for (at, word) in words.iter().enumerate() {
                let before = at.checked_sub(1).and_then(|at| words.get(at)).map(String::as_str);
                found.push(judged(index, word, before));
            }
        } else {
            found.push(judged(index, arg, before));
        }
    }
    found.retain(|argument| argument.class == Class::Secret || !argument.references.is_empty());
    found
}

/// Several words that are no header.
fn is_line(arg: &str) -> bool {
    let header = arg.split_once(": ").is_some_and(|(name, _)| is_name(name));
    arg.split_whitespace().nth(2).is_some() && !header
}

fn judged(index: usize, arg: &str, before: Option<&str>) -> Argument {
    let (name, value) = named(arg, before);
    let Classified { class, references } = in_address(value).unwrap_or_else(|| secret::classify(name, value));
    Argument { name: name.to_owned(), index, class, references }
}

/// What names an argument's value: `--name=value`, `NAME=value`, `Name: value`, or the option before it.
fn named<'a>(arg: &'a str, before: Option<&'a str>) -> (&'a str, &'a str) {
    if let Some((name, value)) = arg.split_once('=').filter(|(name, _)| is_name(name)) {
        return (name, value);
    }
    if let Some((name, value)) = arg.split_once(':').filter(|(name, value)| is_name(name) && !value.starts_with("//")) {
        let header = value.starts_with(' ') || matches!(before, Some("--header" | "-H" | "--headers"));
        if header {
            return (name, value.trim());
        }
    }
    let option = before.filter(|before| before.starts_with('-') && !before.contains('=') && !arg.starts_with('-'));
    (option.filter(|option| secret_names::may_be_secret(option)).unwrap_or(""), arg)
}

fn is_name(text: &str) -> bool {
    let bare = text.trim_start_matches('-');
    bare.starts_with(|first: char| first.is_ascii_alphabetic())
        && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

/// The worst of what an address holds: in its user, its query, the parts of its path.
pub(super) fn in_address(text: &str) -> Option<Classified> {
    let address = address::parse(text).filter(|_| text.contains("://"))?;
    let parts = address.path.split('/').filter(|part| !part.is_empty());
    let query = address.query.iter().map(|(name, value)| secret::classify(name, value).class);
    // Who knows the address has the server; but only a known format is sure to be a key.
    let path = parts.map(|part| if secret::is_token(part) { Class::Secret } else { Class::Plain });
    let whole = secret::classify("", text);
    let class = query.chain(path).chain([whole.class]).max()?;
    let class = if class == Class::Placeholder { Class::Plain } else { class };
    Some(Classified { class, references: whole.references })
}

/// An argument list with every value masked that could be a secret. `known` texts, such as package names, are kept.
pub(super) fn shown(argv: &[String], known: &[&str]) -> Vec<String> {
    let values = values(argv);
    argv.iter()
        .enumerate()
        .map(|(index, arg)| {
            let secret = values.iter().find(|value| value.index == index && value.class == Class::Secret);
            if let Some(secret) = secret {
                return masked(arg, &secret.name);
            }
            if arg.contains("://") && !arg.contains(' ') {
                return shown_address(arg);
            }
            let is_known = known.iter().any(|known| known.len() > 2 && arg.contains(known));
            if is_known && !arg.contains(' ') { crate::model::plain(arg).into_owned() } else { redact_line(arg) }
        })
        .collect()
}

/// `--name=https://…` as well as a bare address.
fn shown_address(arg: &str) -> String {
    match arg.split_once('=').filter(|(name, value)| is_name(name) && value.contains("://")) {
        Some((name, value)) => format!("{name}={}", address::without_secrets(value)),
        None => address::without_secrets(arg),
    }
}

fn masked(arg: &str, name: &str) -> String {
    match arg.strip_prefix(name).filter(|_| !name.is_empty()) {
        Some(rest) if rest.starts_with('=') => format!("{name}=***"),
        Some(rest) if rest.starts_with(':') => format!("{name}: ***"),
        _ => "***".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn secrets_in_arguments_are_found_and_masked() {
        let token = format!("ghp_{}", "16C7e42F292c6912E7710c838347Ae178B4a");
        for (words, name, line) in [
            (vec!["npx", "pkg", "--api-key", "a1b2c3d4e5f6"], "--api-key", "npx pkg --api-key ***"),
            (vec!["npx", "pkg", "--api-key=a1b2c3d4e5f6"], "--api-key", "npx pkg --api-key=***"),
            (
                vec!["docker", "run", "-e", "API_TOKEN=a1b2c3d4e5f6", "img"],
                "API_TOKEN",
                "docker run -e API_TOKEN=*** img",
            ),
            (
                vec!["npx", "mcp-remote", "https://x.example/mcp", "--header", "Authorization: Bearer a1b2c3d4e5f6"],
                "Authorization",
                "npx mcp-remote https://x.example/mcp --header Authorization: ***",
            ),
            (
                vec!["npx", "mcp-remote", "--header", "Authorization:Bearer a1b2c3d4e5f6"],
                "Authorization",
                "npx mcp-remote --header Authorization: ***",
            ),
            (vec!["pkg", token.as_str()], "", "pkg ***"),
            (vec!["pkg", "postgres://app:hunter2@db.internal/app"], "", "pkg ***"),
            (vec!["npx", "mcp-remote", "https://x.example/mcp?api_key=a1b2c3d4e5f6"], "", "npx mcp-remote ***"),
            (vec!["sh", "-c", "TOKEN=a1b2c3d4e5f6 exec server run"], "TOKEN", "sh -c TOKEN=***"),
        ] {
            let words = argv(&words);
            let found = values(&words);
            assert_eq!((found[0].class, found[0].name.as_str()), (Class::Secret, name), "{words:?}");
            assert_eq!(shown(&words, &[]).join(" "), line);
        }
    }

    #[test]
    fn ordinary_arguments_are_shown_as_they_are() {
        for words in [
            vec!["npx", "-y", "@modelcontextprotocol/server-filesystem", "/srv/app"],
            vec!["uvx", "--from", "git+https://git.example/o/r", "cmd"],
            vec!["docker", "run", "-i", "--rm", "-e", "GITHUB_TOKEN", "ghcr.io/github/github-mcp-server"],
            vec!["npx", "mcp-remote", "https://x.example/mcp", "--header", "Authorization: Bearer ${TOKEN}"],
            vec!["server", "--token-file", "/run/secrets/x"],
        ] {
            let words = argv(&words);
            assert!(values(&words).iter().all(|value| value.class != Class::Secret), "{words:?}");
            assert_eq!(shown(&words, &[]), words);
        }
        let pinned = argv(&["npx", "server1234567@2025.11.25"]);
        assert_eq!(shown(&pinned, &["server1234567"]), pinned);
    }

    #[test]
    fn references_in_arguments_are_told() {
        let words = argv(&["npx", "mcp-remote", "https://x.example/mcp", "--header", "Authorization: {env:TOKEN}"]);
        assert_eq!(values(&words)[0].references[0].text, "{env:TOKEN}");
    }
}
