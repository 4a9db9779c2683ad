//! Where the project runs a secret scan: workflows, hooks and release recipes, read and never run. A step that is
//! switched off, or whose result is thrown away, is told and does not count.

use schemars::JsonSchema;
use serde::Serialize;
use serde_yaml::Value;

use super::ProbeError;
use super::scanners::{Call, called, named};
use crate::host::{self, Host, Kind};
use crate::model::{Location, Look, Subject};

/// The largest workflow that is read: 512 KiB.
const LIMIT: u64 = 512 << 10;
/// More aliases than anyone writes by hand.
const ALIASES: usize = 200;

/// Where the project runs a secret scan.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// The files that were looked at.
    files: Vec<String>,
    /// Every scan, the ones that do not count included.
    scans: Vec<Scan>,
    /// The scans that run by themselves and whose result counts.
    gates: Look<Vec<Scan>>,
    /// What there is instead of a gate, in a sentence.
    instead: String,
    /// Files that could not be understood.
    unread: Vec<String>,
}

/// A secret scan that some file describes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
struct Scan {
    /// The file and the scanner.
    name: String,
    /// What runs it.
    runner: Runner,
    /// The scanner.
    tool: &'static str,
    /// The events that start it.
    on: Vec<String>,
    /// Why it does not count; null where it does.
    void: Option<&'static str>,
    /// Where it is described.
    at: Location,
}

/// What runs a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Runner {
    /// A workflow of GitHub.
    Github,
    /// A pipeline of another service.
    Pipeline,
    /// A git hook or its manager.
    Hook,
    /// A recipe that a release runs.
    Recipe,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let mut fact = Fact {
        files: Vec::new(),
        scans: Vec::new(),
        gates: Look::Known(Vec::new()),
        instead: String::new(),
        unread: Vec::new(),
    };
    for (path, form) in sources(host, subject)? {
        let full = subject.project.join(&path);
        match host::read_text(host, &full, Some(&subject.project), LIMIT) {
            Ok(Some(text)) => {
                match scans_in(form, &path, &text) {
                    Ok(scans) => fact.scans.extend(scans),
                    Err(why) => fact.unread.push(format!("{path}: {why}")),
                }
                fact.files.push(path);
            }
            Ok(None) => {}
            Err(error) => fact.unread.push(format!("{path}: {error}")),
        }
    }
    fact.instead = instead(&fact.scans);
    let gates: Vec<Scan> = fact.scans.iter().filter(|scan| scan.void.is_none()).cloned().collect();
    fact.gates = if gates.is_empty() && !fact.unread.is_empty() {
        Look::unknown(
            format!("workflows are not understood: {}", fact.unread.join("; ")),
            "correct the files, or look at them by hand",
        )
    } else {
        Look::Known(gates)
    };
    Ok(fact)
}

fn instead(scans: &[Scan]) -> String {
    let void = scans.iter().filter_map(|scan| Some(format!("{} does not count: {}", scan.name, scan.void?)));
    let void: Vec<String> = void.collect();
    if void.is_empty() { "no workflow, hook or release recipe runs one".to_owned() } else { void.join("; ") }
}

/// How a file describes what it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Github,
    Gitlab,
    PreCommit,
    Lefthook,
    Hook,
    /// The hook manager hk.
    Hk,
    Makefile,
    /// Any other pipeline: its lines are taken for commands.
    Lines,
}

const FIXED: &[(&str, Form)] = &[
    (".gitlab-ci.yml", Form::Gitlab),
    (".pre-commit-config.yaml", Form::PreCommit),
    (".pre-commit-config.yml", Form::PreCommit),
    ("lefthook.yml", Form::Lefthook),
    ("lefthook.yaml", Form::Lefthook),
    (".lefthook.yml", Form::Lefthook),
    (".lefthook.yaml", Form::Lefthook),
    (".husky/pre-commit", Form::Hook),
    (".husky/pre-push", Form::Hook),
    ("hk.pkl", Form::Hk),
    ("Makefile", Form::Makefile),
    ("justfile", Form::Makefile),
    ("Justfile", Form::Makefile),
    (".circleci/config.yml", Form::Lines),
    ("azure-pipelines.yml", Form::Lines),
    ("bitbucket-pipelines.yml", Form::Lines),
    ("Jenkinsfile", Form::Lines),
    (".drone.yml", Form::Lines),
    (".woodpecker.yml", Form::Lines),
    (".buildkite/pipeline.yml", Form::Lines),
    (".travis.yml", Form::Lines),
];

