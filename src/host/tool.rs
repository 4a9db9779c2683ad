//! The closed list of programs that an audit runs. Each only reads; none gets a shell, an environment or a value
//! from a file under review as anything but one argument.

use crate::model::Unseen;

/// A program on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tool {
    /// nftables.
    Nft,
    /// The kernel's audit rules and state.
    Auditctl,
    /// Units and their state.
    Systemctl,
    /// The rights that sudo gives a user.
    Sudo,
    /// macOS accounts.
    Dscl,
    /// macOS packet filter.
    Pfctl,
    /// macOS services.
    Launchctl,
    /// macOS code signatures.
    Codesign,
    /// macOS kernel settings.
    Sysctl,
    /// macOS property lists, as JSON.
    Plutil,
}

/// The folders that programs may stand in. PATH is never asked.
pub(super) const FOLDERS: [&str; 4] = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

impl Tool {
    /// Its name in messages and recorded output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nft => "nft",
            Self::Auditctl => "auditctl",
            Self::Systemctl => "systemctl",
            Self::Sudo => "sudo",
            Self::Dscl => "dscl",
            Self::Pfctl => "pfctl",
            Self::Launchctl => "launchctl",
            Self::Codesign => "codesign",
            Self::Sysctl => "sysctl",
            Self::Plutil => "plutil",
        }
    }
}

/// What a tool printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Its exit code; -1 where a signal ended it.
    pub status: i32,
    /// Its output, lossy.
    pub stdout: String,
    /// Its error output, lossy.
    pub stderr: String,
}

/// Why a tool gave no output.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// It is not installed.
    #[error("`{0}` is not installed")]
    Missing(&'static str),
    /// The host is an image: nothing runs there.
    #[error("`{0}` says nothing about an image that is not running")]
    NotLive(&'static str),
    /// It ran into the time limit.
    #[error("`{0}` did not answer within {1} seconds")]
    TimedOut(&'static str, u64),
    /// It printed more than anyone reads.
    #[error("`{0}` printed more than {1} MiB")]
    TooLong(&'static str, u64),
    /// It could not be started.
    #[error("`{0}` could not be started: {1}")]
    Io(&'static str, std::io::Error),
    /// A fixture lacks a recording.
    #[error("no recorded output for `{0}` in this fixture")]
    Unrecorded(String),
}

impl From<ToolError> for Unseen {
    fn from(error: ToolError) -> Self {
        let how = match &error {
            ToolError::Missing(name) => format!("install {name}"),
            ToolError::NotLive(_) => "audit the running machine".to_owned(),
            ToolError::TimedOut(name, _) | ToolError::TooLong(name, _) => format!("look at what `{name}` does by hand"),
            ToolError::Io(..) => "run with sudo".to_owned(),
            ToolError::Unrecorded(_) => "record the command in host.yaml".to_owned(),
        };
        Self::new(error.to_string(), how)
    }
}
