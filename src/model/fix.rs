//! What a check proposes against its own failure: forms with typed fields, never a command. The plan turns what is
//! filled in into [`Action`](super::Action)s.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Predicate, Template};

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A path; relative to the top of the project where it does not begin with `/`.
    Path,
    /// A name.
    Text,
    /// Permission bits as octal digits.
    Mode,
    /// A list of texts.
    List,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// A field of a form.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: FieldKind,
    /// Whether it may be left out.
    pub optional: bool,
}

/// A kind of proposal.
#[derive(Debug)]
pub struct Form {
    /// Its name in `fix:`.
    pub name: &'static str,
    /// What it does, for `harden explain` and the schema.
    pub about: &'static str,
    /// Its fields. A form with one field may be written `name: value`.
    pub fields: &'static [Field],
}

/// What a person has reviewed of each MCP server, beside the project.
pub const MCP_LOCK: &str = "harden.mcp.lock";

/// What can be written from the profile alone: see [`crate::artifact`].
const ARTIFACTS: &[&str] = &[
    "launcher",
    "egress",
    "audit-rules",
    "audit-on",
    "audit-reader",
    "audit-retention",
    "policy-watch",
    "sudo-denied",
    "polkit-denied",
    "state-ignored",
    "ptrace",
    "raised-cores",
    "kernel-log",
    "cron-deny",
    "limits",
    "managed-config",
    "policy",
];

/// Every kind of proposal. A new one is a row here and an arm in the plan.
pub const FORMS: &[Form] = &[
    Form {
        name: "ensure_user",
        about: "create a locked account for the agent, with a home of its own",
        fields: &[field("name", FieldKind::Text)],
    },
    Form {
        name: "write",
        about: "write what the profile asks for",
        fields: &[field("what", FieldKind::Word(ARTIFACTS))],
    },
    Form {
        name: "ensure_dir",
        about: "make a folder of root's",
        fields: &[field("path", FieldKind::Path), field("mode", FieldKind::Mode)],
    },
    Form {
        name: "set_access",
        about: "take rights away, and give it to root where `owner` says so",
        fields: &[
            field("path", FieldKind::Path),
            field("take", FieldKind::Mode),
            Field { name: "owner", kind: FieldKind::Word(&["root"]), optional: true },
        ],
    },
    Form {
        name: "edit_block",
        about: "put lines between marks into a text file",
        fields: &[field("path", FieldKind::Path), field("label", FieldKind::Text), field("lines", FieldKind::List)],
    },
    Form {
        name: "pin_server",
        about: "write the installed version of its package into the command of an MCP server",
        fields: &[field("path", FieldKind::Path), field("name", FieldKind::Text), field("command", FieldKind::List)],
    },
    Form {
        name: "look_up",
        about: "leave it to a person, with the command that tells what is missing; it is not run",
        fields: &[field("command", FieldKind::Text)],
    },
    Form {
        name: "switch_off_server",
        about: "switch an MCP server off in the configuration of the machine's owner; it is not deleted",
        fields: &[field("name", FieldKind::Text)],
    },
    Form {
        name: "leave_groups",
        about: "take the account out of groups",
        fields: &[field("user", FieldKind::Text), field("groups", FieldKind::List)],
    },
];

const fn field(name: &'static str, kind: FieldKind) -> Field {
    Field { name, kind, optional: false }
}

/// How a field gets its value.
#[derive(Clone, Debug)]
pub enum Filling {
    /// A sentence with holes.
    Sentence(Template),
    /// The fact or parameter itself, for what is no text.
    Whole(String),
    /// As written.
    Literal(Value),
}

/// A proposal as a check writes it, held against its form and the facts.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Its form.
    pub form: &'static Form,
    /// Made only where this holds.
    pub when: Option<Predicate>,
    /// Field by field.
    pub fields: BTreeMap<&'static str, Filling>,
    /// As written, for `harden explain`.
    pub source: String,
}

/// A proposal with its fields filled in, on the finding that wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The name of its form.
    pub form: &'static str,
    /// Field by field.
    pub fields: BTreeMap<&'static str, Value>,
}

impl Proposal {
    /// The facts and parameters in its fields and its condition.
    pub fn paths(&self) -> Vec<&str> {
        let mut paths: Vec<&str> = self.when.iter().flat_map(Predicate::paths).collect();
        for filling in self.fields.values() {
            match filling {
                Filling::Sentence(template) => paths.extend(template.paths()),
                Filling::Whole(path) => paths.push(path),
                Filling::Literal(_) => {}
            }
        }
        paths
    }
}

impl Wish {
    /// A text field; empty where it is none.
    pub fn text(&self, name: &str) -> &str {
        self.fields.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A list field.
    pub fn list(&self, name: &str) -> Vec<String> {
        let items = self.fields.get(name).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    }
}
