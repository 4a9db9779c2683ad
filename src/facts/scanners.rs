//! Secret scanners by the way they are called, for facts about what a project runs.

/// A scanner that a command line runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) tool: &'static str,
    /// Its result is thrown away.
    pub(super) ignored: bool,
}

const TOOLS: &[&str] = &[
    "gitleaks",
    "betterleaks",
    "trufflehog",
    "kingfisher",
    "ggshield",
    "detect-secrets",
    "detect-secrets-hook",
    "harden",
    "noseyparker",
    "ripsecrets",
    "secretlint",
    "git-secrets",
    "talisman",
    "keyspoor",
];

/// Actions, hooks and images by a part of their name.
const NAMES: &[(&str, &str)] = &[
    ("gitleaks", "gitleaks"),
    ("betterleaks", "betterleaks"),
    ("trufflehog", "trufflehog"),
    ("kingfisher", "kingfisher"),
    ("ggshield", "ggshield"),
    ("detect-secrets", "detect-secrets"),
    ("ripsecrets", "ripsecrets"),
    ("secretlint", "secretlint"),
    ("noseyparker", "noseyparker"),
    ("talisman", "talisman"),
    ("secret-detection", "GitLab secret detection"),
];

/// The scanner that an action, hook or image is named after.
pub(super) fn named(name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    // Ours by its whole name: others have it as a part of theirs, and scan for nothing.
    let last = lower.rsplit('/').next().unwrap_or_default();
    if last.split(['@', ':']).next() == Some("harden") {
        return Some("harden");
    }
    NAMES.iter().find(|(part, _)| lower.contains(part)).map(|(_, tool)| *tool)
}

/// The first scanner that a script runs and listens to, else the first that it runs. What is echoed or commented out
/// is not run.
pub(super) fn called(script: &str) -> Option<Call> {
    let joined = script.replace("\\\n", " ");
    let calls: Vec<Call> = joined.lines().filter_map(call_in_line).collect();
    calls.iter().find(|call| !call.ignored).or(calls.first()).copied()
}

fn call_in_line(line: &str) -> Option<Call> {
    let line = line.trim().trim_start_matches(['@', '-', '+']).trim();
    if line.starts_with('#') {
        return None;
    }
    let tool = line.split(['|', '&', ';', '(', ')', '`']).find_map(call_in_command)?;
    let swallowed = never_fails(tool, line);
    let tail = line.rsplit("||").next().filter(|tail| tail.len() < line.len()).map(str::trim).unwrap_or_default();
    Some(Call {
        tool,
        ignored: swallowed
            || matches!(tail.split_whitespace().next(), Some("true" | ":" | "echo" | "exit")) && tail != "exit 1",
    })
}

/// Whether a scanner reports success whatever it finds: some do unless they are told otherwise, some when told so.
fn never_fails(tool: &str, line: &str) -> bool {
    match tool {
        "trufflehog" => !line.contains("--fail"),
        "detect-secrets" | "noseyparker" => true,
        _ => line.contains("--exit-code 0") || line.contains("--exit-code=0"),
    }
}

/// The scanner in the place of a command: behind assignments, runners and wrappers.
fn call_in_command(command: &str) -> Option<&'static str> {
    let mut words = command.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let word = word.trim_matches(['"', '\'', '$', '{', '}']);
        let name = word.rsplit('/').next().unwrap_or(word);
        if let Some(tool) = TOOLS.iter().find(|tool| **tool == name) {
            return scans(tool, &words.collect::<Vec<_>>()).then_some(*tool);
        }
        match name {
            "docker" | "podman" => return words.find_map(image),
            "sudo" | "env" | "npx" | "uvx" | "pipx" | "bunx" | "run" | "exec" | "uv" | "poetry" | "npm" | "pnpm"
            | "yarn" | "mise" | "x" | "--" | "-y" | "--yes" | "time" | "then" | "do" | "if" | "!" | "go" | "dlx" => {}
            name if name.contains('=') => {}
            // `npx secretlint@9`, `go run github.com/gitleaks/gitleaks/v8@v8.30.1`
            _ if word.contains('@') || word.contains("/gitleaks/") => return named(word),
            _ => return None,
        }
    }
    None
}

/// Whether the words behind a scanner's name make it scan.
fn scans(tool: &str, words: &[&str]) -> bool {
    match (tool, words.first()) {
        // The state of an agent is none of what is released, and an explanation scans nothing.
        ("harden", Some(&"scan")) => {
            !words.iter().any(|word| matches!(*word, "--state" | "--explain" | "--help" | "-h"))
        }
        ("harden", next) => next == Some(&"audit"),
        (_, next) => !matches!(next.copied(), Some("version" | "--version" | "-v" | "--help" | "install")),
    }
}

fn image(word: &str) -> Option<&'static str> {
    named(word).filter(|_| word.contains('/') || word.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scanner_counts_where_it_is_run() {
        for (script, expected) in [
            ("gitleaks detect --source .", Some(("gitleaks", false))),
            ("set -e\n./bin/gitleaks git", Some(("gitleaks", false))),
            ("docker run --rm -v .:/r zricethezav/gitleaks:v8.30.1 detect", Some(("gitleaks", false))),
            ("npm ci && npx -y secretlint '**/*'", Some(("secretlint", false))),
            ("FOO=1 trufflehog filesystem . --fail || true", Some(("trufflehog", true))),
            ("trufflehog filesystem . --results=verified", Some(("trufflehog", true))),
            ("trufflehog git file://. --fail", Some(("trufflehog", false))),
            ("gitleaks git --exit-code=0", Some(("gitleaks", true))),
            ("detect-secrets scan", Some(("detect-secrets", true))),
            ("detect-secrets-hook --baseline .secrets.baseline a.py", Some(("detect-secrets-hook", false))),
            ("gitleaks detect || exit 1", Some(("gitleaks", false))),
            ("# gitleaks detect", None),
            ("echo \"run gitleaks first\"", None),
            ("gitleaks version", None),
            ("brew install gitleaks", None),
            ("cargo test", None),
            ("harden list checks", None),
            ("harden scan --staged", Some(("harden", false))),
            ("harden scan --state", None),
            ("docker run ghcr.io/owner/harden:1 scan", Some(("harden", false))),
            ("docker run ghcr.io/owner/harden-runner:1", None),
            ("go run github.com/gitleaks/gitleaks/v8@v8.30.1 dir .", Some(("gitleaks", false))),
        ] {
            assert_eq!(called(script).map(|call| (call.tool, call.ignored)), expected, "{script}");
        }
    }
}
