//! The kernel's audit: whether it is on, whether somebody reads it, and which commands of the agent's account it
//! records, now and after the next boot.

use schemars::JsonSchema;
use serde::Serialize;

use super::audit_rules::{Abi, AuditRule, Caller, Record, UNSET, parse, record};
use super::reach::agent;
use super::units::{is_enabled, names, read};
use super::{ProbeError, needs_running};
use crate::host::{Accounts, Host, Output, Tool, exists};
use crate::model::{AbsPath, Look, Subject, Uid, Unseen};

/// The kernel's audit.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Whether it is on.
    enabled: Look<Enabled>,
    /// Whether a daemon reads the records.
    has_reader: Look<bool>,
    /// How many records were lost since boot.
    lost: Look<i64>,
    /// Whether the kernel was started with auditing switched off.
    kernel_off: Look<bool>,
    /// Whether the daemon starts at boot.
    starts_at_boot: Look<bool>,
    /// What the daemon does when its space runs out.
    daemon: Look<Daemon>,
    /// Whether it keeps as much as the parameter `audit_log_mib` asks for.
    keeps_enough: Look<bool>,
    /// What keeps records from being made or kept, in words.
    trouble: Look<Vec<String>>,
    /// What the loaded rules record.
    loaded: Look<Coverage>,
    /// What the rules on disk will record after a boot.
    on_disk: Look<Coverage>,
}

/// Whether auditing is on.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Enabled {
    /// Rules may be loaded and record nothing.
    Off,
    /// On.
    On,
    /// On, and not to be changed before a reboot.
    Locked,
}

/// Settings of the daemon.
#[derive(Clone, Serialize, JsonSchema)]
pub(super) struct Daemon {
    /// Where it writes.
    pub(super) log_file: String,
    /// What it does with a full file.
    max_log_file_action: String,
    /// How many files it keeps.
    num_logs: i64,
    /// How much it keeps before it gives the oldest up, in MiB; null where it gives nothing up.
    keeps_mib: Option<i64>,
    /// What it does when space gets short.
    space_left_action: String,
    /// What it does when there is none.
    disk_full_action: String,
}

/// What rules record of the account's commands.
#[derive(Clone, Serialize, JsonSchema)]
struct Coverage {
    /// Commands that leave no record, in words.
    missing: Look<Vec<String>>,
    /// The rules.
    rules: Vec<String>,
}

/// Lines of rules that are read.
const LINES: usize = 20_000;

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    needs_running(host, "running kernel")?;
    let accounts = host.accounts().map_err(|error| ProbeError::unreadable(&path("/etc/passwd"), error))?;
    let state = told(host, "-s");
    let number = |key: &str| -> Look<i64> {
        match &state {
            Ok(text) => value(text, key).and_then(|value| value.parse().ok()).map_or_else(
                || Look::unknown(format!("`auditctl -s` does not tell `{key}`"), "run it by hand"),
                Look::Known,
            ),
            Err(unseen) => Look::Unknown(unseen.clone()),
        }
    };
    let widths = widths(host);
    let judge = |rules: Vec<AuditRule>| coverage(&rules, subject, &accounts, &widths);
    let mut fact = Fact {
        enabled: number("enabled").map(|number| match number {
            0 => Enabled::Off,
            1 => Enabled::On,
            _ => Enabled::Locked,
        }),
        has_reader: number("pid").map(|pid| pid != 0),
        lost: number("lost"),
        kernel_off: kernel_off(host),
        starts_at_boot: is_enabled(host, "auditd.service").into(),
        daemon: daemon(host).into(),
        keeps_enough: Look::from(daemon(host)).map(|daemon: Daemon| {
            let asked = i64::try_from(subject.parameters.number("audit_log_mib")).unwrap_or(i64::MAX);
            daemon.keeps_mib.is_none_or(|keeps| keeps >= asked)
        }),
        trouble: Look::Known(Vec::new()),
        loaded: Look::from(told(host, "-l")).map(|text| judge(parse(text.lines().take(LINES)))),
        on_disk: Look::from(on_disk(host)).map(judge),
    };
    fact.trouble = trouble(&fact);
    Ok(fact)
}

fn path(text: &str) -> AbsPath {
    AbsPath::root().join(text)
}

fn told(host: &dyn Host, option: &str) -> Result<String, Unseen> {
    let Output { status, stdout, stderr } = host.run(Tool::Auditctl, &[option]).map_err(Unseen::from)?;
    if status == 0 {
        return Ok(stdout);
    }
    let why = stderr.lines().next().unwrap_or("no output").trim().trim_end_matches('.').to_owned();
    let how = if why.contains("root") { "run with sudo" } else { "run it by hand" };
    Err(Unseen::new(format!("`auditctl {option}` says: {why}"), how))
}

fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut lines = text.lines().map(str::split_whitespace);
    lines.find_map(|mut words| (words.next()? == key).then(|| words.next())?)
}

