//! What runs by itself: cron, anacron, at, systemd, launchd; and where the agent's account could add to it, in their
//! folders, their files or the programs that they start.

mod programs;
mod text;

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::Serialize;

use self::text::{Form, Job, may_schedule, property_list, table, unit};
use super::ProbeError;
use super::people::homes;
use super::reach::{Reach, abs, list, text as content};
use crate::host::{Entry, Host, Kind, Want};
use crate::model::{AbsPath, Location, Look, Os, Subject, Unseen};

/// The largest job file that is read: 256 KiB.
const LIMIT: u64 = 256 << 10;
/// How many files of one folder are looked at.
const FILES: usize = 5000;

/// Folders and files, and what their files are.
const LINUX: &[(&str, What)] = &[
    ("/etc/crontab", What::Table(Form::System)),
    ("/etc/anacrontab", What::Table(Form::Anacron)),
    ("/etc/cron.d", What::Table(Form::System)),
    ("/etc/cron.hourly", What::Script),
    ("/etc/cron.daily", What::Script),
    ("/etc/cron.weekly", What::Script),
    ("/etc/cron.monthly", What::Script),
    ("/etc/cron.yearly", What::Script),
    ("/etc/periodic", What::Script),
    ("/var/spool/cron", What::Table(Form::Own)),
    ("/var/spool/cron/crontabs", What::Table(Form::Own)),
    ("/var/spool/cron/atjobs", What::Script),
    ("/var/spool/at", What::Script),
    ("/etc/systemd/system", What::Unit),
    ("/etc/systemd/user", What::Unit),
    ("/run/systemd/system", What::Unit),
    ("/usr/local/lib/systemd/system", What::Unit),
    ("/usr/lib/systemd/system", What::Unit),
    ("/lib/systemd/system", What::Unit),
    ("/usr/lib/systemd/user", What::Unit),
    ("/etc/systemd/system-generators", What::Script),
    ("/usr/lib/systemd/system-generators", What::Script),
    ("/etc/init.d", What::Script),
    ("/etc/rc.local", What::Script),
    ("/etc/xdg/autostart", What::Script),
];
const MACOS: &[(&str, What)] = &[
    ("/Library/LaunchDaemons", What::PropertyList),
    ("/Library/LaunchAgents", What::PropertyList),
    ("/Library/StartupItems", What::Script),
    ("/etc/crontab", What::Table(Form::System)),
    ("/etc/periodic/daily", What::Script),
    ("/etc/periodic/weekly", What::Script),
    ("/etc/periodic/monthly", What::Script),
    ("/usr/local/etc/periodic", What::Script),
    ("/usr/lib/cron/tabs", What::Table(Form::Own)),
    ("/usr/lib/cron/jobs", What::Script),
];
/// Jobs of a person, below the home.
const PERSONAL: &[&str] = &[".config/systemd/user", ".config/autostart", "Library/LaunchAgents"];

/// What the files of a scheduler's folder are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Table(Form),
    Script,
    Unit,
    PropertyList,
}

/// What runs by itself.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Every folder and table of a scheduler; of single files and programs only those that the agent's account can
    /// change, or of which that is not known.
    places: Vec<Place>,
}

/// A place that decides what runs by itself.
#[derive(Serialize, JsonSchema)]
struct Place {
    /// Where it is.
    path: AbsPath,
    /// What it is.
    kind: PlaceKind,
    /// The job file that starts it, for a program.
    started_by: Option<String>,
    /// Whether the agent's account can change it or put another in its place.
    changeable: Look<bool>,
    /// What the account would write to for that.
    through: Option<AbsPath>,
    /// What the account can do there, to follow "can".
    means: String,
    /// The line that starts it, for a program.
    at: Option<Location>,
}

