//! `harden policy allow` and `revoke`: a line is added, and none is ever changed.

use std::io;
use std::process::ExitCode;

use jiff::{Span, Timestamp};

use super::places::Places;
use crate::apply::{Machine, New, RealMachine};
use crate::catalog;
use crate::cli::{PolicyAllow, PolicyRevoke};
use crate::commands::failure::cause;
use crate::commands::{Failure, terminal};
use crate::facts::approvals;
use crate::host::Host;
use crate::model::{Access, Approval, ApprovalLine, Mode, State, plain, redact_line};

/// How long an approval holds where nothing else is said.
const DAYS: i64 = 90;

pub(super) fn allow(places: &Places, args: &PolicyAllow) -> Result<ExitCode, Failure> {
    exact(&args.argv)?;
    let today = catalog::today();
    let expires = match args.expires {
        Some(day) if day < today => return Err(Failure::usage(format!("{day} is over"), "name a day to come")),
        Some(day) => day,
        None => today.saturating_add(Span::new().days(DAYS)),
    };
    let project = places.project(args.project.as_deref())?.text();
    let (text, standing) = places.approvals()?;
    let same = |one: &Approval| one.argv == args.argv && one.is_for(&project) && one.holds_on(today);
    if let Some(there) = standing.iter().find(|one| same(&one.approval)) {
        let id = there.approval.id.clone().unwrap_or_default();
        let message = format!("it is approved already, in `{}:{}`", places.approvals, there.line);
        return Err(Failure::usage(message, format!("to change it, `harden policy revoke {id}` first")));
    }
    let mut approval = Approval {
        id: None,
        argv: args.argv.clone(),
        project: Some(project),
        by: Some(who(places)?),
        when: Some(now()),
        reason: Some(reason(&args.reason)?),
        expires: Some(expires.to_string()),
    };
    let id = approval.made_id();
    approval.id = Some(id.clone());
    let is_plain = approval.is_plain();
    add(places, text.as_deref(), &ApprovalLine::Allow(approval))?;
    terminal::print(&format!("approved as {id}, until {expires}\n"))?;
    terminal::error(match is_plain {
        true => "`sudo harden apply` writes it into the agent's own rules",
        false => "the agent's own rules cannot say a word with blanks or patterns in it, and go on asking for it",
    });
    Ok(ExitCode::SUCCESS)
}

pub(super) fn revoke(places: &Places, args: &PolicyRevoke) -> Result<ExitCode, Failure> {
    let (text, standing) = places.approvals()?;
    let ids: Vec<&str> = standing.iter().filter_map(|one| one.approval.id.as_deref()).collect();
    if !ids.contains(&args.id.as_str()) {
        let near = catalog::nearest(&args.id, ids.iter().copied());
        let help =
            near.map_or_else(|| "`harden policy show` lists them".to_owned(), |near| format!("did you mean `{near}`?"));
        return Err(Failure::usage(format!("no approval that stands is called `{}`", args.id), help));
    }
    let reason = args.reason.as_deref().map(reason).transpose()?;
    let line = ApprovalLine::Revoke { id: args.id.clone(), by: who(places)?, when: now(), reason };
    add(places, text.as_deref(), &line)?;
    terminal::print(&format!("{} is taken back\n", args.id))?;
    terminal::error("`sudo harden apply` takes it out of the agent's own rules");
    Ok(ExitCode::SUCCESS)
}

/// Err says why it is not one exact command.
fn exact(argv: &[String]) -> Result<(), Failure> {
    let next = "name the words of one program that does one thing; put more into a script of root's";
    if argv.iter().any(|word| word.chars().any(char::is_control)) {
        return Err(Failure::usage("a word of the command holds a control character", next));
    }
    if let Some(fault) = approvals::inexact(argv).first() {
        return Err(Failure::usage(
            format!("`{}` cannot be approved: {fault}", plain(&redact_line(&argv.join(" ")))),
            next,
        ));
    }
    // Approvals can be read by every account.
    if argv.iter().any(|word| redact_line(word).contains("***")) {
        return Err(Failure::usage(
            "a word of the command could be a secret, and approvals can be read by all",
            "let the command read it from where it is kept",
        ));
    }
    Ok(())
}

fn reason(text: &str) -> Result<String, Failure> {
    if text.trim().is_empty() {
        return Err(Failure::usage("the reason is empty", "say it in a few words"));
    }
    Ok(redact_line(text))
}

fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The person who does this; behind sudo the one who called it.
fn who(places: &Places) -> Result<String, Failure> {
    let told = |error: io::Error| Failure::usage(format!("cannot tell who you are: {}", cause(&error)), "");
    let uid = places.host.invoker().map_err(told)?.ok_or_else(|| Failure::usage("cannot tell who you are", ""))?;
    let accounts = places.host.accounts().map_err(told)?;
    Ok(accounts.user_of(uid).map_or_else(|| uid.0.to_string(), |user| user.name.clone()))
}

/// Adds a line, on the disk before this returns. The file is made where it is not there, as its folder's owner's.
fn add(places: &Places, text: Option<&str>, line: &ApprovalLine) -> Result<(), Failure> {
    let path = &places.approvals;
    let refused = |error: io::Error| {
        let next =
            "only root and the owner of the file may approve: run with sudo; `sudo harden apply` makes the folder";
        Failure::usage(format!("cannot add to `{path}`: {}", cause(&error)), next)
    };
    let mut machine = RealMachine::live().map_err(refused)?;
    // A line that was cut off must not swallow this one.
    let end = if text.is_none_or(|text| text.is_empty() || text.ends_with('\n')) { "" } else { "\n" };
    let line = format!("{end}{}\n", serde_json::to_string(line).expect("plain data"));
    let folder = path.parent().unwrap_or_else(crate::model::AbsPath::root);
    match (machine.look(path).map_err(refused)?.0, machine.look(&folder).map_err(refused)?.0) {
        (State::File { .. }, _) => machine.append(path, line.as_bytes()).map_err(refused),
        (State::Absent, State::Dir { access }) => {
            let access = Access { mode: Mode::new(0o644), acl: None, ..access };
            machine.make(path, New::File { bytes: line.as_bytes(), access: &access, like: None }).map_err(refused)
        }
        (state, _) => Err(refused(io::Error::other(format!("it is {}", state.says())))),
    }
}
