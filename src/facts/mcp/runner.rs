//! The launchers that fetch code, each with its own way to name a package.

use super::command::{Launch, Launcher, Options, options};
use super::container;
use super::package::{self, Package, Pin};

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

pub(super) fn npx(launcher: Launcher, args: &[String]) -> Launch {
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
pub(super) fn manager(args: &[String], fetch: &[&str], launcher: Launcher) -> Launch {
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
pub(super) fn installer(args: &[String], words: &[&str], spec: fn(&str) -> Package) -> Launch {
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

pub(super) fn uvx(args: &[String]) -> Launch {
    let read = options(args, UV_VALUED, &["--from", "--with", "--with-editable"]);
    let mut packages = uv_packages(&read);
    let has_from = read.asked.iter().any(|(name, _)| *name == "--from");
    if let Some(spec) = read.rest.first().filter(|_| !has_from) {
        packages.insert(0, package::pypi(spec));
    }
    Launch::fetching(Launcher::Uvx, packages, read.rest.get(1..).unwrap_or_default())
}

pub(super) fn uv(args: &[String]) -> Launch {
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

pub(super) fn pipx(args: &[String]) -> Launch {
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

pub(super) fn go(args: &[String]) -> Launch {
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

pub(super) fn cargo(args: &[String]) -> Launch {
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

pub(super) fn deno(args: &[String]) -> Launch {
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

pub(super) fn nix(args: &[String]) -> Launch {
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

pub(super) fn engine(launcher: Launcher, args: &[String]) -> Launch {
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
