//! Which rules of sudoers reach an account: includes, aliases, negations, and the last rule that matches decides.

mod judge;
mod listing;

use self::judge::judge;
use super::sudoers::{Aliases, Entry, Line, entry, lines};
use super::{LIMIT, Person, Program, Rule, unread};
use crate::facts::reach::{abs, list, text};
use crate::host::Host;
use crate::model::{AbsPath, Unseen};

/// How deep includes and aliases may nest.
const DEPTH: usize = 16;
/// How many files are read.
const FILES: usize = 300;

/// A line with the file it stands in.
struct Placed {
    file: AbsPath,
    line: Line,
    entry: Entry,
}

/// What the files of sudo say, in the order in which sudo reads them.
#[derive(Default)]
pub(super) struct Sudoers {
    entries: Vec<Placed>,
    /// Files and folders that could not be read or understood.
    unread: Vec<(AbsPath, Unseen)>,
    files: usize,
}

/// All rules, and whether each reaches `person`.
pub(super) fn rules(host: &dyn Host, person: &Person<'_>) -> Vec<Rule> {
    if !installed(host) {
        return Vec::new();
    }
    let sudoers = read(host);
    let mut rules = judge(&sudoers, person, &hostname(host));
    rules.extend(sudoers.unread.into_iter().map(|(path, unseen)| unread(Program::Sudo, &path, unseen)));
    if listing::is_needed(host) {
        rules.extend(listing::rules(host, person));
    }
    rules
}

/// Without the program its rules are dead text. A failure to look counts as there.
pub(super) fn installed(host: &dyn Host) -> bool {
    let places = ["/usr/bin/sudo", "/usr/bin/sudo-rs", "/bin/sudo", "/usr/local/bin/sudo", "/run/wrappers/bin/sudo"];
    places.iter().any(|path| !matches!(crate::host::exists(host, &abs(path)), Ok(false)))
}

/// Reads sudoers with everything it includes.
pub(super) fn read(host: &dyn Host) -> Sudoers {
    let mut sudoers = Sudoers::default();
    // sudo-rs prefers a file of its own.
    for file in ["/etc/sudoers-rs", "/etc/sudoers"] {
        if read_file(host, &abs(file), 0, &mut sudoers) {
            break;
        }
    }
    sudoers
}

/// Whether there was a file.
fn read_file(host: &dyn Host, file: &AbsPath, depth: usize, into: &mut Sudoers) -> bool {
    if depth > DEPTH || into.files >= FILES {
        into.unread.push((file.clone(), Unseen::new(format!("too many includes around `{file}`"), "look by hand")));
        return true;
    }
    into.files += 1;
    let content = match text(host, file, LIMIT) {
        Ok(None) => return false,
        Err(unseen) => {
            into.unread.push((file.clone(), unseen));
            return true;
        }
        Ok(Some(content)) => content,
    };
    for line in lines(&content) {
        match entry(&line.text) {
            Entry::Include { path, folder } => {
                let path = file.parent().unwrap_or_else(AbsPath::root).join(path.replace("%h", &hostname(host)));
                if folder {
                    read_folder(host, &path, depth + 1, into);
                } else {
                    read_file(host, &path, depth + 1, into);
                }
            }
            Entry::Garbled => {
                let why = format!("line {} of `{file}` is not understood", line.number);
                into.unread.push((file.clone(), Unseen::new(why, "check it with `visudo -c`")));
            }
            entry => into.entries.push(Placed { file: file.clone(), line, entry }),
        }
    }
    true
}

/// Names with a dot or a `~` at the end are left out, as sudo does.
fn read_folder(host: &dyn Host, folder: &AbsPath, depth: usize, into: &mut Sudoers) {
    match list(host, folder, FILES) {
        Err(unseen) => into.unread.push((folder.clone(), unseen)),
        Ok(entries) => {
            for entry in entries.into_iter().flatten() {
                let name = entry.name.to_string_lossy();
                if !name.contains('.') && !name.ends_with('~') {
                    read_file(host, &folder.join(&entry.name), depth, into);
                }
            }
        }
    }
}

impl Sudoers {
    /// The PATH that sudo gives, where the files say so; an error where they could not be read.
    pub(super) fn secure_path(&self) -> Result<Option<String>, Unseen> {
        let settings = self.entries.iter().filter_map(|placed| match &placed.entry {
            Entry::Defaults { settings, .. } => Some(settings),
            _ => None,
        });
        let value = |setting: &String| {
            let (name, value) = setting.split_once('=')?;
            (name.trim() == "secure_path").then(|| value.trim().trim_matches('"').to_owned())
        };
        match (settings.flatten().filter_map(value).next_back(), self.unread.first()) {
            (Some(path), _) => Ok(Some(path)),
            (None, Some((_, unseen))) => Err(unseen.clone()),
            (None, None) => Ok(None),
        }
    }

    fn aliases(&self) -> Aliases {
        let all = self.entries.iter().filter_map(|placed| match &placed.entry {
            Entry::Alias(kind, all) => Some((kind, all)),
            _ => None,
        });
        all.flat_map(|(kind, all)| all.iter().map(|(name, list)| ((*kind, name.clone()), list.clone()))).collect()
    }
}

fn hostname(host: &dyn Host) -> String {
    text(host, &abs("/etc/hostname"), 1024).ok().flatten().unwrap_or_default().trim().to_owned()
}
