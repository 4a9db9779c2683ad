//! How a server is reached: over its own input and output, or somewhere else, and how well that way is guarded.

use schemars::JsonSchema;
use serde::Serialize;

use crate::facts::mcp::address::{self, Address};
use crate::facts::mcp::argument;
use crate::facts::mcp::command::{Launch, Launcher};
use crate::facts::mcp::definition::{Definition, OAuth};
use crate::facts::mcp::secret::{self, Class};
use crate::facts::secret_names;

/// How a server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// Through its standard input and output.
    Stdio,
    /// Over HTTP.
    Http,
    /// Over HTTP with server-sent events.
    Sse,
    /// Over a web socket.
    Websocket,
    /// Over a Unix socket.
    UnixSocket,
    /// In a way that is not understood.
    Other,
}

/// The remote side of a server.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Remote {
    /// Its address, without what could be a secret.
    pub address: String,
    /// Its host; null where that is decided at start.
    pub host: Option<String>,
    /// Its port.
    pub port: Option<u16>,
    /// Whether it is this machine.
    pub loopback: bool,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// What switches off the check of its certificate, as written.
    pub unverified: Vec<String>,
    /// How the agent shows who it is.
    pub auth: Auth,
    /// What is wrong with the connection, in words.
    pub weaknesses: Vec<String>,
    /// Whether a local program stands between: `mcp-remote`.
    pub bridge: bool,
}

/// How the agent shows a remote server who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// By a header.
    Header,
    /// By OAuth that is set up.
    Oauth,
    /// By OAuth where the server asks for it: the default.
    OauthIfAsked,
    /// By something in the address.
    Address,
    /// Not at all.
    None,
}

/// Programs that only carry on what they are told to a remote server.
const BRIDGES: &[&str] = &["mcp-remote", "mcp-proxy", "supergateway", "mcp-remote-client", "@anthropic-ai/mcp-remote"];

/// Where the agent ends up connecting: the address of the server, or that of a bridge.
pub(super) fn target(definition: &Definition, argv: &[String], launch: &Launch) -> Option<String> {
    if let Some(url) = &definition.url {
        return Some(url.text.clone());
    }
    let is_bridge = launch.packages.iter().any(|package| BRIDGES.contains(&package.name.as_str()))
        || argv.first().is_some_and(|program| BRIDGES.iter().any(|bridge| program.ends_with(bridge)));
    let addresses = launch.rest.iter().filter(|arg| arg.contains("://") && !arg.contains(' '));
    addresses.filter(|_| is_bridge).find(|arg| arg.starts_with("http") || arg.starts_with("ws")).cloned()
}

pub(super) fn transport(definition: &Definition, address: Option<&Address>, launch: &Launch) -> Transport {
    if definition.url.is_none() {
        return if launch.launcher == Launcher::None { Transport::Other } else { Transport::Stdio };
    }
    let Some(address) = address else { return Transport::Other };
    let events = definition.kind.as_deref() == Some("sse") || address.path.trim_end_matches('/').ends_with("/sse");
    match address.scheme.as_str() {
        "http" | "https" if events => Transport::Sse,
        "http" | "https" => Transport::Http,
        "ws" | "wss" => Transport::Websocket,
        "unix" => Transport::UnixSocket,
        _ => Transport::Other,
    }
}

pub(super) fn remote(definition: &Definition, address: &Address, launch: &Launch, argv: &[String]) -> Remote {
    let url = definition.url.as_ref().map(|url| url.text.clone());
    let shown = url.or_else(|| target(definition, argv, launch)).unwrap_or_default();
    let tls = matches!(address.scheme.as_str(), "https" | "wss");
    let (unverified, auth) = (unverified(definition, launch, argv), auth(definition, address, argv));
    let mut weaknesses = Vec::new();
    weaknesses.extend((!tls).then(|| format!("`{}` is not encrypted", address.scheme)));
    weaknesses.extend(unverified.iter().map(|off| format!("`{off}` switches off the check of its certificate")));
    weaknesses.extend((auth == Auth::None).then(|| "nothing tells the server who asks, as OAuth is off".to_owned()));
    Remote {
        address: address::redacted(&shown),
        host: address.host.clone(),
        port: address.port,
        loopback: address.scheme == "unix" || address.host.as_deref().is_some_and(address::is_loopback),
        tls,
        unverified,
        auth,
        weaknesses,
        bridge: definition.url.is_none(),
    }
}

fn auth(definition: &Definition, address: &Address, argv: &[String]) -> Auth {
    let shows = |name: &str, text: &str| {
        secret_names::may_be_secret(name)
            || matches!(secret::classify(name, text).class, Class::Secret | Class::Reference)
    };
    let header = definition.headers.iter().any(|(name, placed)| shows(name, &placed.text))
        || argument::values(argv).iter().any(|value| secret_names::may_be_secret(&value.name));
    let in_query = address.query.iter().any(|(name, value)| shows(name, value));
    match &definition.oauth {
        _ if header => Auth::Header,
        OAuth::Set(_) => Auth::Oauth,
        _ if in_query || address.userinfo.is_some() => Auth::Address,
        OAuth::Unset => Auth::OauthIfAsked,
        OAuth::Off => Auth::None,
    }
}

fn unverified(definition: &Definition, launch: &Launch, argv: &[String]) -> Vec<String> {
    let env = definition.env.iter().map(|(name, placed)| (name.as_str(), placed.text.as_str()));
    let env = env.chain(launch.env.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    let off = env.filter(|(name, value)| match *name {
        "NODE_TLS_REJECT_UNAUTHORIZED" | "PYTHONHTTPSVERIFY" => *value == "0",
        "GIT_SSL_NO_VERIFY" => !matches!(*value, "" | "0" | "false"),
        _ => false,
    });
    let mut found: Vec<String> = off.map(|(name, value)| format!("{name}={value}")).collect();
    let switches =
        ["--insecure", "--allow-insecure", "--no-verify-ssl", "--no-check-certificate", "--ignore-ssl-errors"];
    found.extend(argv.iter().filter(|arg| switches.contains(&arg.as_str())).cloned());
    found
}
