//! Whom a rule of sudoers reaches and what it allows: the last word and the last rule that match decide.

use super::super::sudoers::{AliasKind, Aliases, Entry, Spec};
use super::super::{MOST, Person, Program, Rule, controls_services};
use super::{DEPTH, Placed, Sudoers};
use crate::model::{Location, Look, redact_line};

/// One command of a rule, with what sudo makes of it.
struct Grant<'a> {
    placed: &'a Placed,
    spec: &'a Spec,
    /// Aliases resolved, without the negation.
    command: String,
    denies: bool,
    reaches: Option<bool>,
}

/// All rules, in the order in which sudo reads them.
pub(super) fn judge(sudoers: &Sudoers, person: &Person<'_>, hostname: &str) -> Vec<Rule> {
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
        use AliasKind::{Host, User};
        let here = self.matches(&spec.hosts, Host, 0, &|word| Some(self.is_here(word)));
        let named = self.matches(&spec.users, User, 0, &|word| self.is_person(word));
        match (named, here) {
            (Matched::Yes, Matched::Yes) => Some(true),
            (Matched::No, _) | (_, Matched::No) => Some(false),
            _ => None,
        }
    }

    /// The last word of a list that matches decides; `!` turns it round; aliases are lists of their own.
    fn matches(&self, words: &[String], kind: AliasKind, depth: usize, test: &dyn Fn(&str) -> Option<bool>) -> Matched {
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
            match self.aliases.get(&(AliasKind::Command, bare.to_owned())) {
                Some(list) if depth < DEPTH && all.len() + todo.len() < MOST => {
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
                    self.matches(&users, AliasKind::User, 0, &|word| self.is_person(word)) == Matched::Yes
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
        let own = |target: &String| {
            target == self.person.name || target.strip_prefix('#') == Some(&self.person.uid.to_string())
        };
        Rule {
            name: redact_line(&format!("({targets}) {tag}{}", grant.command)),
            program: Program::Sudo,
            who: spec.users.join(","),
            reaches: grant.reaches.map_or_else(
                || {
                    Look::unknown(
                        "a netgroup decides whether this sudo rule reaches",
                        "run `sudo -l -U` for the account",
                    )
                },
                Look::Known,
            ),
            raises: spec.run_as.is_empty() || !spec.run_as.iter().all(own),
            asks_password: asks,
            open_ended: grant.command == "ALL"
                || grant.command.contains(['*', '?', '['])
                || grant.command.ends_with('/'),
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

#[cfg(test)]
mod tests {
    use super::super::super::sudoers::{entry, lines};
    use super::*;
    use crate::facts::reach::abs;
    use crate::model::{Gid, Os};

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
}
