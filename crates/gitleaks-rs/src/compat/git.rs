//! What Gitleaks reads of a repository: the log that git writes of it. How git cuts a change into hunks is git's own
//! business, so git is what writes it here too, but without the repository's say: its configuration could make git run
//! programs, and git never sees it. Git is given a folder of ours for its own, in which nothing is set, and of the
//! repository only what is data: its objects, the commits that our own reader found, copies of its attributes and its mail
//! map.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::Detector;
use super::diff::LogError;
use super::finding::Finding;
use crate::history::{Given, OpenError, Options, Problem, Range, Repository};

/// Where git may stand. PATH is never asked.
const PROGRAMS: &[&str] =
    &["/usr/bin/git", "/usr/local/bin/git", "/bin/git", "/opt/homebrew/bin/git", "/run/current-system/sw/bin/git"];

/// Where the copies of the work tree's files are.
const WORK_TREE: &str = "work";

/// Nothing is taken from files of settings, nothing is fetched, asked or locked.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("LC_ALL", "C"),
    ("PATH", "/usr/bin:/bin"),
];

/// What Gitleaks asks for, of the commits on standard input. What is cached beside the objects is not believed.
const ARGUMENTS: &[&str] = &[
    "--no-pager",
    "-c",
    "core.commitGraph=false",
    "log",
    "--no-ext-diff",
    "--no-textconv",
    "-p",
    "-U0",
    "--diff-filter=tuxdb",
    "--no-walk=unsorted",
    "--stdin",
];

/// Why a history cannot be searched as Gitleaks does.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The repository cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Git is not let near its objects.
    #[error("`{}` {why}", .path.display())]
    Refused {
        /// The repository.
        path: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// There is no git.
    #[error("git is not installed in any of its usual folders")]
    Missing,
    /// It cannot be started or given what it needs.
    #[error("cannot let git write the log: {0}")]
    Start(#[from] io::Error),
    /// It did not write all of it.
    #[error("git ended with {0} before the log was whole; what it had written was searched")]
    Ended(std::process::ExitStatus),
    /// What it wrote cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl Detector {
    /// The findings in what the commits of a range add, and what of them could not be read.
    pub fn scan_history(
        &self,
        path: &Path,
        range: &Range,
        visit: impl FnMut(Vec<Finding>),
    ) -> Result<Vec<Problem>, HistoryError> {
        let repository = Repository::open(path, Options::default())?;
        let commits = repository.names(range)?;
        let given = repository.given()?;
        if let Some(why) = given.refused {
            return Err(HistoryError::Refused { path: path.to_owned(), why });
        }
        // Where no commit is named git takes the newest one.
        if commits.is_empty() {
            return Ok(repository.problems());
        }
        let own = tempfile::tempdir()?;
        let text: String = commits.iter().map(|id| format!("{id}\n")).collect();
        fs::write(own.path().join("commits"), text)?;
        make(&own, &given)?;
        let mut child = start(&own, &given)?;
        let log = child.stdout.take().expect("it was asked for");
        let read = self.scan_log(BufReader::with_capacity(1 << 18, log), visit);
        if read.is_err() {
            // It may still wait to be read.
            let _ = child.kill();
        }
        let status = child.wait()?;
        read?;
        if status.success() { Ok(repository.problems()) } else { Err(HistoryError::Ended(status)) }
    }
}

/// Makes the folder that git takes for the repository.
fn make(own: &TempDir, given: &Given) -> io::Result<()> {
    let put = |name: &str, text: &[u8]| fs::write(own.path().join(name), text);
    fs::create_dir(own.path().join("refs"))?;
    fs::create_dir(own.path().join("info"))?;
    let head = given.head.clone().unwrap_or_else(|| "ref: refs/heads/none".to_owned());
    put("HEAD", format!("{head}\n").as_bytes())?;
    let bare = given.work_tree.is_none();
    let format = if given.sha256 { "sha256" } else { "sha1" };
    let config =
        format!("[core]\n\trepositoryFormatVersion = 1\n\tbare = {bare}\n[extensions]\n\tobjectFormat = {format}\n");
    put("config", config.as_bytes())?;
    put("info/attributes", &given.attributes)?;
    for (path, text) in given.work_tree.iter().flatten() {
        let file = own.path().join(WORK_TREE).join(path);
        fs::create_dir_all(file.parent().unwrap_or(own.path()))?;
        fs::write(file, text)?;
    }
    fs::create_dir_all(own.path().join(WORK_TREE))?;
    if given.shallow.is_empty() { Ok(()) } else { put("shallow", &given.shallow) }
}

fn start(own: &TempDir, given: &Given) -> Result<Child, HistoryError> {
    let program = PROGRAMS.iter().map(Path::new).find(|program| program.is_file()).ok_or(HistoryError::Missing)?;
    let mut git = Command::new(program);
    git.env_clear().envs(ENVIRONMENT.iter().copied()).args(ARGUMENTS);
    git.env("HOME", own.path()).env("GIT_DIR", own.path()).env("GIT_OBJECT_DIRECTORY", &given.objects);
    let work_tree = own.path().join(WORK_TREE);
    if given.work_tree.is_some() {
        git.env("GIT_WORK_TREE", &work_tree);
    }
    git.current_dir(&work_tree);
    git.stdin(File::open(own.path().join("commits"))?).stdout(Stdio::piped()).stderr(Stdio::null());
    Ok(git.spawn()?)
}

/// The command whose output [`Detector::scan_log`] reads with the same result, and with all that is set for git.
pub fn log_command(path: &OsStr) -> String {
    let quoted = path.to_string_lossy().replace('\'', r"'\''");
    format!("git -C '{quoted}' log -p -U0 --full-history --all --diff-filter=tuxdb")
}
