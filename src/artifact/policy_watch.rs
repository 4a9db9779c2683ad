//! Audit rules that record who changes what binds the agent: the policy with its approvals and packet rules, the launcher,
//! and the rules of the audit themselves. Under a key of their own, so that they come and go by themselves.

use super::{Refusal, Site, mark, path};
use crate::model::{AbsPath, Access, Action, Checker};

/// Their key.
pub(super) const KEY: &str = "harden-policy";
const FOLDER: &str = "/etc/audit/rules.d";

pub(super) fn build(site: &Site) -> Result<Vec<Action>, Refusal> {
    site.linux_only("rules of the kernel's audit")?;
    if !site.there.contains(&path(FOLDER)) {
        return Err(Refusal::new(format!("there is no folder {FOLDER}: auditd is not installed"), "install auditd"));
    }
    let rules = rules(&watched(site))?;
    let mut content = mark("Changes of what binds the coding agent.");
    rules.iter().for_each(|rule| content += &format!("{rule}\n"));
    Ok(vec![
        // A rule on a folder is one on what lies in it, and the kernel wants the folder to be there.
        Action::EnsureDir { path: path("/etc/harden"), access: Access::of_root(0o755) },
        Action::WriteFile {
            path: path(FOLDER).join("61-harden-policy.rules"),
            content,
            access: Access::of_root(0o640),
            check: Some(Checker::Augenrules),
        },
        Action::LoadAudit { key: KEY.to_owned(), rules },
    ])
}

/// Folders for what may be replaced by a rename; the launcher by itself, for its folder is everybody's.
fn watched(site: &Site) -> Vec<AbsPath> {
    vec![path("/etc/harden"), path(FOLDER), site.launcher.clone()]
}

/// As `auditctl -l` prints them.
fn rules(paths: &[AbsPath]) -> Result<Vec<String>, Refusal> {
    let rule = |path: &AbsPath| {
        let text = path.text();
        match text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            true => {
                Err(Refusal::new(format!("the audit cannot watch `{text}`: its rules know no blanks"), "rename it"))
            }
            false => Ok(format!("-w {text} -p wa -k {KEY}")),
        }
    };
    paths.iter().map(rule).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::tests::site;

    #[test]
    fn what_binds_the_agent_is_watched() {
        let rules = rules(&watched(&site())).expect("plain paths");
        assert_eq!(rules[0], "-w /etc/harden -p wa -k harden-policy");
        assert_eq!(rules[2], "-w /usr/local/bin/opencode-hardened -p wa -k harden-policy");
        assert!(super::rules(&[path("/a b")]).is_err());
    }
}
