//! `harden history` and `harden diff`: the audits that are kept, and what changed between two.

use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::json;

use super::{Failure, keep, saved, terminal};
use crate::cli::{Color, Diff, TextOrJson};
use crate::evidence::{self, Point};
use crate::history::{History, Kept};
use crate::report::{self, Report};

/// Opens the history of this account.
pub(super) fn open() -> Result<History, Failure> {
    let unusable =
        |why: String| Failure::usage(why, "it lies in XDG_STATE_HOME, or ~/.local/state, in the folder `harden`");
    let folder = keep::state().map_err(|error| unusable(format!("there is no place for the history: {error}")))?;
    History::open(&folder.join("history.sqlite")).map_err(|error| unusable(error.to_string()))
}

/// Keeps an audit. Where that cannot be done, the audit is good all the same.
pub(super) fn keep(audit: &Report, quiet: bool) {
    let kept = open().and_then(|history| history.keep(audit).map_err(|error| Failure::usage(error.to_string(), "")));
    if let (Err(failure), false) = (kept, quiet) {
        terminal::error(&format!("not kept in the history: {failure}; `--no-history` leaves it out"));
    }
}

/// Earlier audits, for a trend; none where there is no history.
pub(super) fn past() -> Vec<Point> {
    let listed = open().and_then(|history| history.list(None).map_err(|error| Failure::usage(error.to_string(), "")));
    match listed {
        Ok(kept) => kept.into_iter().map(|kept| kept.point).collect(),
        Err(failure) => {
            terminal::error(&format!("without the trend: {failure}; `--no-history` leaves it out"));
            Vec::new()
        }
    }
}

/// Lists what is kept, or forgets a part of it.
pub(super) fn run(args: &crate::cli::History, color: Color) -> Result<ExitCode, Failure> {
    let history = open()?;
    let wrong =
        |error: crate::history::HistoryError| Failure::usage(error.to_string(), "move the file away to begin anew");
    if let Some(age) = args.prune {
        let before = Timestamp::now()
            .checked_sub(jiff::SignedDuration::try_from(age).unwrap_or(jiff::SignedDuration::MAX))
            .map_err(|_| Failure::usage("no audit is that old", "give a smaller age"))?;
        let pruned = history.prune(before).map_err(wrong)?;
        terminal::error(&format!("forgot {pruned} audits from before {}", before.strftime("%Y-%m-%d %H:%M UTC")));
    }
    let kept = history.list(args.project.as_deref()).map_err(wrong)?;
    let text = match args.format {
        TextOrJson::Json => terminal::json(
            &kept
                .iter()
                .map(|kept| {
                    json!({
                        "id": kept.id,
                        "harden": kept.harden,
                        "audit": kept.point,
                    })
                })
                .collect::<Vec<_>>(),
        ),
        TextOrJson::Text if kept.is_empty() => "no audits are kept\n".to_owned(),
        TextOrJson::Text => report::list(&kept.iter().map(row).collect::<Vec<_>>(), terminal::look(color)),
    };
    terminal::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// A line of texts; the last one wraps.
fn row(kept: &Kept) -> serde_json::Value {
    let it = &kept.point;
    json!({
        "id": kept.id.to_string(),
        "time": it.time,
        "profile": it.profile,
        "scope": it.scope,
        "answers": format!("{} open, {} waived, {} unknown, {} pass", it.against, it.accepted, it.unknown, it.passed),
        "project": it.project,
    })
}

/// Says what changed between two audits: 1 where something is new.
pub(super) fn diff(args: &Diff) -> Result<ExitCode, Failure> {
    let diff = evidence::diff(&saved::read(&args.before)?, &saved::read(&args.after)?);
    let text = match args.format {
        TextOrJson::Json => terminal::json(&diff),
        TextOrJson::Text => evidence::diff_text(&diff),
    };
    terminal::print(&text)?;
    Ok(if diff.new.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
