//! The two inputs of an audit: what should be true, and of whom.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::launch::Found;
use super::{AbsPath, Agent, Check, Gid, Look, Os, Parameters, Scope, Tree, Uid, Unseen, Waiver, WaiverProblem};

/// Everything that decides an audit: the selected checks with their final severities, parameters, waivers.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The profile it was made from.
    pub profile: String,
    /// The selected checks.
    pub checks: Vec<Arc<Check>>,
    /// Typed and complete.
    pub parameters: Parameters,
    /// Those that hold.
    pub waivers: Vec<Waiver>,
    /// Those that do not, or soon will not, and what a local profile asked for and was not given.
    pub problems: Vec<WaiverProblem>,
    /// How wide to look.
    pub scope: Scope,
}

/// Whom a probe looks at: one agent, run by one account, in one workspace.
#[derive(Clone)]
pub struct Subject {
    /// The system of the host.
    pub os: Os,
    /// How wide to look.
    pub scope: Scope,
    /// The agent.
    pub agent: Arc<Agent>,
    /// The account that runs it; unknown on an image that does not say.
    pub user: Look<AgentUser>,
    /// The account that started the audit; the developer behind `sudo`. An image has none.
    pub invoker: Option<AgentUser>,
    /// Where the agent starts.
    pub workspace: AbsPath,
    /// The top of the work tree around the workspace; the workspace where there is none.
    pub project: AbsPath,
    /// Variables with paths in them as the agent will see them: HOME, XDG_*, TMPDIR and the agent's own.
    pub env: BTreeMap<String, String>,
    /// Which version of the agent the audit goes by.
    pub version: AgentVersion,
    /// What starts the agent; none is looked for in the repo scope.
    pub launcher: Arc<Found>,
    /// The policy's parameters.
    pub parameters: Parameters,
    /// The names in the project, once a probe has walked it: see [`crate::facts::tree`].
    pub tree: SharedTree,
}

impl Subject {
    /// The account that runs the agent, or why it is not known.
    pub fn account(&self) -> Result<&AgentUser, Unseen> {
        match &self.user {
            Look::Known(user) => Ok(user),
            Look::Unknown(unseen) => Err(unseen.clone()),
        }
    }

    /// Whether the agent runs under the account of the person who audits.
    pub fn is_invokers(&self) -> bool {
        let uid = self.user.known().and_then(|user| user.uid);
        uid.is_some() && uid == self.invoker.as_ref().and_then(|invoker| invoker.uid)
    }

    /// The home of the agent's account, where both are known.
    pub fn home(&self) -> Option<&AbsPath> {
        self.user.known()?.home.as_ref()
    }
}

/// Names without values where the environment is concerned: what is printed for debugging gets pasted elsewhere.
impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subject")
            .field("os", &self.os)
            .field("scope", &self.scope)
            .field("agent", &self.agent.agent)
            .field("user", &self.user)
            .field("invoker", &self.invoker)
            .field("workspace", &self.workspace)
            .field("project", &self.project)
            .field("env", &self.env.keys())
            .finish_non_exhaustive()
    }
}

/// Which version of an agent an audit goes by, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AgentVersion {
    /// What it is called: `OpenCode 2`.
    pub name: String,
    /// As its package or the profile states it; null where neither does.
    pub number: Option<String>,
    /// What told it, or why it is assumed.
    pub told_by: String,
    /// Whether it is only assumed.
    pub assumed: bool,
}

/// A walk of the project, or why there is none. The probes of one audit share it.
pub type SharedTree = Arc<OnceLock<Result<Tree, Unseen>>>;

/// An account that matters to the audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AgentUser {
    /// Its name; the number as text where it has none.
    pub name: String,
    /// Its number. None where the account does not exist.
    pub uid: Option<Uid>,
    /// Its main group.
    pub gid: Option<Gid>,
    /// All its groups, the main one included.
    pub groups: Vec<Gid>,
    /// Its home.
    pub home: Option<AbsPath>,
    /// How it was found.
    pub source: UserSource,
}

/// How the account of the agent was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UserSource {
    /// The profile names it.
    Profile,
    /// The launcher starts the agent as this user.
    Launcher,
    /// A running agent belongs to it.
    Process,
    /// It started the audit.
    Invoker,
}
