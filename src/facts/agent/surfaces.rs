//! Ways in which others can steer the agent or read along: its own server, and where its prompts go.

use std::io;

use schemars::JsonSchema;
use serde::Serialize;

use super::code::EndpointFact;
use super::switches::SwitchFact;
use crate::facts::config::{Effective, Node};
use crate::host::{Host, Process};
use crate::model::{Location, Look, Scope, Subject, SwitchKind, redact_line};

/// A way in.
#[derive(Serialize, JsonSchema)]
pub(super) struct SurfaceFact {
    /// What it is: `mdns`, `listen-address`, `model NAME`, `process 4711`.
    name: String,
    /// What is so, as a sentence.
    about: String,
    /// Whether it is open to others.
    open: Look<bool>,
    /// How to close it.
    fix: String,
    /// Where it is written.
    at: Option<Location>,
}

/// Every way in that is configured or running.
pub(super) fn look(
    host: &dyn Host,
    subject: &Subject,
    config: &Effective,
    switches: &[SwitchFact],
    endpoints: &[EndpointFact],
) -> Vec<SurfaceFact> {
    let controls = switches.iter().filter(|switch| switch.kind == SwitchKind::Control).map(|switch| SurfaceFact {
        name: switch.name.clone(),
        about: format!("it {}", switch.about),
        open: switch.off.clone().map(|off| !off),
        fix: switch.fix.clone(),
        at: switch.at.clone(),
    });
    let models = endpoints.iter().map(|endpoint| SurfaceFact {
        name: format!("model {}", endpoint.name),
        about: format!("prompts go to `{}`, readable on the way", endpoint.address),
        open: Look::Known(!endpoint.loopback && !endpoint.encrypted),
        fix: "write an https address, or one of this machine".to_owned(),
        at: endpoint.at.clone(),
    });
    let mut all: Vec<SurfaceFact> = controls.chain(models).collect();
    all.extend(cors(config));
    if subject.scope > Scope::Repo {
        match host.processes() {
            Ok(processes) => {
                let own = processes.iter().filter(|process| subject.agent.processes.contains(&process.name));
                all.extend(own.filter_map(server));
            }
            Err(error) => all.push(unlisted(host, &error)),
        }
    }
    all
}

/// Web pages that may speak to the server.
fn cors(config: &Effective) -> Option<SurfaceFact> {
    let list = config.root()?.get("server.cors")?;
    let any = list.list()?.iter().any(|origin| origin.text() == Some("*"));
    let names: Vec<&str> = list.list()?.iter().filter_map(Node::text).collect();
    Some(SurfaceFact {
        name: "cors".to_owned(),
        about: format!("web pages of {} may speak to its server", redact_line(&names.join(", "))),
        open: Look::Known(any),
        fix: "name the pages that need it in \"server.cors\"".to_owned(),
        at: config.location(list.at),
    })
}

/// Servers that may run where processes cannot be listed.
fn unlisted(host: &dyn Host, error: &io::Error) -> SurfaceFact {
    let how = if host.is_live() { "run with sudo" } else { "audit the running machine" };
    SurfaceFact {
        name: "running servers".to_owned(),
        about: "whether a server of the agent runs is not known".to_owned(),
        open: Look::unknown(format!("cannot look for running servers of the agent: {error}"), how),
        fix: how.to_owned(),
        at: None,
    }
}

/// A running server. Only words of its command line that are known are looked at.
fn server(process: &Process) -> Option<SurfaceFact> {
    let word = |name: &str| process.args.iter().position(|arg| arg == name || arg.starts_with(&format!("{name}=")));
    if !["serve", "web"].iter().any(|name| process.args.iter().any(|arg| arg == name)) && word("--port").is_none() {
        return None;
    }
    let address = word("--hostname").and_then(|at| {
        let arg = process.args.get(at)?;
        arg.split_once('=').map(|(_, value)| value).or_else(|| process.args.get(at + 1).map(String::as_str))
    });
    let wide = address.is_some_and(|address| !matches!(address, "127.0.0.1" | "localhost" | "::1"))
        || word("--mdns").is_some();
    let password = process.env.as_ref().map(|names| names.iter().any(|name| name == "OPENCODE_SERVER_PASSWORD"));
    let (about, open) = match (wide, password) {
        (true, _) => ("its server listens beyond this machine", Look::Known(true)),
        (false, Some(true)) => ("its server asks for a password", Look::Known(false)),
        (false, Some(false)) => {
            ("its server takes orders from every account of this machine, without a password", Look::Known(true))
        }
        (false, None) => {
            ("its server runs", Look::unknown("cannot read the environment of its server", "run with sudo"))
        }
    };
    Some(SurfaceFact {
        name: format!("process {}", process.pid),
        about: about.to_owned(),
        open,
        fix: "stop it, or start it on 127.0.0.1 with OPENCODE_SERVER_PASSWORD".to_owned(),
        at: None,
    })
}
