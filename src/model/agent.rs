//! An agent as data: where it keeps things and in which shape. The files are `profiles/agents/*.yaml`.
//!
//! Paths are written with places: `{home}`, `{config}`, `{data}`, `{state}`, `{cache}` (XDG, as the agent sees
//! them), `{tmp}`, `{workspace}` (where it starts), `{project}` (top of the git work tree around it).

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Os, Scope};

/// One agent.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// Its id; equals the file name.
    pub agent: String,
    /// What people call it.
    pub name: String,
    /// Versions whose behaviour was compared with this file.
    #[serde(default)]
    pub verified: Vec<String>,
    /// Which of several programs of the same name it is about; left out where there is but one.
    #[serde(default)]
    pub edition: Option<Edition>,
    /// The other programs of the same name.
    #[serde(skip)]
    pub others: Vec<Arc<Agent>>,
    /// Names of its program on PATH.
    #[serde(default)]
    pub commands: Vec<String>,
    /// Names of its processes.
    #[serde(default)]
    pub processes: Vec<String>,
    /// Files or folders that show that it is in use.
    #[serde(default)]
    pub detect: Vec<String>,
    /// Where its configuration comes from, lowest precedence first.
    #[serde(default)]
    pub config: Vec<ConfigLayer>,
    /// How the layers become one configuration.
    #[serde(default)]
    pub merging: Merging,
    /// Where MCP servers stand in the merged configuration, and in which shape.
    #[serde(default)]
    pub mcp: Vec<McpLocation>,
    /// How permissions are written; absent where `harden` cannot read them.
    #[serde(default)]
    pub permissions: Option<PermissionShape>,
    /// Settings that audits ask for by name.
    #[serde(default)]
    pub switches: Vec<Switch>,
    /// Keys that look like settings and do nothing, with what to write instead.
    #[serde(default)]
    pub dead_keys: Vec<DeadKey>,
    /// Top-level keys that the program knows; empty where unknown keys cannot be told.
    #[serde(default)]
    pub known_keys: Vec<String>,
    /// Files that look like configuration and that it does not read, with what to do instead.
    #[serde(default)]
    pub unread_files: Vec<DeadKey>,
    /// Places of a policy file beside the configuration.
    #[serde(default)]
    pub policy_files: Vec<String>,
    /// What it writes.
    #[serde(default)]
    pub state: Vec<StatePath>,
    /// Patterns that a project's ignore rules have to cover.
    #[serde(default)]
    pub ignore: Vec<IgnorePattern>,
    /// Instruction files that it reads, as globs in the project.
    #[serde(default)]
    pub instructions: Vec<String>,
    /// Files that it does not load by itself and reads at the first occasion.
    #[serde(default)]
    pub read_early: Vec<String>,
    /// Folders of plugins, hooks, tools and agents that it loads.
    #[serde(default)]
    pub code: Vec<String>,
    /// Whether it can shut its commands into a sandbox of its own; left out where that is not one answer.
    #[serde(default)]
    pub sandbox: Option<bool>,
    /// Environment variables with a meaning to it.
    #[serde(default)]
    pub env: AgentEnv,
    /// Command-line words that approve everything.
    #[serde(default)]
    pub approve_flags: Vec<String>,
}

/// One of several programs of the same name that read their configuration differently. An audit goes by one of them.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Edition {
    /// The id under which all of them are known. Its own file is gone by where nothing tells the version.
    pub of: String,
    /// What people call it in sentences: `OpenCode 1.18`.
    pub name: String,
    /// The first number of its versions.
    pub major: u64,
    /// Packages that hold it, whatever their version; `*` at the end matches any rest.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Files that only it writes.
    #[serde(default)]
    pub signs: Vec<String>,
    /// Configuration files that are asked for keys of which only one program reads each.
    #[serde(default)]
    pub files: Vec<String>,
    /// Top-level keys of configuration that only it reads.
    #[serde(default)]
    pub keys: Vec<EditionKey>,
}

/// A key that only one edition reads.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EditionKey {
    /// The top-level key.
    pub key: String,
    /// Whether it holds a list; a map or a text otherwise.
    #[serde(default)]
    pub list: bool,
}

/// A source of configuration.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigLayer {
    /// Its name in reports.
    pub layer: String,
    /// Who controls it: the repository, the account or the machine.
    pub scope: Scope,
    /// Only on this system.
    #[serde(default)]
    pub os: Option<Os>,
    /// Where it is.
    pub source: LayerSource,
    /// Variables of which the first that is set switches it off with `1` or `true`; of folders, those found upward.
    #[serde(default)]
    pub off_env: Vec<String>,
    /// A variable that names the folder to read the files from instead.
    #[serde(default)]
    pub dir_env: Option<String>,
    /// Enforced by the machine's owner.
    #[serde(default)]
    pub managed: bool,
}

/// How the layers become one configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Merging {
    /// Not at all: each file stands for itself.
    #[default]
    Separate,
    /// Map by map, later files over earlier ones.
    Deep,
    /// As OpenCode 1.x: as above, with rules of its own for lists, plugins, agents and older dialects.
    Opencode,
    /// As OpenCode 2.x: each file is brought to one shape, of each key the last file counts, rules and servers add up.
    #[serde(rename = "opencode-2")]
    Opencode2,
}

