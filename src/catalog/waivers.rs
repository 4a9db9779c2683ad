//! Waivers, read one by one: a malformed or expired one stops only itself, and is reported.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::nearest;
use crate::model::{Check, Waiver, WaiverProblem};

/// Today, in UTC.
pub fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// Sorts waivers into those that hold and what is the matter with others.
/// `rules` are the names that a waiver may use beside those of checks.
pub(super) fn sort(
    given: &[Value],
    checks: &[&Check],
    rules: &BTreeSet<String>,
    today: Date,
) -> (Vec<Waiver>, Vec<WaiverProblem>) {
    let (mut holding, mut problems) = (Vec::new(), Vec::new());
    for value in given {
        match judge(value, checks, rules, today) {
            Ok(waiver) => holding.push(waiver),
            Err(problem) => problems.push(problem_of(value, problem)),
        }
    }
    (holding, problems)
}

fn judge(value: &Value, checks: &[&Check], rules: &BTreeSet<String>, today: Date) -> Result<Waiver, String> {
    if !value.is_object() {
        return Err("malformed, and so not applied: it has no keys; write check, reason, owner and expires".to_owned());
    }
    let waiver: Waiver =
        serde_json::from_value(value.clone()).map_err(|error| format!("malformed, and so not applied: {error}"))?;
    for (field, text) in [("reason", &waiver.reason), ("owner", &waiver.owner)] {
        if text.trim().is_empty() {
            return Err(format!("not applied: its {field} is empty"));
        }
    }
    if !rules.contains(&waiver.check) && !checks.iter().any(|check| waiver.names(&check.id, &check.code)) {
        let names = checks.iter().flat_map(|check| [check.id.as_str(), check.code.as_str()]);
        let names = names.chain(rules.iter().map(String::as_str));
        let help = nearest(&waiver.check, names)
            .map_or("see `harden list checks`".to_owned(), |near| format!("did you mean `{near}`?"));
        return Err(format!("not applied: no check is called `{}`; {help}", waiver.check));
    }
    let days = waiver
        .days_left(today)
        .ok_or_else(|| format!("not applied: `{}` is no date; write YYYY-MM-DD", waiver.expires))?;
    if days < 0 {
        return Err(format!(
            "expired on {}; fix the defect or renew the waiver with its owner, {}",
            waiver.expires, waiver.owner
        ));
    }
    Ok(waiver)
}

fn problem_of(value: &Value, problem: String) -> WaiverProblem {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    WaiverProblem { check: text("check").unwrap_or_else(|| "?".into()), subject: text("subject"), problem }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_bad_waiver_stops_only_itself() {
        let types = crate::catalog::Types::default();
        let checks = crate::catalog::checks(&types).expect("embedded checks load");
        let checks: Vec<&Check> = checks.values().map(AsRef::as_ref).collect();
        let id = checks[0].id.clone();
        let waiver = |expires: &str| json!({"check": id, "reason": "r", "owner": "o", "expires": expires});
        let given = [
            waiver("2030-01-01"),
            waiver("2026-01-10"),
            waiver("2025-12-31"),
            waiver("soon"),
            json!({"check": id, "owner": "o", "expires": "2030-01-01"}),
            json!({"check": "github-pat", "reason": "r", "owner": "o", "expires": "2030-01-01"}),
            json!({"check": "no-such-check", "reason": "r", "owner": "o", "expires": "2030-01-01"}),
        ];
        let (holding, problems) =
            sort(&given, &checks, &BTreeSet::from(["github-pat".to_owned()]), Date::constant(2026, 1, 1));
        assert_eq!(holding.len(), 3);
        let said: Vec<&str> =
            problems.iter().map(|p| p.problem.split([';', ':', '(']).next().unwrap_or_default()).collect();
        assert_eq!(said, ["expired on 2025-12-31", "not applied", "malformed, and so not applied", "not applied"]);
    }
}
