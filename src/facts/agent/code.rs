//! Code and text that an agent loads from elsewhere, or runs by itself.

use schemars::JsonSchema;
use serde::Serialize;

use crate::facts::config::{Effective, LayerState, Map, Node, Part, Span, address};
use crate::facts::subject::jail;
use crate::host::{Host, resolve};
use crate::model::{Location, Merging, Scope, Subject, plain, redact_line};

/// Something that is loaded or run.
#[derive(Serialize, JsonSchema)]
pub(super) struct CodeFact {
    /// What it is called.
    name: String,
    /// What it is.
    kind: Kind,
    /// How firmly it is named.
    pin: Pin,
    /// What that means, as the end of "it …".
    risk: &'static str,
    /// Who brought it.
    scope: Scope,
    /// Where it is written.
    at: Option<Location>,
}

/// What is loaded or run.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// A plugin: runs in the agent.
    Plugin,
    /// A tool of the project's own.
    Tool,
    /// Front matter that is evaluated when the configuration is read.
    FrontMatter,
    /// The package that talks to a model.
    Provider,
    /// A program run after edits.
    Formatter,
    /// A program that is asked about code.
    LanguageServer,
    /// Texts the model is told to follow.
    Instructions,
    /// Skills fetched from an address.
    Skills,
    /// A repository that is cloned.
    Reference,
    /// Configuration that is fetched.
    Configuration,
    /// A program run by the agent when something happens.
    Hook,
}

/// How firmly it is named.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Pin {
    /// A file of this machine.
    Local,
    /// One version for good.
    Exact,
    /// Whatever the registry or branch holds today.
    Floating,
    /// Whatever an address answers today.
    Remote,
    /// It runs without being a program to look at: code inside a text.
    Hidden,
    /// It comes with the agent.
    Bundled,
}

impl Pin {
    fn risk(self) -> &'static str {
        match self {
            Self::Local => "is a file of this machine",
            Self::Exact => "is pinned",
            Self::Bundled => "comes with the agent",
            Self::Floating => "is not pinned: each install may bring another version",
            Self::Remote => "is fetched from an address that may answer otherwise tomorrow",
            Self::Hidden => "is a program that runs whenever the configuration is read",
        }
    }
}

/// Where prompts are sent to.
#[derive(Serialize, JsonSchema)]
pub(super) struct EndpointFact {
    /// The provider.
    pub(super) name: String,
    /// Scheme and host.
    pub(super) address: String,
    /// Whether it is on this machine.
    pub(super) loopback: bool,
    /// Whether the way there is encrypted.
    pub(super) encrypted: bool,
    /// Where it is written.
    pub(super) at: Option<Location>,
}

/// Packages that OpenCode 1.18.33 carries in itself.
const BUNDLED: &[&str] = &[
    "@ai-sdk/alibaba",
    "@ai-sdk/amazon-bedrock",
    "@ai-sdk/amazon-bedrock/mantle",
    "@ai-sdk/anthropic",
    "@ai-sdk/azure",
    "@ai-sdk/cerebras",
    "@ai-sdk/cohere",
    "@ai-sdk/deepinfra",
    "@ai-sdk/gateway",
    "@ai-sdk/github-copilot",
    "@ai-sdk/google",
    "@ai-sdk/google-vertex",
    "@ai-sdk/google-vertex/anthropic",
    "@ai-sdk/groq",
    "@ai-sdk/mistral",
    "@ai-sdk/openai",
    "@ai-sdk/openai-compatible",
    "@ai-sdk/perplexity",
    "@ai-sdk/togetherai",
    "@ai-sdk/vercel",
    "@ai-sdk/xai",
    "@openrouter/ai-sdk-provider",
    "gitlab-ai-provider",
    "venice-ai-sdk-provider",
];

/// Everything that is loaded or run.
pub(super) fn look(host: &dyn Host, subject: &Subject, config: &Effective) -> Vec<CodeFact> {
    let mut finder = Finder { config, out: Vec::new() };
    for plugin in &config.plugins {
        finder.add(&plugin.spec, Kind::Plugin, pin(&plugin.spec), plugin.at);
    }
    match subject.agent.merging {
        Merging::Opencode => {
            finder.opencode();
            finder.tools(host, subject);
        }
        Merging::Opencode2 => finder.opencode2(),
        Merging::Separate | Merging::Deep => {}
    }
    for tree in &config.trees {
        finder.hooks(&tree.root);
    }
    finder.layers();
    finder.out
}

