//! Audit rules as text, and what they record of an account's commands. Pure.
//!
//! The kernel asks rules in order and the first that matches decides. A rule with conditions that cannot be settled
//! here counts neither as recording nor as not recording; where that matters the answer is unknown.

use super::three;

/// Who runs a command, as the kernel sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) uid: u32,
    pub(super) euid: u32,
    /// Login numbers it can have: its own, the developer's, none.
    pub(super) logins: Vec<u32>,
}

/// The width of a program: it decides by which table system calls are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Abi {
    Bits64,
    Bits32,
}

/// Whether a command leaves a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    Kept,
    /// It leaves none; the rule that sees to that, where there is one.
    Missing(Option<String>),
    /// That depends on what is not known here; on which rule.
    Untold(String),
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AuditRule {
    pub(super) text: String,
    list: List,
    always: bool,
    syscalls: Vec<String>,
    fields: Vec<Field>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    Exit,
    Task,
    Exclude,
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    name: String,
    op: String,
    value: String,
}

/// The number that stands for "no login".
pub(super) const UNSET: u32 = u32::MAX;

/// Parses rules in the order they are loaded; `-D` forgets those before it, `-A` puts one in front.
pub(super) fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<AuditRule> {
    let mut rules: Vec<AuditRule> = Vec::new();
    for line in lines.map(str::trim).filter(|line| !line.starts_with('#')) {
        if line == "-D" {
            rules.clear();
        } else if let Some((rule, front)) = parse_line(line) {
            rules.insert(if front { 0 } else { rules.len() }, rule);
        }
    }
    rules
}

fn parse_line(line: &str) -> Option<(AuditRule, bool)> {
    let mut rule =
        AuditRule { text: line.to_owned(), list: List::Other, always: false, syscalls: Vec::new(), fields: Vec::new() };
    let mut front = false;
    let mut words = line.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
    let mut is_rule = false;
    while let Some(word) = words.next() {
        match word {
            "-a" | "-A" => {
                front = word == "-A";
                is_rule = true;
                for part in words.next()?.split(',') {
                    match part {
                        "exit" | "entry" => rule.list = List::Exit,
                        "task" => rule.list = List::Task,
                        "exclude" => rule.list = List::Exclude,
                        "always" => rule.always = true,
                        _ => {}
                    }
                }
            }
            "-S" => rule.syscalls.extend(words.next()?.split(',').map(str::to_owned)),
            "-F" => rule.fields.push(field(words.next()?)),
            // A comparison of two fields of the call.
            "-C" => rule.fields.push(Field { name: "compare".into(), op: "=".into(), value: words.next()?.into() }),
            _ => {}
        }
    }
    is_rule.then_some((rule, front))
}

fn field(text: &str) -> Field {
    let at = text.find(['=', '!', '<', '>', '&']).unwrap_or(text.len());
    let (name, rest) = text.split_at(at);
    let value = rest.trim_start_matches(['=', '!', '<', '>', '&']);
    let op = rest.strip_suffix(value).unwrap_or(rest);
    Field { name: name.to_owned(), op: op.to_owned(), value: value.to_owned() }
}

/// Whether `caller`'s `call` from a program of this width leaves a record. `number` turns an account's name into its
/// number.
pub(super) fn record(
    rules: &[AuditRule],
    caller: &Caller,
    abi: Abi,
    call: &str,
    number: &dyn Fn(&str) -> Option<u32>,
) -> Record {
    let mut unclear = None;
    // Asked when a process is made: what matches is never looked at again.
    for rule in rules.iter().filter(|rule| rule.list == List::Task && !rule.always) {
        match rule.matches(caller, abi, number) {
            Some(true) => return Record::Missing(Some(rule.text.clone())),
            Some(false) => {}
            None => unclear = unclear.or(Some(rule.text.clone())),
        }
    }
    for rule in rules.iter().filter(|rule| rule.list == List::Exclude && rule.takes_commands()) {
        match rule.matches(caller, abi, number) {
            Some(true) => return Record::Missing(Some(rule.text.clone())),
            Some(false) => {}
            None => unclear = unclear.or(Some(rule.text.clone())),
        }
    }
    for rule in rules.iter().filter(|rule| rule.list == List::Exit && rule.names(abi, call)) {
        match (rule.matches(caller, abi, number), rule.always) {
            (Some(true), true) => return unclear.map_or(Record::Kept, Record::Untold),
            (Some(true), false) => return Record::Missing(Some(rule.text.clone())),
            (None, false) => unclear = unclear.or(Some(rule.text.clone())),
            _ => {}
        }
    }
    Record::Missing(None)
}

impl AuditRule {
    /// Whether a rule of the exclude list takes away the records of commands.
    fn takes_commands(&self) -> bool {
        let types = self.fields.iter().filter(|field| field.name == "msgtype" && field.op == "=");
        let mut types = types.map(|field| field.value.as_str()).peekable();
        types.peek().is_none() || types.any(|kind| matches!(kind, "SYSCALL" | "EXECVE" | "1300" | "1309"))
    }

