//! Policy files beside the agent's configuration, in a small form: approved commands, hosts allowed and denied. With
//! the hosts that the profile names. Nothing here says that a program enforces them: OpenCode reads no such file.

use std::io;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;
use serde_yaml::Value;

use super::approvals::{self, Approval};
use super::endpoints::{covers, fault, host_of};
use super::{ProbeError, subject};
use crate::host::{self, CONFIG_LIMIT, Host};
use crate::model::{
    APPROVALS, AbsPath, Declaration, Location, Look, MACHINE_POLICY, Scope, Subject, Unseen, redact_line, standing,
};

/// The most approvals and hosts of one file.
const LISTED: usize = 1000;
/// More aliases than anyone writes by hand.
const ALIASES: usize = 50;
/// A key of older policies beside those of the form.
const OLD_KEY: &str = "sandbox";
/// Those of them that are lists for others to go by, not switches that a program would have to obey.
const DECLARED: &[&str] = &["approvals", "network", "version"];

/// What the agent's policy declares.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// The policy files that are there.
    files: Vec<File>,
    /// Their approved commands; one that stands for a file that cannot be understood.
    approvals: Vec<Approved>,
    /// Hosts that are allowed by a policy file or the profile; one that says so where there is no list.
    allowed: Vec<Allowed>,
    /// Hosts that a policy file denies.
    denied: Vec<String>,
    /// Endpoints of `denied_endpoints` that no policy file denies.
    not_denied: Look<Vec<String>>,
    /// Allowed hosts that reach some of these.
    allowed_in_spite: Vec<String>,
    /// Whether the agent is known to read and enforce such a file.
    enforced: bool,
}

/// A policy file.
#[derive(Serialize, JsonSchema)]
struct File {
    /// Where it is.
    path: String,
    /// What is wrong with it as a whole.
    fault: Option<String>,
    /// Top-level keys that the form does not have.
    unknown_keys: Vec<String>,
    /// Why it tells nothing, or not all.
    #[serde(skip)]
    unseen: Option<Unseen>,
}

/// An approved command.
#[derive(Serialize, JsonSchema)]
struct Approved {
    /// The command, with what could be a secret masked.
    name: String,
    /// The project it is for.
    project: Option<String>,
    /// Who approved it.
    by: Option<String>,
    /// The last day it holds.
    expires: Option<String>,
    /// What makes it more than one exact command for one project for a while.
    faults: Look<Vec<&'static str>>,
    /// Where it stands.
    at: Location,
}

/// An allowed host.
#[derive(Serialize, JsonSchema)]
struct Allowed {
    /// As it is written, without path and user.
    name: String,
    /// The file that allows it, or `profile`.
    from: String,
    /// What it is, in words: the entry, or the list that is missing.
    what: String,
    /// Why it is no exact host.
    fault: Look<Option<String>>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Location>,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let mut fact = Fact {
        files: Vec::new(),
        approvals: Vec::new(),
        allowed: Vec::new(),
        denied: Vec::new(),
        not_denied: Look::Known(Vec::new()),
        allowed_in_spite: Vec::new(),
        enforced: false,
    };
    // A place of a policy in the home of an account that is not known.
    let mut homeless = None;
    for name in &subject.agent.policy_files {
        let Some(path) = subject::place(subject, name) else {
            let unseen = subject::unplaced(subject, name).filter(|_| subject.scope > Scope::Repo);
            homeless = homeless.or_else(|| Some((subject::in_any_home(name), unseen?)));
            continue;
        };
        if subject.scope == Scope::Repo && !path.is_within(&subject.project) {
            continue;
        }
        fact.add_file(host, subject, &path);
    }
    if subject.scope > Scope::Repo {
        fact.add_file(host, subject, &AbsPath::root().join(MACHINE_POLICY));
        fact.add_approvals(host, subject);
    }
    for name in subject.parameters.list("allowed_hosts") {
        fact.allowed.push(allowed(name, "profile", None));
    }
    fact.conclude(&subject.parameters.list("denied_endpoints"), homeless);
    Ok(fact)
}

