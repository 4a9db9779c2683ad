//! Settings in JSON with comments: everything else of the file stays as it was written.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstObject, CstRootNode};
use serde_json::Value;

use crate::model::Setting;

/// As deep as settings are nested.
const DEPTH: usize = 8;

/// The text with the settings in it. An empty text becomes an object.
pub(super) fn edit(text: &str, set: &[Setting]) -> Result<String, String> {
    let text = if text.trim().is_empty() { "{}\n" } else { text };
    // Bounded in depth and size before the parser that keeps comments, which recurses.
    crate::facts::config::jsonc::jsonc(text, 0)
        .map_err(|malformed| format!("it is no JSON with comments: {}", malformed.why))?;
    let root = CstRootNode::parse(text, &ParseOptions::default()).map_err(|error| format!("it is no JSON: {error}"))?;
    if root.value().is_some() && root.object_value().is_none() {
        return Err("it is JSON, but no object".to_owned());
    }
    let top = root.object_value_or_set();
    for setting in set {
        put(&top, &setting.at, &setting.value)?;
    }
    Ok(root.to_string())
}

fn put(object: &CstObject, at: &[String], value: &Value) -> Result<(), String> {
    let Some((key, rest)) = at.split_first().filter(|_| at.len() <= DEPTH) else { return Ok(()) };
    // A key that is written twice: the last one counts for most readers, and both have to agree.
    let twins: Vec<_> =
        object.properties().into_iter().filter(|prop| prop.decoded_name().as_deref() == Some(key)).collect();
    if twins.len() > 1 {
        return Err(format!("`{key}` is written twice; take one out"));
    }
    match (twins.into_iter().next(), rest.is_empty()) {
        (None, true) => {
            object.append(key, input(value));
        }
        (None, false) => {
            let below = object.append(key, CstInputValue::Object(Vec::new())).object_value_or_set();
            put(&below, rest, value)?;
        }
        (Some(there), true) => {
            let now = there.value().and_then(|node| node.to_serde_value());
            if now.as_ref() != Some(value) {
                there.set_value(input(value));
            }
        }
        (Some(there), false) => match there.object_value() {
            Some(below) => put(&below, rest, value)?,
            // One word for all, as in `"permission": "ask"`: it becomes the rule for what is not named.
            None => {
                let word = there.value().and_then(|node| node.to_serde_value()).filter(Value::is_string);
                let word =
                    word.ok_or_else(|| format!("`{key}` is no object, and has no word that could stand in one"))?;
                there.set_value(CstInputValue::Object(vec![("*".to_owned(), input(&word))]));
                let below = there.object_value().ok_or_else(|| format!("`{key}` cannot be made an object"))?;
                put(&below, rest, value)?;
            }
        },
    }
    Ok(())
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(flag) => CstInputValue::Bool(*flag),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Value::Object(map) => {
            CstInputValue::Object(map.iter().map(|(key, value)| (key.clone(), input(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(at: &[&str], value: Value) -> Setting {
        Setting { at: at.iter().map(|key| (*key).to_owned()).collect(), value }
    }

    #[test]
    fn comments_order_and_spaces_stay() {
        let text = "{\n  // who we are\n  \"username\": \"x\",\n  \"share\" : \"manual\", // for now\n}\n";
        let edited =
            edit(text, &[set(&["share"], json!("disabled")), set(&["autoupdate"], json!(false))]).expect("edits");
        let expected = "{\n  // who we are\n  \"username\": \"x\",\n  \"share\" : \"disabled\", // for now\n  \"autoupdate\": false,\n}\n";
        assert_eq!(edited, expected);
        assert_eq!(edit(&edited, &[set(&["share"], json!("disabled"))]).expect("edits"), edited);
    }

    #[test]
    fn what_is_below_a_word_keeps_the_word_for_the_rest() {
        let edited =
            edit("{ \"permission\": \"ask\" }", &[set(&["permission", "bash"], json!("deny"))]).expect("edits");
        let read: Value = serde_json::from_str(&edited).expect("JSON");
        assert_eq!(read, json!({ "permission": { "*": "ask", "bash": "deny" } }), "{edited}");
    }

    #[test]
    fn what_cannot_be_edited_is_an_error() {
        for text in ["[1]", "{", "{ \"a\": 1, \"a\": 2 }", "{ \"a\": 7 }"] {
            assert!(edit(text, &[set(&["a", "b"], json!(1))]).is_err(), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(edit(&deep, &[]).is_err());
    }

    #[test]
    fn an_empty_file_becomes_an_object() {
        let edited = edit("", &[set(&["share"], json!("disabled"))]).expect("edits");
        assert_eq!(serde_json::from_str::<Value>(&edited).expect("JSON"), json!({ "share": "disabled" }));
    }
}
