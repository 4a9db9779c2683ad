//! Whole machines, each audited with every check: `fixtures/hosts/<name>/`. What is said of one under a profile stands
//! in `<profile>.txt` beside it; `UPDATE=1 cargo test --test hosts` writes those files.
//!
//! A case of `fixtures/checks` shows one check at work. These show whether all of them together tell the truth: that a
//! machine can satisfy them all, that what an audit may not see is never held against a machine nor in its favour.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use harden::catalog::{self, Request, Types};
use harden::check;
use harden::facts::{self, subject};
use harden::host::{
    Accounts, Acl, Entry, FixtureHost, History, Host, Keep, Kind, Output, Process, Stat, Tool, ToolError,
};
use harden::model::{AbsPath, Check, Finding, Os, Scope, Status, Uid};
use harden::report::{self, Tick};
use proptest::prelude::*;

const HOSTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/hosts");
const PROFILES: [&str; 2] = ["production", "baseline"];

static CHECKS: LazyLock<BTreeMap<String, Arc<Check>>> =
    LazyLock::new(|| catalog::checks(&Types::default()).unwrap_or_else(|error| panic!("{error}")));

fn folder(name: &str) -> PathBuf {
    Path::new(HOSTS).join(name)
}

fn load(name: &str) -> FixtureHost {
    FixtureHost::load(&folder(name)).unwrap_or_else(|error| panic!("{error}"))
}