fn sources(host: &dyn Host, subject: &Subject) -> Result<Vec<(String, Form)>, ProbeError> {
    let mut all: Vec<(String, Form)> = FIXED.iter().map(|(path, form)| ((*path).to_owned(), *form)).collect();
    let folder = subject.project.join(".github/workflows");
    match host::resolve(host, &folder, Some(&subject.project)).and_then(|folder| host.list(&folder)) {
        Ok(entries) => {
            let names = entries.into_iter().filter(|entry| matches!(entry.kind, Kind::File | Kind::Link));
            let names = names.map(|entry| entry.name.to_string_lossy().into_owned());
            let workflows = names.filter(|name| name.ends_with(".yml") || name.ends_with(".yaml"));
            all.extend(workflows.map(|name| (format!(".github/workflows/{name}"), Form::Github)));
        }
        Err(error) if host::is_absent(&error) => {}
        Err(error) => return Err(ProbeError::unreadable(&folder, error)),
    }
    Ok(all)
}

fn scans_in(form: Form, path: &str, text: &str) -> Result<Vec<Scan>, String> {
    let file = Source { path, text };
    Ok(match form {
        Form::Github => github(&file, &yaml(text)?),
        Form::Gitlab => gitlab(&file, &yaml(text)?),
        Form::PreCommit => pre_commit(&file, &yaml(text)?),
        Form::Lefthook => lefthook(&file, &yaml(text)?),
        Form::Hook => {
            called(text).map(|call| file.scan(Runner::Hook, call, vec!["commit".into()], None)).into_iter().collect()
        }
        Form::Hk => hk(&file),
        Form::Makefile => makefile(&file),
        Form::Lines => {
            called(text).map(|call| file.scan(Runner::Pipeline, call, Vec::new(), None)).into_iter().collect()
        }
    })
}

/// A file under review is hostile: aliases that multiply are refused before they are followed.
fn yaml(text: &str) -> Result<Value, String> {
    let aliases = text.match_indices('*').filter(|(at, _)| text[at + 1..].starts_with(|c: char| c.is_alphanumeric()));
    if aliases.take(ALIASES + 1).count() > ALIASES && text.contains('&') {
        return Err("more aliases than anyone writes by hand".into());
    }
    serde_yaml::from_str(text).map_err(|error| error.to_string())
}

struct Source<'a> {
    path: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn scan(&self, runner: Runner, call: Call, on: Vec<String>, void: Option<&'static str>) -> Scan {
        let void = void.or(call.ignored.then_some("its result is thrown away"));
        let mentions = |line: &str| !line.trim_start().starts_with('#') && line.to_lowercase().contains(call.tool);
        let at = match self.text.lines().enumerate().find(|(_, line)| mentions(line)) {
            Some((at, line)) => Location::line(self.path, u32::try_from(at + 1).unwrap_or(u32::MAX), line),
            None => Location::file(self.path),
        };
        Scan { name: format!("{} in {}", call.tool, self.path), runner, tool: call.tool, on, void, at }
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_sequence).map(Vec::as_slice).unwrap_or_default()
}

/// Name and value of each entry of a mapping.
fn entries(value: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    value.and_then(Value::as_mapping).into_iter().flatten().filter_map(|(key, value)| Some((key.as_str()?, value)))
}

fn github(file: &Source<'_>, workflow: &Value) -> Vec<Scan> {
    let on = triggers(workflow);
    let by_hand = !on.is_empty() && on.iter().all(|event| event == "workflow_dispatch");
    let mut scans = Vec::new();
    for (_, job) in entries(workflow.get("jobs")) {
        let job_void = void_of(job).or(by_hand.then_some("it only runs when someone starts it"));
        if let Some(tool) = named(text(job, "uses")) {
            scans.push(file.scan(Runner::Github, Call { tool, ignored: false }, on.clone(), job_void));
        }
        for step in list(job, "steps") {
            let action = named(text(step, "uses")).map(|tool| Call { tool, ignored: false });
            if let Some(call) = action.or_else(|| called(text(step, "run"))) {
                scans.push(file.scan(Runner::Github, call, on.clone(), job_void.or(void_of(step))));
            }
        }
    }
    scans
}

