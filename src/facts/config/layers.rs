//! What configuration is read from: layers, the documents in them, and the steps they are merged in.

use super::node::{Key, Node};
use super::source::Sources;
use crate::model::{AbsPath, Location, Scope, Unseen};

/// One file or variable that configuration comes from.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The layer it belongs to: `global`, `project`, `managed`.
    pub name: String,
    /// Who controls it: the repository, the account or the machine.
    pub scope: Scope,
    /// Enforced by the machine's owner.
    pub managed: bool,
    /// The file as it is shown, or `$NAME`.
    pub shown: String,
    /// The file; none for a variable.
    pub path: Option<AbsPath>,
    /// What it holds.
    pub part: Part,
    /// What became of reading it.
    pub state: LayerState,
}

/// What became of reading a layer.
#[derive(Clone, Debug, PartialEq)]
pub enum LayerState {
    /// There is none.
    Absent,
    /// It was read.
    Read,
    /// It is there and makes no sense.
    Broken {
        /// Where.
        at: Option<Location>,
        /// What is wrong.
        why: String,
    },
    /// It could not be read: what it says is unknown.
    Unseen(Unseen),
    /// It lies outside the scope of the audit.
    NotLooked,
    /// A variable switches it off.
    Off,
    /// The agent fetches it from this host at start-up.
    Remote(String),
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Configuration.
    Config,
    /// An agent.
    Agent,
    /// An agent, in the old way.
    Mode,
    /// A command.
    Command,
    /// Code that is loaded at start-up.
    Plugin,
}

/// Whom a plugin of a layer is counted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The account or machine.
    Global,
    /// The project.
    Local,
    /// Whoever owns the folder it lies in.
    ByPath,
}

/// Documents that are merged among themselves before they go over what is below.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Whom its plugins are counted to.
    pub reach: Reach,
    /// Where its plugins are said to come from, where that is not its file.
    pub source: Option<String>,
    /// The documents, lowest first.
    pub documents: Vec<Document>,
    /// Only this key of the configuration takes part, and only after all other steps.
    pub at: Option<String>,
}

/// One document.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its layer.
    pub layer: usize,
    /// What it holds.
    pub part: Part,
    /// Where it was read from.
    pub path: Option<AbsPath>,
    /// What relative paths in it are relative to.
    pub folder: AbsPath,
    /// The name of the agent or command.
    pub name: Key,
    /// What it says.
    pub root: Node,
    /// The text below its front matter.
    pub body: Option<String>,
    /// Keys that stand twice: the one that lost, the one that holds.
    pub repeated: Vec<(Key, Key)>,
    /// Its front matter is a program.
    pub code: bool,
}

/// Everything that was read.
#[derive(Debug, Default)]
pub(super) struct Layers {
    /// The texts.
    pub sources: Sources,
    /// The files, in order.
    pub files: Vec<Layer>,
    /// The documents, in order.
    pub steps: Vec<Step>,
    /// Folders of agents, commands, plugins and skills, in order.
    pub folders: Vec<AbsPath>,
    /// Where the upward walk ends; `/` outside of any repository.
    pub work_tree: AbsPath,
    /// The folder the agent starts in, links resolved.
    pub start: AbsPath,
}