impl Fact {
    fn add_file(&mut self, host: &dyn Host, subject: &Subject, path: &AbsPath) {
        let shown = subject::shown(subject, path);
        let parsed = match host::read_text(host, path, subject::jail(subject, path), CONFIG_LIMIT) {
            Ok(None) => return,
            Ok(Some(text)) => parse(&text).map(|value| (text, value)).map_err(|fault| (garbled(&shown, &fault), fault)),
            Err(error) => Err((unread(&shown, &error), error.to_string())),
        };
        match parsed {
            Err((unseen, fault)) => {
                self.approvals.push(Approved {
                    name: shown.clone(),
                    project: None,
                    by: None,
                    expires: None,
                    faults: Look::Unknown(unseen.clone()),
                    at: Location::file(&shown),
                });
                self.files.push(File {
                    path: shown,
                    fault: Some(fault),
                    unseen: Some(unseen),
                    unknown_keys: Vec::new(),
                });
            }
            Ok((text, value)) => self.add_policy(&shown, &text, &value),
        }
    }

    /// The approvals beside the machine's policy. What has expired or was revoked approves nothing any more.
    fn add_approvals(&mut self, host: &dyn Host, subject: &Subject) {
        let path = AbsPath::root().join(APPROVALS);
        let shown = subject::shown(subject, &path);
        let read = match host::read_text(host, &path, None, CONFIG_LIMIT) {
            Ok(text) => standing(text.as_deref().unwrap_or_default())
                .map_err(|(line, why)| garbled(&format!("{shown}:{line}"), &redact_line(&why))),
            Err(error) => Err(unread(&shown, &error)),
        };
        let today = today();
        match read {
            Err(unseen) => self.approvals.push(Approved {
                name: shown.clone(),
                project: None,
                by: None,
                expires: None,
                faults: Look::Unknown(unseen),
                at: Location::file(&shown),
            }),
            Ok(all) => {
                for one in all.iter().filter(|one| one.approval.holds_on(today)).take(LISTED) {
                    let entry = serde_yaml::to_value(&one.approval).expect("plain data");
                    let line = u32::try_from(one.line).unwrap_or(u32::MAX);
                    let command = one.approval.argv.join(" ");
                    self.approvals.push(Approved {
                        at: Location::line(&shown, line, &command),
                        ..approved(&shown, "", &entry, today)
                    });
                }
            }
        }
    }

    fn add_policy(&mut self, shown: &str, text: &str, policy: &Value) {
        let keys = policy.as_mapping().into_iter().flatten().filter_map(|(key, _)| key.as_str());
        let unknown_keys =
            keys.filter(|key| *key != OLD_KEY && !Declaration::KEYS.contains(key)).map(str::to_owned).collect();
        let today = today();
        let fault = match policy.get("approvals") {
            None | Some(Value::Null) => None,
            Some(Value::Sequence(list)) => {
                self.approvals.extend(list.iter().take(LISTED).map(|entry| approved(shown, text, entry, today)));
                (list.len() > LISTED).then(|| format!("more than {LISTED} approvals"))
            }
            Some(_) => Some("`approvals` is no list".to_owned()),
        };
        let network = policy.get("network");
        for entry in hosts(network, "allow") {
            self.allowed.push(allowed(entry, shown, Some(place(shown, text, entry))));
        }
        self.denied.extend(hosts(network, "deny").map(host_of));
        let unseen = fault.as_ref().map(|fault| garbled(shown, fault));
        self.files.push(File { path: shown.to_owned(), fault, unseen, unknown_keys });
    }

    /// Holds the lists against the endpoints that have to be denied. What denies wins over what allows, so an allowed
    /// host counts only where nothing denies it.
    fn conclude(&mut self, endpoints: &[&str], homeless: Option<(String, Unseen)>) {
        let denied = |endpoint: &str| self.denied.iter().any(|pattern| covers(pattern, endpoint));
        let open: Vec<&str> = endpoints.iter().copied().filter(|endpoint| !denied(endpoint)).collect();
        let reached: Vec<String> = self
            .allowed
            .iter()
            .filter(|host| open.iter().any(|endpoint| covers(&host.name, endpoint) || covers(endpoint, &host.name)))
            .map(|host| host.name.clone())
            .collect();
        let unread = self.files.iter().find_map(|file| file.unseen.clone()).or_else(|| {
            let (shown, unseen) = homeless?;
            self.approvals.push(Approved {
                faults: Look::Unknown(unseen.clone()),
                project: None,
                by: None,
                expires: None,
                at: Location::file(&shown),
                name: shown,
            });
            Some(unseen)
        });
        self.not_denied = match &unread {
            Some(unseen) if !open.is_empty() => Look::Unknown(unseen.clone()),
            _ => Look::Known(open.into_iter().map(str::to_owned).collect()),
        };
        self.allowed_in_spite = reached;
        if self.allowed.is_empty() {
            self.allowed.push(Allowed {
                name: "(no allow-list)".into(),
                from: "policy and profile".into(),
                what: "the list of allowed hosts".into(),
                fault: match unread {
                    Some(unseen) => Look::Unknown(unseen),
                    None => Look::Known(Some("is missing: neither a policy file nor the profile names a host".into())),
                },
                at: None,
            });
        }
    }
}

