//! The machine's policy, held against the profile; and the commands that people have approved for this project, held
//! against what the agent's own rules say to them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;

use super::ProbeError;
use super::config::{self, rules};
use crate::host::{self, CONFIG_LIMIT, Host};
use crate::model::{
    APPROVALS, AbsPath, Approval, ApprovalLine, Declaration, Location, Look, MACHINE_POLICY, Merging, PermissionShape,
    Subject, Unseen, changes, declared, redact_line,
};

/// The most approvals that are looked at.
const LISTED: usize = 1000;

/// What the machine's policy says, and what it is worth.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Whether it is there.
    exists: bool,
    /// What it says otherwise than the profile.
    differs: Look<Vec<String>>,
    /// Commands that were ever approved for this project, as far as they can be rules of the agent.
    commands: Look<Vec<Command>>,
}

/// Whether an approval is worth what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Standing {
    /// It holds, and the agent goes by it.
    InForce,
    /// It holds, and the agent does not know of it.
    Unknown,
    /// It holds no more, and the agent still goes by it.
    Outlived,
    /// It holds no more, and the agent does not go by it.
    Over,
}

/// A command that was approved.
#[derive(Serialize, JsonSchema)]
struct Command {
    /// The command, with what could be a secret masked.
    name: String,
    /// What it is worth.
    standing: Look<Standing>,
    /// That in words.
    says: String,
    /// Where it was approved last.
    at: Location,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let text = host::read_text(host, &AbsPath::root().join(MACHINE_POLICY), None, CONFIG_LIMIT);
    let exists = !matches!(text, Ok(None));
    let differs = match text.map_err(|error| error.to_string()).and_then(|text| parsed(text.as_deref())) {
        Ok(None) => Look::Known(Vec::new()),
        Ok(Some(policy)) => {
            let mut wanted = declared("", &subject.parameters, &subject.workspace);
            // Where the profile names no workspace, it is the one that was meant when the policy was written.
            if subject.parameters.text("workspace").is_none() {
                wanted.files.workspace.clone_from(&policy.files.workspace);
            }
            Look::Known(changes(&wanted, &policy).into_iter().map(|change| change.says).collect())
        }
        Err(why) => Look::unknown(
            format!("`{MACHINE_POLICY}` is not understood: {}", redact_line(&why)),
            "`harden policy check` says where",
        ),
    };
    Ok(Fact { exists, differs, commands: commands(host, subject) })
}

fn parsed(text: Option<&str>) -> Result<Option<Declaration>, String> {
    let Some(text) = text else { return Ok(None) };
    // First by a reader whose depth and copies are bounded.
    config::yaml_text::read(text, 0, 0).map_err(|error| error.why)?;
    serde_yaml::from_str(text).map(Some).map_err(|error| error.to_string())
}

fn commands(host: &dyn Host, subject: &Subject) -> Look<Vec<Command>> {
    if subject.agent.permissions != Some(PermissionShape::Opencode) {
        return Look::Known(Vec::new());
    }
    let text = match host::read_text(host, &AbsPath::root().join(APPROVALS), None, CONFIG_LIMIT) {
        Ok(text) => text.unwrap_or_default(),
        Err(error) => return Look::unknown(format!("`{APPROVALS}` cannot be read: {error}"), "run with sudo"),
    };
    match ever(&text, &subject.project.text()) {
        Ok(all) if all.is_empty() => Look::Known(Vec::new()),
        Ok(all) => {
            let rules = allowing(host, subject);
            let tool = if subject.agent.merging == Merging::Opencode2 { "shell" } else { "bash" };
            let one = |(command, last): (String, Last)| command_fact(&command, &last, tool, &rules);
            Look::Known(all.into_iter().take(LISTED).map(one).collect())
        }
        Err((line, why)) => {
            let why = redact_line(&why);
            Look::unknown(format!("`{APPROVALS}:{line}` is not understood: {why}"), "look at the line by hand")
        }
    }
}

/// What became of a command.
struct Last {
    holds: bool,
    line: u32,
}

/// Every command that was approved for a project, and whether one of its approvals still holds.
fn ever(text: &str, project: &str) -> Result<BTreeMap<String, Last>, (usize, String)> {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let standing = crate::model::standing(text)?;
    let holds = |approval: &Approval| {
        let same = |other: &Approval| other.argv == approval.argv && other.is_for(project) && other.holds_on(today);
        standing.iter().any(|one| same(&one.approval))
    };
    let mut all = BTreeMap::new();
    for (at, line) in text.lines().enumerate() {
        let Ok(ApprovalLine::Allow(approval)) = serde_json::from_str(line) else { continue };
        if approval.is_for(project) && approval.is_plain() {
            let line = u32::try_from(at + 1).unwrap_or(u32::MAX);
            all.insert(approval.argv.join(" "), Last { holds: holds(&approval), line });
        }
    }
    Ok(all)
}

/// For each agent that can be chosen, what it says to a command; Err where its rules are not known.
fn allowing(host: &dyn Host, subject: &Subject) -> Result<Vec<rules::AgentRules>, Unseen> {
    let config = config::effective(host, subject).map_err(|error| Unseen::new(error.to_string(), ""))?;
    match config.blind_rules() {
        Some(unseen) => Err(unseen.clone()),
        None => Ok(rules::of_agents(host, subject, &config).into_iter().filter(|agent| !agent.hidden).collect()),
    }
}

fn command_fact(command: &str, last: &Last, tool: &str, agents: &Result<Vec<rules::AgentRules>, Unseen>) -> Command {
    let standing = match agents {
        Err(unseen) => Look::Unknown(unseen.clone()),
        Ok(agents) => {
            let deciding = |agent: &rules::AgentRules| {
                let rule = agent.deciding(tool, command)?;
                (rule.action == Some(rules::Action::Allow)).then(|| *rule.pattern == *command)
            };
            // Whether some agent allows it, and whether by a rule for this command alone.
            let (allows, exact) =
                agents.iter().filter_map(deciding).fold((false, false), |(_, was), is| (true, was || is));
            Look::Known(match (last.holds, allows, exact) {
                (true, true, _) => Standing::InForce,
                (true, false, _) => Standing::Unknown,
                (false, _, true) => Standing::Outlived,
                (false, _, false) => Standing::Over,
            })
        }
    };
    let says = match standing.known() {
        Some(Standing::InForce) => "holds, and the agent goes by it",
        Some(Standing::Unknown) => "holds, and the agent's rules do not know of it",
        Some(Standing::Outlived) => "holds no more, and the agent's rules still allow it",
        Some(Standing::Over) => "holds no more",
        None => "cannot be held against the agent's rules",
    };
    Command {
        name: redact_line(command),
        standing,
        says: says.to_owned(),
        at: Location::line(APPROVALS, last.line, command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_approved_again_holds_again() {
        let allow = |id: &str| {
            format!(
                "{{\"allow\":{{\"id\":\"{id}\",\"argv\":[\"make\"],\"project\":\"/p\",\"expires\":\"2999-01-01\"}}}}\n"
            )
        };
        let revoke = "{\"revoke\":{\"id\":\"a\",\"by\":\"dev\",\"when\":\"x\"}}\n";
        let of = |text: &str| ever(text, "/p").expect("reads").get("make").map(|last| (last.holds, last.line));
        assert_eq!(of(&(allow("a") + revoke)), Some((false, 1)));
        assert_eq!(of(&(allow("a") + revoke + &allow("b"))), Some((true, 3)));
        assert_eq!(ever(&allow("a"), "/q").expect("reads").len(), 0);
    }
}