struct Finder<'a> {
    config: &'a Effective,
    out: Vec<CodeFact>,
}

impl Finder<'_> {
    fn add(&mut self, name: &str, kind: Kind, pin: Pin, at: Span) {
        let layer = self.config.layer(at);
        self.out.push(CodeFact {
            name: redact_line(name),
            kind,
            pin,
            risk: pin.risk(),
            scope: layer.map_or(Scope::User, |layer| layer.scope),
            at: self.config.location(at),
        });
    }

    fn opencode(&mut self) {
        let Some(root) = self.config.root() else { return };
        let texts = |key: &str| root.get(key).and_then(Node::list).unwrap_or_default().iter();
        for (key, kind) in [("instructions", Kind::Instructions), ("skills.urls", Kind::Skills)] {
            for node in texts(key) {
                if let Some(url) = node.text().filter(|text| text.starts_with("http")) {
                    self.add(&address(url), kind, Pin::Remote, node.at);
                }
            }
        }
        self.references(root);
        for (name, node) in entries(root, "provider") {
            if let Some((package, at)) = node.get("npm").and_then(|npm| Some((npm.text()?, npm.at))) {
                let pin = if BUNDLED.contains(&package) { Pin::Bundled } else { pin(package) };
                self.add(&format!("{}: {package}", name.name), Kind::Provider, pin, at);
            }
        }
        self.programs(root, "formatter", Kind::Formatter);
        self.programs(root, "lsp", Kind::LanguageServer);
    }

    /// The same in OpenCode 2, which loads neither instructions nor language servers.
    fn opencode2(&mut self) {
        let Some(root) = self.config.root() else { return };
        for node in root.get("skills").and_then(Node::list).unwrap_or_default() {
            if let Some(url) = node.text().filter(|text| text.contains("://")) {
                self.add(&address(url), Kind::Skills, Pin::Remote, node.at);
            }
        }
        self.references(root);
        for (name, node) in entries(root, "providers") {
            let Some((package, at)) = node.get("package").and_then(|node| Some((node.text()?, node.at))) else {
                continue;
            };
            let package = package.strip_prefix("aisdk:").unwrap_or(package);
            let pin = if BUNDLED.contains(&package) { Pin::Bundled } else { pin(package) };
            self.add(&format!("{}: {package}", name.name), Kind::Provider, pin, at);
        }
        self.programs(root, "formatter", Kind::Formatter);
    }

    fn references(&mut self, root: &Node) {
        for (name, node) in entries(root, "reference").chain(entries(root, "references")) {
            let text =
                node.text().or_else(|| node.get("repository").or_else(|| node.get("path"))?.text()).unwrap_or("");
            if !text.starts_with(['.', '/', '~']) {
                self.add(&name.name, Kind::Reference, Pin::Floating, name.at);
            }
        }
    }

    fn programs(&mut self, root: &Node, key: &str, kind: Kind) {
        for (name, node) in entries(root, key) {
            if let Some(command) = node.get("command") {
                self.add(&name.name, kind, command_pin(command), command.at);
            }
        }
    }

    /// Files below `tool/` and `tools/`: the model can call them.
    fn tools(&mut self, host: &dyn Host, subject: &Subject) {
        for folder in self.config.folders.iter().flat_map(|folder| ["tool", "tools"].map(|name| folder.join(name))) {
            let entries = resolve(host, &folder, jail(subject, &folder)).and_then(|path| host.list(&path));
            for entry in entries.unwrap_or_default() {
                let path = folder.join(&entry.name);
                if path.name_text().ends_with(".ts") || path.name_text().ends_with(".js") {
                    let shown = crate::facts::subject::shown(subject, &path);
                    let scope = if path.is_within(&subject.project) { Scope::Repo } else { Scope::User };
                    let name = plain(&path.name_text()).into_owned();
                    self.out.push(CodeFact {
                        name,
                        kind: Kind::Tool,
                        pin: Pin::Local,
                        risk: Pin::Local.risk(),
                        scope,
                        at: Some(Location::file(shown)),
                    });
                }
            }
        }
    }

    /// `hooks.<event>[].hooks[].command`, as several agents write them.
    fn hooks(&mut self, root: &Node) {
        for (event, groups) in entries(root, "hooks") {
            for group in groups.list().unwrap_or_default() {
                let inner = group.get("hooks").and_then(Node::list).unwrap_or_default();
                for hook in std::iter::once(group).chain(inner) {
                    if let Some(command) = hook.get("command") {
                        self.add(&event.name, Kind::Hook, command_pin(command), command.at);
                    }
                }
            }
        }
    }

    /// What comes with the layers themselves.
    fn layers(&mut self) {
        for layer in &self.config.layers {
            let (name, kind, pin) = match &layer.state {
                LayerState::Remote(host) => (host.clone(), Kind::Configuration, Pin::Remote),
                LayerState::Unseen(unseen) if layer.part == Part::Agent && unseen.why.contains("is a program") => {
                    (layer.shown.clone(), Kind::FrontMatter, Pin::Hidden)
                }
                _ => continue,
            };
            let at = Some(Location::file(layer.shown.clone()));
            self.out.push(CodeFact { name: redact_line(&name), kind, pin, risk: pin.risk(), scope: layer.scope, at });
        }
    }
}

