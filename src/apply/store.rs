//! Where runs are kept: one folder each, which nobody but their owner may enter.

use std::io;

use super::journal::{Journal, Record};
use super::machine::{Machine, New};
use crate::model::{AbsPath, Access, State};

/// Where the runs of root are kept.
pub const ROOT_STORE: &str = "/var/lib/harden";

/// The runs of one account.
#[derive(Clone, Debug)]
pub struct Store {
    top: AbsPath,
    owner: Access,
}

/// A run that is kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its name.
    pub id: String,
    /// What its journal says; None where it never began. Err where it cannot be read.
    pub record: Result<Option<Record>, String>,
}

impl Store {
    /// The store below `top`, for the account that owns it.
    pub fn new(top: AbsPath, owner: Access) -> Self {
        Self { top, owner: Access { mode: crate::model::Mode::new(0o700), acl: None, ..owner } }
    }

    /// Whose it is.
    pub fn owner(&self) -> &Access {
        &self.owner
    }

    /// The folder of a run. A name that is no run's is none.
    pub fn run(&self, id: &str) -> Option<AbsPath> {
        let plain = !id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        plain.then(|| self.runs().join(id))
    }

    fn runs(&self) -> AbsPath {
        self.top.join("runs")
    }

    /// Makes the store where it is not there, and takes its lock. False where another run has it.
    pub fn open(&self, machine: &mut dyn Machine) -> io::Result<bool> {
        for folder in [self.top.clone(), self.runs()] {
            self.folder(machine, &folder)?;
        }
        machine.lock(&self.top.join("lock"))
    }

    /// A private folder, and those above it that are missing.
    fn folder(&self, machine: &mut dyn Machine, path: &AbsPath) -> io::Result<()> {
        match machine.look(path)?.0 {
            State::Absent => {
                if let Some(above) = path.parent()
                    && machine.look(&above)?.0 == State::Absent
                {
                    self.folder(machine, &above)?;
                }
                machine.make(path, New::Dir { access: &self.owner })
            }
            State::Dir { access } if access.uid == self.owner.uid && access.mode.bits() & 0o077 == 0 => Ok(()),
            State::Dir { access } if access.uid == self.owner.uid => machine.set_access(path, &self.owner),
            state => Err(io::Error::other(format!(
                "`{path}` is {}; it has to be a folder of the account that runs this",
                state.says()
            ))),
        }
    }

    /// Makes the folder of a new run with its journal.
    pub fn begin(&self, machine: &mut dyn Machine, id: &str) -> io::Result<Journal> {
        let run = self.run(id).ok_or_else(|| io::Error::other(format!("`{id}` is no name of a run")))?;
        machine.make(&run, New::Dir { access: &self.owner })?;
        let journal = Journal::of(&run);
        journal.make(machine, &self.owner)?;
        Ok(journal)
    }

    /// All runs, oldest first.
    pub fn all(&self, machine: &dyn Machine) -> io::Result<Vec<Kept>> {
        let mut names = match machine.list(&self.runs()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            names => names?,
        };
        names.sort();
        let kept = |id: String| {
            let run = self.run(&id)?;
            let record = Journal::of(&run).read(machine).map_err(|error| error.to_string());
            Some(Kept { id, record })
        };
        Ok(names.into_iter().filter_map(kept).collect())
    }
}
