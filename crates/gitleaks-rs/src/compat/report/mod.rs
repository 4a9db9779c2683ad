//! Reports in Gitleaks' forms, byte for byte. Each one takes the percentage that is hidden of a secret, and nothing here
//! asks for less than all of it on its own.

mod csv;
mod json;
mod junit;
mod sarif;

pub use self::csv::csv;
pub use self::json::json;
pub use self::junit::junit;
pub use self::sarif::sarif;

/// All of every secret.
pub const ALL: u32 = 100;
