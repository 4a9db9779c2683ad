//! Settings that audits ask for by name, with the layer that decided each.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::facts::config::{Effective, Node, is_on, variable};
use crate::model::{Location, Look, Subject, Switch, SwitchKind, Unseen, redact_line};

/// A setting.
#[derive(Serialize, JsonSchema)]
pub(super) struct SwitchFact {
    /// Its name: `share`.
    pub(super) name: String,
    /// What it does, as the end of "it …".
    pub(super) about: String,
    /// What it is about.
    pub(super) kind: SwitchKind,
    /// Whether it is off.
    pub(super) off: Look<bool>,
    /// Its value, as written.
    pub(super) value: Option<String>,
    /// What decided it: a layer, `$NAME`, `built in`.
    pub(super) origin: String,
    /// Whether the machine's owner decided it.
    managed: bool,
    /// How to switch it off.
    pub(super) fix: String,
    /// Where it is written.
    pub(super) at: Option<Location>,
}

/// Every switch of the agent's profile, once for each file that sets it where files stand for themselves.
pub(super) fn look(subject: &Subject, config: &Effective) -> Vec<SwitchFact> {
    subject.agent.switches.iter().flat_map(|switch| one(subject, config, switch)).collect()
}

fn one(subject: &Subject, config: &Effective, switch: &Switch) -> Vec<SwitchFact> {
    let fact = |off: Look<bool>, value: Option<String>, origin: String| SwitchFact {
        name: switch.name.clone(),
        about: switch.about.clone(),
        kind: switch.kind,
        off,
        value,
        origin,
        managed: false,
        fix: switch.fix.clone(),
        at: None,
    };
    let decided = switch
        .env
        .iter()
        .find(|env| if env.any { variable(subject, &env.name).is_some() } else { is_on(subject, &env.name) });
    if let Some(env) = decided {
        return vec![fact(Look::Known(!env.on), None, format!("${}", env.name))];
    }
    if let Some(unseen) = config.blind().filter(|_| switch.key.is_some()) {
        return vec![fact(Look::Unknown(unseen.clone()), None, "unknown".to_owned())];
    }
    let key = switch.key.as_deref();
    let set: Vec<&Node> = config.trees.iter().filter_map(|tree| tree.root.get(key?)).collect();
    if set.is_empty() {
        let by_default = switch
            .default
            .as_ref()
            .map(|default| fact(Look::Known(switch.off.contains(default)), Some(text(default)), "built in".to_owned()));
        return by_default.into_iter().collect();
    }
    set.into_iter()
        .map(|node| SwitchFact {
            managed: config.layer(node.at).is_some_and(|layer| layer.managed),
            at: config.location(node.at),
            ..fact(is_off(switch, node), Some(text(&node.json())), super::origin(config, node.at))
        })
        .collect()
}

fn is_off(switch: &Switch, node: &Node) -> Look<bool> {
    if node.text().is_some_and(|text| text.contains("{env:") || text.contains("{file:")) {
        let why = format!("`{}` is filled in from elsewhere when the agent starts", switch.name);
        return Look::Unknown(Unseen::new(why, "write the value itself"));
    }
    Look::Known(switch.off.contains(&node.json()))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => redact_line(text),
        Value::Bool(_) | Value::Number(_) | Value::Null => value.to_string(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map".to_owned(),
    }
}
