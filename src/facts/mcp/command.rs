//! What a server's command really starts: through shells, `env` and wrappers down to the launcher, its packages, its
//! container or its script. A function of the argument list; nothing is looked up or run.

use schemars::JsonSchema;
use serde::Serialize;

use super::container::{self, Container};
use super::package::{self, Package, Pin};
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

    fn running(launcher: Launcher, script: Option<&String>, rest: &[String]) -> Self {
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
        "docker" | "finch" => container(Launcher::Docker, args),
        "podman" => container(Launcher::Podman, args),
        "nerdctl" => container(Launcher::Nerdctl, args),
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

const NPX_VALUED: &[&str] = &[
    "--registry",
    "--prefix",
    "--userconfig",
    "--cache",
    "-w",
    "--workspace",
    "--node-options",
    "--loglevel",
    "--shell",
    "-n",
    "--node-arg",
    "--before",
    "--script-shell",
    "-C",
    "--dir",
    "--cwd",
];

fn npx(launcher: Launcher, args: &[String]) -> Launch {
    let read = options(args, NPX_VALUED, &["-p", "--package", "-c", "--call"]);
    let specs: Vec<&str> =
        read.asked.iter().filter(|(name, _)| matches!(*name, "-p" | "--package")).map(|(_, value)| *value).collect();
    let (specs, rest) = match read.rest.split_first() {
        _ if !specs.is_empty() => (specs, read.rest.get(1..).unwrap_or_default()),
        Some((spec, rest)) => (vec![spec.as_str()], rest),
        // `npx -c 'tool'`: a program of the project.
        None => return Launch::running(Launcher::Task, None, &[]),
    };
    let mut packages: Vec<Package> = specs.into_iter().map(package::npm).collect();
    // With these npx runs what the project has installed, or nothing.
    if read.seen.iter().any(|flag| matches!(*flag, "--no-install" | "--no" | "--offline")) {
        packages.iter_mut().filter(|package| package.pin == Pin::None).for_each(|package| package.pin = Pin::Project);
    }
    Launch::fetching(launcher, packages, rest.strip_prefix(&["--".to_owned()]).unwrap_or(rest))
}

/// `npm exec`, `pnpm dlx`, `yarn dlx`, `bun x`; other words of these run what the project has, or install.
fn manager(args: &[String], fetch: &[&str], launcher: Launcher) -> Launch {
    let read = options(args, NPX_VALUED, &["-p", "--package"]);
    let Some((word, rest)) = read.rest.split_first() else { return Launch::new(Launcher::Task) };
    if fetch.contains(&word.as_str()) {
        // Options may stand on either side of the word.
        let before: Vec<String> =
            read.asked.iter().flat_map(|(name, value)| [(*name).to_owned(), (*value).to_owned()]).collect();
        return npx(launcher, &[before, rest.to_vec()].concat());
    }
    let installs = |word: &str| matches!(word, "install" | "i" | "add" | "global");
    if installs(word) && rest.iter().any(|arg| !arg.starts_with('-') && arg != "add") {
        return installer(args, &["install", "i", "add", "global"], package::npm);
    }
    // `bun server.ts`
    if launcher == Launcher::Bunx {
        let rest = if word == "run" { rest } else { read.rest };
        let script = rest.first().filter(|script| script.contains(['.', '/']));
        if script.is_some() {
            return Launch::running(Launcher::Node, script, rest.get(1..).unwrap_or_default());
        }
    }
    Launch::running(Launcher::Task, None, rest)
}

/// `npm install -g pkg`, `pip install pkg`.
fn installer(args: &[String], words: &[&str], spec: fn(&str) -> Package) -> Launch {
    let specs = args.iter().filter(|arg| !arg.starts_with('-') && !words.contains(&arg.as_str()));
    Launch::fetching(Launcher::Installer, specs.map(|text| spec(text)).collect(), &[])
}

const UV_VALUED: &[&str] = &[
    "-p",
    "--python",
    "-i",
    "--index",
    "--index-url",
    "--default-index",
    "--extra-index-url",
    "-f",
    "--find-links",
    "--directory",
    "--project",
    "--cache-dir",
    "--env-file",
    "--refresh-package",
    "-P",
    "--upgrade-package",
    "-c",
    "--constraints",
    "--overrides",
    "-b",
    "--build-constraints",
    "--exclude-newer",
    "--prerelease",
    "--resolution",
    "--color",
    "--config-file",
    "--keyring-provider",
    "--link-mode",
    "--python-preference",
    "--index-strategy",
    "--allow-insecure-host",
    "--extra",
    "--group",
    "--only-group",
    "--no-group",
    "--package",
    "-m",
    "--module",
    "--reinstall-package",
    "--no-binary-package",
    "--no-build-package",
    "-w",
    "--with-requirements",
];

/// The packages of `--from` and `--with`, which take lists.
fn uv_packages(read: &Options<'_>) -> Vec<Package> {
    let lists = read.asked.iter().filter(|(name, _)| matches!(*name, "--from" | "--with"));
    // A comma also stands between the bounds of one package.
    let specs = lists.flat_map(|(_, list)| {
        if list.contains("==") || !list.contains(['<', '>', '~']) {
            list.split(',').collect::<Vec<_>>()
        } else {
            vec![*list]
        }
    });
    specs.map(package::pypi).collect()
}

fn uvx(args: &[String]) -> Launch {
    let read = options(args, UV_VALUED, &["--from", "--with", "--with-editable"]);
    let mut packages = uv_packages(&read);
    let has_from = read.asked.iter().any(|(name, _)| *name == "--from");
    if let Some(spec) = read.rest.first().filter(|_| !has_from) {
        packages.insert(0, package::pypi(spec));
    }
    Launch::fetching(Launcher::Uvx, packages, read.rest.get(1..).unwrap_or_default())
}

fn uv(args: &[String]) -> Launch {
    let read = options(args, UV_VALUED, &[]);
    let folder = args.iter().zip(args.iter().skip(1)).find(|(name, _)| matches!(name.as_str(), "--directory"));
    match read.rest.split_first() {
        Some((word, rest)) if word == "run" => uv_run(folder.map(|(_, folder)| folder.as_str()), rest),
        Some((word, rest)) if word == "tool" => match rest.split_first() {
            Some((word, rest)) if word == "run" => uvx(rest),
            _ => installer(rest, &["install"], package::pypi),
        },
        Some((word, rest)) if word == "x" => uvx(rest),
        Some((word, rest)) if word == "pip" || word == "add" => installer(rest, &["install"], package::pypi),
        _ => Launch::new(Launcher::Task),
    }
}

/// `uv run --with pkg server.py`: the project's own lock holds everything but `--with`.
fn uv_run(folder: Option<&str>, args: &[String]) -> Launch {
    let read = options(args, UV_VALUED, &["--with", "--with-editable", "--directory"]);
    let folder = read.asked.iter().find(|(name, _)| *name == "--directory").map(|(_, folder)| *folder).or(folder);
    let mut packages = uv_packages(&read);
    let is_script = |word: &&String| word.ends_with(".py") || word.contains("://");
    let script = read.rest.iter().take(3).find(is_script);
    if let Some(address) = script.filter(|script| script.contains("://")) {
        packages.push(package::web(address));
    }
    let script = script.filter(|script| !script.contains("://")).map(|script| match folder {
        Some(folder) if !package::is_path(script) => format!("{}/{script}", folder.trim_end_matches('/')),
        _ => script.clone(),
    });
    Launch { script, ..Launch::fetching(Launcher::UvRun, packages, read.rest.get(1..).unwrap_or_default()) }
}

fn pipx(args: &[String]) -> Launch {
    let (word, rest) = args.split_first().map_or(("", &[][..]), |(word, rest)| (word.as_str(), rest));
    if word != "run" {
        return installer(args, &["install", "upgrade"], package::pypi);
    }
    let read = options(rest, &["--python", "--index-url", "-i", "--pip-args"], &["--spec", "--with"]);
    let spec = read.asked.iter().find(|(name, _)| *name == "--spec").map(|(_, spec)| *spec);
    let spec = spec.or_else(|| read.rest.first().map(String::as_str));
    let with = read.asked.iter().filter(|(name, _)| *name == "--with").map(|(_, spec)| *spec);
    let packages = spec.into_iter().chain(with).map(package::pypi).collect();
    Launch::fetching(Launcher::Pipx, packages, read.rest.get(1..).unwrap_or_default())
}

fn go(args: &[String]) -> Launch {
    let (word, rest) = args.split_first().map_or(("", &[][..]), |(word, rest)| (word.as_str(), rest));
    if word == "install" {
        return installer(rest, &[], package::go);
    }
    if word != "run" {
        return Launch::running(Launcher::Task, None, rest);
    }
    let read = options(rest, &["-C", "-mod", "-modfile", "-tags", "-ldflags", "-gcflags", "-exec", "-p", "-o"], &[]);
    let package = read.rest.first().map(|spec| package::go(spec));
    local_or_fetched(Launcher::GoRun, package, read.rest)
}

fn cargo(args: &[String]) -> Launch {
    let (word, rest) = args.split_first().map_or(("", &[][..]), |(word, rest)| (word.as_str(), rest));
    if !matches!(word, "install" | "binstall") {
        return Launch::running(Launcher::Cargo, None, rest);
    }
    let read =
        options(rest, &["--root", "--features", "-F"], &["--version", "--vers", "--git", "--rev", "--tag", "--branch"]);
    let asked = |names: &[&str]| read.asked.iter().find(|(name, _)| names.contains(name)).map(|(_, value)| *value);
    let package = match asked(&["--git"]) {
        Some(address) => {
            package::npm(&format!("git+{address}#{}", asked(&["--rev", "--tag", "--branch"]).unwrap_or_default()))
        }
        None => package::krate(read.rest.first().map_or("", String::as_str), asked(&["--version", "--vers"])),
    };
    Launch::fetching(Launcher::Installer, vec![package], &[])
}

fn deno(args: &[String]) -> Launch {
    const VALUED: &[&str] = &["-c", "--config", "--import-map", "--lock", "--cert", "-L", "--log-level", "--location"];
    let outer = options(args, VALUED, &[]);
    let rest = match outer.rest.split_first() {
        Some((word, _)) if matches!(word.as_str(), "task" | "serve" | "eval") => {
            return Launch::running(Launcher::Task, None, outer.rest);
        }
        Some((word, rest)) if matches!(word.as_str(), "run" | "x") => options(rest, VALUED, &[]).rest,
        _ => outer.rest,
    };
    local_or_fetched(Launcher::Deno, rest.first().map(|spec| package::deno(spec)), rest)
}

/// A file of the machine is a script, anything else a package.
fn local_or_fetched(launcher: Launcher, package: Option<Package>, rest: &[String]) -> Launch {
    let script = package.as_ref().filter(|package| package.pin == Pin::LocalPath).map(|package| package.name.clone());
    let packages = package.into_iter().collect();
    Launch { script, ..Launch::fetching(launcher, packages, rest.get(1..).unwrap_or_default()) }
}

fn nix(args: &[String]) -> Launch {
    let read = options(args, &["--extra-experimental-features", "--experimental-features", "--option"], &[]);
    match read.rest.split_first() {
        Some((word, rest)) if matches!(word.as_str(), "run" | "shell" | "develop") => {
            let inner = options(rest, &["--extra-experimental-features", "--inputs-from", "-c", "--command"], &[]);
            let package = inner.rest.first().map_or_else(|| package::nix("."), |spec| package::nix(spec));
            Launch::fetching(Launcher::Nix, vec![package], inner.rest.get(1..).unwrap_or_default())
        }
        _ => Launch::new(Launcher::Task),
    }
}

fn container(launcher: Launcher, args: &[String]) -> Launch {
    let valued = ["-H", "--host", "-c", "--context", "--config", "-l", "--log-level", "--namespace", "-n", "--url"];
    let mut rest = options(args, &valued, &[]).rest;
    if rest.first().is_some_and(|word| word == "container") {
        rest = rest.get(1..).unwrap_or_default();
    }
    match rest.split_first() {
        Some((word, rest)) if matches!(word.as_str(), "run" | "create") => match container::run(rest) {
            Some(run) => Launch {
                packages: vec![run.package],
                container: Some(run.container),
                rest: run.rest,
                env: run.env,
                ..Launch::new(launcher)
            },
            None => Launch::new(launcher),
        },
        // `docker mcp gateway run` and `compose` start what is defined elsewhere.
        Some((_, rest)) => Launch::running(Launcher::Compose, None, rest),
        None => Launch::new(Launcher::Compose),
    }
}

#[cfg(test)]
mod tests;
