//! One file as it stands: tables to rules and lists, each with its place, before anything is merged.

use toml::de::DeTable;

use super::error::{LoadError, Place, Problem};
use super::source::{Source, nearest};
use super::value::{Entry, Table};
use super::{AllowlistConfig, Condition, Required, RuleConfig, Target};

/// A rule with the places that an error may name.
#[derive(Clone, Debug, Default)]
pub(super) struct RuleDraft {
    pub(super) rule: RuleConfig,
    pub(super) at: Place,
    pub(super) regex_at: Place,
    pub(super) path_at: Place,
    pub(super) group_at: Place,
    /// One for each allowlist of the rule.
    pub(super) lists_at: Vec<ListPlaces>,
}

/// Where the expressions of an allowlist start.
#[derive(Clone, Debug, Default)]
pub(super) struct ListPlaces {
    pub(super) paths: Place,
    pub(super) regexes: Place,
}

/// An allowlist with its places.
#[derive(Clone, Debug, Default)]
pub(super) struct ListDraft {
    pub(super) list: AllowlistConfig,
    pub(super) targets: Vec<String>,
    pub(super) at: Place,
    pub(super) places: ListPlaces,
}

/// The `[extend]` table.
#[derive(Debug, Default)]
pub(super) struct Extend {
    pub(super) path: String,
    pub(super) use_default: bool,
    pub(super) disabled: Vec<String>,
    pub(super) at: usize,
}

/// A file.
#[derive(Debug, Default)]
pub(super) struct FileDraft {
    pub(super) title: String,
    pub(super) description: String,
    pub(super) rules: Vec<RuleDraft>,
    pub(super) lists: Vec<ListDraft>,
    pub(super) extend: Extend,
}

pub(super) fn file(text: &str, source: &mut Source) -> Result<FileDraft, LoadError> {
    let table = DeTable::parse(text).map_err(|error| {
        // Only the message: the error's own display quotes the line, and that may hold anything.
        source.error(error.span().map_or(0, |span| span.start), Problem::Syntax(error.message().to_owned()))
    })?;
    let mut draft = FileDraft::default();
    let mut old = None;
    for entry in Table::whole(&table).entries(source) {
        match entry.key.as_ref() {
            "title" => draft.title = entry.string(source)?,
            "description" => draft.description = entry.string(source)?,
            "minversion" => min_version(&entry, source)?,
            "extend" => draft.extend = extend(&entry, source)?,
            "rules" => draft.rules = rules(&entry, source)?,
            "allowlists" => draft.lists = lists(&entry, GLOBAL, source)?,
            "allowlist" => old = Some(entry),
            _ => source.unknown_key(
                entry.at,
                entry.written,
                &["title", "description", "minVersion", "extend", "rules", "allowlists"],
            ),
        }
    }
    old_list(old, &mut draft.lists, GLOBAL, source)?;
    Ok(draft)
}

/// What a list of all rules is called.
const GLOBAL: &str = "[[allowlists]]";

/// The version whose behaviour this is.
const VERSION: [u64; 3] = [8, 30, 1];

fn min_version(entry: &Entry<'_, '_>, source: &mut Source) -> Result<(), LoadError> {
    let text = entry.string(source)?;
    if text.is_empty() {
        return Ok(());
    }
    let core = text.trim_start_matches('v').split(['-', '+']).next().unwrap_or_default();
    let parts: Result<Vec<u64>, _> = core.split('.').map(str::parse).collect();
    match parts {
        Ok(parts) if parts.len() <= 3 => {
            if parts.as_slice() > VERSION.as_slice() {
                source.warn(entry.at, format!("it asks for Gitleaks {text}; this is 8.30.1"));
            }
            Ok(())
        }
        _ => Err(source.error(entry.at, Problem::MinVersion(text))),
    }
}

fn extend(entry: &Entry<'_, '_>, source: &mut Source) -> Result<Extend, LoadError> {
    let table = entry.table(source)?;
    let mut extend = Extend { at: table.at, ..Extend::default() };
    for entry in table.entries(source) {
        match entry.key.as_ref() {
            "path" => (extend.path, extend.at) = (entry.string(source)?, entry.at),
            "usedefault" => (extend.use_default, extend.at) = (entry.bool(source)?, entry.at),
            "disabledrules" => extend.disabled = entry.strings(source)?,
            "url" => source.warn(entry.at, "extend.url is not followed, here as in Gitleaks"),
            _ => {
                let known = ["path", "useDefault", "disabledRules"];
                source.unknown_key(entry.at, entry.written, &known);
            }
        }
    }
    Ok(extend)
}

