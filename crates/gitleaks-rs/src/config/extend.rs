//! A configuration and the one it extends, merged as Gitleaks merges them.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::error::{LoadError, Place, Problem};
use super::raw::{self, Extend, ListDraft, ListPlaces, RuleDraft};
use super::source::{self, Source, nearest};
use super::{Config, EMBEDDED};
use crate::go_regex::{self, Bytes};

/// How many configurations may stand behind one.
const DEEPEST: usize = 2;

/// Whether a text may name files.
#[derive(Clone, Copy)]
pub(super) enum Files<'p> {
    /// It comes from nowhere.
    Refused,
    /// From the working directory, or from beside this file.
    Beside(&'p Path),
}

/// What need not be looked at again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Everything is read.
    None,
    /// The expressions are our own.
    Expressions,
}

/// A configuration whose rules may still be parts of others.
#[derive(Default)]
pub(super) struct Draft {
    title: String,
    description: String,
    rules: Vec<RuleDraft>,
    /// Lists of all rules, and lists of some.
    lists: Vec<ListDraft>,
    warnings: Vec<String>,
}

pub(super) fn read(text: &str, name: &str, files: Files<'_>, depth: usize) -> Result<Draft, LoadError> {
    let mut source = Source::new(text, name);
    let file = raw::file(text, &mut source)?;
    let mut draft = Draft { title: file.title, description: file.description, rules: file.rules, ..Draft::default() };
    for list in file.lists {
        if depth > 0 && !list.targets.is_empty() {
            let problem = "an allowlist with targetRules counts only in the configuration that is loaded itself";
            source.warn_on_line(list.at.line, problem);
        } else {
            draft.lists.push(list);
        }
    }
    if let Some(base) = base(&file.extend, files, depth, &mut source)? {
        merge(&mut draft, base, &file.extend, &mut source);
    }
    // What a base says comes behind what the file itself says.
    let behind = std::mem::take(&mut draft.warnings);
    draft.warnings = source.into_warnings().chain(behind).collect();
    Ok(draft)
}

/// What a configuration extends.
fn base(extend: &Extend, files: Files<'_>, depth: usize, source: &mut Source) -> Result<Option<Draft>, LoadError> {
    if depth >= DEEPEST {
        if extend.use_default || !extend.path.is_empty() {
            source.warn(extend.at, "extends one too many: the third in a chain is not followed");
        }
        return Ok(None);
    }
    match (extend.path.as_str(), extend.use_default) {
        ("", false) => Ok(None),
        ("", true) => read(EMBEDDED, "rules.toml", Files::Refused, depth + 1).map(Some),
        (_, true) => Err(source.error(extend.at, Problem::TwoBases)),
        (path, false) => {
            let Files::Beside(own) = files else {
                return Err(source.error(extend.at, Problem::NoFiles(path.to_owned())));
            };
            let found = locate(Path::new(path), own);
            let draft = source::read_file(&found)
                .and_then(|text| read(&text, &found.display().to_string(), Files::Beside(&found), depth + 1));
            draft.map(Some).map_err(|problem| {
                let problem = Problem::Base { path: path.to_owned(), problem: Box::new(problem) };
                source.error(extend.at, problem)
            })
        }
    }
}

fn locate(path: &Path, own: &Path) -> PathBuf {
    let beside = own.parent().map(|folder| folder.join(path));
    match beside {
        Some(beside) if !path.exists() && beside.exists() => beside,
        _ => path.to_owned(),
    }
}

/// Adds what the base has: whole rules, and what a rule of the same id leaves open.
fn merge(draft: &mut Draft, base: Draft, extend: &Extend, source: &mut Source) {
    let disabled: HashSet<&str> = extend.disabled.iter().map(String::as_str).collect();
    for id in &extend.disabled {
        if !base.rules.iter().any(|rule| rule.rule.id == *id) {
            let near = nearest(id, base.rules.iter().map(|rule| rule.rule.id.as_str()));
            let near = near.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
            source.warn(extend.at, format!("disabledRules names `{id}`, which the base does not have{near}"));
        }
    }
    let own: HashMap<String, usize> =
        draft.rules.iter().enumerate().map(|(at, rule)| (rule.rule.id.clone(), at)).collect();
    for rule in base.rules {
        if disabled.contains(rule.rule.id.as_str()) {
            continue;
        }
        match own.get(&rule.rule.id) {
            None => draft.rules.push(rule),
            Some(at) => {
                let over = std::mem::take(&mut draft.rules[*at]);
                draft.rules[*at] = overridden(rule, over);
            }
        }
    }
    draft.rules.sort_by(|a, b| a.rule.id.cmp(&b.rule.id));
    draft.lists.extend(base.lists);
    draft.warnings.extend(base.warnings);
}

