//! A policy as OpenCode's settings, for both of its editions. Nothing leaves the machine, nothing updates itself, and
//! commands, changes and pages are answered as the policy says.

use serde_json::{Map, Value, json};

use crate::model::{Answer, Approval, Declaration, Setting};

/// A rule: the tool by its name in each edition, the pattern, and the answer.
struct Rule {
    names: [&'static str; 2],
    pattern: String,
    answer: Answer,
}

/// Approvals of a project that can be written as rules.
pub(super) fn writable<'a>(approvals: &'a [Approval], project: &str) -> Vec<&'a Approval> {
    approvals.iter().filter(|approval| approval.is_for(project) && approval.is_plain()).collect()
}

/// The settings of OpenCode 1. Each answer is one word where one word will do: a map would be merged with what a project
/// writes.
pub(super) fn settings(policy: &Declaration, approvals: &[&Approval]) -> Vec<Setting> {
    let mut out = outbound(policy, &[("share", json!("disabled")), ("autoupdate", json!(false))]);
    let mut maps: Vec<(&str, Map<String, Value>)> = Vec::new();
    for rule in rules(policy, approvals) {
        let answer = Value::from(rule.answer.name());
        match maps.iter_mut().find(|(name, _)| *name == rule.names[0]) {
            Some((_, map)) => drop(map.insert(rule.pattern, answer)),
            None => maps.push((rule.names[0], [(rule.pattern, answer)].into_iter().collect())),
        }
    }
    out.extend(maps.into_iter().map(|(name, map)| {
        let word = map.get("*").filter(|_| map.len() == 1).cloned();
        set(&["permission", name], word.unwrap_or(Value::Object(map)))
    }));
    out
}

/// The settings of OpenCode 2. What is denied is a policy too, which no rule of a project undoes.
pub(super) fn settings_of_2(policy: &Declaration, approvals: &[&Approval]) -> Vec<Setting> {
    let mut out = outbound(policy, &[("share", json!("disabled")), ("update", json!("disable"))]);
    let rules = rules(policy, approvals);
    let listed = rules.iter().map(
        |Rule { names, pattern, answer }| json!({ "action": names[1], "resource": pattern, "effect": answer.name() }),
    );
    out.push(set(&["permissions"], listed.collect()));
    let denies = |name: &str| rules.iter().any(|rule| rule.names[1] == name && rule.answer == Answer::Deny);
    // What is allowed again behind a denial has to be so in both lists.
    let held = rules.iter().filter(|rule| denies(rule.names[1]) && rule.answer != Answer::Ask);
    let policies: Vec<Value> = held
        .map(|Rule { names, pattern, answer }| {
            json!({ "action": "permission", "resource": format!("{}:{pattern}", names[1]), "effect": answer.name() })
        })
        .collect();
    out.push(set(&["experimental", "policies"], policies.into()));
    out
}

fn outbound(policy: &Declaration, off: &[(&str, Value)]) -> Vec<Setting> {
    let off = off.iter().filter(|_| policy.telemetry != Some(true));
    off.map(|(key, value)| set(&[key], value.clone())).collect()
}

fn set(at: &[&str], value: Value) -> Setting {
    Setting { at: at.iter().map(|key| (*key).to_owned()).collect(), value }
}

/// The last rule that fits decides.
fn rules(policy: &Declaration, approvals: &[&Approval]) -> Vec<Rule> {
    let rule = |names, pattern: &str, answer| Rule { names, pattern: pattern.to_owned(), answer };
    let or_closed = |answer: Option<Answer>| answer.unwrap_or(Answer::Deny);
    let (files, shell) = (&policy.files, ["bash", "shell"]);
    let mut out =
        vec![rule(["edit", "edit"], "*", or_closed(files.edit)), rule(shell, "*", or_closed(policy.shell.default))];
    out.extend(approvals.iter().map(|approval| rule(shell, &approval.argv.join(" "), Answer::Allow)));
    out.push(rule(["webfetch", "webfetch"], "*", or_closed(policy.network.fetch)));
    out.push(rule(["external_directory", "external_directory"], "*", or_closed(files.outside)));
    let read = ["read", "read"];
    out.push(rule(read, "*", Answer::Allow));
    out.extend(files.hidden.iter().flatten().map(|pattern| rule(read, pattern, Answer::Deny)));
    out.extend(files.shown.iter().flatten().map(|pattern| rule(read, pattern, Answer::Allow)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::tests::site;

    fn approved(words: &[&str], project: &str) -> Approval {
        let argv = words.iter().map(|&word| word.to_owned()).collect();
        let none = || None;
        Approval {
            id: none(),
            argv,
            project: Some(project.to_owned()),
            by: none(),
            when: none(),
            reason: none(),
            expires: none(),
        }
    }

    fn value<'a>(settings: &'a [Setting], at: &str) -> &'a Value {
        &settings.iter().find(|setting| setting.at.join(".") == at).expect("there").value
    }

    #[test]
    fn answers_are_words_until_a_command_is_approved() {
        let policy = site().policy;
        let plain = settings(&policy, &[]);
        assert_eq!(value(&plain, "permission.bash"), "ask");
        assert_eq!(value(&plain, "permission.external_directory"), "deny");
        let expected = json!({ "*": "allow", "*.env": "deny", "*.env.*": "deny", "*.env.example": "allow" });
        assert_eq!(value(&plain, "permission.read"), &expected);
        let approval = approved(&["git", "status"], "/srv/shop");
        let more = settings(&policy, &[&approval]);
        assert_eq!(value(&more, "permission.bash"), &json!({ "*": "ask", "git status": "allow" }));
    }

    #[test]
    fn only_plain_words_of_this_project_become_rules() {
        let all = [
            approved(&["git", "status"], "/srv/shop"),
            approved(&["git", "status"], "/srv/other"),
            approved(&["git", "commit", "-m", "two words"], "/srv/shop"),
            approved(&["ls", "*"], "/srv/shop"),
        ];
        assert_eq!(writable(&all, "/srv/shop"), [&all[0]]);
    }

    #[test]
    fn what_is_left_out_is_denied() {
        let settings = settings_of_2(&Declaration::default(), &[]);
        let policies = value(&settings, "experimental.policies");
        for tool in ["edit", "shell", "webfetch", "external_directory"] {
            let deny = json!({ "action": "permission", "resource": format!("{tool}:*"), "effect": "deny" });
            assert!(policies.as_array().expect("a list").contains(&deny), "{tool}");
        }
    }
}
