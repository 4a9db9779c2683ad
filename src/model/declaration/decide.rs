//! What a declaration says to one command, host, variable or file.

use jiff::civil::Date;

use super::leaves::{Covers, pattern_covers};
use super::{Answer, Approval, Declaration};

impl Declaration {
    /// The approval of a command, where one holds.
    pub fn approval(&self, argv: &[String], project: &str, today: Date) -> Option<&Approval> {
        let all = self.approvals.iter().flatten();
        all.into_iter().find(|one| one.argv == argv && one.is_for(project) && one.holds_on(today))
    }

    /// What it says to a command.
    pub fn runs(&self, argv: &[String], project: &str, today: Date) -> Answer {
        match self.approval(argv, project, today) {
            Some(_) => Answer::Allow,
            None => self.shell.default.unwrap_or(Answer::Deny),
        }
    }

    /// Whether a host may be reached: what denies wins.
    pub fn reaches(&self, host: &str) -> bool {
        let named = |list: &Option<Vec<String>>| list.iter().flatten().any(|item| pattern_covers(item, host));
        named(&self.network.allow) && !named(&self.network.deny)
    }

    /// Whether a variable may be there.
    pub fn passes(&self, name: &str) -> bool {
        self.environment.pass.iter().flatten().any(|item| pattern_covers(item, name))
    }

    /// Whether a file of the workspace, by its relative path, may be written.
    pub fn writes(&self, path: &str) -> bool {
        self.files.write.iter().flatten().any(|item| Covers::Folder.covers(&item.as_str().into(), &path.into()))
    }

    /// Whether a file may be read.
    pub fn reads(&self, name: &str) -> bool {
        let named = |list: &Option<Vec<String>>| list.iter().flatten().any(|item| pattern_covers(item, name));
        !named(&self.files.hidden) || named(&self.files.shown)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{changes, narrowed, widenings};
    use super::*;

    const WORDS: &[&str] = &["a", "b", "a/b", "*", "a*", "*b", "a*b", ".", "/a", "a/../b", ""];

    fn texts() -> impl Strategy<Value = Option<Vec<String>>> {
        let word = prop::sample::select(WORDS).prop_map(str::to_owned);
        prop::option::of(prop::collection::vec(word, 0..4))
    }

    fn answers() -> impl Strategy<Value = Option<Answer>> {
        prop::option::of(prop::sample::select(&[Answer::Allow, Answer::Ask, Answer::Deny][..]))
    }

    fn approvals() -> impl Strategy<Value = Option<Vec<Approval>>> {
        let expires = prop::option::of(prop::sample::select(&["2030-01-01", "2030-01-03", "x"][..]));
        let one = (prop::sample::select(WORDS), prop::option::of(prop::sample::select(&["p", "q"][..])), expires);
        let approval = one.prop_map(|(word, project, expires)| Approval {
            id: None,
            argv: vec![word.to_owned()],
            project: project.map(str::to_owned),
            by: None,
            when: None,
            reason: None,
            expires: expires.map(str::to_owned),
        });
        prop::option::of(prop::collection::vec(approval, 0..3))
    }

    prop_compose! {
        fn declarations()(
            write in texts(), hidden in texts(), shown in texts(), edit in answers(), outside in answers(), default in answers(),
            allow in texts(), deny in texts(), fetch in answers(), pass in texts(), approvals in approvals(),
            telemetry in prop::option::of(any::<bool>()), commands in prop::option::of(any::<bool>()),
        ) -> Declaration {
            let mut one = Declaration { version: 1, approvals, telemetry, ..Declaration::default() };
            (one.files.write, one.files.hidden, one.files.shown) = (write, hidden, shown);
            (one.files.edit, one.files.outside) = (edit, outside);
            (one.network.allow, one.network.deny, one.network.fetch) = (allow, deny, fetch);
            (one.shell.default, one.environment.pass, one.logging.commands) = (default, pass, commands);
            one
        }
    }

    proptest! {
        #[test]
        fn a_project_gets_nothing_that_the_machine_does_not_give(machine in declarations(), project in declarations()) {
            let merged = narrowed(&machine, &project);
            let today = Date::constant(2030, 1, 2);
            for word in WORDS.iter().chain(&["ab", "a/b/c", "b/a", "acb", "x"]) {
                let argv = [(*word).to_owned()];
                prop_assert!(merged.runs(&argv, "p", today) >= machine.runs(&argv, "p", today));
                for (given, had) in [
                    (merged.reaches(word), machine.reaches(word)),
                    (merged.passes(word), machine.passes(word)),
                    (merged.writes(word), machine.writes(word)),
                    (merged.reads(word), machine.reads(word)),
                ] {
                    prop_assert!(!given || had, "{word}");
                }
            }
            let wider: Vec<_> = changes(&machine, &merged).into_iter().filter(|change| change.widens).collect();
            prop_assert!(wider.is_empty(), "{wider:?}");
        }

        #[test]
        fn a_project_that_asks_for_nothing_more_gets_what_it_asks_for(machine in declarations(), project in declarations()) {
            if widenings(&machine, &project).is_empty() {
                let merged = narrowed(&machine, &project);
                if let Some(list) = &project.environment.pass {
                    for name in list {
                        prop_assert!(merged.passes(name), "{name}");
                    }
                }
            }
        }

        #[test]
        fn narrowing_by_oneself_changes_nothing(machine in declarations()) {
            prop_assert!(changes(&machine, &narrowed(&machine, &machine)).is_empty());
        }
    }
}
