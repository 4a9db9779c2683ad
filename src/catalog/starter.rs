//! A first profile for a project, with what was found there filled in and everything else explained.

use serde_json::Value;

use crate::model::{PARAMETERS, Parameter, ParameterValue};

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The project, for the profile's name.
    pub project: String,
    /// The agents in use.
    pub agents: Vec<String>,
    /// Values of parameters, with how each was found.
    pub parameters: Vec<(&'static str, Value, String)>,
}

/// A commented profile.
pub fn starter(found: &Found) -> String {
    let agents = if found.agents.is_empty() { "no agent".to_owned() } else { found.agents.join(", ") };
    let mut out = format!(
        "\
# What `harden audit` holds this project to. Use it with:
#
#   harden audit --profile .harden.yaml
#
# Without --profile, a file of this name can only make the audit stricter: it belongs to the project under audit, and
# whoever may write to the project may write it. `harden schema profile` describes every key.

profile: {}
description: {}
# The profile it starts from; `harden list profiles`.
extends: baseline
# How wide to look: repo (files of the project), user (and the account of the agent), host (and the machine).
# scope: host

checks:
  # Added to what the parent runs: ids, codes, areas or \"*\"; `harden list checks`.
  include: []
  # Taken away.
  skip: []

# Check to severity: info, low, medium, high, critical.
severity: {{}}
#  USR-01: high

",
        text(&name(&found.project)),
        text(&format!("{} with {agents}", name(&found.project))),
    );
    out += "# What checks compare with. What stands here without a # was found; look at it before you believe it.\n";
    out += if found.parameters.is_empty() { "parameters: {}\n" } else { "parameters:\n" };
    for parameter in PARAMETERS {
        out += &row(parameter, found);
    }
    out + "
# Defects accepted for a while. A waived check still runs and is shown. The audit warns two weeks before the end.
waivers: []
#  - check: USR-01
#    reason: why it is accepted
#    owner: who answers for it
#    expires: 2030-01-31
"
}

fn row(parameter: &Parameter, found: &Found) -> String {
    let about = format!("  # {}\n", parameter.about);
    match found.parameters.iter().find(|(name, _, _)| *name == parameter.name) {
        Some((name, value, how)) => format!("{about}  # Found: {}\n  {name}: {value}\n", one_line(how)),
        None => {
            let example = match parameter.kind {
                ParameterValue::Text => "null",
                ParameterValue::List => "[]",
                ParameterValue::Number => "0",
                ParameterValue::Flag => "false",
            };
            format!("{about}  # {}: {example}\n", parameter.name)
        }
    }
}

/// JSON text is YAML text, whatever is in it.
fn text(text: &str) -> String {
    Value::String(crate::model::plain(text).into_owned()).to_string()
}

fn one_line(text: &str) -> String {
    crate::model::plain(text).into_owned()
}

/// The last part of a path.
fn name(project: &str) -> String {
    let last = project.rsplit('/').find(|part| !part.is_empty()).unwrap_or("project");
    last.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::profile_from_text;
    use serde_json::json;

    #[test]
    fn what_it_writes_is_a_profile_whatever_the_names() {
        let hostile = "/srv/a: [b\n# c\u{202e}\"'{x}";
        for found in [
            Found::default(),
            Found {
                project: hostile.into(),
                agents: vec!["opencode".into()],
                parameters: vec![
                    ("agent_user", json!("agent"), "a running process\nprofile: x".into()),
                    ("allowed_hosts", json!(["127.0.0.1", "a\"b"]), "the model endpoint".into()),
                ],
            },
        ] {
            let written = starter(&found);
            let profile = profile_from_text("x.yaml", &written).unwrap_or_else(|error| panic!("{error}\n{written}"));
            assert_eq!(profile.extends.as_deref(), Some("baseline"));
            assert_eq!(profile.parameters.len(), found.parameters.len());
            assert!(!written.chars().any(|c| c.is_control() && c != '\n'));
        }
    }
}