fn today() -> Date {
    jiff::Timestamp::now().to_zoned(TimeZone::UTC).date()
}

fn garbled(shown: &str, fault: &str) -> Unseen {
    Unseen::new(format!("the policy `{shown}` is not understood: {fault}"), "correct the file")
}

fn unread(shown: &str, error: &io::Error) -> Unseen {
    let how =
        if error.kind() == io::ErrorKind::PermissionDenied { "run with sudo" } else { "look at the file by hand" };
    super::closed(error).unwrap_or_else(|| Unseen::new(format!("the policy `{shown}` cannot be read: {error}"), how))
}

/// Whether a policy file is only a declaration of the machine's owner: it stands outside of accounts and projects, and
/// says no more than filters and audits go by. Nobody can take that for something which the agent obeys.
pub(super) fn is_declaration(host: &dyn Host, subject: &Subject, path: &AbsPath) -> Look<bool> {
    if !path.is_within(&AbsPath::root().join("etc")) || path.is_within(&subject.project) {
        return Look::Known(false);
    }
    match host::read_text(host, path, None, CONFIG_LIMIT) {
        Ok(text) => {
            let policy = parse(&text.unwrap_or_default());
            let declares = |policy: &Value| {
                let keys = policy.as_mapping().into_iter().flatten().map(|(key, _)| key.as_str());
                keys.into_iter().all(|key| key.is_some_and(|key| DECLARED.contains(&key)))
            };
            Look::Known(policy.is_ok_and(|policy| declares(&policy)))
        }
        Err(error) => Look::unknown(format!("`{path}` cannot be read: {error}"), "run with sudo"),
    }
}

/// A file under review may be hostile: aliases that multiply are refused, and duplicate keys are errors.
fn parse(text: &str) -> Result<Value, String> {
    let mut aliases =
        text.split_whitespace().filter(|word| word.starts_with('*') && word.len() > 1 && !word.starts_with("*."));
    if text.contains('&') && aliases.by_ref().take(ALIASES + 1).count() > ALIASES {
        return Err("more aliases than anyone writes by hand".into());
    }
    let value: Value = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    if value.is_mapping() || value.is_null() { Ok(value) } else { Err("it is no mapping".into()) }
}

fn hosts<'a>(network: Option<&'a Value>, key: &str) -> impl Iterator<Item = &'a str> {
    let list = network.and_then(|network| network.get(key)).and_then(Value::as_sequence);
    list.map(Vec::as_slice).unwrap_or_default().iter().filter_map(Value::as_str).take(LISTED)
}

fn approved(file: &str, text: &str, entry: &Value, today: Date) -> Approved {
    let Approval { words, project, by, expires, faults } = approvals::read(entry, today);
    let at = words.last().map_or_else(|| Location::file(file), |word| place(file, text, word));
    let name = if words.is_empty() { "(no command)".to_owned() } else { redact_line(&words.join(" ")) };
    Approved { name, project, by, expires, faults: Look::Known(faults), at }
}

/// The first line that holds a word, behind comments.
fn place(file: &str, text: &str, word: &str) -> Location {
    let found = text.lines().enumerate().find(|(_, line)| !line.trim_start().starts_with('#') && line.contains(word));
    found.map_or_else(
        || Location::file(file),
        |(at, line)| Location::line(file, u32::try_from(at + 1).unwrap_or(u32::MAX), line),
    )
}

fn allowed(entry: &str, from: &str, at: Option<Location>) -> Allowed {
    let name = host_of(entry);
    let what = format!("allowed host `{name}` ({from})");
    Allowed { name, from: from.to_owned(), what, fault: Look::Known(fault(entry).map(str::to_owned)), at }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_policies_are_refused() {
        for text in ["a: 1\na: 2\n".to_owned(), "[1, 2]".to_owned(), "a: &a [b]\nb: [*a, ".to_owned()] {
            assert!(parse(&text).is_err(), "{text}");
        }
        let bomb = format!("a: &a [x]\nb: [{}]\n", "*a , ".repeat(500));
        assert!(parse(&bomb).is_err());
        assert!(parse("").is_ok());
    }
}
