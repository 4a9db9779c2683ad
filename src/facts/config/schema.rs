//! The types of OpenCode 1.18.33's settings: what is dropped, and what keeps it from starting.

use super::merge::{Remark, RemarkKind};
use super::node::{Map, Node, NodeValue};

/// A type of setting.
pub(super) enum Shape {
    /// Anything but a missing value.
    Any,
    Bool,
    Text,
    Number,
    /// A whole number above zero.
    Whole,
    /// One of these.
    Words(&'static [&'static str]),
    TextList,
    /// Every value of this type.
    Table(&'static Shape),
    /// These keys; others are dropped.
    Record(&'static [(&'static str, Shape)]),
    /// These keys; others stay.
    Open(&'static [(&'static str, Shape)]),
    /// The first that fits.
    OneOf(&'static [Shape]),
    /// Names, or pairs of a name and its options.
    Plugins,
    /// A rule, or rules by tool.
    Permission,
}

use Shape::{Any, Bool, Number, OneOf, Open, Permission, Plugins, Record, Table, Text, TextList, Whole, Words};

/// Tools whose permission is one word.
pub(super) const ONE_WORD: &[&str] = &["todowrite", "question", "webfetch", "websearch", "doom_loop"];

const TEXTS: Shape = Table(&Text);

/// An agent, from JSON or Markdown.
pub(super) const AGENT: &[(&str, Shape)] = &[
    ("name", Text),
    ("model", Text),
    ("variant", Text),
    ("temperature", Number),
    ("top_p", Number),
    ("prompt", Text),
    ("tools", Table(&Bool)),
    ("disable", Bool),
    ("description", Text),
    ("mode", Words(&["subagent", "primary", "all"])),
    ("hidden", Bool),
    ("options", Table(&Any)),
    ("color", Text),
    ("steps", Whole),
    ("maxSteps", Whole),
    ("permission", Permission),
];

/// A command, from JSON or Markdown.
pub(super) const COMMAND: Shape = Record(&[
    ("template", Text),
    ("description", Text),
    ("agent", Text),
    ("model", Text),
    ("variant", Text),
    ("subtask", Bool),
]);

pub(super) const LOCAL: Shape = Record(&[
    ("type", Words(&["local"])),
    ("command", TextList),
    ("cwd", Text),
    ("environment", TEXTS),
    ("enabled", Bool),
    ("timeout", Whole),
]);

pub(super) const REMOTE: Shape = Record(&[
    ("type", Words(&["remote"])),
    ("url", Text),
    ("enabled", Bool),
    ("headers", TEXTS),
    ("oauth", OneOf(&[Shape::Table(&Any), Bool])),
    ("timeout", Whole),
]);

const SERVER: Shape =
    Record(&[("port", Whole), ("hostname", Text), ("mdns", Bool), ("mdnsDomain", Text), ("cors", TextList)]);

const EXPERIMENTAL: Shape = Record(&[
    ("disable_paste_summary", Bool),
    ("batch_tool", Bool),
    ("openTelemetry", Bool),
    ("primary_tools", TextList),
    ("continue_loop_on_deny", Bool),
    ("mcp_timeout", Whole),
    ("policies", Any),
]);

/// Every top-level key but `agent`, `mode` and `mcp`, which are read entry by entry.
pub(super) const TOP: &[(&str, Shape)] = &[
    ("$schema", Text),
    ("shell", Text),
    ("logLevel", Words(&["DEBUG", "INFO", "WARN", "ERROR"])),
    ("server", SERVER),
    ("command", Table(&COMMAND)),
    ("skills", Record(&[("paths", TextList), ("urls", TextList)])),
    ("references", Any),
    ("reference", Any),
    ("watcher", Record(&[("ignore", TextList)])),
    ("snapshot", Bool),
    ("plugin", Plugins),
    ("share", Words(&["manual", "auto", "disabled"])),
    ("autoshare", Bool),
    ("autoupdate", OneOf(&[Bool, Words(&["notify"])])),
    ("disabled_providers", TextList),
    ("enabled_providers", TextList),
    ("model", Text),
    ("small_model", Text),
    ("default_agent", Text),
    ("subagent_depth", Number),
    ("username", Text),
    ("provider", Table(&Table(&Any))),
    ("formatter", OneOf(&[Bool, Table(&Any)])),
    ("lsp", OneOf(&[Bool, Table(&Any)])),
    ("instructions", TextList),
    ("layout", Words(&["auto", "stretch"])),
    ("permission", Permission),
    ("tools", Table(&Bool)),
    ("attachment", Any),
    ("enterprise", Record(&[("url", Text)])),
    ("tool_output", Any),
    ("compaction", Any),
    ("experimental", EXPERIMENTAL),
];

