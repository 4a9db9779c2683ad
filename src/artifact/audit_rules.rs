//! Audit rules under a key of our own: every command that the agent's account starts, by real and by effective user,
//! for each width of programs that this kernel runs.

use super::{Refusal, Site, mark, path};
use crate::model::{Access, Action, Checker};

/// The key of our rules. No other is ever touched.
pub const KEY: &str = "harden-exec";
const FOLDER: &str = "/etc/audit/rules.d";

pub(super) fn build(site: &Site) -> Result<Vec<Action>, Refusal> {
    site.linux_only("rules of the kernel's audit")?;
    let account = site.account()?;
    if !site.there.contains(&path(FOLDER)) {
        return Err(Refusal::new(format!("there is no folder {FOLDER}: auditd is not installed"), "install auditd"));
    }
    if site.policy.logging.commands == Some(false) {
        return Err(Refusal::new("the policy says that commands are not recorded", ""));
    }
    let rules = rules(account.uid.0, site.runs_32_bit);
    let mut content = mark("Commands that the coding agent's account starts.");
    rules.iter().for_each(|rule| content += &format!("{rule}\n"));
    Ok(vec![
        Action::WriteFile {
            path: path(FOLDER).join("60-harden.rules"),
            content,
            access: Access::of_root(0o640),
            check: Some(Checker::Augenrules),
        },
        Action::LoadAudit { key: KEY.to_owned(), rules },
    ])
}

/// As `auditctl -l` prints them.
fn rules(uid: u32, runs_32_bit: bool) -> Vec<String> {
    let widths: &[&str] = if runs_32_bit { &["b64", "b32"] } else { &["b64"] };
    let each = |width: &&str| {
        let width = *width;
        ["uid", "euid"]
            .map(|by| format!("-a always,exit -F arch={width} -S execve,execveat -F {by}={uid} -F key={KEY}"))
    };
    widths.iter().flat_map(each).collect()
}

#[cfg(test)]
mod tests {
    use crate::artifact::tests::site;
    use crate::model::Action;

    #[test]
    fn commands_are_recorded_unless_the_policy_says_not_to() {
        let loaded: Vec<(String, usize)> = super::build(&site())
            .expect("can be written")
            .into_iter()
            .filter_map(|action| match action {
                Action::LoadAudit { key, rules } => Some((key, rules.len())),
                _ => None,
            })
            .collect();
        assert_eq!(loaded, [("harden-exec".to_owned(), 4)]);
        let mut quiet = site();
        quiet.policy.logging.commands = Some(false);
        assert!(super::build(&quiet).is_err());
    }

    #[test]
    fn both_users_and_both_widths_are_recorded() {
        let rules = super::rules(990, true);
        assert_eq!(rules.len(), 4);
        assert_eq!(rules[3], "-a always,exit -F arch=b32 -S execve,execveat -F euid=990 -F key=harden-exec");
        assert_eq!(super::rules(990, false).len(), 2);
    }
}
