//! A plan of this machine, with what it takes to do it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use sha2::{Digest, Sha256};

use super::{drift, site};
use crate::apply::{self, RealMachine};
use crate::artifact::Site;
use crate::catalog::Request;
use crate::cli::{Aim, Planning, ScopeArg, Target};
use crate::commands::failure::cause;
use crate::commands::{Failure, Session, gather, verdict};
use crate::model::{
    AgentUser, Asked, Class, Contents, Finding, Look, Plan, Scope, State, Status, Thing, UserSource, hex,
};
use crate::plan::{self, Of, Seen};

/// The classes where none are named.
const USUAL: [Class; 2] = [Class::Safe, Class::Guarded];

/// A plan and what it was made from.
pub(super) struct Planned {
    pub(super) plan: Plan,
    pub(super) contents: Contents,
    pub(super) findings: Vec<Finding>,
    pub(super) machine: RealMachine,
}

/// What the command line asks for, so that it can be asked again.
pub(super) fn asked(args: &Planning) -> Result<Asked, Failure> {
    if args.target.aim.root.is_some() {
        return Err(Failure::usage("an image is not changed", "run this on the machine itself, without --root"));
    }
    let full = |path: &Path| {
        let found = path.canonicalize();
        let found = found
            .map_err(|error| Failure::usage(format!("cannot open `{}`: {}", path.display(), cause(&error)), ""))?;
        Ok::<_, Failure>(found.display().to_string())
    };
    let profile = match args.target.aim.profile.as_deref() {
        // A file, not a name.
        Some(given) if given.contains('/') || given.ends_with(".yaml") || given.ends_with(".yml") => {
            Some(full(Path::new(given))?)
        }
        given => given.map(str::to_owned),
    };
    let mut classes: Vec<Class> = args.classes.iter().map(|class| (*class).into()).collect();
    classes.sort();
    classes.dedup();
    Ok(Asked {
        path: full(args.target.path.as_deref().unwrap_or(Path::new(".")))?,
        agent: args.target.aim.agent.clone(),
        profile,
        scope: args.target.aim.scope.map(|scope| Scope::from(scope).name().to_owned()),
        checks: args.checks.iter().map(|folder| full(folder)).collect::<Result<_, _>>()?,
        only: args.only.clone(),
        skip: args.skip.clone(),
        drift_timer: args.drift_timer,
        classes: if classes.is_empty() { USUAL.to_vec() } else { classes },
    })
}

/// Looks at the machine as asked.
pub(super) fn look(asked: &Asked) -> Result<(Session, Vec<Finding>), Failure> {
    let target = Target {
        path: Some(PathBuf::from(&asked.path)),
        aim: Aim {
            agent: asked.agent.clone(),
            profile: asked.profile.clone(),
            scope: asked.scope.as_deref().and_then(|scope| ScopeArg::from_str(scope, true).ok()),
            root: None,
        },
    };
    let request = Request { only: asked.only.clone(), skip: asked.skip.clone(), ..Request::default() };
    let folders: Vec<PathBuf> = asked.checks.iter().map(PathBuf::from).collect();
    let session = Session::open(&target, &folders, request)?;
    let (facts, _) = gather(&session);
    let report = verdict::report(&session, &facts, None)?;
    Ok((session, report.findings))
}

