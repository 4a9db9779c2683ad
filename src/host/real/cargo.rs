//! What `cargo run` adds to the environment of the program it starts. The person who types it does not have these
//! variables, and an agent that they start does not get them: they say nothing about either.

use std::path::{Path, PathBuf};

/// Variables that cargo and rustup set for what they start.
const ADDED: &[&str] = &[
    "CARGO",
    "CARGO_HOME",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "RUSTUP_AUTO_INSTALL",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "RUSTUP_TOOLCHAIN_SOURCE",
    "RUST_RECURSION_COUNT",
];
/// Where it puts its folders of libraries before those that are there.
const LIBRARIES: &[&str] = &["LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"];

/// A start by cargo.
pub(super) struct Cargo {
    /// The folders whose libraries cargo names: its own, and the one of the program.
    own: Vec<PathBuf>,
}

impl Cargo {
    /// None where somebody else started this program. Other programs than ours are started with the same variables,
    /// and may start ours.
    pub(super) fn started(get: impl Fn(&str) -> Option<String>, program: Option<&Path>) -> Option<Self> {
        get("CARGO_PKG_NAME").filter(|name| name == env!("CARGO_PKG_NAME"))?;
        let cargo = PathBuf::from(get("CARGO")?);
        let toolchain = cargo.parent().and_then(Path::parent);
        let own = [toolchain, program.and_then(Path::parent)];
        Some(Self { own: own.into_iter().flatten().map(Path::to_owned).collect() })
    }

    /// Whether a variable is there because of cargo alone.
    pub(super) fn added(&self, name: &str, value: &str) -> bool {
        if LIBRARIES.contains(&name) {
            return value.split(':').all(|folder| self.own.iter().any(|own| Path::new(folder).starts_with(own)));
        }
        ADDED.contains(&name) || name.starts_with("CARGO_PKG_")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(package: &str) -> Option<Cargo> {
        let get = |name: &str| match name {
            "CARGO_PKG_NAME" => Some(package.to_owned()),
            "CARGO" => Some("/home/dev/.rustup/toolchains/stable/bin/cargo".to_owned()),
            _ => None,
        };
        Cargo::started(get, Some(Path::new("/src/harden/target/debug/harden")))
    }

    #[test]
    fn what_cargo_adds_is_not_the_persons() {
        assert!(started("another").is_none());
        let cargo = started("harden").expect("ours");
        let own = "/src/harden/target/debug/deps:/src/harden/target/debug:/home/dev/.rustup/toolchains/stable/lib";
        for (name, value, expected) in [
            ("CARGO_PKG_VERSION", "1", true),
            ("RUSTUP_HOME", "/home/dev/.rustup", true),
            ("CARGO_REGISTRY_TOKEN", "x", false),
            ("LD_LIBRARY_PATH", own, true),
            ("LD_LIBRARY_PATH", &format!("{own}:/home/dev/lib"), false),
            ("LD_LIBRARY_PATH", &format!("{own}:"), false),
            ("LD_PRELOAD", "/src/harden/target/debug/x.so", false),
            ("HOME", "/home/dev", false),
        ] {
            assert_eq!(cargo.added(name, value), expected, "{name}={value}");
        }
    }
}
