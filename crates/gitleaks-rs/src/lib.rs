//! Finds secrets in bytes by rules in the form of Gitleaks' configuration.
//!
//! A pack of rules is embedded; [`Scanner::new`] takes another. A scan looks for literals that every match of a rule
//! holds in one pass, and runs an expression only around a hit, so its cost grows with the length of the text and not
//! with the number of rules. Expressions are compiled when their literal is first seen: a scanner that finds nothing
//! costs next to nothing to start. What is escaped or encoded is looked at as what it says, with places in what was read.
//!
//! [`Scanner::scan`] takes bytes and [`Scanner::scan_read`] what does not fit in memory; a [`Job`] reads files, folders,
//! archives, databases and histories, never follows a link and runs nothing. No report holds a secret: a [`Match`] gives
//! it only to who asks for it by name, and a [`Finding`] has a hash under a key of yours.
//!
//! ```
//! let token = format!("{}_{}", "ghp", "k3Jd8sQwZ1xV7bN4mLpR6tYhG2fCa9eUoi5T");
//! let text = format!("one line\ntoken: {token}\n");
//! let matches = gitleaks_rs::Scanner::embedded().scan(text.as_bytes());
//! assert_eq!(matches[0].rule.id, "github-pat");
//! assert_eq!((matches[0].line, matches[0].column), (2, 8));
//! ```

mod allowlist;
mod anchor;
pub mod archive;
mod cache;
pub mod compat;
pub mod config;
mod context;
mod entropy;
mod files;
mod filter;
mod finding;
mod go_regex;
#[cfg(all(unix, feature = "git"))]
pub mod history;
#[doc(hidden)]
pub mod pack;
#[cfg(all(unix, feature = "git"))]
mod past;
mod rows;
mod rule;
mod scanner;
mod secret;
pub mod sqlite;
mod stream;
#[doc(hidden)]
pub mod template;
#[cfg(test)]
mod tests;
pub mod tree;
mod views;

pub use cache::Cache;
pub use config::{Config, LoadError};
pub use context::Context;
pub use entropy::shannon;
pub use files::{Job, Outcome, Problem, Progress, is_media};
pub use finding::{Commit, Finding, Key};
pub use go_regex::RegexError;
#[cfg(all(unix, feature = "git"))]
pub use past::Called;
pub use rule::{Confidence, Rule};
pub use scanner::{Match, Scanner};
pub use secret::Secret;
pub use stream::Buffer;
pub use views::Encoding;
