//! What saved audits and attestations are evidence for and against, control by control of a framework.
//!
//! [`assess`] is a function of its arguments: it reads nothing and knows no clock. Each format is a function from an
//! [`Assessment`] to text. The words are "evidence for" and "evidence against": whether a control is met is decided by
//! people, and no format says that something complies.

mod assess;
mod assessment;
mod csv;
mod diff;
mod diff_text;
mod html;
mod json;
mod junit;
mod markdown;
mod oscal;
mod sarif;
mod saved;

pub use assess::assess;
pub use assessment::{
    ASSESSMENT_VERSION, About, Answer, Assessment, Attested, Audit, Coverage, Hold, Observed, Point, Proof, Stance,
    Task,
};
pub use csv::csv;
pub use diff::{Change, DIFF_VERSION, Diff, Side, diff, diff_schema};
pub use diff_text::diff_text;
pub use html::html;
pub use json::{assessment_schema, json};
pub use junit::junit;
pub use markdown::markdown;
pub use oscal::{assessment_plan, assessment_results, component_definition, plan_of_action};
pub use sarif::sarif;
pub use saved::{Saved, saved};