/// `audit=0` on the kernel's command line.
fn kernel_off(host: &dyn Host) -> Look<bool> {
    match read(host, &path("/proc/cmdline")) {
        Ok(Some(line)) => Look::Known(line.split_whitespace().any(|word| word == "audit=0" || word == "audit=off")),
        Ok(None) => Look::unknown("there is no /proc/cmdline to read", "audit the running machine"),
        Err(error) => Look::Unknown(error.into()),
    }
}

/// Rules in the order of the next boot: those of rules.d by name, else the one file they are compiled into.
fn on_disk(host: &dyn Host) -> Result<Vec<AuditRule>, ProbeError> {
    let folder = path("/etc/audit/rules.d");
    let files: Vec<AbsPath> = names(host, &folder)?
        .into_iter()
        .filter(|name| name.ends_with(".rules"))
        .map(|name| folder.join(name))
        .collect();
    let files = if files.is_empty() { vec![path("/etc/audit/audit.rules")] } else { files };
    let mut text = String::new();
    for file in files {
        text.push_str(&read(host, &file)?.unwrap_or_default());
        text.push('\n');
    }
    // The compiler of rules.d puts `-D` first, wherever it stands.
    let lines = text.lines().take(LINES).filter(|line| line.trim() != "-D");
    Ok(parse(lines))
}

/// The log that the daemon writes.
pub fn log_file(host: &dyn Host) -> Result<AbsPath, ProbeError> {
    let file = daemon(host)?.log_file;
    AbsPath::new(&file).ok_or_else(|| {
        ProbeError::Unseen(Unseen::new(format!("auditd is set to write into `{file}`, which is no absolute path"), ""))
    })
}

pub(super) fn daemon(host: &dyn Host) -> Result<Daemon, ProbeError> {
    let file = path("/etc/audit/auditd.conf");
    let text = read(host, &file)?
        .ok_or_else(|| ProbeError::Unseen(Unseen::new(format!("there is no `{file}`"), "install auditd")))?;
    let setting = |key: &str, usual: &str| {
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        let found = pairs.map(|(name, value)| (name.trim(), value.trim())).find(|(name, _)| *name == key);
        found.map_or(usual, |(_, value)| value).to_owned()
    };
    let number = |key: &str| setting(key, "0").parse::<i64>().unwrap_or(0);
    let action = setting("max_log_file_action", "IGNORE").to_lowercase();
    // A size of 0 is no bound, and one file cannot be rotated.
    let bounded = number("max_log_file") > 0;
    let keeps_mib = match action.as_str() {
        "rotate" if bounded && number("num_logs") > 1 => {
            Some(number("max_log_file").saturating_mul(number("num_logs")))
        }
        "suspend" if bounded => Some(number("max_log_file")),
        _ => None,
    };
    Ok(Daemon {
        keeps_mib,
        log_file: setting("log_file", "/var/log/audit/audit.log"),
        max_log_file_action: action,
        num_logs: number("num_logs"),
        space_left_action: setting("space_left_action", "IGNORE").to_lowercase(),
        disk_full_action: setting("disk_full_action", "IGNORE").to_lowercase(),
    })
}

/// What keeps records from being made or kept.
fn trouble(fact: &Fact) -> Look<Vec<String>> {
    let mut found = Vec::new();
    let mut unseen = None;
    let mut ask = |look: Look<Option<String>>| match look {
        Look::Known(problem) => found.extend(problem),
        Look::Unknown(why) => unseen = unseen.take().or(Some(why)),
    };
    let says = |holds: bool, text: &str| holds.then(|| text.to_owned());
    ask(fact.enabled.clone().map(|on| {
        says(on == Enabled::Off, "auditing is switched off in the kernel (enabled 0): loaded rules record nothing")
    }));
    ask(fact.has_reader.clone().map(|reader| says(!reader, "no daemon reads the records (pid 0)")));
    ask(fact.lost.clone().map(|lost| says(lost > 0, &format!("{lost} records were lost since boot"))));
    ask(fact.kernel_off.clone().map(|off| says(off, "the kernel is started with audit=0")));
    ask(fact
        .starts_at_boot
        .clone()
        .map(|starts| says(!starts, "auditd.service is not enabled, so nothing reads after a boot")));
    ask(fact.daemon.clone().map(|daemon| {
        says(
            daemon.max_log_file_action == "suspend",
            "auditd stops writing when its file is full (max_log_file_action)",
        )
    }));
    match (found.is_empty(), unseen) {
        (true, Some(unseen)) => Look::Unknown(unseen),
        _ => Look::Known(found),
    }
}