fn rules(entry: &Entry<'_, '_>, source: &mut Source) -> Result<Vec<RuleDraft>, LoadError> {
    let mut rules: Vec<RuleDraft> = Vec::new();
    let mut known: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    let mut required = Vec::new();
    for table in entry.tables(source)? {
        let (draft, places) = rule(table, source)?;
        let id = draft.rule.id.clone();
        required.extend(places.into_iter().map(|(at, wanted)| (at, id.clone(), wanted)));
        match known.get(&id) {
            // Gitleaks keeps the last one in the place of the first.
            Some(at) => {
                source.warn(table.at, format!("rule `{id}` is here once more; only this one counts"));
                rules[*at] = draft;
            }
            None => {
                known.insert(id, rules.len());
                rules.push(draft);
            }
        }
    }
    for (at, rule, wanted) in required {
        if !known.contains_key(&wanted) {
            let nearest = nearest(&wanted, known.keys().map(String::as_str));
            return Err(source.error(at, Problem::RequiredUnknown { rule, required: wanted, nearest }));
        }
    }
    Ok(rules)
}

/// Where a rule names another one, and which.
type Wanted = Vec<(usize, String)>;

fn rule(table: Table<'_, '_>, source: &mut Source) -> Result<(RuleDraft, Wanted), LoadError> {
    let mut draft = RuleDraft { at: source.place(table.at), ..RuleDraft::default() };
    let (mut new_lists, mut old, mut required) = (None, None, None);
    for entry in table.entries(source) {
        let rule = &mut draft.rule;
        match entry.key.as_ref() {
            "id" => rule.id = entry.string(source)?,
            "description" => rule.description = entry.string(source)?,
            "regex" => {
                rule.regex = Some(entry.string(source)?).filter(|regex| !regex.is_empty());
                draft.regex_at = source.place(entry.at);
            }
            "path" => {
                rule.path = Some(entry.string(source)?).filter(|path| !path.is_empty());
                draft.path_at = source.place(entry.at);
            }
            "secretgroup" => {
                rule.secret_group = secret_group(&entry, source)?;
                draft.group_at = source.place(entry.at);
            }
            "entropy" => rule.entropy = entry.float(source)?,
            "keywords" => rule.keywords = keywords(&entry, source)?,
            "tags" => rule.tags = entry.strings(source)?,
            "skipreport" => rule.skip_report = entry.bool(source)?,
            "examples" => rule.examples = entry.strings(source)?,
            "negatives" => rule.negatives = entry.strings(source)?,
            "rotate" => rule.rotate = Some(entry.string(source)?),
            "allowlists" => new_lists = Some(entry),
            "allowlist" => old = Some(entry),
            "required" => required = Some(entry),
            _ => source.unknown_key(entry.at, entry.written, RULE_KEYS),
        }
    }
    let owner = format!("rule `{}`", draft.rule.id);
    let mut lists = new_lists.map_or(Ok(Vec::new()), |entry| self::lists(&entry, &owner, source))?;
    old_list(old, &mut lists, &owner, source)?;
    for list in lists {
        draft.rule.allowlists.push(list.list);
        draft.lists_at.push(list.places);
    }
    let (required, wanted) =
        required.map_or(Ok(Default::default()), |entry| self::required(&entry, &draft.rule.id, source))?;
    draft.rule.required = required;
    Ok((draft, wanted))
}

const RULE_KEYS: &[&str] = &[
    "id",
    "description",
    "regex",
    "path",
    "secretGroup",
    "entropy",
    "keywords",
    "tags",
    "skipReport",
    "allowlists",
    "required",
    "examples",
    "negatives",
    "rotate",
];

fn secret_group(entry: &Entry<'_, '_>, source: &mut Source) -> Result<usize, LoadError> {
    let group = entry.integer(source)?;
    if group < 0 {
        source.warn(entry.at, "a secretGroup below 0 is the same as none");
    }
    Ok(usize::try_from(group).unwrap_or(0))
}

fn keywords(entry: &Entry<'_, '_>, source: &mut Source) -> Result<Vec<String>, LoadError> {
    let words: Vec<String> = entry.strings(source)?.iter().map(|word| lower(word)).collect();
    if words.iter().any(String::is_empty) {
        // Gitleaks' search finds no empty word, so a rule with nothing else never runs.
        source.warn(entry.at, "an empty keyword never occurs");
    }
    Ok(words)
}

/// Go's lower case: letter by letter, and a dotted capital I loses its dot.
pub(crate) fn lower(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars()
        .map(|letter| if letter == '\u{130}' { 'i' } else { letter.to_lowercase().next().unwrap_or(letter) })
        .collect()
}

