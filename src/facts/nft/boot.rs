//! Whether rules come back after a reboot: what the boot loads, and whether the loaded rules stand in it.
//!
//! Files only; no unit is asked or started. Rules are compared by their words, so a rule that is spelled differently
//! in a file is reported as unknown and not as lost.

use globset::Glob;
use schemars::JsonSchema;
use serde::Serialize;

use crate::facts::ProbeError;
use crate::facts::units::{ETC_UNITS, UNIT_FOLDERS, is_enabled, names, read};
use crate::host::{Accounts, Host, resolve};
use crate::model::{AbsPath, Look};

/// Files read in all.
const FILES: usize = 64;

/// What happens to the account's rules at the next boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::facts) enum Survival {
    /// The boot loads them as they are.
    Kept,
    /// No file that is loaded at boot holds them.
    Lost,
    /// A file holds them, and nothing loads it at boot.
    NotLoaded,
}

/// What is loaded at boot.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::facts) struct Boot {
    /// What happens to the rules that confine the account.
    pub(in crate::facts) survival: Look<Survival>,
    /// Files that hold rules, and what loads them.
    pub(in crate::facts) sources: Vec<BootSource>,
    /// Firewall programs that are enabled: `ufw`, `firewalld`.
    pub(in crate::facts) managers: Vec<String>,
}

/// A file with rules.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::facts) struct BootSource {
    /// The file.
    pub(in crate::facts) path: String,
    /// The unit or script that loads it.
    pub(in crate::facts) loader: Option<String>,
    /// Whether that runs at boot.
    pub(in crate::facts) enabled: bool,
    #[serde(skip)]
    text: String,
}

const SCRIPTS: &[&str] = &["/etc/rc.local", "/etc/network/if-pre-up.d", "/etc/network/if-up.d"];
const USUAL: &[&str] = &["/etc/nftables.conf", "/etc/sysconfig/nftables.conf"];

/// Looks for `rules`, the words of the rules that confine the account. None where a loaded rule has no words.
pub(in crate::facts) fn boot(
    host: &dyn Host,
    accounts: &Accounts,
    rules: Option<&[String]>,
) -> Result<Boot, ProbeError> {
    let mut sources = Vec::new();
    for (loader, enabled, text) in loaders(host)? {
        for file in files_of(&text) {
            gather(host, &file, Some(&loader), enabled, &mut sources)?;
        }
    }
    for usual in USUAL {
        let found = sources.iter().any(|source: &BootSource| source.path == *usual);
        if let (false, Some(path)) = (found, AbsPath::new(usual)) {
            gather(host, &path, None, false, &mut sources)?;
        }
    }
    let mut managers = Vec::new();
    for manager in ["ufw", "firewalld"] {
        if is_enabled(host, &format!("{manager}.service"))? {
            managers.push(manager.to_owned());
        }
    }
    let survival = match rules {
        None => Look::unknown("nft did not write the rules as text", "compare `nft list ruleset` with the boot files"),
        Some(rules) => survival(&sources, &managers, rules, accounts),
    };
    Ok(Boot { survival, sources, managers })
}

fn survival(sources: &[BootSource], managers: &[String], rules: &[String], accounts: &Accounts) -> Look<Survival> {
    let words = |enabled: bool| -> String {
        let texts = sources.iter().filter(|source| source.enabled || !enabled).map(|s| normal(&s.text, accounts));
        texts.collect::<Vec<_>>().join(" ; ")
    };
    let (at_boot, anywhere) = (words(true), words(false));
    let missing = |words: &str| -> Vec<String> {
        let holds = |rule: &String| format!(" {words} ").contains(&format!(" {} ", normal(rule, accounts)));
        rules.iter().filter(|rule| !holds(rule)).cloned().collect()
    };
    let lacking = missing(&at_boot);
    let Some(first) = lacking.first() else { return Look::Known(Survival::Kept) };
    let some_at_boot = lacking.len() < rules.len() || at_boot.split(' ').any(|word| word == "skuid");
    if some_at_boot {
        return Look::unknown(
            format!("`{first}` is loaded, and no file that is loaded at boot has it in these words"),
            "compare `nft list ruleset` with those files, and make them the same",
        );
    }
    if !managers.is_empty() {
        return Look::unknown(
            format!("{} is enabled and may load the rules from its own files", managers.join(" and ")),
            "look at its direct or before rules",
        );
    }
    let held = missing(&anywhere).len() < rules.len() || anywhere.split(' ').any(|word| word == "skuid");
    Look::Known(if held { Survival::NotLoaded } else { Survival::Lost })
}

/// Units and scripts that may load rules: name, whether it runs at boot, text.
fn loaders(host: &dyn Host) -> Result<Vec<(String, bool, String)>, ProbeError> {
    let mut found: Vec<(String, bool, String)> = Vec::new();
    for folder in UNIT_FOLDERS.iter().filter_map(AbsPath::new) {
        for name in names(host, &folder)? {
            let ours = name.ends_with(".service") && (folder.text() == ETC_UNITS || name.starts_with("nftables"));
            if !ours || found.iter().any(|(known, ..)| *known == name) {
                continue;
            }
            // A masked unit is a link to nothing.
            let text = read(host, &folder.join(&name))?.unwrap_or_default();
            if text.contains("nft") || name.starts_with("nftables") {
                found.push((name.clone(), !text.is_empty() && is_enabled(host, &name)?, text));
            }
        }
    }
    for path in SCRIPTS.iter().filter_map(AbsPath::new) {
        let inside = names(host, &path)?;
        let paths = if inside.is_empty() { vec![path] } else { inside.iter().map(|name| path.join(name)).collect() };
        for path in paths {
            let Some(text) = read(host, &path)?.filter(|text| text.contains("nft")) else { continue };
            let runs = resolve(host, &path, None).and_then(|path| host.stat(&path));
            let runs = runs.map_err(|error| ProbeError::unreadable(&path, error))?.mode.bits() & 0o111 != 0;
            found.push((path.text(), runs, text));
        }
    }
    Ok(found)
}

