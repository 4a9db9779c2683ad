//! Ways in which the agent's account could start, stop or define services: rules of sudo, doas and polkit, and user
//! units that run without a session.

use schemars::JsonSchema;
use serde::Serialize;

use super::ProbeError;
use super::elevation::{Rule, rules};
use super::reach::{abs, agent, list};
use crate::host::Host;
use crate::model::{Location, Look, Os, Subject, Uid};

/// Where systemd keeps the names of accounts whose units run without a session.
const LINGER: &str = "/var/lib/systemd/linger";

/// Ways to control services.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Every way that was found, open to the agent's account or not.
    ways: Vec<Way>,
    /// Whether the account's own units run without a session.
    lingers: Look<bool>,
}

/// A way to control services.
#[derive(Serialize, JsonSchema)]
struct Way {
    /// What it is, in the words of its program.
    name: String,
    /// What grants it.
    by: String,
    /// Whether it is open to the agent's account.
    open: Look<bool>,
    /// Where it stands.
    at: Option<Location>,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let root = agent(subject)?.uid == Uid(0);
    let name = &subject.account()?.name;
    let lingers = if subject.os == Os::Linux { lingers(host, name) } else { Look::Known(false) };
    let mut ways = Vec::new();
    if root {
        ways.push(Way { name: "every service".into(), by: "being root".into(), open: Look::Known(true), at: None });
    } else {
        ways.extend(rules(host, subject)?.into_iter().filter(|rule| rule.services && rule.raises).map(of_rule));
    }
    if subject.os == Os::Linux {
        let path = abs(LINGER).join(name);
        let by = "systemd".to_owned();
        let at = (lingers == Look::Known(true)).then(|| Location::file(path.text()));
        ways.push(Way { name: "user units without a session (linger)".into(), by, open: lingers.clone(), at });
    }
    Ok(Fact { ways, lingers })
}

fn of_rule(rule: Rule) -> Way {
    let by = format!("{} for {}", rule.program.name(), rule.who);
    Way { name: rule.name, by, open: rule.reaches, at: rule.at }
}

fn lingers(host: &dyn Host, user: &str) -> Look<bool> {
    let names = list(host, &abs(LINGER), 10_000).map(Option::unwrap_or_default);
    Look::from(names).map(|names| names.iter().any(|entry| entry.name.to_string_lossy() == user))
}
