//! What OpenCode 1.18.33 makes of one file before it is merged, and of the whole afterwards.

use super::layers::{Document, Part};
use super::lower;
use super::merge::{Remark, RemarkKind};
use super::node::{Key, Map, Node, NodeValue};
use super::schema::{AGENT, COMMAND, Decoder, LOCAL, REMOTE, Shape, TOP};
use super::source::Span;
use crate::model::Subject;

/// Settings of the terminal interface, which has a file of its own.
const ELSEWHERE: &[&str] = &["theme", "keybinds", "tui"];

/// A file's content as it takes part in merging.
pub(super) fn document(subject: &Subject, document: &Document, remarks: &mut Vec<Remark>) -> Map {
    let mut map = document.root.map().cloned().unwrap_or_default();
    for key in ELSEWHERE {
        map.remove(key);
    }
    let mut decoder = Decoder { remarks };
    lower::document(&mut map, &mut decoder);
    let pairs = map.into_pairs().into_iter().filter_map(|(key, value)| {
        let value = match key.name.as_str() {
            "agent" | "mode" => entries(&mut decoder, &key.name, value, agent),
            "mcp" => entries(&mut decoder, "mcp", value, server),
            "plugin" => decoder.decode(&Shape::Plugins, "plugin", value).map(|list| resolved(list, document)),
            name => match TOP.iter().find(|(known, _)| *known == name) {
                Some((_, shape)) => decoder.decode(shape, name, value),
                None => {
                    match subject.agent.dead_keys.iter().find(|dead| dead.key == name) {
                        Some(dead) => decoder.remark(RemarkKind::Dropped, name, &dead.instead, key.at),
                        None => decoder.dropped(name, &key),
                    }
                    None
                }
            },
        }?;
        Some((key, value))
    });
    let mut map: Map = pairs.collect();
    map.remove("$schema");
    map
}

fn entries(
    decoder: &mut Decoder<'_>,
    key: &str,
    node: Node,
    read: fn(&mut Decoder<'_>, &str, Node) -> Option<Node>,
) -> Option<Node> {
    let at = node.at;
    let NodeValue::Map(map) = node.value else { return decoder.decode(&Shape::Table(&Shape::Any), key, node) };
    let pairs = map.into_pairs().into_iter().filter_map(|(name, value)| {
        let value = read(decoder, &format!("{key}.{}", name.name), value)?;
        Some((name, value))
    });
    Some(Node { value: NodeValue::Map(pairs.collect()), at })
}

/// An agent: unknown keys are options, old `tools` are permissions below the named ones.
fn agent(decoder: &mut Decoder<'_>, key: &str, node: Node) -> Option<Node> {
    let Node { value: NodeValue::Map(map), at } = decoder.decode(&Shape::Open(AGENT), key, node)? else { return None };
    Some(Node { value: NodeValue::Map(agent_map(decoder, key, map, at)), at })
}

fn agent_map(decoder: &mut Decoder<'_>, key: &str, mut map: Map, at: Span) -> Map {
    let mut options = map.get("options").and_then(Node::map).cloned().unwrap_or_default();
    for (name, value) in map.iter().filter(|(name, _)| AGENT.iter().all(|(known, _)| *known != name.name)) {
        if let Some(instead) = meant(&name.name) {
            decoder.remark(RemarkKind::Dropped, &format!("{key}.{}", name.name), instead, name.at);
        }
        options.set(name.clone(), value.clone());
    }
    let permission = with_tools(map.get("tools"), map.get("permission"), false);
    if map.get("steps").is_none()
        && let Some((key, most)) = map.entry("maxSteps").cloned()
    {
        map.set(Key { name: "steps".to_owned(), at: key.at }, most);
    }
    map.set_made("options", Node { value: NodeValue::Map(options), at });
    let place = map.get("permission").map_or(at, |node| node.at);
    map.set_made("permission", Node { value: NodeValue::Map(permission), at: place });
    map
}

/// Keys of other agents that look as if they restricted this one.
fn meant(key: &str) -> Option<&'static str> {
    matches!(key, "permissions" | "allowed-tools" | "allowedTools" | "disallowed-tools" | "disallowedTools")
        .then_some("it restricts nothing here: write `permission`")
}