/// What a place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum PlaceKind {
    /// A folder of job files.
    Folder,
    /// A job file.
    File,
    /// A program or script that a job starts.
    Program,
    /// The program with which the account adds jobs of its own.
    OwnJobs,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let reach = Reach::of_agent(host, subject)?;
    let mut survey = Survey { host, name: &subject.account()?.name, reach, seen: HashSet::new(), places: Vec::new() };
    // To root all of them are open; one line says so.
    if survey.reach.is_root() {
        let path = abs(if subject.os == Os::Macos { "/Library/LaunchDaemons" } else { "/etc/crontab" });
        return Ok(Fact { places: vec![place(path.clone(), PlaceKind::File, Ok(Some(path)))] });
    }
    for (path, what) in if subject.os == Os::Macos { MACOS } else { LINUX } {
        survey.place(&abs(path), *what);
    }
    survey.personal(subject)?;
    survey.own_jobs(subject.os);
    let mut known = HashSet::new();
    survey.places.retain(|place| known.insert((place.path.clone(), place.started_by.clone())));
    Ok(Fact { places: survey.places })
}

struct Survey<'a> {
    host: &'a dyn Host,
    name: &'a str,
    reach: Reach<'a>,
    /// Programs that were looked at: most units start the same few.
    seen: HashSet<AbsPath>,
    places: Vec<Place>,
}

