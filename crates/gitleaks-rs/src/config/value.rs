//! TOML values as Gitleaks takes them: Viper converts what it can, so `secretGroup = "1"` is a number and
//! `keywords = "a,b"` a list.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{LoadError, Problem};
use super::source::Source;

pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// A table, and where it starts.
#[derive(Clone, Copy)]
pub(super) struct Table<'v, 't> {
    pub(super) at: usize,
    entries: &'v DeTable<'t>,
}

/// An entry: its key in lower case and where it stands.
pub(super) struct Entry<'v, 't> {
    pub(super) key: Cow<'v, str>,
    pub(super) written: &'v str,
    pub(super) at: usize,
    pub(super) value: &'v Value<'t>,
}

impl<'v, 't> Table<'v, 't> {
    pub(super) fn whole(table: &'v Spanned<DeTable<'t>>) -> Self {
        Self { at: table.span().start, entries: table.get_ref() }
    }

    pub(super) fn of(key: &str, value: &'v Value<'t>, source: &Source) -> Result<Self, LoadError> {
        match value.get_ref() {
            DeValue::Table(entries) => Ok(Self { at: value.span().start, entries }),
            _ => Err(wrong(key, value, "a table", source)),
        }
    }

    /// Its entries; a key that is there twice, in two spellings, counts once.
    pub(super) fn entries(self, source: &mut Source) -> Vec<Entry<'v, 't>> {
        let mut all: Vec<Entry<'v, 't>> = Vec::with_capacity(self.entries.len());
        for (key, value) in self.entries {
            let (written, at) = (key.get_ref().as_ref(), key.span().start);
            let upper = written.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii());
            let key = if upper { Cow::Owned(written.to_lowercase()) } else { Cow::Borrowed(written) };
            if let Some(other) = all.iter().find(|other| other.key == key) {
                let problem = format!("`{written}` is `{}` once more; Gitleaks takes either of them", other.written);
                source.warn(at, problem);
                continue;
            }
            all.push(Entry { key, written, at, value });
        }
        all
    }
}

impl<'v, 't> Entry<'v, 't> {
    pub(super) fn string(&self, source: &Source) -> Result<String, LoadError> {
        string(self.written, self.value, source)
    }

    pub(super) fn strings(&self, source: &Source) -> Result<Vec<String>, LoadError> {
        match self.value.get_ref() {
            DeValue::Array(items) => items.iter().map(|item| string(self.written, item, source)).collect(),
            DeValue::String(text) if text.is_empty() => Ok(Vec::new()),
            DeValue::String(text) => Ok(text.split(',').map(str::to_owned).collect()),
            DeValue::Table(table) if table.is_empty() => Ok(Vec::new()),
            _ => Ok(vec![string(self.written, self.value, source)?]),
        }
    }

    pub(super) fn bool(&self, source: &Source) -> Result<bool, LoadError> {
        Ok(match self.value.get_ref() {
            DeValue::Boolean(value) => *value,
            DeValue::Integer(_) | DeValue::Float(_) => self.float(source)? != 0.0,
            DeValue::String(text) => match text.as_ref() {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => true,
                "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => false,
                _ => return Err(wrong(self.written, self.value, "true or false", source)),
            },
            _ => return Err(wrong(self.written, self.value, "true or false", source)),
        })
    }

    pub(super) fn integer(&self, source: &Source) -> Result<i64, LoadError> {
        let parsed = match self.value.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            DeValue::Float(number) => number.as_str().parse::<f64>().ok().map(|number| number as i64),
            DeValue::Boolean(value) => Some(i64::from(*value)),
            DeValue::String(text) if text.is_empty() => Some(0),
            DeValue::String(text) => text.parse().ok(),
            _ => None,
        };
        parsed.ok_or_else(|| wrong(self.written, self.value, "a number", source))
    }

    pub(super) fn float(&self, source: &Source) -> Result<f64, LoadError> {
        let parsed = match self.value.get_ref() {
            DeValue::Float(number) => number.as_str().parse().ok(),
            DeValue::String(text) if !text.is_empty() => text.parse().ok(),
            _ => return self.integer(source).map(|number| number as f64),
        };
        parsed.ok_or_else(|| wrong(self.written, self.value, "a number", source))
    }

    pub(super) fn table(&self, source: &Source) -> Result<Table<'v, 't>, LoadError> {
        Table::of(self.written, self.value, source)
    }

    /// A list of tables; a single one stands for a list.
    pub(super) fn tables(&self, source: &Source) -> Result<Vec<Table<'v, 't>>, LoadError> {
        match self.value.get_ref() {
            DeValue::Array(items) => items.iter().map(|item| Table::of(self.written, item, source)).collect(),
            DeValue::Table(table) if table.is_empty() => Ok(Vec::new()),
            DeValue::Table(_) => Ok(vec![self.table(source)?]),
            _ => Err(wrong(self.written, self.value, "a list of tables", source)),
        }
    }
}

fn string(key: &str, value: &Value<'_>, source: &Source) -> Result<String, LoadError> {
    Ok(match value.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => number.to_string(),
            Err(_) => return Err(wrong(key, value, "a string", source)),
        },
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(value) => u8::from(*value).to_string(),
        _ => return Err(wrong(key, value, "a string", source)),
    })
}

fn wrong(key: &str, value: &Value<'_>, expected: &'static str, source: &Source) -> LoadError {
    let found = match value.get_ref() {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    // A number can also be too large for what it is to be.
    let found = if found == expected { "one this large" } else { found };
    let problem = Problem::Type { key: key.to_owned(), expected, found: found.to_owned() };
    source.error(value.span().start, problem)
}
