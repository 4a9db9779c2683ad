//! What the name of an environment variable says. Values are never looked at: a name is all that facts carry.

use schemars::JsonSchema;
use serde::Serialize;

use super::glob;
use crate::model::Agent;

/// What a variable of this name does to the program that gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Meaning {
    /// Nothing that audits care about.
    Ordinary,
    /// Makes a loader, interpreter or git run or read something else.
    Injection,
    /// Leads to a running agent, session bus, display or engine of the person.
    Socket,
    /// Points the agent's configuration or state elsewhere.
    Redirect,
    /// Approves actions or loosens permissions of the agent.
    Approve,
}

/// What the name says. `agent` tells the names that mean something to it.
pub fn meaning(name: &str, agent: &Agent) -> Meaning {
    if listed(INJECTION, name) {
        Meaning::Injection
    } else if listed(SOCKET, name) {
        Meaning::Socket
    } else if listed(&agent.env.approve, name) {
        Meaning::Approve
    } else if listed(&agent.env.redirect, name) {
        Meaning::Redirect
    } else {
        Meaning::Ordinary
    }
}

/// Whether `name` is in `list`, where `*` in an entry matches anything.
pub fn listed<S: AsRef<str>>(list: &[S], name: &str) -> bool {
    list.iter().any(|entry| glob::fits(entry.as_ref(), name))
}

/// Of the interpreters' variables only those that load code: `PYTHONUNBUFFERED` and `GIT_AUTHOR_NAME` are harmless.
const INJECTION: &[&str] = &[
    "LD_*",
    "DYLD_*",
    "GCONV_PATH",
    "BASH_ENV",
    "ENV",
    "SHELLOPTS",
    "BASHOPTS",
    "PROMPT_COMMAND",
    "PS4",
    "ZDOTDIR",
    "BASH_FUNC_*",
    "NODE_OPTIONS",
    "NODE_PATH",
    "NODE_REPL_EXTERNAL_MODULE",
    "BUN_OPTIONS",
    "BUN_INSPECT*",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PYTHONHOME",
    "PYTHONUSERBASE",
    "PYTHONBREAKPOINT",
    "PYTHONWARNINGS",
    "PYTHONINSPECT",
    "PYTHONEXECUTABLE",
    "PYTHONPLATLIBDIR",
    "PYTHONPYCACHEPREFIX",
    "PERL5OPT",
    "PERL5LIB",
    "PERLLIB",
    "PERL5DB",
    "RUBYOPT",
    "RUBYLIB",
    "JAVA_TOOL_OPTIONS",
    "_JAVA_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "LUA_INIT*",
    "LUA_PATH*",
    "LUA_CPATH*",
    "PHPRC",
    "PHP_INI_SCAN_DIR",
    "DOTNET_STARTUP_HOOKS",
    "CORECLR_PROFILER*",
    "COR_PROFILER*",
    "GTK_MODULES",
    "OPENSSL_CONF",
    "OPENSSL_MODULES",
    "OPENSSL_ENGINES",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "NPM_CONFIG_SCRIPT_SHELL",
    "npm_config_script_shell",
    "NPM_CONFIG_NODE_OPTIONS",
    "npm_config_node_options",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_EXEC_PATH",
    "GIT_TEMPLATE_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_KEY_*",
    "GIT_CONFIG_VALUE_*",
    "GIT_CONFIG_PARAMETERS",
    "GIT_EXTERNAL_DIFF",
    "GIT_PAGER",
    "GIT_EDITOR",
    "GIT_SEQUENCE_EDITOR",
    "GIT_ASKPASS",
    "GIT_PROXY_COMMAND",
    "GIT_DIR",
    "GIT_COMMON_DIR",
    "GIT_WORK_TREE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
];

const SOCKET: &[&str] = &[
    "SSH_AUTH_SOCK",
    "GPG_AGENT_INFO",
    "GNOME_KEYRING_CONTROL",
    "DBUS_SESSION_BUS_ADDRESS",
    "DBUS_STARTER_ADDRESS",
    "AT_SPI_BUS_ADDRESS",
    "XDG_RUNTIME_DIR",
    "DISPLAY",
    "XAUTHORITY",
    "WAYLAND_DISPLAY",
    "WAYLAND_SOCKET",
    "SWAYSOCK",
    "I3SOCK",
    "NIRI_SOCKET",
    "HYPRLAND_INSTANCE_SIGNATURE",
    "PULSE_SERVER",
    "KRB5CCNAME",
    "DOCKER_HOST",
    "CONTAINER_HOST",
    "BUILDKIT_HOST",
    "VSCODE_IPC_HOOK*",
    "VSCODE_GIT_IPC_*",
    "VSCODE_GIT_ASKPASS_*",
    "TMUX",
    "STY",
    "KITTY_LISTEN_ON",
    "NVIM",
    "NVIM_LISTEN_ADDRESS",
    "EMACS_SERVER_FILE",
    "WSL_INTEROP",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AgentEnv;

    fn agent() -> Agent {
        let mut agent: Agent = serde_json::from_value(serde_json::json!({ "agent": "x", "name": "X" })).expect("agent");
        agent.env = AgentEnv {
            settings: Vec::new(),
            restrict: Vec::new(),
            redirect: vec!["X_CONFIG".into(), "X_TEST_*".into()],
            approve: vec!["X_YOLO".into()],
            dead: Vec::new(),
        };
        agent
    }

    #[test]
    fn only_names_that_load_code_or_lead_somewhere_are_meant() {
        for (name, expected) in [
            ("LD_PRELOAD", Meaning::Injection),
            ("GIT_SSH_COMMAND", Meaning::Injection),
            ("GIT_AUTHOR_NAME", Meaning::Ordinary),
            ("PYTHONPATH", Meaning::Injection),
            ("PYTHONUNBUFFERED", Meaning::Ordinary),
            ("ENV", Meaning::Injection),
            ("ENVIRONMENT", Meaning::Ordinary),
            ("NODE_ENV", Meaning::Ordinary),
            ("SSH_AUTH_SOCK", Meaning::Socket),
            ("SSH_AUTH_SOCKET_DOC", Meaning::Ordinary),
            ("VSCODE_IPC_HOOK_CLI", Meaning::Socket),
            ("DISPLAYNAME", Meaning::Ordinary),
            ("X_CONFIG", Meaning::Redirect),
            ("X_CONFIGURE", Meaning::Ordinary),
            ("X_TEST_DIR", Meaning::Redirect),
            ("X_YOLO", Meaning::Approve),
        ] {
            assert_eq!(meaning(name, &agent()), expected, "{name}");
        }
    }
}
