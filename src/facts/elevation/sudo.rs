//! Which rules of sudoers reach an account: includes, aliases, negations, and the last rule that matches decides.

use super::sudoers::{Aliases, Entry, Line, Spec, entry, lines};
use super::{LIMIT, Person, Program, Rule, controls_services, unread};
use crate::facts::reach::{abs, list, text};
use crate::host::{Host, Tool};
use crate::model::{AbsPath, Location, Look, Os, Unseen, redact_line};

/// How deep includes and aliases may nest.
const DEPTH: usize = 16;
/// How many files are read.
const FILES: usize = 300;

/// A line with the file it stands in.
struct Placed {
    file: AbsPath,
    line: Line,
    entry: Entry,
}

/// What the files of sudo say, in the order in which sudo reads them.
#[derive(Default)]
pub(super) struct Sudoers {
    entries: Vec<Placed>,
    /// Files and folders that could not be read or understood.
    unread: Vec<(AbsPath, Unseen)>,
    files: usize,
}

/// All rules, and whether each reaches `person`.
pub(super) fn rules(host: &dyn Host, person: &Person<'_>) -> Vec<Rule> {
    if !installed(host) {
        return Vec::new();
    }
    let sudoers = read(host);
    let mut rules = judge(&sudoers, person, &hostname(host));
    rules.extend(sudoers.unread.into_iter().map(|(path, unseen)| unread(Program::Sudo, &path, unseen)));
    if asks_directory(host) {
        rules.extend(second_opinion(host, person));
    }
    rules
}

/// Without the program its rules are dead text. A failure to look counts as there.
pub(super) fn installed(host: &dyn Host) -> bool {
    let places = ["/usr/bin/sudo", "/usr/bin/sudo-rs", "/bin/sudo", "/usr/local/bin/sudo", "/run/wrappers/bin/sudo"];
    places.iter().any(|path| !matches!(crate::host::exists(host, &abs(path)), Ok(false)))
}

/// Reads sudoers with everything it includes.
pub(super) fn read(host: &dyn Host) -> Sudoers {
    let mut sudoers = Sudoers::default();
    // sudo-rs prefers a file of its own.
    for file in ["/etc/sudoers-rs", "/etc/sudoers"] {
        if read_file(host, &abs(file), 0, &mut sudoers) {
            break;
        }
    }
    sudoers
}

/// Whether there was a file.
fn read_file(host: &dyn Host, file: &AbsPath, depth: usize, into: &mut Sudoers) -> bool {
    if depth > DEPTH || into.files >= FILES {
        into.unread.push((file.clone(), Unseen::new(format!("too many includes around `{file}`"), "look by hand")));
        return true;
    }
    into.files += 1;
    let content = match text(host, file, LIMIT) {
        Ok(None) => return false,
        Err(unseen) => {
            into.unread.push((file.clone(), unseen));
            return true;
        }
        Ok(Some(content)) => content,
    };
    for line in lines(&content) {
        match entry(&line.text) {
            Entry::Include { path, folder } => {
                let path = file.parent().unwrap_or_else(AbsPath::root).join(path.replace("%h", &hostname(host)));
                if folder {
                    read_folder(host, &path, depth + 1, into);
                } else {
                    read_file(host, &path, depth + 1, into);
                }
            }
            Entry::Garbled => {
                let why = format!("line {} of `{file}` is not understood", line.number);
                into.unread.push((file.clone(), Unseen::new(why, "check it with `visudo -c`")));
            }
            entry => into.entries.push(Placed { file: file.clone(), line, entry }),
        }
    }
    true
}

/// Names with a dot or a `~` at the end are left out, as sudo does.
fn read_folder(host: &dyn Host, folder: &AbsPath, depth: usize, into: &mut Sudoers) {
    match list(host, folder, FILES) {
        Err(unseen) => into.unread.push((folder.clone(), unseen)),
        Ok(entries) => {
            for entry in entries.into_iter().flatten() {
                let name = entry.name.to_string_lossy();
                if !name.contains('.') && !name.ends_with('~') {
                    read_file(host, &folder.join(&entry.name), depth, into);
                }
            }
        }
    }
}

impl Sudoers {
    /// The PATH that sudo gives, where the files say so; an error where they could not be read.
    pub(super) fn secure_path(&self) -> Result<Option<String>, Unseen> {
        let settings = self.entries.iter().filter_map(|placed| match &placed.entry {
            Entry::Defaults { settings, .. } => Some(settings),
            _ => None,
        });
        let value = |setting: &String| {
            let (name, value) = setting.split_once('=')?;
            (name.trim() == "secure_path").then(|| value.trim().trim_matches('"').to_owned())
        };
        match (settings.flatten().filter_map(value).next_back(), self.unread.first()) {
            (Some(path), _) => Ok(Some(path)),
            (None, Some((_, unseen))) => Err(unseen.clone()),
            (None, None) => Ok(None),
        }
    }

