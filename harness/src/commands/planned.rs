//! From arguments to a plan.

use harness::error::Error;
use harness::folders::Folders;
use harness::plan::{Plan, Run};
use harness::sweep_file::{Sweep, suggest};

use crate::arguments::{Filter, Place, Planned};

/// The plan that the arguments ask for, and where its output lies.
pub fn planned(options: &Planned) -> Result<(Plan, Folders), Error> {
    let (plan, folders) = whole(&options.place)?;
    Ok((filtered(plan, &options.filter)?, folders))
}

/// The plan of a whole sweep.
pub fn whole(place: &Place) -> Result<(Plan, Folders), Error> {
    let plan = Plan::new(Sweep::load(&place.sweep)?)?;
    let folders = Folders::new(&place.output, &plan.sweep.name);
    Ok((plan, folders))
}

fn filtered(mut plan: Plan, filter: &Filter) -> Result<Plan, Error> {
    let label = |pick: fn(&Run) -> String| plan.runs.iter().map(pick).collect::<Vec<_>>();
    known("--only", &filter.only, &label(|run| run.cell.block.clone()))?;
    known("--size", &filter.size, &label(|run| run.cell.size.clone()))?;
    let seeds: Vec<String> = filter.seed.iter().map(u64::to_string).collect();
    known("--seed", &seeds, &label(|run| run.cell.seed.to_string()))?;
    plan.runs.retain(|run| {
        let cell = &run.cell;
        (filter.only.is_empty() || filter.only.contains(&cell.block))
            && (filter.size.is_empty() || filter.size.contains(&cell.size))
            && (filter.seed.is_empty() || filter.seed.contains(&cell.seed))
    });
    Ok(plan)
}

/// A filter that matches nothing is a mistake, not an empty sweep.
pub fn known(argument: &str, asked: &[String], all: &[String]) -> Result<(), Error> {
    let Some(stray) = asked.iter().find(|label| !all.contains(label)) else {
        return Ok(());
    };
    let mut choices: Vec<&str> = Vec::new();
    for label in all {
        if !choices.contains(&label.as_str()) {
            choices.push(label);
        }
    }
    Err(Error::Argument {
        argument: format!("{argument} {stray}"),
        problem: "is not in the sweep".to_owned(),
        remedy: suggest(stray, &choices),
    })
}
