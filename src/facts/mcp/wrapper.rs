//! What stands around the command that matters: shells, `env`, programs that start another one.

use super::command::{Launch, Launcher, identify, options};
use super::package;
use super::shell::{self, End};

/// One wrapper taken off.
pub(super) enum Inner {
    /// The rest is a command of its own.
    Command(Option<String>, Vec<String>),
    /// The rest is a line for a shell.
    Line(String, String),
}

/// The program's name: no folder, no `.exe`, small letters.
pub(super) fn program(word: &str) -> String {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word).to_lowercase();
    [".exe", ".cmd", ".bat", ".ps1"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name).to_owned()
}

/// One wrapper off; None where the command stands bare.
pub(super) fn unwrap(argv: &[String], env: &mut Vec<(String, String)>) -> Option<Inner> {
    let (first, args) = argv.split_first()?;
    if args.is_empty() && first.trim().contains(char::is_whitespace) && !package::is_path(first) {
        return Some(Inner::Line("one string".into(), first.clone()));
    }
    let name = program(first);
    let inner = |at: usize| args.get(at..).unwrap_or_default().to_vec();
    let behind = |valued: &[&str]| options(args, valued, &[]).rest.to_vec();
    let named = |rest: Vec<String>| (!rest.is_empty()).then(|| Inner::Command(Some(name.clone()), rest));
    match name.as_str() {
        "env" => named(env_prefix(args, env)),
        "sh" | "bash" | "zsh" | "dash" | "ksh" | "ash" | "fish" | "busybox" => shell_line(&name, args),
        "cmd" => {
            let at = args.iter().position(|arg| arg.eq_ignore_ascii_case("/c") || arg.eq_ignore_ascii_case("/k"))?;
            let rest = inner(at + 1);
            match rest.as_slice() {
                [line] if line.contains(' ') => Some(Inner::Line("cmd /c".into(), line.clone())),
                _ => (!rest.is_empty()).then(|| Inner::Command(Some("cmd /c".into()), rest)),
            }
        }
        "powershell" | "pwsh" => {
            let at = args.iter().position(|arg| matches!(arg.to_lowercase().as_str(), "-command" | "-c"))?;
            Some(Inner::Line("powershell".into(), inner(at + 1).join(" ")))
        }
        "sudo" | "doas" => named(behind(&["-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T", "--user", "--group"])),
        "timeout" => named(behind(&["-k", "-s", "--signal", "--kill-after"]).into_iter().skip(1).collect()),
        "nice" => named(behind(&["-n", "--adjustment"])),
        "ionice" => named(behind(&["-c", "-n"])),
        "stdbuf" => named(behind(&["-i", "-o", "-e"])),
        "exec" => Some(Inner::Command(None, args.to_vec())).filter(|_| !args.is_empty()),
        "nohup" | "setsid" | "time" | "command" | "caffeinate" | "xvfb-run" | "corepack" | "arch" => named(behind(&[])),
        "op" | "doppler" | "infisical" | "dotenvx" | "varlock" | "teller" | "hasp" | "chamber" | "aws-vault"
        | "vaultenv" | "dotenv" | "bwrap" | "firejail" | "wsl" | "mise" | "rtx" | "sops" | "secretspec" | "fnox" => {
            let at = args.iter().position(|arg| arg == "--")?;
            named(inner(at + 1))
        }
        "direnv" if args.first().is_some_and(|word| word == "exec") => named(inner(2)),
        "nvm" | "volta" | "asdf" | "rtk"
            if args.first().is_some_and(|word| matches!(word.as_str(), "exec" | "run")) =>
        {
            named(inner(if name == "nvm" { 2 } else { 1 }))
        }
        "fnm" if args.first().is_some_and(|word| word == "exec") => {
            named(options(&inner(1), &["--using"], &[]).rest.to_vec())
        }
        _ if is_assignment(first) => Some(Inner::Command(None, env_prefix(argv, env))).filter(|_| !args.is_empty()),
        _ => None,
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// What follows `env`'s options and assignments.
fn env_prefix(args: &[String], env: &mut Vec<(String, String)>) -> Vec<String> {
    let mut at = 0;
    while let Some(arg) = args.get(at) {
        if let Some((name, value)) = arg.split_once('=').filter(|_| is_assignment(arg)) {
            env.push((name.to_owned(), value.to_owned()));
        } else if matches!(arg.as_str(), "-u" | "--unset" | "-C" | "--chdir") {
            at += 1;
        } else if matches!(arg.as_str(), "-S" | "--split-string") {
            let words = shell::commands(args.get(at + 1).map_or("", String::as_str));
            let mut rest: Vec<String> = words.into_iter().flat_map(|command| command.words).collect();
            rest.extend(args.get(at + 2..).unwrap_or_default().to_vec());
            return rest;
        } else if !arg.starts_with('-') {
            break;
        }
        at += 1;
    }
    args.get(at..).unwrap_or_default().to_vec()
}

/// `bash -lc LINE`. A shell with a script is no wrapper: the script is what runs.
fn shell_line(name: &str, args: &[String]) -> Option<Inner> {
    let is_command = |arg: &String| arg.starts_with('-') && !arg.starts_with("--") && arg.ends_with('c');
    let at = args
        .iter()
        .take_while(|arg| arg.starts_with(['-', '+']))
        .position(|arg| is_command(arg) || arg == "--command")?;
    Some(Inner::Line(format!("{name} -c"), args.get(at + 1)?.clone()))
}

/// The command that matters of a line: the first that fetches code, else the last that starts something.
pub(super) fn main_command(line: &str) -> Result<Vec<String>, Box<Launch>> {
    const ASIDE: &[&str] = &[
        "cd",
        "export",
        "set",
        "source",
        ".",
        "true",
        "false",
        "echo",
        "printf",
        "test",
        "[",
        "[[",
        "exit",
        "mkdir",
        ":",
        "sleep",
        "read",
        "if",
        "fi",
        "then",
        "else",
        "do",
        "done",
        "for",
        "while",
        "trap",
        "umask",
        "ulimit",
        "unset",
        "pushd",
        "popd",
        "return",
        "eval",
        "command -v",
        "which",
        "type",
        "chmod",
        "mv",
        "cp",
        "rm",
        "touch",
    ];
    let all = shell::commands(line);
    if let Some(download) = downloaded_script(&all) {
        return Err(Box::new(download));
    }
    let mut last = Vec::new();
    for command in all {
        let start = command.words.iter().position(|word| !matches!(word.as_str(), "then" | "do" | "else" | "{" | "!"));
        let words = command.words.get(start.unwrap_or(0)..).unwrap_or_default().to_vec();
        let head = words.iter().find(|word| !is_assignment(word)).map(|word| program(word));
        if head.is_none_or(|head| ASIDE.contains(&head.as_str())) {
            continue;
        }
        let bare: Vec<String> =
            words.iter().skip_while(|word| is_assignment(word) || *word == "exec").cloned().collect();
        if identify(&bare).fetches() {
            return Ok(words);
        }
        last = words;
    }
    if last.is_empty() { Err(Box::new(Launch::new(Launcher::Script))) } else { Ok(last) }
}

/// `curl https://… | sh`.
fn downloaded_script(commands: &[shell::Simple]) -> Option<Launch> {
    let pairs = commands.iter().zip(commands.iter().skip(1));
    let (from, _) = pairs.into_iter().find(|(from, to)| {
        let name = |command: &shell::Simple| command.words.first().map(|word| program(word)).unwrap_or_default();
        from.end == End::Pipe
            && matches!(name(from).as_str(), "curl" | "wget" | "fetch")
            && matches!(
                name(to).as_str(),
                "sh" | "bash" | "zsh" | "dash" | "python" | "python3" | "node" | "deno" | "sudo" | "env"
            )
    })?;
    let address = from.words.iter().find(|word| word.contains("://")).map_or("(no address)", String::as_str);
    Some(Launch::fetching(Launcher::Download, vec![package::web(address)], &[]))
}