/// Collects what is wrong, and where.
pub(super) struct Decoder<'a> {
    pub(super) remarks: &'a mut Vec<Remark>,
}

impl Decoder<'_> {
    /// The value as the program keeps it. A wrong type is remarked and the value left out.
    pub(super) fn decode(&mut self, shape: &Shape, key: &str, node: Node) -> Option<Node> {
        let at = node.at;
        match shape {
            Any => Some(node),
            Bool => self.expect(node.bool().is_some(), key, node, "true or false"),
            Text => self.expect(node.text().is_some(), key, node, "a text"),
            Number => self.expect(matches!(node.value, NodeValue::Number(_)), key, node, "a number"),
            Whole => {
                let whole = matches!(&node.value, NodeValue::Number(text) if text.parse::<f64>().is_ok_and(|n| n > 0.0 && n.fract() == 0.0));
                self.expect(whole, key, node, "a whole number above zero")
            }
            Words(words) => {
                let known = node.text().is_some_and(|text| words.contains(&text) || is_filled_in(text));
                self.expect(known, key, node, &one_of(words))
            }
            TextList => {
                let fits = node.list().is_some_and(|list| list.iter().all(|item| item.text().is_some()));
                self.expect(fits, key, node, "a list of texts")
            }
            Plugins => {
                let fits =
                    node.list().is_some_and(|list| list.iter().all(|item| super::merge::plugin_name(item).is_some()));
                self.expect(fits, key, node, "a list of names")
            }
            Table(inner) => {
                let NodeValue::Map(map) = node.value else { return self.expect(false, key, node, "a map") };
                let pairs = map.into_pairs().into_iter().filter_map(|(name, value)| {
                    let value = self.decode(inner, &format!("{key}.{}", name.name), value)?;
                    Some((name, value))
                });
                Some(Node { value: NodeValue::Map(pairs.collect()), at })
            }
            Record(fields) | Open(fields) => {
                let NodeValue::Map(map) = node.value else { return self.expect(false, key, node, "a map") };
                let open = matches!(shape, Open(_));
                Some(Node { value: NodeValue::Map(self.fields(fields, open, key, map)), at })
            }
            OneOf(shapes) => {
                for shape in *shapes {
                    let mut remarks = Vec::new();
                    let decoded = Decoder { remarks: &mut remarks }.decode(shape, key, node.clone());
                    if remarks.iter().all(|remark| remark.kind != RemarkKind::Refused) {
                        self.remarks.append(&mut remarks);
                        return decoded;
                    }
                }
                self.expect(false, key, node, "of a type that is read here")
            }
            Permission => self.permission(key, node),
        }
    }

    pub(super) fn fields(&mut self, fields: &[(&str, Shape)], open: bool, key: &str, map: Map) -> Map {
        let pairs = map.into_pairs().into_iter().filter_map(|(name, value)| {
            let path = if key.is_empty() { name.name.clone() } else { format!("{key}.{}", name.name) };
            match fields.iter().find(|(known, _)| *known == name.name) {
                Some((_, shape)) => self.decode(shape, &path, value).map(|value| (name, value)),
                None if open => Some((name, value)),
                None => {
                    self.dropped(&path, &name);
                    None
                }
            }
        });
        pairs.collect()
    }

    /// A word means itself for everything; a map is kept in order.
    fn permission(&mut self, key: &str, node: Node) -> Option<Node> {
        let at = node.at;
        let pairs = match node.value {
            NodeValue::Text(_) => {
                let name = super::Key { name: "*".to_owned(), at };
                vec![(name, self.action(key, node)?)]
            }
            NodeValue::Map(map) => map.into_pairs(),
            _ => return self.expect(false, key, node, "`allow`, `ask`, `deny` or a map of them"),
        };
        let pairs = pairs.into_iter().filter_map(|(name, value)| {
            let path = format!("{key}.{}", name.name);
            if let Some(tool) = meant(&name.name) {
                let why = format!("this is a rule for a tool named `{}`: write `{tool}` if that is meant", name.name);
                self.remark(RemarkKind::Misspelt, &path, &why, name.at);
            }
            let value = match value.value {
                NodeValue::Map(patterns) if !ONE_WORD.contains(&name.name.as_str()) => {
                    let patterns = patterns.into_pairs().into_iter().filter_map(|(pattern, action)| {
                        let action = self.action(&format!("{path}.{}", pattern.name), action)?;
                        Some((pattern, action))
                    });
                    Node { value: NodeValue::Map(patterns.collect()), at: value.at }
                }
                _ => self.action(&path, value)?,
            };
            Some((name, value))
        });
        Some(Node { value: NodeValue::Map(pairs.collect()), at })
    }

    fn action(&mut self, key: &str, node: Node) -> Option<Node> {
        let known = node.text().is_some_and(|text| matches!(text, "allow" | "ask" | "deny") || is_filled_in(text));
        self.expect(known, key, node, "`allow`, `ask` or `deny`")
    }

    fn expect(&mut self, fits: bool, key: &str, node: Node, wanted: &str) -> Option<Node> {
        if !fits {
            let why = format!("{} where {wanted} belongs: OpenCode does not start", node.kind());
            self.remark(RemarkKind::Refused, key, &why, node.at);
        }
        fits.then_some(node)
    }

    /// A key that is dropped. One that only describes is left unsaid.
    pub(super) fn dropped(&mut self, path: &str, key: &super::Key) {
        let name = key.name.as_str();
        if name.starts_with(['_', '$', '/', '#']) || matches!(name, "name" | "description" | "version" | "comment") {
            return;
        }
        let why = match name {
            "env" => "no such setting: write `environment`",
            "args" => "no such setting: write the arguments into the `command` list",
            "allowed-tools" | "allowedTools" => "it restricts nothing here: write `permission` for an agent",
            "alwaysAllow" | "autoApprove" | "trust" => "no such setting: write `permission` rules for its tools",
            _ => "no such setting",
        };
        self.remark(RemarkKind::Dropped, path, why, key.at);
    }

    pub(super) fn remark(&mut self, kind: RemarkKind, key: &str, why: &str, at: super::Span) {
        self.remarks.push(Remark { kind, key: key.to_owned(), why: why.to_owned(), at, of_version: false });
    }

    /// A remark that holds for this version only.
    pub(super) fn of_version(&mut self, kind: RemarkKind, key: &str, why: &str, at: super::Span) {
        self.remarks.push(Remark { kind, key: key.to_owned(), why: why.to_owned(), at, of_version: true });
    }
}

