//! A framework of controls, as data: what somebody may be asked for, and how far an audit can show it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A framework: its controls by id. One YAML file in `profiles/frameworks/`, or one of your own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Framework {
    /// Its id, as used in a check's `controls`.
    pub framework: String,
    /// Its name.
    pub title: String,
    /// Where it is published.
    pub source: String,
    /// Whether it is final.
    #[serde(default)]
    pub standing: Maturity,
    /// What a reader has to know before citing it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The framework whose controls, and mapping to checks, this one takes over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<String>,
    /// Its OSCAL catalogue, where its publisher has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<Catalogue>,
    /// The groups that its controls fall into; a control belongs to the longest id that its own begins with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// Its controls.
    pub controls: Vec<Control>,
}

/// Whether a framework may be cited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Maturity {
    /// Published.
    #[default]
    Final,
    /// May still change: reported only where it is asked for.
    Draft,
}

/// A catalogue in OSCAL's form that has the same control ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Where it is.
    pub href: String,
    /// Its own UUID.
    pub uuid: String,
    /// Its own version.
    pub version: String,
}

/// A group of controls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its id, the beginning of its controls' ids.
    pub id: String,
    /// What it is about.
    pub name: String,
}

/// A control of a framework.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Its id.
    pub id: String,
    /// What it asks, in a few words.
    pub name: String,
    /// How far an audit of a host can show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<Reach>,
    /// What an audit can show of it and what it cannot.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub shows: String,
    /// Check codes that are evidence on it, beside the checks that name it in their `controls`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
}

/// How far an audit of a host can show that a control is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// It sees the thing itself.
    Direct,
    /// It sees a part, or only the agent's tools.
    Partial,
    /// It sees a trace that is no evidence by itself.
    Indirect,
    /// It sees nothing of it.
    None,
}

impl Reach {
    /// As written in frameworks and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Partial => "partial",
            Self::Indirect => "indirect",
            Self::None => "none",
        }
    }
}

impl Framework {
    /// The ids under which checks name its controls: its own, and that of the framework it extends.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.framework.as_str()).chain(self.extends.as_deref())
    }

    /// The group of a control: the longest one whose id the control's begins with.
    pub fn group_of(&self, id: &str) -> Option<&Group> {
        let holds = |group: &&Group| id.strip_prefix(&group.id).is_some_and(|rest| rest.starts_with('.'));
        self.groups.iter().filter(holds).max_by_key(|group| group.id.len())
    }
}

/// Somebody's word for what no audit sees: a policy, a training, a review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// The id of the control.
    pub task: String,
    /// What is attested.
    pub statement: String,
    /// Who answers for it.
    pub owner: String,
    /// The day it was given, `YYYY-MM-DD`.
    pub date: String,
    /// The last day it holds, `YYYY-MM-DD`.
    pub expires: String,
    /// Where it can be looked up: a document, a ticket.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub evidence: String,
}

/// A file of attestations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attestations {
    /// Each for one control.
    pub attestations: Vec<Attestation>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_belongs_to_the_longest_group_it_begins_with() {
        let group = |id: &str| Group { id: id.into(), name: String::new() };
        let framework = Framework {
            framework: "f".into(),
            title: String::new(),
            source: String::new(),
            standing: Maturity::Final,
            note: String::new(),
            extends: Some("g".into()),
            catalogue: None,
            groups: vec![group("PO"), group("PO.1"), group("PO.10")],
            controls: Vec::new(),
        };
        for (id, expected) in [("PO.1.2", Some("PO.1")), ("PO.10.1", Some("PO.10")), ("PO.2", Some("PO")), ("P", None)]
        {
            assert_eq!(framework.group_of(id).map(|group| group.id.as_str()), expected, "{id}");
        }
        assert_eq!(framework.keys().collect::<Vec<_>>(), ["f", "g"]);
    }
}
