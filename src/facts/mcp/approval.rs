//! Which definition a person has reviewed: its digest, and the list that names it.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::definition::{Definition, OAuth, Placed};
use super::secret::{self, Class};
use super::server::Approval;
use super::{address, argument};

/// What the list says: `name`, `name@sha256:…`, or `name@` with the first digits.
pub(super) fn approval(name: &str, digest: &str, listed: &[&str]) -> Approval {
    const FEWEST_DIGITS: usize = 16;
    let mut best = Approval::None;
    for entry in listed {
        if *entry == name {
            best = if best == Approval::Exact { best } else { Approval::Named };
            continue;
        }
        let Some(wanted) = entry.strip_prefix(name).and_then(|rest| rest.strip_prefix('@')) else { continue };
        let wanted = wanted.strip_prefix("sha256:").unwrap_or(wanted).to_lowercase();
        if wanted.len() >= FEWEST_DIGITS && digest.starts_with(&wanted) {
            return Approval::Exact;
        }
        if best == Approval::None {
            best = Approval::Changed;
        }
    }
    best
}

/// SHA-256 over what a server does, in one form for all dialects. Values that are secrets count by their names.
pub(super) fn digest(definition: &Definition, argv: &[String]) -> String {
    let masked = |name: &str, text: &str| match secret::classify(name, text).class {
        Class::Secret => "***".to_owned(),
        _ => text.to_owned(),
    };
    let pairs = |pairs: &[(String, Placed)]| -> BTreeMap<String, Json> {
        pairs.iter().map(|(name, placed)| (name.clone(), masked(name, &placed.text).into())).collect()
    };
    let hidden = argument::values(argv);
    let is_hidden = |at: usize| hidden.iter().any(|value| value.index == at && value.class == Class::Secret);
    let command: Vec<&str> =
        argv.iter().enumerate().map(|(at, arg)| if is_hidden(at) { "***" } else { arg.as_str() }).collect();
    let url = definition.url.as_ref().map(|url| match argument::in_address(&url.text).map(|found| found.class) {
        Some(Class::Secret) => address::redacted(&url.text),
        _ => url.text.clone(),
    });
    let form: BTreeMap<&str, Json> = [
        ("command", command.into()),
        ("cwd", definition.cwd.clone().into()),
        ("env", serde_json::to_value(pairs(&definition.env)).unwrap_or_default()),
        ("headers", serde_json::to_value(pairs(&definition.headers)).unwrap_or_default()),
        ("oauth", matches!(definition.oauth, OAuth::Set(_)).into()),
        ("url", url.into()),
    ]
    .into();
    let text = serde_json::to_string(&form).unwrap_or_default();
    crate::model::hex(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_holds_a_name_or_one_definition_of_it() {
        let digest = "0123456789abcdef".repeat(4);
        let full = format!("s@sha256:{digest}");
        for (listed, approval_is) in [
            (vec![], Approval::None),
            (vec!["s"], Approval::Named),
            (vec![full.as_str()], Approval::Exact),
            (vec!["s@sha256:0123456789abcdef"], Approval::Exact),
            (vec!["s@0123456789ABCDEF"], Approval::Exact),
            (vec!["s@0123"], Approval::Changed),
            (vec!["s@sha256:ffffffffffffffff"], Approval::Changed),
            (vec!["s@sha256:ffffffffffffffff", "s"], Approval::Named),
            (vec!["server"], Approval::None),
            (vec!["S"], Approval::None),
        ] {
            assert_eq!(approval("s", &digest, &listed), approval_is, "{listed:?}");
        }
    }
}
