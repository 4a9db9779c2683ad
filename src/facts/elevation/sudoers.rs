//! Reads sudoers: lines, includes, aliases, defaults and user specifications. It knows the text and not the machine;
//! who a rule reaches is [`super::sudo`]'s work.

use std::collections::HashMap;

use crate::facts::lines::joined;

/// The words that stand before a command and end with a colon.
const TAGS: &[&str] = &[
    "EXEC",
    "NOEXEC",
    "FOLLOW",
    "NOFOLLOW",
    "INTERCEPT",
    "NOINTERCEPT",
    "LOG_INPUT",
    "NOLOG_INPUT",
    "LOG_OUTPUT",
    "NOLOG_OUTPUT",
    "MAIL",
    "NOMAIL",
    "PASSWD",
    "NOPASSWD",
    "SETENV",
    "NOSETENV",
];
/// The words that stand before a command with a value.
const OPTIONS: &[&str] =
    &["ROLE", "TYPE", "APPARMOR_PROFILE", "PRIVS", "LIMITPRIVS", "TIMEOUT", "NOTBEFORE", "NOTAFTER", "CWD", "CHROOT"];

/// A line as sudo sees it: continuations joined, comments gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The number of its first line in the file.
    pub(super) number: u32,
    /// Its text.
    pub(super) text: String,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Read this file, or every file of this folder.
    Include { path: String, folder: bool },
    /// `User_Alias NAME = a, b`, several of them.
    Alias(AliasKind, Vec<(String, Vec<String>)>),
    /// `Defaults` with the scope (`:user`, empty for all) and the settings.
    Defaults { scope: String, settings: Vec<String> },
    /// Who may run what.
    Spec(Vec<Spec>),
    /// None of these.
    Garbled,
}

/// What an alias stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum AliasKind {
    User,
    Runas,
    Host,
    Command,
}

/// One command of a user specification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spec {
    pub(super) users: Vec<String>,
    pub(super) hosts: Vec<String>,
    /// Whom it may be run as; empty: root.
    pub(super) run_as: Vec<String>,
    /// The groups it may be run with.
    pub(super) run_group: Vec<String>,
    /// `NOPASSWD` (false), `PASSWD` (true), or neither.
    pub(super) asks: Option<bool>,
    pub(super) setenv: bool,
    pub(super) command: String,
}

/// The aliases of all files.
pub(super) type Aliases = HashMap<(AliasKind, String), Vec<String>>;

/// The lines of a file.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let lines = joined(text).into_iter();
    let lines = lines.map(|(number, line)| Line { number, text: without_comment(&line).trim().to_owned() });
    lines.filter(|line| !line.text.is_empty()).collect()
}

/// A `#` starts a comment, unless it is an include or the number of a user or group.
fn without_comment(line: &str) -> &str {
    let trimmed = line.trim_start();
    if trimmed.starts_with("#include ") || trimmed.starts_with("#include\t") || trimmed.starts_with("#includedir") {
        return line;
    }
    let mut quoted = false;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match c {
            '"' if before != '\\' => quoted = !quoted,
            '#' if !quoted && before != '\\' => {
                let number = line[at + 1..].starts_with(|c: char| c.is_ascii_digit() || c == '-');
                if !(number && matches!(before, ' ' | '\t' | ',' | '%' | '!' | '(' | ':' | '=' | '>')) {
                    return &line[..at];
                }
            }
            _ => {}
        }
        before = c;
    }
    line
}

