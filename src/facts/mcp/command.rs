//! What a server's command really starts: through shells, `env` and wrappers down to the launcher, its packages, its
//! container or its script. A function of the argument list; nothing is looked up or run.

use schemars::JsonSchema;
use serde::Serialize;

use super::container::Container;
use super::package::{self, Package, Pin};
use super::runner::{cargo, deno, engine, go, installer, manager, nix, npx, pipx, uv, uvx};
use super::wrapper::{Inner, main_command, program, unwrap};

/// How many wrappers are looked through.
const WRAPPER_LIMIT: usize = 50;

/// What starts the server's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Launcher {
    /// `npx`, `npm exec`.
    Npx,
    /// `bunx`, `bun x`.
    Bunx,
    /// `pnpm dlx`, `pnpx`.
    PnpmDlx,
    /// `yarn dlx`.
    YarnDlx,
    /// `uvx`, `uv tool run`.
    Uvx,
    /// `uv run`.
    UvRun,
    /// `pipx run`.
    Pipx,
    /// `go run`.
    GoRun,
    /// `cargo run`.
    Cargo,
    /// `deno run`.
    Deno,
    /// `nix run`, `nix shell`.
    Nix,
    /// A package manager that installs first: `npm install … && …`.
    Installer,
    /// `curl … | sh`.
    Download,
    /// `docker run`.
    Docker,
    /// `podman run`.
    Podman,
    /// `nerdctl run`.
    Nerdctl,
    /// A container that somebody else defines: `docker exec`, `docker compose run`.
    Compose,
    /// JavaScript of the machine or the project: `node server.js`.
    Node,
    /// Python likewise.
    Python,
    /// Another interpreter, or a shell script.
    Script,
    /// A task of the project: `npm run`, `make`.
    Task,
    /// A program by its absolute path.
    Absolute,
    /// A program by a path from the working directory.
    Relative,
    /// A program by its name.
    Path,
    /// No command at all.
    None,
}

/// A command, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Launch {
    pub(super) launcher: Launcher,
    /// What stands around it, outermost first: `bash -c`, `env`.
    pub(super) wrappers: Vec<String>,
    /// What is fetched when it starts.
    pub(super) packages: Vec<Package>,
    pub(super) container: Option<Container>,
    /// The file that it runs.
    pub(super) script: Option<String>,
    /// The server's own arguments.
    pub(super) rest: Vec<String>,
    /// Variables that the command line sets, values included: to be classified and dropped.
    pub(super) env: Vec<(String, String)>,
}

impl Launch {
    pub(super) fn new(launcher: Launcher) -> Self {
        Self {
            launcher,
            wrappers: Vec::new(),
            packages: Vec::new(),
            container: None,
            script: None,
            rest: Vec::new(),
            env: Vec::new(),
        }
    }

    pub(super) fn fetching(launcher: Launcher, packages: Vec<Package>, rest: &[String]) -> Self {
        Self { packages, rest: rest.to_vec(), ..Self::new(launcher) }
    }

    pub(super) fn running(launcher: Launcher, script: Option<&String>, rest: &[String]) -> Self {
        Self { script: script.cloned(), rest: rest.to_vec(), ..Self::new(launcher) }
    }

    /// The package that is held least firmly.
    pub(super) fn loosest(&self) -> Option<&Package> {
        self.packages.iter().max_by_key(|package| package.pin)
    }

    /// Whether it fetches code that nothing in the project describes.
    pub(super) fn fetches(&self) -> bool {
        self.packages.iter().any(|package| !matches!(package.pin, Pin::LocalPath | Pin::Project))
    }
}

/// Takes a command apart.
pub(super) fn parse(argv: &[String]) -> Launch {
    let mut rest = argv.to_vec();
    let (mut wrappers, mut env) = (Vec::new(), Vec::new());
    for _ in 0..WRAPPER_LIMIT {
        match unwrap(&rest, &mut env) {
            Some(Inner::Command(wrapper, inner)) => {
                wrappers.extend(wrapper);
                rest = inner;
            }
            Some(Inner::Line(wrapper, line)) => {
                wrappers.push(wrapper);
                match main_command(&line) {
                    Ok(inner) => rest = inner,
                    Err(launch) => return Launch { wrappers, env, ..*launch },
                }
            }
            None => break,
        }
    }
    let mut launch = identify(&rest);
    env.append(&mut launch.env);
    Launch { wrappers, env, ..launch }
}

/// Options read off the front of a list.
pub(super) struct Options<'a> {
    /// Values of the options that were asked for, with their names.
    pub(super) asked: Vec<(&'a str, &'a str)>,
    /// Every option seen.
    pub(super) seen: Vec<&'a str>,
    /// From the first word that is no option.
    pub(super) rest: &'a [String],
}

