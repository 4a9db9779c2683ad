//! Follows a command line through the programs that start other programs — `exec`, `env`, `sudo`, `bwrap` and the
//! like — to the agent, and tells what each does to the environment on the way. Nothing is run.

use super::launch::{RUNNERS, base};
use super::words::{Word, commands};
use crate::model::launch::{Launch, Origin, Sandbox, Start};
use crate::model::Mode;

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
        [super::words::Piece::Variable(name)] => (goal.lookup)(name).unwrap_or_else(|| word.clone()),
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
            "sudo" | "doas" => sudo(args, &mut launch, line),
            "su" | "runuser" => match su(args, &mut launch)? {
                Su::Rest(next) => next,
                Su::Shell(text) => return nested(goal, &text, launch, line, depth),
            },
            "setpriv" => {
                let (flags, next) = options(args, "d", &["--reset-env", "--clear-groups", "--init-groups", "--keep-groups", "--no-new-privs", "--nnp", "--dump"]);
                for (flag, value) in flags {
                    match flag.as_str() {
                        "--reset-env" => {
                            launch.clear(Start::Empty);
                            (launch.home_of_user, launch.own_path) = (true, true);
                        }
                        "--reuid" | "--ruid" | "--euid" => launch.user = value.or(launch.user),
                        _ => {}
                    }
                }
                next
            }
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
                if !flags.iter().any(|(flag, _)| flag.starts_with('-') && !flag.starts_with("--") && flag.contains('c')) {
                    return None;
                }
                return nested(goal, &text_of(next.first()?), launch, line, depth);
            }
            // It records what the terminal shows: a file, then the command; with util-linux the command is a text.
            "script" => {
                let (flags, next) = options(args, "cEIOBmoTt", &["--append", "--quiet", "--return", "--flush", "--force"]);
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
            "command" | "builtin" | "nohup" | "setsid" | "time" | "caffeinate" | "unshare" | "nsenter" | "systemd-inhibit" => {
                options(args, "wutsrGSdflp", &[]).1
            }
            "nice" | "ionice" | "stdbuf" | "chrt" | "prlimit" | "systemd-cat" => options(args, "nciopetP", &[]).1,
            "timeout" | "chroot" | "taskset" | "flock" => options(args, "ksEwc", &[]).1.get(1..)?,
            _ => return None,
        };
        while let Some((name, value)) = rest.first().and_then(Word::assignment).filter(|_| name == "sudo" || name == "doas") {
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
    goal.commands.iter().any(|command| name == command || name.strip_prefix(command.as_str()).is_some_and(|rest| rest.starts_with('-')))
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
    use super::words::Piece;
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Variable(name) => format!("${{{name}}}"),
        Piece::Command(text) => format!("$({text})"),
    };
    word.pieces.iter().map(piece).collect()
}

/// Splits leading options off: each with its value, be it joined (`-uagent`, `--user=agent`) or the next word.
/// `short` are letters that take a value; long options take one unless they are in `bare` or joined.
fn options<'a>(args: &'a [Word], short: &str, bare: &[&str]) -> (Vec<(String, Option<String>)>, &'a [Word]) {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(text) = args.get(at).map(Word::start).filter(|text| text.starts_with('-') && text.len() > 1) {
        let whole = args[at].plain();
        at += 1;
        if text == "--" {
            break;
        }
        if text.starts_with("--") {
            let (flag, joined) = match text.split_once('=') {
                Some((flag, _)) => (flag, whole.as_ref().and_then(|w| w.split_once('=')).map(|(_, value)| value.to_owned())),
                None if bare.contains(&text) || short.is_empty() => (text, None),
                None => {
                    // A long option without `=`: its value is the next word, unless that is an option too.
                    let value = args.get(at).filter(|next| !next.start().starts_with('-') && bare_value(text));
                    at += usize::from(value.is_some());
                    (text, value.and_then(Word::plain))
                }
            };
            found.push((flag.to_owned(), joined));
            continue;
        }
        let letters: Vec<char> = text.chars().skip(1).collect();
        let valued = letters.iter().position(|letter| short.contains(*letter));
        let value = match valued {
            Some(last) if last + 1 < letters.len() => Some(letters[last + 1..].iter().collect()),
            Some(_) => {
                let value = args.get(at).and_then(Word::plain);
                at += 1;
                value
            }
            None => None,
        };
        let shown = valued.map_or(letters.len(), |last| last + 1);
        for (place, letter) in letters[..shown].iter().enumerate() {
            let value = if Some(place) == valued { value.clone() } else { None };
            found.push((format!("-{letter}"), value));
        }
    }
    (found, args.get(at..).unwrap_or_default())
}

/// Long options of the known wrappers that take the next word as value.
fn bare_value(option: &str) -> bool {
    matches!(
        option,
        "--user" | "--group" | "--chdir" | "--unset" | "--reuid" | "--regid" | "--ruid" | "--euid" | "--groups" | "--uid"
            | "--gid" | "--setenv" | "--property" | "--working-directory" | "--shell" | "--command" | "--signal"
            | "--kill-after" | "--adjustment" | "--class" | "--host" | "--prompt" | "--unit" | "--slice" | "--description"
            | "--inh-caps" | "--ambient-caps" | "--bounding-set" | "--securebits" | "--session-command"
    )
}