fn names() -> Vec<String> {
    let entries = fs::read_dir(HOSTS).expect("readable").map(|entry| entry.expect("readable").file_name());
    let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// All checks on a machine, looked at through `host`.
fn audit(machine: &FixtureHost, host: &dyn Host, profile: &str) -> Vec<Finding> {
    let request =
        Request { profile: Some(profile.into()), scope: machine.scope.or(Some(Scope::Host)), ..Request::default() };
    let mut policy = catalog::policy(&CHECKS, &request, catalog::today()).expect("a profile of ours");
    policy.parameters.0.extend(machine.parameters.clone());
    let agent = catalog::agent(machine.agent.as_deref().unwrap_or("opencode")).expect("an agent of ours");
    let id = agent.agent.clone();
    let subject = subject::settle(host, agent, &policy.parameters, policy.scope, &machine.cwd).expect("settles");
    let (facts, _) = facts::gather(host, &[subject], &check::needed_probes(&policy));
    let mut findings = check::findings(&policy, host.os(), &[id], &facts);
    check::sort(&mut findings);
    findings
}

/// The checklist, then what is wrong, what could not be told, and in short the rest.
fn story(findings: &[Finding]) -> String {
    let mut out = String::new();
    for line in catalog::checklist().expect("a checklist of ours") {
        let entry = report::tick(&line.id, &line.name, &line.checks, findings);
        let mark = match entry.tick {
            Tick::Yes => "x",
            Tick::Partly => "~",
            Tick::No => " ",
            Tick::Unknown => "?",
            Tick::NotApplicable => "-",
        };
        out.push_str(&format!("[{mark}] {} {}\n", entry.line, entry.text));
    }
    for finding in findings {
        let subject = finding.subject.as_deref().map(|subject| format!(" [{subject}]")).unwrap_or_default();
        let status = finding.status.name();
        out.push_str(&match finding.status {
            Status::Pass => format!("{status} {} {}{subject}\n", finding.code, finding.check),
            _ => {
                format!("{status} {} {}{subject}\n    {}\n", finding.code, finding.severity.name(), finding.message)
            }
        });
        for unseen in &finding.unseen {
            out.push_str(&format!("    {} -> {}\n", unseen.why, unseen.how));
        }
    }
    out
}

/// The worst that each check says.
fn worst(findings: &[Finding]) -> BTreeMap<&str, Status> {
    let mut worst = BTreeMap::new();
    for finding in findings {
        let held = worst.entry(finding.code.as_str()).or_insert(finding.status);
        *held = finding.status.min(*held);
    }
    worst
}

/// What each check says of each thing.
fn each(findings: &[Finding]) -> BTreeMap<(&str, Option<&str>), Status> {
    findings.iter().map(|finding| ((finding.code.as_str(), finding.subject.as_deref()), finding.status)).collect()
}

/// What is told otherwise by whoever sees less.
fn contradictions(all: &[Finding], less: &[Finding]) -> Vec<String> {
    let (before, after) = (worst(all), worst(less));
    let turned = |before: Status, after: Status| {
        matches!(
            (before, after),
            (Status::Pass, Status::Fail) | (Status::Fail, Status::Pass) | (Status::Unknown, Status::Pass)
        )
    };
    let mut found: Vec<String> = before
        .iter()
        .filter_map(|(code, before)| Some((code, before, after.get(code)?)))
        .filter(|(_, before, after)| turned(**before, **after))
        .map(|(code, before, after)| format!("{code}: {} became {}", before.name(), after.name()))
        .collect();
    let (before, after) = (each(all), each(less));
    found.extend(before.iter().filter_map(|(key, before)| {
        let after = after.get(key)?;
        turned(*before, *after).then(|| format!("{key:?}: {} became {}", before.name(), after.name()))
    }));
    found
}

#[test]
fn every_machine_is_told_as_recorded() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    for name in names() {
        let machine = load(&name);
        for profile in PROFILES {
            let said = story(&audit(&machine, &machine, profile));
            let file = folder(&name).join(format!("{profile}.txt"));
            if update {
                fs::write(&file, &said).expect("writable");
            } else if fs::read_to_string(&file).unwrap_or_default() != said {
                wrong.push(format!("{}: says\n{said}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} machines; see the difference with UPDATE=1:\n{}", wrong.len(), wrong.join("\n"));
}

/// Every check can be satisfied, and all of them at once: what cannot pass here is wrong with the check.
#[test]
fn a_hardened_machine_satisfies_every_check() {
    for name in ["hardened-linux", "hardened-macos"] {
        let machine = load(name);
        for profile in PROFILES {
            let findings = audit(&machine, &machine, profile);
            let left = |f: &&Finding| matches!(f.status, Status::Fail | Status::Unknown);
            let left: Vec<String> =
                findings.iter().filter(left).map(|f| format!("{}: {}", f.code, f.message)).collect();
            assert!(left.is_empty(), "{name}, {profile}:\n{}", left.join("\n"));
            for line in catalog::checklist().expect("a checklist of ours") {
                let entry = report::tick(&line.id, &line.name, &line.checks, &findings);
                assert_eq!(entry.tick, Tick::Yes, "{name}, {profile}: {} {:?}", entry.text, entry.evidence);
            }
        }
    }
}

/// A machine as somebody sees it who may not look everywhere.
struct Blinded<'a> {
    machine: &'a FixtureHost,
    /// Files that cannot be read, and folders that cannot be listed or passed through.
    closed: BTreeSet<AbsPath>,
    /// Tools that refuse.
    refused: BTreeSet<&'static str>,
    /// Whether processes can be listed.
    processes: bool,
}

impl Blinded<'_> {
    fn pass(&self, path: &AbsPath) -> io::Result<()> {
        let above = path.ancestors().skip(1);
        if above.into_iter().any(|folder| self.closed.contains(&folder)) { Err(denied()) } else { Ok(()) }
    }

    fn open(&self, path: &AbsPath) -> io::Result<()> {
        self.pass(path)?;
        if self.closed.contains(path) { Err(denied()) } else { Ok(()) }
    }
}

fn denied() -> io::Error {
    io::ErrorKind::PermissionDenied.into()
}

impl Host for Blinded<'_> {
    fn os(&self) -> Os {
        self.machine.os()
    }

    fn is_live(&self) -> bool {
        self.machine.is_live()
    }

    fn stat(&self, path: &AbsPath) -> io::Result<Stat> {
        self.pass(path)?;
        self.machine.stat(path)
    }

    fn read_link(&self, path: &AbsPath) -> io::Result<PathBuf> {
        self.pass(path)?;
        self.machine.read_link(path)
    }

    fn list(&self, path: &AbsPath) -> io::Result<Vec<Entry>> {
        self.open(path)?;
        self.machine.list(path)
    }

    fn read(&self, path: &AbsPath, limit: u64) -> io::Result<Vec<u8>> {
        self.open(path)?;
        self.machine.read(path, limit)
    }

    fn open(&self, path: &AbsPath) -> io::Result<std::fs::File> {
        self.open(path)?;
        self.machine.open(path)
    }

    fn acl(&self, path: &AbsPath) -> io::Result<Option<Acl>> {
        self.pass(path)?;
        self.machine.acl(path)
    }

    fn has_capabilities(&self, path: &AbsPath) -> io::Result<bool> {
        self.pass(path)?;
        self.machine.has_capabilities(path)
    }

    fn walk(
        &self,
        top: &AbsPath,
        keep: &mut dyn FnMut(&Path, Kind) -> Keep,
    ) -> io::Result<(Vec<(PathBuf, Kind)>, u64)> {
        self.open(top)?;
        let mut unlisted = 0;
        let (found, closed) = self.machine.walk(top, &mut |relative, kind| {
            let decision = keep(relative, kind);
            if kind != Kind::Dir || decision == Keep::Prune || !self.closed.contains(&top.join(relative)) {
                return decision;
            }
            unlisted += 1;
            Keep::Prune
        })?;
        Ok((found, closed + unlisted))
    }

    fn accounts(&self) -> io::Result<Accounts> {
        self.machine.accounts()
    }

    fn invoker(&self) -> io::Result<Option<Uid>> {
        self.machine.invoker()
    }

    fn processes(&self) -> io::Result<Vec<Process>> {
        if self.processes { self.machine.processes() } else { Err(denied()) }
    }

    fn env(&self, name: &str) -> Option<String> {
        self.machine.env(name)
    }

    fn env_names(&self) -> Vec<String> {
        self.machine.env_names()
    }

    fn run(&self, tool: Tool, args: &[&str]) -> Result<Output, ToolError> {
        if !self.refused.contains(tool.name()) {
            return self.machine.run(tool, args);
        }
        Ok(Output { status: 1, stdout: String::new(), stderr: "Operation not permitted (you must be root)\n".into() })
    }

    fn history(&self, git_dir: &AbsPath, limit: u64, keep: &(dyn Fn(&[u8]) -> bool + Sync)) -> io::Result<History> {
        self.open(git_dir)?;
        self.machine.history(git_dir, limit, keep)
    }
}

const REFUSING: [&str; 5] = ["nft", "auditctl", "pfctl", "codesign", "sudo"];

/// The same machine, audited without sudo: files closed by their modes, tools by the kernel.
fn without_privilege(name: &str) -> (FixtureHost, FixtureHost) {
    let file = folder(name).join("host.yaml");
    let text = fs::read_to_string(file).expect("readable").replace("\nsudo: true\n", "\n");
    (load(name), FixtureHost::parse(&text, &folder(name)).unwrap_or_else(|error| panic!("{error}")))
}

/// What an ordinary user is told of a machine is less than root is told, and never something else.
#[test]
fn without_privilege_nothing_is_told_otherwise() {
    for name in names().iter().filter(|name| !name.starts_with("image")) {
        let (all, less) = without_privilege(name);
        let refused = ["nft", "auditctl", "pfctl", "sudo"].into_iter().collect();
        let blinded = Blinded { machine: &less, closed: BTreeSet::new(), refused, processes: true };
        let (all, less) = (audit(&all, &all, "production"), audit(&less, &blinded, "production"));
        let wrong = contradictions(&all, &less);
        assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
        assert!(worst(&less).values().any(|status| *status == Status::Unknown), "{name}: everything could be told");
        let file = folder(name).join("without-privilege.txt");
        let said = story(&less);
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&file, said).expect("writable");
        } else {
            assert_eq!(fs::read_to_string(&file).unwrap_or_default(), said, "{}", file.display());
        }
    }
}

