//! Records of the kernel's audit, put together to the commands that were started. The account that is recorded chooses
//! every argument: nothing here is longer, deeper or more than a bound.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

/// So many commands are kept, the newest.
const EVENTS: usize = 20_000;
/// So many bytes of the arguments of one.
const ARGUMENTS: usize = 16 << 10;
/// Records of one command stand together, but for those of a few others.
const OPEN: usize = 256;

/// A command that was started, or was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    /// In milliseconds since 1970.
    pub(super) millis: i64,
    pub(super) uid: u32,
    pub(super) euid: u32,
    pub(super) pid: u32,
    pub(super) parent: u32,
    pub(super) call: String,
    /// The width of the program that called.
    pub(super) bits: Option<u8>,
    pub(super) success: bool,
    pub(super) program: String,
    pub(super) folder: String,
    pub(super) arguments: Vec<String>,
    /// Whether there were more arguments than are kept.
    pub(super) cut: bool,
    /// Whether it is under the key that is asked for.
    pub(super) ours: bool,
}

impl Event {
    /// When.
    pub(super) fn time(&self) -> Timestamp {
        Timestamp::from_millisecond(self.millis).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// Puts records together.
pub(super) struct Reader {
    key: &'static str,
    /// By what the kernel calls an event: its time and number, which starts anew with a boot.
    open: BTreeMap<String, Event>,
    order: VecDeque<String>,
    done: VecDeque<Event>,
    dropped: usize,
}

impl Reader {
    pub(super) fn new(key: &'static str) -> Self {
        Self { key, open: BTreeMap::new(), order: VecDeque::new(), done: VecDeque::new(), dropped: 0 }
    }

    /// Takes a line. What is no record is none.
    pub(super) fn line(&mut self, line: &str) {
        let Some((kind, id, body)) = record(line) else { return };
        if !matches!(kind, "SYSCALL" | "EXECVE" | "CWD") {
            return;
        }
        if !self.open.contains_key(id) {
            self.order.push_back(id.to_owned());
            let millis = millis(id).unwrap_or_default();
            self.open.insert(id.to_owned(), Event { millis, ..Event::default() });
            if self.order.len() > OPEN {
                self.close();
            }
        }
        let Some(event) = self.open.get_mut(id) else { return };
        match kind {
            "SYSCALL" => syscall(event, body, self.key),
            "EXECVE" => arguments(event, body),
            _ => event.folder = field(body, "cwd").map(text).unwrap_or_default(),
        }
    }

    fn close(&mut self) {
        let event = self.order.pop_front().and_then(|id| self.open.remove(&id));
        if let Some(event) = event.filter(|event| event.ours) {
            self.done.push_back(event);
            if self.done.len() > EVENTS {
                self.done.pop_front();
                self.dropped += 1;
            }
        }
    }

    /// The commands, oldest first, and how many older ones were left out.
    pub(super) fn events(mut self) -> (Vec<Event>, usize) {
        while !self.order.is_empty() {
            self.close();
        }
        (self.done.into(), self.dropped)
    }
}

/// Kind, event and fields of a record: `type=SYSCALL msg=audit(1700000000.123:456): …`.
fn record(line: &str) -> Option<(&str, &str, &str)> {
    // Sent on by another machine, a record begins with that one's name.
    let rest = &line[line.find("type=").filter(|at| *at == 0 || line.starts_with("node="))? + "type=".len()..];
    let (kind, rest) = rest.split_once(' ')?;
    let (id, body) = rest.strip_prefix("msg=audit(")?.split_once("):")?;
    // Behind this byte the daemon repeats numbers as names.
    Some((kind, id, body.split('\u{1d}').next().unwrap_or_default()))
}

fn millis(id: &str) -> Option<i64> {
    let (seconds, rest) = id.split_once('.')?;
    let millis: i64 = rest.split(':').next()?.parse().ok()?;
    seconds.parse::<i64>().ok()?.checked_mul(1000)?.checked_add(millis)
}

/// The value of a field. A value in quotes holds neither quotes nor blanks.
fn field<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    body.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

/// A text as the kernel writes it: in quotes, or as hexadecimal digits where it holds what could be mistaken.
fn text(value: &str) -> String {
    if let Some(quoted) = value.strip_prefix('"') {
        return quoted.strip_suffix('"').unwrap_or(quoted).to_owned();
    }
    let digits = value.as_bytes();
    let is_hex = !digits.is_empty() && digits.len().is_multiple_of(2) && digits.iter().all(u8::is_ascii_hexdigit);
    if !is_hex {
        return if value == "(null)" { String::new() } else { value.to_owned() };
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
    let bytes: Vec<u8> = digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn syscall(event: &mut Event, body: &str, key: &str) {
    let number = |name: &str| field(body, name).and_then(|value| value.parse::<u32>().ok()).unwrap_or_default();
    // More than one key stand together, with a byte between them.
    event.ours = field(body, "key").map(text).is_some_and(|keys| keys.split('\u{1}').any(|each| each == key));
    (event.uid, event.euid) = (number("uid"), number("euid"));
    (event.pid, event.parent) = (number("pid"), number("ppid"));
    event.success = field(body, "success") == Some("yes");
    event.program = field(body, "exe").map(text).unwrap_or_default();
    let (arch, call) = (field(body, "arch").unwrap_or_default(), field(body, "syscall").unwrap_or_default());
    event.bits = u32::from_str_radix(arch, 16).ok().map(|arch| if arch & 0x8000_0000 != 0 { 64 } else { 32 });
    event.call = match (arch, call) {
        ("c000003e", "59") | ("40000003", "11") | ("c00000b7", "221") | ("40000028", "11") => "execve".to_owned(),
        ("c000003e", "322") | ("40000003", "358") | ("c00000b7", "281") | ("40000028", "387") => "execveat".to_owned(),
        // Its table is not known here; the number is what the kernel said.
        _ => format!("call {}", call.chars().filter(char::is_ascii_digit).take(6).collect::<String>()),
    };
}

/// `a0="ls" a1=2D6C`, and what is long in parts: `a2_len=9000 a2[0]=… a2[1]=…`, in records of the same event.
fn arguments(event: &mut Event, body: &str) {
    for word in body.split(' ') {
        let Some((name, value)) = word.strip_prefix('a').and_then(|rest| rest.split_once('=')) else { continue };
        let (place, part) = match name.split_once('[') {
            Some((place, part)) => (place, part.strip_suffix(']').and_then(|part| part.parse::<usize>().ok())),
            None => (name, None),
        };
        let Ok(place) = place.parse::<usize>() else { continue };
        let known: usize = event.arguments.iter().map(String::len).sum();
        let value = text(value);
        if place > event.arguments.len() || known + value.len() > ARGUMENTS {
            event.cut = true;
            continue;
        }
        match event.arguments.get_mut(place) {
            Some(argument) if part.is_some_and(|part| part > 0) => argument.push_str(&value),
            Some(_) => {}
            None => event.arguments.push(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: &str = "arch=c000003e syscall=59 success=yes exit=0 items=2 ppid=7 pid=8 auid=1000 uid=990 gid=990 \
                        euid=990 comm=\"ls\" exe=\"/usr/bin/ls\" key=\"harden-exec\"";

    fn read(lines: &[String]) -> Vec<Event> {
        let mut reader = Reader::new("harden-exec");
        lines.iter().for_each(|line| reader.line(line));
        reader.events().0
    }

    fn line(kind: &str, number: u32, body: &str) -> String {
        format!("type={kind} msg=audit(1700000000.250:{number}): {body}")
    }

    #[test]
    fn the_records_of_a_command_are_put_together_though_others_stand_between() {
        let events = read(&[
            line("SYSCALL", 1, &(CALL.to_owned() + "\u{1d}ARCH=x86_64 SYSCALL=execve UID=\"other\"")),
            line("SYSCALL", 2, &CALL.replace("harden-exec", "theirs")),
            line("EXECVE", 2, "argc=1 a0=\"x\""),
            line("EXECVE", 1, "argc=3 a0=\"ls\" a1=2D6C2061 a2_len=4 a2[0]=\"ab\""),
            line("EXECVE", 1, "a2[1]=\"cd\""),
            line("CWD", 1, "cwd=\"/srv\""),
            line("SYSCALL", 3, &CALL.replace("c000003e syscall=59", "40000003 syscall=358").replace("yes", "no")),
        ]);
        assert_eq!(events.len(), 2, "{events:?}");
        assert_eq!(events[0].arguments, ["ls", "-l a", "abcd"]);
        assert_eq!((events[0].call.as_str(), events[0].bits, events[0].success), ("execve", Some(64), true));
        assert_eq!(
            (events[0].uid, events[0].folder.as_str(), events[0].program.as_str()),
            (990, "/srv", "/usr/bin/ls")
        );
        assert_eq!(events[0].time().to_string(), "2023-11-14T22:13:20.25Z");
        assert_eq!((events[1].call.as_str(), events[1].bits, events[1].success), ("execveat", Some(32), false));
    }

    #[test]
    fn one_of_several_keys_is_ours() {
        let keys = "key=6F746865720168617264656E2D65786563";
        assert_eq!(read(&[line("SYSCALL", 1, &CALL.replace("key=\"harden-exec\"", keys))]).len(), 1);
        assert_eq!(read(&[line("SYSCALL", 1, &CALL.replace("harden-exec", "harden-exec2"))]).len(), 0);
    }

    #[test]
    fn what_an_enemy_writes_is_bounded_and_breaks_nothing() {
        let long = "41".repeat(40_000);
        let mut lines = vec![
            line("SYSCALL", 1, CALL),
            line(
                "EXECVE",
                1,
                &format!("argc=2 a0={long} a1=\"x\" a99999999999999999999=\"y\" a7=\"z\" a[=\"\" a1[x]=\"\""),
            ),
            "type=".into(),
            "type=SYSCALL msg=audit(".into(),
            "type=SYSCALL msg=audit(9999999999999999999999.1:1): uid=990".into(),
            line("SYSCALL", 4, "arch=ä syscall=ä uid=-1 key=harden-exec exe=ä"),
        ];
        lines.extend((10..40_010).map(|number| line("SYSCALL", number, CALL)));
        let events = read(&lines);
        assert_eq!(events.len(), EVENTS);
        let first = read(&lines[..2]);
        assert!(first[0].cut && first[0].arguments.len() <= 1, "{first:?}");
    }
}
