//! The plain types that every other module speaks in. Nothing here touches the world.

mod agent;
mod check;
mod finding;
mod framework;
mod hex;
pub mod launch;
mod location;
mod look;
mod path;
mod policy;
mod predicate;
mod profile;
mod redact;
mod rights;
mod template;
mod tree;

pub use agent::{
    Agent, AgentEnv, ConfigLayer, DeadKey, Edition, IgnorePattern, LayerSource, McpLocation, McpShape, Merging,
    PermissionShape, StateKind, StatePath, Switch, SwitchEnv, SwitchKind,
};
pub use check::{Area, Check, Confidence, Controls, Empty, Os, Scope, Severity};
pub use finding::{Evidence, Finding, Status, WaiverNote};
pub use framework::{Attestation, Attestations, Catalogue, Control, Framework, Group, Reach, Standing};
pub use hex::hex;
pub use location::Location;
pub use look::{Look, Unseen};
pub use path::AbsPath;
pub use policy::{AgentUser, AgentVersion, Policy, SharedTree, Subject, UserSource};
pub use predicate::{Is, Op, Pattern, Predicate, Test};
pub use profile::{PARAMETERS, Parameter, ParameterValue, Parameters, Profile, Selection, Waiver, WaiverProblem};
pub use redact::{plain, redact_line};
pub use rights::{Gid, Mode, Uid};
pub use template::{Part, Template};
pub use tree::Tree;
