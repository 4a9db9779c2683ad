//! The text to write so that a server's package is held in place.

use serde_json::json;

use super::argument;
use super::command::{Launch, Launcher};
use super::definition::Definition;
use super::package::{Package, Pin};
use crate::model::McpShape;

/// Longest entry that is written out whole.
const LONGEST: usize = 300;

/// The entry with its loosest package pinned, in the agent's own form; where that would be too long or the package
/// stands inside a shell line, the package alone.
pub(super) fn pinned(definition: &Definition, argv: &[String], launch: &Launch, shape: McpShape) -> String {
    let Some(package) = launch.loosest() else { return String::new() };
    if is_held(package.pin) {
        return String::new();
    }
    if launch.launcher == Launcher::Download || (package.pin == Pin::Url && !package.name.starts_with("git")) {
        return format!("a copy of `{}` in the project, or a package of a registry at one version", package.name);
    }
    let spec = spec(package, launch.launcher);
    let quoted = format!("`{spec}`");
    let Some(argv) = rewritten(argv, package, &spec) else { return quoted };
    let shown = argument::shown(&argv, &[&spec]);
    let entry = match (shape, shown.split_first()) {
        (McpShape::Argv, _) => json!({ "type": "local", "command": shown }),
        (McpShape::CommandArgs, Some((program, args))) => json!({ "command": program, "args": args }),
        (McpShape::CommandArgs, None) => return quoted,
    };
    let text = format!("{}: {entry}", json!(definition.name));
    let is_masked = shown.iter().any(|arg| arg.contains("***"));
    if text.len() > LONGEST || is_masked { quoted } else { format!("`{text}`") }
}

pub(super) fn is_held(pin: Pin) -> bool {
    matches!(pin, Pin::NotApplicable | Pin::Digest | Pin::GitCommit | Pin::Exact | Pin::LocalPath | Pin::Project)
}

/// How the ecosystem writes an exact version.
fn spec(package: &Package, launcher: Launcher) -> String {
    let name = &package.name;
    if package.pin == Pin::GitBranch || name.starts_with("git") {
        let joint = if matches!(launcher, Launcher::Uvx | Launcher::UvRun | Launcher::Pipx) { '@' } else { '#' };
        return format!("{name}{joint}COMMIT");
    }
    match launcher {
        Launcher::Docker | Launcher::Podman | Launcher::Nerdctl => format!("{name}@sha256:DIGEST"),
        Launcher::Uvx | Launcher::UvRun | Launcher::Pipx => format!("{name}==X.Y.Z"),
        Launcher::GoRun => format!("{name}@vX.Y.Z"),
        Launcher::Nix => format!("{name}?rev=COMMIT"),
        _ => format!("{name}@X.Y.Z"),
    }
}

/// The arguments with the package replaced; None where it does not stand alone in one of them.
pub(super) fn rewritten(argv: &[String], package: &Package, spec: &str) -> Option<Vec<String>> {
    let name = package.name.as_str();
    let is_it = |arg: &str| {
        let rest = arg.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['@', '=', '<', '>', '~', '!', '[', '#', ':']))
    };
    let at = argv.iter().position(|arg| {
        is_it(arg.split_once('=').map_or(arg, |(option, value)| if option.starts_with('-') { value } else { arg }))
    })?;
    let mut argv = argv.to_vec();
    let old = argv.get(at)?.clone();
    // `--package=name` keeps its option, `name[extra]` its extra.
    let (option, old) = match old.split_once('=').filter(|(option, _)| option.starts_with('-')) {
        Some((option, value)) => (format!("{option}="), value.to_owned()),
        None => (String::new(), old),
    };
    let extra = old.find('[').zip(old.find(']')).filter(|(open, close)| open < close);
    let extra = extra.and_then(|(open, close)| old.get(open..=close)).unwrap_or("");
    let spec = if extra.is_empty() { spec.to_owned() } else { spec.replacen(name, &format!("{name}{extra}"), 1) };
    *argv.get_mut(at)? = format!("{option}{spec}");
    Some(argv)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::mcp::command;

    #[test]
    fn the_package_is_replaced_where_it_stands() {
        for (line, fixed) in [
            ("npx -y @a/b /srv", Some("npx -y @a/b@X.Y.Z /srv")),
            ("npx -y @a/b@latest", Some("npx -y @a/b@X.Y.Z")),
            ("npx --package=b@1 cmd", Some("npx --package=b@X.Y.Z cmd")),
            ("uvx --from mcp[cli]>=1 mcp", Some("uvx --from mcp[cli]==X.Y.Z mcp")),
            ("docker run -i img:1.2", Some("docker run -i img@sha256:DIGEST")),
            ("uvx --from git+https://g.example/o/r cmd", Some("uvx --from git+https://g.example/o/r@COMMIT cmd")),
            ("npx other-b", Some("npx other-b@X.Y.Z")),
        ] {
            let argv: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let launch = command::parse(&argv);
            let package = launch.loosest().expect("a package");
            let found = rewritten(&argv, package, &spec(package, launch.launcher)).map(|argv| argv.join(" "));
            assert_eq!(found.as_deref(), fixed, "{line}");
        }
    }
}
