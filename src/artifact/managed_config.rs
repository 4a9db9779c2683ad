//! The policy in the configuration that the machine's owner keeps for the agent. OpenCode 2 reads none of the machine, so
//! its settings stand in the account's own configuration, in the folder of root's that the launcher names.

use super::{Dialect, Refusal, Site, launcher, opencode};
use crate::model::{AbsPath, Access, Action};

pub(super) fn build(site: &Site) -> Result<Vec<Action>, Refusal> {
    let approvals = site.compiled();
    let (file, set) = match (site.dialect, &site.managed_config) {
        (Some(Dialect::Opencode), Some(file)) => (file.clone(), opencode::settings(&site.policy, &approvals)),
        (Some(Dialect::Opencode2), _) => {
            let folder = launcher::config_home(&site.account()?.name).join(&site.command);
            (folder.join("opencode.json"), opencode::settings_of_2(&site.policy, &approvals))
        }
        _ => return Err(Refusal::new(format!("how a policy is written for {} is not known", site.agent), "")),
    };
    // Folders of ours are made on the way; of others only the one that it lies in.
    let ours = |folder: &AbsPath| Some(folder) == file.parent().as_ref() || folder.text().starts_with("/etc/harden");
    let folders = file.ancestors().skip(1).filter(ours);
    let mut actions: Vec<Action> =
        folders.map(|path| Action::EnsureDir { path, access: Access::of_root(0o755) }).collect();
    actions.push(Action::EditConfig { path: file, set, access: Access::of_root(0o644) });
    Ok(actions)
}
