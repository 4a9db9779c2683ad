//! Rules of polkit, which are programs: told by what they name, not by running them. A rule counts as reaching when
//! it can answer *yes* and names the account, one of its groups, or nobody in particular.

use super::{LIMIT, Person, Program, Rule, unread};
use crate::facts::reach::{abs, list, text};
use crate::host::Host;
use crate::model::{AbsPath, Location, Look};

/// Where rules lie.
const RULES: &[&str] = &[
    "/etc/polkit-1/rules.d",
    "/run/polkit-1/rules.d",
    "/usr/local/share/polkit-1/rules.d",
    "/usr/share/polkit-1/rules.d",
];
/// Where the older form lies, a folder deeper.
const AUTHORITIES: &[&str] = &["/etc/polkit-1/localauthority", "/var/lib/polkit-1/localauthority"];
/// Actions that come close to root, by the start of their name.
const CLOSE_TO_ROOT: &[&str] = &[
    "org.freedesktop.policykit",
    "org.freedesktop.systemd1",
    "org.freedesktop.packagekit",
    "org.freedesktop.Flatpak",
    "org.freedesktop.accounts",
    "org.freedesktop.udisks2",
    "org.freedesktop.machine1",
    "org.libvirt",
    "com.ubuntu",
    "io.snapcraft",
    "org.debian.apt",
];
/// Actions that control services.
const SERVICES: &str = "org.freedesktop.systemd1";

/// A rule as far as its text tells.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    line: u32,
    text: String,
    /// Quoted words that look like actions; empty: any action.
    actions: Vec<String>,
    /// Whom it names: quoted words that are not actions; empty: nobody in particular.
    names: Vec<String>,
    /// It looks at who asks.
    asks_who: bool,
    /// It asks for a session at the desk.
    asks_seat: bool,
    /// It makes administrators.
    admin: bool,
}

/// All rules, and whether each reaches `person`.
pub(super) fn rules(host: &dyn Host, person: &Person<'_>) -> Vec<Rule> {
    let mut rules = Vec::new();
    for folder in RULES {
        files(host, &abs(folder), ".rules", &mut rules, &mut |file, content, rules| {
            rules.extend(hear(content).into_iter().map(|heard| of_rule(file, &heard, person)));
        });
    }
    for top in AUTHORITIES {
        let top = abs(top);
        match list(host, &top, 64) {
            Err(unseen) => rules.push(unread(Program::Polkit, &top, unseen)),
            Ok(folders) => {
                for folder in folders.into_iter().flatten() {
                    files(host, &top.join(folder.name), ".pkla", &mut rules, &mut |file, content, rules| {
                        rules.extend(sections(content).iter().filter_map(|section| of_section(file, section, person)));
                    });
                }
            }
        }
    }
    rules
}

/// Reads the files of a folder that end so.
fn files(
    host: &dyn Host,
    folder: &AbsPath,
    end: &str,
    rules: &mut Vec<Rule>,
    take: &mut dyn FnMut(&AbsPath, &str, &mut Vec<Rule>),
) {
    let entries = match list(host, folder, 512) {
        Ok(entries) => entries.unwrap_or_default(),
        Err(unseen) => return rules.push(unread(Program::Polkit, folder, unseen)),
    };
    for entry in entries.iter().filter(|entry| entry.name.to_string_lossy().ends_with(end)) {
        let file = folder.join(&entry.name);
        match text(host, &file, LIMIT) {
            Ok(content) => take(&file, &content.unwrap_or_default(), rules),
            Err(unseen) => rules.push(unread(Program::Polkit, &file, unseen)),
        }
    }
}

/// The rules of a script: each call of `addRule` or `addAdminRule` up to the next. Only those that can say yes.
fn hear(script: &str) -> Vec<Heard> {
    let mut all: Vec<(Heard, String)> = Vec::new();
    let mut comment = false;
    for (number, line) in (1..).zip(script.lines()) {
        let code = uncommented(line, &mut comment);
        if let Some(at) = ["polkit.addRule", "polkit.addAdminRule"].iter().find_map(|call| code.find(call)) {
            let admin = code[at..].starts_with("polkit.addAdminRule");
            all.push((Heard { line: number, text: line.to_owned(), admin, ..Heard::default() }, String::new()));
        }
        if let Some((_, body)) = all.last_mut() {
            body.push_str(&code);
            body.push('\n');
        }
    }
    all.into_iter().filter_map(|(heard, body)| listen(heard, &body)).collect()
}

