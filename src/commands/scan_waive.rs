//! Waivers of a profile, laid over what a scan found: those of the check that asks the same, and those of rules. A waiver
//! means one subject, as in an audit: a file by its path from the top of the project, in full, or as the report has it;
//! in a history also `commit:path`.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use gitleaks_rs::{Finding, Scanner};

use super::{Failure, session, terminal};
use crate::catalog::{self, Request, Types};
use crate::check;
use crate::cli::Scan;
use crate::model::{Policy, Waiver, WaiverProblem, plain};
use crate::report::{Leaks, Standing};

/// The checks that ask the same of a project and of the agent's state: a waiver of theirs holds here too.
const PROJECT: (&str, &str) = ("secret-in-project", "SEC-01");
const STATE: (&str, &str) = ("secret-in-state", "STA-06");

/// What the reviewer's profile says, which is never one that the scanned files bring along.
pub(super) fn policy(args: &Scan, scanner: &Scanner) -> Result<Policy, Failure> {
    let rules = session::rule_ids(scanner);
    let request = Request { profile: args.profile.clone(), rules, ..Request::default() };
    let policy = catalog::policy(&catalog::checks(&Types::default())?, &request, catalog::today())?;
    tell(&policy.problems);
    Ok(policy)
}

/// Says what is the matter with waivers.
fn tell(problems: &[WaiverProblem]) {
    for problem in problems {
        let of = problem.subject.as_ref().map(|subject| format!(" for `{}`", plain(subject))).unwrap_or_default();
        terminal::error(&format!("warning: waiver of {}{of}: {}", plain(&problem.check), plain(&problem.problem)));
    }
}

/// Where the paths of findings begin.
#[derive(Debug, Default)]
pub(super) struct Origin {
    /// The folder, as it was given and as it is without links.
    folders: Vec<PathBuf>,
    /// The top of the work tree around it.
    top: Option<PathBuf>,
}

impl Origin {
    /// That of what is found below a folder, or in a file, whose path is then already that of the report.
    pub(super) fn of(path: &Path) -> Rc<Self> {
        let folder = if path.is_dir() { path } else { Path::new(".") };
        let real = folder.canonicalize().ok();
        let is_top = |folder: &&Path| folder.join(".git").symlink_metadata().is_ok();
        let top = real.as_deref().and_then(|real| real.ancestors().find(is_top)).map(Path::to_owned);
        Rc::new(Self { folders: std::path::absolute(folder).ok().into_iter().chain(real).collect(), top })
    }

    /// All that a file of the report is called.
    fn names(&self, path: &Path) -> Vec<PathBuf> {
        let mut names: Vec<PathBuf> = self.folders.iter().map(|folder| folder.join(path)).collect();
        let in_project = names.iter().filter_map(|full| full.strip_prefix(self.top.as_ref()?).ok());
        let in_project: Vec<PathBuf> = in_project.map(Path::to_owned).collect();
        names.extend(in_project);
        names.push(path.to_owned());
        names
    }

    /// Whether a subject names this finding.
    fn means(&self, subject: &str, finding: &Finding) -> bool {
        let names = self.names(Path::new(&finding.path));
        let is_named = |subject: &str| names.iter().any(|name| name == Path::new(subject));
        let of_commit = finding.commit.as_ref().and_then(|commit| subject.strip_prefix(&commit.id)?.strip_prefix(':'));
        is_named(subject) || of_commit.is_some_and(is_named)
    }

    /// Whether it is all of a project.
    fn is_whole(&self) -> bool {
        self.top.as_ref().is_none_or(|top| self.folders.contains(top))
    }

    /// Whether a subject lies in what was looked at.
    fn holds(&self, subject: &Path) -> bool {
        let full = self.top.as_ref().map_or_else(|| subject.to_owned(), |top| top.join(subject));
        self.folders.iter().any(|folder| full.starts_with(folder))
    }
}

/// Accepts what waivers of the check that asks the same, or of a rule, cover. `origins` are those of the first findings;
/// what comes behind was found by somebody else and is taken to begin here.
pub(super) fn waive(leaks: &mut Leaks, args: &Scan, policy: &Policy, rules: &Scanner, origins: &[Rc<Origin>]) {
    let (id, code) = if args.state { STATE } else { PROJECT };
    let here = Origin::of(Path::new("."));
    let mut used = vec![false; policy.waivers.len()];
    for (at, (finding, standing)) in leaks.findings.iter_mut().enumerate() {
        let origin = origins.get(at).unwrap_or(&here);
        let covers = |waiver: &Waiver| {
            (waiver.names(id, code) || waiver.check == finding.rule)
                && waiver.subject.as_ref().is_none_or(|subject| origin.means(subject, finding))
        };
        if *standing == Standing::Open
            && let Some(which) = policy.waivers.iter().position(covers)
        {
            used[which] = true;
            let waiver = &policy.waivers[which];
            let reason = format!("{} ({}, until {})", waiver.reason, waiver.owner, waiver.expires);
            *standing = Standing::Accepted(Some(reason));
        }
    }
    let told = told(args, leaks.problems.is_empty());
    let rules = session::rule_ids(rules);
    let asks = |waiver: &Waiver| waiver.names(id, code);
    let mine = policy.waivers.iter().zip(used).filter(|(waiver, _)| asks(waiver) || rules.contains(&waiver.check));
    let problems = mine.filter_map(|(waiver, used)| {
        check::waiver_problem(waiver, used, told(waiver.subject.as_deref(), asks(waiver)), catalog::today())
    });
    tell(&problems.collect::<Vec<_>>());
}

/// Whether this scan can tell that a waiver covers nothing: it has looked at all that the waiver could mean.
fn told(args: &Scan, all_was_read: bool) -> impl Fn(Option<&str>, bool) -> bool {
    let part = args.staged || args.pushed || args.stdin || args.agent.is_some() || !args.since.is_empty();
    let whole = all_was_read && !part;
    let here = [PathBuf::from(".")];
    let paths = if args.paths.is_empty() { &here[..] } else { &args.paths };
    let folders: Vec<_> = paths.iter().filter(|path| path.is_dir()).map(|path| Origin::of(path)).collect();
    let state = args.state;
    move |subject, of_check| match subject.map(Path::new) {
        // Another scan may find what a rule is waived for.
        None => whole && of_check && (state || folders.iter().any(|folder| folder.is_whole())),
        Some(subject) if state => whole && of_check && subject.is_absolute(),
        Some(subject) => whole && folders.iter().any(|folder| folder.holds(subject)),
    }
}