enum Env<'a> {
    Rest(&'a [Word]),
    Split(String),
}

fn env<'a>(goal: &Goal<'_>, args: &'a [Word], launch: &mut Launch, line: u32) -> Option<Env<'a>> {
    let (flags, mut rest) = options(args, "uCSP", &["--ignore-environment", "--null", "--debug", "--default-signal", "--ignore-signal"]);
    for (flag, value) in flags {
        match flag.as_str() {
            "-i" | "--ignore-environment" => launch.clear(Start::Empty),
            "-u" | "--unset" => launch.unset(&value.unwrap_or_default()),
            "-C" | "--chdir" => launch.cwd = value.or(launch.cwd.take()),
            "-S" | "--split-string" => {
                let tail: Vec<String> = rest.iter().map(text_of).collect();
                return Some(Env::Split(format!("env {} {}", value?, tail.join(" "))));
            }
            _ => {}
        }
    }
    if rest.first().and_then(Word::plain).as_deref() == Some("-") {
        launch.clear(Start::Empty);
        rest = &rest[1..];
    }
    while let Some((name, value)) = rest.first().and_then(Word::assignment) {
        launch.pass(name, &inlined(goal, &value), true, line);
        rest = &rest[1..];
    }
    Some(Env::Rest(rest))
}

fn sudo<'a>(args: &'a [Word], launch: &mut Launch, _line: u32) -> &'a [Word] {
    let bare = ["--login", "--set-home", "--non-interactive", "--background", "--stdin", "--askpass", "--shell", "--preserve-env"];
    let (flags, rest) = options(args, "ugpCDhrtTUR", &bare);
    let has = |names: [&str; 2]| flags.iter().find(|(flag, _)| names.contains(&flag.as_str()));
    match has(["-E", "--preserve-env"]) {
        Some((_, None)) => {}
        Some((_, Some(names))) => {
            launch.clear(Start::Reset);
            launch.kept.extend(names.split(',').map(str::to_owned));
        }
        None => launch.clear(Start::Reset),
    }
    launch.user = Some(has(["-u", "--user"]).and_then(|(_, user)| user.clone()).unwrap_or_else(|| "root".into()));
    launch.home_of_user = launch.start != Start::Inherited || has(["-H", "--set-home"]).is_some() || has(["-i", "--login"]).is_some();
    launch.login |= has(["-i", "--login"]).is_some();
    if let Some((_, Some(folder))) = has(["-D", "--chdir"]) {
        launch.cwd = Some(folder.clone());
    }
    rest
}

enum Su<'a> {
    Rest(&'a [Word]),
    Shell(String),
}

fn su<'a>(args: &'a [Word], launch: &mut Launch) -> Option<Su<'a>> {
    let bare = ["--login", "--preserve-environment", "--pty", "--fast"];
    let (mut login, mut command, mut named, mut rest) = (false, None, None, args);
    // Options may stand before and after the name.
    for _ in 0..3 {
        let (flags, next) = options(rest, "ucsgGTw", &bare);
        rest = next;
        for (flag, value) in flags {
            match flag.as_str() {
                "-l" | "--login" => login = true,
                "-u" | "--user" => named = value,
                "-c" | "--command" | "--session-command" => command = value,
                _ => {}
            }
        }
        match rest.first().and_then(Word::plain) {
            Some(dash) if dash == "-" => login = true,
            Some(name) if named.is_none() => named = Some(name),
            _ => break,
        }
        rest = &rest[1..];
    }
    launch.user = Some(named.unwrap_or_else(|| "root".into()));
    if login {
        launch.clear(Start::Empty);
        (launch.home_of_user, launch.own_path, launch.login) = (true, true, true);
    }
    Some(match command {
        Some(text) => Su::Shell(text),
        None => Su::Rest(rest),
    })
}

fn systemd_run<'a>(args: &'a [Word], launch: &mut Launch, line: u32) -> &'a [Word] {
    let bare = ["--user", "--scope", "--pty", "--pipe", "--wait", "--collect", "--quiet", "--same-dir", "--no-block", "--shell"];
    let (flags, rest) = options(args, "pEuH", &bare);
    let has = |name: &str| flags.iter().any(|(flag, _)| flag == name);
    if !has("--scope") {
        // The service manager's environment, not the caller's; the user's manager was given the session's.
        launch.clear(if has("--user") { Start::Inherited } else { Start::Empty });
    }
    let mut options = Vec::new();
    for (flag, value) in flags {
        let Some(value) = value else { continue };
        match flag.as_str() {
            "-E" | "--setenv" => match Word::text(&value).assignment() {
                Some((name, word)) => launch.pass(name, &word, true, line),
                None => launch.pass_from(value, Origin::Inherited, line),
            },
            "-p" | "--property" => options.push(value),
            "--uid" => launch.user = Some(value),
            "--working-directory" => launch.cwd = Some(value),
            _ => {}
        }
    }
    if super::unit::is_sandboxed(options.iter().filter_map(|option| option.split_once('='))) {
        launch.enter(Sandbox::Systemd, line);
    }
    rest
}

