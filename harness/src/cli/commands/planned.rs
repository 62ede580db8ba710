//! From arguments to a plan.

use experiment::plan::{Plan, Run};
use experiment::sweep_file::{Sweep, suggest};
use harness::error::Error;
use harness::record::folders::Folders;

use crate::cli::arguments::{Planned, RunFilter, SweepLocation};

/// The plan that the arguments select, and the folders of its output.
pub fn planned(options: &Planned) -> Result<(Plan, Folders), Error> {
    let (plan, folders) = whole(&options.location)?;
    Ok((filtered(plan, &options.filter)?, folders))
}

/// The plan of a whole sweep.
pub fn whole(location: &SweepLocation) -> Result<(Plan, Folders), Error> {
    let plan = Plan::new(Sweep::load(&location.sweep)?)?;
    let folders = Folders::new(&location.output, &plan.sweep.name);
    Ok((plan, folders))
}

fn filtered(mut plan: Plan, filter: &RunFilter) -> Result<Plan, Error> {
    let label = |pick: fn(&Run) -> String| plan.runs.iter().map(pick).collect::<Vec<_>>();
    known(
        "--only",
        &filter.only,
        &label(|run| run.label.block.clone()),
    )?;
    known("--size", &filter.size, &label(|run| run.label.size.clone()))?;
    let seeds: Vec<String> = filter.seed.iter().map(u64::to_string).collect();
    known("--seed", &seeds, &label(|run| run.label.seed.to_string()))?;
    plan.runs.retain(|run| {
        let label = &run.label;
        (filter.only.is_empty() || filter.only.contains(&label.block))
            && (filter.size.is_empty() || filter.size.contains(&label.size))
            && (filter.seed.is_empty() || filter.seed.contains(&label.seed))
    });
    if plan.runs.is_empty() {
        return Err(Error::Argument {
            argument: "--only with --size".to_owned(),
            problem: "leaves no run: no such block is at such a size".to_owned(),
            remedy: "drop one of the two".to_owned(),
        });
    }
    Ok(plan)
}

/// A filter that matches nothing is a mistake, not an empty sweep.
pub fn known(argument: &str, given: &[String], all: &[String]) -> Result<(), Error> {
    let Some(unknown) = given.iter().find(|label| !all.contains(label)) else {
        return Ok(());
    };
    let mut choices: Vec<&str> = Vec::new();
    for label in all {
        if !choices.contains(&label.as_str()) {
            choices.push(label);
        }
    }
    Err(Error::Argument {
        argument: format!("{argument} {unknown}"),
        problem: "is not in the sweep".to_owned(),
        remedy: suggest(unknown, &choices),
    })
}
