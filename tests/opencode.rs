//! What `harden` believes of an OpenCode configuration, against what OpenCode itself made of it: every folder of
//! `fixtures/opencode` holds a machine and the program's own answer.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use harden::catalog;
use harden::facts::config::{self, LayerState, RemarkKind, rules};
use harden::facts::subject;
use harden::host::{FixtureHost, resolve};
use harden::model::{Parameters, Scope, Subject};
use serde_json::{Map, Value};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/opencode");
/// What a preview of OpenCode 2 answered: see the README there.
const CASES_OF_2: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/opencode2");
/// Where the released program, by its source, differs from that preview.
const CHANGED_SINCE: &[(&str, &str)] = &[
    ("above-work-tree", "the walk goes on to the top of the file system"),
    ("home-project", "the same, so that `~/.opencode` is met"),
];

/// Where `harden` knows less than the program on purpose.
const KNOWN_LESS: &[(&str, &str)] = &[
    ("symlinked-config", "links that lead out of the project are not followed: the layer is unknown"),
    ("symlinked-dot-opencode", "the same"),
    ("agent-symlink", "the same"),
    ("agent-javascript", "front matter that is JavaScript is not run: the agent's settings are unknown"),
    ("env-substitution", "values of variables are not filled in, so one that breaks out of its quotes is not seen"),
];

fn cases(of: &str) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        fs::read_dir(of).expect("readable").map(|e| e.expect("readable").path()).filter(|p| p.is_dir()).collect();
    all.sort();
    all
}

fn machine(case: &Path, version: &str) -> (FixtureHost, Subject) {
    let host = FixtureHost::parse(&owned(case), case).unwrap_or_else(|error| panic!("{error}"));
    let agent = catalog::agent("opencode").expect("known");
    // The command line hands on real paths.
    let cwd = resolve(&host, &host.cwd, None).expect("there");
    // What was recorded is what this version answers, whatever dialect the files are written in.
    let version = [("agent_version".to_owned(), Value::from(version))].into();
    let subject = subject::settle(&host, agent, &Parameters(version), Scope::Host, &cwd).expect("settles");
    (host, subject)
}

/// The machine with the owners of the recording: `/etc` and the first level belong to root, the rest to the user.
fn owned(case: &Path) -> String {
    let text = fs::read_to_string(case.join("host.yaml")).expect("readable");
    let mut spec: Value = serde_yaml::from_str(&text).expect("YAML");
    let files = spec["files"].as_object().cloned().unwrap_or_default();
    let mut all = Map::new();
    for (path, file) in files {
        for folder in Path::new(&path).ancestors().skip(1).filter(|folder| folder.parent().is_some()) {
            all.entry(format!("{}/", folder.display())).or_insert(serde_json::json!({}));
        }
        all.insert(path, if file.is_string() { serde_json::json!({ "content": file }) } else { file });
    }
    for (path, file) in &mut all {
        let first_level = path.trim_end_matches('/').matches('/').count() == 1;
        file["owner"] = if path.starts_with("/etc/") || first_level { "root" } else { "dev" }.into();
    }
    spec["files"] = Value::Object(all);
    serde_yaml::to_string(&spec).expect("YAML")
}

/// Differences between what is believed and what is so.
fn compare(case: &Path) -> Vec<String> {
    let (host, subject) = machine(case, "1.18.33");
    let text = fs::read_to_string(case.join("expected.json")).expect("recorded");
    let expected: Value = serde_json::from_str(&text).expect("JSON");
    let config = config::effective(&host, &subject).expect("looks");
    let refused: Vec<String> = config
        .layers
        .iter()
        .filter_map(|layer| match &layer.state {
            LayerState::Broken { why, .. }
                if layer.part == config::Part::Config && layer.shown != "$OPENCODE_PERMISSION" =>
            {
                Some(format!("{}: {why}", layer.shown))
            }
            _ => None,
        })
        .chain(config.remarks.iter().filter(|r| r.kind == RemarkKind::Refused).map(|r| format!("{}: {}", r.key, r.why)))
        .collect();
    let refuses = expected["exit"] == "error";
    if refuses == refused.is_empty() {
        return vec![format!("refuses to start: {refuses}, believed: {refused:?}")];
    }
    if refuses {
        return Vec::new();
    }
    let mut wrong = Vec::new();
    let mut believed = config.root().expect("one").json();
    if !config.plugins.is_empty() {
        let origins = config.plugins.iter().map(|plugin| {
            let scope = if plugin.local { "local" } else { "global" };
            serde_json::json!({ "spec": plugin.entry.json(), "source": plugin.source, "scope": scope })
        });
        believed["plugin_origins"] = origins.collect();
    }
    differ("", &believed, &expected["config"], &mut wrong);
    rules_differ(&host, &subject, &config, &expected["agents"], &mut wrong);
    wrong
}

