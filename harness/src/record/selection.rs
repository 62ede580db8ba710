//! Which of the recorded runs a plan selects: one for each cell, of the plan's own configuration.
//!
//! Records outlive the sweep file they came from. A run of an edited configuration is another run: beside the plan's own
//! it would differ in more than its block.

use std::collections::HashSet;

use results::{Frames, RunRow};

use crate::error::Error;
use crate::run::identity::configuration;
use experiment::plan::{Plan, Run};

/// The row of `run`; of several on different data the latest.
pub fn row_of<'a>(plan: &Plan, run: &Run, rows: &'a [RunRow]) -> Result<Option<&'a RunRow>, Error> {
    let configuration = configuration(plan, run)?;
    let own = rows.iter().filter(|row| row.config == configuration);
    Ok(own.max_by_key(|row| &row.started))
}

/// The frames of the runs of `plan`.
pub fn frames_of(plan: &Plan, frames: &Frames) -> Result<Frames, Error> {
    let mut runs = Vec::new();
    for run in &plan.runs {
        runs.extend(row_of(plan, run, frames.runs())?.cloned());
    }
    let selected: HashSet<String> = runs.iter().map(|row| row.run.clone()).collect();
    fn of<R: results::Row>(rows: &[R], selected: &HashSet<String>) -> Vec<R> {
        rows.iter()
            .filter(|row| selected.contains(row.run()))
            .cloned()
            .collect()
    }
    Ok(Frames::new(
        runs,
        of(frames.steps(), &selected),
        of(frames.scores(), &selected),
        of(frames.items(), &selected),
        of(frames.usage(), &selected),
    )
    .with_matches(of(frames.matches(), &selected)))
}