fn listen(heard: Heard, body: &str) -> Option<Heard> {
    let grants = ["Result.YES", "\"yes\"", "'yes'"].iter().any(|word| body.contains(word));
    if !grants && !heard.admin {
        return None;
    }
    let (actions, names): (Vec<String>, Vec<String>) =
        quoted(body).into_iter().filter(|word| word != "yes").partition(|word| is_action(word));
    Some(Heard {
        asks_who: body.contains("subject.user") || body.contains("isInGroup") || body.contains("subject.groups"),
        asks_seat: body.contains("subject.active") || body.contains("subject.local"),
        actions,
        names,
        ..heard
    })
}

fn is_action(word: &str) -> bool {
    word.split('.').count() >= 3 || (word.ends_with('.') && word.contains('.'))
}

/// A line without comments; `inside` tells whether a block comment goes on.
fn uncommented(line: &str, inside: &mut bool) -> String {
    let mut out = String::new();
    let mut rest = line;
    loop {
        if *inside {
            let Some((_, after)) = rest.split_once("*/") else { return out };
            (*inside, rest) = (false, after);
        }
        match rest.find("/*").filter(|block| rest.find("//").is_none_or(|line| *block < line)) {
            Some(at) => {
                out.push_str(&rest[..at]);
                (*inside, rest) = (true, &rest[at + 2..]);
            }
            None => {
                out.push_str(rest.split("//").next().unwrap_or_default());
                return out;
            }
        }
    }
}

/// The words between quotes.
fn quoted(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\'']) {
        let quote = if rest[at..].starts_with('"') { '"' } else { '\'' };
        let Some((word, after)) = rest[at + 1..].split_once(quote) else { break };
        all.push(word.to_owned());
        rest = after;
    }
    all
}

fn of_rule(file: &AbsPath, heard: &Heard, person: &Person<'_>) -> Rule {
    let means = |name: &&String| {
        let bare = name.strip_prefix("unix-user:").map(|user| user == person.name);
        let group = name.strip_prefix("unix-group:").map(|group| person.in_group(group));
        bare.or(group).unwrap_or_else(|| *name == person.name || person.in_group(name))
    };
    // Not every quoted word is a name: those that are the account's are shown where there are some.
    let own: Vec<&str> = heard.names.iter().filter(means).map(String::as_str).collect();
    let named = !own.is_empty();
    let anyone = !heard.admin && !heard.asks_who;
    let seated = !heard.asks_seat || person.sits_at_desk;
    let what = match (heard.admin, heard.actions.is_empty()) {
        (true, _) => "administrator".to_owned(),
        (false, true) => "any action".to_owned(),
        (false, false) => heard.actions.join(", "),
    };
    let who = match (named, heard.asks_who || heard.admin) {
        (true, _) => own.join(", "),
        // Any quoted word of a script, so any could be a secret.
        (false, true) => crate::model::redact_line(&heard.names.join(", ")),
        (false, false) => "anyone".to_owned(),
    };
    rule(&what, who, (named || anyone) && seated, heard.admin, Location::line(file.text(), heard.line, &heard.text))
}

fn rule(what: &str, who: String, reaches: bool, asks: bool, at: Location) -> Rule {
    let any = matches!(what, "any action" | "administrator");
    let some = |starts: &[&str]| what.split(", ").any(|action| starts.iter().any(|start| covers(action, start)));
    Rule {
        name: crate::model::redact_line(what),
        program: Program::Polkit,
        who,
        reaches: Look::Known(reaches),
        raises: any || some(CLOSE_TO_ROOT),
        asks_password: asks,
        open_ended: any || what.contains('*'),
        services: any || some(&[SERVICES]),
        at: Some(at),
        unread: false,
    }
}

/// Whether an action, perhaps with `*` at its end or cut short by a prefix test, can be one of those.
fn covers(action: &str, start: &str) -> bool {
    let open = action.strip_suffix('*').or_else(|| action.ends_with('.').then_some(action));
    action.starts_with(start) || open.is_some_and(|open| start.starts_with(open.trim_end_matches('.')))
}

/// A section of a `.pkla` file, with the number of its first line.
type Section = (u32, String, Vec<(String, String)>);