/// What a line says.
pub(super) fn entry(text: &str) -> Entry {
    let (word, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
    let path = || rest.trim().trim_matches('"').replace("\\ ", " ");
    let kind = match word {
        "@include" | "#include" => return Entry::Include { path: path(), folder: false },
        "@includedir" | "#includedir" => return Entry::Include { path: path(), folder: true },
        "User_Alias" => AliasKind::User,
        "Runas_Alias" => AliasKind::Runas,
        "Host_Alias" => AliasKind::Host,
        "Cmnd_Alias" | "Cmd_Alias" => AliasKind::Command,
        _ if word.starts_with("Defaults") => {
            let scope = word["Defaults".len()..].to_owned();
            return Entry::Defaults { scope, settings: pieces(rest, ',') };
        }
        _ => return specs(text).map_or(Entry::Garbled, Entry::Spec),
    };
    let alias = |piece: String| {
        let (name, members) = piece.split_once('=')?;
        Some((name.trim().to_owned(), pieces(members, ',')))
    };
    pieces(rest, ':')
        .into_iter()
        .map(alias)
        .collect::<Option<_>>()
        .map_or(Entry::Garbled, |all| Entry::Alias(kind, all))
}

/// The parts between separators that are neither quoted nor escaped, trimmed.
fn pieces(text: &str, separator: char) -> Vec<String> {
    let mut rest = text;
    let mut all = Vec::new();
    loop {
        let (piece, after) = cut(rest, |c| c == separator);
        all.push(piece.trim().to_owned());
        match after {
            Some((_, after)) => rest = after,
            None => break,
        }
    }
    all.retain(|piece| !piece.is_empty());
    all
}

/// Splits at the first character for which `stop` holds outside quotes, escapes and parentheses.
fn cut(text: &str, stop: impl Fn(char) -> bool) -> (&str, Option<(char, &str)>) {
    let (mut quoted, mut escaped, mut depth) = (false, false, 0_u32);
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match c {
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ if !quoted && depth == 0 && stop(c) => {
                return (&text[..at], Some((c, &text[at + c.len_utf8()..])));
            }
            _ => {}
        }
    }
    (text, None)
}

/// `users hosts = commands : hosts = commands`.
fn specs(text: &str) -> Option<Vec<Spec>> {
    let (users, mut rest) = user_list(text)?;
    let mut all = Vec::new();
    loop {
        let (hosts, after) = cut(rest, |c| c == '=');
        let mut spec = Spec { users: users.clone(), hosts: pieces(hosts, ','), ..Spec::default() };
        let (_, mut commands) = after.filter(|_| !spec.hosts.is_empty())?;
        loop {
            commands = before_command(commands, &mut spec);
            let (command, after) = cut(commands, |c| c == ',' || c == ':');
            spec.command = unescape(command.trim());
            if spec.command.is_empty() {
                return None;
            }
            all.push(spec.clone());
            match after {
                Some((',', more)) => commands = more,
                Some((_, more)) => {
                    rest = more;
                    break;
                }
                None => return Some(all),
            }
        }
    }
}

/// The users, separated by commas with or without spaces around them, and what follows.
fn user_list(text: &str) -> Option<(Vec<String>, &str)> {
    let (mut users, mut rest) = (Vec::new(), text);
    loop {
        let (user, after) = cut(rest.trim_start(), |c| c == ',' || c.is_whitespace());
        users.push(user.trim_matches('"').replace("\\ ", " "));
        let (mut separator, mut more) = after?;
        if separator != ',' {
            more = more.trim_start();
            if let Some(after) = more.strip_prefix(',') {
                (separator, more) = (',', after);
            }
        }
        rest = more;
        if separator != ',' {
            return Some((users, rest));
        }
    }
}

