//! Follows a command line through the programs that start other programs — `exec`, `env`, `sudo`, `bwrap` and the
//! like — to the agent, and tells what each does to the environment on the way. Nothing is run.

mod accounts;
mod boxes;
mod options;

use self::accounts::{Env, Su, env, setpriv, su, sudo, systemd_run};
use self::boxes::{bwrap, container, jail};
use self::options::options;
use super::launch::{RUNNERS, base};
use super::words::{Piece, Word, commands};
use crate::model::Mode;
use crate::model::launch::{Launch, Sandbox, Start};

/// How often a command line may hold another one as text (`sh -c`, `su -c`, `env -S`).
const DEPTH: u8 = 4;

/// The agent's programs, and where values of the script's own variables are found.
pub(super) struct Goal<'a> {
    pub(super) commands: &'a [String],
    /// The path of the script itself: a call of it is not the agent.
    pub(super) own: &'a str,
    pub(super) lookup: &'a dyn Fn(&str) -> Option<Word>,
}

/// Follows `words`. None where they do not lead to the agent.
pub(super) fn follow(goal: &Goal<'_>, words: &[Word], launch: Launch, line: u32) -> Option<Launch> {
    let words: Vec<Word> = words.iter().map(|word| inlined(goal, word)).collect();
    walk(goal, &words, launch, line, 0)
}

/// A word that is one variable of the script becomes what the script put into it.
fn inlined(goal: &Goal<'_>, word: &Word) -> Word {
    match word.pieces.as_slice() {
        [Piece::Variable(name)] => (goal.lookup)(name).unwrap_or_else(|| word.clone()),
        _ => word.clone(),
    }
}

fn walk(goal: &Goal<'_>, words: &[Word], mut launch: Launch, line: u32, depth: u8) -> Option<Launch> {
    if depth > DEPTH {
        return None;
    }
    let mut rest = words;
    // Assignments before a command are environment, not arguments.
    while let Some((name, value)) = rest.first().and_then(Word::assignment) {
        launch.pass(name, &inlined(goal, &value), false, line);
        rest = &rest[1..];
    }
    let mut steps = 0;
    loop {
        steps += 1;
        if steps > 64 {
            return None;
        }
        let program = rest.first()?.plain()?;
        let name = base(&program).to_owned();
        let args = &rest[1..];
        if is_agent(goal, &program) {
            return Some(arrive(launch, program, args, line));
        }
        rest = match name.as_str() {
            "exec" => {
                let (flags, next) = options(args, "a", &[]);
                if flags.iter().any(|(flag, _)| flag == "-c") {
                    launch.clear(Start::Empty);
                }
                next
            }
            "env" => match env(goal, args, &mut launch, line)? {
                Env::Rest(next) => next,
                Env::Split(text) => return nested(goal, &text, launch, line, depth),
            },
            "sudo" | "doas" => sudo(args, &mut launch),
            "su" | "runuser" => match su(args, &mut launch)? {
                Su::Rest(next) => next,
                Su::Shell(text) => return nested(goal, &text, launch, line, depth),
            },
            "setpriv" => setpriv(args, &mut launch),
            "systemd-run" => systemd_run(args, &mut launch, line),
            "bwrap" => bwrap(args, &mut launch, line),
            "firejail" | "landrun" | "nsjail" => jail(&name, args, &mut launch, line),
            "sandbox-exec" => {
                launch.enter(Sandbox::SandboxExec, line);
                options(args, "fnpD", &[]).1
            }
            "docker" | "podman" | "nerdctl" => return container(goal, args, launch, line),
            "harden" => {
                if args.first()?.plain()? != "run" {
                    return None;
                }
                launch.clear(Start::Empty);
                launch.enter(Sandbox::Harden, line);
                launch.broker.get_or_insert_with(|| "harden".into());
                (launch.home_of_user, launch.own_path, launch.private_tmp) = (true, true, true);
                launch.umask.get_or_insert(Mode::new(0o077));
                after_dashes(goal, args)
            }
            runner if RUNNERS.contains(&runner) => {
                launch.broker.get_or_insert_with(|| runner.to_owned());
                after_dashes(goal, args)
            }
            "sh" | "bash" | "dash" | "zsh" | "ksh" => {
                let (flags, next) = options(args, "oO", &["--login", "--norc", "--noprofile", "--posix"]);
                if !flags.iter().any(|(flag, _)| flag.starts_with('-') && !flag.starts_with("--") && flag.contains('c'))
                {
                    return None;
                }
                return nested(goal, &text_of(next.first()?), launch, line, depth);
            }
            // It records what the terminal shows: a file, then the command; with util-linux the command is a text.
            "script" => {
                let (flags, next) =
                    options(args, "cEIOBmoTt", &["--append", "--quiet", "--return", "--flush", "--force"]);
                match flags.into_iter().find(|(flag, _)| flag == "-c" || flag == "--command") {
                    Some((_, text)) => return nested(goal, &text?, launch, line, depth),
                    None => next.get(1..)?,
                }
            }
            "node" | "bun" | "deno" | "npx" | "bunx" | "uvx" | "npm" | "pnpm" | "yarn" | "pipx" => {
                let package = args.iter().filter_map(Word::plain).find(|arg| names_agent(goal, arg))?;
                let at = args.iter().position(|arg| arg.plain().as_deref() == Some(&package)).map_or(0, |at| at + 1);
                return Some(arrive(launch, program, &args[at..], line));
            }
            // Each takes options, then at most one operand of its own, then the command.
            "command" | "builtin" | "nohup" | "setsid" | "time" | "caffeinate" | "unshare" | "nsenter"
            | "systemd-inhibit" => options(args, "wutsrGSdflp", &[]).1,
            "nice" | "ionice" | "stdbuf" | "chrt" | "prlimit" | "systemd-cat" => options(args, "nciopetP", &[]).1,
            "timeout" | "chroot" | "taskset" | "flock" => options(args, "ksEwc", &[]).1.get(1..)?,
            _ => return None,
        };
        while let Some((name, value)) =
            rest.first().and_then(Word::assignment).filter(|_| name == "sudo" || name == "doas")
        {
            launch.pass(name, &inlined(goal, &value), true, line);
            rest = &rest[1..];
        }
    }
}

