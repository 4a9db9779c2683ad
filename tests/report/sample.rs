//! Reports made by hand: an ordinary one, a hostile one, a huge one, an empty one.

use harden::check::{fingerprint, sort};
use harden::model::{
    Confidence, Controls, Evidence, Finding, Location, Os, Scope, Severity, Status, Unseen, UserSource, WaiverNote,
    WaiverProblem,
};
use harden::report::{REPORT_VERSION, Report, ReportAgent, ReportCheck, counts, tick};
use serde_json::json;

/// A finding, told step by step.
pub(crate) struct Told(Finding);

pub(crate) fn fail(code: &str, check: &str, severity: Severity, message: &str) -> Told {
    Told(Finding {
        check: check.into(),
        code: code.into(),
        title: format!("Title of {check}"),
        severity,
        confidence: Confidence::High,
        scope: Scope::Repo,
        status: Status::Fail,
        agent: None,
        subject: None,
        message: message.into(),
        evidence: vec![Evidence { fact: format!("{}.value", check.replace('-', "_")), value: json!(true), at: None }],
        unseen: Vec::new(),
        remediation: "Change it, then audit again.".into(),
        fingerprint: fingerprint(check, None, None),
        waiver: None,
        controls: Controls::from([("ssdf-1.1".into(), vec!["PO.5.1".into(), "PS.1.1".into()])]),
        fix: Vec::new(),
    })
}

pub(crate) fn pass(code: &str, check: &str) -> Told {
    fail(code, check, Severity::Medium, "holds").with(|finding| finding.status = Status::Pass)
}

pub(crate) fn unknown(code: &str, check: &str, why: &str, how: &str) -> Told {
    fail(code, check, Severity::High, &format!("could not tell: {why}")).with(|finding| {
        finding.status = Status::Unknown;
        finding.unseen = vec![Unseen::new(why, how)];
    })
}

impl Told {
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Finding)) -> Self {
        change(&mut self.0);
        self
    }

    pub(crate) fn about(self, subject: &str) -> Self {
        self.with(|finding| {
            finding.subject = Some(subject.into());
            finding.fingerprint = fingerprint(&finding.check, None, Some(subject));
        })
    }

    pub(crate) fn at(self, file: &str, line: u32, text: &str) -> Self {
        self.with(|finding| finding.evidence[0].at = Some(Location::line(file, line, text)))
    }

    pub(crate) fn next(self, remediation: &str) -> Self {
        self.with(|finding| finding.remediation = remediation.into())
    }

    pub(crate) fn waived(self, reason: &str, owner: &str) -> Self {
        self.with(|finding| {
            finding.status = Status::Waived;
            finding.waiver = Some(WaiverNote {
                reason: reason.into(),
                owner: owner.into(),
                expires: "2030-01-31".into(),
                days_left: 40,
            });
        })
    }
}

pub(crate) fn report(told: Vec<Told>) -> Report {
    let mut findings: Vec<Finding> = told.into_iter().map(|told| told.0).collect();
    sort(&mut findings);
    let mut checks: Vec<ReportCheck> = Vec::new();
    for finding in &findings {
        if checks.iter().all(|check| check.check != finding.check) {
            checks.push(check(finding));
        }
    }
    let line = |id: &str, text: &str, codes: &[&str]| {
        tick(id, text, &codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>(), &findings)
    };
    Report {
        version: REPORT_VERSION,
        harden: "0.1.0".into(),
        time: "2030-01-02T03:04:05Z".into(),
        profile: "baseline".into(),
        scope: Scope::Host,
        os: Os::Linux,
        project: "/srv/shop".into(),
        anchor: "README.md".into(),
        agents: vec![ReportAgent {
            agent: "opencode".into(),
            user: Some("dev".into()),
            user_source: Some(UserSource::Invoker),
            workspace: "/srv/shop".into(),
        }],
        counts: counts(&findings),
        checklist: vec![
            line("1", "Agent runs from a scoped working directory (not home, not a monorepo root)", &["WSP-01"]),
            line("3", "Agent runs under a dedicated Unix user (not the developer's account)", &["USR-01"]),
            line("8", "MCP server versions are pinned; changes come with review", &["MCP-03"]),
            line("9", "Outbound traffic is filtered to the model endpoint and authorized hosts", &["NET-01"]),
            line("11", "Session logs are stored outside directories the agent can write", &["LOG-05"]),
        ],
        findings,
        problems: Vec::new(),
        checks,
    }
}

fn check(finding: &Finding) -> ReportCheck {
    ReportCheck {
        check: finding.check.clone(),
        code: finding.code.clone(),
        area: finding.code.split('-').next().unwrap_or_default().to_lowercase(),
        title: finding.title.clone(),
        severity: finding.severity,
        confidence: finding.confidence,
        scope: finding.scope,
        why: "It gives away more than the work needs.".into(),
        remediation: finding.remediation.clone(),
        controls: finding.controls.clone(),
    }
}

