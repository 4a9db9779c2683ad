//! `harden.mcp.lock`: what a person has reviewed of each server. It lies beside the project and is committed with it:
//!
//! ```yaml
//! version: 1
//! servers:
//!   context7:
//!     digest: sha256:…        # of the definition, as `harden facts` shows it
//!     package: "@upstash/context7-mcp"
//!     version: 1.0.14
//!     integrity: sha512-…     # as the registry gives it
//!     tools: sha256:…         # of names, descriptions and input schemas of its tools
//!     descriptions: sha256:…  # of names and descriptions alone
//!     reviewed: https://…     # the changelog or pull request
//! ```
//!
//! What a server says of its tools (the answer to `tools/list`) is kept in `.harden/mcp/<name>.json` of the project or
//! in `harden/mcp/<name>.json` of the account's cache. It is data: no server is started to get it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::server::{Approval, Server};
use crate::facts::subject::{jail, place, shown};
use crate::host::{CONFIG_LIMIT, Host, read_text};
use crate::model::{AbsPath, Location, Look, Scope, Subject, Unseen};

/// The name of the file.
pub(super) const NAME: &str = crate::model::MCP_LOCK;

/// Whether a server's version is the one that was reviewed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Review {
    /// Whether there is something to compare with: a lock file or an exact approval is there, or the policy demands one.
    pub asked: bool,
    /// The comparison.
    pub state: Look<ReviewState>,
    /// The version that was reviewed.
    pub version: Option<String>,
    /// What the lock file records, in words.
    pub records: String,
    /// Where the lock file says so.
    pub at: Option<Location>,
    /// The line that would record it there; empty where the file names the server, or takes no further line.
    pub lines: Vec<String>,
}

/// A version compared with the reviewed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReviewState {
    /// The lock file names package and version.
    Locked,
    /// The list of reviewed servers holds the digest of the definition, version included.
    Approved,
    /// The lock file names another package or version.
    Differs,
    /// The lock file does not name the server.
    Missing,
}

/// A server's tools compared with the reviewed ones.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Tools {
    /// Whether there is something to compare with: the lock file has a digest of its tools, a list of them is stored, or
    /// the policy demands both.
    pub asked: bool,
    /// The comparison.
    pub state: Look<ToolsState>,
    /// The stored list of its tools.
    pub manifest: Option<String>,
    /// SHA-256 of that list.
    pub digest: Option<String>,
    /// Where the stored list is.
    pub at: Option<Location>,
}

/// Tools compared with the reviewed ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ToolsState {
    /// They are the same.
    Same,
    /// They differ.
    Changed,
}

impl Review {
    pub(super) fn unknown() -> Self {
        let state = Look::unknown("not compared", "report this as a bug");
        Self { asked: true, state, version: None, records: String::new(), at: None, lines: Vec::new() }
    }
}

impl Tools {
    pub(super) fn unknown() -> Self {
        let state = Look::unknown("not compared", "report this as a bug");
        Self { asked: true, state, manifest: None, digest: None, at: None }
    }
}

/// What was reviewed.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Lock {
    #[serde(default)]
    servers: BTreeMap<String, Locked>,
    /// The file and its text, for places.
    #[serde(skip)]
    file: String,
    #[serde(skip)]
    text: String,
}

#[derive(Debug, Default, Deserialize)]
struct Locked {
    package: Option<String>,
    version: Option<String>,
    tools: Option<String>,
    descriptions: Option<String>,
}

impl Locked {
    fn is_without_tools(&self) -> bool {
        self.tools.is_none() && self.descriptions.is_none()
    }
}

/// Reads the lock file; None where there is none.
pub(super) fn read(host: &dyn Host, subject: &Subject) -> Result<Option<Lock>, Unseen> {
    let path = subject.project.join(NAME);
    let text = match read_text(host, &path, jail(subject, &path), CONFIG_LIMIT) {
        Ok(Some(text)) => text,
        Ok(None) => return Ok(None),
        Err(error) => return Err(Unseen::new(format!("cannot read `{NAME}`: {error}"), "look at the file by hand")),
    };
    let lock: Lock = serde_yaml::from_str(&text)
        .map_err(|error| Unseen::new(format!("`{NAME}` is not understood: {error}"), "correct the file"))?;
    Ok(Some(Lock { file: shown(subject, &path), text, ..lock }))
}