fn required(entry: &Entry<'_, '_>, rule: &str, source: &mut Source) -> Result<(Vec<Required>, Wanted), LoadError> {
    let (mut all, mut wanted) = (Vec::new(), Vec::new());
    for table in entry.tables(source)? {
        let mut one = Required::default();
        for entry in table.entries(source) {
            match entry.key.as_ref() {
                "id" => one.id = entry.string(source)?,
                "withinlines" => one.within_lines = Some(distance(&entry, source)?),
                "withincolumns" => one.within_columns = Some(distance(&entry, source)?),
                _ => source.unknown_key(entry.at, entry.written, &["id", "withinLines", "withinColumns"]),
            }
        }
        if one.id.is_empty() {
            return Err(source.error(table.at, Problem::RequiredNoId(rule.to_owned())));
        }
        wanted.push((table.at, one.id.clone()));
        all.push(one);
    }
    Ok((all, wanted))
}

/// A distance; Gitleaks takes one below 0, and then never finds the rule.
fn distance(entry: &Entry<'_, '_>, source: &Source) -> Result<usize, LoadError> {
    usize::try_from(entry.integer(source)?).map_err(|_| {
        let (key, found) = (entry.written.to_owned(), "one below 0, which nothing is within".to_owned());
        source.error(entry.at, Problem::Type { key, expected: "a number", found })
    })
}

fn old_list(
    entry: Option<Entry<'_, '_>>,
    lists: &mut Vec<ListDraft>,
    owner: &str,
    source: &mut Source,
) -> Result<(), LoadError> {
    let Some(entry) = entry else { return Ok(()) };
    if !lists.is_empty() {
        return Err(source.error(entry.at, Problem::TwoForms(owner.to_owned())));
    }
    lists.push(list(entry.table(source)?, owner, source)?);
    Ok(())
}

fn lists(entry: &Entry<'_, '_>, owner: &str, source: &mut Source) -> Result<Vec<ListDraft>, LoadError> {
    entry.tables(source)?.into_iter().map(|table| list(table, owner, source)).collect()
}

fn list(table: Table<'_, '_>, owner: &str, source: &mut Source) -> Result<ListDraft, LoadError> {
    let mut draft = ListDraft { at: source.place(table.at), ..ListDraft::default() };
    for entry in table.entries(source) {
        let list = &mut draft.list;
        match entry.key.as_ref() {
            "description" => list.description = entry.string(source)?,
            "condition" => list.condition = condition(&entry, owner, source)?,
            "commits" => list.commits = entry.strings(source)?.iter().map(|id| lower(id).trim().to_owned()).collect(),
            "paths" => (list.paths, draft.places.paths) = (entry.strings(source)?, source.place(entry.at)),
            "regextarget" => list.target = target(&entry, owner, source)?,
            "regexes" => (list.regexes, draft.places.regexes) = (entry.strings(source)?, source.place(entry.at)),
            "stopwords" => list.stopwords = entry.strings(source)?.iter().map(|word| lower(word)).collect(),
            "targetrules" if owner == GLOBAL => draft.targets = entry.strings(source)?,
            _ => source.unknown_key(entry.at, entry.written, LIST_KEYS),
        }
    }
    let list = &draft.list;
    if list.commits.is_empty() && list.paths.is_empty() && list.regexes.is_empty() && list.stopwords.is_empty() {
        return Err(LoadError::new(&draft.at, Problem::EmptyAllowlist(owner.to_owned())));
    }
    Ok(draft)
}

const LIST_KEYS: &[&str] =
    &["description", "condition", "commits", "paths", "regexTarget", "regexes", "stopwords", "targetRules"];

fn condition(entry: &Entry<'_, '_>, owner: &str, source: &Source) -> Result<Condition, LoadError> {
    let condition = entry.string(source)?;
    match condition.to_uppercase().as_str() {
        "" | "OR" | "||" => Ok(Condition::Any),
        "AND" | "&&" => Ok(Condition::All),
        _ => Err(source.error(entry.at, Problem::Condition { owner: owner.to_owned(), condition })),
    }
}

fn target(entry: &Entry<'_, '_>, owner: &str, source: &Source) -> Result<Target, LoadError> {
    let target = entry.string(source)?;
    match target.as_str() {
        "" | "secret" => Ok(Target::Secret),
        "match" => Ok(Target::Match),
        "line" => Ok(Target::Line),
        _ => Err(source.error(entry.at, Problem::RegexTarget { owner: owner.to_owned(), target })),
    }
}