/// The events that start a workflow. YAML of old reads the key `on` as true.
fn triggers(workflow: &Value) -> Vec<String> {
    match workflow.get("on").or_else(|| workflow.get(Value::Bool(true))) {
        Some(Value::String(event)) => vec![event.clone()],
        Some(Value::Sequence(events)) => events.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(events) => entries(Some(events)).map(|(event, _)| event.to_owned()).collect(),
        None => Vec::new(),
    }
}

/// Why a job or step does not count.
fn void_of(value: &Value) -> Option<&'static str> {
    let never = match value.get("if") {
        Some(Value::Bool(held)) => !held,
        Some(Value::String(condition)) => {
            matches!(condition.trim_start_matches("${{").trim_end_matches("}}").trim(), "false" | "'false'")
        }
        _ => false,
    };
    let soft = value
        .get("continue-on-error")
        .is_some_and(|soft| soft.as_bool() == Some(true) || soft.as_str().is_some_and(|s| s.contains("true")));
    never.then_some("it is switched off").or(soft.then_some("its failure is ignored"))
}

fn gitlab(file: &Source<'_>, pipeline: &Value) -> Vec<Scan> {
    let mut scans = Vec::new();
    let include = pipeline.get("include");
    let includes = include.and_then(Value::as_sequence).map(Vec::as_slice).or(include.map(std::slice::from_ref));
    for entry in includes.unwrap_or_default() {
        let name =
            ["template", "component", "file"].into_iter().map(|key| text(entry, key)).find(|name| !name.is_empty());
        if let Some(tool) = named(name.or(entry.as_str()).unwrap_or_default()) {
            scans.push(file.scan(Runner::Pipeline, Call { tool, ignored: false }, Vec::new(), None));
        }
    }
    for (name, job) in entries(Some(pipeline)) {
        let void = match (text(job, "when"), job.get("allow_failure").and_then(Value::as_bool)) {
            _ if name.starts_with('.') => Some("it is a template"),
            ("never" | "manual", _) => Some("it does not run by itself"),
            (_, Some(true)) => Some("its failure is ignored"),
            _ => None,
        };
        let lines =
            list(job, "script").iter().filter_map(Value::as_str).chain(job.get("script").and_then(Value::as_str));
        if let Some(call) = lines.into_iter().find_map(called) {
            scans.push(file.scan(Runner::Pipeline, call, Vec::new(), void));
        }
    }
    scans
}

fn pre_commit(file: &Source<'_>, config: &Value) -> Vec<Scan> {
    let mut scans = Vec::new();
    for repo in list(config, "repos") {
        for hook in list(repo, "hooks") {
            let stages: Vec<&str> = list(hook, "stages").iter().filter_map(Value::as_str).collect();
            let manual = !stages.is_empty() && stages.iter().all(|stage| *stage == "manual");
            let by_name = named(text(hook, "id")).map(|tool| Call { tool, ignored: false });
            if let Some(call) = by_name.or_else(|| called(text(hook, "entry"))) {
                let on = if stages.is_empty() {
                    vec!["commit".into()]
                } else {
                    stages.iter().map(|s| (*s).to_owned()).collect()
                };
                scans.push(file.scan(Runner::Hook, call, on, manual.then_some("it only runs when someone starts it")));
            }
        }
    }
    scans
}

fn lefthook(file: &Source<'_>, config: &Value) -> Vec<Scan> {
    let mut scans = Vec::new();
    for (hook, value) in entries(Some(config)).filter(|(hook, _)| matches!(*hook, "pre-commit" | "pre-push")) {
        let named_ones =
            entries(value.get("commands")).chain(entries(value.get("scripts"))).map(|(_, command)| command);
        for command in named_ones.chain(list(value, "jobs")) {
            let skipped = command.get("skip").and_then(Value::as_bool) == Some(true);
            if let Some(call) = called(text(command, "run")) {
                scans.push(file.scan(
                    Runner::Hook,
                    call,
                    vec![hook.to_owned()],
                    skipped.then_some("it is switched off"),
                ));
            }
        }
    }
    scans
}

/// Steps of hk: lines such as `check = "…"`. The file is a program, and is not run to learn which of them are in use.
fn hk(file: &Source<'_>) -> Vec<Scan> {
    let commands = file.text.lines().filter_map(|line| line.trim().strip_prefix("check = \"")?.strip_suffix('"'));
    let calls = commands.filter_map(called);
    calls.map(|call| file.scan(Runner::Hook, call, vec!["commit".into()], None)).collect()
}