/// Plans as asked.
pub(super) fn plan(asked: Asked) -> Result<Planned, Failure> {
    let (mut session, findings) = look(&asked)?;
    let sites: BTreeMap<String, Site> = session
        .subjects
        .iter()
        .map(|subject| (subject.agent.agent.clone(), site::of(session.host.as_ref(), subject, &session.policy)))
        .collect();
    let findings = foresee(&mut session, &sites, findings)?;
    let first = session.subjects.first().map_or("", |subject| subject.agent.agent.as_str()).to_owned();
    let site_of = |finding: &Finding| {
        let name = finding.agent.as_deref().and_then(|names| names.split(", ").next()).unwrap_or(&first);
        sites.get(name).unwrap_or_else(|| &sites[&first])
    };
    let mut wanted = plan::wanted(&findings, &site_of);
    if asked.drift_timer {
        drift::want(&mut wanted, session.host.as_ref());
    }
    let machine =
        RealMachine::live().map_err(|error| Failure::usage(format!("cannot open `/`: {}", cause(&error)), ""))?;
    let mut seen = Seen::new();
    for want in &wanted.wants {
        let thing = want.action.thing();
        let look = |thing: &Thing| look_at(&machine, thing);
        seen.entry(thing.clone()).or_insert_with(|| look(&thing));
    }
    let of = Of { profile: session.policy.profile.clone(), policy: digest_of(&session), asked };
    let own: Vec<_> = session
        .subjects
        .iter()
        .filter(|subject| subject.invoker.as_ref().is_some_and(|invoker| invoker.uid.is_some_and(|uid| uid.0 != 0)))
        .collect();
    let needs_root = |thing: &Thing| {
        let mine = |path: &crate::model::AbsPath| {
            own.iter().any(|subject| {
                let home = subject.invoker.as_ref().and_then(|invoker| invoker.home.as_ref());
                path.is_within(&subject.project) || home.is_some_and(|home| path.is_within(home))
            })
        };
        !thing.path().is_some_and(mine)
    };
    let (plan, contents) = plan::build(wanted, &seen, of, &needs_root);
    Ok(Planned { plan, contents, findings, machine })
}

/// What a thing is; Err where it cannot be told, or could not be changed.
fn look_at(machine: &RealMachine, thing: &Thing) -> Result<(State, Option<Vec<u8>>), String> {
    let look = |thing: &Thing| apply::look(machine, thing).map_err(|trouble| trouble.to_string());
    let locked = State::Value { value: "2".to_owned() };
    if matches!(thing, Thing::AuditKey(_)) && look(&Thing::Auditing)?.0 == locked {
        return Err("the audit is locked until the next boot; rules in /etc/audit/rules.d hold after it".to_owned());
    }
    if let Some(why) = apply::hinders(machine, thing).map_err(|trouble| trouble.to_string())? {
        return Err(why);
    }
    look(thing)
}

/// What cannot be told for want of the agent's account, told as if that were there: rights go by numbers, and the number
/// it will have is known. So one plan holds what the account's making would bring to light.
fn foresee(
    session: &mut Session,
    sites: &BTreeMap<String, Site>,
    findings: Vec<Finding>,
) -> Result<Vec<Finding>, Failure> {
    let mut foresees = false;
    for subject in &mut session.subjects {
        let account = sites.get(&subject.agent.agent).and_then(|site| site.account.as_ref().ok());
        if let Some(account) = account.filter(|account| !account.exists) {
            foresees = true;
            subject.user = Look::Known(AgentUser {
                name: account.name.clone(),
                uid: Some(account.uid),
                gid: Some(account.gid),
                groups: vec![account.gid],
                home: Some(account.home.clone()),
                source: UserSource::Profile,
            });
        }
    }
    if !foresees {
        return Ok(findings);
    }
    let is_untold = |finding: &Finding| {
        finding.status == Status::Unknown
            && finding.unseen.iter().all(|unseen| unseen.why.starts_with("there is no account"))
    };
    let (untold, mut kept): (Vec<Finding>, Vec<Finding>) = findings.into_iter().partition(is_untold);
    // Only what these checks speak of is looked at once more.
    let all = session.policy.checks.clone();
    session.policy.checks.retain(|check| untold.iter().any(|finding| finding.check == check.id));
    let (facts, _) = gather(session);
    let told = verdict::report(session, &facts, None);
    session.policy.checks = all;
    kept.extend(told?.findings);
    Ok(kept)
}

/// Of what decides which findings there are: parameters, and each check with its severity.
fn digest_of(session: &Session) -> String {
    let checks: Vec<(&str, &str)> =
        session.policy.checks.iter().map(|check| (check.id.as_str(), check.severity.name())).collect();
    let text = serde_json::to_string(&(&session.policy.parameters.0, checks)).expect("plain data");
    hex(&Sha256::digest(text.as_bytes())[..16])
}
