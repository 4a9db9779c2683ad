//! What an agent's configuration amounts to: every layer read, merged as the agent merges them, each value with the
//! place it came from.
//!
//! Pure over reads of the host, so the probes that need it call it for themselves. Nothing is substituted, fetched or
//! run; `{env:…}` and `{file:…}` stay as they are written.

mod built_in;
mod decode;
mod discover;
mod folders;
mod front_matter;
pub mod jsonc;
mod layers;
mod lower;
mod merge;
mod node;
mod opencode2;
pub mod rules;
mod schema;
pub mod skills;
mod source;
mod texts;
mod toml_text;
pub mod wildcard;
mod work_tree;
pub mod yaml_text;

pub use discover::{is_on, variable};
pub use layers::{Document, Layer, LayerState, Part, Reach};
pub use merge::{PluginOrigin, Remark, RemarkKind};
pub use node::{Key, Map, Node, NodeValue};
pub use source::{Source, Sources, Span};

use super::ProbeError;
use crate::host::Host;
use crate::model::{AbsPath, Location, Merging, Subject, Unseen};

/// The configuration of one agent.
#[derive(Debug)]
pub struct Effective {
    /// How it was merged.
    pub merging: Merging,
    /// The texts that nodes point into.
    pub sources: Sources,
    /// Every file and variable it comes from, in order.
    pub layers: Vec<Layer>,
    /// The merged configuration; where the agent's files stand each for itself, one for each of them.
    pub trees: Vec<Tree>,
    /// Plugins that are loaded, in order.
    pub plugins: Vec<PluginOrigin>,
    /// What the machine's owner wrote, before it was merged with the rest.
    pub managed: Map,
    /// What was noticed on the way: keys that do nothing, what keeps the agent from starting.
    pub remarks: Vec<Remark>,
    /// Folders of agents, commands, plugins and skills, in order.
    pub folders: Vec<AbsPath>,
    /// The folder the agent starts in, links resolved.
    pub start: AbsPath,
    /// Where the agent sees its work tree end; `/` where it sees none.
    pub work_tree: AbsPath,
}

/// A configuration.
#[derive(Debug)]
pub struct Tree {
    /// The file that it is; none where it is merged from several.
    pub file: Option<String>,
    /// Its content: a map.
    pub root: Node,
}

impl Effective {
    /// Why its settings are not known: the first file of settings that could not be read.
    pub fn blind(&self) -> Option<&Unseen> {
        self.unseen(&[Part::Config])
    }

    /// Why its permission rules are not known: the first file of settings or agents that could not be read.
    pub fn blind_rules(&self) -> Option<&Unseen> {
        self.unseen(&[Part::Config, Part::Agent, Part::Mode])
    }

    fn unseen(&self, parts: &[Part]) -> Option<&Unseen> {
        self.layers.iter().filter(|layer| parts.contains(&layer.part)).find_map(|layer| match &layer.state {
            LayerState::Unseen(unseen) => Some(unseen),
            _ => None,
        })
    }

    /// Where a value stands; none for what no file holds.
    pub fn location(&self, at: Span) -> Option<Location> {
        self.sources.location(at)
    }

    /// The layer a value came from.
    pub fn layer(&self, at: Span) -> Option<&Layer> {
        self.layers.get(self.sources.of(at)?.layer)
    }

    /// The merged configuration; the first file's where they stand for themselves.
    pub fn root(&self) -> Option<&Node> {
        self.trees.first().map(|tree| &tree.root)
    }
}

/// Reads and merges the configuration of the subject's agent.
pub fn effective(host: &dyn Host, subject: &Subject) -> Result<Effective, ProbeError> {
    let layers = discover::read(host, subject);
    Ok(match subject.agent.merging {
        Merging::Separate => merge::separate(layers),
        Merging::Deep => merge::deep(layers),
        Merging::Opencode => merge::opencode(host, subject, layers),
        Merging::Opencode2 => opencode2::merge(host, subject, layers),
    })
}

/// Scheme and host of an address: what may be shown of it.
pub fn address(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return crate::model::redact_line(url) };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = authority.rsplit('@').next().unwrap_or("");
    crate::model::redact_line(&format!("{scheme}://{host}"))
}
