//! Rules that the kernel has loaded: our table of packet rules, and the audit rules under our key. Nothing here can name
//! what others loaded, but to see that it stays as it is.

use super::machine::{Machine, New};
use super::things::{Trouble, ask, clear, run};
use super::tool::Changer;
use crate::model::{AbsPath, State, Thing};

/// The table of this name as it is loaded, without counters and handles.
pub(super) fn table(machine: &dyn Machine, thing: &Thing, name: &str) -> Result<(State, Option<Vec<u8>>), Trouble> {
    let tables = ask(machine, thing, Changer::Nft, &["list", "tables", "inet"])?;
    if !tables.lines().any(|line| line.trim() == format!("table inet {name}")) {
        return Ok((State::Absent, None));
    }
    // Without counters and handles, which change by themselves.
    let text = ask(machine, thing, Changer::Nft, &["-s", "list", "table", "inet", name])?;
    Ok((State::rules(&text), Some(text.into_bytes())))
}

/// Loads a table in one transaction that names no other. The text goes through a file of root's, for `nft` reads it by
/// its path.
pub(super) fn put_table(
    machine: &mut dyn Machine,
    thing: &Thing,
    name: &str,
    to: &State,
    content: Option<&[u8]>,
) -> Result<(), Trouble> {
    if *to == State::Absent {
        if table(machine, thing, name)?.0 != State::Absent {
            run(machine, thing, Changer::Nft, &["delete", "table", "inet", name])?;
        }
        return Ok(());
    }
    let text = content.ok_or_else(|| Trouble::refused(thing, "the rules that belong there are lost"))?;
    let whole = [format!("table inet {name}\ndelete table inet {name}\n").as_bytes(), text].concat();
    let file = staged(name);
    let io = |cause| Trouble::path(thing, cause);
    clear(machine, thing)?;
    let access = crate::model::Access::of_root(0o600);
    machine.make(&file, New::File { bytes: &whole, access: &access, like: None }).map_err(io)?;
    let path = file.text();
    let others = other_tables(machine, thing, name)?;
    let loaded = run(machine, thing, Changer::Nft, &["-c", "-f", &path])
        .and_then(|_| run(machine, thing, Changer::Nft, &["-f", &path]));
    machine.remove(&file).map_err(io)?;
    loaded?;
    if other_tables(machine, thing, name)? != others {
        return Err(Trouble::refused(thing, "another table changed while this one was loaded"));
    }
    Ok(())
}

/// The text of every table but ours.
fn other_tables(machine: &dyn Machine, thing: &Thing, name: &str) -> Result<String, Trouble> {
    let all = ask(machine, thing, Changer::Nft, &["-s", "list", "ruleset"])?;
    let ours = format!("table inet {name} {{");
    let mut inside = false;
    let mut others = String::new();
    for line in all.lines() {
        inside |= line == ours;
        if !inside && !line.is_empty() {
            others.push_str(line);
            others.push('\n');
        }
        // A table ends where a brace stands at the beginning of a line.
        inside &= line != "}";
    }
    Ok(others)
}

/// The loaded rules under a key, as the kernel's tool lists them.
pub(super) fn of_key(machine: &dyn Machine, thing: &Thing, key: &str) -> Result<Vec<String>, Trouble> {
    let listed = ask(machine, thing, Changer::Auditctl, &["-l", "-k", key])?;
    Ok(listed.lines().map(str::trim).filter(|line| line.starts_with('-')).map(str::to_owned).collect())
}

/// All loaded rules, as the kernel's tool lists them.
pub(super) fn all(machine: &dyn Machine, thing: &Thing) -> Result<Vec<String>, Trouble> {
    let listed = ask(machine, thing, Changer::Auditctl, &["-l"])?;
    Ok(listed.lines().map(str::trim).filter(|line| line.starts_with('-')).map(str::to_owned).collect())
}

/// Takes out what is too much under the key, puts in what is missing, and touches no other rule.
pub(super) fn put_of_key(
    machine: &mut dyn Machine,
    thing: &Thing,
    key: &str,
    to: &State,
    content: Option<&[u8]>,
) -> Result<(), Trouble> {
    let text = match to {
        State::Absent => String::new(),
        _ => {
            String::from_utf8_lossy(content.ok_or_else(|| Trouble::refused(thing, "the rules are lost"))?).into_owned()
        }
    };
    let wanted: Vec<&str> = text.lines().collect();
    let there = of_key(machine, thing, key)?;
    if there.iter().map(String::as_str).eq(wanted.iter().copied()) {
        return Ok(());
    }
    // All of ours are taken out, so that what is put in stands in its order.
    for rule in &there {
        change_rule(machine, thing, rule, "-d")?;
    }
    wanted.iter().try_for_each(|rule| change_rule(machine, thing, rule, "-a"))
}

/// Adds or deletes one rule, as it is listed: `-a always,exit -F …`, or `-w path -p rights -k key`.
fn change_rule(machine: &mut dyn Machine, thing: &Thing, rule: &str, option: &str) -> Result<(), Trouble> {
    let mut words: Vec<&str> = rule.split_whitespace().collect();
    let first = words.first_mut().ok_or_else(|| Trouble::refused(thing, "an empty rule"))?;
    *first = match (*first, option) {
        ("-a" | "-A", option) => option,
        ("-w", "-d") => "-W",
        ("-w", _) => "-w",
        _ => return Err(Trouble::refused(thing, format!("the rule `{rule}` is not understood"))),
    };
    run(machine, thing, Changer::Auditctl, &words).map(|_| ())
}

/// Where a table stands while it is loaded.
pub(super) fn staged(table: &str) -> AbsPath {
    AbsPath::root().join(format!("run/harden-{table}.nft"))
}
