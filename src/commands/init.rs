//! `harden init`.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::session::LOCAL_PROFILE;
use super::{Failure, Session, terminal};
use crate::catalog::{self, Found, Request};
use crate::cli::Init;
use crate::facts::{self, Facts, PROBES};
use crate::model::UserSource;

/// Facts that tell what a profile can be filled with.
const TELLING: &[&str] = &["agent", "launcher"];

/// Writes a profile that fits what is found, and never over one that is there.
pub(super) fn run(args: &Init) -> Result<ExitCode, Failure> {
    if args.target.aim.root.is_some() && !args.print {
        return Err(Failure::usage("an image is not written to", "add --print"));
    }
    let session = Session::open(&args.target, &[], Request::default())?;
    let needed: BTreeSet<&str> = PROBES.iter().map(|probe| probe.name).filter(|n| TELLING.contains(n)).collect();
    let (facts, _) = facts::gather(session.host.as_ref(), &session.subjects, &needed);
    let text = catalog::starter(&found(&session, &facts));
    if args.print {
        terminal::print(&text)?;
        return Ok(ExitCode::SUCCESS);
    }
    let file = PathBuf::from(session.subjects.first().map(|subject| subject.project.text()).unwrap_or_default())
        .join(LOCAL_PROFILE);
    let mut new =
        std::fs::OpenOptions::new().write(true).create_new(true).open(&file).map_err(|cause| match cause.kind() {
            std::io::ErrorKind::AlreadyExists => Failure::usage(
                format!("`{}` is there already, and was not changed", file.display()),
                "look at a new one with `harden init --print`",
            ),
            _ => Failure::file(&file, &cause),
        })?;
    new.write_all(text.as_bytes()).map_err(|cause| Failure::file(&file, &cause))?;
    terminal::error(&format!("wrote {0}; next: look at it, then run `harden audit --profile {0}`", file.display()));
    Ok(ExitCode::SUCCESS)
}

fn found(session: &Session, facts: &[Facts]) -> Found {
    let Some(first) = session.subjects.first() else { return Found::default() };
    // What no probe tells here stays out, and its line is a comment.
    let told = |fact: &str, path: &str| {
        let value = facts.iter().find_map(|facts| facts.0.get(fact)?.pointer(path).cloned());
        value.filter(Value::is_string)
    };
    let by_account = |source| match source {
        UserSource::Profile => Some("named by the profile"),
        UserSource::Launcher => Some("its launcher starts it so"),
        UserSource::Process => Some("it runs now, as this account"),
        // Who audits need not be who is meant to run the agent.
        UserSource::Invoker => None,
    };
    let user = first.user.known().and_then(|user| Some((json!(user.name), by_account(user.source)?)));
    let user = user.or_else(|| Some((told("launcher", "/user")?, "its launcher switches to it")));
    let rows = [
        user.map(|(name, how)| ("agent_user", name, how.to_owned())),
        told("launcher", "/path").map(|path| ("launcher", path, "it starts the agent".to_owned())),
    ];
    let mut parameters: Vec<_> = rows.into_iter().flatten().collect();
    parameters.extend(endpoint(facts));
    Found {
        project: first.project.text(),
        agents: session.subjects.iter().map(|subject| subject.agent.agent.clone()).collect(),
        parameters,
    }
}

/// The model's address and host, from the first configuration that names one.
fn endpoint(facts: &[Facts]) -> Vec<(&'static str, Value, String)> {
    let first = facts.iter().find_map(|facts| facts.0.get("agent")?.pointer("/endpoints/0"));
    let Some(address) = first.and_then(|endpoint| endpoint.get("address")?.as_str()) else { return Vec::new() };
    let file = first.and_then(|endpoint| endpoint.pointer("/at/file")?.as_str()).unwrap_or("the configuration");
    let how = format!("the model's address in {file}");
    let mut rows = vec![("model_endpoint", json!(address), how.clone())];
    rows.extend(host_of(address).map(|host| ("allowed_hosts", json!([host]), how)));
    rows
}

/// The host of an address with a scheme.
fn host_of(address: &str) -> Option<&str> {
    let place = address.split_once("://")?.1.split(['/', '?', '#']).next()?;
    let host = match place.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None => place.split(':').next()?,
    };
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_what_stands_between_scheme_and_port() {
        for (address, host) in [
            ("http://127.0.0.1:11434/v1", Some("127.0.0.1")),
            ("https://models.example.net", Some("models.example.net")),
            ("http://[::1]:8080", Some("::1")),
            ("models.example.net", None),
            ("http://:80", None),
        ] {
            assert_eq!(host_of(address), host, "{address}");
        }
    }
}
