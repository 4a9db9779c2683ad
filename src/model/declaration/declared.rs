//! The declaration that a profile amounts to. Whatever is written for a machine is written from this, so that the policy
//! and what enforces it have one source.

use super::{Answer, DECLARATION_VERSION, Declaration, Environment, Files, Logging, Mcp, Network, SecretRef, Shell};
use crate::model::{AbsPath, Parameters};

/// Files that hold secrets by custom.
const HIDDEN: &[&str] = &["*.env", "*.env.*"];
/// And those of such a name that are made to be read.
const SHOWN: &[&str] = &["*.env.example"];

/// What a profile of this name and these parameters declares for an agent that works in this folder.
pub fn declared(profile: &str, parameters: &Parameters, workspace: &AbsPath) -> Declaration {
    let list = |name: &str| Some(owned(&parameters.list(name)));
    let write = parameters.list("write_dirs");
    let secret = |name: &&str| SecretRef { name: (*name).to_owned(), from: format!("vault:{name}") };
    Declaration {
        version: DECLARATION_VERSION,
        profile: Some(profile.to_owned()),
        files: Files {
            workspace: Some(workspace.text()),
            write: Some(if write.is_empty() { vec![".".to_owned()] } else { owned(&write) }),
            hidden: Some(owned(HIDDEN)),
            shown: Some(owned(SHOWN)),
            edit: Some(Answer::Ask),
            outside: Some(Answer::Deny),
        },
        shell: Shell { default: Some(Answer::Ask) },
        approvals: Some(Vec::new()),
        network: Network {
            model: parameters.text("model_endpoint").map(without_account),
            allow: list("allowed_hosts"),
            ports: Some(parameters.list("allowed_ports").iter().filter_map(|port| port.parse().ok()).collect()),
            deny: list("denied_endpoints"),
            fetch: Some(Answer::Ask),
        },
        environment: Environment { pass: list("env_allow") },
        secrets: Some(parameters.list("env_inject").iter().map(secret).collect()),
        mcp: Mcp { servers: list("mcp_allow") },
        telemetry: Some(false),
        logging: Logging {
            commands: Some(true),
            folder: parameters.text("log_dir").map(str::to_owned),
            ledger: parameters.text("ledger").map(str::to_owned),
        },
    }
}

fn owned(list: &[&str]) -> Vec<String> {
    list.iter().map(|&item| item.to_owned()).collect()
}

/// An address without what stands before the host: every account reads the policy.
fn without_account(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (place, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = place.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{}", path.split(['?', '#']).next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_profile_is_written_down_without_secrets() {
        let parameters = Parameters(
            [
                ("model_endpoint".to_owned(), json!("https://u:pass@api.example.net/v1?key=x")),
                ("env_inject".to_owned(), json!(["GITHUB_TOKEN"])),
                ("allowed_ports".to_owned(), json!(["8080", "x"])),
            ]
            .into(),
        );
        let one = declared("production", &parameters, &AbsPath::root().join("srv/shop"));
        assert_eq!(one.network.model.as_deref(), Some("https://api.example.net/v1"));
        assert_eq!(one.network.ports, Some(vec![8080]));
        assert_eq!(one.secrets.expect("there")[0].from, "vault:GITHUB_TOKEN");
        assert_eq!(one.files.write, Some(vec![".".to_owned()]));
    }
}
