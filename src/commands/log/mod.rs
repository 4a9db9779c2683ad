//! `harden log`: what the agent's account has started, from the kernel's own records.

mod records;
mod since;
mod source;

use std::process::ExitCode;

use gitleaks_rs::Scanner;
use jiff::Timestamp;
use serde_json::{Value, json};

use self::records::{Event, Reader};
use super::failure::cause;
use super::{Failure, terminal};
use crate::artifact::AUDIT_KEY;
use crate::cli::{Color, Log, LogCommand, LogExec, TableOrJson};
use crate::host::{Accounts, Host, RealHost};
use crate::model::{AbsPath, Uid};
use crate::{facts, report};

/// What is kept of the log.
pub(super) fn run(args: &Log, color: Color) -> Result<ExitCode, Failure> {
    match &args.what {
        LogCommand::Exec(args) => exec(args, color),
    }
}

fn exec(args: &LogExec, color: Color) -> Result<ExitCode, Failure> {
    let host = RealHost::live().map_err(|error| Failure::usage(format!("cannot open `/`: {}", cause(&error)), ""))?;
    let accounts = host
        .accounts()
        .map_err(|error| Failure::usage(format!("the accounts cannot be read: {}", cause(&error)), ""))?;
    let since = args.since.as_deref().map(|text| since::parse(text, Timestamp::now())).transpose();
    let since = since.map_err(|why| Failure::usage(why, "write `10m`, `2h`, `7d`, a date or a time"))?;
    let user = args.user.as_deref().map(|name| number(&accounts, name)).transpose()?;
    let file = match &args.log {
        Some(file) => AbsPath::new(file)
            .ok_or_else(|| Failure::usage(format!("`{}` is no absolute path", file.display()), "name one"))?,
        None => facts::audit::log_file(&host)
            .map_err(|error| Failure::usage(error.to_string(), "install auditd, or name a log with --log"))?,
    };
    let mut reader = Reader::new(AUDIT_KEY);
    let unread = source::read(&host, &file, &mut |line| reader.line(line))
        .map_err(|error| Failure::usage(format!("cannot read `{file}`: {}", cause(&error)), "run with sudo"))?;
    let wanted = |event: &Event| {
        since.is_none_or(|since| event.time() >= since)
            && user.is_none_or(|user| event.uid == user.0 || event.euid == user.0)
    };
    let (events, dropped) = reader.events();
    let rows: Vec<Value> = events.iter().filter(|event| wanted(event)).map(|event| row(event, &accounts)).collect();
    match args.format {
        TableOrJson::Json => terminal::print(&terminal::json(&rows))?,
        TableOrJson::Table => {
            let lines: Vec<Value> = rows.iter().map(line).collect();
            terminal::print(&report::list(&lines, terminal::look(color)))?;
        }
    }
    if unread || dropped > 0 {
        terminal::error(&format!(
            "the log goes back further than is read: {dropped} older records were left out, or more"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn number(accounts: &Accounts, name: &str) -> Result<Uid, Failure> {
    let known = accounts.user(name).map(|account| account.uid);
    known
        .or_else(|| name.parse().ok().map(Uid))
        .ok_or_else(|| Failure::usage(format!("there is no account `{name}`"), "name one, or its number"))
}

fn row(event: &Event, accounts: &Accounts) -> Value {
    let name = |uid: Uid| accounts.user_of(uid).map_or_else(|| uid.0.to_string(), |account| account.name.clone());
    let shown = |text: &str| crate::model::redact_line(&without_secrets(text));
    json!({
        "time": event.time().to_string(),
        "user": name(Uid(event.uid)),
        "effective_user": name(Uid(event.euid)),
        "pid": event.pid,
        "parent": event.parent,
        "call": event.call,
        "bits": event.bits,
        "success": event.success,
        "program": shown(&event.program),
        "folder": shown(&event.folder),
        "arguments": facts::mcp::shown_arguments(&event.arguments.iter().map(|arg| without_secrets(arg)).collect::<Vec<_>>()),
        "cut": event.cut,
    })
}

/// What the scanner knows for a secret, masked.
fn without_secrets(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut found: Vec<_> =
        Scanner::embedded().scan(text.as_bytes()).iter().map(|found| found.start..found.end).collect();
    found.sort_by_key(|range| std::cmp::Reverse(range.start));
    let mut last = bytes.len();
    for range in found.into_iter().filter(|range| range.start < range.end) {
        // Two may lie one over the other.
        bytes.splice(range.start..range.end.min(last).max(range.start), *b"***");
        last = range.start;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn line(row: &Value) -> Value {
    let text = |key: &str| row[key].as_str().unwrap_or_default();
    let arguments: Vec<&str> = row["arguments"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let command = if arguments.is_empty() { text("program").to_owned() } else { arguments.join(" ") };
    let failed = if row["success"] == json!(false) { " (failed)" } else { "" };
    let user = match (text("user"), text("effective_user")) {
        (user, effective) if user == effective => user.to_owned(),
        (user, effective) => format!("{user} as {effective}"),
    };
    let bits = row["bits"].as_u64().map_or(String::new(), |bits| format!("/{bits}"));
    json!({
        "1": text("time"),
        "2": user,
        "3": format!("{}{bits}", text("call")),
        "4": format!("{command}{failed}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_an_argument_is_shown() {
        let token = concat!("ghp", "_16C7e42F292c6912E7710c838347Ae178B4a");
        let event = Event {
            arguments: vec!["curl".into(), "-H".into(), format!("Authorization: Bearer {token}"), "\u{1b}[2Jx".into()],
            program: "/usr/bin/curl".into(),
            ..Event::default()
        };
        let row = row(&event, &Accounts::parse("", ""));
        let text = row.to_string() + &line(&row).to_string();
        assert!(!text.contains("16C7e42F") && text.contains("***"), "{text}");
        assert!(!text.contains('\u{1b}') && !text.contains("\\u001b"), "{text}");
        assert!(text.contains("curl"), "{text}");
    }
}
