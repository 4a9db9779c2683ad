//! What a thing will be once an action is done to it. Where that is what it is already, the action is no step.

use super::{acl, block, config, keys};
use crate::model::{Access, Action, State};

/// The largest foreign file that is edited: 1 MiB.
const EDIT_LIMIT: usize = 1 << 20;

/// The state after `action`, with its content where it has one; Err says why the action cannot be done.
pub fn settle(action: &Action, before: &State, content: Option<&[u8]>) -> Result<(State, Option<Vec<u8>>), String> {
    match action {
        Action::EnsureUser { uid, gid, home, shell, .. } => {
            let wanted = State::Account { uid: *uid, gid: *gid, home: home.clone(), shell: shell.clone() };
            match before {
                State::Absent => Ok((wanted, None)),
                // An account that is there already is taken as it is: the checks judge it.
                State::Account { uid: there, .. } if there == uid => Ok((before.clone(), None)),
                _ => Err("an account of this name is there, with another number".to_owned()),
            }
        }
        Action::LeaveGroup { user, group } => {
            let State::Value { value } = before else { return Err(format!("there is no group {group}")) };
            // Where it is the account's main group, the account is not on the list.
            let rest: Vec<&str> = value.split(',').filter(|member| member != user).collect();
            Ok((State::Value { value: rest.join(",") }, None))
        }
        Action::EnsureDir { access, .. } => match before {
            State::Absent => Ok((State::Dir { access: access.clone() }, None)),
            State::Dir { access: there } => Ok((State::Dir { access: no_wider(there, access) }, None)),
            _ => Err(format!("it is {}", before.says())),
        },
        Action::SetAccess { take, owner, .. } => {
            let access = before.access().ok_or_else(|| format!("it is {}", before.says()))?;
            let (uid, gid) = owner.unwrap_or((access.uid, access.gid));
            let mut changed = with_mode(access, access.mode.bits() & !take.bits());
            (changed.uid, changed.gid) = (uid, gid);
            Ok((State::Rights { access: changed }, None))
        }
        Action::WriteFile { content: text, access, .. } => match before {
            State::Absent | State::File { .. } => {
                Ok((State::file(text.as_bytes(), access.clone()), Some(text.clone().into_bytes())))
            }
            _ => Err(format!("it is {}", before.says())),
        },
        Action::EditBlock { label, lines, access, .. } => {
            edited(before, content, access, |text| block::edit(text, label, lines))
        }
        Action::EditConfig { set, access, .. } => edited(before, content, access, |text| config::edit(text, set)),
        Action::EditKeys { set, .. } => match before {
            State::Absent => Err("it is not there".to_owned()),
            _ => edited(before, content, &Access::of_root(0o640), |text| keys::edit(text, set)),
        },
        Action::SetKernel { name, value } => match before {
            State::Value { .. } => Ok((State::Value { value: value.clone() }, None)),
            _ => Err(format!("this kernel has no {name}")),
        },
        Action::StartService { unit } => match before {
            State::Value { .. } => Ok((State::Value { value: "running".to_owned() }, None)),
            _ => Err(format!("{unit} is masked")),
        },
        Action::EnsureLink { target, .. } => match before {
            State::Absent => Ok((State::Link { target: target.clone() }, None)),
            State::Link { target: there } if there == target => Ok((before.clone(), None)),
            _ => Err(format!("it is {}", before.says())),
        },
        Action::LoadTable { text, .. } => Ok((State::rules(text), Some(text.clone().into_bytes()))),
        Action::LoadAudit { rules, .. } => {
            let text: String = rules.iter().map(|rule| format!("{rule}\n")).collect();
            Ok((State::rules(&text), Some(text.into_bytes())))
        }
        Action::EnableAudit => match before {
            State::Value { value } if value == "0" => Ok((State::Value { value: "1".to_owned() }, None)),
            _ => Ok((before.clone(), None)),
        },
    }
}

