//! Reads doas.conf: `permit nopass :wheel as root cmd /bin/ls`. It knows the text and not the machine.

use crate::facts::lines::joined;

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rule {
    /// The number of its line.
    pub(super) number: u32,
    /// Its line.
    pub(super) text: String,
    /// `permit`, not `deny`.
    pub(super) permit: bool,
    /// No password is asked.
    pub(super) nopass: bool,
    /// `name`, `:group` or a number.
    pub(super) identity: String,
    /// Whom it may be run as; None: anyone.
    pub(super) target: Option<String>,
    /// The command; None: any.
    pub(super) command: Option<String>,
}

/// The rules of a file, and the numbers of lines that are none.
pub(super) fn rules(text: &str) -> (Vec<Rule>, Vec<u32>) {
    let (mut rules, mut garbled) = (Vec::new(), Vec::new());
    for (first, line) in joined(text) {
        let words = words(&line);
        if words.is_empty() {
            continue;
        }
        match rule(&words) {
            Some(rule) => rules.push(Rule { number: first, text: line.trim().to_owned(), ..rule }),
            None => garbled.push(first),
        }
    }
    (rules, garbled)
}

fn rule(words: &[String]) -> Option<Rule> {
    let mut words = words.iter().map(String::as_str);
    let permit = match words.next()? {
        "permit" => true,
        "deny" => false,
        _ => return None,
    };
    let mut rule = Rule { permit, ..Rule::default() };
    loop {
        match words.next()? {
            "nopass" => rule.nopass = true,
            "nolog" | "persist" | "keepenv" => {}
            "setenv" => {
                // `{ names }` without nesting.
                (words.next()? == "{").then_some(())?;
                words.by_ref().find(|word| *word == "}")?;
            }
            identity => {
                rule.identity = identity.to_owned();
                break;
            }
        }
    }
    while let Some(word) = words.next() {
        match word {
            "as" => rule.target = Some(words.next()?.to_owned()),
            "cmd" => rule.command = Some(words.next()?.to_owned()),
            "args" => break,
            _ => return None,
        }
    }
    Some(rule)
}

fn words(line: &str) -> Vec<String> {
    let mut all = Vec::new();
    let (mut word, mut quoted, mut escaped, mut started) = (String::new(), false, false, false);
    for c in line.chars() {
        match c {
            c if escaped => {
                word.push(c);
                escaped = false;
            }
            '\\' => (escaped, started) = (true, true),
            '"' => (quoted, started) = (!quoted, true),
            '#' if !quoted => break,
            '{' | '}' if !quoted => {
                all.extend(std::mem::take(&mut started).then(|| std::mem::take(&mut word)));
                all.push(c.to_string());
            }
            c if c.is_whitespace() && !quoted => {
                all.extend(std::mem::take(&mut started).then(|| std::mem::take(&mut word)));
            }
            c => {
                word.push(c);
                started = true;
            }
        }
    }
    all.extend(started.then_some(word));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_with_their_options() {
        let text = "# all\npermit nopass setenv { PATH=/x -FOO } :wheel as root cmd /bin/ls args -l\ndeny agent\npermit keepenv \\\n 1000\nallow x\n";
        let (rules, garbled) = rules(text);
        let seen: Vec<_> = rules
            .iter()
            .map(|r| (r.number, r.permit, r.nopass, r.identity.as_str(), r.target.as_deref(), r.command.as_deref()))
            .collect();
        assert_eq!(
            seen,
            [
                (2, true, true, ":wheel", Some("root"), Some("/bin/ls")),
                (3, false, false, "agent", None, None),
                (4, true, false, "1000", None, None),
            ]
        );
        assert_eq!(garbled, [6]);
    }
}
