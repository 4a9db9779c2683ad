//! Which files a command line starts, as far as its text tells. Variables and folders changed to are not followed.

use crate::model::AbsPath;

/// Programs that start what their arguments name.
const WRAPPERS: &[&str] = &[
    "ash", "bash", "busybox", "chronic", "chrt", "command", "dash", "env", "exec", "fish", "flock", "ionice", "ksh",
    "nice", "node", "nohup", "perl", "php", "python", "python2", "python3", "ruby", "run-parts", "runuser", "setpriv",
    "setsid", "sh", "stdbuf", "su", "sudo", "time", "timeout", "unshare", "xargs", "zsh",
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

/// The simple commands of a line, quotes removed, redirections left out.
fn commands(line: &str) -> Vec<Vec<String>> {
    let (mut all, mut words, mut word) = (Vec::new(), Vec::new(), String::new());
    let (mut quote, mut started, mut escaped, mut target) = (None, false, false, false);
    for c in line.chars().chain([';']) {
        if escaped {
            word.push(c);
            (escaped, started) = (false, true);
            continue;
        }
        match (quote, c) {
            (None | Some('"'), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.push(c),
            (None, '"' | '\'') => (quote, started) = (Some(c), true),
            (None, c) if c.is_whitespace() || matches!(c, ';' | '|' | '&' | '(' | ')' | '<' | '>' | '`') => {
                let done = std::mem::take(&mut word);
                if std::mem::take(&mut started) || !done.is_empty() {
                    if !std::mem::take(&mut target) && !matches!(done.as_str(), "{" | "}" | "!" | "then" | "do" | "else" | "if") {
                        words.push(done);
                    }
                }
                match c {
                    '<' | '>' => target = true,
                    ';' | '|' | '&' | '(' | ')' | '`' => {
                        // `>&1` and `&>` belong to a redirection.
                        if !words.is_empty() && !(target && c == '&') {
                            all.push(std::mem::take(&mut words));
                        }
                    }
                    _ => {}
                }
            }
            (None, c) => word.push(c),
        }
    }
    all.extend((!words.is_empty()).then_some(words));
    all
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