fn rules_differ(
    host: &FixtureHost,
    subject: &Subject,
    config: &config::Effective,
    expected: &Value,
    wrong: &mut Vec<String>,
) {
    let list = |rules: &[rules::Rule]| -> Vec<String> {
        let action = |rule: &rules::Rule| serde_json::to_value(rule.action).expect("plain");
        rules.iter().map(|rule| format!("{} {} {}", rule.permission, rule.pattern, action(rule))).collect()
    };
    let believed: BTreeMap<String, Vec<String>> =
        rules::of_agents(host, subject, config).iter().map(|agent| (agent.name.clone(), list(&agent.rules))).collect();
    let expected: BTreeMap<String, Vec<String>> = expected
        .as_object()
        .expect("a map")
        .iter()
        .map(|(name, rules)| {
            let word = |rule: &Value, key: &str| rule[key].as_str().expect("text").to_owned();
            // Single letters of a spread text are no action.
            let action = |rule: &Value| (word(rule, "action").len() > 1).then(|| rule["action"].clone());
            let line = |rule: &Value| {
                let action = action(rule).unwrap_or_default();
                format!("{} {} {action}", word(rule, "permission"), word(rule, "pattern"))
            };
            (name.clone(), rules.as_array().expect("a list").iter().map(line).collect())
        })
        .collect();
    for name in believed.keys().chain(expected.keys()) {
        let (ours, theirs) = (believed.get(name), expected.get(name));
        if ours != theirs {
            wrong.push(format!("rules of {name}:\n  believed {ours:#?}\n  so {theirs:#?}"));
        }
    }
}

/// Maps are equal whatever their order, but for those of permissions; masked and unfilled values equal anything.
fn differ(path: &str, ours: &Value, theirs: &Value, wrong: &mut Vec<String>) {
    match (ours, theirs) {
        (_, Value::String(text)) if text == "***" => {}
        (Value::String(text), Value::String(_)) if text.contains("{env:") || text.contains("{file:") => {}
        (Value::Object(ours), Value::Object(theirs)) => maps_differ(path, ours, theirs, wrong),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                differ(&format!("{path}[{index}]"), a, b, wrong);
            }
        }
        _ if ours == theirs => {}
        _ => wrong.push(format!("{path}: believed {ours}, is {theirs}")),
    }
}

fn maps_differ(path: &str, ours: &Map<String, Value>, theirs: &Map<String, Value>, wrong: &mut Vec<String>) {
    if path.ends_with(".permission") && !ours.keys().eq(theirs.keys()) {
        let keys = |map: &Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
        wrong.push(format!("{path}: believed order {:?}, is {:?}", keys(ours), keys(theirs)));
    }
    for key in ours.keys().chain(theirs.keys().filter(|key| !ours.contains_key(*key))) {
        let path = format!("{path}.{key}");
        match (ours.get(key), theirs.get(key)) {
            (Some(ours), Some(theirs)) => differ(&path, ours, theirs, wrong),
            (ours, theirs) => wrong.push(format!("{path}: believed {ours:?}, is {theirs:?}")),
        }
    }
}

