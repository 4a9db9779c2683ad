//! Merges profiles into a policy. A profile of the repository under review may tighten, never loosen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use jiff::civil::Date;
use serde_json::Value;

use super::error::{CatalogError, nearest};
use super::typecheck::is_of;
use super::waivers;
use crate::model::{
    Check, PARAMETERS, ParameterValue, Parameters, Policy, Profile, Scope, Selection, Severity, WaiverProblem,
};

/// The longest chain of `extends`.
const CHAIN_LIMIT: usize = 8;

/// Parameters that widen what is accepted: a repository may shorten these lists.
const ALLOWANCES: &[&str] = &[
    "env_allow",
    "env_inject",
    "allowed_hosts",
    "allowed_ports",
    "allowed_link_targets",
    "mcp_allow",
    "hook_allow",
    "setuid_allow",
    "scan_skip",
];
/// Parameters that narrow what is accepted: a repository may lengthen these lists.
const DEMANDS: &[&str] = &["denied_endpoints", "outside_scans", "sensitive_projects"];

/// Flags that demand more: a repository may set these.
const FLAGS: &[&str] = &["require_sandbox", "require_history", "require_mcp_lock"];

/// Said of what a repository's profile asked for and was not given.
const ONLY_TIGHTEN: &str = "not applied: a profile from the repository under review can only tighten";

/// What was asked for on the command line.
#[derive(Debug, Default)]
pub struct Request {
    /// A profile's name or file; `baseline` where left out.
    pub profile: Option<String>,
    /// How wide to look, over the profile's word.
    pub scope: Option<Scope>,
    /// Run these only: ids, codes, areas.
    pub only: Vec<String>,
    /// Leave these out.
    pub skip: Vec<String>,
    /// The profile found in the repository under review.
    pub local: Option<LocalProfile>,
    /// Whether the repository may waive.
    pub allow_local_waivers: bool,
    /// Rules of the secret scan, which waivers may name like checks.
    pub rules: BTreeSet<String>,
}

/// A profile of the repository under review.
#[derive(Debug)]
pub struct LocalProfile {
    /// Its file, for messages.
    pub file: String,
    /// Its text, or why it could not be read.
    pub text: Result<String, String>,
}

/// The names of the profiles that the program carries, with their descriptions.
pub fn profile_names() -> Result<Vec<(String, String)>, CatalogError> {
    let each = |(file, text): &(&str, &str)| profile_from_text(file, text).map(|p| (p.profile, p.description));
    super::embedded::PROFILES.iter().map(each).collect()
}

/// Parses a profile, and checks the names and types in it.
pub fn profile_from_text(file: &str, text: &str) -> Result<Profile, CatalogError> {
    let profile: Profile = serde_yaml::from_str(text).map_err(|error| CatalogError::yaml(file, text, &error))?;
    for (name, value) in &profile.parameters {
        let Some(parameter) = PARAMETERS.iter().find(|parameter| parameter.name == name) else {
            let near = nearest(name, PARAMETERS.iter().map(|parameter| parameter.name));
            let help = near.map_or("see `harden list parameters`".into(), |near| format!("did you mean `{near}`?"));
            return Err(CatalogError::at_word(file, text, name, format!("no parameter is called `{name}`"), help));
        };
        if !is_of(parameter.kind, value) {
            let kind = match parameter.kind {
                ParameterValue::Text => "text",
                ParameterValue::List => "a list of texts",
                ParameterValue::Number => "a whole number",
                ParameterValue::Flag => "true or false",
            };
            return Err(CatalogError::at_word(file, text, name, format!("`{name}` takes {kind}"), parameter.about));
        }
    }
    Ok(profile)
}

/// The profile of a name or path, its parents before it.
fn chain(name: &str) -> Result<Vec<(Source, Profile)>, CatalogError> {
    let mut chain: Vec<(Source, Profile)> = Vec::new();
    let mut next = Some(name.to_owned());
    while let Some(name) = next {
        if chain.len() == CHAIN_LIMIT {
            return Err(CatalogError::file(
                &name,
                format!("more than {CHAIN_LIMIT} profiles extend each other"),
                "break the circle",
            ));
        }
        let source = one(&name).map_err(|error| match chain.last() {
            // What another profile extends is that one's mistake, and stands in a line of it.
            Some((source, _)) if error.text.is_empty() => {
                CatalogError::at_word(&source.file, &source.text, &name, error.to_string(), error.help)
            }
            _ => error,
        })?;
        let profile = profile_from_text(&source.file, &source.text)?;
        next = profile.extends.clone();
        chain.push((source, profile));
    }
    chain.reverse();
    Ok(chain)
}