impl Lock {
    /// Whether it names a server.
    pub(super) fn names(&self, name: &str) -> bool {
        self.servers.contains_key(name)
    }

    /// The file's text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The line that names a server.
    fn line(&self, name: &str) -> Option<Location> {
        let quoted = format!("\"{name}\":");
        let plain = format!("{name}:");
        let is_it = |line: &str| line.trim_start().starts_with(&plain) || line.trim_start().starts_with(&quoted);
        let (at, line) = self.text.lines().enumerate().find(|(_, line)| is_it(line))?;
        Some(Location::line(self.file.clone(), u32::try_from(at + 1).ok()?, line))
    }
}

/// Compares a server's version with the lock.
pub(super) fn review(server: &Server, lock: &Result<Option<Lock>, Unseen>, demanded: bool) -> Review {
    let is = |state| Review { state: Look::Known(state), records: "no version of it".into(), ..Review::unknown() };
    if server.approval == Approval::Exact {
        return is(ReviewState::Approved);
    }
    let lock = match lock {
        Ok(Some(lock)) => lock,
        Ok(None) => {
            let why = format!("nothing records which version of `{}` was reviewed", server.name);
            let how = format!("name it in `{NAME}`, or its definition in `mcp_allow`: `{}`", server.entry);
            return Review { asked: demanded, state: Look::unknown(why, how), ..is(ReviewState::Missing) };
        }
        Err(unseen) => return Review { state: Look::Unknown(unseen.clone()), ..is(ReviewState::Missing) },
    };
    let Some(locked) = lock.servers.get(&server.name) else { return is(ReviewState::Missing) };
    let same_package = locked.package.is_none() || locked.package == server.package;
    let same = same_package && locked.version == server.version;
    let state = if same { ReviewState::Locked } else { ReviewState::Differs };
    let version = locked.version.as_deref().map(crate::model::redact_line);
    let package = locked.package.as_deref().filter(|_| !same_package).map(crate::model::redact_line);
    let records = match (&package, &version) {
        (Some(package), _) => format!("the package `{package}`"),
        (None, Some(version)) => format!("version `{version}`"),
        (None, None) => "no version of it".into(),
    };
    Review { asked: true, state: Look::Known(state), version, records, at: lock.line(&server.name), lines: Vec::new() }
}

/// A stored list of tools.
pub(super) struct Manifest {
    pub(super) file: String,
    pub(super) text: String,
    tools: BTreeMap<String, Json>,
}

/// The stored list of a server's tools; None where there is none.
pub(super) fn manifest(host: &dyn Host, subject: &Subject, name: &str) -> Result<Option<Manifest>, Unseen> {
    for path in manifest_paths(subject, name) {
        let unreadable = |why: String| {
            let file = shown(subject, &path);
            Unseen::new(format!("the stored tools in `{file}` cannot be read: {why}"), "look at the file by hand")
        };
        let text = match read_text(host, &path, jail(subject, &path), CONFIG_LIMIT) {
            Ok(Some(text)) => text,
            Ok(None) => continue,
            Err(error) => return Err(unreadable(error.to_string())),
        };
        let json: Json = serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
        let tools = tools(&json).ok_or_else(|| unreadable("no list of tools with names".into()))?;
        return Ok(Some(Manifest { file: shown(subject, &path), text, tools }));
    }
    Ok(None)
}

/// The file for a server's tools; its name may hold anything.
fn manifest_name(name: &str) -> String {
    let safe: String =
        name.chars().map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' }).collect();
    format!("{}.json", safe.trim_start_matches(['.', '_']))
}

fn manifest_paths(subject: &Subject, name: &str) -> Vec<AbsPath> {
    let file = manifest_name(name);
    let own = subject.project.join(".harden/mcp").join(&file);
    let cache = place(subject, "{cache}/harden/mcp").filter(|_| subject.scope > Scope::Repo);
    std::iter::once(own).chain(cache.map(|folder| folder.join(&file))).collect()
}

/// `{tools: […]}`, `{result: {tools: […]}}` or the list itself, by name.
fn tools(json: &Json) -> Option<BTreeMap<String, Json>> {
    let list = json.get("tools").or_else(|| json.get("result")?.get("tools")).unwrap_or(json).as_array()?;
    list.iter().map(|tool| Some((tool.get("name")?.as_str()?.to_owned(), tool.clone()))).collect()
}