/// The files that commands like `nft -f FILE` name.
fn files_of(text: &str) -> Vec<AbsPath> {
    let mut files = Vec::new();
    for line in text.lines().filter(|line| line.contains("nft") && !line.trim_start().starts_with(['#', ';'])) {
        if line.starts_with("ExecStop") || line.starts_with("ExecReload") {
            continue;
        }
        let mut words = line.split_whitespace();
        while let Some(word) = words.next() {
            let file = match word {
                "-f" | "--file" => words.next(),
                _ => word.strip_prefix("-f").or(word.strip_prefix("--file=")),
            };
            files.extend(file.map(|file| file.trim_matches(['"', '\''])).and_then(AbsPath::new));
        }
    }
    files
}

/// Reads a rules file and what it includes.
fn gather(
    host: &dyn Host,
    file: &AbsPath,
    loader: Option<&str>,
    enabled: bool,
    sources: &mut Vec<BootSource>,
) -> Result<(), ProbeError> {
    let mut todo = vec![file.clone()];
    while let Some(file) = todo.pop() {
        let known = sources.iter().any(|source| source.path == file.text() && (source.enabled || !enabled));
        if known || sources.len() >= FILES {
            continue;
        }
        let Some(text) = read(host, &file)? else { continue };
        let folder = AbsPath::root().join("etc");
        for pattern in text.lines().filter_map(|line| line.trim().strip_prefix("include")) {
            let pattern = folder.join(pattern.trim().trim_matches(['"', '\'', ';']));
            todo.extend(matching(host, &pattern)?);
        }
        sources.push(BootSource { path: file.text(), loader: loader.map(str::to_owned), enabled, text });
    }
    Ok(())
}

/// The files a pattern means; only its last part may hold `*`.
fn matching(host: &dyn Host, pattern: &AbsPath) -> Result<Vec<AbsPath>, ProbeError> {
    let name = pattern.name_text().into_owned();
    if !name.contains(['*', '?', '[']) {
        return Ok(vec![pattern.clone()]);
    }
    let Ok(glob) = Glob::new(&name) else { return Ok(Vec::new()) };
    let Some(folder) = pattern.parent() else { return Ok(Vec::new()) };
    let matcher = glob.compile_matcher();
    Ok(names(host, &folder)?.into_iter().filter(|n| matcher.is_match(n)).map(|n| folder.join(n)).collect())
}

/// Rules in one spelling: no comments, counters at rest, accounts as numbers, lists sorted, definitions put in.
fn normal(text: &str, accounts: &Accounts) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut definitions: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some((name, value)) = line.strip_prefix("define ").and_then(|rest| rest.split_once('=')) {
            definitions.push((format!("${}", name.trim()), value.trim().to_owned()));
            continue;
        }
        let mut line = line.to_owned();
        for (name, value) in &definitions {
            line = line.replace(name, value);
        }
        for mark in ["{", "}", ",", ";"] {
            line = line.replace(mark, &format!(" {mark} "));
        }
        words.extend(line.replace(['"', '\''], "").split_whitespace().map(str::to_owned));
        words.push(";".to_owned());
    }
    let mut out: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        let after_user = matches!(out.last().map(String::as_str), Some("skuid"));
        let number = accounts.user(word).filter(|_| after_user).map(|user| user.uid.0.to_string());
        match word.as_str() {
            "meta" | "==" => {}
            "counter" => {
                out.push(word.clone());
                at += if words.get(at).is_some_and(|next| next == "packets") { 4 } else { 0 };
            }
            _ => out.push(number.unwrap_or_else(|| word.clone())),
        }
    }
    sort_lists(&out).join(" ")
}

/// `a , b` in every order is one list; so is `{ b , a }`.
fn sort_lists(words: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let mut list = vec![word.clone()];
        while let (Some(comma), Some(next)) = (words.get(at + 1), words.get(at + 2)) {
            if comma != "," {
                break;
            }
            list.push(next.clone());
            at += 2;
        }
        list.sort();
        out.push(list.join(","));
        at += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_has_one_spelling() {
        let accounts = Accounts::parse("agent:x:990:990::/:/bin/sh\n", "");
        for (a, b) in [
            ("skuid agent drop", "meta skuid 990 drop"),
            ("skuid \"agent\" counter drop", "meta skuid 990 counter packets 7 bytes 99 drop"),
            ("tcp dport { 443, 80 } accept", "tcp dport { 80, 443 } accept"),
            ("ct state related,established accept", "ct state established,related accept"),
            ("oif lo accept # local", "oif \"lo\" accept"),
        ] {
            assert_eq!(normal(a, &accounts), normal(b, &accounts));
        }
    }

    #[test]
    fn files_are_taken_from_what_starts_and_not_from_what_stops() {
        let unit = "ExecStart=/usr/sbin/nft -f /etc/a.nft\nExecStop=/usr/sbin/nft -f /etc/b.nft\n# nft -f /etc/c\n";
        assert_eq!(files_of(unit), [AbsPath::root().join("etc/a.nft")]);
    }
}
