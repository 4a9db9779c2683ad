//! MCP servers of one file: `mcp.servers`, and the flat entries of OpenCode 1.

use super::super::node::{Key, Map, Node, NodeValue};
use super::normalize::File;

impl File<'_> {
    /// `mcp.servers`, and the flat entries of OpenCode 1 below them.
    pub(super) fn mcp(&mut self, map: &Map) {
        let Some(node) = map.get("mcp") else { return };
        let Some(mcp) = node.map() else { return self.misshapen("mcp", node, "a map") };
        let (mut flat, mut nested) = (Map::default(), Map::default());
        for (name, entry) in mcp.iter() {
            let path = format!("mcp.{}", name.name);
            let is_server = matches!(entry.get("type").and_then(Node::text), Some("local" | "remote"));
            if entry.get("type").is_none() && entry.get("enabled").and_then(Node::bool).is_some() {
                let why = "a switch without `type` changes nothing, and the server stays as another file defines it: \
                           write it whole, with `\"disabled\": true`";
                self.dropped(&path, why, name.at);
            } else if name.name == "servers" && !is_server {
                for (name, server) in entry.map().into_iter().flat_map(Map::iter) {
                    if let Some(server) = self.server(server, &format!("{path}.{}", name.name), false) {
                        nested.set(name.clone(), server);
                    }
                }
            } else if (name.name != "timeout" || is_server)
                && let Some(server) = self.server(entry, &path, true)
            {
                flat.set(name.clone(), server);
            }
        }
        for (name, server) in nested.into_pairs() {
            flat.set(name, server);
        }
        let servers = Key { name: "servers".to_owned(), at: node.at };
        let mcp: Map = [(servers, Node { value: NodeValue::Map(flat), at: node.at })].into_iter().collect();
        self.out.set_made("mcp", Node { value: NodeValue::Map(mcp), at: node.at });
    }

    fn server(&mut self, entry: &Node, path: &str, legacy: bool) -> Option<Node> {
        let texts = |key: &str| entry.get(key)?.list()?.iter().map(Node::text).collect::<Option<Vec<_>>>();
        let fits = match entry.get("type").and_then(Node::text) {
            Some("local") => texts("command").is_some(),
            Some("remote") => entry.get("url").and_then(Node::text).is_some(),
            _ => false,
        };
        if !fits {
            self.dropped(path, "a server needs `type`, and a `command` list or a `url`", entry.at);
            return None;
        }
        let mut map = entry.map().cloned().unwrap_or_default();
        let (key, off) = if legacy { ("enabled", "disabled") } else { ("disabled", "enabled") };
        if let Some((dead, _)) = map.remove(off) {
            self.dropped(&format!("{path}.{off}"), &format!("here it is called `{key}`"), dead.at);
        }
        for (old, new) in [("env", "environment"), ("args", "command")] {
            if let Some((dead, _)) = map.remove(old) {
                self.dropped(&format!("{path}.{old}"), &format!("write `{new}`"), dead.at);
            }
        }
        Some(Node { value: NodeValue::Map(map), at: entry.at })
    }
}
