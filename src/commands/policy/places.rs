//! Where policies lie, and reading them: bounded, as text, with the line of what is wrong.

use std::path::Path;

use crate::artifact::Accepted;
use crate::catalog::{self, CatalogError, DeclarationFile};
use crate::commands::Failure;
use crate::commands::failure::cause;
use crate::facts::subject;
use crate::host::{self, CONFIG_LIMIT, RealHost};
use crate::model::{
    ACCEPTED, APPROVALS, AbsPath, Approval, Declaration, PROJECT_POLICY, Standing, narrowed, plain, redact_line,
    standing,
};

/// The machine's policy and what lies beside it.
pub(super) struct Places {
    pub(super) host: RealHost,
    pub(super) machine: AbsPath,
    pub(super) approvals: AbsPath,
    pub(super) accepted: AbsPath,
}

/// What holds for a project.
pub(super) struct Effective {
    /// The machine's policy.
    pub(super) machine: DeclarationFile,
    /// The approvals beside it that hold today.
    pub(super) approvals: Vec<Standing>,
    /// The project's own policy.
    pub(super) own: Option<DeclarationFile>,
    /// All of it together.
    pub(super) policy: Declaration,
}

impl Places {
    pub(super) fn of(machine: &Path) -> Result<Self, Failure> {
        let host =
            RealHost::live().map_err(|error| Failure::usage(format!("cannot open `/`: {}", cause(&error)), ""))?;
        let machine = full(machine)?;
        let beside =
            |file: &str| machine.parent().unwrap_or_else(AbsPath::root).join(file.rsplit('/').next().unwrap_or(file));
        Ok(Self { approvals: beside(APPROVALS), accepted: beside(ACCEPTED), machine, host })
    }

    fn text(&self, path: &AbsPath) -> Result<Option<String>, Failure> {
        host::read_text(&self.host, path, None, CONFIG_LIMIT).map_err(|error| {
            Failure::usage(
                format!("cannot read `{path}`: {}", cause(&error)),
                "run with sudo, or look at the file by hand",
            )
        })
    }

    /// Reads a policy that has to be there.
    pub(super) fn policy(&self, path: &AbsPath) -> Result<DeclarationFile, Failure> {
        let next = "`sudo harden apply` writes the machine's policy; `harden schema policy` describes one";
        let text = self.text(path)?.ok_or_else(|| Failure::usage(format!("there is no policy `{path}`"), next))?;
        Ok(DeclarationFile::parse(&path.text(), &text)?)
    }

    /// A policy that may be missing.
    pub(super) fn policy_if_there(&self, path: &AbsPath) -> Result<Option<DeclarationFile>, Failure> {
        let text = self.text(path)?;
        Ok(text.map(|text| DeclarationFile::parse(&path.text(), &text)).transpose()?)
    }

    /// The text of the approvals beside the machine's policy, and those that are not revoked.
    pub(super) fn approvals(&self) -> Result<(Option<String>, Vec<Standing>), Failure> {
        let text = self.text(&self.approvals)?;
        let all = standing(text.as_deref().unwrap_or_default())
            .map_err(|(line, why)| bad_line(&self.approvals, line, &why))?;
        Ok((text, all))
    }

    /// The policy that was accepted last.
    pub(super) fn accepted(&self) -> Result<Option<Accepted>, Failure> {
        let text = self.text(&self.accepted)?.unwrap_or_default();
        Accepted::last(&text).map_err(|(line, why)| bad_line(&self.accepted, line, &why))
    }

    /// The project around a folder.
    pub(super) fn project(&self, folder: Option<&Path>) -> Result<AbsPath, Failure> {
        let folder = full(folder.unwrap_or(Path::new(".")))?;
        let top = subject::git_top(&self.host, &folder).map_err(|error| {
            Failure::usage(format!("cannot tell the project of `{folder}`: {}", cause(&error)), "name its folder")
        })?;
        Ok(top.unwrap_or(folder))
    }

    /// What holds for a project. Its own policy is read inside of it: no link leads out.
    pub(super) fn effective(&self, project: &AbsPath) -> Result<Effective, Failure> {
        let machine = self.policy(&self.machine)?;
        let today = catalog::today();
        let (_, mut approvals) = self.approvals()?;
        approvals.retain(|one| one.approval.holds_on(today));
        let own = project.join(PROJECT_POLICY);
        let text = host::read_text(&self.host, &own, Some(project), CONFIG_LIMIT).map_err(|error| {
            Failure::usage(format!("cannot read `{own}`: {}", cause(&error)), "look at the file by hand")
        })?;
        let own = text.map(|text| DeclarationFile::parse(&own.text(), &text)).transpose()?;
        let mut policy = with_approvals(&machine.declaration, &approvals);
        if let Some(own) = &own {
            policy = narrowed(&policy, &own.declaration);
        }
        Ok(Effective { machine, approvals, own, policy })
    }
}

/// The machine's policy with what people have approved.
pub(super) fn with_approvals(machine: &Declaration, approvals: &[Standing]) -> Declaration {
    let mut policy = machine.clone();
    let given = approvals.iter().map(|one| one.approval.clone());
    let all: Vec<Approval> = policy.approvals.take().unwrap_or_default().into_iter().chain(given).collect();
    policy.approvals = Some(all);
    policy
}

fn bad_line(path: &AbsPath, line: usize, why: &str) -> Failure {
    let message = format!("`{path}:{line}` is not understood: {}", plain(&redact_line(why)));
    CatalogError::file(&path.text(), message, "look at the line by hand; nothing was added to the file").into()
}

/// A path in full, whether or not the last part of it is there.
pub(super) fn full(path: &Path) -> Result<AbsPath, Failure> {
    let whole = path.canonicalize().or_else(|_| std::path::absolute(path));
    whole
        .ok()
        .and_then(AbsPath::new)
        .ok_or_else(|| Failure::usage(format!("`{}` is no path", path.display()), "name a file"))
}