/// Where a profile stands.
struct Source {
    file: String,
    text: String,
}

fn one(name: &str) -> Result<Source, CatalogError> {
    let embedded =
        super::embedded::PROFILES.iter().find(|(file, _)| Path::new(file).file_stem().is_some_and(|stem| stem == name));
    if let Some((file, text)) = embedded {
        return Ok(Source { file: (*file).to_owned(), text: (*text).to_owned() });
    }
    if name.contains('/') || name.ends_with(".yaml") || name.ends_with(".yml") {
        let text = std::fs::read_to_string(name).map_err(|error| {
            CatalogError::file(name, format!("cannot read the profile: {error}"), "give a readable file")
        })?;
        return Ok(Source { file: name.to_owned(), text });
    }
    let names: Vec<&str> =
        super::embedded::PROFILES.iter().filter_map(|(file, _)| Path::new(file).file_stem()?.to_str()).collect();
    let near = nearest(name, names.iter().copied()).map(|near| format!("did you mean `{near}`? "));
    let help = format!("{}known: {}; a file is given with its path", near.unwrap_or_default(), names.join(", "));
    Err(CatalogError::file(name, "no such profile", help))
}

/// Merges everything that decides an audit.
pub fn policy(checks: &BTreeMap<String, Arc<Check>>, request: &Request, today: Date) -> Result<Policy, CatalogError> {
    let name = request.profile.as_deref().unwrap_or("baseline");
    let chain = chain(name)?;
    let mut merged = Merged::default();
    for (source, profile) in &chain {
        merged.add(profile, checks, source)?;
    }
    let mut problems = Vec::new();
    if let Some(local) = &request.local {
        merged.tighten(local, checks, request.allow_local_waivers, &mut problems);
    }
    for (name, kind) in PARAMETERS.iter().map(|parameter| (parameter.name, parameter.kind)) {
        merged.parameters.entry(name.to_owned()).or_insert_with(|| empty(kind));
    }
    let scope = request.scope.or(merged.scope).unwrap_or(Scope::Host);
    let selected = narrow(&merged.selected, request, checks)?;
    let all: Vec<&Check> = checks.values().map(AsRef::as_ref).collect();
    let (holding, bad) = waivers::sort(&merged.waivers, &all, &request.rules, today);
    problems.extend(bad);
    let with_severity = |check: &Arc<Check>| match merged.severity.get(&check.id) {
        Some(severity) if *severity != check.severity => Arc::new(Check { severity: *severity, ..Check::clone(check) }),
        _ => Arc::clone(check),
    };
    let checks = checks
        .values()
        .filter(|check| check.scope <= scope && selected.contains(&check.id))
        .map(with_severity)
        .collect();
    Ok(Policy {
        profile: chain.last().map(|(_, profile)| profile.profile.clone()).unwrap_or_default(),
        checks,
        parameters: Parameters(merged.parameters),
        waivers: holding,
        problems,
        scope,
    })
}

fn empty(kind: ParameterValue) -> Value {
    match kind {
        ParameterValue::Text => Value::Null,
        ParameterValue::List => Value::Array(Vec::new()),
        ParameterValue::Number => 0.into(),
        ParameterValue::Flag => false.into(),
    }
}

/// Profiles on top of each other.
#[derive(Default)]
struct Merged {
    selected: BTreeSet<String>,
    severity: BTreeMap<String, Severity>,
    parameters: BTreeMap<String, Value>,
    waivers: Vec<Value>,
    scope: Option<Scope>,
}

impl Merged {
    fn add(
        &mut self,
        profile: &Profile,
        checks: &BTreeMap<String, Arc<Check>>,
        source: &Source,
    ) -> Result<(), CatalogError> {
        let named = |words: &[String]| named(words, checks, &source.file).map_err(|error| error.placed(&source.text));
        let Selection { include, skip } = &profile.checks;
        self.selected.extend(named(include)?);
        for id in named(skip)? {
            self.selected.remove(&id);
        }
        for (word, severity) in &profile.severity {
            let ids = named(std::slice::from_ref(word))?;
            self.severity.extend(ids.into_iter().map(|id| (id, *severity)));
        }
        self.parameters.extend(profile.parameters.clone());
        self.waivers.extend(profile.waivers.iter().cloned());
        self.scope = profile.scope.or(self.scope);
        Ok(())
    }