fn entries<'a>(root: &'a Node, key: &str) -> impl Iterator<Item = &'a (crate::facts::config::Key, Node)> + use<'a> {
    root.get(key).and_then(Node::map).into_iter().flat_map(Map::iter)
}

/// How firmly a package, file or address is named.
fn pin(spec: &str) -> Pin {
    if spec.starts_with("file:") || spec.starts_with(['.', '/']) {
        return Pin::Local;
    }
    if spec.contains("://") || spec.starts_with("git") || spec.starts_with("github:") {
        let commit = spec.rsplit_once('#').map_or("", |(_, commit)| commit);
        let fixed = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
        return if fixed { Pin::Exact } else { Pin::Remote };
    }
    let version = spec.get(1..).and_then(|rest| rest.rsplit_once('@')).map_or("", |(_, version)| version);
    if is_exact(version) { Pin::Exact } else { Pin::Floating }
}

/// `1.2.3`, with what may follow; no range, no tag.
fn is_exact(version: &str) -> bool {
    let core = version.split(['-', '+']).next().unwrap_or("");
    let numbers: Vec<&str> = core.split('.').collect();
    numbers.len() == 3 && numbers.iter().all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// A command that fetches what it runs is as firm as the package it names.
fn command_pin(command: &Node) -> Pin {
    let words: Vec<&str> = match command.list() {
        Some(list) => list.iter().filter_map(Node::text).collect(),
        None => command.text().unwrap_or("").split_whitespace().collect(),
    };
    let program = words.first().and_then(|word| word.rsplit('/').next()).unwrap_or("");
    if !matches!(program, "npx" | "bunx" | "pnpx" | "uvx" | "pipx") {
        return Pin::Local;
    }
    words.iter().skip(1).find(|word| !word.starts_with('-')).map_or(Pin::Local, |package| match pin(package) {
        Pin::Floating if package.contains("==") => Pin::Exact,
        pin => pin,
    })
}

/// Addresses of models that the configuration names.
pub(super) fn endpoints(config: &Effective) -> Vec<EndpointFact> {
    let Some(root) = config.root() else { return Vec::new() };
    let key = if config.merging == Merging::Opencode2 { "providers" } else { "provider" };
    entries(root, key)
        .filter_map(|(name, node)| {
            let url =
                node.get("settings.baseURL").or_else(|| node.get("options.baseURL")).or_else(|| node.get("api"))?;
            let text = url.text().filter(|text| text.contains("://"))?;
            let address = address(text);
            let host = address.split("://").nth(1).unwrap_or("");
            let host = host
                .strip_prefix('[')
                .map_or_else(|| host.split(':').next().unwrap_or(""), |rest| rest.split(']').next().unwrap_or(""));
            Some(EndpointFact {
                name: plain(&name.name).into_owned(),
                loopback: host == "localhost" || host.starts_with("127.") || host == "::1",
                encrypted: address.starts_with("https:"),
                at: config.location(url.at),
                address,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_exact_or_it_floats() {
        for (spec, expected) in [
            ("x@1.2.3", Pin::Exact),
            ("@s/x@1.2.3-rc.1", Pin::Exact),
            ("x", Pin::Floating),
            ("@s/x", Pin::Floating),
            ("x@latest", Pin::Floating),
            ("x@^1.2.3", Pin::Floating),
            ("x@1.2", Pin::Floating),
            ("file:///a/b.js", Pin::Local),
            ("git+https://git.example/x.git", Pin::Remote),
            ("git+https://git.example/x.git#0123456789012345678901234567890123456789", Pin::Exact),
        ] {
            assert!(pin(spec) == expected, "{spec}");
        }
    }
}