fn is_agent(goal: &Goal<'_>, program: &str) -> bool {
    program != goal.own && goal.commands.iter().any(|command| base(program) == command)
}

/// Whether an argument or image names the agent: `opencode-ai@1.2.3`, `/x/opencode.js`, `ghcr.io/y/opencode:1`.
fn names_agent(goal: &Goal<'_>, text: &str) -> bool {
    let name = base(text).split(['@', ':', '.']).next().unwrap_or_default();
    let name = if name.is_empty() { base(text) } else { name };
    goal.commands
        .iter()
        .any(|command| name == command || name.strip_prefix(command.as_str()).is_some_and(|rest| rest.starts_with('-')))
}

fn arrive(mut launch: Launch, program: String, args: &[Word], line: u32) -> Launch {
    for (at, arg) in args.iter().enumerate() {
        let text = arg.start();
        if let Some(folder) = text.strip_prefix("--dir=") {
            launch.cwd = Some(folder.to_owned());
        } else if matches!(text, "--dir" | "--cwd") {
            launch.cwd = args.get(at + 1).and_then(Word::plain).or(launch.cwd);
        }
    }
    launch.program = Some(program);
    launch.line = line;
    launch
}

fn nested(goal: &Goal<'_>, text: &str, launch: Launch, line: u32, depth: u8) -> Option<Launch> {
    commands(text).iter().find_map(|command| {
        let words: Vec<Word> = command.words.iter().map(|word| inlined(goal, word)).collect();
        walk(goal, &words, launch.clone(), line, depth + 1)
    })
}

fn text_of(word: &Word) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Variable(name) => format!("${{{name}}}"),
        Piece::Command(text) => format!("$({text})"),
    };
    word.pieces.iter().map(piece).collect()
}

/// The command behind `--`, else from the word that names the agent on.
fn after_dashes<'a>(goal: &Goal<'_>, args: &'a [Word]) -> &'a [Word] {
    let dashes = args.iter().position(|word| word.start() == "--").map(|at| at + 1);
    let agent = || args.iter().position(|word| word.plain().is_some_and(|text| is_agent(goal, &text)));
    dashes.or_else(agent).and_then(|at| args.get(at..)).unwrap_or_default()
}
