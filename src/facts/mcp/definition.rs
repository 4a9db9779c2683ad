//! One server as a configuration defines it, whichever dialect it is written in, with the place of every part.
//! Values are still in clear here: [`super::server`] makes facts of them.

use crate::facts::config::{Map, Node, NodeValue, Span};
use crate::model::McpShape;

/// A text and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    pub(super) text: String,
    pub(super) at: Span,
}

/// What is said of OAuth.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum OAuth {
    /// Nothing: the agent finds out from the server.
    Unset,
    /// It is switched off.
    Off,
    /// It is set up, with this client secret if any.
    Set(Option<Placed>),
}

/// A server.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Definition {
    pub(super) name: String,
    /// The part that decides what it is: command or address.
    pub(super) at: Span,
    /// Program and arguments.
    pub(super) argv: Vec<Placed>,
    pub(super) env: Vec<(String, Placed)>,
    pub(super) cwd: Option<String>,
    pub(super) url: Option<Placed>,
    pub(super) headers: Vec<(String, Placed)>,
    pub(super) oauth: OAuth,
    /// `local`, `remote`, `stdio`, `http`, `sse` where it says so.
    pub(super) kind: Option<String>,
    pub(super) enabled: bool,
    /// Why the agent does not take it.
    pub(super) problem: Option<String>,
}

/// Keys beside the servers in the map of OpenCode.
const NOT_SERVERS: &[&str] = &["timeout", "allowed", "excluded", "inputs"];

/// Most arguments that are looked at.
const MOST_ARGUMENTS: usize = 2_000;

/// The servers in a map. Entries that start nothing are left out: they switch what others define.
pub(super) fn servers(map: &Map, shape: McpShape) -> Vec<Definition> {
    let mut found = Vec::new();
    for (key, node) in map.iter() {
        let Some(entry) = node.map() else { continue };
        if key.name == "servers" && shape == McpShape::Argv && is_nested(entry) {
            for (key, node) in entry.iter() {
                found.extend(node.map().and_then(|entry| definition(&key.name, key.at, entry, shape)));
            }
        } else if !NOT_SERVERS.contains(&key.name.as_str()) || starts_something(entry) {
            found.extend(definition(&key.name, key.at, entry, shape));
        }
    }
    found
}

/// `mcp.servers` holds servers unless it looks like one itself.
fn is_nested(entry: &Map) -> bool {
    let scalar = |name| entry.get(name).is_some_and(|node: &Node| node.text().is_some() || node.bool().is_some());
    !scalar("type") && !scalar("enabled")
}

fn starts_something(entry: &Map) -> bool {
    ["command", "cmd", "url", "httpUrl", "serverUrl", "uri"].iter().any(|key| entry.get(key).is_some())
}

fn definition(name: &str, at: Span, entry: &Map, shape: McpShape) -> Option<Definition> {
    if !starts_something(entry) {
        return None;
    }
    let text = |key: &str| entry.get(key).and_then(Node::text).map(str::to_owned);
    let first = |keys: &[&str]| keys.iter().find_map(|key| entry.get(key).filter(|node| is_said(node)));
    let command = first(&["command", "cmd"]);
    let url = first(&["url", "httpUrl", "serverUrl", "uri"]);
    let mut argv = command.map(texts).unwrap_or_default();
    argv.extend(entry.get("args").filter(|_| command.is_some()).map(texts).unwrap_or_default());
    let kind = text("type").or_else(|| text("transport"));
    let disabled = entry.get("disabled").and_then(Node::bool).unwrap_or(false);
    let enabled = entry.get("enabled").and_then(Node::bool).unwrap_or(!disabled);
    // A merged entry may keep the keys of another type below it.
    let is_remote = match kind.as_deref() {
        Some("local" | "stdio") => false,
        Some("remote") => true,
        _ => command.is_none(),
    };
    let (argv, url) = if is_remote { (Vec::new(), url) } else { (argv, None) };
    let decides = if is_remote { url } else { command };
    Some(Definition {
        name: name.to_owned(),
        at: decides.map_or(at, |node| node.at),
        argv,
        env: pairs(first(&["environment", "env", "envs"])),
        cwd: text("cwd"),
        url: url.and_then(placed),
        headers: headers(entry),
        oauth: oauth(entry),
        problem: (shape == McpShape::Argv).then(|| refused(entry, kind.as_deref())).flatten(),
        kind,
        enabled,
    })
}

fn is_said(node: &Node) -> bool {
    !matches!(&node.value, NodeValue::Null) && node.text() != Some("")
}

fn placed(node: &Node) -> Option<Placed> {
    let text = match &node.value {
        NodeValue::Text(text) | NodeValue::Number(text) => text.clone(),
        NodeValue::Bool(value) => value.to_string(),
        _ => return None,
    };
    Some(Placed { text, at: node.at })
}

fn texts(node: &Node) -> Vec<Placed> {
    match node.list() {
        Some(list) => list.iter().take(MOST_ARGUMENTS).filter_map(placed).collect(),
        None => placed(node).into_iter().collect(),
    }
}