/// Permission rules with those of the old `tools` below them.
fn with_tools(tools: Option<&Node>, permission: Option<&Node>, deep: bool) -> Map {
    let mut rules = Map::default();
    for (tool, on) in tools.and_then(Node::map).into_iter().flat_map(Map::iter) {
        let name = if matches!(tool.name.as_str(), "write" | "edit" | "patch") { "edit" } else { &tool.name };
        let action = if on.bool() == Some(true) { "allow" } else { "deny" };
        rules.set(Key { name: name.to_owned(), at: tool.at }, Node::text_at(action, on.at));
    }
    for (key, value) in permission.and_then(Node::map).into_iter().flat_map(Map::iter) {
        match (rules.get_mut(&key.name).filter(|_| deep).and_then(Node::map_mut), value.map()) {
            (Some(ours), Some(theirs)) => ours.merge(theirs.clone()),
            _ => rules.set(key.clone(), value.clone()),
        }
    }
    rules
}

/// An MCP server: local, remote, or a switch for one that another layer names.
fn server(decoder: &mut Decoder<'_>, key: &str, node: Node) -> Option<Node> {
    let shape = match node.get("type").and_then(Node::text) {
        Some("local") => Some(&LOCAL),
        Some("remote") => Some(&REMOTE),
        _ => None,
    };
    let at = node.at;
    let Some(map) = node.map() else {
        return decoder.decode(&Shape::Table(&Shape::Any), key, node);
    };
    if let Some(shape) = shape {
        let needed = if map.get("type").and_then(Node::text) == Some("local") { "command" } else { "url" };
        if map.get(needed).is_none() {
            let why = format!("a server without `{needed}`: OpenCode does not start");
            decoder.remark(RemarkKind::Refused, key, &why, at);
        }
        if map.get("oauth").and_then(Node::bool) == Some(true) {
            decoder.remark(RemarkKind::Refused, key, "`oauth` is a map or false: OpenCode does not start", at);
        }
        return decoder.decode(shape, key, node);
    }
    let Some((enabled, value)) = map.entry("enabled").filter(|(_, value)| value.bool().is_some()).cloned() else {
        let why = "a server needs `type` (`local` or `remote`): OpenCode does not start";
        decoder.remark(RemarkKind::Refused, key, why, at);
        return None;
    };
    if map.len() > 1 {
        let why = "without `type` only `enabled` counts, the other keys are dropped";
        decoder.remark(RemarkKind::Dropped, key, why, at);
    }
    Some(Node { value: NodeValue::Map([(enabled, value)].into_iter().collect()), at })
}

/// Plugins that are files, as addresses.
fn resolved(list: Node, document: &Document) -> Node {
    let NodeValue::List(items) = list.value else { return list };
    let folder = document.path.as_ref().and_then(crate::model::AbsPath::parent);
    let folder = folder.unwrap_or_else(|| document.folder.clone());
    let address = |text: &str| {
        let path = text.starts_with('.') || text.starts_with('/');
        path.then(|| format!("file://{}", folder.join(text).text()))
    };
    let items = items.into_iter().map(|mut item| {
        match &mut item.value {
            NodeValue::Text(text) => {
                if let Some(file) = address(text) {
                    *text = file;
                }
            }
            NodeValue::List(pair) => {
                if let Some(NodeValue::Text(text)) = pair.first_mut().map(|name| &mut name.value)
                    && let Some(file) = address(text)
                {
                    *text = file;
                }
            }
            _ => {}
        }
        item
    });
    Node { value: NodeValue::List(items.collect()), at: list.at }
}

