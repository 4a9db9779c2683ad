//! Every fault at every call. The test prints how many points it tried, and `docs/apply-faults.md` says so.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use harden::apply::{self, Failed};
use harden::model::{Contents, Plan};

use crate::invented::{Fault, Invented, Part};
use crate::scenario::{self, journal, machine, plan, rollback};

const ERRORS: [(&str, ErrorKind); 3] = [
    ("no space (ENOSPC)", ErrorKind::StorageFull),
    ("refused (EACCES)", ErrorKind::PermissionDenied),
    ("broken (EIO)", ErrorKind::Other),
];
const PARTS: [(&str, Part); 3] = [("before", Part::None), ("in the middle of", Part::Half), ("right after", Part::All)];

/// What a clean run is, and leads to.
struct Clean {
    before: Invented,
    after: Invented,
    plan: Plan,
    contents: Contents,
    calls: usize,
}

fn clean() -> Clean {
    let before = machine();
    let (plan, contents) = plan(&before);
    let mut after = before.again(false);
    scenario::apply(&mut after, &plan, &contents).expect("applies");
    Clean { calls: after.calls.get(), before, after, plan, contents }
}

/// How many points of each kind were tried.
type Tried = BTreeMap<String, usize>;

fn count(tried: &mut Tried, what: impl Into<String>) {
    *tried.entry(what.into()).or_default() += 1;
}

impl Clean {
    /// Applies with a fault, and holds what is said against what is there.
    fn broken(&self, at: usize, fault: Fault) -> Invented {
        let mut machine = self.before.clone().breaks(at, fault);
        let went = scenario::apply(&mut machine, &self.plan, &self.contents);
        let place = format!("call {at}, {fault:?}: {went:?}");
        match went {
            Ok(()) => assert_eq!(machine.seen(), self.after.seen(), "{place}"),
            Err(Failed::Nothing { .. } | Failed::Undone { .. }) => {
                assert_eq!(machine.seen(), self.before.seen(), "{place}")
            }
            Err(Failed::Stuck { left, .. }) => assert!(!left.is_empty(), "{place}"),
        }
        machine
    }

    /// After an end in the middle: back is as before, and so is on and back.
    fn both_ways(&self, cut: &Invented, place: &str) {
        let mut back = cut.clone();
        rollback(&mut back).unwrap_or_else(|why| panic!("{place}: back: {why}"));
        assert_eq!(back.seen(), self.before.seen(), "{place}: back");
        let mut on = cut.clone();
        let record = journal().read(&on).unwrap_or_else(|error| panic!("{place}: {error}"));
        if record.is_none_or(|record| record.progress != apply::Progress::CutOff) {
            return;
        }
        if let Err(failed) = apply::resume(&mut on, &journal(), &self.plan, &mut |_, _| {}) {
            panic!("{place}: on: {failed}: {failed:?}");
        }
        assert_eq!(on.seen(), self.after.seen(), "{place}: on");
        rollback(&mut on).unwrap_or_else(|why| panic!("{place}: on and back: {why}"));
        assert_eq!(on.seen(), self.before.seen(), "{place}: on and back");
    }
}

#[test]
fn every_fault_at_every_call_ends_clean() {
    let clean = clean();
    let mut tried = Tried::new();
    for at in 1..=clean.calls {
        for (name, kind) in ERRORS {
            for fault in [Fault::Error(kind), Fault::Forever(kind)] {
                // Whatever could not be taken back while the fault lasted goes back once it is over.
                let mut later = clean.broken(at, fault).again(false);
                rollback_if_open(&mut later, &format!("call {at}, {fault:?}"));
                assert_eq!(later.seen(), clean.before.seen(), "call {at}, {fault:?}");
                let lasts = if matches!(fault, Fault::Forever(_)) { "from a call on" } else { "at a call" };
                count(&mut tried, format!("{name} {lasts}"));
            }
        }
        for (name, fault) in [
            ("tool fails", Fault::ToolFails),
            ("tool hangs, its work done", Fault::ToolHangs { done: true }),
            ("tool hangs, its work not done", Fault::ToolHangs { done: false }),
        ] {
            let mut later = clean.broken(at, fault).again(false);
            rollback_if_open(&mut later, &format!("call {at}, {fault:?}"));
            assert_eq!(later.seen(), clean.before.seen(), "call {at}, {fault:?}");
            count(&mut tried, name);
        }
    }
    told("faults", &tried);
}

