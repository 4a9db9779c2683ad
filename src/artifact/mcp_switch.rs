//! An MCP server is switched off, and not deleted: by one word in the configuration of the machine's owner, which is merged
//! last, whoever defines the server and wherever. What people wrote stays as it is.

use super::{Dialect, Refusal, Site};
use crate::model::{Access, Action, Setting};

/// Switches a server off.
pub fn switch_off(site: &Site, name: &str) -> Result<Vec<Action>, Refusal> {
    if name.is_empty() || name.contains('\u{fffd}') || name.chars().any(char::is_control) {
        return Err(Refusal::new("the server's name cannot be written down as it is", ""));
    }
    let (Some(Dialect::Opencode), Some(file)) = (site.dialect, &site.managed_config) else {
        let why = format!("no configuration of the machine's owner switches a server of {} off", site.agent);
        return Err(Refusal::new(why, "switch it off where it is defined, or take it out"));
    };
    let folder = file.parent().ok_or_else(|| Refusal::new("the managed configuration lies in no folder", ""))?;
    let off = Setting { at: vec!["mcp".to_owned(), name.to_owned(), "enabled".to_owned()], value: false.into() };
    Ok(vec![
        Action::EnsureDir { path: folder, access: Access::of_root(0o755) },
        Action::EditConfig { path: file.clone(), set: vec![off], access: Access::of_root(0o644) },
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::tests::site;
    use crate::model::Class;

    #[test]
    fn a_server_is_switched_off_only_where_that_is_asked_for() {
        let actions = switch_off(&site(), "docs").expect("can be");
        assert_eq!(actions.last().expect("the edit").class(), Class::Unsafe);
        let other = Site { dialect: Some(Dialect::Opencode2), ..site() };
        for (site, name) in [(&other, "docs"), (&site(), "a\u{1b}"), (&site(), "")] {
            assert!(switch_off(site, name).is_err(), "{name:?}");
        }
    }
}
