//! A machine in memory that fails where it is told to. What is on its disk survives a loss of power; what the kernel has
//! loaded survives a killed process only. Its tools do what the real ones do to what `harden` looks at.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;

use harden::apply::{Changer, Machine, New};
use harden::host::{Accounts, Output, ToolError};
use harden::model::{AbsPath, Access, State, Uid};

/// What stands under a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    File(Vec<u8>, Access),
    Dir(Access),
    Link(String),
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The system says this, and nothing is done. Once.
    Error(io::ErrorKind),
    /// The same, and from then on for every change.
    Forever(io::ErrorKind),
    /// A tool says no; of one that is no tool, nothing is wrong.
    ToolFails,
    /// A tool does not answer in time, having done its work, or not.
    ToolHangs { done: bool },
    /// The process ends here, with the work of this call not done, half done, or done.
    Ends(Part),
}

/// How much of a call is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    None,
    Half,
    All,
}

/// The machine.
#[derive(Clone, Debug)]
pub(crate) struct Invented {
    pub(crate) disk: BTreeMap<AbsPath, Node>,
    pub(crate) tables: BTreeMap<String, String>,
    pub(crate) audit: Vec<String>,
    pub(crate) auditing: String,
    pub(crate) kernel: BTreeMap<String, String>,
    pub(crate) auditd: bool,
    fault: Option<(usize, Fault)>,
    pub(crate) calls: Cell<usize>,
    pub(crate) ended: Cell<bool>,
}

pub(crate) fn abs(path: &str) -> AbsPath {
    AbsPath::new(path).expect("absolute")
}

impl Invented {
    pub(crate) fn new() -> Self {
        let mut machine = Self {
            disk: BTreeMap::new(),
            tables: BTreeMap::from([("foreign".to_owned(), "table inet foreign {\n}\n".to_owned())]),
            audit: vec!["-a always,exit -F arch=b64 -S mount -F key=foreign".to_owned()],
            auditing: "0".to_owned(),
            kernel: BTreeMap::from([("kernel.yama.ptrace_scope".to_owned(), "0".to_owned())]),
            auditd: false,
            fault: None,
            calls: Cell::new(0),
            ended: Cell::new(false),
        };
        for folder in [
            "/",
            "/etc",
            "/etc/sudoers.d",
            "/var",
            "/var/lib",
            "/run",
            "/srv",
            "/srv/app",
            "/etc/audit",
            "/etc/audit/rules.d",
        ] {
            machine.disk.insert(abs(folder), Node::Dir(Access::of_root(0o755)));
        }
        machine.file(
            "/etc/passwd",
            "root:x:0:0:root:/root:/bin/sh\nold:x:901:901::/var/lib/old:/usr/sbin/nologin\n",
            0o644,
        );
        machine.file("/etc/group", "root:x:0:\nold:x:901:\ndocker:x:120:dev,old,ops\n", 0o644);
        machine
    }

    pub(crate) fn file(&mut self, path: &str, text: &str, mode: u32) {
        self.disk.insert(abs(path), Node::File(text.as_bytes().to_vec(), Access::of_root(mode)));
    }

    /// Breaks the `at`-th call from now.
    pub(crate) fn breaks(mut self, at: usize, fault: Fault) -> Self {
        (self.calls, self.fault) = (Cell::new(0), Some((at, fault)));
        self
    }

    /// The machine after the process is gone; after a loss of power nothing is loaded any more.
    pub(crate) fn again(&self, power_was_lost: bool) -> Self {
        let mut machine = Self { fault: None, calls: Cell::new(0), ended: Cell::new(false), ..self.clone() };
        if power_was_lost {
            machine.tables.remove("harden");
            machine.audit.retain(|rule| rule.contains("foreign"));
            machine.auditing = "0".to_owned();
            machine.kernel.insert("kernel.yama.ptrace_scope".to_owned(), "0".to_owned());
            machine.auditd = false;
        }
        machine
    }

    /// Everything but what harden keeps for itself.
    pub(crate) fn seen(&self) -> impl PartialEq + std::fmt::Debug + use<> {
        let disk: BTreeMap<AbsPath, Node> = self
            .disk
            .iter()
            .filter(|(path, _)| !path.is_within(&abs("/var/lib/harden")))
            .map(|(p, n)| (p.clone(), n.clone()))
            .collect();
        (disk, self.tables.clone(), self.audit.clone(), self.auditing.clone(), self.kernel.clone(), self.auditd)
    }

