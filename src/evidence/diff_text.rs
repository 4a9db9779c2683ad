//! A difference for people.

use std::fmt::Write as _;

use super::{Change, Diff};

/// One line for each change, what is new first, and a summary.
pub fn diff_text(diff: &Diff) -> String {
    let mut out = String::new();
    for (name, side) in [("before", &diff.before), ("after", &diff.after)] {
        let _ = writeln!(
            out,
            "{name}  {} · {} · profile {} · scope {} · {}",
            side.name, side.time, side.profile, side.scope, side.project
        );
    }
    diff.notes.iter().for_each(|note| {
        let _ = writeln!(out, "note: {note}");
    });
    for (title, list) in
        [("new", &diff.new), ("fixed", &diff.fixed), ("changed", &diff.changed), ("not compared", &diff.not_compared)]
    {
        if !list.is_empty() {
            let _ = write!(out, "\n{title}\n");
            list.iter().for_each(|it| line(&mut out, it));
        }
    }
    let _ = write!(
        out,
        "\n{} new, {} fixed, {} changed, {} not compared, {} as before\n",
        diff.new.len(),
        diff.fixed.len(),
        diff.changed.len(),
        diff.not_compared.len(),
        diff.same,
    );
    out
}

fn line(out: &mut String, change: &Change) {
    let about: String = [&change.subject, &change.agent].into_iter().flatten().map(|it| format!(" · {it}")).collect();
    let state = |status: Option<crate::model::Status>| status.map_or("none", |status| status.name());
    let note = if change.note.is_empty() { String::new() } else { format!(" ({})", change.note) };
    let _ = writeln!(
        out,
        "  {:8}  {}  {}{about}: {} → {}{note}\n            {}",
        change.severity.name(),
        change.code,
        change.check,
        state(change.before),
        state(change.after),
        change.message,
    );
}