/// The entry that a Markdown file makes. None where it is passed over.
pub(super) fn markdown(document: &Document, name: &str, remarks: &mut Vec<Remark>) -> Option<Map> {
    let mut map = document.root.map().cloned().unwrap_or_default();
    let at = document.name.at;
    let body = document.body.clone().unwrap_or_default();
    let (kind, text) = match document.part {
        Part::Command => ("command", "template"),
        _ => ("agent", "prompt"),
    };
    let mut found = Vec::new();
    let mut decoder = Decoder { remarks: &mut found };
    let key = format!("{kind}.{name}");
    let decoded = if document.part == Part::Command {
        map.set_made(text, Node::text_at(body, at));
        map.remove("name");
        match decoder.decode(&COMMAND, &key, Node { value: NodeValue::Map(map), at })?.value {
            NodeValue::Map(map) => map,
            _ => return None,
        }
    } else {
        if map.get("name").is_none() {
            map.set_made("name", Node::text_at(name, at));
        }
        map.set_made(text, Node::text_at(body, at));
        let map = decoder.fields(AGENT, true, &key, map);
        let mut map = agent_map(&mut decoder, &key, map, at);
        if document.part == Part::Mode {
            map.set_made("mode", Node::text_at("primary", at));
        }
        map
    };
    // A wrong type in a mode's file makes the program pass over the file; elsewhere it stops.
    let refused = found.iter().any(|remark| remark.kind == RemarkKind::Refused);
    if refused && document.part == Part::Mode {
        let why = "a wrong type in it: OpenCode passes over the file without a word";
        remarks.push(Remark { kind: RemarkKind::Dropped, key, why: why.to_owned(), at, of_version: false });
        return None;
    }
    remarks.append(&mut found);
    Some(decoded)
}

/// `mode` entries become agents.
pub(super) fn modes(root: &mut Map) {
    let Some(modes) = root.get("mode").and_then(Node::map).cloned() else { return };
    for (key, mut mode) in modes.into_pairs() {
        let at = mode.at;
        if let Some(map) = mode.map_mut() {
            map.set_made("mode", Node::text_at("primary", at));
        }
        let one: Map = [(key, mode)].into_iter().collect();
        let over = Key { name: "agent".to_owned(), at };
        root.merge([(over, Node { value: NodeValue::Map(one), at })].into_iter().collect());
    }
}

/// What `OPENCODE_PERMISSION` does to the permissions. A JSON text is spread letter by letter.
pub(super) fn permission_text(root: &mut Map, node: Node) {
    let at = node.at;
    let over: Map = match node.value {
        NodeValue::Map(map) => map,
        NodeValue::Text(text) => {
            let letter = |(index, c): (usize, char)| (Key { name: index.to_string(), at }, Node::text_at(c, at));
            text.chars().enumerate().map(letter).collect()
        }
        _ => return,
    };
    let key = Key { name: "permission".to_owned(), at };
    root.merge([(key, Node { value: NodeValue::Map(over), at })].into_iter().collect());
}

/// What the program does when all layers are merged.
pub(super) fn finish(root: &mut Map, subject: &Subject) {
    if let Some(tools) = root.get("tools").cloned() {
        let rules = with_tools(Some(&tools), root.get("permission"), true);
        let at = root.get("permission").map_or(tools.at, |node| node.at);
        if !rules.is_empty() || root.get("permission").is_some() {
            root.set_made("permission", Node { value: NodeValue::Map(rules), at });
        }
    }
    if let Some(user) = subject.user.known().filter(|_| root.get("username").is_none()) {
        root.set_made("username", Node::made(NodeValue::Text(user.name.clone())));
    }
    if root.get("autoshare").and_then(Node::bool) == Some(true) && root.get("share").is_none() {
        let at = root.get("autoshare").map_or(Span::NOWHERE, |node| node.at);
        root.set_made("share", Node::text_at("auto", at));
    }
    for (variable, key) in [("OPENCODE_DISABLE_AUTOCOMPACT", "auto"), ("OPENCODE_DISABLE_PRUNE", "prune")] {
        if super::is_on(subject, variable) {
            let off: Map = [made(key, NodeValue::Bool(false))].into_iter().collect();
            root.merge([made("compaction", NodeValue::Map(off))].into_iter().collect());
        }
    }
    for (key, value) in [
        ("agent", NodeValue::Map(Map::default())),
        ("mode", NodeValue::Map(Map::default())),
        ("command", NodeValue::Map(Map::default())),
        ("plugin", NodeValue::List(Vec::new())),
    ] {
        if root.get(key).is_none() {
            root.set_made(key, Node::made(value));
        }
    }
}

fn made(key: &str, value: NodeValue) -> (Key, Node) {
    (Key { name: key.to_owned(), at: Span::NOWHERE }, Node::made(value))
}