    /// What happens to this call: how much of it is done, and what is said then.
    fn call(&self, is_tool: bool) -> (Part, io::Result<()>) {
        self.calls.set(self.calls.get() + 1);
        let calls = self.calls.get();
        let error = |kind: io::ErrorKind| (Part::None, Err(io::Error::from(kind)));
        if self.ended.get() {
            return error(io::ErrorKind::Interrupted);
        }
        let Some((at, fault)) = self.fault else { return (Part::All, Ok(())) };
        match fault {
            Fault::Error(kind) if at == calls && !is_tool => error(kind),
            Fault::Forever(kind) if at <= calls && !is_tool => error(kind),
            Fault::ToolFails if at == calls && is_tool => error(io::ErrorKind::Other),
            Fault::ToolHangs { done } if at == calls && is_tool => {
                (if done { Part::All } else { Part::None }, Err(io::ErrorKind::TimedOut.into()))
            }
            Fault::Ends(part) if at == calls => {
                self.ended.set(true);
                (part, Err(io::ErrorKind::Interrupted.into()))
            }
            _ => (Part::All, Ok(())),
        }
    }

    fn text(&self, path: &str) -> String {
        match self.disk.get(&abs(path)) {
            Some(Node::File(bytes, _)) => String::from_utf8_lossy(bytes).into_owned(),
            _ => String::new(),
        }
    }

    fn edit(&mut self, path: &str, edit: impl Fn(&str) -> Option<String>) {
        let text: String = self.text(path).lines().filter_map(|line| edit(line).map(|line| line + "\n")).collect();
        if let Some(Node::File(bytes, _)) = self.disk.get_mut(&abs(path)) {
            *bytes = text.into_bytes();
        }
    }

    fn add(&mut self, path: &str, line: &str) {
        if let Some(Node::File(bytes, _)) = self.disk.get_mut(&abs(path)) {
            bytes.extend(format!("{line}\n").into_bytes());
        }
    }

    fn is_empty(&self, folder: &AbsPath) -> bool {
        !self.disk.keys().any(|path| path != folder && path.is_within(folder))
    }

