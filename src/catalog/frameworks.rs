//! The frameworks that checks are mapped to, the checklist, and attestations.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::civil::Date;

use super::bounded;
use super::error::{CatalogError, nearest};
use crate::model::{Attestation, Attestations, Check, Control, Framework};

/// A line of the checklist that people paste into pull requests.
pub type ChecklistLine = Control;

/// All frameworks as they are written, the checklist included.
pub fn frameworks() -> Result<Vec<Framework>, CatalogError> {
    super::embedded::FRAMEWORKS.iter().map(|(file, text)| framework_from_text(file, text)).collect()
}

/// The twelve lines.
pub fn checklist() -> Result<Vec<ChecklistLine>, CatalogError> {
    let (file, text) =
        super::embedded::FRAMEWORKS.iter().find(|(file, _)| file.ends_with("/checklist.yaml")).ok_or_else(|| {
            CatalogError::file("profiles/frameworks/checklist.yaml", "is missing", "report this as a bug")
        })?;
    Ok(framework_from_text(file, text)?.controls)
}

/// One framework, by name or by file: what it extends is in it, and each control lists every check that is evidence on it.
pub fn framework(name: &str, checks: &BTreeMap<String, Arc<Check>>) -> Result<Framework, CatalogError> {
    let (file, text) = source(name)?;
    let mut framework = framework_from_text(&file, &text)?;
    let codes: Vec<&str> = checks.values().map(|check| check.code.as_str()).collect();
    for code in framework.controls.iter().flat_map(|control| &control.checks) {
        if !codes.contains(&code.as_str()) {
            let near = nearest(code, codes.iter().copied());
            let help = near.map_or("`harden list checks` names them".into(), |near| format!("did you mean `{near}`?"));
            return Err(CatalogError::at_word(&file, &text, code, format!("no check has the code `{code}`"), help));
        }
    }
    if let Some(parent) = framework.extends.clone() {
        let (parent_file, parent_text) = named(&parent).ok_or_else(|| {
            let help = format!("known: {}", names().join(", "));
            CatalogError::at_word(&file, &text, &parent, format!("no framework is called `{parent}`"), help)
        })?;
        let parent = framework_from_text(parent_file, parent_text)?;
        if parent.extends.is_some() {
            let message = format!("`{}` extends another framework itself", parent.framework);
            return Err(CatalogError::at_word(&file, &text, "extends", message, "extend that one"));
        }
        framework.groups.extend(parent.groups);
        framework.controls.extend(parent.controls);
        framework.groups.sort_by_key(|group| natural(&group.id));
        framework.controls.sort_by_key(|control| natural(&control.id));
        unique(&file, &text, &framework)?;
    }
    for at in 0..framework.controls.len() {
        let id = framework.controls[at].id.clone();
        let mapped = |check: &&Arc<Check>| {
            framework.keys().any(|key| check.controls.get(key).is_some_and(|ids| ids.contains(&id)))
        };
        let mut all: Vec<String> = checks.values().filter(mapped).map(|check| check.code.clone()).collect();
        all.append(&mut framework.controls[at].checks);
        all.sort();
        all.dedup();
        framework.controls[at].checks = all;
    }
    Ok(framework)
}

/// A framework by its text.
pub fn framework_from_text(file: &str, text: &str) -> Result<Framework, CatalogError> {
    let framework: Framework = serde_yaml::from_str(text).map_err(|error| CatalogError::yaml(file, text, &error))?;
    if framework.controls.is_empty() {
        return Err(CatalogError::at_word(file, text, "controls", "there are no controls", "list at least one"));
    }
    unique(file, text, &framework)?;
    Ok(framework)
}

/// Every id once.
fn unique(file: &str, text: &str, framework: &Framework) -> Result<(), CatalogError> {
    let mut seen = std::collections::BTreeSet::new();
    for control in &framework.controls {
        if !seen.insert(&control.id) {
            // The second one is the mistake.
            let word = format!("id: {}", control.id);
            let lines = text.lines().enumerate().filter(|(_, line)| line.contains(&word)).map(|(at, _)| at + 1);
            let message = format!("control `{}` is there twice", control.id);
            let mut error = CatalogError::at_word(file, text, &control.id, message, "give each an id of its own");
            error.line = lines.last().unwrap_or(error.line);
            return Err(error);
        }
    }
    Ok(())
}

/// The ids in the order in which people count: PO.2 before PO.10.
fn natural(id: &str) -> Vec<(u64, String)> {
    id.split('.').map(|part| (part.parse().unwrap_or(0), part.to_owned())).collect()
}

/// The names of the frameworks that the program carries.
pub fn framework_names() -> Vec<&'static str> {
    names()
}

fn names() -> Vec<&'static str> {
    super::embedded::FRAMEWORKS.iter().filter_map(|(file, _)| Path::new(file).file_stem()?.to_str()).collect()
}

fn named(name: &str) -> Option<(&'static str, &'static str)> {
    let is = |(file, _): &&(&str, &str)| Path::new(file).file_stem().is_some_and(|stem| stem == name);
    super::embedded::FRAMEWORKS.iter().find(is).copied()
}

fn source(name: &str) -> Result<(String, String), CatalogError> {
    if let Some((file, text)) = named(name) {
        return Ok((file.to_owned(), text.to_owned()));
    }
    let is_path = name.contains('/') || name.ends_with(".yaml") || name.ends_with(".yml");
    if is_path {
        return Ok((name.to_owned(), bounded::text(name, "the framework")?));
    }
    let near = nearest(name, names()).map(|near| format!("did you mean `{near}`? "));
    let help = format!("{}known: {}; a file is given with its path", near.unwrap_or_default(), names().join(", "));
    Err(CatalogError::file(name, "no such framework", help))
}

