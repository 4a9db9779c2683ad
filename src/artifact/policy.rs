//! The machine's policy, with a comment on every value; and the line by which `harden apply` accepts it: what it allows
//! beyond the one that was accepted last, word for word.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Refusal, Site, mark, path};
use crate::model::{ACCEPTED, Access, Action, Change, Declaration, MACHINE_POLICY, changes};

/// A policy that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Its digest.
    pub digest: String,
    /// The digest of the one before; none of the first.
    pub before: Option<String>,
    /// What it allows that the one before did not.
    pub widens: Vec<String>,
    /// What it allows no more.
    pub narrows: Vec<String>,
    /// What it says.
    pub policy: Declaration,
}

impl Accepted {
    /// The last of a file of such lines. Err names the line that is none.
    pub fn last(text: &str) -> Result<Option<Self>, (usize, String)> {
        let mut last = None;
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            last = Some(serde_json::from_str(line).map_err(|error| (at + 1, error.to_string()))?);
        }
        Ok(last)
    }

    /// The acceptance of a policy after another. What was never accepted allowed nothing.
    pub fn of(policy: &Declaration, before: Option<&Self>) -> Self {
        let closed = Declaration::default();
        let all = changes(before.map_or(&closed, |before| &before.policy), policy);
        let says = |widens: bool| {
            let these = all.iter().filter(|change: &&Change| change.widens == widens);
            these.map(|change| change.says.clone()).collect()
        };
        Self {
            digest: policy.digest(),
            before: before.map(|before| before.digest.clone()),
            widens: says(true),
            narrows: says(false),
            policy: policy.clone(),
        }
    }
}

pub(super) fn build(site: &Site) -> Result<Vec<Action>, Refusal> {
    let write = |at: &str, content: String| Action::WriteFile {
        path: path(at),
        content,
        access: Access::of_root(0o644),
        check: None,
    };
    let mut actions = vec![
        Action::EnsureDir { path: path("/etc/harden"), access: Access::of_root(0o755) },
        write(MACHINE_POLICY, text(&site.policy)),
    ];
    let kept = site.accepted.as_ref().map_err(|why| Refusal::new(format!("{ACCEPTED} cannot be read: {why}"), ""))?;
    let before = Accepted::last(kept).map_err(|(line, _)| {
        Refusal::new(
            format!("line {line} of {ACCEPTED} is not understood"),
            "look at it by hand, and take the line out",
        )
    })?;
    if before.as_ref().is_none_or(|before| before.digest != site.policy.digest()) {
        let line = serde_json::to_string(&Accepted::of(&site.policy, before.as_ref())).expect("plain data");
        let end = if kept.is_empty() || kept.ends_with('\n') { "" } else { "\n" };
        actions.push(write(ACCEPTED, format!("{kept}{end}{line}\n")));
    }
    Ok(actions)
}

/// A policy as a file of ours.
fn text(policy: &Declaration) -> String {
    let mut out = mark("What the agent may do on this machine.");
    out += "#\n# What is left out is closed. Change the profile and apply it again, rather than this file; approve commands with\n\
            # `harden policy allow`. A project may narrow this in its own `.harden-policy.yaml`, and never widen it.\n";
    out + &body(policy)
}

/// A policy with a comment on every value.
pub fn body(policy: &Declaration) -> String {
    let values = serde_json::to_value(policy).expect("plain data");
    let about: Value = schemars::schema_for!(Declaration).into();
    let mut out = String::new();
    for key in Declaration::KEYS {
        let Some(value) = values.get(key) else { continue };
        let property = &about["properties"][key];
        out += &format!("\n{}", comment("", property));
        match value.as_object() {
            None => out += &entry("", key, value),
            Some(map) => {
                out += &format!("{key}:{}\n", if map.is_empty() { " {}" } else { "" });
                let name = property["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/")).unwrap_or_default();
                for (key, value) in map {
                    out += &comment("  ", &about["$defs"][name]["properties"][key]);
                    out += &entry("  ", key, value);
                }
            }
        }
    }
    out
}

fn comment(indent: &str, property: &Value) -> String {
    let about = property["description"].as_str().unwrap_or_default();
    about.lines().filter(|line| !line.is_empty()).map(|line| format!("{indent}# {line}\n")).collect()
}

fn entry(indent: &str, key: &str, value: &Value) -> String {
    match value.as_array() {
        None => format!("{indent}{key}: {}\n", scalar(value)),
        Some(items) if items.is_empty() => format!("{indent}{key}: []\n"),
        Some(items) => {
            let lines: String = items.iter().map(|item| format!("{indent}  - {}\n", scalar(item))).collect();
            format!("{indent}{key}:\n{lines}")
        }
    }
}

/// A value on one line. JSON is YAML; only words that are texts in every reading go without quotes.
fn scalar(value: &Value) -> String {
    let plain = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
            && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_lowercase().as_str())
    };
    match value.as_str() {
        Some(text) if plain(text) => text.to_owned(),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::tests::site;

    fn written(site: &Site) -> Vec<String> {
        let actions = build(site).expect("can be written");
        actions
            .into_iter()
            .filter_map(|action| match action {
                Action::WriteFile { content, .. } => Some(content),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn what_is_written_says_what_was_declared() {
        let site = site();
        let [policy, accepted] = &written(&site)[..] else { panic!("two files") };
        let read: Declaration = serde_yaml::from_str(policy).expect("YAML");
        assert_eq!(read, site.policy);
        assert!(policy.contains("  # Hosts and addresses, in full.\n  allow:\n    - \"10.1.2.3\"\n"), "{policy}");
        let last = Accepted::last(accepted).expect("reads").expect("one");
        assert!(last.widens.contains(&"network.allow names `10.1.2.3`".to_owned()), "{:?}", last.widens);
    }

    #[test]
    fn each_policy_is_accepted_once_and_what_was_accepted_stays() {
        let mut site = site();
        let first = written(&site)[1].clone();
        site.accepted = Ok(first.clone());
        assert_eq!(written(&site).len(), 1, "nothing new is accepted");
        site.policy.network.allow = Some(vec!["new.example.net".to_owned()]);
        let after = written(&site)[1].clone();
        assert!(after.starts_with(&first));
        let last = Accepted::last(&after).expect("reads").expect("one");
        assert_eq!(last.widens, ["network.allow names `new.example.net`"]);
        assert_eq!(last.narrows.len(), 3);
        site.accepted = Ok("no JSON\n".to_owned());
        assert!(build(&site).expect_err("refused").why.contains("line 1"));
        site.accepted = Err("too large".to_owned());
        assert!(build(&site).is_err(), "what cannot be read is not written over");
    }

    #[test]
    fn words_that_yaml_reads_otherwise_are_quoted() {
        for word in ["no", "1.5", "*", "a: b", "~", "", "#x", "-"] {
            let text = format!("x: {}", scalar(&word.into()));
            let read: Value = serde_yaml::from_str(&text).expect("YAML");
            assert_eq!(read["x"], word, "{text}");
        }
    }
}
