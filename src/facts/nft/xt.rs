//! Rules that `iptables-nft` made. nft lists their extensions in JSON by name alone, and writes them out in the text
//! listing where it can; the few that matter here are taken from there. The rest stays what it is, not understood.

use serde_json::{Value, json};

/// The statements of a rule, with extensions replaced by what the text says they are.
pub(super) fn translate(expr: Vec<Value>, text: &str) -> Vec<Value> {
    let words = words(text);
    expr.into_iter()
        .map(|statement| {
            let name = statement.get("xt").and_then(|xt| xt.get("name")?.as_str()).map(str::to_owned);
            let known = match name.as_deref() {
                Some("comment") => Some(json!({ "counter": null })),
                Some("REJECT") => Some(json!({ "reject": null })),
                Some("owner") => owner(&words),
                Some("conntrack") => state(&words),
                _ => None,
            };
            known.unwrap_or(statement)
        })
        .collect()
}

/// The words of a rule without what stands in quotes: comments may say anything.
fn words(text: &str) -> Vec<String> {
    let bare: Vec<&str> = text.split('"').step_by(2).collect();
    bare.join(" ").split_whitespace().map(str::to_owned).collect()
}

/// `skuid 990`, `skuid != 990`, `skgid 990-999`; None where there is not exactly one.
fn owner(words: &[String]) -> Option<Value> {
    let at: Vec<usize> = (0..words.len()).filter(|at| matches!(words[*at].as_str(), "skuid" | "skgid")).collect();
    let [at] = at[..] else { return None };
    let (op, value) = operand(words, at + 1)?;
    let number = |text: &str| text.parse::<u32>().ok();
    let right = match value.split_once('-') {
        Some((low, high)) => json!({ "range": [number(low)?, number(high)?] }),
        None => json!(number(value)?),
    };
    Some(json!({ "match": { "op": op, "left": { "meta": { "key": words[at] } }, "right": right } }))
}

/// `ct state new,established`; None where other things of the connection are asked too.
fn state(words: &[String]) -> Option<Value> {
    let at: Vec<usize> = (0..words.len()).filter(|at| words[*at] == "ct").collect();
    let [at] = at[..] else { return None };
    if words.get(at + 1)? != "state" {
        return None;
    }
    let (op, value) = operand(words, at + 2)?;
    let states: Vec<&str> = value.split(',').collect();
    Some(json!({ "match": { "op": op, "left": { "ct": { "key": "state" } }, "right": states } }))
}

fn operand(words: &[String], at: usize) -> Option<(&'static str, &str)> {
    match words.get(at)?.as_str() {
        "!=" => Some(("!=", words.get(at + 1)?)),
        value => Some(("==", value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_taken_from_the_text_when_it_is_plain() {
        let owner = vec![json!({ "xt": { "type": "match", "name": "owner" } })];
        for (text, right) in [
            ("skuid 990 counter packets 0 bytes 0 drop", Some(json!(990))),
            ("skuid 990-999 drop", Some(json!({ "range": [990, 999] }))),
            ("skuid 990 skgid 990 drop", None),
            ("drop comment \"skuid 990\"", None),
            ("# xt_owner drop", None),
        ] {
            let found = translate(owner.clone(), text)[0].get("match").map(|m| m["right"].clone());
            assert_eq!(found, right, "{text}");
        }
    }
}
