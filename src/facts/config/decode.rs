//! OpenCode's schema: what it makes of one file before it is merged.

use super::document::{Map, Node, NodeValue};
use super::layers::Document;
use super::merge::Remark;
use crate::host::Host;
use crate::model::Subject;

/// A file's content as it takes part in merging.
pub(super) fn document(_: &dyn Host, _: &Subject, document: &Document, _: &mut Vec<Remark>) -> Map {
    document.root.map().cloned().unwrap_or_default()
}

/// The entry that a Markdown file makes. None where it is passed over.
pub(super) fn markdown(document: &Document, _: &str, _: &mut Vec<Remark>) -> Option<Map> {
    document.root.map().cloned()
}

/// `mode` entries become agents.
pub(super) fn modes(root: &mut Map) {
    let _ = root;
}

/// What the program does when all layers are merged.
pub(super) fn finish(root: &mut Map, _: &Subject) {
    if root.get("plugin").is_none() {
        root.set_made("plugin", Node::made(NodeValue::List(Vec::new())));
    }
}
