//! Which of the recorded runs a plan means: one for each cell.
//!
//! Records outlive the sweep file they came from. Of several runs of one cell, one of the plan's own configuration is
//! meant; failing that, the latest, so that a report can be made after the file was edited.

use std::collections::HashSet;

use results::{Frames, RunRow};

use crate::error::Error;
use crate::identity::configuration;
use crate::plan::{Plan, Run};

/// The row that stands for `run`, and whether it is of the plan's configuration.
pub fn row_of<'a>(
    plan: &Plan,
    run: &Run,
    rows: &'a [RunRow],
) -> Result<Option<(&'a RunRow, bool)>, Error> {
    let configuration = configuration(plan, run)?;
    let cell = &run.cell;
    let in_cell = rows
        .iter()
        .filter(|row| row.size == cell.size && row.block == cell.block && row.seed == cell.seed);
    let latest = in_cell.max_by_key(|row| (row.config == configuration, &row.started));
    Ok(latest.map(|row| (row, row.config == configuration)))
}

/// The frames of the runs that `plan` means.
pub fn frames_of(plan: &Plan, frames: &Frames) -> Result<Frames, Error> {
    let mut runs = Vec::new();
    for run in &plan.runs {
        runs.extend(row_of(plan, run, frames.runs())?.map(|(row, _)| row.clone()));
    }
    let meant: HashSet<String> = runs.iter().map(|row| row.run.clone()).collect();
    fn of<R: results::Row>(rows: &[R], meant: &HashSet<String>) -> Vec<R> {
        rows.iter()
            .filter(|row| meant.contains(row.run()))
            .cloned()
            .collect()
    }
    Ok(Frames::new(
        runs,
        of(frames.steps(), &meant),
        of(frames.scores(), &meant),
        of(frames.items(), &meant),
        of(frames.usage(), &meant),
    ))
}