/// The attestations of a file, each for a control that the framework has.
pub fn attestations(file: &str, framework: &Framework) -> Result<Vec<Attestation>, CatalogError> {
    attestations_from_text(file, &bounded::text(file, "the attestations")?, framework)
}

fn attestations_from_text(file: &str, text: &str, framework: &Framework) -> Result<Vec<Attestation>, CatalogError> {
    let mut given: Attestations = serde_yaml::from_str(text).map_err(|error| CatalogError::yaml(file, text, &error))?;
    for attestation in &mut given.attestations {
        let task = &attestation.task;
        let wrong = |word: &str, message: String, help: String| CatalogError::at_word(file, text, word, message, help);
        if !framework.controls.iter().any(|control| control.id == *task) {
            let near = nearest(task, framework.controls.iter().map(|control| control.id.as_str()));
            let help = near.map_or("`task` is the id of a control".into(), |near| format!("did you mean `{near}`?"));
            return Err(wrong(task, format!("{} has no `{task}`", framework.framework), help));
        }
        for (name, value) in [("statement", &attestation.statement), ("owner", &attestation.owner)] {
            if value.trim().is_empty() {
                return Err(wrong(task, format!("`{task}`: `{name}` is empty"), "say it in words".into()));
            }
        }
        let date = |name: &str, value: &str| -> Result<Date, CatalogError> {
            let help = "write it as `YYYY-MM-DD`".to_owned();
            // Years of other lengths are dates, and no format of a report takes them.
            let date = value.parse::<Date>().ok().filter(|date| (2000..3000).contains(&date.year()));
            date.ok_or_else(|| wrong(value, format!("`{name}` of `{task}` is no date: `{value}`"), help))
        };
        let (given, last) = (date("date", &attestation.date)?, date("expires", &attestation.expires)?);
        if last < given {
            let message = format!("`{task}` expires before it was given");
            return Err(wrong(&attestation.expires, message, "look at both dates".into()));
        }
        (attestation.date, attestation.expires) = (given.to_string(), last.to_string());
    }
    Ok(given.attestations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Types, checks};

    fn ssdf() -> Framework {
        framework("ssdf-1.1", &checks(&Types::default()).expect("checks")).expect("it loads")
    }

    #[test]
    fn what_is_extended_is_taken_over_in_order() {
        let all = checks(&Types::default()).expect("checks");
        let draft = framework("ssdf-1.2-draft", &all).expect("it loads");
        let ids: Vec<&str> = draft.controls.iter().map(|control| control.id.as_str()).collect();
        assert_eq!(ids.len(), 45);
        let at = |id: &str| ids.iter().position(|known| *known == id).expect("there");
        assert!(at("PO.5.2") < at("PO.6.1") && at("PO.6.3") < at("PS.1.1"));
        let checks = |framework: &Framework| {
            framework.controls.iter().find(|control| control.id == "PO.5.1").map(|control| control.checks.clone())
        };
        assert_eq!(checks(&draft), checks(&ssdf()), "the mapping goes by the framework that is extended");
        assert!(checks(&draft).is_some_and(|codes| codes.len() > 20));
    }

    #[test]
    fn a_mistake_in_a_framework_has_its_line() {
        for (text, line, said) in [
            ("framework: x\ntitle: t\nsource: s\ncontrol: []\n", 4, "unknown field `control`"),
            ("framework: x\ntitle: t\nsource: s\ncontrols: []\n", 4, "there are no controls"),
            (
                "framework: x\ntitle: t\nsource: s\ncontrols:\n  - id: a\n    name: n\n  - id: a\n    name: m\n",
                7,
                "`a`",
            ),
            ("framework: x\ntitle: t\nsource: s\ncontrols:\n  - { id: a, name: n, reach: far }\n", 5, "`far`"),
        ] {
            let error = framework_from_text("x.yaml", text).expect_err(text);
            assert!(error.line == line && error.message.contains(said), "{error:?}");
        }
        let error = framework("ssdf-1.0", &BTreeMap::new()).expect_err("there is none");
        assert!(error.help.contains("ssdf-1.1"), "{error:?}");
    }

    #[test]
    fn a_mistake_in_an_attestation_has_its_line() {
        let text = |task: &str, owner: &str, date: &str, expires: &str| {
            format!(
                "attestations:\n  - task: {task}\n    statement: done\n    owner: {owner}\n    date: {date}\n    expires: {expires}\n"
            )
        };
        let good = text("PO.2.2", "people", "2030-01-01", "2030-12-31");
        assert_eq!(attestations_from_text("a.yaml", &good, &ssdf()).expect("it loads").len(), 1);
        for (text, line, said, help) in [
            (text("PO.2.9", "p", "2030-01-01", "2030-12-31"), 2, "has no `PO.2.9`", "PO.2."),
            (text("PO.2.2", "p", "soon", "2030-12-31"), 5, "is no date", "YYYY"),
            (text("PO.2.2", "p", "2030-01-02", "2030-01-01"), 6, "expires before", "dates"),
            (text("PO.2.2", "' '", "2030-01-02", "2030-01-03"), 2, "`owner` is empty", ""),
            (text("PO.2.2", "p", "2030-01-01", "2030-12-31") + "    until: x\n", 7, "unknown field `until`", ""),
        ] {
            let error = attestations_from_text("a.yaml", &text, &ssdf()).expect_err(&text);
            assert!(error.line == line && error.message.contains(said) && error.help.contains(help), "{error:?}");
        }
    }
}
