//! A machine written down in YAML: files with owners and modes, accounts, processes, recorded tool output. It
//! refuses what the kernel would refuse to the user who audits, so "unreadable" is tested without a second account.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::access::{Acl, AclEntry, AclTag};
use super::real::{not_a_file, too_large};
use super::{Account, Accounts, Entry, Group, History, Host, Keep, Kind, Output, Process, Stat, Tool, ToolError};
use crate::model::{AbsPath, Gid, Mode, Os, Scope, Uid};

/// What a fixture file may say. Defaults make the usual machine: `root`, `dev` (1000, who audits), nobody else.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    /// What the case shows, for its reader.
    #[serde(default)]
    #[expect(dead_code, reason = "read by people")]
    about: Option<String>,
    #[serde(default = "linux")]
    os: Os,
    /// An image: files only.
    #[serde(default)]
    image: bool,
    #[serde(default = "dev")]
    user: String,
    /// Whether the audit runs with sudo.
    #[serde(default)]
    sudo: bool,
    #[serde(default = "project")]
    cwd: String,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    accounts: Vec<AccountSpec>,
    #[serde(default)]
    groups: Vec<GroupSpec>,
    #[serde(default)]
    files: BTreeMap<String, FileSpec>,
    #[serde(default)]
    processes: Vec<ProcessSpec>,
    #[serde(default)]
    commands: BTreeMap<String, CommandSpec>,
    #[serde(default)]
    git: Option<GitSpec>,
    #[serde(default)]
    agent: Option<String>,
    #[serde(default)]
    scope: Option<Scope>,
    #[serde(default)]
    parameters: BTreeMap<String, Value>,
}

fn linux() -> Os {
    Os::Linux
}

fn dev() -> String {
    "dev".into()
}