#[test]
fn beliefs_agree_with_the_program() {
    let mut wrong = Vec::new();
    let mut agreed = 0;
    for case in cases(CASES) {
        let name = case.file_name().expect("named").to_string_lossy().into_owned();
        if KNOWN_LESS.iter().any(|(known, _)| *known == name) {
            continue;
        }
        match compare(&case) {
            found if found.is_empty() => agreed += 1,
            found => wrong.push(format!("{name}:\n{}", found.join("\n"))),
        }
    }
    assert!(wrong.is_empty(), "{agreed} cases agree, {} do not:\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(agreed >= 110, "{agreed}");
}

#[test]
fn what_is_known_less_is_known_to_be_less() {
    for (name, why) in KNOWN_LESS {
        let case = Path::new(CASES).join(name);
        assert!(!compare(&case).is_empty(), "{name} agrees now; take it out of the list ({why})");
        let (host, subject) = machine(&case, "1.18.33");
        let config = config::effective(&host, &subject).expect("looks");
        let filled = name.starts_with("env-");
        assert!(filled || config.blind_rules().is_some(), "{name}: {why}");
    }
}

/// Rules that somebody wrote, by agent: the program's own are those of another version.
fn written(rules: &Value, own: Option<&Value>) -> Vec<String> {
    let lines = |list: &Value| -> Vec<String> {
        let word = |rule: &Value, key: &str| rule[key].as_str().expect("text").to_owned();
        let line =
            |rule: &Value| format!("{} {} {}", word(rule, "permission"), word(rule, "pattern"), word(rule, "action"));
        list.as_array().expect("a list").iter().map(line).collect()
    };
    let (all, own) = (lines(rules), own.map(lines).unwrap_or_default());
    // As many as it has without any configuration, unless it starts anew; one of them holds the way to a folder.
    let starts_alike = !own.is_empty() && all.first() == own.first();
    all.into_iter().skip(if starts_alike { own.len() } else { 0 }).collect()
}

fn rules_of_2(case: &Path) -> [BTreeMap<String, Vec<String>>; 2] {
    let (host, subject) = machine(case, "2.0.18");
    let config = config::effective(&host, &subject).expect("looks");
    let line = |rule: &rules::Rule| {
        format!("{} {} {}", rule.permission, rule.pattern, rule.action.map_or("", rules::Action::name))
    };
    let believed = rules::of_agents(&host, &subject, &config).into_iter().map(|agent| {
        let written = agent.rules.iter().filter(|rule| rule.level != rules::Level::BuiltIn);
        (agent.name, written.map(line).collect())
    });
    let read = |case: &Path| -> Value {
        let text = fs::read_to_string(case.join("expected.json")).expect("recorded");
        serde_json::from_str(&text).expect("JSON")
    };
    let (answer, own) = (read(case), read(&Path::new(CASES_OF_2).join("defaults")));
    let agents = answer["agents"].as_object().expect("a map").iter();
    let so = agents.map(|(name, rules)| (name.clone(), written(rules, own["agents"].get(name))));
    [believed.collect(), so.collect()]
}

#[test]
fn beliefs_about_version_2_agree_with_its_preview() {
    let mut agreed = 0;
    for case in cases(CASES_OF_2) {
        let name = case.file_name().expect("named").to_string_lossy().into_owned();
        let [believed, so] = rules_of_2(&case);
        match CHANGED_SINCE.iter().find(|(known, _)| *known == name) {
            Some((_, why)) => assert_ne!(believed, so, "{name} agrees now; take it out of the list ({why})"),
            None => assert_eq!(believed, so, "{name}"),
        }
        agreed += 1;
    }
    assert!(agreed >= 14, "{agreed}");
}

/// The version that an audit goes by, on a machine with these files: its name, its number, whether it is assumed.
fn version(files: &str, parameters: Parameters, scope: Scope) -> (String, Option<String>, bool) {
    let spec = format!("git: {{}}\nfiles:\n  /srv/app/README.md: x\n{files}");
    let host = FixtureHost::parse(&spec, Path::new(CASES)).unwrap_or_else(|error| panic!("{error}"));
    let agent = catalog::agent("opencode").expect("known");
    let subject = subject::settle(&host, agent, &parameters, scope, &host.cwd).expect("settles");
    (subject.version.name, subject.version.number, subject.version.assumed)
}

#[test]
fn the_version_is_told_by_profile_program_or_files() {
    let package = |name: &str, number: &str| {
        format!(
            "  /usr/lib/node_modules/{name}/package.json: '{{\"name\": \"{name}\", \"version\": \"{number}\"}}'\n  \
             /usr/lib/node_modules/{name}/bin/opencode: {{ content: x, mode: \"0755\" }}\n  \
             /usr/bin/opencode: {{ link: ../lib/node_modules/{name}/bin/opencode }}\n"
        )
    };
    let first = package("opencode-ai", "1.18.33");
    let second = package("@opencode/cli", "2.0.18");
    let unknown = "  /home/dev/.opencode/bin/opencode: { content: x, mode: \"0755\" }\n".to_owned();
    let list = "  /srv/app/opencode.json: '{\"permissions\": []}'\n".to_owned();
    let sign = "  /home/dev/.config/opencode/cli.json: '{}'\n".to_owned();
    let (one, two) = ("OpenCode 1.18", "OpenCode 2");
    for (files, scope, name, number, assumed) in [
        (first.clone(), Scope::Host, one, Some("1.18.33"), false),
        (second.clone(), Scope::Host, two, Some("2.0.18"), false),
        // The package decides, not what a file is written for, nor a preview's number.
        (first.clone() + &list, Scope::Host, one, Some("1.18.33"), false),
        (package("@opencode-ai/cli", "1.18.18"), Scope::Host, two, Some("1.18.18"), false),
        (unknown.clone() + &sign, Scope::Host, two, None, true),
        (unknown.clone() + &list, Scope::Host, two, None, true),
        (unknown, Scope::Host, one, None, true),
        // A repository says nothing of the machine that it is looked at on.
        (second + &sign, Scope::Repo, one, None, true),
        (first + &list, Scope::Repo, two, None, true),
        ("  /usr/bin/opencode2: { content: x, mode: \"0755\" }\n".to_owned(), Scope::Host, two, None, false),
        (
            "  /srv/app/opencode.json: '{\"permissions\": {\"bash\": \"deny\"}}'\n".to_owned(),
            Scope::Host,
            one,
            None,
            true,
        ),
    ] {
        let told = version(&files, Parameters::default(), scope);
        assert_eq!(told, (name.to_owned(), number.map(str::to_owned), assumed), "{scope:?} of\n{files}");
    }
    let said = Parameters([("agent_version".to_owned(), Value::from("2"))].into());
    assert_eq!(
        version(&package("opencode-ai", "1.18.33"), said, Scope::Host),
        (two.to_owned(), Some("2".into()), false)
    );
}