/// A rule of the base with what another one sets. Its `required` and `skipReport` stay those of the base.
fn overridden(mut base: RuleDraft, over: RuleDraft) -> RuleDraft {
    let rule = over.rule;
    base.at = over.at;
    if !rule.description.is_empty() {
        base.rule.description = rule.description;
    }
    if rule.entropy != 0.0 {
        base.rule.entropy = rule.entropy;
    }
    if rule.secret_group != 0 {
        (base.rule.secret_group, base.group_at) = (rule.secret_group, over.group_at);
    }
    if rule.regex.is_some() {
        (base.rule.regex, base.regex_at) = (rule.regex, over.regex_at);
    }
    if rule.path.is_some() {
        (base.rule.path, base.path_at) = (rule.path, over.path_at);
    }
    base.rule.tags.extend(rule.tags);
    base.rule.keywords.extend(rule.keywords);
    base.rule.allowlists.extend(rule.allowlists);
    base.lists_at.extend(over.lists_at);
    base.rule.examples.extend(rule.examples);
    base.rule.negatives.extend(rule.negatives);
    base.rule.rotate = rule.rotate.or(base.rule.rotate);
    base
}

/// The whole, checked now that every rule has all its parts.
pub(super) fn finish(mut draft: Draft, trust: Trust) -> Result<Config, LoadError> {
    draft.rules.iter().try_for_each(|rule| check_rule(rule, trust))?;
    if trust == Trust::None {
        draft.lists.iter().try_for_each(|list| {
            check_list(&list.list.paths, "paths", &list.places.paths, "[[allowlists]]")?;
            check_list(&list.list.regexes, "regexes", &list.places.regexes, "[[allowlists]]")
        })?;
    }
    let mut config = Config { title: draft.title, description: draft.description, ..Config::default() };
    for list in draft.lists {
        for target in &list.targets {
            let Some(rule) = draft.rules.iter_mut().find(|rule| rule.rule.id == *target) else {
                let nearest = nearest(target, draft.rules.iter().map(|rule| rule.rule.id.as_str()));
                return Err(LoadError::new(&list.at, Problem::TargetUnknown { rule: target.clone(), nearest }));
            };
            rule.rule.allowlists.push(list.list.clone());
        }
        if list.targets.is_empty() {
            config.allowlists.push(list.list);
        }
    }
    config.rules = draft.rules.into_iter().map(|rule| rule.rule).collect();
    config.warnings = draft.warnings;
    Ok(config)
}

fn check_rule(draft: &RuleDraft, trust: Trust) -> Result<(), LoadError> {
    let rule = &draft.rule;
    if rule.id.trim().is_empty() {
        return Err(LoadError::new(&draft.at, Problem::NoId));
    }
    if rule.regex.is_none() && rule.path.is_none() {
        return Err(LoadError::new(&draft.at, Problem::MatchesNothing(rule.id.clone())));
    }
    if trust == Trust::Expressions {
        return Ok(());
    }
    let owner = format!("rule `{}`", rule.id);
    if let Some(path) = &rule.path {
        check_regex(path, "path", &draft.path_at, &owner)?;
    }
    if let Some(regex) = &rule.regex {
        let groups = check_regex(regex, "regex", &draft.regex_at, &owner)?;
        if rule.secret_group > groups {
            let problem = Problem::SecretGroup { rule: rule.id.clone(), group: rule.secret_group, groups };
            return Err(LoadError::new(&draft.group_at, problem));
        }
    }
    for (list, ListPlaces { paths, regexes }) in rule.allowlists.iter().zip(&draft.lists_at) {
        check_list(&list.paths, "paths", paths, &owner)?;
        check_list(&list.regexes, "regexes", regexes, &owner)?;
    }
    Ok(())
}

fn check_list(patterns: &[String], key: &'static str, at: &Place, owner: &str) -> Result<(), LoadError> {
    for pattern in patterns {
        check_regex(pattern, key, at, owner)?;
    }
    // Gitleaks searches for all of them as one expression, in which flags of one reach into the next.
    if patterns.len() > 1 {
        check_regex(&joined(patterns), key, at, owner)?;
    }
    Ok(())
}

/// All expressions of a list as the one that Gitleaks makes of them.
pub(crate) fn joined(patterns: &[String]) -> String {
    format!("(?:{})", patterns.join("|"))
}

/// How many groups an expression has, if it is one.
fn check_regex(pattern: &str, key: &'static str, at: &Place, owner: &str) -> Result<usize, LoadError> {
    let parsed = go_regex::parse_as(pattern, Bytes::Exact);
    parsed
        .map(|parsed| parsed.groups)
        .map_err(|problem| LoadError::new(at, Problem::Regex { owner: owner.to_owned(), key, problem }))
}