    /// What a tool does; the output, or what it says on an error.
    fn tool(&mut self, tool: Changer, args: &[&str]) -> Result<String, String> {
        let last = args.last().copied().unwrap_or_default();
        let value = |name: &str| args.iter().position(|arg| *arg == name).map_or("", |at| args[at + 1]);
        let is_account = |line: &str| line.starts_with(&format!("{last}:"));
        match (tool, args) {
            (Changer::Groupadd, _) => self.add("/etc/group", &format!("{last}:x:{}:", value("--gid"))),
            (Changer::Groupdel, _) => self.edit("/etc/group", |line| (!is_account(line)).then(|| line.to_owned())),
            (Changer::Useradd, _) => {
                let (uid, gid) = (value("--uid"), value("--gid"));
                self.add("/etc/passwd", &format!("{last}:x:{uid}:{gid}::{}:{}", value("--home-dir"), value("--shell")));
            }
            (Changer::Usermod, _) => {}
            // As the real one does, with the group of the same name.
            (Changer::Userdel, _) => {
                self.edit("/etc/passwd", |line| (!is_account(line)).then(|| line.to_owned()));
                self.edit("/etc/group", |line| (!is_account(line)).then(|| line.to_owned()));
            }
            (Changer::Gpasswd, ["-M", members, group]) => self.edit("/etc/group", |line| {
                let of_group = line.rsplit_once(':').filter(|_| line.starts_with(&format!("{group}:")));
                Some(of_group.map_or_else(|| line.to_owned(), |(head, _)| format!("{head}:{members}")))
            }),
            (Changer::Visudo, ["-cf", file]) if self.text(file).contains("ALL=") => {}
            (Changer::Visudo, ["-c"]) => {}
            (Changer::Nft, ["list", "tables", "inet"]) => {
                return Ok(self.tables.keys().map(|name| format!("table inet {name}\n")).collect());
            }
            (Changer::Nft, ["-s", "list", "ruleset"]) => return Ok(self.tables.values().cloned().collect()),
            (Changer::Nft, ["-s", "list", "table", "inet", name]) => return Ok(self.tables[*name].clone()),
            (Changer::Nft, ["delete", "table", "inet", name]) => drop(self.tables.remove(*name)),
            (Changer::Nft, ["-c", "-f", file]) if self.text(file).starts_with("table inet harden\ndelete") => {}
            (Changer::Nft, ["-f", file]) => {
                let text = self.text(file);
                let table = text.split_once("delete table inet harden\n").expect("our form").1;
                self.tables.insert("harden".to_owned(), table.to_owned());
            }
            (Changer::Auditctl, ["-l", "-k", key]) => {
                let ours = self.audit.iter().filter(|rule| rule.ends_with(&format!("key={key}")));
                return Ok(ours.map(|rule| format!("{rule}\n")).collect());
            }
            (Changer::Auditctl, ["-l"]) => return Ok(self.audit.iter().map(|rule| format!("{rule}\n")).collect()),
            (Changer::Auditctl, ["-s"]) => {
                let pid = if self.auditd { 7 } else { 0 };
                return Ok(format!("enabled {}\nfailure 1\npid {pid}\n", self.auditing));
            }
            (Changer::Auditctl, ["--signal", "HUP"]) => {}
            (Changer::Augenrules, ["--check"]) | (Changer::Systemctl, ["daemon-reload"]) => {}
            (Changer::Sysctl, ["-n", name]) => return Ok(format!("{}\n", self.kernel[*name])),
            (Changer::Sysctl, ["-q", "-w", setting]) => {
                let (name, value) = setting.split_once('=').expect("our form");
                self.kernel.insert(name.to_owned(), value.to_owned());
            }
            (Changer::Systemctl, ["show", "--property=LoadState,ActiveState", _]) => {
                let active = if self.auditd { "active" } else { "inactive" };
                return Ok(format!("LoadState=loaded\nActiveState={active}\n"));
            }
            (Changer::Systemctl, ["start", "auditd.service"]) => {
                // As its unit does: rules that are not on the disk are forgotten.
                let kept =
                    self.text("/etc/audit/rules.d/10-theirs.rules") + &self.text("/etc/audit/rules.d/60-ours.rules");
                self.audit.retain(|rule| kept.contains(rule.as_str()));
                self.auditd = true;
            }
            (Changer::Systemctl, ["stop", "auditd.service"]) => self.auditd = false,
            (Changer::Auditctl, ["-e", value]) => (*value).clone_into(&mut self.auditing),
            (Changer::Auditctl, ["-a", rest @ ..]) => self.audit.push(format!("-a {}", rest.join(" "))),
            (Changer::Auditctl, ["-d", rest @ ..]) => {
                let rule = format!("-a {}", rest.join(" "));
                let at = self.audit.iter().position(|known| *known == rule).ok_or("no rule matches")?;
                self.audit.remove(at);
            }
            (tool, args) => return Err(format!("{} {args:?} is not known here", tool.name())),
        }
        Ok(String::new())
    }
}

impl Machine for Invented {
    fn look(&self, path: &AbsPath) -> io::Result<(State, Option<Vec<u8>>)> {
        self.call(false).1?;
        Ok(match self.disk.get(path) {
            None => (State::Absent, None),
            Some(Node::File(bytes, access)) => (State::file(bytes, access.clone()), Some(bytes.clone())),
            Some(Node::Dir(access)) => (State::Dir { access: access.clone() }, None),
            Some(Node::Link(target)) => (State::Link { target: target.clone() }, None),
        })
    }

    fn access(&self, path: &AbsPath) -> io::Result<Option<Access>> {
        Ok(self.look(path)?.0.access().cloned())
    }

    fn list(&self, path: &AbsPath) -> io::Result<Vec<String>> {
        self.call(false).1?;
        if !matches!(self.disk.get(path), Some(Node::Dir(_))) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inside = self.disk.keys().filter(|other| other.parent().as_ref() == Some(path));
        Ok(inside.map(|other| other.name_text().into_owned()).collect())
    }

