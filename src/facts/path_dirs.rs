//! Folders on search paths: those that depend on where one stands, and those in which the agent's account could put
//! a program that others start.

use schemars::JsonSchema;
use serde::Serialize;

use super::ProbeError;
use super::elevation::secure_path;
use super::reach::{Reach, abs, text};
use crate::host::Host;
use crate::model::{AbsPath, Look, Os, Subject, Uid, Unseen};

/// What root's programs search where nothing says otherwise.
const USUAL: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The largest launcher that is looked through: 256 KiB.
const LAUNCHER: u64 = 256 << 10;

/// Folders on search paths.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Every folder, once, with who searches it; and every source that could not be read.
    entries: Vec<Entry>,
}

/// A folder on a search path.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Entry {
    /// As written; `(empty)` for an empty entry, which means the current folder.
    name: String,
    /// Which search paths hold it.
    used_by: Vec<String>,
    /// Whether it depends on the current folder.
    relative: bool,
    /// Whether others than the agent's account search it.
    others: bool,
    /// Whether the agent's account could put a program there.
    writable: Look<bool>,
    /// What the account would write to for that.
    through: Option<AbsPath>,
    /// What is wrong with it, where something is: to follow its name.
    problem: Option<String>,
}

/// A search path and where it comes from.
struct Source {
    name: String,
    value: String,
    others: bool,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let reach = Reach::of_agent(host, subject)?;
    let (sources, unread) = sources(host, subject, &reach);
    let mut entries: Vec<Entry> = Vec::new();
    for source in sources {
        for word in source.value.split(':') {
            let name = if word.is_empty() { "(empty)" } else { word };
            let known = entries.iter().position(|entry| entry.name == name);
            let at = known.unwrap_or_else(|| {
                entries.push(judge(&reach, subject, name));
                entries.len() - 1
            });
            if let Some(entry) = entries.get_mut(at) {
                entry.others |= source.others;
                if !entry.used_by.contains(&source.name) {
                    entry.used_by.push(source.name.clone());
                }
            }
        }
    }
    entries.extend(unread);
    entries.iter_mut().for_each(|entry| entry.problem = problem(entry));
    Ok(Fact { entries })
}

fn problem(entry: &Entry) -> Option<String> {
    if entry.relative {
        return Some("depends on the current folder, where a project can put programs".into());
    }
    let through = entry.through.as_ref().filter(|_| entry.others)?;
    Some(format!("can be filled with programs: the agent's account may write to `{through}`"))
}

fn judge(reach: &Reach<'_>, subject: &Subject, name: &str) -> Entry {
    let mut entry = Entry {
        name: crate::model::plain(name).into_owned(),
        used_by: Vec::new(),
        relative: !name.starts_with(['/', '~', '$']),
        others: false,
        writable: Look::Known(false),
        through: None,
        problem: None,
    };
    let home = subject.home().cloned().filter(|_| name.starts_with("~/"));
    let path = home.map(|home| home.join(name.trim_start_matches("~/"))).or_else(|| AbsPath::new(name));
    // Root needs no folder of programs to replace what others start.
    let Some(path) = path.filter(|_| !reach.is_root()) else { return entry };
    match reach.plant(&path) {
        Ok(through) => {
            entry.writable = Look::Known(through.is_some());
            entry.through = through;
        }
        Err(unseen) => entry.writable = Look::Unknown(unseen),
    }
    entry
}

fn sources(host: &dyn Host, subject: &Subject, reach: &Reach<'_>) -> (Vec<Source>, Vec<Entry>) {
    let mut all = Vec::new();
    let mut unread = Vec::new();
    let shared = subject.is_invokers();
    if let Some(value) = host.env("PATH") {
        all.push(Source { name: "the environment".into(), value, others: !shared });
    }
    if reach.uid() != Uid(0) {
        match secure_path(host) {
            Ok(path) => {
                all.push(Source { name: "root".into(), value: path.unwrap_or_else(|| USUAL.into()), others: true });
            }
            Err(unseen) => unread.push(unreadable("the path of root", unseen)),
        }
    }
    if subject.os == Os::Macos {
        match text(host, &abs("/etc/paths"), 1 << 16) {
            Ok(content) => {
                let content = content.unwrap_or_default();
                let value: Vec<&str> = content.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
                all.push(Source { name: "/etc/paths".into(), value: value.join(":"), others: true });
            }
            Err(unseen) => unread.push(unreadable("/etc/paths", unseen)),
        }
    }
    let mut files: Vec<AbsPath> = ["/etc/environment", "/etc/crontab", "/etc/anacrontab"].map(abs).to_vec();
    // A launcher that is a script may set it; a large one is a program.
    let launcher = subject.parameters.text("launcher").and_then(AbsPath::new);
    let small = |path: &AbsPath| !matches!(reach.look(path), Ok(Some((_, stat))) if stat.size > LAUNCHER);
    files.extend(launcher.filter(small));
    for file in files {
        match text(host, &file, LAUNCHER) {
            Ok(content) => all.extend(assigned(&content.unwrap_or_default()).into_iter().map(|value| Source {
                name: file.text(),
                value,
                others: true,
            })),
            Err(unseen) => unread.push(unreadable(&file.text(), unseen)),
        }
    }
    (all.into_iter().filter(|source| !source.value.is_empty()).collect(), unread)
}

/// The values that lines give to PATH, the parts that come from other variables left out.
fn assigned(content: &str) -> Vec<String> {
    let values = content.lines().filter_map(|line| {
        let line = line.trim();
        let value = line.strip_prefix("export ").unwrap_or(line).trim_start().strip_prefix("PATH")?;
        let value = value.trim_start().strip_prefix('=')?.trim();
        let value = value.split(['#', ';', ' ']).next().unwrap_or_default().trim_matches(['"', '\'']);
        let plain: Vec<&str> = value.split(':').filter(|word| !word.contains('$')).collect();
        (!plain.is_empty()).then(|| plain.join(":"))
    });
    values.collect()
}

fn unreadable(name: &str, unseen: Unseen) -> Entry {
    Entry {
        name: name.to_owned(),
        used_by: vec![name.to_owned()],
        relative: false,
        others: true,
        writable: Look::Unknown(unseen),
        through: None,
        problem: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_from_assignments() {
        for (line, expected) in [
            ("PATH=/a:/b", vec!["/a:/b"]),
            ("export PATH=\"/a::$PATH\"", vec!["/a:"]),
            ("PATH = /a # why", vec!["/a"]),
            ("PATHS=/a", vec![]),
            ("PATH=$PATH", vec![]),
            ("# PATH=/a", vec![]),
        ] {
            assert_eq!(assigned(line), expected, "{line}");
        }
    }
}