impl Survey<'_> {
    fn place(&mut self, path: &AbsPath, what: What) {
        let (real, stat) = match self.reach.look(path) {
            Ok(Some(found)) => found,
            Ok(None) => return,
            Err(unseen) => return self.places.push(place(path.clone(), PlaceKind::Folder, Err(unseen))),
        };
        // Two names of one folder are one place.
        if self.places.iter().any(|known| known.path == real) {
            return;
        }
        let kind = if stat.kind == Kind::Dir { PlaceKind::Folder } else { PlaceKind::File };
        let through = self.reach.replace(path).map(Option::flatten);
        let open = matches!(through, Ok(Some(_)));
        self.places.push(place(real.clone(), kind, through));
        match kind {
            // Whoever can add to a folder needs none of its files.
            PlaceKind::Folder if !open => self.folder(&real, what),
            PlaceKind::File => self.jobs(&real, what),
            _ => {}
        }
    }

    fn folder(&mut self, folder: &AbsPath, what: What) {
        match list(self.host, folder, FILES) {
            Err(unseen) => self.unread(folder, unseen),
            Ok(entries) => entries.into_iter().flatten().for_each(|entry| self.entry(folder, &entry, what)),
        }
    }

    fn entry(&mut self, folder: &AbsPath, entry: &Entry, what: What) {
        let path = folder.join(&entry.name);
        let through = self.reach.plant(&path);
        let kind = if entry.kind == Kind::Dir { PlaceKind::Folder } else { PlaceKind::File };
        if !matches!(through, Ok(None)) {
            return self.places.push(place(path, kind, through));
        }
        if entry.kind == Kind::Dir {
            // Drop-ins of a unit; folders of scripts hold scripts.
            if path.name_text().ends_with(".d") || what == What::Script {
                self.drop_ins(&path, what);
            }
        } else if entry.kind == Kind::File {
            self.jobs(&path, what);
        }
    }

    fn drop_ins(&mut self, folder: &AbsPath, what: What) {
        match list(self.host, folder, FILES) {
            Err(unseen) => self.unread(folder, unseen),
            Ok(entries) => {
                for entry in entries.into_iter().flatten().filter(|entry| entry.kind != Kind::Dir) {
                    let path = folder.join(&entry.name);
                    match self.reach.plant(&path) {
                        Ok(None) => self.jobs(&path, what),
                        through => self.places.push(place(path, PlaceKind::File, through)),
                    }
                }
            }
        }
    }

    /// Looks at the programs that a file starts.
    fn jobs(&mut self, file: &AbsPath, what: What) {
        let name = file.name_text();
        let starts = match what {
            What::Unit => name.ends_with(".service") || name.ends_with(".conf") || name.ends_with(".socket"),
            What::PropertyList => name.ends_with(".plist"),
            What::Table(form) => form != Form::Own || name != self.name,
            What::Script => false,
        };
        if !starts {
            return;
        }
        let text = match content(self.host, file, LIMIT) {
            Ok(text) => text.unwrap_or_default(),
            Err(unseen) => return self.unread(file, unseen),
        };
        let jobs = match what {
            What::Table(form) => table(&text, form),
            What::Unit => unit(&text),
            What::PropertyList => match property_list(&text) {
                Some(job) => vec![job],
                None => {
                    return self
                        .unread(file, Unseen::new(format!("`{file}` is binary"), "look at it with `plutil -p`"));
                }
            },
            What::Script => Vec::new(),
        };
        jobs.iter().for_each(|job| self.job(file, job));
    }

    /// A job that runs as the agent's account gives it nothing.
    fn job(&mut self, file: &AbsPath, job: &Job) {
        if job.user.as_deref() == Some(self.name) {
            return;
        }
        for program in &job.programs {
            if !self.seen.insert(program.clone()) {
                continue;
            }
            let through = self.reach.plant(program);
            if matches!(through, Ok(None)) {
                continue;
            }
            let mut place = place(program.clone(), PlaceKind::Program, through);
            place.started_by = Some(file.text());
            place.means = format!("{}, which `{file}` starts", place.means);
            place.at = Some(Location::line(file.text(), job.line, &job.text));
            self.places.push(place);
        }
    }

    /// Jobs of people. Those of an account that only the agent uses run with its own rights, and only while it has a
    /// session.
    fn personal(&mut self, subject: &Subject) -> Result<(), ProbeError> {
        for home in homes(self.host, subject)?.into_iter().filter(|home| home.is_human) {
            for path in PERSONAL.iter().map(|path| home.path.join(path)) {
                let mac = path.text().contains("/Library/");
                if mac != (subject.os == Os::Macos) || self.reach.may(&home.path, Want::Execute) == Ok(Some(false)) {
                    continue;
                }
                // Where nobody logs in, nothing starts what lies in a home; whoever audits is logged in.
                let in_doubt = home.uid == self.reach.uid() && !subject.is_invokers();
                match home.doubt.clone().filter(|_| in_doubt).map_or_else(|| self.reach.plant(&path), Err) {
                    // A folder that could be made is worth a line where the person's home is the account's own.
                    Ok(None) if matches!(self.reach.may(&path, Want::Execute), Ok(None)) => {}
                    through => self.places.push(place(path, PlaceKind::Folder, through)),
                }
            }
        }
        Ok(())
    }

    /// Whether the account may add jobs with `crontab` and `at`.
    fn own_jobs(&mut self, os: Os) {
        let folder = if os == Os::Macos { "/usr/lib/cron" } else { "/etc" };
        // Where neither list is there, cron is open to all on most systems and at to root alone.
        for (program, lists, otherwise) in [("/usr/bin/crontab", "cron", true), ("/usr/bin/at", "at", false)] {
            let program = abs(program);
            let through = match self.reach.may(&program, Want::Execute) {
                Ok(None) => continue,
                Ok(Some(false)) => Ok(None),
                Ok(Some(true)) => self.allowed(folder, lists, otherwise).map(|may| may.then(|| program.clone())),
                Err(unseen) => Err(unseen),
            };
            self.places.push(place(program, PlaceKind::OwnJobs, through));
        }
    }

    fn allowed(&self, folder: &str, lists: &str, otherwise: bool) -> Result<bool, Unseen> {
        let read = |end: &str| content(self.host, &abs(&format!("{folder}/{lists}.{end}")), LIMIT);
        let allow = read("allow")?;
        let deny = if allow.is_some() { None } else { read("deny")? };
        Ok(may_schedule(self.name, allow.as_deref(), deny.as_deref(), otherwise))
    }

    /// What stands in a file or folder that could not be read may start something of the agent's.
    fn unread(&mut self, path: &AbsPath, unseen: Unseen) {
        let mut place = place(path.clone(), PlaceKind::Program, Err(unseen));
        place.started_by = Some(path.text());
        self.places.push(place);
    }
}

fn place(path: AbsPath, kind: PlaceKind, through: Result<Option<AbsPath>, Unseen>) -> Place {
    let (changeable, through) = match through {
        Ok(through) => (Look::Known(through.is_some()), through),
        Err(unseen) => (Look::Unknown(unseen), None),
    };
    let means = match &through {
        Some(_) if kind == PlaceKind::OwnJobs => format!("add jobs of its own with `{path}`"),
        Some(through) if *through != path => format!("write to `{through}` and so decide what `{path}` is"),
        _ => format!("write to `{path}`"),
    };
    Place { path, kind, started_by: None, changeable, through, means, at: None }
}