/// Where a layer is read from.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LayerSource {
    /// These files, each over the one before.
    Files(Vec<String>),
    /// The file that a variable names.
    EnvFile(String),
    /// The JSON text that a variable holds.
    EnvText {
        /// The variable.
        name: String,
        /// The key that the text is merged into; the whole configuration where it is left out.
        #[serde(default)]
        at: Option<String>,
    },
    /// These names in each folder from the top of the work tree down to the workspace.
    Upward(Vec<String>),
    /// The same from the top of the file system down, whatever work trees there are.
    UpwardToRoot(Vec<String>),
    /// A folder with config files and with folders of agents and plugins; a variable may name another instead.
    Folder {
        /// The folder.
        path: String,
        /// Variable that names the folder instead.
        #[serde(default)]
        env: Option<String>,
        /// Config files in it.
        files: Vec<String>,
    },
    /// Such a folder of this name in each folder from the top of the file system down to the workspace.
    FoldersToRoot {
        /// The name: `.opencode`.
        dir: String,
        /// Config files in each.
        files: Vec<String>,
    },
    /// Folders of agents, commands and plugins, with or without config files.
    Directories {
        /// A folder that comes first, and whose config files another layer has read.
        #[serde(default)]
        first: Option<String>,
        /// The name of folders from the workspace up to the top of the work tree, inner ones first: `.opencode`.
        dir: String,
        /// More folders.
        #[serde(default)]
        extra: Vec<String>,
        /// Variable that names one more.
        #[serde(default)]
        env: Option<String>,
        /// Config files in each.
        files: Vec<String>,
    },
    /// The managed preferences of macOS in this domain: the account's, else the machine's.
    Preferences(String),
    /// Fetched by the agent from elsewhere; `harden` cannot see what comes back, only where it is switched on.
    Remote {
        /// The file whose entries switch it on.
        file: String,
        /// The value of `type` that marks such an entry.
        entry_type: String,
    },
}

/// Where MCP servers stand in a configuration.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct McpLocation {
    /// Dotted key.
    pub at: String,
    /// How an entry is written.
    pub shape: McpShape,
    /// Only in these files, as file names; everywhere where empty.
    #[serde(default)]
    pub files: Vec<String>,
}

/// How an MCP server is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum McpShape {
    /// `{command, args, env}` or `{type, url, headers}`: most agents.
    CommandArgs,
    /// `{type: local, command: [argv], environment}` or `{type: remote, url, headers}`: OpenCode.
    Argv,
}

/// How permissions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PermissionShape {
    /// OpenCode: flattened in file order, last match wins.
    Opencode,
    /// `permissions.allow`: a list of `Tool` or `Tool(pattern)`, as Claude Code and others write it.
    AllowLists,
}

/// A setting that audits ask for by name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// `share`, `auto-update`, `telemetry`.
    pub name: String,
    /// What it lets happen, as the end of "it …".
    pub about: String,
    /// What it is about.
    pub kind: SwitchKind,
    /// Dotted key in the configuration.
    #[serde(default)]
    pub key: Option<String>,
    /// Variables that decide it, the first that is set over the configuration.
    #[serde(default)]
    pub env: Vec<SwitchEnv>,
    /// The value where nothing sets it; none where only what is written counts.
    #[serde(default)]
    pub default: Option<Value>,
    /// It counts as off while its value is one of these.
    pub off: Vec<Value>,
    /// How to switch it off.
    pub fix: String,
}

/// What a switch is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SwitchKind {
    /// Sends what was said or done to others.
    Outbound,
    /// Replaces the program or parts of it.
    Update,
    /// Lets others steer it.
    Control,
    /// Starts without asking.
    Approval,
    /// Anything else.
    Other,
}

/// A variable that decides a switch.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchEnv {
    /// The variable.
    pub name: String,
    /// Whether it turns the feature on or off.
    pub on: bool,
    /// Any text counts, not only `1` and `true`.
    #[serde(default)]
    pub any: bool,
}

/// A key, variable or file that looks like a setting and does nothing.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeadKey {
    /// The top-level key, the variable, the file.
    pub key: String,
    /// What to write instead.
    pub instead: String,
}

/// A pattern that a project's ignore rules have to cover.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IgnorePattern {
    /// As it would stand in `.gitignore`.
    pub pattern: String,
    /// Files or folders, one of which shows that it may come to be written here; none: it always may.
    #[serde(default)]
    pub shown_by: Vec<String>,
}

/// Something that the agent writes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatePath {
    /// Where; a last component may hold `*`.
    pub path: String,
    /// What it is.
    pub kind: StateKind,
    /// Variable that moves it.
    #[serde(default)]
    pub env: Option<String>,
}

/// What a state path holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StateKind {
    /// The folder of everything.
    Directory,
    /// Sessions.
    Database,
    /// Keys and tokens.
    Credential,
    /// Its own log.
    Log,
    /// Outputs of tools.
    Output,
    /// Copies of the work tree.
    Snapshot,
    /// Downloads.
    Cache,
    /// Plans, locks, histories.
    Other,
}

/// Environment variables with a meaning to an agent.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentEnv {
    /// Redirect configuration or state, or inject some: never to be inherited. `*` at the end matches any rest.
    #[serde(default)]
    pub redirect: Vec<String>,
    /// Approve actions or loosen permissions.
    #[serde(default)]
    pub approve: Vec<String>,
    /// Take abilities away from it and give none: harmless to pass.
    #[serde(default)]
    pub restrict: Vec<String>,
    /// Others whose value changes what is loaded.
    #[serde(default)]
    pub settings: Vec<String>,
    /// Do nothing, though guides name them.
    #[serde(default)]
    pub dead: Vec<DeadKey>,
}
