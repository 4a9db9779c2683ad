//! What becomes of findings that a scan has: which of them somebody accepts or knows already, by comments, ignore lists
//! and baselines; and reading the files that say so.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use gitleaks_rs::{Finding, Key};

use super::Failure;
use crate::cli::Scan;
use crate::facts::opinions::{self, Opinion};
use crate::report::{self, Leaks, Standing};

/// The largest report and ignore list that is read.
const LIMIT: u64 = 256 << 20;

/// Surest first, those of one rule together; what a comment, an ignore list or the baseline names needs nothing.
pub(super) fn settle(leaks: &mut Leaks, known: &BTreeSet<String>, ignored: &BTreeSet<String>) {
    let named = |finding: &Finding, list: &BTreeSet<String>| {
        let bare = format!("{}:{}:{}", finding.path, finding.rule, finding.line);
        list.contains(&finding.stable) || list.contains(&finding.fingerprint) || list.contains(&bare)
    };
    for (finding, standing) in &mut leaks.findings {
        if matches!(standing, Standing::Accepted(_)) {
            // By a waiver, which has a reason.
        } else if finding.allowed || named(finding, ignored) {
            *standing = Standing::Accepted(None);
        } else if *standing == Standing::Open && named(finding, known) {
            *standing = Standing::Known;
        }
    }
    leaks.findings.sort_by(|(a, _), (b, _)| {
        let order = |one: &Finding| (one.context as u8, one.path.clone(), one.offset, one.fingerprint.clone());
        b.confidence.cmp(&a.confidence).then_with(|| a.rule.cmp(&b.rule)).then_with(|| order(a).cmp(&order(b)))
    });
}

/// The fingerprints in the `.gitleaksignore` of this folder and of what is scanned. The state of an agent is not this
/// folder's, and what lies here has no say in it.
pub(super) fn ignored(args: &Scan) -> BTreeSet<String> {
    if args.state {
        return BTreeSet::new();
    }
    let folders = args.paths.iter().map(PathBuf::as_path).chain([Path::new(".")]);
    let lists = folders.filter_map(|folder| read(&folder.join(".gitleaksignore")).ok());
    let lines: Vec<String> = lists.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    let lines = lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.replace('\\', "/")).collect()
}

/// The names in an earlier report.
pub(super) fn baseline(file: &Path) -> Result<BTreeSet<String>, Failure> {
    let help = "give a report that `harden scan -f json=FILE` or Gitleaks wrote";
    report_in(file, "use the baseline", help, report::leaks_known)
}

/// What another scanner reports.
pub(super) fn opinions(file: &Path, key: &Key) -> Result<Vec<Opinion>, Failure> {
    let help = "give a report that gitleaks, trufflehog or kingfisher wrote as JSON";
    report_in(file, "import", help, |text| opinions::opinions(text, key))
}

fn report_in<T>(file: &Path, act: &str, help: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<T, Failure> {
    let text = read(file).map_err(|error| super::failure::cause(&error));
    let parsed = text.and_then(|text| parse(&text));
    parsed.map_err(|why| Failure::usage(format!("cannot {act} `{}`: {why}", file.display()), help))
}

/// A file of at most 256 MiB; links are not followed, pipes not waited for.
fn read(file: &Path) -> io::Result<String> {
    if !std::fs::symlink_metadata(file)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut text = String::new();
    io::Read::read_to_string(&mut io::Read::take(File::open(file)?, LIMIT), &mut text)?;
    Ok(text)
}