/// A file of somebody else with a part of it changed: owner, rights and the rest stay.
fn edited(
    before: &State,
    content: Option<&[u8]>,
    access: &Access,
    edit: impl Fn(&str) -> Result<String, String>,
) -> Result<(State, Option<Vec<u8>>), String> {
    let (text, access) = match before {
        State::Absent => ("", access),
        State::File { access, .. } => {
            let bytes = content.ok_or("it could not be read")?;
            if bytes.len() > EDIT_LIMIT {
                return Err(format!("it has {} bytes, more than the {EDIT_LIMIT} that are edited", bytes.len()));
            }
            (std::str::from_utf8(bytes).map_err(|_| "it is no UTF-8 text")?, access)
        }
        _ => return Err(format!("it is {}", before.says())),
    };
    let text = edit(text)?.into_bytes();
    Ok((State::file(&text, access.clone()), Some(text)))
}

/// The folder's rights without those that are not asked for; what is closed already stays closed.
fn no_wider(there: &Access, wanted: &Access) -> Access {
    let mut access = with_mode(there, there.mode.bits() & (wanted.mode.bits() | 0o7000));
    if there.uid != wanted.uid {
        (access.uid, access.gid) = (wanted.uid, wanted.gid);
        access = with_mode(&access, wanted.mode.bits());
    }
    access
}

fn with_mode(access: &Access, bits: u32) -> Access {
    let mode = crate::model::Mode::new(bits);
    Access { mode, acl: access.acl.as_deref().map(|list| acl::with_mode(list, mode)), ..access.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AbsPath, Gid, Mode, Uid};

    fn path() -> AbsPath {
        AbsPath::root().join("x")
    }

    fn dir(uid: u32, mode: u32) -> State {
        State::Dir { access: Access { uid: Uid(uid), gid: Gid(uid), ..Access::of_root(mode) } }
    }

    #[test]
    fn a_folder_gets_no_wider() {
        let ensure = |mode| Action::EnsureDir { path: path(), access: Access::of_root(mode) };
        for (before, mode, after) in [
            (State::Absent, 0o755, dir(0, 0o755)),
            (dir(0, 0o775), 0o755, dir(0, 0o755)),
            (dir(0, 0o700), 0o755, dir(0, 0o700)),
            (dir(1000, 0o777), 0o750, dir(0, 0o750)),
        ] {
            assert_eq!(settle(&ensure(mode), &before, None).expect("can").0, after, "{before:?}");
        }
        assert!(settle(&ensure(0o755), &State::Other, None).is_err());
    }

    #[test]
    fn who_leaves_a_group_leaves_the_others_in_their_order() {
        let leave = Action::LeaveGroup { user: "b".into(), group: "g".into() };
        let members = |text: &str| State::Value { value: text.into() };
        for (before, after) in [("a,b,c", "a,c"), ("b", ""), ("b,bb", "bb"), ("a,bb", "a,bb")] {
            assert_eq!(settle(&leave, &members(before), None).expect("can").0, members(after));
        }
        assert!(settle(&leave, &State::Absent, None).is_err());
    }

    #[test]
    fn what_is_so_already_changes_nothing() {
        let link = Action::EnsureLink { path: path(), target: "/y".into() };
        let there = State::Link { target: "/y".into() };
        assert_eq!(settle(&link, &there, None).expect("can").0, there);
        let take = Action::SetAccess { path: path(), take: Mode::new(0o077), owner: None };
        let rights = |mode| State::Rights { access: Access { uid: Uid(5), ..Access::of_root(mode) } };
        assert_eq!(settle(&take, &rights(0o700), None).expect("can").0, rights(0o700));
        assert_eq!(settle(&take, &rights(0o755), None).expect("can").0, rights(0o700));
        assert!(settle(&take, &State::Link { target: "/y".into() }, None).is_err(), "no link is followed");
    }
}
