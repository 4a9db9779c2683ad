//! The plain types that every other module speaks in. Nothing here touches the world.

mod action;
mod agent;
mod check;
mod declaration;
mod finding;
mod fix;
mod framework;
mod hex;
pub mod launch;
mod location;
mod look;
mod path;
mod plan;
mod policy;
mod predicate;
mod profile;
mod redact;
mod rights;
mod template;
mod thing;
mod tree;

pub use action::{ACTION_VERSION, Action, Checker, Class, Setting};
pub use agent::{
    Agent, AgentEnv, ConfigLayer, DeadKey, Edition, IgnorePattern, LayerSource, McpLocation, McpShape, Merging,
    PermissionShape, StateKind, StatePath, Switch, SwitchEnv, SwitchKind,
};
pub use check::{Area, Check, Confidence, Controls, Empty, Os, Scope, Severity};
pub use declaration::{
    ACCEPTED, APPROVALS, Answer, Approval, ApprovalLine, Change, DECLARATION_VERSION, Declaration, Environment, Files,
    Inexact, Logging, MACHINE_POLICY, Mcp, Network, PROJECT_POLICY, SecretRef, Shell, Standing, changes, declared,
    exact_words, narrowed, standing, widenings,
};
pub use finding::{Evidence, Finding, Status, WaiverNote};
pub use fix::{FORMS, Field, FieldKind, Filling, Form, MCP_LOCK, Proposal, Wish};
pub use framework::{Attestation, Attestations, Catalogue, Control, Framework, Group, Maturity, Reach};
pub use hex::hex;
pub use location::Location;
pub use look::{Look, Unseen};
pub use path::AbsPath;
pub use plan::{Asked, Contents, LeftToPerson, PLAN_VERSION, Plan, Reason, Step};
pub use policy::{AgentUser, AgentVersion, Policy, SharedTree, Subject, UserSource};
pub use predicate::{Is, Op, Pattern, Predicate, Test};
pub use profile::{PARAMETERS, Parameter, ParameterValue, Parameters, Profile, Selection, Waiver, WaiverProblem};
pub use redact::{plain, redact_line};
pub use rights::{Gid, Mode, Uid};
pub use template::{Part, Template};
pub use thing::{Access, State, Thing, digest};
pub use tree::Tree;