    /// Takes from a repository's profile what makes the audit stricter, and reports the rest.
    fn tighten(
        &mut self,
        local: &LocalProfile,
        checks: &BTreeMap<String, Arc<Check>>,
        waivers: bool,
        problems: &mut Vec<WaiverProblem>,
    ) {
        let mut refuse = |what: &str, why: &str| {
            problems.push(WaiverProblem {
                check: local.file.clone(),
                subject: Some(what.to_owned()),
                problem: why.to_owned(),
            });
        };
        let parsed = local.text.as_ref().map_err(String::clone);
        let parsed = parsed.and_then(|text| profile_from_text(&local.file, text).map_err(|error| error.message));
        let profile = match parsed {
            Ok(profile) => profile,
            Err(problem) => return refuse("profile", &format!("not applied: {problem}")),
        };
        match named(&profile.checks.include, checks, &local.file) {
            Ok(ids) => self.selected.extend(ids),
            Err(error) => refuse("checks.include", &format!("not applied: {}", error.message)),
        }
        if !profile.checks.skip.is_empty() {
            refuse("checks.skip", ONLY_TIGHTEN);
        }
        for (word, severity) in &profile.severity {
            let ids = match named(std::slice::from_ref(word), checks, &local.file) {
                Ok(ids) => ids,
                Err(error) => {
                    refuse(&format!("severity.{word}"), &format!("not applied: {}", error.message));
                    continue;
                }
            };
            for id in ids {
                let current = self.severity.get(&id).copied().unwrap_or(checks[&id].severity);
                if *severity >= current {
                    self.severity.insert(id, *severity);
                } else {
                    refuse(&format!("severity.{id}"), ONLY_TIGHTEN);
                }
            }
        }
        for (name, value) in &profile.parameters {
            if !self.tighten_parameter(name, value) {
                refuse(
                    &format!("parameters.{name}"),
                    "not applied: a profile from the repository under review can only tighten; pass it with --profile to use it",
                );
            }
        }
        if waivers {
            self.waivers.extend(profile.waivers);
        } else if !profile.waivers.is_empty() {
            refuse(
                "waivers",
                "not applied: waivers of the repository under review count only with --allow-local-waivers",
            );
        }
    }

    /// Whether the value was taken over in full.
    fn tighten_parameter(&mut self, name: &str, value: &Value) -> bool {
        if value == &Value::Bool(true) && FLAGS.contains(&name) {
            self.parameters.insert(name.to_owned(), true.into());
            return true;
        }
        let current = self.parameters.get(name).cloned().unwrap_or_else(|| Value::Array(Vec::new()));
        let (Some(mine), Some(theirs)) = (current.as_array(), value.as_array()) else { return false };
        if ALLOWANCES.contains(&name) {
            let kept: Vec<Value> = mine.iter().filter(|item| theirs.contains(item)).cloned().collect();
            self.parameters.insert(name.to_owned(), kept.into());
            return theirs.iter().all(|item| mine.contains(item));
        }
        if DEMANDS.contains(&name) {
            let mut all = mine.clone();
            all.extend(theirs.iter().filter(|item| !mine.contains(item)).cloned());
            self.parameters.insert(name.to_owned(), all.into());
            return true;
        }
        false
    }
}

/// The ids that words stand for: an id, a code, an area or `*`.
fn named(
    words: &[String],
    checks: &BTreeMap<String, Arc<Check>>,
    file: &str,
) -> Result<BTreeSet<String>, CatalogError> {
    let mut ids = BTreeSet::new();
    for word in words {
        let mut hits = checks
            .values()
            .filter(|check| *word == check.id || *word == check.code || *word == check.area.0 || word == "*")
            .peekable();
        if hits.peek().is_none() {
            let names =
                checks.values().flat_map(|check| [check.id.as_str(), check.code.as_str(), check.area.0.as_str()]);
            let help = nearest(word, names)
                .map_or("see `harden list checks`".to_owned(), |near| format!("did you mean `{near}`?"));
            return Err(CatalogError::file(file, format!("no check or area is called `{word}`"), help));
        }
        ids.extend(hits.map(|check| check.id.clone()));
    }
    Ok(ids)
}

fn narrow(
    selected: &BTreeSet<String>,
    request: &Request,
    checks: &BTreeMap<String, Arc<Check>>,
) -> Result<BTreeSet<String>, CatalogError> {
    let mut ids = if request.only.is_empty() { selected.clone() } else { named(&request.only, checks, "--only")? };
    for id in named(&request.skip, checks, "--skip")? {
        ids.remove(&id);
    }
    Ok(ids)
}