/// bubblewrap's options by how many words each takes.
fn bwrap<'a>(args: &'a [Word], launch: &mut Launch, line: u32) -> &'a [Word] {
    launch.enter(Sandbox::Bwrap, line);
    let mut at = 0;
    while let Some(option) = args.get(at).map(Word::start).filter(|text| text.starts_with("--")) {
        let value = |ahead: usize| args.get(at + ahead).and_then(Word::plain);
        at += match option {
            "--" => return args.get(at + 1..).unwrap_or_default(),
            "--clearenv" => {
                launch.clear(Start::Empty);
                1
            }
            "--setenv" => {
                if let (Some(name), Some(word)) = (value(1), args.get(at + 2)) {
                    launch.pass(name, word, true, line);
                }
                3
            }
            "--unsetenv" => {
                launch.unset(&value(1).unwrap_or_default());
                2
            }
            "--chdir" => {
                launch.cwd = value(1).or(launch.cwd.take());
                2
            }
            "--tmpfs" => {
                launch.private_tmp |= value(1).as_deref() == Some("/tmp");
                2
            }
            "--bind" | "--bind-try" | "--ro-bind" | "--ro-bind-try" | "--dev-bind" | "--dev-bind-try" | "--symlink"
            | "--file" | "--bind-data" | "--ro-bind-data" | "--chmod" | "--overlay-src" => 3,
            "--unshare-all" | "--unshare-user" | "--unshare-user-try" | "--unshare-ipc" | "--unshare-pid" | "--unshare-net"
            | "--unshare-uts" | "--unshare-cgroup" | "--unshare-cgroup-try" | "--share-net" | "--die-with-parent"
            | "--new-session" | "--as-pid-1" | "--disable-userns" | "--assert-userns-disabled" => 1,
            _ => 2,
        };
    }
    args.get(at..).unwrap_or_default()
}

fn jail<'a>(name: &str, args: &'a [Word], launch: &mut Launch, line: u32) -> &'a [Word] {
    launch.enter(
        match name {
            "firejail" => Sandbox::Firejail,
            "landrun" => Sandbox::Landrun,
            _ => Sandbox::Nsjail,
        },
        line,
    );
    let mut at = 0;
    while let Some(text) = args.get(at).map(Word::start).filter(|text| text.starts_with('-')) {
        at += 1;
        if text == "--" {
            break;
        }
        if let Some(given) = text.strip_prefix("--env=") {
            if let Some((name, _)) = given.split_once('=') {
                let value = args[at - 1].plain().and_then(|t| t.splitn(3, '=').nth(2).map(Word::text)).unwrap_or_default();
                launch.pass(name.to_owned(), &value, true, line);
            }
        } else if let Some(name) = text.strip_prefix("--rmenv=") {
            launch.unset(name);
        } else if name != "firejail" && !text.contains('=') && args.get(at).is_some_and(|next| !next.start().starts_with('-')) {
            at += 1;
        }
    }
    args.get(at..).unwrap_or_default()
}

/// A container's environment is what its image and its options say.
fn container(goal: &Goal<'_>, args: &[Word], mut launch: Launch, line: u32) -> Option<Launch> {
    if !matches!(args.first()?.plain()?.as_str(), "run" | "exec") {
        return None;
    }
    let named = args.iter().filter_map(Word::plain).find(|arg| !arg.starts_with('-') && names_agent(goal, arg))?;
    launch.clear(Start::Empty);
    launch.enter(Sandbox::Container, line);
    (launch.home_of_user, launch.own_path, launch.private_tmp) = (true, true, true);
    let mut at = 1;
    while let Some(text) = args.get(at).map(Word::start) {
        let joined = text.split_once('=').map(|(_, value)| value.to_owned());
        let next = args.get(at + 1).cloned().unwrap_or_default();
        match text.split('=').next().unwrap_or_default() {
            "-e" | "--env" => {
                let word = if text.starts_with("--env=") { Word::text(&joined.unwrap_or_default()) } else { next };
                match word.assignment() {
                    Some((name, value)) => launch.pass(name, &inlined(goal, &value), true, line),
                    None => launch.pass_from(word.plain().unwrap_or_default(), Origin::Inherited, line),
                }
            }
            "--env-file" => launch.unread.push(joined.or(next.plain()).unwrap_or_default()),
            "-w" | "--workdir" => launch.cwd = joined.or(next.plain()),
            _ => {}
        }
        at += 1;
    }
    // Accounts inside a container are its own: they say nothing of this machine's.
    launch.user = None;
    Some(arrive(launch, named, &[], line))
}

/// The command behind `--`, else from the word that names the agent on.
fn after_dashes<'a>(goal: &Goal<'_>, args: &'a [Word]) -> &'a [Word] {
    let dashes = args.iter().position(|word| word.start() == "--").map(|at| at + 1);
    let agent = || args.iter().position(|word| word.plain().is_some_and(|text| is_agent(goal, &text)));
    dashes.or_else(agent).and_then(|at| args.get(at..)).unwrap_or_default()
}
