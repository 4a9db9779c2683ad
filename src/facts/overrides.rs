//! What voids an agent's permissions from outside its configuration: flags that approve everything in scripts,
//! workflows, shell start-up files and units; variables that loosen or redirect.
//!
//! Files are read as text, line by line; nothing is run, and only the words that matter are kept.

use schemars::JsonSchema;
use serde::Serialize;

use super::ProbeError;
use super::config;
use super::subject::{jail, place, shown};
use crate::host::{Host, Keep, Kind, read_text, resolve};
use crate::model::launch::{Found, Start};
use crate::model::{AbsPath, Location, Look, Scope, Subject, Unseen};

/// What voids an agent's permissions.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Each place that starts the agent, with what voids its permissions there.
    starts: Look<Vec<StartFact>>,
    /// How many files were looked through.
    files: usize,
}

/// A place that starts the agent.
#[derive(Serialize, JsonSchema)]
struct StartFact {
    /// The file, or `environment`.
    name: String,
    /// The flag or variable that voids permissions; null where none does.
    by: Option<String>,
    /// What that is.
    kind: Option<OverrideKind>,
    /// The kind of file, or the environment.
    place: Place,
    /// Where.
    at: Option<Location>,
}

/// What voids permissions.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum OverrideKind {
    /// A word on the command line that approves everything.
    Flag,
    /// A variable that changes permissions.
    Variable,
}

/// Where it was found.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Place {
    /// The environment the agent starts with.
    Environment,
    /// A script or build file of the project.
    Script,
    /// A workflow that runs without a person.
    Workflow,
    /// A file that a shell reads when it starts.
    ShellStart,
    /// A systemd unit.
    Unit,
}

/// Largest file that is looked through.
const FILE_LIMIT: u64 = 256 << 10;
/// Most files of the project that are looked through.
const FILES: usize = 400;

/// Files of the project's top folder that run commands.
const TOP_FILES: &[&str] = &[
    "package.json",
    "Makefile",
    "makefile",
    "GNUmakefile",
    "justfile",
    "Justfile",
    "Taskfile.yml",
    "Taskfile.yaml",
    "mise.toml",
    ".mise.toml",
    "Dockerfile",
    "Containerfile",
    "docker-compose.yml",
    "docker-compose.yaml",
    "compose.yaml",
    "compose.yml",
    "Procfile",
    ".envrc",
    ".devcontainer/devcontainer.json",
    ".vscode/tasks.json",
    "lefthook.yml",
    ".pre-commit-config.yaml",
];

/// Workflows with one fixed name.
const WORKFLOWS: &[&str] = &[
    ".gitlab-ci.yml",
    ".travis.yml",
    "azure-pipelines.yml",
    "Jenkinsfile",
    "bitbucket-pipelines.yml",
    ".drone.yml",
    ".woodpecker.yml",
];

/// Folders whose scripts are looked through.
const FOLDERS: &[(&str, Place)] = &[
    (".github/workflows", Place::Workflow),
    (".github/actions", Place::Workflow),
    (".gitea/workflows", Place::Workflow),
    (".forgejo/workflows", Place::Workflow),
    (".circleci", Place::Workflow),
    (".buildkite", Place::Workflow),
    ("scripts", Place::Script),
    ("script", Place::Script),
    ("bin", Place::Script),
    ("tools", Place::Script),
    ("ci", Place::Script),
    (".husky", Place::Script),
    (".devcontainer", Place::Script),
];

