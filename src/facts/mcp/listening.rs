//! What makes a local server open a TCP port, and which folders it is told to serve.

use super::command::Launch;
use super::definition::Definition;
use super::server::Remote;

/// Words for transports over a port.
const OVER_A_PORT: &[&str] =
    &["http", "sse", "streamable-http", "streamablehttp", "streamable_http", "ws", "websocket", "tcp"];

/// Why a server on this machine listens on a port, as written; empty where it does not, as far as its definition goes.
pub(super) fn reasons(definition: &Definition, remote: Option<&Remote>, launch: &Launch) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(remote) = remote.filter(|remote| remote.loopback && !remote.address.starts_with("unix:")) {
        found.push(remote.address.clone());
    }
    if definition.url.is_some() || remote.is_some() {
        return found;
    }
    let ports = launch.container.iter().flat_map(|container| &container.ports);
    found.extend(ports.map(|port| format!("--publish {}", crate::model::redact_line(port))));
    let rest = &launch.rest;
    for (at, arg) in rest.iter().enumerate() {
        let (name, value) = match arg.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (arg.as_str(), rest.get(at + 1).map(String::as_str)),
        };
        let over_a_port = value.is_some_and(|value| OVER_A_PORT.contains(&value.to_lowercase().as_str()));
        if matches!(name, "--transport" | "-t" | "--mode") && over_a_port {
            found.push(format!("{name} {}", value.unwrap_or_default()));
        } else if matches!(arg.as_str(), "--sse" | "--http" | "--streamable-http" | "--ws")
            && next_is_no_value(rest, at)
        {
            found.push(arg.clone());
        }
    }
    let env = definition.env.iter().map(|(name, placed)| (name, placed.text.as_str()));
    let env = env.chain(launch.env.iter().map(|(name, value)| (name, value.as_str())));
    let transports = env.filter(|(name, value)| {
        (name.ends_with("TRANSPORT") || name.ends_with("TRANSPORT_TYPE"))
            && OVER_A_PORT.contains(&value.to_lowercase().as_str())
    });
    found.extend(transports.map(|(name, value)| format!("{name}={value}")));
    found
}

/// `--http https://…` names a server elsewhere; `--http` alone opens one here.
fn next_is_no_value(rest: &[String], at: usize) -> bool {
    rest.get(at + 1).is_none_or(|next| !next.contains("://"))
}

/// The folders that a file server is given.
pub(super) fn roots(launch: &Launch) -> Vec<String> {
    let serves = launch.packages.iter().any(|package| package.name.contains("filesystem"));
    let folders = launch.rest.iter().filter(|arg| serves && !arg.starts_with('-') && !arg.contains('='));
    folders.map(|arg| crate::model::redact_line(arg)).collect()
}
