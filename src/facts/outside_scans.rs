//! Reports of other secret scanners that the profile demands: whether each is there, how old it is, and what it found.
//! How old is what the file's time says; a report that the agent may write says what the agent likes.

use gitleaks_rs::Key;
use schemars::JsonSchema;
use serde::Serialize;

use super::ProbeError;
use super::opinions::{Opinion, opinions};
use crate::host::{Host, is_absent};
use crate::model::{Look, Subject};

/// The largest report that is read.
const LIMIT: u64 = 16 << 20;
/// So many findings of a report are told one by one.
const LISTED: usize = 200;
const TOOLS: &[&str] = &["gitleaks", "trufflehog", "kingfisher"];
const DAY: i64 = 24 * 60 * 60;

/// Reports of other secret scanners.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Each report of `outside_scans`, and behind it each of its findings; null where the profile names none.
    list: Option<Vec<Item>>,
}

/// A report, or a finding in one.
#[derive(Serialize, JsonSchema)]
struct Item {
    /// The report as the profile names it, or the place of the finding.
    name: String,
    /// The scanner.
    tool: String,
    /// The report's file.
    report: String,
    /// What is wrong with it; empty for a report that is as it should be.
    faults: Look<Vec<String>>,
    /// Whether the scanner has used the secret, and it worked.
    live: bool,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let demanded = subject.parameters.list("outside_scans");
    let most = i64::try_from(subject.parameters.number("outside_scan_max_days")).unwrap_or(i64::MAX);
    let now = jiff::Timestamp::now().as_second();
    let items = demanded.iter().flat_map(|entry| report(host, subject, entry, most, now));
    Ok(Fact { list: (!demanded.is_empty()).then(|| items.collect()) })
}

fn report(host: &dyn Host, subject: &Subject, entry: &str, most: i64, now: i64) -> Vec<Item> {
    let item = |faults| {
        let (tool, report) = entry.split_once('=').unwrap_or(("", entry));
        Item { name: entry.to_owned(), tool: tool.to_owned(), report: report.to_owned(), faults, live: false }
    };
    let Some((tool, file)) = entry.split_once('=').filter(|(tool, file)| TOOLS.contains(tool) && !file.is_empty())
    else {
        let how = format!("write `TOOL=FILE` in `outside_scans`, with one of {}", TOOLS.join(", "));
        return vec![item(Look::unknown(format!("`{entry}` names no report of a known scanner"), how))];
    };
    let path = subject.project.join(file);
    let read = host.stat(&path).and_then(|stat| Ok((stat, host.read(&path, LIMIT)?)));
    let (stat, bytes) = match read {
        Ok(read) => read,
        Err(error) if is_absent(&error) => return vec![item(Look::Known(vec!["it is not there".into()]))],
        Err(error) => {
            let how = "run as an account that may read it, and give a regular file of at most 16 MiB";
            return vec![item(Look::unknown(format!("`{file}` could not be read: {error}"), how))];
        }
    };
    let text = String::from_utf8_lossy(&bytes);
    // Only one of them says by an empty file that it found nothing.
    let empty = text.trim().is_empty() && tool != "trufflehog";
    let found = if empty { Err("it is empty".to_owned()) } else { opinions(&text, &Key::new([0; 32])) };
    let age = now.saturating_sub(stat.modified).max(0) / DAY;
    let mut faults = Vec::new();
    if age > most {
        faults.push(format!("it is more than {most} days old"));
    }
    let found = found.unwrap_or_else(|why| {
        faults.push(format!("it is no report: {why}"));
        Vec::new()
    });
    if let Some(other) = found.iter().find(|opinion| opinion.tool != tool) {
        faults.push(format!("it is a report of {}", other.tool));
    }
    if found.len() > LISTED {
        faults.push(format!("it has {} findings, of which {LISTED} are listed", found.len()));
    }
    let findings = found.iter().take(LISTED).map(|opinion| finding(opinion, tool, file));
    std::iter::once(item(Look::Known(faults))).chain(findings).collect()
}

fn finding(opinion: &Opinion, tool: &str, report: &str) -> Item {
    let path = opinion.path.strip_prefix("./").unwrap_or(&opinion.path);
    let line = if opinion.line > 0 { format!(":{}", opinion.line) } else { String::new() };
    let commit = opinion.commit.as_deref().map(|id| id.chars().take(12).collect::<String>());
    let commit = commit.map(|id| format!(" in {id}")).unwrap_or_default();
    let tried = if opinion.live { "and found that it works" } else { "and does not say that it works" };
    Item {
        name: format!("{path}{line}{commit}"),
        tool: tool.to_owned(),
        report: report.to_owned(),
        faults: Look::Known(vec![format!("{} found `{}` there, {tried}", opinion.tool, opinion.rule)]),
        live: opinion.live,
    }
}
