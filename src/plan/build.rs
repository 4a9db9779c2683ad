//! From what is wanted, and what is there, to the steps that change something.

use std::collections::BTreeMap;

use super::settle;
use super::wanted::{Want, Wanted};
use crate::model::{Asked, Class, Contents, LeftToPerson, PLAN_VERSION, Plan, Reason, State, Step, Thing};

/// What stands there, with its content where it has one; or why that cannot be told.
pub type Seen = BTreeMap<Thing, Result<(State, Option<Vec<u8>>), String>>;

/// What a plan is made for.
#[derive(Clone, Debug)]
pub struct Of {
    /// The profile.
    pub profile: String,
    /// A digest of its parameters and of the checks.
    pub policy: String,
    /// What was asked for.
    pub asked: Asked,
}

/// The steps for what is wanted. `needs_root` says whether only root may change a thing.
pub fn build(wanted: Wanted, seen: &Seen, of: Of, needs_root: &dyn Fn(&Thing) -> bool) -> (Plan, Contents) {
    let mut now = seen.clone();
    let (mut steps, mut contents, mut person) = (Vec::new(), Contents::new(), wanted.person);
    let mut reasons: Vec<Reason> = wanted.wants.iter().flat_map(|want| want.wanted_by.iter().cloned()).collect();
    for want in wanted.wants {
        let class = want.action.class();
        if !of.asked.classes.contains(&class) {
            person.extend(want.wanted_by.iter().map(|reason| not_asked(reason, &want, class)));
            continue;
        }
        match step(&want, &mut now, &mut contents) {
            Ok(Some((before, after))) => {
                let thing = want.action.thing();
                steps.push(Step {
                    class: want.action.class(),
                    needs_root: needs_root(&thing),
                    undo: Step::undo_of(&before, &thing),
                    before,
                    after,
                    wanted_by: want.wanted_by,
                    action: want.action,
                    thing,
                });
            }
            Ok(None) => {}
            Err(why) => person.extend(want.wanted_by.iter().map(|reason| left(reason, &want, &why))),
        }
    }
    reasons.sort();
    reasons.dedup();
    let is_met = |reason: &Reason| steps.iter().any(|step: &Step| step.wanted_by.contains(reason));
    let is_told =
        |reason: &Reason| person.iter().any(|left| left.check == reason.check && left.subject == reason.subject);
    let unmet: Vec<Reason> = reasons.into_iter().filter(|reason| !is_met(reason) && !is_told(reason)).collect();
    person.extend(unmet.iter().map(done_already));
    let plan = Plan {
        version: PLAN_VERSION,
        harden: env!("CARGO_PKG_VERSION").to_owned(),
        profile: of.profile,
        policy: of.policy,
        asked: of.asked,
        steps,
        person,
    };
    (plan, contents)
}

/// The states before and after, where they differ. Later steps on the same thing start from what this one leaves.
fn step(want: &Want, now: &mut Seen, contents: &mut Contents) -> Result<Option<(State, State)>, String> {
    let thing = want.action.thing();
    let (before, content) = match now.get(&thing) {
        Some(Ok(seen)) => seen.clone(),
        Some(Err(why)) => return Err(why.clone()),
        None => return Err(format!("nobody looked at {thing}")),
    };
    let (after, new) = settle(&want.action, &before, content.as_deref())?;
    if before == after {
        return Ok(None);
    }
    for (state, bytes) in [(&before, &content), (&after, &new)] {
        if let (Some(digest), Some(bytes)) = (state.digest(), bytes) {
            contents.insert(digest.to_owned(), bytes.clone());
        }
    }
    follow(now, &thing, &after);
    now.insert(thing, Ok((after.clone(), new)));
    Ok(Some((before, after)))
}

fn not_asked(reason: &Reason, want: &Want, class: Class) -> LeftToPerson {
    LeftToPerson {
        code: reason.code.clone(),
        check: reason.check.clone(),
        subject: reason.subject.clone(),
        why: format!("would {}, and steps of the class {} were not asked for", want.action.says(), class.name()),
        next: format!("add `--class {}`", class.name()),
    }
}

/// A finding that fails though every step for it would change nothing.
fn done_already(reason: &Reason) -> LeftToPerson {
    LeftToPerson {
        code: reason.code.clone(),
        check: reason.check.clone(),
        subject: reason.subject.clone(),
        why: "every step that is known for this is done already".to_owned(),
        next: format!("`harden explain {}` says what else there is to do", reason.code),
    }
}

fn left(reason: &Reason, want: &Want, why: &str) -> LeftToPerson {
    LeftToPerson {
        code: reason.code.clone(),
        check: reason.check.clone(),
        subject: reason.subject.clone(),
        why: format!("cannot {}: {why}", want.action.says()),
        next: "put that right, and plan again".to_owned(),
    }
}

/// The rights of a path are a thing of their own: what changes one of the two changes what a later step finds.
fn follow(now: &mut Seen, thing: &Thing, after: &State) {
    let Some(access) = after.access() else { return };
    match thing {
        Thing::Path(path) => {
            let rights = Thing::Rights(path.clone());
            if let Some(Ok((state, _))) = now.get_mut(&rights) {
                *state = State::Rights { access: access.clone() };
            }
        }
        Thing::Rights(path) => {
            let there = now.get_mut(&Thing::Path(path.clone()));
            if let Some(Ok((State::File { access: old, .. } | State::Dir { access: old }, _))) = there {
                *old = access.clone();
            }
        }
        _ => {}
    }
}