    fn aliases(&self) -> Aliases {
        let all = self.entries.iter().filter_map(|placed| match &placed.entry {
            Entry::Alias(kind, all) => Some((kind, all)),
            _ => None,
        });
        all.flat_map(|(kind, all)| all.iter().map(|(name, list)| ((*kind, name.clone()), list.clone()))).collect()
    }
}

fn hostname(host: &dyn Host) -> String {
    text(host, &abs("/etc/hostname"), 1024).ok().flatten().unwrap_or_default().trim().to_owned()
}

/// One command of a rule, with what sudo makes of it.
struct Grant<'a> {
    placed: &'a Placed,
    spec: &'a Spec,
    /// Aliases resolved, without the negation.
    command: String,
    denies: bool,
    reaches: Option<bool>,
}

fn judge(sudoers: &Sudoers, person: &Person<'_>, hostname: &str) -> Vec<Rule> {
    let aliases = sudoers.aliases();
    let judge = Judge { person, aliases: &aliases, hostname };
    let mut grants = Vec::new();
    for placed in &sudoers.entries {
        let Entry::Spec(specs) = &placed.entry else { continue };
        for spec in specs {
            let reaches = judge.reaches(spec);
            for (denies, command) in judge.commands(&spec.command) {
                let grant = Grant { placed, spec, command, denies, reaches };
                if grant.denies && grant.reaches == Some(true) {
                    take_back(&mut grants, &grant);
                }
                grants.push(grant);
            }
        }
    }
    let free = judge.never_asked(sudoers);
    grants.iter().filter(|grant| !grant.denies).map(|grant| judge.rule(grant, free)).collect()
}

/// A later `!command` overrules earlier grants of the same command for the same targets.
fn take_back(grants: &mut [Grant<'_>], deny: &Grant<'_>) {
    let all_targets = deny.spec.run_as.iter().any(|target| target == "ALL");
    for grant in grants.iter_mut().filter(|grant| !grant.denies) {
        let same_target = all_targets || grant.spec.run_as == deny.spec.run_as;
        if same_target && (deny.command == "ALL" || deny.command == grant.command) {
            grant.reaches = Some(false);
        }
    }
}

struct Judge<'a> {
    person: &'a Person<'a>,
    aliases: &'a Aliases,
    hostname: &'a str,
}

