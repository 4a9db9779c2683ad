//! Keys of OpenCode 2 in a file of OpenCode 1.18.33: read as the older key, dropped, or refused.

use super::merge::{Remark, RemarkKind};
use super::node::{Key, Map, Node, NodeValue};
use super::schema::{AGENT, COMMAND, Decoder, LOCAL, REMOTE, Shape};

/// Keys that are passed over with a line in the log.
const IGNORED: &[(&str, &str)] = &[
    ("plugins", "OpenCode 1.x passes over it: write `plugin`"),
    ("providers", "OpenCode 1.x passes over it: write `provider`"),
    ("websearch", "OpenCode 1.x passes over it: write `permission.websearch`"),
    ("warming", "OpenCode 1.x passes over it"),
];

/// Rewrites a document to the older keys.
pub(super) fn document(map: &mut Map, decoder: &mut Decoder<'_>) {
    refuse_permissions(map, decoder);
    for (name, why) in IGNORED {
        if let Some((key, _)) = map.remove(name) {
            decoder.of_version(RemarkKind::Dropped, name, why, key.at);
        }
    }
    for (new, old) in [("snapshots", "snapshot"), ("media", "attachment")] {
        if let Some((key, value)) = map.remove(new)
            && map.get(old).is_none()
        {
            map.set(Key { name: old.to_owned(), at: key.at }, value);
        }
    }
    for key in ["model", "small_model"] {
        if let Some(node) = map.get_mut(key) {
            let (model, _) = model(node);
            *node = model;
        }
    }
    if let Some(node) = map.get_mut("skills") {
        *node = skills(node);
    }
    rename(map, decoder, "agents", "agent", agent);
    rename(map, decoder, "commands", "command", command);
    mcp(map, decoder);
}

fn refuse_permissions(map: &mut Map, decoder: &mut Decoder<'_>) {
    let why = "the list of OpenCode 2: OpenCode 1.18 does not start; write `permission`";
    if let Some((key, _)) = map.remove("permissions") {
        decoder.of_version(RemarkKind::Refused, "permissions", why, key.at);
    }
    for group in ["agents", "agent", "mode"] {
        for (name, entry) in map.get(group).and_then(Node::map).into_iter().flat_map(Map::iter) {
            if let Some((key, _)) = entry.map().and_then(|entry| entry.entry("permissions")) {
                let path = format!("{group}.{}.permissions", name.name);
                decoder.of_version(RemarkKind::Refused, &path, why, key.at);
            }
        }
    }
}

/// `provider/model#variant`, or the three apart: the model, and the variant.
fn model(node: &Node) -> (Node, Option<Node>) {
    let whole = match node.text() {
        Some(text) => match text.split_once('#') {
            Some((model, variant)) => (model.to_owned(), Some(variant.to_owned())),
            None => return (node.clone(), None),
        },
        None => {
            let part = |key| node.get(key).and_then(Node::text);
            let (Some(provider), Some(model)) = (part("providerID"), part("model")) else {
                return (node.clone(), None);
            };
            (format!("{provider}/{model}"), part("variant").map(str::to_owned))
        }
    };
    (Node::text_at(whole.0, node.at), whole.1.map(|variant| Node::text_at(variant, node.at)))
}

fn skills(node: &Node) -> Node {
    let Some(list) = node.list() else { return node.clone() };
    let (urls, paths): (Vec<Node>, Vec<Node>) =
        list.iter().cloned().partition(|item| item.text().is_some_and(|text| text.contains("://")));
    let mut map = Map::default();
    for (key, list) in [("paths", paths), ("urls", urls)] {
        if !list.is_empty() {
            map.set(Key { name: key.to_owned(), at: node.at }, Node { value: NodeValue::List(list), at: node.at });
        }
    }
    Node { value: NodeValue::Map(map), at: node.at }
}

