//! `harden history` and `harden diff`.

use std::time::Duration;

use clap::Args;

use super::TextOrJson;

/// `harden history`
#[derive(Debug, Args)]
pub struct History {
    /// Of this project only, by its path in the audits
    #[arg(long, value_name = "DIR")]
    pub project: Option<String>,
    /// Forget audits that are older: days, weeks or years, as in 90d, 12w, 2y
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub prune: Option<Duration>,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    pub format: TextOrJson,
}

/// `harden diff`
#[derive(Debug, Args)]
pub struct Diff {
    /// The earlier audit: a saved report, or its number in the history
    #[arg(value_name = "BEFORE")]
    pub before: String,
    /// The later audit: a saved report, or its number in the history
    #[arg(value_name = "AFTER")]
    pub after: String,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    pub format: TextOrJson,
}

fn age(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no age; write a number of days, weeks or years: 90d, 12w, 2y");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let days = match unit {
        'd' => 1,
        'w' => 7,
        'y' => 365,
        _ => return Err(wrong()),
    };
    let number: u32 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    let seconds = u64::from(number) * days * 86_400;
    // Further back than any clock.
    if seconds > 1_000 * 365 * 86_400 { Err(wrong()) } else { Ok(Duration::from_secs(seconds)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_a_number_and_a_unit() {
        for (text, days) in [("90d", Some(90)), ("2w", Some(14)), ("1y", Some(365)), ("0d", Some(0))] {
            assert_eq!(age(text).ok().map(|age| age.as_secs() / 86_400), days, "{text}");
        }
        for text in ["", "d", "90", "90m", "-1d", "4294967295y", "1é"] {
            assert!(age(text).is_err(), "{text}");
        }
    }
}