const SHELL_START: &[&str] = &[
    "{home}/.bashrc",
    "{home}/.bash_profile",
    "{home}/.bash_aliases",
    "{home}/.bash_login",
    "{home}/.profile",
    "{home}/.zshrc",
    "{home}/.zshenv",
    "{home}/.zprofile",
    "{home}/.aliases",
    "{home}/.config/fish/config.fish",
    "/etc/environment",
    "/etc/profile",
    "/etc/bash.bashrc",
    "/etc/zsh/zshenv",
];

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let mut search = Search { host, subject, found: Vec::new(), files: 0, unseen: None };
    search.environment();
    search.project();
    if subject.scope > Scope::Repo {
        search.machine();
    }
    search.once();
    let Search { found, files, unseen, .. } = search;
    // What was found counts whatever else could not be read.
    let found = match unseen {
        Some(unseen) if found.iter().all(|start| start.by.is_none()) => Look::Unknown(unseen),
        _ => Look::Known(found),
    };
    Ok(Fact { starts: found, files })
}

struct Search<'a> {
    host: &'a dyn Host,
    subject: &'a Subject,
    found: Vec<StartFact>,
    files: usize,
    unseen: Option<Unseen>,
}

impl Search<'_> {
    fn environment(&mut self) {
        if self.subject.scope == Scope::Repo {
            return;
        }
        if !self.host.is_live() && !is_settled(self.subject) {
            let why = "an image does not say with which variables the agent is started";
            let how = "audit the running machine, or name the launcher in the profile";
            self.unseen.get_or_insert(Unseen::new(why, how));
        }
        let voids = |name: &&String| config::variable(self.subject, name).is_some_and(|value| !only_tightens(value));
        let set: Vec<&String> = self.subject.agent.env.approve.iter().filter(voids).collect();
        let start = |by: Option<&String>| StartFact {
            name: "environment".to_owned(),
            kind: by.map(|_| OverrideKind::Variable),
            by: by.cloned(),
            place: Place::Environment,
            at: None,
        };
        if set.is_empty() {
            self.found.push(start(None));
        }
        self.found.extend(set.into_iter().map(|name| start(Some(name))));
    }

    /// What the launcher's own file sets is told there, with its line, and not again as part of the environment.
    fn once(&mut self) {
        let Found::Launcher(launcher) = &*self.subject.launcher else { return };
        let file = shown(self.subject, &launcher.path);
        let told: Vec<String> =
            self.found.iter().filter(|start| start.name == file).filter_map(|start| start.by.clone()).collect();
        let again = |start: &StartFact| {
            start.place == Place::Environment && start.by.as_ref().is_some_and(|by| told.contains(by))
        };
        self.found.retain(|start| !again(start));
    }

    fn project(&mut self) {
        let top = self.subject.project.clone();
        for name in TOP_FILES {
            self.file(&top.join(name), Place::Script);
        }
        for name in WORKFLOWS {
            self.file(&top.join(name), Place::Workflow);
        }
        for name in self.names(&top) {
            if is_script(&name) {
                self.file(&top.join(&name), Place::Script);
            }
        }
        for (folder, place) in FOLDERS {
            self.folder(&top.join(folder), *place);
        }
    }

    fn names(&self, folder: &AbsPath) -> Vec<String> {
        let entries = resolve(self.host, folder, jail(self.subject, folder)).and_then(|path| self.host.list(&path));
        entries.unwrap_or_default().into_iter().filter_map(|entry| entry.name.into_string().ok()).collect()
    }

    fn folder(&mut self, folder: &AbsPath, place: Place) {
        let Ok(real) = resolve(self.host, folder, jail(self.subject, folder)) else { return };
        let mut left = FILES;
        let walked = self.host.walk(&real, &mut |path, kind| {
            left = left.saturating_sub(1);
            let name = path.file_name().unwrap_or_default();
            match kind {
                _ if left == 0 || name == "node_modules" || path.components().count() > 4 => Keep::Prune,
                Kind::File => Keep::Yes,
                _ => Keep::Pass,
            }
        });
        for (path, _) in walked.map(|(files, _)| files).unwrap_or_default() {
            let text = path.to_string_lossy();
            let workflow = text.ends_with(".yml") || text.ends_with(".yaml") || is_script(&text);
            // A script in `bin/` needs no ending.
            if workflow || (place == Place::Script && path.extension().is_none()) {
                self.file(&folder.join(&path), place);
            }
        }
    }

    fn machine(&mut self) {
        if let Err(unseen) = self.subject.account() {
            self.unseen.get_or_insert(unseen);
        }
        for path in SHELL_START.iter().filter_map(|path| place(self.subject, path)) {
            self.file(&path, Place::ShellStart);
        }
        for (folder, kind, ends) in [
            ("/etc/profile.d", Place::ShellStart, ".sh"),
            ("/etc/systemd/system", Place::Unit, ".service"),
            ("/etc/systemd/user", Place::Unit, ".service"),
            ("{home}/.config/systemd/user", Place::Unit, ".service"),
            ("{home}/.config/fish/functions", Place::ShellStart, ".fish"),
            ("{home}/.config/autostart", Place::Unit, ".desktop"),
        ] {
            let Some(folder) = place(self.subject, folder) else { continue };
            for name in self.names(&folder).into_iter().filter(|name| name.ends_with(ends)).take(FILES) {
                self.file(&folder.join(name), kind);
            }
        }
    }

    fn file(&mut self, path: &AbsPath, place: Place) {
        let text = match read_text(self.host, path, jail(self.subject, path), FILE_LIMIT) {
            Ok(Some(text)) => text,
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied && place == Place::ShellStart => {
                let unseen = ProbeError::unreadable(path, error).into();
                self.unseen.get_or_insert(unseen);
                return;
            }
            // No file, or one that holds no commands: a folder, something large, bytes.
            _ => return,
        };
        self.files += 1;
        let agent = &self.subject.agent;
        let before = self.found.len();
        let name = shown(self.subject, path);
        let mut mentioned = None;
        for (number, line) in lines(&text) {
            if mentioned.is_none() && agent.commands.iter().any(|command| line.contains(command.as_str())) {
                mentioned = Some(number);
            }
            for (by, kind) in voids(&line, &agent.commands, &agent.approve_flags, &agent.env.approve) {
                let number = u32::try_from(number).unwrap_or(u32::MAX);
                let at = Some(Location::line(name.clone(), number, &line));
                self.found.push(StartFact { name: name.clone(), by: Some(by), kind: Some(kind), place, at });
            }
        }
        if mentioned.is_some() && self.found.len() == before {
            self.found.push(StartFact { name, by: None, kind: None, place, at: None });
        }
    }
}

