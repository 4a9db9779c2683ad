//! Approved commands: word for word, for one project, by someone, with a reason, as a rule for a while. They are kept one
//! a line in a file that is only added to; what was approved is taken back by a further line.

use std::collections::BTreeSet;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A command that is allowed without asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// By which it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The words of the command.
    pub argv: Vec<String>,
    /// The top folder of the project that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Who approved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The last day it holds, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// A line of the file beside the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum ApprovalLine {
    /// A command is approved.
    Allow(Approval),
    /// An approval is taken back.
    Revoke {
        /// Its id.
        id: String,
        /// Who took it back.
        by: String,
        /// When.
        when: String,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// An approval that holds, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The approval.
    pub approval: Approval,
    /// Its line, from 1.
    pub line: usize,
}

impl Approval {
    /// A short name of it: a digest of what it says.
    pub fn made_id(&self) -> String {
        let said = (&self.argv, &self.project, &self.by, &self.when, &self.reason, &self.expires);
        let mut id = crate::model::digest(&serde_json::to_vec(&said).expect("plain data"));
        id.truncate(10);
        id
    }

    /// Whether it holds on this day. An expiry that is no date holds nothing.
    pub fn holds_on(&self, today: Date) -> bool {
        let day = |text: &str| text.get(..10).unwrap_or(text).parse::<Date>();
        self.expires.as_deref().is_none_or(|text| day(text).is_ok_and(|last| last >= today))
    }

    /// Whether it is for this project; one that names none is for none.
    pub fn is_for(&self, project: &str) -> bool {
        self.project.as_deref() == Some(project)
    }

    /// Whether a rule of the agent can say it: agents take a pattern for a text with stars, and a word with blanks for
    /// several.
    pub fn is_plain(&self) -> bool {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+@,%".contains(c);
        !self.argv.is_empty() && self.argv.iter().all(|word| !word.is_empty() && word.chars().all(plain))
    }

    /// Whether all that `other` allows is allowed by this one.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let lasts = match (&self.expires, &other.expires) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(mine), Some(theirs)) => theirs <= mine,
        };
        self.argv == other.argv && self.project == other.project && lasts
    }
}

/// The approvals of a file that are not revoked, in order. Err says which line is no line of the form, and why.
pub fn standing(text: &str) -> Result<Vec<Standing>, (usize, String)> {
    let mut all = Vec::new();
    let mut revoked = BTreeSet::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str(line).map_err(|error| (at + 1, error.to_string()))? {
            ApprovalLine::Allow(approval) => all.push(Standing { approval, line: at + 1 }),
            ApprovalLine::Revoke { id, .. } => {
                revoked.insert(id);
            }
        }
    }
    all.retain(|one| one.approval.id.as_ref().is_none_or(|id| !revoked.contains(id)));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_revoked_stands_no_more_and_a_bad_line_is_named() {
        let allow = |id: &str| format!("{{\"allow\":{{\"id\":\"{id}\",\"argv\":[\"git\",\"status\"]}}}}\n");
        let revoke = "{\"revoke\":{\"id\":\"a\",\"by\":\"dev\",\"when\":\"2030-01-01T00:00:00Z\"}}\n";
        let text = [&allow("a"), &allow("b"), revoke].concat();
        let left = standing(&text).expect("reads");
        assert_eq!(left.iter().map(|one| one.line).collect::<Vec<_>>(), [2]);
        assert_eq!(standing(&(text + "{\"alow\":{}}\n")).expect_err("no line").0, 4);
    }

    #[test]
    fn an_approval_holds_to_its_last_day() {
        let mut approval: Approval = serde_json::from_str(r#"{"argv":["ls"]}"#).expect("reads");
        let today = Date::constant(2030, 1, 2);
        for (expires, holds) in
            [(None, true), (Some("2030-01-02"), true), (Some("2030-01-01"), false), (Some("x"), false)]
        {
            approval.expires = expires.map(str::to_owned);
            assert_eq!(approval.holds_on(today), holds, "{expires:?}");
        }
    }
}
