//! Programs that shut what they start into a sandbox or a container.

use super::{Goal, arrive, inlined, names_agent};
use crate::facts::launcher::words::Word;
use crate::model::launch::{Launch, Origin, Sandbox, Start};

/// bubblewrap's options by how many words each takes.
pub(super) fn bwrap<'a>(args: &'a [Word], launch: &mut Launch, line: u32) -> &'a [Word] {
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
            "--unshare-all"
            | "--unshare-user"
            | "--unshare-user-try"
            | "--unshare-ipc"
            | "--unshare-pid"
            | "--unshare-net"
            | "--unshare-uts"
            | "--unshare-cgroup"
            | "--unshare-cgroup-try"
            | "--share-net"
            | "--die-with-parent"
            | "--new-session"
            | "--as-pid-1"
            | "--disable-userns"
            | "--assert-userns-disabled" => 1,
            _ => 2,
        };
    }
    args.get(at..).unwrap_or_default()
}

pub(super) fn jail<'a>(name: &str, args: &'a [Word], launch: &mut Launch, line: u32) -> &'a [Word] {
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
                let value =
                    args[at - 1].plain().and_then(|t| t.splitn(3, '=').nth(2).map(Word::text)).unwrap_or_default();
                launch.pass(name.to_owned(), &value, true, line);
            }
        } else if let Some(name) = text.strip_prefix("--rmenv=") {
            launch.unset(name);
        } else if name != "firejail"
            && !text.contains('=')
            && args.get(at).is_some_and(|next| !next.start().starts_with('-'))
        {
            at += 1;
        }
    }
    args.get(at..).unwrap_or_default()
}

/// A container's environment is what its image and its options say.
pub(super) fn container(goal: &Goal<'_>, args: &[Word], mut launch: Launch, line: u32) -> Option<Launch> {
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
