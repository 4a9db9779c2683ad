//! Waivers, read one by one: a malformed or expired one stops only itself, and is reported.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::model::{Check, Waiver, WaiverProblem};

/// A waiver that ends within so many days is announced.
const WARN_DAYS: i64 = 14;

/// Today, in UTC.
pub fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// Sorts waivers into those that hold and what is the matter with others. One that ends soon is in both.
pub(super) fn sort(given: &[Value], checks: &[&Check], today: Date) -> (Vec<Waiver>, Vec<WaiverProblem>) {
    let (mut holding, mut problems) = (Vec::new(), Vec::new());
    for value in given {
        match judge(value, checks, today) {
            Ok((waiver, warning)) => {
                problems.extend(warning.map(|problem| problem_of(value, problem)));
                holding.push(waiver);
            }
            Err(problem) => problems.push(problem_of(value, problem)),
        }
    }
    (holding, problems)
}

fn judge(value: &Value, checks: &[&Check], today: Date) -> Result<(Waiver, Option<String>), String> {
    let waiver: Waiver =
        serde_json::from_value(value.clone()).map_err(|error| format!("malformed, and so not applied: {error}"))?;
    for (field, text) in [("reason", &waiver.reason), ("owner", &waiver.owner)] {
        if text.trim().is_empty() {
            return Err(format!("not applied: its {field} is empty"));
        }
    }
    if !checks.iter().any(|check| waiver.names(&check.id, &check.code)) {
        return Err(format!("not applied: no check is called `{}`; see `harden list checks`", waiver.check));
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
    let warning = (days <= WARN_DAYS)
        .then(|| format!("ends on {} ({days} days left); renew it with its owner, {}", waiver.expires, waiver.owner));
    Ok((waiver, warning))
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
            json!({"check": "no-such-check", "reason": "r", "owner": "o", "expires": "2030-01-01"}),
        ];
        let (holding, problems) = sort(&given, &checks, Date::constant(2026, 1, 1));
        assert_eq!(holding.len(), 2);
        let said: Vec<&str> =
            problems.iter().map(|p| p.problem.split([';', ':', '(']).next().unwrap_or_default()).collect();
        assert_eq!(
            said,
            [
                "ends on 2026-01-10 ",
                "expired on 2025-12-31",
                "not applied",
                "malformed, and so not applied",
                "not applied"
            ]
        );
    }
}
