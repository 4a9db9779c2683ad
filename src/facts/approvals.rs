//! Approved commands of a policy file: whether each is one exact command, for one project, by someone, for a while.

use jiff::civil::Date;
use serde_yaml::Value;

/// An approval as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Approval {
    pub(super) words: Vec<String>,
    pub(super) project: Option<String>,
    pub(super) by: Option<String>,
    pub(super) expires: Option<String>,
    pub(super) faults: Vec<&'static str>,
}

const INTERPRETERS: &[&str] = &[
    "sh",
    "bash",
    "zsh",
    "dash",
    "fish",
    "ksh",
    "python",
    "python2",
    "python3",
    "node",
    "deno",
    "bun",
    "perl",
    "ruby",
    "php",
    "lua",
    "osascript",
    "pwsh",
    "powershell",
    "awk",
    "sed",
];

/// Reads one entry of `approvals`. What is wrong with it stands in its faults.
pub(super) fn read(entry: &Value, today: Date) -> Approval {
    let text = |keys: &[&str]| keys.iter().find_map(|key| entry.get(*key)).and_then(Value::as_str).map(str::to_owned);
    let (words, mut faults) = command(entry.get("command").or_else(|| entry.get("argv")).unwrap_or(entry));
    faults.extend(inexact(&words));
    let project = text(&["project", "project_id"]);
    let by = text(&["by", "approved_by", "who"]);
    let expires = text(&["expires", "until"]);
    if project.is_none() {
        faults.push("it names no project");
    }
    if by.is_none() || text(&["when", "approved_at", "at"]).is_none() {
        faults.push("it does not say who approved it and when");
    }
    match expires.as_deref().map(|day| day.get(..10).unwrap_or(day).parse::<Date>()) {
        None => faults.push("it never expires"),
        Some(Err(_)) => faults.push("its expiry is no date"),
        Some(Ok(day)) if day < today => faults.push("it has expired"),
        Some(Ok(_)) => {}
    }
    Approval { words, project, by, expires, faults }
}

/// The words of a command: a list, or a text without any shell in it.
fn command(value: &Value) -> (Vec<String>, Vec<&'static str>) {
    match value {
        Value::Sequence(list) => {
            let words: Vec<String> = list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            let faults = if words.len() < list.len() { vec!["a word of its command is no text"] } else { Vec::new() };
            (words, faults)
        }
        Value::String(text) => (text.split_whitespace().map(str::to_owned).collect(), Vec::new()),
        _ => (Vec::new(), vec!["it has no command"]),
    }
}

/// What makes a command more than one exact command; nothing where it is one.
pub fn inexact(words: &[String]) -> Vec<&'static str> {
    let mut faults = Vec::new();
    let Some(first) = words.first() else { return vec!["its command is empty"] };
    let name = first.rsplit('/').next().unwrap_or(first);
    let any = |letters: &[char]| words.iter().any(|word| word.contains(letters));
    if any(&['*', '?']) || words.iter().any(|word| word == "..." || word == "$@") {
        faults.push("it has a wildcard");
    }
    if any(&[';', '|', '&', '<', '>', '`', '\n']) || words.iter().any(|word| word.contains("$(")) {
        faults.push("it has characters of the shell");
    }
    if matches!(name, "sudo" | "doas" | "su" | "pkexec" | "run0") {
        faults.push("it changes the account");
    }
    if name == "env" || is_assignment(first) {
        faults.push("it changes the environment");
    }
    if matches!(name, "xargs" | "eval" | "exec" | "nohup" | "timeout" | "watch" | "setsid" | "ssh") {
        faults.push("it runs any command given to it");
    }
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    if INTERPRETERS.contains(&name) || INTERPRETERS.contains(&stem) {
        let code = |word: &String| {
            matches!(word.as_str(), "-e" | "-p" | "-r" | "eval" | "--eval" | "--print" | "-Command")
                || word.starts_with('-') && !word.starts_with("--") && word.ends_with('c')
        };
        if words.len() == 1 || words.iter().skip(1).any(code) {
            faults.push("it is an interpreter that runs any code");
        }
    }
    faults
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=')
        .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(yaml: &str) -> Vec<&'static str> {
        let today = Date::constant(2030, 1, 1);
        read(&serde_yaml::from_str(yaml).expect("parses"), today).faults
    }

    #[test]
    fn an_exact_command_has_no_fault_and_a_loose_one_has() {
        let rest = "project: /srv/app, by: dev, when: 2029-12-01, expires: 2030-03-01";
        for (command, fault) in [
            ("[git, status]", None),
            ("git status", None),
            ("[python3, scripts/build.py, --check]", None),
            ("[gcc, -c, a.c]", None),
            ("\"git *\"", Some("it has a wildcard")),
            ("\"make && make install\"", Some("it has characters of the shell")),
            ("[bash, -lc, make]", Some("it is an interpreter that runs any code")),
            ("[python3.12, -c, x]", Some("it is an interpreter that runs any code")),
            ("[node]", Some("it is an interpreter that runs any code")),
            ("[/usr/bin/sudo, make]", Some("it changes the account")),
            ("\"FOO=1 make\"", Some("it changes the environment")),
            ("[xargs, rm]", Some("it runs any command given to it")),
            ("[]", Some("its command is empty")),
            ("[git, 1]", Some("a word of its command is no text")),
            ("true", Some("it has no command")),
        ] {
            let found = faults(&format!("{{ command: {command}, {rest} }}"));
            assert_eq!(found.first().copied(), fault, "{command}");
        }
    }

    #[test]
    fn an_approval_is_for_one_project_by_someone_for_a_while() {
        assert_eq!(
            faults("{ command: [git, status] }"),
            ["it names no project", "it does not say who approved it and when", "it never expires"]
        );
        let old = "{ command: [git, status], project: a, by: dev, when: 2029-01-01, expires: 2029-02-01 }";
        assert_eq!(faults(old), ["it has expired"]);
    }
}
