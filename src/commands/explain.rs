//! `harden explain`.

use std::collections::BTreeSet;
use std::process::ExitCode;

use super::{Failure, terminal};
use crate::catalog::{self, Types};
use crate::cli::{Color, Explain, TextOrJson};
use crate::facts::PROBES;
use crate::model::{Check, Controls};
use crate::report::{self, Explanation, NamedControl};

/// Says what a check looks for, why, and what to do.
pub(super) fn run(args: &Explain, color: Color) -> Result<ExitCode, Failure> {
    let types = Types::default();
    let mut checks = catalog::checks(&types)?;
    for folder in &args.checks {
        checks = catalog::add_dir(&types, checks, folder)?;
    }
    let wanted = args.check.trim();
    let found = checks.values().find(|check| check.id == wanted || check.code.eq_ignore_ascii_case(wanted));
    let check = found.ok_or_else(|| {
        let names = checks.values().flat_map(|check| [check.id.as_str(), check.code.as_str()]);
        let near = catalog::nearest(wanted, names).map(|near| format!("did you mean `{near}`? "));
        let help = format!("{}`harden list checks` names them", near.unwrap_or_default());
        Failure::usage(format!("no check is called `{wanted}`"), help)
    })?;
    let explanation = Explanation::new(check, facts(check), controls(&check.controls)?);
    let text = match args.format {
        TextOrJson::Json => terminal::json(&explanation),
        TextOrJson::Text => report::explain(&explanation, terminal::look(color)),
    };
    terminal::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The facts that a check names.
fn facts(check: &Check) -> Vec<(String, String)> {
    let conditions = check.when.iter().chain([&check.require]).flat_map(|condition| condition.paths());
    let heads: BTreeSet<&str> =
        conditions.chain(check.for_each.as_deref()).filter_map(|path| path.split('.').next()).collect();
    let named = PROBES.iter().filter(|probe| heads.contains(probe.name));
    named.map(|probe| (probe.name.to_owned(), probe.about.to_owned())).collect()
}

fn controls(controls: &Controls) -> Result<Vec<NamedControl>, Failure> {
    let frameworks = catalog::frameworks()?;
    let mut named = Vec::new();
    for (id, wanted) in controls {
        let framework = frameworks.iter().find(|framework| framework.framework == *id);
        for control in wanted {
            let known = framework.and_then(|framework| framework.controls.iter().find(|known| known.id == *control));
            named.push(NamedControl {
                framework: id.clone(),
                title: framework.map(|framework| framework.title.clone()).unwrap_or_default(),
                id: control.clone(),
                name: known.map(|known| known.name.clone()).unwrap_or_default(),
            });
        }
    }
    Ok(named)
}