fn sections(content: &str) -> Vec<Section> {
    let mut all: Vec<Section> = Vec::new();
    for (number, line) in (1..).zip(content.lines()) {
        let line = line.trim();
        if line.starts_with('[') {
            all.push((number, line.to_owned(), Vec::new()));
        } else if let (Some((_, _, keys)), Some((key, value))) = (all.last_mut(), line.split_once('=')) {
            keys.push((key.trim().to_owned(), value.trim().to_owned()));
        }
    }
    all
}

fn of_section(file: &AbsPath, (number, head, keys): &Section, person: &Person<'_>) -> Option<Rule> {
    let value = |name: &str| keys.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let says_yes = |name: &str| value(name) == Some("yes");
    let seat_only = !says_yes("ResultAny");
    if seat_only && !says_yes("ResultActive") && !says_yes("ResultInactive") {
        return None;
    }
    let identity = value("Identity").unwrap_or_default();
    let named = identity.split(';').map(str::trim).any(|word| {
        let user = word.strip_prefix("unix-user:").map(|user| user == "*" || user == person.name);
        let group = word.strip_prefix("unix-group:").map(|group| group == "*" || person.in_group(group));
        user.or(group).unwrap_or(word == "*")
    });
    let actions = value("Action").unwrap_or("*").split(';').map(str::trim).filter(|a| !a.is_empty());
    let actions: Vec<&str> = actions.collect();
    let what = if actions.contains(&"*") { "any action".to_owned() } else { actions.join(", ") };
    let reaches = named && (!seat_only || person.sits_at_desk);
    Some(rule(
        &what,
        crate::model::plain(identity).into_owned(),
        reaches,
        false,
        Location::line(file.text(), *number, head),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Gid, Os};

    fn reaching(script: &str) -> Vec<(String, bool, bool)> {
        let groups = vec!["agent".to_owned(), "ops".to_owned()];
        let person =
            Person { name: "agent", uid: 990, gids: vec![Gid(990)], groups, os: Os::Linux, sits_at_desk: false };
        let rules = hear(script).into_iter().map(|heard| of_rule(&abs("/x.rules"), &heard, &person));
        let reaching = rules.filter(|rule| rule.reaches == Look::Known(true));
        reaching.map(|rule| (rule.name, rule.raises, rule.services)).collect()
    }

    #[test]
    fn a_rule_reaches_whom_it_names() {
        let manage = "action.id == \"org.freedesktop.systemd1.manage-units\"";
        let yes = "return polkit.Result.YES;";
        let units = ("org.freedesktop.systemd1.manage-units".to_owned(), true, true);
        for (body, expected) in [
            (format!("if ({manage} && subject.user == \"agent\") {{ {yes} }}"), vec![units.clone()]),
            (format!("if ({manage} && subject.isInGroup('ops')) {{ {yes} }}"), vec![units.clone()]),
            (format!("if ({manage} && subject.user == \"dev\") {{ {yes} }}"), vec![]),
            (format!("if ({manage}) {{ {yes} }}"), vec![units]),
            (format!("if ({manage} && subject.active) {{ {yes} }}"), vec![]),
            (format!("if ({manage} && subject.user == \"agent\") {{ return polkit.Result.NO; }}"), vec![]),
            (format!("// subject.user == \"agent\" {yes}"), vec![]),
            (format!("if (subject.user == \"agent\") {{ {yes} }}"), vec![("any action".to_owned(), true, true)]),
            (
                format!("if (action.id.indexOf(\"org.freedesktop.\") == 0 && subject.user == \"agent\") {yes}"),
                vec![("org.freedesktop.".to_owned(), true, true)],
            ),
            (
                format!(
                    "if (action.id == \"org.freedesktop.color-manager.create-device\" && subject.user == \"agent\") {yes}"
                ),
                vec![("org.freedesktop.color-manager.create-device".to_owned(), false, false)],
            ),
        ] {
            assert_eq!(
                reaching(&format!("polkit.addRule(function(action, subject) {{\n{body}\n}});")),
                expected,
                "{body}"
            );
        }
    }

    #[test]
    fn administrators_are_named_by_kind() {
        let admin = |who: &str| format!("polkit.addAdminRule(function(a, s) {{ return [\"{who}\"]; }});");
        assert_eq!(reaching(&admin("unix-group:ops")).len(), 1);
        assert_eq!(reaching(&admin("unix-group:sudo")).len(), 0);
        assert_eq!(reaching(&admin("unix-user:agent")).len(), 1);
    }
}