/// A run that is in place or was left open is taken back; one that was taken back stays.
fn rollback_if_open(machine: &mut Invented, place: &str) {
    let record = journal().read(machine).unwrap_or_else(|error| panic!("{place}: {error}"));
    if record.is_some_and(|record| record.progress != apply::Progress::RolledBack) {
        rollback(machine).unwrap_or_else(|why| panic!("{place}: {why}"));
    }
}

#[test]
fn an_end_at_every_point_can_be_gone_on_with_and_gone_back_from() {
    let clean = clean();
    let mut tried = Tried::new();
    for at in 1..=clean.calls {
        for (part_name, part) in PARTS {
            let mut machine = clean.before.clone().breaks(at, Fault::Ends(part));
            let _ = scenario::apply(&mut machine, &clean.plan, &clean.contents);
            assert!(machine.ended.get(), "call {at} of {}", clean.calls);
            for (name, power) in [("killed", false), ("power lost", true)] {
                clean.both_ways(&machine.again(power), &format!("{name} {part_name} call {at}"));
                count(&mut tried, format!("{name} {part_name} a call of apply"));
            }
        }
    }
    told("ends of apply", &tried);
}

#[test]
fn an_end_at_every_point_of_going_back_can_be_gone_back_from() {
    let clean = clean();
    let mut whole = clean.after.again(false);
    rollback(&mut whole).expect("goes back");
    let mut tried = Tried::new();
    for at in 1..=whole.calls.get() {
        for (part_name, part) in PARTS {
            let mut machine = clean.after.again(false).breaks(at, Fault::Ends(part));
            let _ = rollback(&mut machine);
            assert!(machine.ended.get(), "call {at} of {}", whole.calls.get());
            for (name, power) in [("killed", false), ("power lost", true)] {
                let place = format!("{name} {part_name} call {at} of the way back");
                let mut later = machine.again(power);
                rollback_if_open(&mut later, &place);
                assert_eq!(later.seen(), clean.before.seen(), "{place}");
                count(&mut tried, format!("{name} {part_name} a call of rollback"));
            }
        }
    }
    told("ends of rollback", &tried);
}

#[test]
fn an_end_at_every_point_of_going_on_can_be_gone_back_from() {
    let clean = clean();
    let mut tried = Tried::new();
    // Cut off in the middle of the run, and again at every call of going on.
    let mut cut = clean.before.clone().breaks(clean.calls / 2, Fault::Ends(Part::Half));
    let _ = scenario::apply(&mut cut, &clean.plan, &clean.contents);
    let cut = cut.again(true);
    let mut whole = cut.clone();
    apply::resume(&mut whole, &journal(), &clean.plan, &mut |_, _| {}).expect("goes on");
    for at in 1..=whole.calls.get() {
        for (part_name, part) in PARTS {
            let mut machine = cut.clone().breaks(at, Fault::Ends(part));
            let _ = apply::resume(&mut machine, &journal(), &clean.plan, &mut |_, _| {});
            assert!(machine.ended.get(), "call {at} of {}", whole.calls.get());
            clean.both_ways(&machine.again(true), &format!("power lost {part_name} call {at} of going on"));
            count(&mut tried, format!("power lost {part_name} a call of resume"));
        }
    }
    told("ends of resume", &tried);
}

/// Prints what was tried, past the test harness; and holds `docs/apply-faults.md` against it.
fn told(what: &str, tried: &Tried) {
    use std::fmt::Write as _;
    let total: usize = tried.values().sum();
    let mut rows = String::new();
    for (kind, number) in tried {
        let _ = writeln!(rows, "| {kind} | {number} |");
    }
    let text = format!("## {what}\n\n| what | points |\n| --- | --- |\n{rows}| all | {total} |\n");
    std::io::Write::write_all(&mut std::io::stderr(), format!("{what}: {total} points\n").as_bytes()).expect("writes");
    let file =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/apply-faults").join(what.replace(' ', "-") + ".md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        std::fs::write(&file, &text).expect("written");
    }
    let recorded = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(recorded == text, "{} is not current: UPDATE=1 cargo test --test apply", file.display());
}
