//! What an agent may do on a machine, declared in one file: `policy.yaml`. Everything that enforces it is written from
//! this; nothing here says that it is enforced.
//!
//! What is left out is closed: an empty declaration allows nothing. In a project's own policy what is left out is as the
//! machine says, and what is written may only narrow that.

mod approval;
mod change;
mod decide;
mod declared;
mod leaves;
mod narrow;
mod words;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use approval::{Approval, ApprovalLine, Standing, standing};
pub use change::{Change, changes, widenings};
pub use declared::declared;
pub use narrow::narrowed;
pub use words::{Inexact, exact_words};

/// The machine's policy.
pub const MACHINE_POLICY: &str = "/etc/harden/policy.yaml";
/// Approvals beside it, one JSON object a line; only ever added to.
pub const APPROVALS: &str = "/etc/harden/approvals.jsonl";
/// What `harden apply` accepted, one JSON object a line; only ever added to.
pub const ACCEPTED: &str = "/etc/harden/accepted.jsonl";
/// The name of a project's own policy, which may only narrow.
pub const PROJECT_POLICY: &str = ".harden-policy.yaml";
/// The form of the file.
pub const DECLARATION_VERSION: u32 = 1;

/// A policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// The form of the file: 1.
    pub version: u32,
    /// The profile it was written from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Files of the project.
    #[serde(default)]
    pub files: Files,
    /// Commands.
    #[serde(default)]
    pub shell: Shell,
    /// Commands that are allowed word for word. `harden policy allow` keeps those of people in a file beside this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvals: Option<Vec<Approval>>,
    /// Where it may connect to.
    #[serde(default)]
    pub network: Network,
    /// Variables.
    #[serde(default)]
    pub environment: Environment,
    /// Secrets, by reference: a value has no place here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Vec<SecretRef>>,
    /// MCP servers.
    #[serde(default)]
    pub mcp: Mcp,
    /// Whether the agent may report on itself: shared sessions, traces, update checks. False where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telemetry: Option<bool>,
    /// Records of what it does.
    #[serde(default)]
    pub logging: Logging,
}

/// An answer to "may it?"; the first is the loosest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// Done without asking.
    Allow,
    /// A person is asked.
    Ask,
    /// Not done.
    Deny,
}

/// Files of the project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// Where the agent works: an absolute path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// Folders it may write, relative to the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write: Option<Vec<String>>,
    /// Patterns of files that it may not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<Vec<String>>,
    /// Patterns of those among them that it may read all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Vec<String>>,
    /// Whether it may change files; `deny` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit: Option<Answer>,
    /// Whether it may leave the workspace; `deny` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<Answer>,
}

/// Commands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shell {
    /// The answer to commands that no approval names; `deny` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Answer>,
}

/// Where it may connect to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The address of its model: `http://127.0.0.1:11434/v1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Hosts and addresses, in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<Vec<String>>,
    /// Ports of this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ports: Option<Vec<u16>>,
    /// Endpoints that hand out secrets or carry them off. They win over all that is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deny: Option<Vec<String>>,
    /// Whether its own tool may fetch pages; `deny` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetch: Option<Answer>,
}

/// Variables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Names that it may have; `*` stands for any text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<Vec<String>>,
}

/// A secret, by reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretRef {
    /// The variable that it is handed over in.
    pub name: String,
    /// Where it is kept: `vault:NAME`, `keychain:NAME`, `systemd:NAME` or `file:/PATH`.
    pub from: String,
}

/// MCP servers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mcp {
    /// Reviewed ones: `name`, or `name@sha256` of the definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub servers: Option<Vec<String>>,
}

/// Records of what it does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Logging {
    /// Whether every command is recorded by the kernel's audit; true where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commands: Option<bool>,
    /// The folder of the logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// The file with the record of approvals and relaxations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<String>,
}

impl Answer {
    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
        }
    }
}

impl Declaration {
    /// A digest of what it says, whatever comments and spaces stand around it.
    pub fn digest(&self) -> String {
        super::digest(&serde_json::to_vec(self).expect("plain data"))
    }

    /// The top-level keys of the form.
    pub const KEYS: &[&str] = &[
        "version",
        "profile",
        "files",
        "shell",
        "approvals",
        "network",
        "environment",
        "secrets",
        "mcp",
        "telemetry",
        "logging",
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_those_of_the_form() {
        let schema = schemars::schema_for!(Declaration);
        let keys: Vec<&str> =
            schema.get("properties").and_then(|p| p.as_object()).expect("a map").keys().map(String::as_str).collect();
        assert_eq!(keys, Declaration::KEYS);
    }

    #[test]
    fn the_digest_goes_by_what_is_said() {
        let one = Declaration { version: 1, telemetry: Some(false), ..Declaration::default() };
        assert_eq!(one.digest(), one.clone().digest());
        assert_ne!(one.digest(), Declaration { telemetry: None, ..one }.digest());
    }
}