/// Whether the launcher decides on every variable that the agent gets.
fn is_settled(subject: &Subject) -> bool {
    match &*subject.launcher {
        Found::Launcher(launcher) => {
            let empty = |start: &Start| *start == Start::Empty;
            !launcher.launches.is_empty() && launcher.launches.iter().all(|launch| empty(&launch.start))
        }
        Found::None { .. } | Found::Unknown(_) => false,
    }
}

fn is_script(name: &str) -> bool {
    [".sh", ".bash", ".zsh", ".fish", ".mk", ".just"].iter().any(|end| name.ends_with(end))
}

/// Lines with those that they go on in, numbered from 1. Comments are left out.
fn lines(text: &str) -> Vec<(usize, String)> {
    let mut out: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (at, line) in text.lines().enumerate() {
        let comment = line.trim_start().starts_with('#') || line.trim_start().starts_with("//");
        let (part, more) = match line.trim_end().strip_suffix('\\') {
            Some(part) => (part, true),
            None => (line, false),
        };
        match out.last_mut().filter(|_| goes_on) {
            Some((_, whole)) if whole.len() < 4096 => whole.push_str(part),
            _ if comment => {}
            _ => out.push((at + 1, part.to_owned())),
        }
        goes_on = more && (goes_on || !comment);
    }
    out
}

/// Rules that ask or deny and allow nothing.
fn only_tightens(text: &str) -> bool {
    (text.contains("deny") || text.contains("ask")) && !text.contains("allow")
}