/// Reads `(run as)`, options, tags and digests before a command. They hold for the following commands too.
fn before_command<'a>(text: &'a str, spec: &mut Spec) -> &'a str {
    let mut rest = text.trim_start();
    loop {
        if let Some((inner, after)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            let (users, groups) = inner.split_once(':').unwrap_or((inner, ""));
            (spec.run_as, spec.run_group) = (pieces(users, ','), pieces(groups, ','));
            rest = after.trim_start();
            continue;
        }
        let word = rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or_default();
        let after = rest[word.len()..].trim_start();
        if let Some(after) = after.strip_prefix(':').filter(|_| TAGS.contains(&word)) {
            match word {
                "NOPASSWD" => spec.asks = Some(false),
                "PASSWD" => spec.asks = Some(true),
                "SETENV" => spec.setenv = true,
                "NOSETENV" => spec.setenv = false,
                _ => {}
            }
            rest = after.trim_start();
        } else if let Some(after) = after.strip_prefix('=').filter(|_| OPTIONS.contains(&word)) {
            rest = cut(after.trim_start(), char::is_whitespace).1.map_or("", |(_, rest)| rest.trim_start());
        } else if let Some(after) = after.strip_prefix(':').filter(|_| word.starts_with("sha")) {
            rest = cut(after.trim_start(), char::is_whitespace).1.map_or("", |(_, rest)| rest.trim_start());
        } else {
            return rest;
        }
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn lines_are_joined_and_comments_dropped() {
        let text = "# comment \\\nroot ALL=(ALL) ALL # why\n#1000 ALL = /bin/ls\nagent ALL = \\\n  /bin/a, \\\n  /bin/b\n#includedir /etc/x\n";
        let seen: Vec<(u32, String)> = lines(text).into_iter().map(|line| (line.number, line.text)).collect();
        let seen: Vec<(u32, &str)> = seen.iter().map(|(number, text)| (*number, text.as_str())).collect();
        assert_eq!(
            seen,
            [
                (2, "root ALL=(ALL) ALL"),
                (3, "#1000 ALL = /bin/ls"),
                (4, "agent ALL =    /bin/a,    /bin/b"),
                (7, "#includedir /etc/x"),
            ]
        );
    }

    #[test]
    fn a_user_specification_is_read_whole() {
        let Entry::Spec(all) = entry(
            r"dev , %ops WEB, !db1 = (root, www : adm) NOPASSWD: SETENV: /bin/kill \:9, PASSWD: ALL : DB = sha256:abc= /bin/ls",
        ) else {
            panic!("no specification");
        };
        assert_eq!(all.len(), 3);
        assert_eq!(all[0].users, words(&["dev", "%ops"]));
        assert_eq!(all[0].hosts, words(&["WEB", "!db1"]));
        assert_eq!((&all[0].run_as, &all[0].run_group), (&words(&["root", "www"]), &words(&["adm"])));
        assert_eq!((all[0].asks, all[0].setenv, all[0].command.as_str()), (Some(false), true, "/bin/kill :9"));
        assert_eq!((all[1].asks, all[1].command.as_str()), (Some(true), "ALL"));
        assert_eq!((all[2].hosts.clone(), all[2].command.as_str()), (words(&["DB"]), "/bin/ls"));
        assert!(all[2].run_as.is_empty(), "a new host list starts anew");
    }

    #[test]
    fn other_lines_are_told_apart() {
        for (text, expected) in [
            ("@includedir /etc/sudoers.d", Entry::Include { path: "/etc/sudoers.d".into(), folder: true }),
            ("#include \"/etc/my rules\"", Entry::Include { path: "/etc/my rules".into(), folder: false }),
            (
                "Cmnd_Alias A = /bin/a, /bin/b : B = /bin/c",
                Entry::Alias(
                    AliasKind::Command,
                    vec![("A".into(), words(&["/bin/a", "/bin/b"])), ("B".into(), words(&["/bin/c"]))],
                ),
            ),
            (
                "Defaults:dev !authenticate, env_keep += \"A, B\"",
                Entry::Defaults { scope: ":dev".into(), settings: words(&["!authenticate", "env_keep += \"A, B\""]) },
            ),
            ("nonsense", Entry::Garbled),
            ("a b c", Entry::Garbled),
            ("x ALL=", Entry::Garbled),
            ("= = =", Entry::Garbled),
        ] {
            assert_eq!(entry(text), expected, "{text}");
        }
    }
}