/// Reads options off the front; `valued` ones take the next word, as do the `asked` ones.
pub(super) fn options<'a>(args: &'a [String], valued: &[&str], asked: &[&str]) -> Options<'a> {
    let mut found = Options { asked: Vec::new(), seen: Vec::new(), rest: &[] };
    let mut at = 0;
    while let Some(arg) = args.get(at) {
        at += 1;
        if arg == "--" {
            found.rest = args.get(at..).unwrap_or_default();
            return found;
        }
        if !arg.starts_with('-') || arg.len() < 2 {
            found.rest = args.get(at - 1..).unwrap_or_default();
            return found;
        }
        let (name, value) = match arg.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (arg.as_str(), None),
        };
        found.seen.push(name);
        if asked.contains(&name) {
            let value = value.or_else(|| {
                at += 1;
                args.get(at - 1).map(String::as_str)
            });
            found.asked.extend(value.map(|value| (name, value)));
        } else if value.is_none() && valued.contains(&name) {
            at += 1;
        }
    }
    found
}

/// The launcher of a bare command.
pub(super) fn identify(argv: &[String]) -> Launch {
    let Some((first, args)) = argv.split_first() else { return Launch::new(Launcher::None) };
    let name = program(first);
    match name.as_str() {
        "npx" => npx(Launcher::Npx, args),
        "bunx" => npx(Launcher::Bunx, args),
        "pnpx" => npx(Launcher::PnpmDlx, args),
        "npm" => manager(args, &["exec", "x"], Launcher::Npx),
        "pnpm" => manager(args, &["dlx"], Launcher::PnpmDlx),
        "yarn" => manager(args, &["dlx"], Launcher::YarnDlx),
        "bun" => manager(args, &["x"], Launcher::Bunx),
        "uvx" => uvx(args),
        "uv" => uv(args),
        "pipx" => pipx(args),
        "pip" | "pip3" => installer(args, &["install"], package::pypi),
        "go" => go(args),
        "cargo" => cargo(args),
        "deno" => deno(args),
        "nix" => nix(args),
        "docker" | "finch" => engine(Launcher::Docker, args),
        "podman" => engine(Launcher::Podman, args),
        "nerdctl" => engine(Launcher::Nerdctl, args),
        "docker-compose" | "podman-compose" => Launch::new(Launcher::Compose),
        "node" | "nodejs" | "tsx" | "ts-node" | "electron" => {
            let read = options(args, &["-r", "--require", "--import", "--loader", "--experimental-loader", "-P"], &[]);
            interpreter(Launcher::Node, &read, &["-e", "--eval", "-p", "--print"])
        }
        _ if name.starts_with("python") || name == "py" => {
            let read = options(args, &["-X", "-W"], &["-m", "-c"]);
            interpreter(Launcher::Python, &read, &["-m", "-c"])
        }
        "ruby" | "perl" | "php" | "lua" | "rscript" | "julia" | "osascript" => {
            interpreter(Launcher::Script, &options(args, &[], &[]), &["-e", "-r"])
        }
        "sh" | "bash" | "zsh" | "dash" | "ksh" | "ash" | "fish" => {
            interpreter(Launcher::Script, &options(args, &["-o", "-O"], &[]), &[])
        }
        "java" => match args.iter().position(|arg| arg == "-jar").and_then(|at| args.get(at + 1)) {
            Some(jar) => Launch::running(Launcher::Script, Some(jar), &[]),
            None => Launch::running(Launcher::Script, None, args),
        },
        "make" | "just" | "task" | "rake" | "gradle" | "gradlew" | "mvn" | "poetry" | "pdm" | "hatch" | "rye"
        | "pixi" | "bundle" | "composer" | "mix" | "dotnet" | "turbo" | "nx" => {
            Launch::running(Launcher::Task, None, args)
        }
        _ => {
            let launcher = match first.as_str() {
                path if path.starts_with('/') || path.contains(":\\") || path.contains(":/") => Launcher::Absolute,
                path if package::is_path(path) && !path.starts_with('.') => Launcher::Absolute,
                path if path.contains(['/', '\\']) => Launcher::Relative,
                _ => Launcher::Path,
            };
            let script = (launcher != Launcher::Path).then_some(first);
            Launch::running(launcher, script, args)
        }
    }
}

/// A script with its arguments, unless the code stands in an option.
fn interpreter(launcher: Launcher, read: &Options<'_>, inline: &[&str]) -> Launch {
    let is_inline = read.seen.iter().any(|option| inline.contains(option));
    let script = read.rest.first().filter(|_| !is_inline);
    let taken = usize::from(script.is_some());
    Launch::running(launcher, script, read.rest.get(taken..).unwrap_or_default())
}

#[cfg(test)]
mod tests;
