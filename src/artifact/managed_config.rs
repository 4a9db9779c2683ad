//! Settings in the configuration file that the machine's owner keeps for the agent: nothing leaves the machine, nothing
//! updates itself, and what changes files or runs commands is asked for.

use serde_json::{Value, json};

use super::{Refusal, Site};
use crate::model::{Access, Action, Setting};

pub(super) fn build(site: &Site) -> Result<Vec<Action>, Refusal> {
    let Some(file) = &site.managed_config else {
        let why = format!("no managed configuration of {} is known", site.agent);
        return Err(Refusal::new(why, ""));
    };
    let folder = file.parent().ok_or_else(|| Refusal::new("the managed configuration lies in no folder", ""))?;
    Ok(vec![
        Action::EnsureDir { path: folder, access: Access::of_root(0o755) },
        Action::EditConfig { path: file.clone(), set: settings(), access: Access::of_root(0o644) },
    ])
}

/// Each is one word where one word will do: a map would be merged with what a project writes.
fn settings() -> Vec<Setting> {
    let set = |at: &[&str], value: Value| Setting { at: at.iter().map(|key| (*key).to_owned()).collect(), value };
    vec![
        set(&["share"], json!("disabled")),
        set(&["autoupdate"], json!(false)),
        set(&["permission", "edit"], json!("ask")),
        set(&["permission", "bash"], json!("ask")),
        set(&["permission", "webfetch"], json!("ask")),
        set(&["permission", "external_directory"], json!("deny")),
        set(
            &["permission", "read"],
            json!({ "*": "allow", "*.env": "deny", "*.env.*": "deny", "*.env.example": "allow" }),
        ),
    ]
}