    fn make(&mut self, path: &AbsPath, new: New<'_>) -> io::Result<()> {
        let (part, said) = self.call(false);
        if self.disk.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let parent = path.parent().expect("not the top");
        assert!(matches!(self.disk.get(&parent), Some(Node::Dir(_))), "no folder holds {path}");
        let half = part == Part::Half;
        // Until it is whole, what is new is private to root.
        let private = |access: &Access, mode| if half { Access::of_root(mode) } else { access.clone() };
        let node = match new {
            New::File { bytes, access, .. } => {
                let length = if half { bytes.len() / 2 } else { bytes.len() };
                Node::File(bytes[..length].to_vec(), private(access, 0o600))
            }
            New::Dir { access } => Node::Dir(private(access, 0o700)),
            New::Link { target } => Node::Link(target.to_owned()),
        };
        if part != Part::None {
            self.disk.insert(path.clone(), node);
        }
        said
    }

    fn rename(&mut self, from: &AbsPath, to: &AbsPath) -> io::Result<()> {
        let (part, said) = self.call(false);
        if part == Part::All {
            let node = self.disk.remove(from).ok_or(io::ErrorKind::NotFound)?;
            self.disk.insert(to.clone(), node);
        }
        said
    }

    fn remove(&mut self, path: &AbsPath) -> io::Result<()> {
        let (part, said) = self.call(false);
        if part == Part::All {
            if !self.is_empty(path) {
                return Err(io::ErrorKind::DirectoryNotEmpty.into());
            }
            self.disk.remove(path);
        }
        said
    }

    fn set_access(&mut self, path: &AbsPath, access: &Access) -> io::Result<()> {
        let (part, said) = self.call(false);
        let Some(Node::File(_, there) | Node::Dir(there)) = self.disk.get_mut(path) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        match part {
            Part::None => {}
            // The owner first.
            Part::Half => (there.uid, there.gid) = (access.uid, access.gid),
            Part::All => *there = access.clone(),
        }
        said
    }

    fn append(&mut self, path: &AbsPath, bytes: &[u8]) -> io::Result<()> {
        let (part, said) = self.call(false);
        let Some(Node::File(content, _)) = self.disk.get_mut(path) else { return Err(io::ErrorKind::NotFound.into()) };
        let length = match part {
            Part::None => 0,
            Part::Half => bytes.len() / 2,
            Part::All => bytes.len(),
        };
        content.extend(&bytes[..length]);
        said
    }

    fn lock(&mut self, _: &AbsPath) -> io::Result<bool> {
        Ok(true)
    }

    fn run(&mut self, tool: Changer, args: &[&str]) -> Result<Output, ToolError> {
        let (part, said) = self.call(true);
        // Half of a tool's work is one of its files: the group without the account.
        let did = if part == Part::None { Ok(String::new()) } else { self.tool(tool, args) };
        let output = |status, stdout: String, stderr: String| Output { status, stdout, stderr };
        match (said, did) {
            (Ok(()), Ok(text)) => Ok(output(0, text, String::new())),
            (Ok(()), Err(why)) => Ok(output(1, String::new(), why)),
            (Err(error), _) if error.kind() == io::ErrorKind::TimedOut => Err(ToolError::TimedOut(tool.name(), 10)),
            (Err(_), _) => Ok(output(1, String::new(), "no".to_owned())),
        }
    }

    fn ask(&self, tool: Changer, args: &[&str]) -> Result<Output, ToolError> {
        let (_, said) = self.call(true);
        match said {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(ToolError::TimedOut(tool.name(), 10)),
            Err(_) => return Ok(Output { status: 1, stdout: String::new(), stderr: "no".to_owned() }),
            Ok(()) => {}
        }
        let text = self.clone().tool(tool, args);
        let status = i32::from(text.is_err());
        Ok(Output { status, stdout: text.clone().unwrap_or_default(), stderr: text.err().unwrap_or_default() })
    }

    fn accounts(&self) -> io::Result<Accounts> {
        self.call(false).1?;
        Ok(Accounts::parse(&self.text("/etc/passwd"), &self.text("/etc/group")))
    }

    fn processes_of(&self, _: Uid) -> io::Result<Vec<u32>> {
        Ok(Vec::new())
    }

    fn files_of(&self, uid: Uid) -> io::Result<Vec<AbsPath>> {
        self.call(false).1?;
        let owner = |node: &Node| match node {
            Node::File(_, access) | Node::Dir(access) => Some(access.uid),
            Node::Link(_) => None,
        };
        Ok(self.disk.iter().filter(|(_, node)| owner(node) == Some(uid)).map(|(path, _)| path.clone()).collect())
    }
}