fn pairs(node: Option<&Node>) -> Vec<(String, Placed)> {
    let map = node.and_then(Node::map);
    map.into_iter().flat_map(Map::iter).filter_map(|(key, node)| Some((key.name.clone(), placed(node)?))).collect()
}

/// Headers, and the keys that make headers of variables.
fn headers(entry: &Map) -> Vec<(String, Placed)> {
    let mut headers = pairs(entry.get("headers").or_else(|| entry.get("http_headers")));
    let variable = |placed: Placed| Placed { text: format!("${{{}}}", placed.text), ..placed };
    headers.extend(pairs(entry.get("env_http_headers")).into_iter().map(|(name, placed)| (name, variable(placed))));
    let bearer = entry.get("bearer_token_env_var").and_then(placed);
    headers.extend(bearer.map(|placed| ("Authorization".to_owned(), variable(placed))));
    headers
}

fn oauth(entry: &Map) -> OAuth {
    match entry.get("oauth").map(|node| (&node.value, node)) {
        Some((NodeValue::Bool(false), _)) => OAuth::Off,
        Some((NodeValue::Map(_), node)) => {
            let secret = node.get("clientSecret").or_else(|| node.get("client_secret"));
            OAuth::Set(secret.and_then(placed))
        }
        _ => OAuth::Unset,
    }
}

/// Why OpenCode does not take an entry.
fn refused(entry: &Map, kind: Option<&str>) -> Option<String> {
    let command = entry.get("command");
    let is_texts = |node: &Node| node.list().is_some_and(|list| list.iter().all(|item| item.text().is_some()));
    match kind {
        Some("local") if command.is_some_and(is_texts) => None,
        Some("local") => Some("`command` has to be a list of program and arguments".into()),
        Some("remote") if entry.get("url").and_then(Node::text).is_some() => None,
        Some("remote") => Some("`url` is missing".into()),
        Some(other) => {
            Some(format!("`type` has to be `local` or `remote`, not `{}`", crate::model::redact_line(other)))
        }
        None => Some("`type` is missing: `local` or `remote`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::config::jsonc::jsonc;

    fn read(text: &str, shape: McpShape) -> Vec<Definition> {
        let parsed = jsonc(text, 0).expect("JSON");
        servers(parsed.root.map().expect("a map"), shape)
    }

    fn words(definition: &Definition) -> Vec<&str> {
        definition.argv.iter().map(|placed| placed.text.as_str()).collect()
    }

    #[test]
    fn every_dialect_gives_the_same_server() {
        for (text, shape) in [
            (r#"{"s": {"type": "local", "command": ["npx", "pkg"], "environment": {"A": "b"}}}"#, McpShape::Argv),
            (
                r#"{"servers": {"s": {"type": "local", "command": ["npx", "pkg"], "environment": {"A": "b"}}}}"#,
                McpShape::Argv,
            ),
            (r#"{"s": {"command": "npx", "args": ["pkg"], "env": {"A": "b"}}}"#, McpShape::CommandArgs),
            (
                r#"{"s": {"type": "stdio", "command": "npx", "args": ["pkg"], "env": {"A": "b"}}}"#,
                McpShape::CommandArgs,
            ),
            (r#"{"s": {"cmd": "npx", "args": ["pkg"], "envs": {"A": "b"}}}"#, McpShape::CommandArgs),
        ] {
            let found = read(text, shape);
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!((words(&found[0]), found[0].env[0].0.as_str()), (vec!["npx", "pkg"], "A"), "{text}");
            assert!(found[0].enabled && found[0].problem.is_none(), "{text}");
        }
    }

    #[test]
    fn entries_that_start_nothing_are_no_servers() {
        for (text, shape) in [
            (r#"{"s": {"enabled": false}}"#, McpShape::Argv),
            (r#"{"timeout": {"startup": 1}}"#, McpShape::Argv),
            (r#"{"servers": {}}"#, McpShape::Argv),
            (r#"{"allowed": ["a"]}"#, McpShape::CommandArgs),
            (r#"{"s": "npx pkg", "t": null, "u": []}"#, McpShape::CommandArgs),
        ] {
            assert!(read(text, shape).is_empty(), "{text}");
        }
    }

    #[test]
    fn what_the_program_refuses_is_told() {
        for (text, problem) in [
            (r#"{"s": {"command": "npx", "args": ["pkg"]}}"#, true),
            (r#"{"s": {"type": "local", "command": "npx"}}"#, true),
            (r#"{"s": {"type": "command", "command": ["npx"]}}"#, true),
            (r#"{"s": {"type": "remote", "url": "https://x"}}"#, false),
            (r#"{"s": {"type": "local", "command": ["npx"], "enabled": false}}"#, false),
        ] {
            assert_eq!(read(text, McpShape::Argv)[0].problem.is_some(), problem, "{text}");
        }
    }

    #[test]
    fn a_type_that_changed_between_layers_decides() {
        let text = r#"{"s": {"type": "remote", "command": ["npx"], "url": "https://x", "disabled": true}}"#;
        let found = read(text, McpShape::Argv);
        assert!(found[0].argv.is_empty() && found[0].url.is_some() && !found[0].enabled);
    }
}
