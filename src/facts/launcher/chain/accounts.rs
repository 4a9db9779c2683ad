//! Programs that change the environment or the account of what they start.

use super::options::options;
use super::{Goal, inlined, text_of};
use crate::facts::launcher::words::Word;
use crate::model::launch::{Launch, Origin, Sandbox, Start};

pub(super) enum Env<'a> {
    Rest(&'a [Word]),
    Split(String),
}

pub(super) fn env<'a>(goal: &Goal<'_>, args: &'a [Word], launch: &mut Launch, line: u32) -> Option<Env<'a>> {
    let (flags, mut rest) =
        options(args, "uCSP", &["--ignore-environment", "--null", "--debug", "--default-signal", "--ignore-signal"]);
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

pub(super) fn sudo<'a>(args: &'a [Word], launch: &mut Launch) -> &'a [Word] {
    let bare = [
        "--login",
        "--set-home",
        "--non-interactive",
        "--background",
        "--stdin",
        "--askpass",
        "--shell",
        "--preserve-env",
    ];
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
    launch.home_of_user =
        launch.start != Start::Inherited || has(["-H", "--set-home"]).is_some() || has(["-i", "--login"]).is_some();
    launch.login |= has(["-i", "--login"]).is_some();
    if let Some((_, Some(folder))) = has(["-D", "--chdir"]) {
        launch.cwd = Some(folder.clone());
    }
    rest
}

pub(super) enum Su<'a> {
    Rest(&'a [Word]),
    Shell(String),
}

pub(super) fn su<'a>(args: &'a [Word], launch: &mut Launch) -> Option<Su<'a>> {
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

pub(super) fn setpriv<'a>(args: &'a [Word], launch: &mut Launch) -> &'a [Word] {
    let bare = ["--reset-env", "--clear-groups", "--init-groups", "--keep-groups", "--no-new-privs", "--nnp", "--dump"];
    let (flags, rest) = options(args, "d", &bare);
    for (flag, value) in flags {
        match flag.as_str() {
            "--reset-env" => {
                launch.clear(Start::Empty);
                (launch.home_of_user, launch.own_path) = (true, true);
            }
            "--reuid" | "--ruid" | "--euid" => launch.user = value.or(launch.user.take()),
            _ => {}
        }
    }
    rest
}

pub(super) fn systemd_run<'a>(args: &'a [Word], launch: &mut Launch, line: u32) -> &'a [Word] {
    let bare = [
        "--user",
        "--scope",
        "--pty",
        "--pipe",
        "--wait",
        "--collect",
        "--quiet",
        "--same-dir",
        "--no-block",
        "--shell",
    ];
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
    if crate::facts::launcher::unit::is_sandboxed(options.iter().filter_map(|option| option.split_once('='))) {
        launch.enter(Sandbox::Systemd, line);
    }
    rest
}
