//! The jobs in the files of cron, anacron, systemd and launchd: who runs them, and which programs they start.

use super::programs::{of_arguments, of_line};
use crate::facts::lines::joined;
use crate::model::AbsPath;

/// A line that starts something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Job {
    /// The number of its line.
    pub(super) line: u32,
    /// Its text.
    pub(super) text: String,
    /// The account that runs it, where the file says so.
    pub(super) user: Option<String>,
    /// What it starts.
    pub(super) programs: Vec<AbsPath>,
}

/// The forms of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Five times, an account, a command.
    System,
    /// Five times, a command.
    Own,
    /// Period, delay, name, command.
    Anacron,
}

/// The jobs of a table of cron or anacron.
pub(super) fn table(text: &str, form: Form) -> Vec<Job> {
    (1..).zip(text.lines()).filter_map(|(number, line)| row(number, line, form)).collect()
}

fn row(number: u32, text: &str, form: Form) -> Option<Job> {
    let line = text.trim();
    let assignment = line.split_once('=').is_some_and(|(name, _)| {
        !name.trim().is_empty() && name.trim().chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    if line.is_empty() || line.starts_with('#') || assignment {
        return None;
    }
    let times = match form {
        Form::Anacron => 3,
        _ if line.starts_with('@') => 1,
        _ => 5,
    };
    let (_, mut rest) = fields(line, times)?;
    let mut user = None;
    if form == Form::System {
        let (words, after) = fields(rest, 1)?;
        (user, rest) = (words.first().map(|word| (*word).to_owned()), after);
    }
    Some(Job { line: number, text: text.to_owned(), user, programs: of_line(rest) })
}

/// The first words of a line and what follows them.
fn fields(line: &str, count: usize) -> Option<(Vec<&str>, &str)> {
    let (mut words, mut rest) = (Vec::new(), line.trim_start());
    for _ in 0..count {
        let (word, after) = rest.split_once(char::is_whitespace)?;
        words.push(word);
        rest = after.trim_start();
    }
    Some((words, rest))
}

/// The jobs of a systemd unit.
pub(super) fn unit(text: &str) -> Vec<Job> {
    let (mut jobs, mut user) = (Vec::new(), None);
    for (first, line) in joined(text) {
        let Some((key, value)) = line.trim().split_once('=') else { continue };
        let (key, value) = (key.trim_end(), value.trim_start());
        if key == "User" {
            user = Some(value.trim().to_owned());
        } else if key.starts_with("Exec") {
            let command = value.trim_start_matches(['@', '-', ':', '+', '!', '|']);
            jobs.push(Job { line: first, text: line.clone(), user: None, programs: of_line(command) });
        }
    }
    jobs.into_iter().map(|job| Job { user: user.clone(), ..job }).collect()
}

/// The job of a launchd property list in its text form. None for the binary one.
pub(super) fn property_list(text: &str) -> Option<Job> {
    if text.starts_with("bplist") {
        return None;
    }
    let after = |key: &str| text.split_once(&format!("<key>{key}</key>")).map(|(_, rest)| rest);
    let arguments = after("ProgramArguments").and_then(|rest| rest.split("</array>").next()).unwrap_or_default();
    let mut programs: Vec<AbsPath> = of_arguments(&strings(arguments));
    programs.extend(after("Program").and_then(|rest| strings(rest).into_iter().next()).and_then(AbsPath::new));
    let user = after("UserName").and_then(|rest| strings(rest).into_iter().next());
    Some(Job { line: 1, text: String::new(), user, programs })
}

fn strings(text: &str) -> Vec<String> {
    let pieces = text.split("<string>").skip(1).filter_map(|piece| piece.split("</string>").next());
    pieces.map(|text| text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")).collect()
}

/// Whether `name` may use a scheduler: the list of those allowed decides alone where it is there, else the list of
/// those denied, else `otherwise`.
pub(super) fn may_schedule(name: &str, allow: Option<&str>, deny: Option<&str>, otherwise: bool) -> bool {
    let lists = |text: &str| text.lines().any(|line| line.trim() == name);
    match (allow, deny) {
        (Some(allow), _) => lists(allow),
        (None, Some(deny)) => !lists(deny),
        (None, None) => otherwise,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(jobs: Vec<Job>) -> Vec<(u32, Option<String>, Vec<String>)> {
        jobs.into_iter().map(|j| (j.line, j.user, j.programs.iter().map(AbsPath::text).collect())).collect()
    }

    #[test]
    fn tables_are_read_by_their_form() {
        let text = "# x\nSHELL=/bin/sh\n17 * * * * root cd / && /opt/a\n@daily www /opt/b\nshort\n";
        assert_eq!(
            told(table(text, Form::System)),
            [(3, Some("root".into()), vec!["/opt/a".into()]), (4, Some("www".into()), vec!["/opt/b".into()])]
        );
        assert_eq!(told(table("@reboot /opt/a\n", Form::Own)), [(1, None, vec!["/opt/a".into()])]);
        assert_eq!(told(table("1 5 cron.daily /opt/a\n", Form::Anacron)), [(1, None, vec!["/opt/a".into()])]);
    }

    #[test]
    fn units_and_property_lists_name_what_they_start() {
        let text = "[Service]\nUser=web\nExecStartPre=-/bin/sh /opt/pre.sh\nExecStart=/opt/run \\\n --x\n";
        let web = Some("web".to_owned());
        assert_eq!(
            told(unit(text)),
            [(3, web.clone(), vec!["/bin/sh".into(), "/opt/pre.sh".into()]), (4, web, vec!["/opt/run".into()])]
        );
        let plist = "<dict><key>ProgramArguments</key><array><string>/usr/local/bin/x y</string><string>-v</string></array></dict>";
        let job = property_list(plist).expect("text form");
        assert_eq!(job.programs.iter().map(AbsPath::text).collect::<Vec<_>>(), ["/usr/local/bin/x y"]);
        assert_eq!(property_list("bplist00"), None);
    }

    #[test]
    fn the_list_of_those_allowed_decides_alone() {
        for (allow, deny, otherwise, may) in [
            (Some("root\n"), None, true, false),
            (Some("agent\n"), Some("agent\n"), false, true),
            (None, Some("agent\n"), true, false),
            (None, Some("agents\n"), false, true),
            (None, None, false, false),
        ] {
            assert_eq!(may_schedule("agent", allow, deny, otherwise), may, "{allow:?} {deny:?}");
        }
    }
}
