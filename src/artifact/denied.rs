//! What takes from the account the rights that a rule of somebody else gives it: a rule of ours that is read last by sudo,
//! and one that is read first by polkit. Rules of others are left as they are.

use super::{Refusal, Site, mark, path};
use crate::model::{Access, Action, Checker};

const SUDO: &str = "/etc/sudoers.d";
const POLKIT: &str = "/etc/polkit-1/rules.d";

/// In sudo's rules the last that matches decides.
pub(super) fn sudo(site: &Site) -> Result<Vec<Action>, Refusal> {
    let name = plain(site)?;
    if !site.there.contains(&path(SUDO)) {
        return Err(Refusal::new(format!("there is no folder {SUDO} for a rule of ours"), ""));
    }
    // sudo passes over names with a dot in them.
    let file = path(SUDO).join(format!("zz-harden-{}-denied", name.replace('.', "_")));
    let content = format!("{}{name} ALL=(ALL:ALL) !ALL\n", mark("The coding agent's account starts nothing by sudo."));
    Ok(vec![Action::WriteFile { path: file, content, access: Access::of_root(0o440), check: Some(Checker::Visudo) }])
}

/// In polkit's rules the first that answers decides.
pub(super) fn polkit(site: &Site) -> Result<Vec<Action>, Refusal> {
    let name = plain(site)?;
    if !site.there.contains(&path(POLKIT)) {
        return Err(Refusal::new(format!("there is no folder {POLKIT} for a rule of ours"), ""));
    }
    let content = format!(
        "// Written by `harden apply`: `harden drift` tells whether it was changed since.\npolkit.addRule(function(action, \
         subject) {{\n    if (subject.user == \"{name}\") {{ return polkit.Result.NO; }}\n}});\n"
    );
    let file = path(POLKIT).join(format!("00-harden-{name}.rules"));
    Ok(vec![Action::WriteFile { path: file, content, access: Access::of_root(0o644), check: None }])
}

/// The account's name, which both would read as nothing else.
fn plain(site: &Site) -> Result<&str, Refusal> {
    let name = &site.account()?.name;
    if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
        return Ok(name);
    }
    Err(Refusal::new(
        format!("sudo and polkit would not read `{name}` as a plain name"),
        "give the agent another account",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::tests::site;

    #[test]
    fn the_account_alone_is_denied() {
        let content = |actions: Vec<Action>| match &actions[..] {
            [Action::WriteFile { content, path, .. }] => format!("{path}\n{content}"),
            other => panic!("{other:?}"),
        };
        let said = content(sudo(&site()).expect("can be written"));
        assert!(said.starts_with("/etc/sudoers.d/zz-harden-agent-denied\n"), "{said}");
        assert!(said.ends_with("\nagent ALL=(ALL:ALL) !ALL\n"), "{said}");
        let said = content(polkit(&site()).expect("can be written"));
        assert!(said.contains("if (subject.user == \"agent\") { return polkit.Result.NO; }"), "{said}");
        let none = Site { there: Vec::new(), ..site() };
        assert!(sudo(&none).is_err() && polkit(&none).is_err());
    }
}
