//! The plan that command line arguments select.

use experiment::plan::{Plan, Run, RunLabel};
use experiment::sweep_file::{Sweep, suggest};
use harness::error::Error;
use harness::record::folders::Folders;
use harness::run::tuning::plan_with_picks;

use crate::cli::arguments::{RunFilter, SweepLocation, SweepSelection};

/// The plan that the arguments select, and its output folders.
///
/// # Errors
/// If the sweep file is invalid, or the filter matches no run.
pub fn selected_plan(options: &SweepSelection) -> Result<(Plan, Folders), Error> {
    let (plan, folders) = whole_plan(&options.location)?;
    let plan = filtered(plan, &options.filter)?;
    Ok((with_runs(plan, &options.run)?, folders))
}

/// The plan of a whole sweep with the training settings that were picked so far, and its output folders.
///
/// # Errors
/// If the sweep file is invalid, or rows of trials cannot be read.
pub fn whole_plan(location: &SweepLocation) -> Result<(Plan, Folders), Error> {
    let plan = Plan::new(Sweep::load_with(&location.sweep, &location.changes.set)?)?;
    let folders = Folders::new(&location.output, &plan.sweep.name);
    // Runs whose search has not ended are not recorded: a rejected law concerns those that train alone.
    let (plan, _) = plan_with_picks(plan, &location.output)?;
    Ok((plan, folders))
}

fn filtered(mut plan: Plan, filter: &RunFilter) -> Result<Plan, Error> {
    let label = |pick: fn(&Run) -> String| plan.runs.iter().map(pick).collect::<Vec<_>>();
    check_labels(
        "--only",
        &filter.only,
        &label(|run| run.label.block.clone()),
    )?;
    check_labels("--size", &filter.size, &label(|run| run.label.size.clone()))?;
    let seeds: Vec<String> = filter.seed.iter().map(u64::to_string).collect();
    check_labels("--seed", &seeds, &label(|run| run.label.seed.to_string()))?;
    let is_selected = |run: &Run| {
        let label = &run.label;
        (filter.only.is_empty() || filter.only.contains(&label.block))
            && (filter.size.is_empty()
                || filter.size.contains(&run.size)
                || filter.size.contains(&label.size))
            && (filter.seed.is_empty() || filter.seed.contains(&label.seed))
    };
    plan.runs.retain(is_selected);
    plan.further.retain(is_selected);
    if plan.runs.is_empty() {
        return Err(Error::Argument {
            argument: "--only with --size".to_owned(),
            problem: "selects no run: the sweep has none of these blocks at these sizes".to_owned(),
            remedy: "remove one of the two".to_owned(),
        });
    }
    Ok(plan)
}

/// The name of a run within its sweep, `SIZE/BLOCK/SEED`.
pub fn run_name(label: &RunLabel) -> String {
    format!("{}/{}/{}", label.size, label.block, label.seed)
}

/// The plan with the runs named `names` only; all if there are no names.
fn with_runs(mut plan: Plan, names: &[String]) -> Result<Plan, Error> {
    if names.is_empty() {
        return Ok(plan);
    }
    let all = plan.runs.iter().chain(&plan.further);
    let all: Vec<String> = all.map(|run| run_name(&run.label)).collect();
    check_labels("--run", names, &all)?;
    plan.runs.append(&mut plan.further);
    plan.runs
        .retain(|run| names.contains(&run_name(&run.label)));
    Ok(plan)
}

/// Checks that every label in `given`, a value of the option `argument`, is in `all`.
///
/// # Errors
/// Names the first unknown label, and suggests a similar one or lists all.
pub fn check_labels(argument: &str, given: &[String], all: &[String]) -> Result<(), Error> {
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