/// What permission is asked for besides [`ONE_WORD`].
const ASKED: &[&str] =
    &["read", "edit", "glob", "grep", "list", "bash", "task", "external_directory", "lsp", "skill", "codesearch"];

/// The tool that a key of `permission` nearly names. Any other key is the name of a tool that a server or plugin brings.
fn meant(key: &str) -> Option<&'static str> {
    let known = || ASKED.iter().chain(ONE_WORD).copied();
    if known().any(|tool| tool == key) || key.contains(['*', '?']) {
        return None;
    }
    let plain = |text: &str| text.to_ascii_lowercase().replace(['-', '_'], "");
    let key = plain(key);
    known().find(|tool| {
        let tool = plain(tool);
        key == tool || tool.len() > 3 && is_slip(&key, &tool)
    })
}

/// Whether one letter is wrong, missing or too many, or two neighbours changed places.
fn is_slip(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let front = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[front..], &b[front..]);
    let back = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    match (&a[..a.len() - back], &b[..b.len() - back]) {
        ([_], [_] | []) | ([], [_]) => true,
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    }
}

/// The value comes from elsewhere: `{env:…}`, `{file:…}`. What it is cannot be said.
fn is_filled_in(text: &str) -> bool {
    text.contains("{env:") || text.contains("{file:")
}

fn one_of(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_slip_in_the_name_of_a_tool_is_told_from_the_name_of_another() {
        for (key, tool) in [
            ("bash", None),
            ("bahs", Some("bash")),
            ("Bash", Some("bash")),
            ("web_fetch", Some("webfetch")),
            ("external-directory", Some("external_directory")),
            ("externaldirectry", Some("external_directory")),
            ("skills", Some("skill")),
            ("edti", Some("edit")),
            ("test", None),
            ("docs_search", None),
            ("bas*", None),
            ("ls", None),
            ("write", None),
            ("", None),
        ] {
            assert_eq!(super::meant(key), tool, "{key}");
        }
    }
}
