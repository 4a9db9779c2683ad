//! The closed list of programs that change the machine. Each stands in root's folders, gets no shell, no environment
//! and a limit of time; what is foreign is one argument. Nothing here can flush what others loaded.

use crate::host::{Output, ToolError};

/// A program on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Changer {
    /// Makes a group.
    Groupadd,
    /// Takes a group away.
    Groupdel,
    /// Makes an account.
    Useradd,
    /// Locks an account.
    Usermod,
    /// Takes an account away.
    Userdel,
    /// Sets the members of a group.
    Gpasswd,
    /// Loads and lists packet rules.
    Nft,
    /// Loads and lists audit rules.
    Auditctl,
    /// Reads sudo's rules.
    Visudo,
    /// Compares rules of the audit with those on the disk; it is never asked to load them.
    Augenrules,
    /// Reads and sets the running kernel's settings.
    Sysctl,
    /// Starts and stops a service, and reads units anew.
    Systemctl,
}

impl Changer {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Groupadd => "groupadd",
            Self::Groupdel => "groupdel",
            Self::Useradd => "useradd",
            Self::Usermod => "usermod",
            Self::Userdel => "userdel",
            Self::Gpasswd => "gpasswd",
            Self::Nft => "nft",
            Self::Auditctl => "auditctl",
            Self::Visudo => "visudo",
            Self::Augenrules => "augenrules",
            Self::Sysctl => "sysctl",
            Self::Systemctl => "systemctl",
        }
    }
}

/// Why a tool did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum ToolFailure {
    /// It could not be run to its end.
    #[error(transparent)]
    Run(#[from] ToolError),
    /// It refused.
    #[error("`{tool}` refused: {said}")]
    Refused {
        /// The tool.
        tool: &'static str,
        /// The first line of what it said.
        said: String,
    },
}

/// The output of a tool that ended well.
pub(super) fn done(tool: Changer, ran: Result<Output, ToolError>) -> Result<String, ToolFailure> {
    let output = ran?;
    if output.status == 0 {
        return Ok(output.stdout);
    }
    let said = output.stderr.lines().chain(output.stdout.lines()).map(str::trim).find(|line| !line.is_empty());
    let said = crate::model::redact_line(said.unwrap_or("it gave no reason"));
    Err(ToolFailure::Refused { tool: tool.name(), said })
}
