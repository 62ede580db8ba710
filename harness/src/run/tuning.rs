//! The search of training settings by `[tune]`: which trials are next, and the plan with what was picked.
//!
//! Trials are runs in a folder of their own, `<sweep>-tuning`, recorded and resumed as all runs are. What was picked follows from
//! their rows alone, so that several processes that search together pick the same.

use std::collections::HashMap;
use std::path::Path;

use experiment::plan::{Plan, Run};
use experiment::sweep_file::{TuneConfig, TunedBy};
use experiment::tuning::cells::{Cell, Picks, cells, trial_plan, tuning_name, with_picks};
use experiment::tuning::search::{Outcome, Search, search};
use results::study::scores::answer_loss;
use results::{ItemRow, Records, RunRow};

use crate::error::Error;
use crate::record::folders::Folders;
use crate::record::run_row::FINISHED;
use crate::run::identity::{configuration, without_paths};

/// The search of the runs of a plan, as far as it is recorded.
pub struct TuningState {
    /// The blocks at the sizes that are searched.
    pub cells: Vec<Cell>,
    /// What was picked so far.
    pub picks: Picks,
    /// The trials that are needed next; none if the search has ended.
    pub next: Option<Plan>,
}

/// The folders of the trials of the sweep of `plan` under `output`.
pub fn tuning_folders(plan: &Plan, output: &Path) -> Folders {
    Folders::new(output, &tuning_name(&plan.sweep.name))
}

/// The state of the search of `plan`, whose sweep has the section `tune`.
///
/// # Errors
/// If rows of trials cannot be read.
pub fn state(plan: &Plan, tune: &TuneConfig, output: &Path) -> Result<TuningState, Error> {
    let records = Records::open(tuning_folders(plan, output).records())?;
    let rows = records.read::<RunRow>()?.into_iter();
    let recorded = Recorded {
        plan: trial_plan(&plan.sweep, tune, Vec::new()),
        by: tune.by,
        rows: rows
            .map(|row| (without_paths(&row.config).into_owned(), row))
            .collect(),
        records,
    };
    let cells = cells(plan)?;
    let mut picks = Picks::new();
    let mut next: Vec<Run> = Vec::new();
    for cell in &cells {
        match recorded.search(cell, tune)? {
            Search::Picked(pick) => {
                picks.insert(cell.name(), *pick);
            }
            Search::Trials(trials) => {
                next.extend(trials.into_iter().map(|training| cell.trial(training)));
            }
        }
    }
    let next = (!next.is_empty()).then_some(Plan {
        runs: next,
        ..recorded.plan
    });
    Ok(TuningState { cells, picks, next })
}

/// `plan` with the settings that were picked so far, and whether the law of transferred rates is good enough: where it is not, no run
/// that needs it should be trained.
///
/// # Errors
/// If rows of trials cannot be read.
pub fn plan_with_picks(plan: Plan, output: &Path) -> Result<(Plan, Result<(), Error>), Error> {
    let Some(tune) = plan.sweep.tune.clone() else {
        return Ok((plan, Ok(())));
    };
    let TuningState { cells, picks, .. } = state(&plan, &tune, output)?;
    match with_picks(plan.clone(), &cells, &picks) {
        Ok(plan) => Ok((plan, Ok(()))),
        Err(rejected) => Ok((plan, Err(rejected.into()))),
    }
}

struct Recorded {
    /// The plan of trials, without runs.
    plan: Plan,
    by: TunedBy,
    /// By configuration without paths.
    rows: HashMap<String, RunRow>,
    records: Records,
}

impl Recorded {
    fn search(&self, cell: &Cell, tune: &TuneConfig) -> Result<Search, Error> {
        // The closure of the search cannot fail: it leaves its error here.
        let failed = std::cell::RefCell::new(None);
        let outcome = |training: &experiment::training::TrainingConfig| {
            let outcome = self.outcome(&cell.trial(training.clone()));
            outcome.unwrap_or_else(|error| {
                failed.replace(Some(error));
                None
            })
        };
        let state = search(tune, &cell.run.training, cell.has_tables, &outcome);
        match failed.take() {
            Some(error) => Err(error),
            None => Ok(state),
        }
    }

    /// The result of a trial; none if it has not ended.
    fn outcome(&self, trial: &Run) -> Result<Option<Outcome>, Error> {
        let configuration = configuration(trial)?;
        let Some(row) = self.rows.get(without_paths(&configuration).as_ref()) else {
            return Ok(None);
        };
        let loss = match self.by {
            _ if row.status != FINISHED => None,
            TunedBy::ValidationLoss => Some(row.val_loss),
            TunedBy::AnswerLoss => answer_loss(&self.records.read_run::<ItemRow>(&row.run)?),
        };
        Ok(Some(Outcome {
            run: row.run.clone(),
            loss,
            train_flops: row.train_flops,
        }))
    }
}