/// Flags behind the agent's name, and variables that are set.
fn voids(line: &str, commands: &[String], flags: &[String], variables: &[String]) -> Vec<(String, OverrideKind)> {
    let mut found = Vec::new();
    let mut in_agent = false;
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | ')' | '[' | ']' | ',' | '{' | '}');
    let separated = line.replace("&&", " ; ").replace("||", " ; ").replace(['|', ';', '&'], " ; ");
    for word in separated.split(ends).filter(|word| !word.is_empty()) {
        if word == ";" {
            in_agent = false;
        } else if word.starts_with('#') {
            break;
        }
        let program = word.rsplit(['/', '=']).next().unwrap_or(word);
        let package = program.split('@').next().unwrap_or(program);
        let package = package.strip_suffix("-ai").unwrap_or(package);
        in_agent |= commands.iter().any(|command| command == package);
        let name = word.split('=').next().unwrap_or(word);
        let off = word.ends_with("=false") || word.ends_with("=0");
        if in_agent && !off && flags.iter().any(|flag| flag == name) {
            found.push((name.to_owned(), OverrideKind::Flag));
        }
    }
    if only_tightens(line) {
        return found;
    }
    // `NAME=value` of shells and units, `NAME: value` of YAML, `set -x NAME value` of fish.
    for name in variables {
        let trimmed = line.trim_start().trim_start_matches("- ");
        let set = line.match_indices(&format!("{name}=")).any(|(at, matched)| {
            let before = line[..at].chars().next_back();
            let value = line[at + matched.len()..].chars().next();
            before.is_none_or(|c| !c.is_alphanumeric() && c != '_') && value.is_some_and(|c| !c.is_whitespace())
        });
        let yaml = trimmed
            .strip_prefix(name.as_str())
            .is_some_and(|rest| rest.trim_start().starts_with(':') && rest.trim().len() > 1);
        let fish = trimmed.starts_with("set -") && trimmed.split_whitespace().any(|word| word == name);
        if (set || yaml || fish) && !found.iter().any(|(known, _)| known == name) {
            found.push((name.clone(), OverrideKind::Variable));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Vec<String> {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let found = voids(line, &texts(&["opencode"]), &texts(&["--auto", "--yolo"]), &texts(&["OPENCODE_PERMISSION"]));
        found.into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn flags_count_only_behind_the_agent() {
        for (line, expected) in [
            ("opencode run --auto 'fix it'", vec!["--auto"]),
            ("alias oc='opencode --auto'", vec!["--auto"]),
            (r#"  "fix": "opencode run --yolo","#, vec!["--yolo"]),
            ("npx opencode-ai@latest run --auto", vec!["--auto"]),
            ("/usr/bin/opencode run --auto", vec!["--auto"]),
            ("git rebase --auto && opencode run", vec![]),
            ("opencode run; git gc --auto", vec![]),
            ("opencode run --auto=false", vec![]),
            ("opencode-lint --auto", vec![]),
            ("opencode run # never --auto", vec![]),
            ("git gc --auto", vec![]),
        ] {
            assert_eq!(of(line), expected, "{line}");
        }
    }

    #[test]
    fn variables_count_where_they_are_set() {
        for (line, expected) in [
            ("export OPENCODE_PERMISSION='{\"*\":\"allow\"}'", true),
            ("OPENCODE_PERMISSION=x opencode", true),
            ("      OPENCODE_PERMISSION: '{}'", true),
            ("set -x OPENCODE_PERMISSION allow", true),
            ("OPENCODE_PERMISSION: '{\"*\": \"deny\"}'", false),
            ("unset OPENCODE_PERMISSION", false),
            ("echo $OPENCODE_PERMISSION", false),
            ("OPENCODE_PERMISSION= opencode", false),
        ] {
            assert_eq!(!of(line).is_empty(), expected, "{line}");
        }
    }

    #[test]
    fn lines_that_go_on_are_one_and_comments_none() {
        let text = "# opencode --auto\nopencode run \\\n  --auto\nx\n";
        assert_eq!(lines(text), [(2, "opencode run   --auto".to_owned()), (4, "x".to_owned())]);
    }
}