impl Judge<'_> {
    /// None where a netgroup decides.
    fn reaches(&self, spec: &Spec) -> Option<bool> {
        use super::sudoers::AliasKind::{Host, User};
        let here = self.matches(&spec.hosts, Host, 0, &|word| Some(self.is_here(word)));
        let named = self.matches(&spec.users, User, 0, &|word| self.is_person(word));
        match (named, here) {
            (Matched::Yes, Matched::Yes) => Some(true),
            (Matched::No, _) | (_, Matched::No) => Some(false),
            _ => None,
        }
    }

    /// The last word of a list that matches decides; `!` turns it round; aliases are lists of their own.
    fn matches(
        &self,
        words: &[String],
        kind: super::sudoers::AliasKind,
        depth: usize,
        test: &dyn Fn(&str) -> Option<bool>,
    ) -> Matched {
        let mut last = Matched::No;
        for word in words {
            let bare = word.trim_start_matches('!');
            let negated = (word.len() - bare.len()) % 2 == 1;
            let inner = match self.aliases.get(&(kind, bare.to_owned())) {
                Some(_) if depth >= DEPTH => Matched::Unsure,
                Some(list) => self.matches(list, kind, depth + 1, test),
                None if bare == "ALL" => Matched::Yes,
                None => test(bare).map_or(Matched::Unsure, |yes| if yes { Matched::Yes } else { Matched::No }),
            };
            last = match (inner, negated) {
                (Matched::Yes, false) => Matched::Yes,
                (Matched::Yes, true) => Matched::No,
                (Matched::Unsure, _) => Matched::Unsure,
                (Matched::No, _) => last,
            };
        }
        last
    }

    fn is_person(&self, word: &str) -> Option<bool> {
        let word = word.trim_matches('"');
        if word.starts_with('+') || word.starts_with("%:") {
            return None;
        }
        Some(match (word.strip_prefix("%#"), word.strip_prefix('%'), word.strip_prefix('#')) {
            (Some(gid), _, _) => self.person.in_gid(gid),
            (_, Some(group), _) => self.person.in_group(group),
            (_, _, Some(uid)) => uid == self.person.uid.to_string(),
            _ => word == self.person.name,
        })
    }

    /// Addresses and unknown own names count as here: a rule is rather shown than missed.
    fn is_here(&self, word: &str) -> bool {
        let short = self.hostname.split('.').next().unwrap_or_default();
        let address = word.contains(['/', ':', '*', '?', '+']) || word.starts_with(|c: char| c.is_ascii_digit());
        self.hostname.is_empty() || address || word == self.hostname || word == short || word == "localhost"
    }

    /// The commands that a word stands for, each with whether it is denied.
    fn commands(&self, word: &str) -> Vec<(bool, String)> {
        let mut todo = vec![(false, word.to_owned(), 0)];
        let mut all = Vec::new();
        while let Some((denied, word, depth)) = todo.pop() {
            let bare = word.trim_start_matches('!');
            let denied = denied ^ ((word.len() - bare.len()) % 2 == 1);
            let bare = bare.trim_start();
            match self.aliases.get(&(super::sudoers::AliasKind::Command, bare.to_owned())) {
                Some(list) if depth < DEPTH && all.len() + todo.len() < super::MOST => {
                    todo.extend(list.iter().rev().map(|word| (denied, word.clone(), depth + 1)));
                }
                _ => all.push((denied, bare.to_owned())),
            }
        }
        all
    }

    /// Whether `Defaults !authenticate` holds for the account.
    fn never_asked(&self, sudoers: &Sudoers) -> bool {
        let mut free = false;
        for placed in &sudoers.entries {
            let Entry::Defaults { scope, settings } = &placed.entry else { continue };
            let applies = match scope.strip_prefix(':') {
                Some(users) => {
                    let users: Vec<String> = users.split(',').map(str::to_owned).collect();
                    self.matches(&users, super::sudoers::AliasKind::User, 0, &|word| self.is_person(word))
                        == Matched::Yes
                }
                None => scope.is_empty(),
            };
            for setting in settings.iter().filter(|_| applies) {
                match setting.replace(' ', "").as_str() {
                    "!authenticate" => free = true,
                    "authenticate" => free = false,
                    _ => {}
                }
            }
        }
        free
    }

    fn rule(&self, grant: &Grant<'_>, free: bool) -> Rule {
        let spec = grant.spec;
        let targets = if spec.run_as.is_empty() { "root".into() } else { spec.run_as.join(",") };
        let asks = spec.asks.unwrap_or(!free);
        let tag = if asks { "" } else { "NOPASSWD: " };
        let own = |target: &String| target == self.person.name || target.strip_prefix('#') == Some(&self.person.uid.to_string());
        Rule {
            name: redact_line(&format!("({targets}) {tag}{}", grant.command)),
            program: Program::Sudo,
            who: spec.users.join(","),
            reaches: grant.reaches.map_or_else(
                || Look::unknown("a netgroup decides whether this sudo rule reaches", "run `sudo -l -U` for the account"),
                Look::Known,
            ),
            raises: spec.run_as.is_empty() || !spec.run_as.iter().all(own),
            asks_password: asks,
            open_ended: grant.command == "ALL" || grant.command.contains(['*', '?', '[']) || grant.command.ends_with('/'),
            services: controls_services(&grant.command),
            at: Some(Location::line(grant.placed.file.text(), grant.placed.line.number, &grant.placed.line.text)),
            unread: false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Matched {
    Yes,
    No,
    Unsure,
}

/// Whether sudo takes rules from elsewhere than its files.
fn asks_directory(host: &dyn Host) -> bool {
    let Ok(Some(switch)) = text(host, &abs("/etc/nsswitch.conf"), LIMIT) else { return false };
    let mut sources = switch.lines().filter_map(|line| line.trim().strip_prefix("sudoers:"));
    sources.next_back().is_some_and(|sources| {
        sources.split('#').next().unwrap_or_default().split_whitespace().any(|word| !matches!(word, "files") && !word.starts_with('['))
    })
}

/// What sudo itself lists for the account. Only root may ask about another; nobody is asked for a password.
fn second_opinion(host: &dyn Host, person: &Person<'_>) -> Vec<Rule> {
    let switch = abs("/etc/nsswitch.conf");
    let unknown = |unseen| vec![unread(Program::Sudo, &switch, unseen)];
    if person.os == Os::Macos {
        return Vec::new();
    }
    match host.run(Tool::Sudo, &["-n", "-l", "-U", person.name]) {
        Err(error) => unknown(error.into()),
        Ok(output) => match listed(&output.stdout) {
            Some(names) => names.into_iter().map(|name| of_listing(&name, person)).collect(),
            None => unknown(Unseen::new("sudo asks a directory service, and `sudo -l` did not answer", "run with sudo")),
        },
    }
}

/// The rules in what `sudo -l` prints. None where it is no listing.
fn listed(output: &str) -> Option<Vec<String>> {
    if output.contains("is not allowed to run sudo") {
        return Some(Vec::new());
    }
    let mut lines = output.lines().skip_while(|line| !line.contains("may run the following commands"));
    lines.next()?;
    Some(lines.map(str::trim).take_while(|line| !line.is_empty()).map(str::to_owned).collect())
}

fn of_listing(name: &str, person: &Person<'_>) -> Rule {
    let command = name.rsplit(": ").next().and_then(|rest| rest.rsplit(") ").next()).unwrap_or(name);
    Rule {
        name: redact_line(name),
        program: Program::Sudo,
        who: person.name.to_owned(),
        reaches: Look::Known(true),
        raises: !name.starts_with(&format!("({})", person.name)),
        asks_password: !name.contains("NOPASSWD:"),
        open_ended: name.contains('*') || name.ends_with("ALL"),
        services: controls_services(command),
        at: None,
        unread: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Gid;

    fn person<'a>() -> Person<'a> {
        let groups = vec!["agent".to_owned(), "ops".to_owned()];
        Person { name: "agent", uid: 990, gids: vec![Gid(990), Gid(50)], groups, os: Os::Linux, sits_at_desk: false }
    }

    fn grants(text: &str) -> Vec<String> {
        let entries = lines(text).into_iter().map(|line| {
            let entry = entry(&line.text);
            Placed { file: abs("/etc/sudoers"), line, entry }
        });
        let sudoers = Sudoers { entries: entries.collect(), ..Sudoers::default() };
        let rules = judge(&sudoers, &person(), "box.example.org");
        rules
            .into_iter()
            .filter(|rule| rule.reaches == Look::Known(true) && rule.raises)
            .map(|rule| rule.name)
            .collect()
    }

    #[test]
    fn only_rules_that_name_the_account_reach_it() {
        for (text, expected) in [
            ("agent ALL=(ALL) ALL", vec!["(ALL) ALL"]),
            ("agents ALL=(ALL) ALL", vec![]),
            ("#990 ALL=/bin/ls", vec!["(root) /bin/ls"]),
            ("%ops ALL=NOPASSWD: /bin/ls", vec!["(root) NOPASSWD: /bin/ls"]),
            ("%#50 ALL=/bin/ls", vec!["(root) /bin/ls"]),
            ("%operators ALL=/bin/ls", vec![]),
            ("ALL, !agent ALL=/bin/ls", vec![]),
            ("!agent, ALL ALL=/bin/ls", vec!["(root) /bin/ls"]),
            ("ALL, !%ops ALL=/bin/ls", vec![]),
            ("agent box=/bin/ls", vec!["(root) /bin/ls"]),
            ("agent other=/bin/ls", vec![]),
            ("agent ALL=(agent) NOPASSWD: ALL", vec![]),
            ("dev ALL=(agent) NOPASSWD: ALL", vec![]),
            ("agent ALL=(ALL) ALL\nagent ALL=(ALL) !ALL", vec![]),
            ("agent ALL=(ALL) !ALL\nagent ALL=(ALL) ALL", vec!["(ALL) ALL"]),
            ("agent ALL=/bin/a, /bin/b\nagent ALL=!/bin/a", vec!["(root) /bin/b"]),
            ("User_Alias U = dev, agent\nCmnd_Alias C = /bin/a, !/bin/b\nU ALL=C", vec!["(root) /bin/a"]),
            ("User_Alias U = U\nU ALL=/bin/ls", vec![]),
            ("Defaults:agent !authenticate\nagent ALL=/bin/ls", vec!["(root) NOPASSWD: /bin/ls"]),
            ("Defaults:dev !authenticate\nagent ALL=/bin/ls", vec!["(root) /bin/ls"]),
        ] {
            assert_eq!(grants(text), expected, "{text}");
        }
    }

    #[test]
    fn listings_are_told_from_refusals() {
        let text = "Matching Defaults entries for agent on box:\n    env_reset\n\nUser agent may run the following commands on box:\n    (root) NOPASSWD: /bin/ls\n";
        assert_eq!(listed(text), Some(vec!["(root) NOPASSWD: /bin/ls".to_owned()]));
        assert_eq!(listed("User agent is not allowed to run sudo on box.\n"), Some(vec![]));
        assert_eq!(listed(""), None);
    }
}
