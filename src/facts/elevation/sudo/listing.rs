//! What sudo itself lists for an account, where rules come from a directory service too.

use super::super::{LIMIT, Person, Program, Rule, controls_services, unread};
use crate::facts::reach::{abs, text};
use crate::host::{Host, Tool};
use crate::model::{Look, Os, Unseen, redact_line};

/// Whether sudo takes rules from elsewhere than its files.
pub(super) fn is_needed(host: &dyn Host) -> bool {
    let Ok(Some(switch)) = text(host, &abs("/etc/nsswitch.conf"), LIMIT) else { return false };
    let mut sources = switch.lines().filter_map(|line| line.trim().strip_prefix("sudoers:"));
    sources.next_back().is_some_and(|sources| {
        sources
            .split('#')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .any(|word| !matches!(word, "files") && !word.starts_with('['))
    })
}

/// What sudo itself lists for the account. Only root may ask about another; nobody is asked for a password.
pub(super) fn rules(host: &dyn Host, person: &Person<'_>) -> Vec<Rule> {
    let switch = abs("/etc/nsswitch.conf");
    let unknown = |unseen| vec![unread(Program::Sudo, &switch, unseen)];
    if person.os == Os::Macos {
        return Vec::new();
    }
    match host.run(Tool::Sudo, &["-n", "-l", "-U", person.name]) {
        Err(error) => unknown(error.into()),
        Ok(output) => match listed(&output.stdout) {
            Some(names) => names.into_iter().map(|name| of_listing(&name, person)).collect(),
            None => {
                unknown(Unseen::new("sudo asks a directory service, and `sudo -l` did not answer", "run with sudo"))
            }
        },
    }
}

/// The rules in what `sudo -l` prints. None where it is no listing.
fn listed(output: &str) -> Option<Vec<String>> {
    if output.contains("is not allowed to run sudo") {
        return Some(Vec::new());
    }
    let mut lines = output.lines().skip_while(|line| !line.contains("may run the following commands"));
    lines.next()?;
    Some(lines.map(str::trim).take_while(|line| !line.is_empty()).map(str::to_owned).collect())
}

fn of_listing(name: &str, person: &Person<'_>) -> Rule {
    let command = name.rsplit(": ").next().and_then(|rest| rest.rsplit(") ").next()).unwrap_or(name);
    Rule {
        name: redact_line(name),
        program: Program::Sudo,
        who: person.name.to_owned(),
        reaches: Look::Known(true),
        raises: !name.starts_with(&format!("({})", person.name)),
        asks_password: !name.contains("NOPASSWD:"),
        open_ended: name.contains('*') || name.ends_with("ALL"),
        services: controls_services(command),
        at: None,
        unread: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listings_are_told_from_refusals() {
        let text = "Matching Defaults entries for agent on box:\n    env_reset\n\nUser agent may run the following commands on box:\n    (root) NOPASSWD: /bin/ls\n";
        assert_eq!(listed(text), Some(vec!["(root) NOPASSWD: /bin/ls".to_owned()]));
        assert_eq!(listed("User agent is not allowed to run sudo on box.\n"), Some(vec![]));
        assert_eq!(listed(""), None);
    }
}
