//! Which files a command line starts, as far as its text tells. Variables and folders changed to are not followed.

use crate::model::AbsPath;

/// Programs that start what their arguments name.
const WRAPPERS: &[&str] = &[
    "ash",
    "bash",
    "busybox",
    "chronic",
    "chrt",
    "command",
    "dash",
    "env",
    "exec",
    "fish",
    "flock",
    "ionice",
    "ksh",
    "nice",
    "node",
    "nohup",
    "perl",
    "php",
    "python",
    "python2",
    "python3",
    "ruby",
    "run-parts",
    "runuser",
    "setpriv",
    "setsid",
    "sh",
    "stdbuf",
    "su",
    "sudo",
    "time",
    "timeout",
    "unshare",
    "xargs",
    "zsh",
];
/// How deep `sh -c "…"` is looked into.
const DEPTH: usize = 3;

/// The absolute paths of programs and scripts that a shell line starts.
pub(super) fn of_line(line: &str) -> Vec<AbsPath> {
    let mut found = Vec::new();
    of_line_within(line, 0, &mut found);
    found
}

fn of_line_within(line: &str, depth: usize, found: &mut Vec<AbsPath>) {
    for words in commands(line) {
        of_words(&words, depth, found);
    }
}

/// The same for a list of arguments.
pub(super) fn of_arguments(words: &[String]) -> Vec<AbsPath> {
    let mut found = Vec::new();
    of_words(words, 0, &mut found);
    found
}

fn of_words(words: &[String], depth: usize, found: &mut Vec<AbsPath>) {
    let assignment = |word: &&String| word.split_once('=').is_some_and(|(name, _)| !name.contains('/'));
    let mut words = words.iter().skip_while(assignment);
    let Some(first) = words.next() else { return };
    found.extend(AbsPath::new(first));
    let name = first.rsplit('/').next().unwrap_or_default();
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    if !WRAPPERS.contains(&name) && !WRAPPERS.contains(&plain) {
        return;
    }
    let mut inline = false;
    for word in words {
        if inline && depth < DEPTH {
            of_line_within(word, depth + 1, found);
        } else {
            found.extend(AbsPath::new(word));
        }
        // `-c`, `-ec`: the next word is a line of its own.
        inline = word.starts_with('-') && word.ends_with('c');
    }
}

/// A line being taken apart.
#[derive(Default)]
struct Split {
    commands: Vec<Vec<String>>,
    words: Vec<String>,
    word: String,
    /// A word has begun, perhaps an empty one in quotes.
    begun: bool,
    /// The next word is the file of a redirection.
    redirected: bool,
}

impl Split {
    fn end_word(&mut self) {
        let word = std::mem::take(&mut self.word);
        if !std::mem::take(&mut self.begun) {
            return;
        }
        let redirected = std::mem::take(&mut self.redirected);
        if !redirected && !matches!(word.as_str(), "{" | "}" | "!" | "if" | "then" | "else" | "do") {
            self.words.push(word);
        }
    }

    fn end_command(&mut self) {
        if !self.words.is_empty() {
            self.commands.push(std::mem::take(&mut self.words));
        }
    }

    fn add(&mut self, c: char) {
        self.word.push(c);
        self.begun = true;
    }
}

/// The simple commands of a line, quotes removed, redirections left out.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut split = Split::default();
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None | Some('"'), '\\') => chars.next().into_iter().for_each(|c| split.add(c)),
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => (quote, split.begun) = (Some(c), true),
            (None, '<' | '>') => {
                split.end_word();
                split.redirected = true;
            }
            // `>&1` belongs to a redirection.
            (None, '&') if split.redirected && !split.begun => {}
            (None, ';' | '|' | '&' | '(' | ')' | '`') => {
                split.end_word();
                split.end_command();
            }
            (None, c) if c.is_whitespace() => split.end_word(),
            (_, c) => split.add(c),
        }
    }
    split.end_word();
    split.end_command();
    split.commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_scripts_are_told_from_arguments() {
        for (line, expected) in [
            ("/opt/x/run --log /tmp/log", vec!["/opt/x/run"]),
            ("cd / && run-parts --report /etc/cron.hourly", vec!["/etc/cron.hourly"]),
            ("test -x /usr/sbin/anacron || ( cd / && /usr/bin/nice /opt/y.sh )", vec!["/usr/bin/nice", "/opt/y.sh"]),
            ("/bin/bash -c '/srv/a.sh && /srv/b.sh'", vec!["/bin/bash", "/srv/a.sh", "/srv/b.sh"]),
            ("FOO=/x /usr/bin/python3.11 /srv/job.py >> /tmp/out 2>&1", vec!["/usr/bin/python3.11", "/srv/job.py"]),
            ("/a > /tmp/x; \"/b c/d\"", vec!["/a", "/b c/d"]),
            ("echo 'unclosed /x", vec![]),
            ("", vec![]),
        ] {
            let found: Vec<String> = of_line(line).iter().map(AbsPath::text).collect();
            assert_eq!(found, expected, "{line}");
        }
    }
}