/// Entries of a new key that the old key does not have. Those that do not fit vanish.
fn rename(
    map: &mut Map,
    decoder: &mut Decoder<'_>,
    new: &str,
    old: &str,
    read: fn(&Map, &str, &mut Decoder<'_>) -> Option<Map>,
) {
    let Some((key, entries)) = map.remove(new) else { return };
    let Some(entries) = entries.map() else {
        decoder.of_version(RemarkKind::Dropped, new, "no map, so OpenCode 1.x passes over it", key.at);
        return;
    };
    let mut kept = map.get(old).and_then(Node::map).cloned().unwrap_or_default();
    for (name, entry) in entries.iter().filter(|(name, _)| map.get(old).is_none_or(|old| old.get(&name.name).is_none()))
    {
        let path = format!("{new}.{}", name.name);
        match entry.map().and_then(|entry| read(entry, &path, decoder)) {
            Some(lowered) => kept.set(name.clone(), Node { value: NodeValue::Map(lowered), at: entry.at }),
            None => decoder.of_version(
                RemarkKind::Dropped,
                &path,
                "it does not fit, so OpenCode 1.x passes over it",
                name.at,
            ),
        }
    }
    let at = key.at;
    map.set(Key { name: old.to_owned(), at }, Node { value: NodeValue::Map(kept), at });
}

fn agent(entry: &Map, path: &str, decoder: &mut Decoder<'_>) -> Option<Map> {
    let mut out = Map::default();
    for (key, value) in entry.iter() {
        let name = match key.name.as_str() {
            "system" => "prompt",
            "disabled" => "disable",
            "description" | "mode" | "hidden" | "color" | "steps" => key.name.as_str(),
            "model" => {
                let (model, variant) = model(value);
                out.set(Key { name: "model".to_owned(), at: key.at }, model);
                if let Some(variant) = variant {
                    out.set(Key { name: "variant".to_owned(), at: key.at }, variant);
                }
                continue;
            }
            "request" => {
                if let Some(body) = value.get("body") {
                    out.set(Key { name: "options".to_owned(), at: key.at }, body.clone());
                }
                continue;
            }
            _ => {
                let why = "OpenCode 1.x drops it here: write it below `agent`";
                decoder.of_version(RemarkKind::Dropped, &format!("{path}.{}", key.name), why, key.at);
                continue;
            }
        };
        out.set(Key { name: name.to_owned(), at: key.at }, value.clone());
    }
    fits(&Shape::Open(AGENT), &out).then_some(out)
}

fn command(entry: &Map, _: &str, _: &mut Decoder<'_>) -> Option<Map> {
    let mut out = entry.clone();
    if let Some(node) = entry.get("model") {
        let (model, variant) = model(node);
        out.set_made("model", model);
        if let Some(variant) = variant {
            out.set_made("variant", variant);
        }
    }
    (fits(&COMMAND, &out) && out.get("template").is_some()).then_some(out)
}

fn fits(shape: &Shape, map: &Map) -> bool {
    let mut remarks: Vec<Remark> = Vec::new();
    Decoder { remarks: &mut remarks }.decode(shape, "", Node::made(NodeValue::Map(map.clone())));
    remarks.iter().all(|remark| remark.kind != RemarkKind::Refused)
}

/// `mcp.servers`, `mcp.timeout`, and the newer keys of a server.
fn mcp(map: &mut Map, decoder: &mut Decoder<'_>) {
    let Some(mcp) = map.get_mut("mcp").and_then(Node::map_mut) else { return };
    let is_server = |node: &Node| {
        let scalar = |key| node.get(key).is_some_and(|node| node.map().is_none() && node.list().is_none());
        scalar("type") || scalar("enabled")
    };
    let nested = mcp.get("servers").is_some_and(|node| node.map().is_some() && !is_server(node));
    let nested = if nested { mcp.remove("servers") } else { None };
    let spans = |node: &Node| ["startup", "catalog", "execution"].iter().any(|key| node.get(key).is_some());
    let timeout = if mcp.get("timeout").is_some_and(spans) { mcp.remove("timeout") } else { None };
    let flat: Map = std::mem::take(mcp)
        .into_pairs()
        .into_iter()
        .map(|(name, node)| {
            let newer = |key: &(Key, Node)| {
                matches!(key.0.name.as_str(), "disabled" | "codemode")
                    || (key.0.name == "timeout" && key.1.map().is_some())
                    || (key.0.name == "oauth"
                        && key.1.map().is_some_and(|map| map.iter().any(|(k, _)| k.name.contains('_'))))
            };
            let lowered = node.map().filter(|map| map.iter().any(newer)).and_then(server);
            (name, lowered.map_or(node.clone(), |map| Node { value: NodeValue::Map(map), at: node.at }))
        })
        .collect();
    *mcp = flat;
    for (name, node) in nested.into_iter().flat_map(|(_, node)| match node.value {
        NodeValue::Map(map) => map.into_pairs(),
        _ => Vec::new(),
    }) {
        if mcp.get(&name.name).is_some() {
            continue;
        }
        let as_is = node.get("enabled").and_then(Node::bool).is_some() && node.get("disabled").is_none();
        let lowered = if as_is { node.map().cloned() } else { node.map().and_then(server) };
        match lowered {
            Some(map) => mcp.set(name, Node { value: NodeValue::Map(map), at: node.at }),
            None => {
                let why = "it does not fit, so OpenCode 1.x drops it: write `type` and a `command` list";
                decoder.of_version(RemarkKind::Dropped, &format!("mcp.servers.{}", name.name), why, name.at);
            }
        }
    }
    if let Some((key, node)) = timeout
        && let Some(limit) = one_timeout(&node)
    {
        let mut experimental = map.get("experimental").and_then(Node::map).cloned().unwrap_or_default();
        if experimental.get("mcp_timeout").is_none() {
            experimental.set(Key { name: "mcp_timeout".to_owned(), at: key.at }, limit);
        }
        map.set_made("experimental", Node { value: NodeValue::Map(experimental), at: node.at });
    }
}

/// One limit for all, where the newer limits say one thing.
fn one_timeout(node: &Node) -> Option<Node> {
    let (catalog, execution) = (node.get("catalog")?, node.get("execution")?);
    (catalog.value == execution.value && node.get("startup").is_none()).then(|| catalog.clone())
}

/// A server of OpenCode 2 as one of OpenCode 1. None where it does not fit.
fn server(map: &Map) -> Option<Map> {
    let mut out = Map::default();
    let on = match (map.get("enabled").and_then(Node::bool), map.get("disabled").and_then(Node::bool)) {
        (Some(enabled), _) => enabled,
        (None, disabled) => disabled != Some(true),
    };
    for (key, value) in map.iter() {
        match key.name.as_str() {
            "disabled" | "enabled" | "codemode" => {}
            "timeout" if value.map().is_some() => {
                if let Some(limit) = one_timeout(value) {
                    out.set(key.clone(), limit);
                }
            }
            "oauth" if value.map().is_some() => out.set(key.clone(), oauth(value)),
            _ => out.set(key.clone(), value.clone()),
        }
    }
    out.set_made("enabled", Node::made(NodeValue::Bool(on)));
    let (shape, needed) = match map.get("type").and_then(Node::text)? {
        "local" => (&LOCAL, "command"),
        "remote" => (&REMOTE, "url"),
        _ => return None,
    };
    (out.get(needed).is_some() && fits(shape, &out)).then_some(out)
}

/// `client_id` becomes `clientId`.
fn oauth(node: &Node) -> Node {
    let renamed = node.map().into_iter().flat_map(Map::iter).map(|(key, value)| {
        let mut name = String::new();
        let mut up = false;
        for c in key.name.chars() {
            if c == '_' {
                up = true;
            } else {
                name.push(if up { c.to_ascii_uppercase() } else { c });
                up = false;
            }
        }
        (Key { name, at: key.at }, value.clone())
    });
    Node { value: NodeValue::Map(renamed.collect()), at: node.at }
}