/// What a developer's machine looks like.
pub(crate) fn ordinary() -> Report {
    let mut told = vec![
        fail(
            "USR-01",
            "agent-user-shared-with-person",
            Severity::Critical,
            "the agent runs as `dev`, which is a person's account",
        )
        .next("Create an account for the agent alone, and name it as `agent_user` in the profile.")
        .with(|finding| finding.scope = Scope::User),
        fail(
            "MCP-07",
            "mcp-header-leaks-secret",
            Severity::Critical,
            "`tracker` sends `{env:TRACKER_TOKEN}` to `https://mcp.example.net` at start-up",
        )
        .about("tracker")
        .at("opencode.json", 12, r#"  "headers": { "Authorization": "Bearer {env:TRACKER_TOKEN}" }"#)
        .next("Remove the header, or the server; a project's file is no place for it."),
        fail(
            "STA-03",
            "state-readable-by-others",
            Severity::High,
            "`/home/dev/.local/share/opencode/opencode.db` has mode 0644",
        )
        .about("/home/dev/.local/share/opencode/opencode.db")
        .at("/home/dev/.local/share/opencode/opencode.db", 1, "")
        .next("chmod 0600 it, and start the agent with `umask 077`.")
        .with(|finding| finding.scope = Scope::User),
        fail("GEN-02", "auto-update-on", Severity::Low, "the agent updates itself").next("Set `autoupdate` to false."),
        unknown(
            "NET-01",
            "egress-unfiltered",
            "cannot list the nftables ruleset: operation not permitted",
            "run with sudo",
        ),
        unknown(
            "LOG-01",
            "commands-not-audited",
            "cannot list the audit rules: operation not permitted",
            "run with sudo",
        ),
        unknown(
            "SUP-01",
            "agent-not-on-path",
            "no program is called `opencode`",
            "install the agent, or name its launcher in the profile",
        ),
        pass("WSP-01", "workspace-unscoped"),
        pass("ENV-01", "environment-inherited"),
        fail("INS-01", "instruction-hidden-characters", Severity::Medium, "holds")
            .with(|finding| finding.status = Status::NotApplicable),
        fail("MCP-05", "mcp-plain-http", Severity::High, "`local` is reached without TLS")
            .about("local")
            .waived("loopback only", "platform team"),
        fail("WSP-02", "workspace-is-monorepo", Severity::Medium, "the project holds 14 manifests")
            .with(|finding| finding.status = Status::Known),
    ];
    for (name, line) in [("context7", 17), ("fetch", 21), ("memory", 25)] {
        told.push(
            fail(
                "MCP-03",
                "mcp-server-unpinned",
                Severity::High,
                &format!("`{name}` starts `@example/{name}` without an exact version"),
            )
            .about(name)
            .at("opencode.json", line, &format!(r#"  "command": ["npx", "-y", "@example/{name}"],"#))
            .next("Name an exact version in the server's command."),
        );
    }
    let mut report = report(told);
    report.problems.push(WaiverProblem {
        check: "MCP-05".into(),
        subject: Some("local".into()),
        problem: "ends on 2030-01-10 (8 days left); renew it with its owner, platform team".into(),
    });
    report
}

/// Names that try to be something else.
pub(crate) const HOSTILE: &[&str] = &[
    "a\u{1b}[2J\u{1b}]0;title\u{7}",
    "line\nbreak\r\n::error file=x::y",
    "::add-mask::a",
    "##[error]x",
    "\u{202e}txt.exe\u{2066}",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "＝1+1",
    "<script>alert(1)</script>",
    "</details><h1>big</h1>",
    "![x](https://evil.example/p.png)",
    "[click](javascript:alert(1))",
    "`code` @octocat #12 **b** ~~s~~ | cell |",
    "``` \n# heading",
    "]]><!-- --> &amp; \"quotes\" 'and' <",
    "--><img src=x onerror=alert(1)>",
    "https://evil.example/?q=1 www.evil.example",
    "{0} {{x}} %0A%25",
    "\u{0}nul",
    "../../etc/passwd",
    "",
    "very-long-word-without-any-place-to-break-it-that-is-longer-than-every-narrow-terminal-and-goes-on-and-on",
    "\u{feff}\u{e000}\u{e0041}\u{ffff}tag",
    "𝕳arden 漢字 é",
];

/// A repository that names its things so.
pub(crate) fn hostile() -> Report {
    let mut told = Vec::new();
    for (at, name) in HOSTILE.iter().enumerate() {
        let severity = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low][at % 4];
        let message = format!("`{name}` is bad: {name}");
        let mut one = fail("MCP-03", &format!("check-{at}"), severity, &message).about(name).next(name);
        if !name.is_empty() {
            one = one.at(name, 3, name);
        }
        told.push(one);
        told.push(unknown("NET-01", &format!("unknown-{at}"), name, name).about(name));
        told.push(fail("MCP-05", &format!("waived-{at}"), severity, &message).about(name).waived(name, name));
    }
    let mut report = report(told);
    report.project = HOSTILE.concat();
    report.profile = HOSTILE[1].into();
    report.anchor = HOSTILE[11].into();
    report.agents[0].user = Some(HOSTILE[15].into());
    for name in HOSTILE {
        let problem = WaiverProblem { check: (*name).into(), subject: Some((*name).into()), problem: (*name).into() };
        report.problems.push(problem);
    }
    report
}

/// More than any reader takes.
pub(crate) fn huge() -> Report {
    report(
        (0..30_000)
            .map(|at| {
                fail(
                    "MCP-03",
                    "mcp-server-unpinned",
                    Severity::High,
                    &format!("`server-{at:05}` starts without an exact version"),
                )
                .about(&format!("server-{at:05}"))
                .at("opencode.json", at + 1, &format!(r#""server-{at:05}": {{"#))
            })
            .collect(),
    )
}

/// Nothing was selected.
pub(crate) fn empty() -> Report {
    let mut report = report(Vec::new());
    report.agents.clear();
    report
}