/// The widths of programs that this machine runs.
fn widths(host: &dyn Host) -> Look<Vec<Abi>> {
    let both = Look::Known(vec![Abi::Bits64, Abi::Bits32]);
    let at = |file: &str| exists(host, &path(file)).unwrap_or(false);
    let arch = read(host, &path("/proc/sys/kernel/arch")).ok().flatten();
    let arch = match arch.as_deref().map(str::trim) {
        Some(arch) => arch.to_owned(),
        None if at("/lib64/ld-linux-x86-64.so.2") => "x86_64".into(),
        None if at("/lib/ld-linux-aarch64.so.1") => "aarch64".into(),
        None => String::new(),
    };
    match arch.as_str() {
        "x86_64" => {
            let line = read(host, &path("/proc/cmdline")).ok().flatten().unwrap_or_default();
            let off = ["ia32_emulation=0", "ia32_emulation=off", "ia32_emulation=false"];
            if line.split_whitespace().any(|word| off.contains(&word)) { Look::Known(vec![Abi::Bits64]) } else { both }
        }
        // Most ARM servers run no 32-bit programs at all.
        "aarch64" | "arm64" | "riscv64" => Look::Known(vec![Abi::Bits64]),
        _ => Look::unknown(
            "which widths of programs this machine runs could not be told",
            "compare the rules with `uname -m`",
        ),
    }
}

/// What rules record of the commands that the account runs, also after a setuid program changed one of its numbers.
fn coverage(rules: &[AuditRule], subject: &Subject, accounts: &Accounts, widths: &Look<Vec<Abi>>) -> Coverage {
    let texts = rules.iter().map(|rule| rule.text.clone()).collect();
    let uid = match agent(subject) {
        Ok(who) => who.uid,
        Err(error) => return Coverage { missing: Look::Unknown(error.into()), rules: texts },
    };
    let person = subject.invoker.as_ref().and_then(|invoker| invoker.uid);
    let sure = match widths {
        Look::Known(widths) => widths.clone(),
        Look::Unknown(_) => vec![Abi::Bits64],
    };
    let number = |name: &str| accounts.user(name).map(|user| user.uid.0);
    let (mut missing, mut unclear) = (Vec::new(), None);
    for abi in sure {
        for call in ["execve", "execveat"] {
            for (caller, when) in callers(uid, person) {
                match record(rules, &caller, abi, call, &number) {
                    Record::Kept => {}
                    Record::Missing(by) => {
                        missing.push(Hole { abi, call, when, by });
                        // What is never recorded needs no second mention.
                        if when.is_empty() {
                            break;
                        }
                    }
                    Record::Untold(rule) => unclear = unclear.or(Some(rule)),
                }
            }
        }
    }
    let missing = sentences(&missing, widths.known().map_or(1, Vec::len));
    let missing = match (missing.is_empty(), unclear, widths) {
        (true, Some(rule), _) => Look::unknown(
            format!("`{rule}` may keep commands of the account out of the log"),
            "narrow that rule, or put it last",
        ),
        (true, None, Look::Unknown(unseen)) => Look::Unknown(unseen.clone()),
        _ => Look::Known(missing),
    };
    Coverage { missing, rules: texts }
}

/// The account as it is, behind a setuid program, and through a setuid program of its own.
fn callers(agent: Uid, invoker: Option<Uid>) -> [(Caller, &'static str); 3] {
    let mut logins = vec![agent.0, UNSET];
    logins.extend(invoker.map(|uid| uid.0));
    let other = if agent.0 == 0 { 1 } else { 0 };
    let caller = |uid, euid| Caller { uid, euid, logins: logins.clone() };
    [
        (caller(agent.0, agent.0), ""),
        (caller(agent.0, other), " while another effective user is set"),
        (caller(other, agent.0), " while another real user is set"),
    ]
}

/// A kind of command that leaves no record.
struct Hole {
    abi: Abi,
    call: &'static str,
    when: &'static str,
    by: Option<String>,
}

/// The holes in words, alike ones together. `widths` is how many kinds of programs there are.
fn sentences(holes: &[Hole], widths: usize) -> Vec<String> {
    let mut alike: Vec<(&str, Option<&str>, Vec<&Hole>)> = Vec::new();
    for hole in holes {
        let by = hole.by.as_deref();
        match alike.iter_mut().find(|(when, cause, _)| *when == hole.when && *cause == by) {
            Some((.., holes)) => holes.push(hole),
            None => alike.push((hole.when, by, vec![hole])),
        }
    }
    let mut said = Vec::new();
    for (when, by, holes) in alike {
        let by = by.map(|rule| format!(" (because of `{rule}`)")).unwrap_or_default();
        if holes.len() == 2 * widths {
            said.push(format!("all commands{when}{by}"));
            continue;
        }
        for (abi, width) in [(Abi::Bits64, "64-bit"), (Abi::Bits32, "32-bit")] {
            let calls: Vec<&str> = holes.iter().filter(|hole| hole.abi == abi).map(|hole| hole.call).collect();
            if !calls.is_empty() {
                said.push(format!("{} of {width} programs{when}{by}", calls.join(" and ")));
            }
        }
    }
    said
}
