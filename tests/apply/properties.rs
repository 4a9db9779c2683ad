//! What holds of every run that ends well.

use harden::apply;

use crate::invented::{Node, abs};
use crate::scenario::{self, journal, machine, plan, rollback};

#[test]
fn applied_twice_the_second_plan_is_empty() {
    let mut machine = machine();
    let (first, contents) = plan(&machine);
    assert_eq!(first.steps.len(), scenario::actions().len(), "each kind of step is in it");
    assert_eq!(first.person, []);
    scenario::apply(&mut machine, &first, &contents).expect("applies");
    let second = plan(&machine).0;
    assert_eq!(second.steps, []);
    // What would fail now in spite of all that is not passed over.
    assert_eq!(second.person[0].why, "every step that is known for this is done already");
}

#[test]
fn applied_and_taken_back_everything_is_as_before() {
    let before = machine();
    let mut machine = before.clone();
    let (plan, contents) = plan(&machine);
    scenario::apply(&mut machine, &plan, &contents).expect("applies");
    assert!(machine.seen() != before.seen());
    assert!(rollback(&mut machine).expect("goes back"));
    assert_eq!(machine.seen(), before.seen());
}

#[test]
fn what_somebody_changed_since_is_told_and_left_alone() {
    let before = machine();
    let mut machine = before.clone();
    let (plan, contents) = plan(&machine);
    scenario::apply(&mut machine, &plan, &contents).expect("applies");
    machine.file("/etc/sudoers.d/ours", "edited ALL=(ALL) ALL\n", 0o440);
    machine.file("/var/lib/agent/work", "the agent's\n", 0o600);
    machine.audit.push("-a always,exit -F arch=b64 -S open -F key=harden-exec".to_owned());
    let changed = machine.clone();
    let why = rollback(&mut machine).expect_err("is in the way");
    for thing in ["/etc/sudoers.d/ours", "it holds `work`", "audit rules under key harden-exec"] {
        assert!(why.contains(thing), "{thing}: {why}");
    }
    assert_eq!(machine.seen(), changed.seen(), "nothing was taken back");
    let record = journal().read(&machine).expect("reads").expect("began");
    assert_eq!(
        apply::drift(&machine, std::slice::from_ref(&record)).len(),
        2,
        "folders do not drift by what lies in them"
    );
    // What is in the way is kept, the rest goes back.
    let keep: Vec<usize> = apply::obstacles(&machine, &journal(), &record).iter().map(|(step, _)| *step).collect();
    assert_eq!(apply::rollback(&mut machine, &journal(), &record, &keep).expect("writes"), []);
    assert_eq!(machine.disk[&abs("/etc/sudoers.d/ours")], changed.disk[&abs("/etc/sudoers.d/ours")]);
    assert_eq!(machine.disk[&abs("/srv/app/.gitignore")], before.disk[&abs("/srv/app/.gitignore")]);
    assert!(!machine.disk.contains_key(&abs("/etc/harden")));
}

#[test]
fn a_plan_that_no_longer_fits_changes_nothing() {
    let mut machine = machine();
    let (plan, contents) = plan(&machine);
    machine.file("/srv/app/.gitignore", "something else\n", 0o644);
    let changed = machine.clone();
    let failed = scenario::apply(&mut machine, &plan, &contents).expect_err("stale").to_string();
    assert!(failed.contains("/srv/app/.gitignore is no longer as it was planned for"), "{failed}");
    assert_eq!(machine.seen(), changed.seen());
}

#[test]
fn a_file_that_its_reader_refuses_is_not_put_in_place() {
    let before = machine();
    let mut machine = before.clone();
    let (mut plan, mut contents) = plan(&machine);
    let step = plan.steps.iter_mut().find(|step| step.thing.to_string() == "/etc/sudoers.d/ours").expect("there");
    let access = step.after.access().expect("a file").clone();
    step.after = harden::model::State::file(b"nonsense\n", access);
    contents.insert(harden::model::digest(b"nonsense\n"), b"nonsense\n".to_vec());
    let failed = scenario::apply(&mut machine, &plan, &contents).expect_err("refused").to_string();
    assert!(failed.contains("visudo"), "{failed}");
    assert_eq!(machine.seen(), before.seen());
    assert!(!machine.disk.keys().any(|path| path.name_text().contains("harden-new")));
    assert!(matches!(machine.disk[&abs("/etc/sudoers.d/theirs")], Node::File(..)));
}