    fn names(&self, abi: Abi, call: &str) -> bool {
        let number = match (abi, call) {
            (Abi::Bits64, "execve") => "59",
            (Abi::Bits64, _) => "322",
            (Abi::Bits32, "execve") => "11",
            (Abi::Bits32, _) => "358",
        };
        let says_arch = self.fields.iter().any(|field| field.name == "arch");
        // Without an architecture the name was turned into the number of the machine's own table.
        let by_name = |name: &str| name == call && (says_arch || abi == Abi::Bits64);
        self.syscalls.iter().any(|name| name == "all" || by_name(name) || name == number)
    }

    /// Whether every condition holds. None where one of them cannot be settled here and the others hold.
    fn matches(&self, caller: &Caller, abi: Abi, number: &dyn Fn(&str) -> Option<u32>) -> Option<bool> {
        three::all(self.fields.iter().map(|field| field.holds(caller, abi, number)))
    }
}

impl Field {
    fn holds(&self, caller: &Caller, abi: Abi, number: &dyn Fn(&str) -> Option<u32>) -> Option<bool> {
        match self.name.as_str() {
            "key" | "msgtype" => Some(true),
            "arch" => {
                let bits32 = matches!(self.value.as_str(), "b32" | "i386" | "i686" | "arm" | "armv7l");
                let same = bits32 == (abi == Abi::Bits32);
                Some(same == (self.op != "!="))
            }
            // What did not start ran nothing.
            "success" => Some(matches!(self.value.as_str(), "1" | "yes") == (self.op != "!=")),
            "uid" => self.compare(caller.uid, number),
            "euid" | "suid" | "fsuid" => self.compare(caller.euid, number),
            "auid" | "loginuid" => {
                let answers: Vec<Option<bool>> =
                    caller.logins.iter().map(|login| self.compare(*login, number)).collect();
                let all = |wanted| answers.iter().all(|answer| *answer == Some(wanted));
                if all(true) { Some(true) } else { all(false).then_some(false) }
            }
            _ => None,
        }
    }

    fn compare(&self, have: u32, number: &dyn Fn(&str) -> Option<u32>) -> Option<bool> {
        let wanted = match self.value.as_str() {
            "unset" | "-1" => UNSET,
            text => text.parse().ok().or_else(|| number(text))?,
        };
        Some(match self.op.as_str() {
            "=" => have == wanted,
            "!=" => have != wanted,
            ">" => have > wanted,
            ">=" => have >= wanted,
            "<" => have < wanted,
            "<=" => have <= wanted,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(rules: &str, euid: u32, abi: Abi, call: &str) -> Record {
        let caller = Caller { uid: 990, euid, logins: vec![990, 1000, UNSET] };
        record(&parse(rules.lines()), &caller, abi, call, &|name| (name == "agent").then_some(990))
    }

    #[test]
    fn the_rule_of_the_guide_sees_one_call_of_one_width() {
        let rules = "-a always,exit -F arch=b64 -S execve -F uid=agent -k opencode-exec";
        assert_eq!(told(rules, 990, Abi::Bits64, "execve"), Record::Kept);
        assert_eq!(told(rules, 0, Abi::Bits64, "execve"), Record::Kept);
        assert_eq!(told(rules, 990, Abi::Bits64, "execveat"), Record::Missing(None));
        assert_eq!(told(rules, 990, Abi::Bits32, "execve"), Record::Missing(None));
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        let always = "-a always,exit -F arch=b64 -S execve -F uid=990";
        for (rules, expected) in [
            (format!("-a never,exit -F arch=b64 -S execve -F uid=990\n{always}"), "missing"),
            (format!("{always}\n-a never,exit -F arch=b64 -S execve -F uid=990"), "kept"),
            (format!("{always}\n-A never,exit -S all"), "missing"),
            (format!("{always}\n-D"), "missing"),
            (format!("-a never,exit -F arch=b64 -S execve -F exe=/usr/bin/id\n{always}"), "untold"),
            (format!("-a never,exit -F arch=b64 -S execve -F uid=0\n{always}"), "kept"),
            (format!("-a never,task\n{always}"), "missing"),
            (format!("-a task,never\n{always}"), "missing"),
            (format!("-a never,exclude -F msgtype=EXECVE\n{always}"), "missing"),
            (format!("-a always,exclude -F msgtype=CWD\n{always}"), "kept"),
            ("-a always,exit -S execve -F uid!=990".to_owned(), "missing"),
            ("-a exit,always -F arch=b64 -S 59 -F uid>=500".to_owned(), "kept"),
            ("-a always,exit -F arch=b64 -S all".to_owned(), "kept"),
            ("-a always,exit -F arch=b64 -S execve -F auid>=1000 -F auid!=-1".to_owned(), "missing"),
            ("-a always,exit -F arch=b64 -S execve -F dir=/usr -F uid=990".to_owned(), "missing"),
            ("-w /usr/bin/curl -p x -k curl".to_owned(), "missing"),
        ] {
            let said = match told(&rules, 990, Abi::Bits64, "execve") {
                Record::Kept => "kept",
                Record::Missing(_) => "missing",
                Record::Untold(_) => "untold",
            };
            assert_eq!(said, expected, "{rules}");
        }
    }
}
