//! The recorded runs that a plan selects: for each run of the plan, the one with an equal configuration.
//!
//! Records may also have runs of earlier versions of the sweep file. These are not selected, since they would differ
//! from the runs of the plan in more than the block.

use std::collections::HashSet;

use results::{Frames, RunRow};

use crate::error::Error;
use crate::run::identity::{configuration, without_paths};
use experiment::plan::{Plan, Run};

/// The row of `run`: the latest if it was run on several data sets; `None` if it is not recorded.
///
/// # Errors
/// If the configuration of `run` cannot be serialised.
pub fn row_of<'a>(run: &Run, rows: &'a [RunRow]) -> Result<Option<&'a RunRow>, Error> {
    let configuration = configuration(run)?;
    let configuration = without_paths(&configuration);
    let own = rows
        .iter()
        .filter(|row| without_paths(&row.config) == configuration);
    Ok(own.max_by_key(|row| &row.started))
}

/// The rows of `frames` that belong to runs of `plan`.
///
/// # Errors
/// If the configuration of a run cannot be serialised.
pub fn frames_of(plan: &Plan, frames: &Frames) -> Result<Frames, Error> {
    let mut selected = HashSet::new();
    for run in plan.runs.iter().chain(&plan.further) {
        let row = row_of(run, frames.runs())?;
        selected.extend(row.map(|row| row.run.clone()));
    }
    Ok(frames.of_runs(&selected))
}