/// Every path of a machine, sorted.
fn paths(machine: &FixtureHost) -> Vec<AbsPath> {
    let (found, _) = machine.walk(&AbsPath::root(), &mut |_, _| Keep::Yes).expect("a fixture is readable to us");
    found.into_iter().map(|(path, _)| AbsPath::root().join(path)).collect()
}

struct Machine {
    name: &'static str,
    host: FixtureHost,
    paths: Vec<AbsPath>,
    findings: Vec<Finding>,
}

static MACHINES: LazyLock<Vec<Machine>> = LazyLock::new(|| {
    let machine = |name| {
        let host = load(name);
        let findings = audit(&host, &host, "production");
        Machine { name, paths: paths(&host), findings, host }
    };
    ["hardened-linux", "hardened-macos", "guide-linux", "developer-linux", "developer-macos"].map(machine).into()
});

fn check_blinded(machine: &Machine, blinded: &Blinded<'_>) -> Result<(), String> {
    let wrong = contradictions(&machine.findings, &audit(&machine.host, blinded, "production"));
    if wrong.is_empty() {
        return Ok(());
    }
    let closed: Vec<String> = blinded.closed.iter().map(AbsPath::text).collect();
    Err(format!("{} without {closed:?}, {:?}: {}", machine.name, blinded.refused, wrong.join("; ")))
}

/// One place after the other, so that what goes wrong has one cause.
#[test]
fn no_single_closed_place_turns_an_answer() {
    let wrong: Vec<String> = MACHINES
        .iter()
        .flat_map(|machine| {
            use rayon::prelude::*;
            let each = machine.paths.par_iter().filter_map(|path| {
                let closed = BTreeSet::from([path.clone()]);
                let blinded = Blinded { machine: &machine.host, closed, refused: BTreeSet::new(), processes: true };
                check_blinded(machine, &blinded).err()
            });
            each.collect::<Vec<_>>()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever an audit may not see makes answers unknown, or not applicable, and never turns one.
    #[test]
    fn what_cannot_be_seen_turns_no_answer(
        which in 0usize..5,
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        refused in prop::collection::btree_set(prop::sample::select(REFUSING.to_vec()), 0..3),
        processes in any::<bool>(),
    ) {
        let machine = &MACHINES[which];
        let closed = picks.iter().map(|pick| pick.get(&machine.paths).clone()).collect();
        let blinded = Blinded { machine: &machine.host, closed, refused, processes };
        prop_assert_eq!(check_blinded(machine, &blinded), Ok(()));
    }
}