/// SHA-256 over the named parts of all tools, keys sorted.
fn digest(tools: &BTreeMap<String, Json>, parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for (name, tool) in tools {
        hasher.update(name.as_bytes());
        for part in parts {
            hasher.update([0]);
            hasher.update(sorted(tool.get(*part).unwrap_or(&Json::Null)).as_bytes());
        }
        hasher.update([0, 0]);
    }
    crate::model::hex(hasher.finalize())
}

/// JSON with its keys sorted. Depth is bounded by the parser.
fn sorted(json: &Json) -> String {
    match json {
        Json::Object(map) => {
            let sorted_map: BTreeMap<&String, String> = map.iter().map(|(key, value)| (key, sorted(value))).collect();
            let pairs: Vec<String> = sorted_map.iter().map(|(key, value)| format!("{key:?}:{value}")).collect();
            format!("{{{}}}", pairs.join(","))
        }
        Json::Array(list) => format!("[{}]", list.iter().map(sorted).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

/// Compares the stored tools of a server with the lock.
pub(super) fn compare_tools(
    name: &str,
    lock: &Result<Option<Lock>, Unseen>,
    manifest: &Result<Option<Manifest>, Unseen>,
    demanded: bool,
) -> Tools {
    let unknown = |unseen: Unseen| Tools { state: Look::Unknown(unseen), ..Tools::unknown() };
    let nothing_to_compare = match (lock, manifest) {
        (Ok(lock), Ok(None)) => {
            lock.as_ref().and_then(|lock| lock.servers.get(name)).is_none_or(Locked::is_without_tools)
        }
        _ => false,
    };
    let manifest = match manifest {
        Ok(Some(manifest)) => manifest,
        Ok(None) => {
            let unseen = Unseen::new(
                format!("no list of the tools of `{name}` is stored, and servers are not started to ask"),
                format!(
                    "save its answer to `tools/list` as `.harden/mcp/{}`, and its digest in `{NAME}`",
                    manifest_name(name)
                ),
            );
            return Tools { asked: demanded || !nothing_to_compare, ..unknown(unseen) };
        }
        Err(unseen) => return unknown(unseen.clone()),
    };
    let whole = digest(&manifest.tools, &["description", "inputSchema"]);
    let words = digest(&manifest.tools, &["description"]);
    let at = Some(Location::file(manifest.file.clone()));
    let told = |state| Tools {
        asked: true,
        state,
        manifest: Some(manifest.file.clone()),
        digest: Some(whole.clone()),
        at: at.clone(),
    };
    let entry = match lock {
        Ok(lock) => lock.as_ref().and_then(|lock| lock.servers.get(name)),
        Err(unseen) => return told(Look::Unknown(unseen.clone())),
    };
    let is = |wanted: &str, found: &str| wanted.strip_prefix("sha256:").unwrap_or(wanted).eq_ignore_ascii_case(found);
    let same = entry.and_then(|entry| match (&entry.tools, &entry.descriptions) {
        (Some(wanted), _) => Some(is(wanted, &whole)),
        (None, Some(wanted)) => Some(is(wanted, &words)),
        (None, None) => None,
    });
    told(match same {
        Some(true) => Look::Known(ToolsState::Same),
        Some(false) => Look::Known(ToolsState::Changed),
        None => Look::unknown(
            format!("`{NAME}` has no digest of the tools of `{name}`"),
            format!("read the tools in `{}`, then write `tools: sha256:{whole}` for `{name}` there", manifest.file),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_tools_and_keys_does_not_count_but_their_words_do() {
        let read = |text: &str| tools(&serde_json::from_str(text).expect("JSON")).expect("tools");
        let a =
            read(r#"{"tools": [{"name": "x", "description": "d", "inputSchema": {"a": 1, "b": 2}}, {"name": "y"}]}"#);
        let b = read(
            r#"{"result": {"tools": [{"name": "y"}, {"inputSchema": {"b": 2, "a": 1}, "description": "d", "name": "x"}]}}"#,
        );
        let c = read(r#"[{"name": "x", "description": "D", "inputSchema": {"a": 1, "b": 2}}, {"name": "y"}]"#);
        let parts = ["description", "inputSchema"];
        assert_eq!(digest(&a, &parts), digest(&b, &parts));
        assert_ne!(digest(&a, &parts), digest(&c, &parts));
        assert!(tools(&serde_json::json!({"tools": [{"title": "x"}]})).is_none());
    }
}
