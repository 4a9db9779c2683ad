//! What a server has in common with the servers of other projects: an address, a socket, a folder of data.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::command::Launch;
use super::definition::Definition;
use super::{address, container, secret};
use crate::facts::secret_names;

/// Something that two projects share through a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Shared {
    /// What it is, in words: "`https://…` with `/srv/other`".
    pub name: String,
    /// The other project.
    pub project: String,
}

/// What a server holds on to: equal texts are the same thing.
pub(super) fn holds(definition: &Definition, launch: &Launch) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if let Some(url) = &definition.url {
        found.insert(address::redacted(&url.text));
    }
    let arguments = launch.rest.iter().map(String::as_str);
    let values = definition.env.iter().map(|(_, placed)| placed.text.as_str());
    for text in arguments.chain(values) {
        let value = text.split_once('=').filter(|(name, _)| name.starts_with('-')).map_or(text, |(_, value)| value);
        if value.contains("://") {
            found.insert(address::redacted(value));
        } else if value.starts_with('/') && value.len() > 1 && !value.contains(':') {
            found.insert(crate::model::redact_line(value.trim_end_matches('/')));
        }
    }
    let container = launch.container.iter();
    found.extend(container.clone().flat_map(|container| &container.ports).map(|port| format!("port {port}")));
    let mounts = container.flat_map(|container| &container.mounts).filter(|mount| !container::is_broad(mount));
    found.extend(mounts.filter(|mount| mount.starts_with('/')).cloned());
    // The same key is the same access.
    for (name, placed) in definition.headers.iter().chain(&definition.env) {
        let references = secret::classify(name, &placed.text).references;
        let is_key = secret_names::may_be_secret(name);
        found.extend(references.into_iter().filter(|_| is_key).map(|reference| reference.text));
    }
    found
}
