//! Every value of a definition with its role, and the two questions asked of all of them: is it a secret, and does it
//! leave this machine.

use super::address;
use super::argument;
use super::definition::{Definition, OAuth, Placed};
use super::reference::{Reference, Source};
use super::secret::{self, Class, Classified};
use super::server::{Remote, Secrets, Sends, View};
use crate::facts::config::Span;
use crate::model::{McpShape, Scope};

/// A value of a definition with its role, for the questions that all of them are asked.
pub(super) struct Part<'a> {
    /// Said in messages: "header `Authorization`".
    role: String,
    placed: &'a Placed,
    class: Class,
    references: Vec<Reference>,
    /// Whether it goes to the remote side.
    goes_out: bool,
}

/// Every value of a definition, judged.
pub(super) fn parts<'a>(definition: &'a Definition, argv: &[String], is_remote: bool) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    let mut add = |role: String, placed: &'a Placed, judged: Classified, goes_out: bool| {
        parts.push(Part { role, placed, class: judged.class, references: judged.references, goes_out });
    };
    for (name, placed) in &definition.headers {
        add(format!("header `{name}`"), placed, secret::classify(name, &placed.text), true);
    }
    for (name, placed) in &definition.env {
        add(format!("variable `{name}`"), placed, secret::classify(name, &placed.text), false);
    }
    if let Some(url) = &definition.url {
        let judged = argument::in_address(&url.text).unwrap_or_else(|| secret::classify("", &url.text));
        add("the address".into(), url, judged, true);
    }
    if let OAuth::Set(Some(secret)) = &definition.oauth {
        add("the OAuth client secret".into(), secret, secret::classify("client_secret", &secret.text), true);
    }
    for value in argument::values(argv) {
        let Some(placed) = definition.argv.get(value.index) else { continue };
        let role = if value.name.is_empty() {
            format!("argument {}", value.index)
        } else {
            format!("argument `{}`", value.name)
        };
        add(role, placed, Classified { class: value.class, references: value.references }, is_remote);
    }
    parts
}

pub(super) fn secrets(parts: &[Part<'_>], view: &View<'_>) -> Secrets {
    let found: Vec<&Part<'_>> = parts.iter().filter(|part| part.class == Class::Secret).collect();
    Secrets {
        names: found.iter().map(|part| part.role.clone()).collect(),
        at: found.first().and_then(|part| view.config.location(part.placed.at)),
    }
}

/// Which references leave the machine, to a host that nobody allowed, by the project's doing.
pub(super) fn sends(
    definition: &Definition,
    parts: &[Part<'_>],
    remote: Option<&Remote>,
    view: &View<'_>,
    effective: bool,
) -> Sends {
    let Some(remote) = remote.filter(|remote| effective && definition.enabled && !remote.loopback) else {
        return Sends::default();
    };
    if remote.host.as_deref().is_some_and(|host| address::is_listed(host, remote.port, view.allowed_hosts)) {
        return Sends::default();
    }
    let by_project = |at: Span| view.config.layer(at).is_some_and(|layer| layer.scope == Scope::Repo);
    let redirected = by_project(definition.at);
    let resolved = |reference: &&Reference| match view.shape {
        McpShape::Argv => matches!(reference.source, Source::Env | Source::File),
        McpShape::CommandArgs => matches!(reference.source, Source::Variable | Source::Command),
    };
    let host = remote.host.as_ref().map(|host| format!("`{host}`"));
    let to = host.unwrap_or_else(|| "a host that is put together at start".to_owned());
    let mut sends = Sends { to, ..Sends::default() };
    for part in parts.iter().filter(|part| part.goes_out && (redirected || by_project(part.placed.at))) {
        for reference in part.references.iter().filter(resolved) {
            sends.names.push(format!("`{}` in {}", reference.text, part.role));
            let at = if by_project(part.placed.at) { part.placed.at } else { definition.at };
            sends.at = sends.at.or_else(|| view.config.location(at));
        }
    }
    sends
}
