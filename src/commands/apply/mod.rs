//! `harden plan`, `apply`, `rollback`, `runs`, `drift`, `confirm`: the commands that may change the machine.

mod drift;
mod planned;
mod rollback;
mod run;
mod runs;
mod saved;
mod site;
mod stores;
mod timer;

use std::process::ExitCode;

use serde_json::{Value, json};

use self::planned::Planned;
use super::{Failure, terminal};
use crate::cli::{Color, PlanArgs, TextOrJson};
use crate::model::Step;
use crate::{plan, report};

pub(super) use self::rollback::run as rollback;
pub(super) use self::run::run as apply;
pub(super) use self::runs::{confirm, drift, list as runs};

/// Said first of a run that did not happen.
const NOTHING: &str = "nothing was changed";

/// Shows what would be changed.
pub(super) fn plan(args: &PlanArgs, color: Color) -> Result<ExitCode, Failure> {
    let planned = planned::plan(planned::asked(&args.planning)?)?;
    if let Some(file) = &args.out {
        saved::save(file, &planned.plan)?;
    }
    show(&planned, args.planning.format, color)?;
    Ok(if planned.plan.steps.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn show(planned: &Planned, format: TextOrJson, color: Color) -> Result<(), Failure> {
    let text = match format {
        TextOrJson::Json => terminal::json(&as_json(planned)),
        TextOrJson::Text => {
            let diff = |step: &Step| plan::diff(step, &planned.contents);
            report::plan(&planned.plan, &diff, terminal::look(color))
        }
    };
    Ok(terminal::print(&text)?)
}

/// The plan with the diff of each step, and without what it would write: the diff shows that.
fn as_json(planned: &Planned) -> Value {
    let mut value = serde_json::to_value(&planned.plan).expect("plain data");
    if let Some(steps) = value["steps"].as_array_mut() {
        for (shown, step) in steps.iter_mut().zip(&planned.plan.steps) {
            shown["says"] = json!(step.action.says());
            shown["diff"] = json!(plan::diff(step, &planned.contents));
        }
    }
    value
}