/// Recipes that stand between a change and its release.
fn makefile(file: &Source<'_>) -> Vec<Scan> {
    const TARGETS: &[&str] =
        &["release", "publish", "deploy", "dist", "ci", "check", "test", "lint", "pre-commit", "precommit"];
    let mut target = "";
    let mut scans = Vec::new();
    for line in file.text.lines() {
        if !line.starts_with([' ', '\t', '#'])
            && let Some((name, _)) = line.split_once(':')
        {
            target = name.split_whitespace().next().unwrap_or_default();
        } else if line.starts_with([' ', '\t'])
            && let Some(call) = called(line)
        {
            let known = TARGETS.iter().any(|word| target.split(['-', '_', '/']).any(|part| part == *word));
            let void = (!known).then_some("no release runs it");
            scans.push(file.scan(Runner::Recipe, call, vec![target.to_owned()], void));
        }
    }
    scans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gates(form: Form, text: &str) -> Vec<(&'static str, Option<&'static str>)> {
        scans_in(form, "f", text).expect("parses").iter().map(|scan| (scan.tool, scan.void)).collect()
    }

    #[test]
    fn workflows_tell_what_counts() {
        let job = |step: &str, extra: &str| format!("on: [push]\njobs:\n  a:\n{extra}    steps:\n      - {step}\n");
        for (text, expected) in [
            (job("uses: gitleaks/gitleaks-action@v2", ""), vec![("gitleaks", None)]),
            (job("run: trufflehog git file://. --fail", ""), vec![("trufflehog", None)]),
            (job("{ run: gitleaks dir, if: false }", ""), vec![("gitleaks", Some("it is switched off"))]),
            (job("run: gitleaks dir", "    if: ${{ false }}\n"), vec![("gitleaks", Some("it is switched off"))]),
            (
                job("{ run: gitleaks dir, continue-on-error: true }", ""),
                vec![("gitleaks", Some("its failure is ignored"))],
            ),
            (job("run: gitleaks dir || true", ""), vec![("gitleaks", Some("its result is thrown away"))]),
            (job("run: cargo test", ""), vec![]),
            (
                job("run: gitleaks dir", "").replace("[push]", "workflow_dispatch"),
                vec![("gitleaks", Some("it only runs when someone starts it"))],
            ),
        ] {
            assert_eq!(gates(Form::Github, &text), expected, "{text}");
        }
    }

    #[test]
    fn other_runners_are_read_in_their_own_form() {
        for (form, text, expected) in [
            (
                Form::Gitlab,
                "include:\n  - template: Security/Secret-Detection.gitlab-ci.yml\n",
                vec![("GitLab secret detection", None)],
            ),
            (
                Form::Gitlab,
                "scan:\n  script: [gitleaks git]\n  allow_failure: true\n",
                vec![("gitleaks", Some("its failure is ignored"))],
            ),
            (
                Form::PreCommit,
                "repos:\n  - repo: https://x/y\n    hooks: [{ id: detect-secrets }]\n",
                vec![("detect-secrets", None)],
            ),
            (Form::PreCommit, "repos:\n  - repo: https://x/y\n    hooks: [{ id: detect-private-key }]\n", vec![]),
            (Form::Hk, "[\"gitleaks\"] {\n  check = \"gitleaks git --staged\"\n}\n", vec![("gitleaks", None)]),
            (Form::Hk, "// check = \"gitleaks git\"\n[\"x\"] {\n  check = \"echo gitleaks\"\n}\n", vec![]),
            (Form::Lefthook, "pre-push:\n  jobs:\n    - run: gitleaks git\n", vec![("gitleaks", None)]),
            (Form::Hook, "#!/bin/sh\nnpx lint-staged\n", vec![]),
            (
                Form::Makefile,
                "release: build\n\tgitleaks git\nscan:\n\tgitleaks git\n",
                vec![("gitleaks", None), ("gitleaks", Some("no release runs it"))],
            ),
        ] {
            assert_eq!(gates(form, text), expected, "{text}");
        }
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let bomb = format!("a: &a [x]\nb: [{}]\n", "*a, ".repeat(500));
        assert!(yaml(&bomb).is_err());
    }
}
