//! A profile: which checks, how severe, with which parameters, and what is waived.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Scope, Severity};

/// A profile as written in YAML.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its name.
    pub profile: String,
    /// What it is for, in a sentence.
    #[serde(default)]
    pub description: String,
    /// The profile it starts from: `baseline`, `production`, `ci`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<String>,
    /// How wide to look where the command line does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Which checks run.
    #[serde(default)]
    pub checks: Selection,
    /// Check id to severity.
    #[serde(default)]
    pub severity: BTreeMap<String, Severity>,
    /// Values that checks compare with; `harden list parameters` names them.
    #[serde(default)]
    pub parameters: BTreeMap<String, Value>,
    /// Defects accepted for a while. Parsed one by one, so that a malformed one stops only itself.
    #[serde(default)]
    pub waivers: Vec<Value>,
}

/// Which checks run: an id, a code, an area (`mcp`) or `*`. `skip` wins.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Added to what the parent profile runs.
    #[serde(default)]
    pub include: Vec<String>,
    /// Taken away.
    #[serde(default)]
    pub skip: Vec<String>,
}

/// A defect accepted for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// Check id or code.
    pub check: String,
    /// The subject it covers; all of them where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Why the defect is accepted.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day it holds, `YYYY-MM-DD`.
    pub expires: String,
}

impl Waiver {
    /// Days from `today` to its last day; negative once it is over. None where that is no date.
    pub fn days_left(&self, today: Date) -> Option<i64> {
        let last: Date = self.expires.parse().ok()?;
        Some(i64::from(today.until(last).ok()?.get_days()))
    }

    /// Whether it speaks of the check of this id and code.
    pub fn names(&self, id: &str, code: &str) -> bool {
        self.check == id || self.check == code
    }
}

/// A waiver that does not hold, or soon will not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaiverProblem {
    /// The check it names, as far as it could be read.
    pub check: String,
    /// The subject it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What is the matter, and what to do.
    pub problem: String,
}

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterValue {
    /// Text, or null where it is to be detected.
    Text,
    /// A list of texts.
    List,
    /// A whole number.
    Number,
    /// True or false.
    Flag,
}

/// A parameter that profiles may set.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name in profiles; `$name` in checks.
    pub name: &'static str,
    /// Its type.
    pub kind: ParameterValue,
    /// What it means.
    pub about: &'static str,
}

/// Every parameter, with its type. A new one is a row here.
pub const PARAMETERS: &[Parameter] = &[
    text(
        "agent_user",
        "the account the agent is meant to run as; null: found from launcher, process, else the invoking user",
    ),
    text("agent_version", "the version of the agent that is meant, `2` or `1.18.33`; null: told from its program"),
    text("workspace", "the directory the agent is meant to work in; null: the audited path"),
    text("launcher", "path of the program that starts the agent; null: found on the usual paths"),
    text("log_dir", "directory of the command and session logs"),
    text("ledger", "file with the chained record of approvals and relaxations; null: none is kept"),
    text("model_endpoint", "the only address the agent needs, `http://127.0.0.1:11434/v1`"),
    list("env_allow", "names of environment variables the agent may have"),
    list("env_inject", "names of secret variables that are declared for the agent"),
    list("allowed_hosts", "hosts and addresses the agent may reach"),
    list("allowed_ports", "loopback ports the agent may reach, as text"),
    list("allowed_link_targets", "directories outside the workspace that links may lead to"),
    list("denied_endpoints", "secret endpoints that a policy has to deny"),
    list("mcp_allow", "MCP servers that have been reviewed: `name` or `name@sha256` of their definition"),
    list("hook_allow", "git hooks that have been reviewed, by name"),
    list("setuid_allow", "setuid and setgid programs that are expected, by path"),
    list("write_dirs", "directories of the project that the agent is meant to write, relative to its top"),
    list("sensitive_projects", "directories of projects that must not share an MCP server with this one"),
    list("verified_artifacts", "files beside the agent's program that were verified by hand: `name@sha256`"),
    list("scan_skip", "directory names that the workspace secret scan leaves out"),
    list(
        "outside_scans",
        "reports of other secret scanners that have to be there: `gitleaks=FILE`, `trufflehog=FILE`, `kingfisher=FILE`",
    ),
    number("audit_log_mib", "how much of the audit log is kept, in MiB"),
    number("outside_scan_max_days", "how many days old such a report may be"),
    number("monorepo_manifests", "how many package manifests make a repository a monorepo"),
    number("scan_max_bytes", "largest file the secret scan reads, in bytes"),
    number("history_commits", "how many commits are looked through for state files"),
    flag("require_sandbox", "whether a sandbox around the agent is demanded"),
    flag(
        "require_history",
        "whether a shallow clone, whose past cannot be looked through, is held against a repository",
    ),
    flag(
        "require_mcp_lock",
        "whether every MCP server has to stand in `harden.mcp.lock`, with the tools it was reviewed with",
    ),
];

const fn text(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, kind: ParameterValue::Text, about }
}

const fn list(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, kind: ParameterValue::List, about }
}

const fn number(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, kind: ParameterValue::Number, about }
}

const fn flag(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, kind: ParameterValue::Flag, about }
}

/// The parameters of a policy, typed and complete: every row of [`PARAMETERS`] has a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters(pub BTreeMap<String, Value>);

impl Parameters {
    /// A text parameter; None where it is null.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// A list parameter.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let items = self.0.get(name).and_then(Value::as_array);
        items.map(|items| items.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
    }

    /// A number parameter; 0 where it is not set.
    pub fn number(&self, name: &str) -> u64 {
        self.0.get(name).and_then(Value::as_u64).unwrap_or(0)
    }

    /// A flag parameter.
    pub fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(false)
    }
}
