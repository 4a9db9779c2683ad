//! Reads checks: the embedded ones, and those of a folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use serde::Deserialize;
use serde_yaml::Value;

use super::error::CatalogError;
use super::predicate::{self, Wrong};
use super::typecheck::Types;
use crate::model::{Area, Check, Confidence, Controls, Empty, Os, Scope, Severity, Template};

/// A check as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    id: String,
    code: String,
    title: String,
    severity: Severity,
    #[serde(default = "sure")]
    confidence: Confidence,
    scope: Scope,
    #[serde(default = "everywhere")]
    os: Vec<Os>,
    #[serde(default)]
    controls: Controls,
    #[serde(default)]
    for_each: Option<String>,
    #[serde(default)]
    empty: Empty,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    when: Option<Value>,
    require: Value,
    message: String,
    why: String,
    remediation: String,
    #[serde(default)]
    fix: Option<Value>,
}

fn sure() -> Confidence {
    Confidence::High
}

fn everywhere() -> Vec<Os> {
    vec![Os::Linux, Os::Macos]
}

/// The checks that the program carries, by id.
pub fn checks(types: &Types) -> Result<BTreeMap<String, Arc<Check>>, CatalogError> {
    let parsed: Vec<Check> =
        super::embedded::CHECKS.par_iter().map(|(file, text)| parse(types, file, text)).collect::<Result<_, _>>()?;
    unique(BTreeMap::new(), parsed)
}

/// `known`, and the checks of a folder; its sub-folders are areas.
pub fn add_dir(
    types: &Types,
    known: BTreeMap<String, Arc<Check>>,
    folder: &Path,
) -> Result<BTreeMap<String, Arc<Check>>, CatalogError> {
    let name = folder.display().to_string();
    if !folder.is_dir() {
        return Err(CatalogError::file(&name, "no folder is there", "give --checks a folder with YAML files"));
    }
    let mut parsed = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name().max_depth(8) {
        let entry = entry.map_err(|error| CatalogError::file(&name, error.to_string(), "make it readable"))?;
        if entry.file_type().is_file() && entry.path().extension().is_some_and(|end| end == "yaml" || end == "yml") {
            let file = entry.path().display().to_string();
            let text = std::fs::read_to_string(entry.path());
            let text = text.map_err(|error| CatalogError::file(&file, error.to_string(), "make it readable"))?;
            parsed.push(parse(types, &file, &text)?);
        }
    }
    if parsed.is_empty() {
        return Err(CatalogError::file(
            &name,
            "holds no check",
            "put YAML files into it; `harden schema check` describes them",
        ));
    }
    unique(known, parsed)
}

fn unique(
    mut by_id: BTreeMap<String, Arc<Check>>,
    parsed: Vec<Check>,
) -> Result<BTreeMap<String, Arc<Check>>, CatalogError> {
    let mut codes: BTreeMap<String, String> =
        by_id.values().map(|check| (check.code.clone(), check.id.clone())).collect();
    for check in parsed {
        if let Some(twin) = codes.insert(check.code.clone(), check.id.clone()) {
            return Err(CatalogError::file(
                &check.file,
                format!("code {} is `{twin}`'s already", check.code),
                "choose a free one",
            ));
        }
        if let Some(twin) = by_id.insert(check.id.clone(), Arc::new(check)) {
            return Err(CatalogError::file(&twin.file, format!("id `{}` is used twice", twin.id), "choose a free one"));
        }
    }
    Ok(by_id)
}

/// Parses and type-checks one check.
fn parse(types: &Types, file: &str, text: &str) -> Result<Check, CatalogError> {
    let raw: Raw = serde_yaml::from_str(text).map_err(|error| CatalogError::yaml(file, text, &error))?;
    let wrong = |wrong: Wrong| CatalogError::at_word(file, text, &wrong.word, wrong.message, wrong.help);
    let path = Path::new(file);
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    if raw.id != stem {
        let help = format!("name the file {}.yaml, or the check `{stem}`", raw.id);
        return Err(CatalogError::at_word(file, text, &raw.id, "the id differs from the file name", help));
    }
    let item = raw.for_each.as_deref().map(|list| types.items(list)).transpose().map_err(wrong)?;
    if raw.empty == Empty::Pass && item.is_none() {
        let help = "add `for_each`, or compare a list with `empty: true`";
        return Err(CatalogError::at_word(file, text, "empty", "there is no list that could be empty", help));
    }
    let condition = |value: &Value| {
        let predicate = predicate::parse(value).map_err(wrong)?;
        types.predicate(&predicate, item).map_err(wrong)?;
        Ok::<_, CatalogError>(predicate)
    };
    let sentence = |words: &str| {
        let template =
            Template::parse(words).map_err(|problem| CatalogError::at_word(file, text, words, problem, ""))?;
        template.paths().try_for_each(|hole| types.hole(hole, item)).map_err(wrong)?;
        Ok::<_, CatalogError>(template)
    };
    let subject = match (&raw.subject, item) {
        (Some(words), _) => Some(sentence(words)?),
        (None, Some(item)) => {
            let field = ["name", "path"].into_iter().find(|field| types.has(item, field)).ok_or_else(|| {
                CatalogError::at_word(file, text, "for_each", "nothing names the items", "add `subject: \"{item.…}\"`")
            })?;
            Some(sentence(&format!("{{item.{field}}}"))?)
        }
        (None, None) => None,
    };
    Ok(Check {
        when: raw.when.as_ref().map(condition).transpose()?,
        require: condition(&raw.require)?,
        message: sentence(raw.message.trim())?,
        remediation: sentence(raw.remediation.trim())?,
        subject,
        fix: raw
            .fix
            .as_ref()
            .map(|fix| super::fix::parse(types, fix, item).map_err(wrong))
            .transpose()?
            .unwrap_or_default(),
        area: Area(area(path)),
        file: file.to_owned(),
        id: raw.id,
        code: raw.code,
        title: raw.title,
        severity: raw.severity,
        confidence: raw.confidence,
        scope: raw.scope,
        os: raw.os,
        controls: raw.controls,
        for_each: raw.for_each,
        empty: raw.empty,
        why: raw.why.trim().to_owned(),
    })
}

fn area(path: &Path) -> String {
    path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