fn project() -> String {
    "/srv/app".into()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountSpec {
    name: String,
    uid: u32,
    #[serde(default)]
    gid: Option<u32>,
    #[serde(default)]
    home: Option<String>,
    #[serde(default)]
    shell: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupSpec {
    name: String,
    gid: u32,
    #[serde(default)]
    members: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum FileSpec {
    Text(String),
    Full(Box<FullSpec>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FullSpec {
    content: Option<String>,
    /// A file of the case folder that holds the content.
    from: Option<String>,
    /// Bytes as hexadecimal digits.
    hex: Option<String>,
    link: Option<String>,
    /// `fifo`, `socket` or `device`.
    special: Option<String>,
    owner: Option<String>,
    group: Option<String>,
    mode: Option<String>,
    /// A size without the bytes; reading it is an error.
    size: Option<u64>,
    modified: Option<i64>,
    /// `user:NAME:rwx`, `group:NAME:r-x`, `mask::r-x`.
    acl: Vec<String>,
    capabilities: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProcessSpec {
    pid: u32,
    #[serde(default)]
    parent: Option<u32>,
    user: String,
    name: String,
    #[serde(default)]
    exe: Option<String>,
    #[serde(default)]
    args: Vec<String>,
    /// Names only; left out: could not be read.
    #[serde(default)]
    env: Option<Vec<String>>,
    #[serde(default)]
    cwd: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum CommandSpec {
    Stdout(String),
    Full(FullCommand),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FullCommand {
    stdout: String,
    /// A file of the case folder that holds the output.
    from: Option<String>,
    stderr: String,
    status: i32,
    missing: bool,
    hangs: bool,
}

/// A git repository, written down.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct GitSpec {
    /// Its work tree; the current directory where left out.
    top: Option<String>,
    /// Paths in its index.
    tracked: Vec<String>,
    /// Paths that older commits held.
    history: Vec<String>,
    /// Why the history is not whole.
    incomplete: Option<String>,
    /// Lines for its config file.
    config: String,
}

struct Node {
    stat: Stat,
    content: Content,
    acl: Option<Acl>,
    capabilities: bool,
}

enum Content {
    Bytes(Vec<u8>),
    Link(PathBuf),
    None,
}

/// A machine in memory.
pub struct FixtureHost {
    os: Os,
    image: bool,
    invoker: Uid,
    privileged: bool,
    env: BTreeMap<String, String>,
    accounts: Accounts,
    nodes: BTreeMap<AbsPath, Node>,
    children: BTreeMap<AbsPath, BTreeSet<OsString>>,
    processes: Vec<Process>,
    commands: BTreeMap<String, CommandSpec>,
    history: History,
    folder: PathBuf,
    /// The folder the audit is started in.
    pub cwd: AbsPath,
    /// The agent that the case is about.
    pub agent: Option<String>,
    /// How wide the case looks.
    pub scope: Option<Scope>,
    /// Parameters that the case sets.
    pub parameters: BTreeMap<String, Value>,
}

/// A fixture that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FixtureError {
    /// It, or a file it names, cannot be read.
    #[error("cannot read {0}: {1}")]
    Io(PathBuf, io::Error),
    /// It is not YAML of the form.
    #[error("{0}: {1}")]
    Yaml(PathBuf, serde_yaml::Error),
    /// It says something that cannot be.
    #[error("{0}: {1}")]
    Wrong(PathBuf, String),
}

impl FixtureHost {
    /// Loads `host.yaml` of a case folder.
    pub fn load(folder: &Path) -> Result<Self, FixtureError> {
        let file = folder.join("host.yaml");
        let text = std::fs::read_to_string(&file).map_err(|error| FixtureError::Io(file.clone(), error))?;
        Self::parse(&text, folder)
    }

    /// Builds a machine from YAML text; `folder` holds the files it names.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, FixtureError> {
        let file = folder.join("host.yaml");
        let spec: Spec = serde_yaml::from_str(text).map_err(|error| FixtureError::Yaml(file.clone(), error))?;
        Self::build(spec, folder).map_err(|problem| FixtureError::Wrong(file, problem))
    }

    fn build(spec: Spec, folder: &Path) -> Result<Self, String> {
        let accounts = accounts(&spec);
        let invoker = accounts.user(&spec.user).ok_or_else(|| format!("no account `{}`", spec.user))?.uid;
        let cwd = AbsPath::new(&spec.cwd).ok_or("cwd is not absolute")?;
        let mut host = Self {
            os: spec.os,
            image: spec.image,
            invoker,
            privileged: spec.sudo || invoker == Uid(0),
            env: spec.env,
            accounts,
            nodes: BTreeMap::new(),
            children: BTreeMap::new(),
            processes: Vec::new(),
            commands: spec.commands,
            history: History::default(),
            folder: folder.to_owned(),
            cwd,
            agent: spec.agent,
            scope: spec.scope,
            parameters: spec.parameters,
        };
        if let Some(home) = host.accounts.user(&spec.user).and_then(|user| user.home.clone()) {
            host.env.entry("HOME".into()).or_insert_with(|| home.text());
        }
        host.processes = spec.processes.into_iter().map(|p| host.process(p)).collect::<Result<_, _>>()?;
        host.plant_usual()?;
        if let Some(git) = spec.git {
            host.plant_git(git)?;
        }
        for (path, file) in spec.files {
            host.plant(&path, file)?;
        }
        Ok(host)
    }

    fn process(&self, spec: ProcessSpec) -> Result<Process, String> {
        let user = self.accounts.user(&spec.user).ok_or_else(|| format!("no account `{}`", spec.user))?;
        Ok(Process {
            pid: spec.pid,
            parent: spec.parent,
            uid: Some(user.uid),
            name: spec.name,
            exe: spec.exe.and_then(AbsPath::new),
            args: spec.args,
            env: spec.env,
            cwd: spec.cwd.and_then(AbsPath::new),
        })
    }

    /// Folders of every machine, and the account files.
    fn plant_usual(&mut self) -> Result<(), String> {
        self.node(AbsPath::root(), Kind::Dir, (Uid(0), Gid(0)), Mode::new(0o755), Content::None);
        for folder in ["/etc/", "/usr/bin/", "/usr/local/bin/", "/var/log/", "/proc/"] {
            self.plant(folder, FileSpec::Full(Box::default()))?;
        }
        let tmp = FullSpec { mode: Some("1777".into()), ..FullSpec::default() };
        self.plant("/tmp/", FileSpec::Full(Box::new(tmp)))?;
        for user in self.accounts.users.clone() {
            let Some(home) = user.home.filter(|home| home.text() != "/") else { continue };
            let mode = if user.uid == Uid(0) { "0700" } else { "0755" };
            let spec = FullSpec { owner: Some(user.name), mode: Some(mode.into()), ..FullSpec::default() };
            self.plant(&format!("{home}/"), FileSpec::Full(Box::new(spec)))?;
        }
        if self.os == Os::Linux {
            let (passwd, group) = (self.passwd(), self.group_file());
            self.plant("/etc/passwd", FileSpec::Text(passwd))?;
            self.plant("/etc/group", FileSpec::Text(group))?;
        }
        self.plant(&format!("{}/", self.cwd.clone()), FileSpec::Full(Box::default()))
    }

    fn passwd(&self) -> String {
        let line = |u: &Account| {
            let home = u.home.as_ref().map(AbsPath::text).unwrap_or_default();
            format!("{}:x:{}:{}::{home}:{}\n", u.name, u.uid.0, u.gid.0, u.shell)
        };
        self.accounts.users.iter().map(line).collect()
    }

    fn group_file(&self) -> String {
        self.accounts.groups.iter().map(|g| format!("{}:x:{}:{}\n", g.name, g.gid.0, g.members.join(","))).collect()
    }

    fn plant_git(&mut self, git: GitSpec) -> Result<(), String> {
        let top = git.top.unwrap_or_else(|| self.cwd.text());
        let plain = |text: &str| FileSpec::Text(text.to_owned());
        self.plant(&format!("{top}/.git/HEAD"), plain("ref: refs/heads/main\n"))?;
        self.plant(&format!("{top}/.git/config"), plain(&format!("[core]\n\tbare = false\n{}", git.config)))?;
        for folder in ["objects", "refs/heads", "hooks", "info"] {
            self.plant(&format!("{top}/.git/{folder}/"), FileSpec::Full(Box::default()))?;
        }
        let path = format!("{top}/.git/index");
        let index = FullSpec { hex: Some(hex(&index_of(&git.tracked)?)), ..FullSpec::default() };
        self.plant(&path, FileSpec::Full(Box::new(index)))?;
        self.history = History { paths: git.history, commits: 1, incomplete: git.incomplete };
        Ok(())
    }

    fn plant(&mut self, path: &str, spec: FileSpec) -> Result<(), String> {
        let abs = AbsPath::new(path).ok_or_else(|| format!("`{path}` is not absolute"))?;
        let spec = match spec {
            FileSpec::Text(text) => FullSpec { content: Some(text), ..FullSpec::default() },
            FileSpec::Full(spec) => *spec,
        };
        self.plant_parents(&abs);
        let owner = self.owner(&abs, &spec)?;
        let (kind, content) = self.content(path, &spec)?;
        let usual = match kind {
            Kind::Dir => 0o755,
            Kind::Link => 0o777,
            _ => 0o644,
        };
        let mode = match &spec.mode {
            Some(text) => Mode::parse(text).ok_or_else(|| format!("`{path}`: mode `{text}` is not octal"))?,
            None => Mode::new(usual),
        };
        let acl = if spec.acl.is_empty() { None } else { Some(self.parse_acl(&spec.acl, mode)?) };
        self.node(abs.clone(), kind, owner, mode, content);
        if let Some(node) = self.nodes.get_mut(&abs) {
            node.acl = acl;
            node.capabilities = spec.capabilities;
            node.stat.size = spec.size.unwrap_or(node.stat.size);
            node.stat.modified = spec.modified.unwrap_or(node.stat.modified);
        }
        Ok(())
    }

    fn plant_parents(&mut self, path: &AbsPath) {
        let missing: Vec<AbsPath> = path.ancestors().skip(1).filter(|p| !self.nodes.contains_key(p)).collect();
        for folder in missing.into_iter().rev() {
            let owner = self.usual_owner(&folder);
            self.node(folder, Kind::Dir, owner, Mode::new(0o755), Content::None);
        }
    }

    /// Files below a home belong to its user, files of the project to the invoker, the rest to root.
    fn usual_owner(&self, path: &AbsPath) -> (Uid, Gid) {
        let of_home =
            |user: &&Account| user.home.as_ref().is_some_and(|home| home.text() != "/" && path.is_within(home));
        let user = self.accounts.users.iter().find(of_home);
        let user = user.or_else(|| path.is_within(&self.cwd).then(|| self.accounts.user_of(self.invoker)).flatten());
        user.map_or((Uid(0), Gid(0)), |user| (user.uid, user.gid))
    }

    fn owner(&self, path: &AbsPath, spec: &FullSpec) -> Result<(Uid, Gid), String> {
        let mut owner = self.usual_owner(path);
        if let Some(name) = &spec.owner {
            let user = self.accounts.user(name).ok_or_else(|| format!("no account `{name}`"))?;
            owner = (user.uid, user.gid);
        }
        if let Some(name) = &spec.group {
            let group = self.accounts.groups.iter().find(|g| g.name == *name);
            owner.1 = group.ok_or_else(|| format!("no group `{name}`"))?.gid;
        }
        Ok(owner)
    }

    fn content(&self, path: &str, spec: &FullSpec) -> Result<(Kind, Content), String> {
        if let Some(target) = &spec.link {
            return Ok((Kind::Link, Content::Link(PathBuf::from(target))));
        }
        if let Some(special) = &spec.special {
            let kind = if special == "socket" { Kind::Socket } else { Kind::Special };
            return Ok((kind, Content::None));
        }
        if path.ends_with('/') {
            return Ok((Kind::Dir, Content::None));
        }
        if let Some(name) = &spec.from {
            let bytes =
                std::fs::read(self.folder.join(name)).map_err(|error| format!("cannot read {name}: {error}"))?;
            return Ok((Kind::File, Content::Bytes(bytes)));
        }
        if let Some(digits) = &spec.hex {
            return Ok((
                Kind::File,
                Content::Bytes(unhex(digits).ok_or_else(|| format!("`{path}`: not hexadecimal"))?),
            ));
        }
        let content = spec.content.clone().map(|text| Content::Bytes(text.into_bytes()));
        Ok((
            Kind::File,
            content.unwrap_or(if spec.size.is_some() { Content::None } else { Content::Bytes(Vec::new()) }),
        ))
    }

    fn parse_acl(&self, lines: &[String], mode: Mode) -> Result<Acl, String> {
        let bits = mode.bits();
        let mut acl = vec![
            AclEntry { tag: AclTag::Owner, rights: (bits >> 6 & 7) as u8 },
            AclEntry { tag: AclTag::Mask, rights: (bits >> 3 & 7) as u8 },
            AclEntry { tag: AclTag::Other, rights: (bits & 7) as u8 },
        ];
        for line in lines {
            let fields: Vec<&str> = line.split(':').collect();
            let [kind, name, rights] = fields[..] else { return Err(format!("`{line}` is no access list entry")) };
            let rights = rights.chars().fold(0, |all, c| {
                all | match c {
                    'r' => 4,
                    'w' => 2,
                    'x' => 1,
                    _ => 0,
                }
            });
            let tag = match (kind, name) {
                ("group", "") => AclTag::OwningGroup,
                ("user", name) => {
                    AclTag::User(self.accounts.user(name).ok_or_else(|| format!("no account `{name}`"))?.uid)
                }
                ("group", name) => {
                    let group = self.accounts.groups.iter().find(|g| g.name == name);
                    AclTag::Group(group.ok_or_else(|| format!("no group `{name}`"))?.gid)
                }
                _ => return Err(format!("`{line}` is no access list entry")),
            };
            acl.push(AclEntry { tag, rights });
        }
        Ok(Acl(acl))
    }

    fn node(&mut self, path: AbsPath, kind: Kind, (uid, gid): (Uid, Gid), mode: Mode, content: Content) {
        if let (Some(parent), Some(name)) = (path.parent(), path.name()) {
            self.children.entry(parent).or_default().insert(name.to_owned());
        }
        let size = if let Content::Bytes(bytes) = &content { bytes.len() as u64 } else { 0 };
        let stat = Stat { kind, uid, gid, mode, size, modified: 0 };
        self.nodes.insert(path, Node { stat, content, acl: None, capabilities: false });
    }

    /// The node, if the kernel let the auditing user reach it.
    fn find(&self, path: &AbsPath) -> io::Result<&Node> {
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        for folder in path.ancestors().skip(1).collect::<Vec<_>>().into_iter().rev() {
            let node = self.nodes.get(&folder).ok_or_else(missing)?;
            match node.stat.kind {
                Kind::Dir => self.demand(node, 1)?,
                Kind::Link => return Err(io::Error::other("a link that was not followed")),
                _ => return Err(io::ErrorKind::NotADirectory.into()),
            }
        }
        self.nodes.get(path).ok_or_else(missing)
    }

    fn demand(&self, node: &Node, bit: u32) -> io::Result<()> {
        if self.privileged {
            return Ok(());
        }
        let groups = self.accounts.user_of(self.invoker).map(|user| self.accounts.groups_of(user)).unwrap_or_default();
        let mode = node.stat.mode.bits();
        let rights = if node.stat.uid == self.invoker {
            mode >> 6
        } else if groups.contains(&node.stat.gid) {
            mode >> 3
        } else {
            mode
        };
        if rights & bit == bit { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }
}

fn accounts(spec: &Spec) -> Accounts {
    let (home, root_home) = match spec.os {
        Os::Linux => ("/home", "/root"),
        Os::Macos => ("/Users", "/var/root"),
    };
    let dev_uid = if spec.os == Os::Linux { 1000 } else { 501 };
    let account = |name: &str, uid: u32, home: &str, shell: &str| Account {
        name: name.to_owned(),
        uid: Uid(uid),
        gid: Gid(uid),
        home: AbsPath::new(home),
        shell: shell.to_owned(),
    };
    let mut users =
        vec![account("root", 0, root_home, "/bin/bash"), account("dev", dev_uid, &format!("{home}/dev"), "/bin/bash")];
    for given in &spec.accounts {
        let home = given.home.clone().unwrap_or_else(|| format!("{home}/{}", given.name));
        let shell = given.shell.as_deref().unwrap_or("/bin/bash");
        let mut user = account(&given.name, given.uid, &home, shell);
        user.gid = Gid(given.gid.unwrap_or(given.uid));
        users.retain(|known| known.name != user.name);
        users.push(user);
    }
    let mut groups: Vec<Group> =
        users.iter().map(|user| Group { name: user.name.clone(), gid: user.gid, members: Vec::new() }).collect();
    for given in &spec.groups {
        let members = given.members.clone();
        groups.retain(|known| known.name != given.name && known.gid != Gid(given.gid));
        groups.push(Group { name: given.name.clone(), gid: Gid(given.gid), members });
    }
    Accounts { users, groups }
}

fn index_of(tracked: &[String]) -> Result<Vec<u8>, String> {
    let kind = gix_hash::Kind::Sha1;
    let mut state = gix_index::State::new(kind);
    for path in tracked {
        state.dangerously_push_entry(
            gix_index::entry::Stat::default(),
            kind.null(),
            gix_index::entry::Flags::empty(),
            gix_index::entry::Mode::FILE,
            path.as_str().into(),
        );
    }
    state.sort_entries();
    let mut bytes = Vec::new();
    state.write_to(&mut bytes, gix_index::write::Options::default()).map_err(|error| error.to_string())?;
    // The file ends with a checksum; all zeros means "not computed".
    bytes.extend([0; 20]);
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = digits.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(byte).collect())?
}

impl Host for FixtureHost {
    fn os(&self) -> Os {
        self.os
    }

    fn is_live(&self) -> bool {
        !self.image
    }

    fn stat(&self, path: &AbsPath) -> io::Result<Stat> {
        Ok(self.find(path)?.stat)
    }

    fn read_link(&self, path: &AbsPath) -> io::Result<PathBuf> {
        match &self.find(path)?.content {
            Content::Link(target) => Ok(target.clone()),
            _ => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    fn list(&self, path: &AbsPath) -> io::Result<Vec<Entry>> {
        let node = self.find(path)?;
        if node.stat.kind != Kind::Dir {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        self.demand(node, 4)?;
        let names = self.children.get(path).into_iter().flatten();
        Ok(names.map(|name| Entry { name: name.clone(), kind: self.nodes[&path.join(name)].stat.kind }).collect())
    }

    fn read(&self, path: &AbsPath, limit: u64) -> io::Result<Vec<u8>> {
        let node = self.find(path)?;
        if node.stat.kind != Kind::File {
            return Err(not_a_file(node.stat.kind));
        }
        self.demand(node, 4)?;
        if node.stat.size > limit {
            return Err(too_large(node.stat.size, limit));
        }
        match &node.content {
            Content::Bytes(bytes) => Ok(bytes.clone()),
            _ => Err(io::Error::other("the fixture gives a size and no bytes")),
        }
    }

    fn acl(&self, path: &AbsPath) -> io::Result<Option<Acl>> {
        Ok(self.find(path)?.acl.clone())
    }

    fn has_capabilities(&self, path: &AbsPath) -> io::Result<bool> {
        Ok(self.find(path)?.capabilities)
    }

    fn walk(
        &self,
        top: &AbsPath,
        keep: &mut dyn FnMut(&Path, Kind) -> Keep,
    ) -> io::Result<(Vec<(PathBuf, Kind)>, u64)> {
        let (mut kept, mut closed) = (Vec::new(), 0);
        let mut todo: Vec<AbsPath> = self.list(top)?.into_iter().rev().map(|e| top.join(e.name)).collect();
        while let Some(path) = todo.pop() {
            let kind = self.stat(&path)?.kind;
            let Some(relative) = path.below(top) else { continue };
            let decision = keep(relative, kind);
            if decision == Keep::Yes {
                kept.push((relative.to_owned(), kind));
            }
            if kind != Kind::Dir || decision == Keep::Prune {
                continue;
            }
            match self.list(&path) {
                Ok(entries) => todo.extend(entries.into_iter().rev().map(|e| path.join(e.name))),
                Err(_) => closed += 1,
            }
        }
        Ok((kept, closed))
    }

    fn accounts(&self) -> io::Result<Accounts> {
        if self.os == Os::Macos && self.commands.keys().any(|command| command.starts_with("dscl ")) {
            return super::accounts::from_dscl(self);
        }
        Ok(self.accounts.clone())
    }

    fn invoker(&self) -> io::Result<Option<Uid>> {
        Ok((!self.image).then_some(self.invoker))
    }

    fn processes(&self) -> io::Result<Vec<Process>> {
        if self.image {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "an image runs no processes"));
        }
        Ok(self.processes.clone())
    }

    fn env(&self, name: &str) -> Option<String> {
        self.env.get(name).filter(|_| !self.image).cloned()
    }

    fn env_names(&self) -> Vec<String> {
        self.env.keys().filter(|_| !self.image).cloned().collect()
    }

    fn run(&self, tool: Tool, args: &[&str]) -> Result<Output, ToolError> {
        if self.image {
            return Err(ToolError::NotLive(tool.name()));
        }
        let command = std::iter::once(tool.name()).chain(args.iter().copied()).collect::<Vec<_>>().join(" ");
        match self.commands.get(&command) {
            None => Err(ToolError::Unrecorded(command)),
            Some(CommandSpec::Stdout(stdout)) => Ok(Output { stdout: stdout.clone(), ..Output::default() }),
            Some(CommandSpec::Full(full)) if full.missing => Err(ToolError::Missing(tool.name())),
            Some(CommandSpec::Full(full)) if full.hangs => Err(ToolError::TimedOut(tool.name(), 10)),
            Some(CommandSpec::Full(full)) => {
                let stdout = match &full.from {
                    Some(name) => std::fs::read_to_string(self.folder.join(name))
                        .map_err(|error| ToolError::Io(tool.name(), error))?,
                    None => full.stdout.clone(),
                };
                Ok(Output { status: full.status, stdout, stderr: full.stderr.clone() })
            }
        }
    }

    fn history(&self, _: &AbsPath, _: u64, keep: &(dyn Fn(&[u8]) -> bool + Sync)) -> io::Result<History> {
        let mut history = self.history.clone();
        history.paths.retain(|path| keep(path.as_bytes()));
        Ok(history)
    }
}
