//! From YAML to a [`Policy`](crate::model::Policy): checks, profiles and agents, parsed, type-checked against the
//! facts, and merged.

mod agents;
mod bounded;
mod checks;
mod declaration;
mod embedded;
mod error;
mod fix;
mod frameworks;
mod policy;
mod predicate;
mod schema;
mod starter;
mod typecheck;
mod waivers;

pub use agents::{agent, agents};
pub use checks::{add_dir, checks};
pub use declaration::DeclarationFile;
pub use error::{CatalogError, nearest};
pub use frameworks::{
    ChecklistLine, attestations, checklist, framework, framework_from_text, framework_names, frameworks,
};
pub use policy::{LocalProfile, Request, policy, profile_from_text, profile_names};
pub use schema::{
    Kind as SchemaKind, attestations_schema, check_schema, facts_schema, framework_schema, policy_schema,
    profile_schema,
};
pub use starter::{Found, starter};
pub use typecheck::Types;
pub use waivers::today;
