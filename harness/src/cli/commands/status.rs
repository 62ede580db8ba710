//! `isoflop status`.

use std::collections::HashSet;
use std::time::SystemTime;

use experiment::plan::{Plan, Run};
use experiment::quantity::{count, duration};
use harness::error::Error;
use harness::record::folders::Folders;
use harness::record::run_row::FINISHED;
use harness::record::selection::row_of;
use harness::run::claim::{Claims, Found};
use harness::run::conclusion::Conclusion;
use harness::run::data::{Datasets, Purpose};
use harness::run::identity::{RunId, configuration, run_id};
use results::{Records, RunRow, StepRow};

use super::selected_plan::selected_plan;
use super::terminal_table::terminal_table;
use crate::cli::arguments::SweepSelection;
use crate::cli::output::print;

/// State of one run.
struct State {
    name: &'static str,
    detail: String,
    /// Training FLOPs that are left.
    flops_left: f64,
    /// Training FLOPs per second of the process that executes it; 0 if none does.
    flop_per_s: f64,
}

/// Prints the state of each run, who executes it, and the time that is left.
///
/// # Errors
/// If an argument is invalid, or records, claims or data cannot be read.
pub fn status(options: &SweepSelection) -> Result<Conclusion, Error> {
    let (plan, folders) = selected_plan(options)?;
    let recorded = Recorded::read(&plan, &folders)?;
    let mut rows = Vec::new();
    let mut states = Vec::new();
    for run in &plan.runs {
        let state = recorded.state(run)?;
        let label = &run.label;
        rows.push(vec![
            label.size.clone(),
            label.block.clone(),
            label.seed.to_string(),
            state.name.to_owned(),
            state.detail.clone(),
        ]);
        states.push(state);
    }
    print(terminal_table(
        &["size", "block", "seed", "state", ""],
        5,
        rows,
    ))?;
    print(summary(&states))?;
    Ok(Conclusion::Complete)
}

/// One line about all runs.
fn summary(states: &[State]) -> String {
    let of = |name: &str| states.iter().filter(|state| state.name == name).count();
    let mut parts = vec![format!(
        "{} of {} runs finished",
        of("finished"),
        states.len()
    )];
    for name in ["failed", "running", "stopped"] {
        if of(name) > 0 {
            parts.push(format!("{} {name}", of(name)));
        }
    }
    let rate: f64 = states.iter().map(|state| state.flop_per_s).sum();
    let left: f64 = states.iter().map(|state| state.flops_left).sum();
    if rate > 0.0 {
        parts.push(format!(
            "{} FLOP/s together, about {} of training left",
            count(rate),
            duration(left / rate)
        ));
    }
    parts.join(", ")
}

/// What the folder of a sweep has about its runs.
struct Recorded {
    rows: Vec<RunRow>,
    records: Records,
    /// The name of an unfinished run depends on the data, which are prepared only if there are records.
    datasets: Option<Datasets>,
    claims: Claims,
    claimed: HashSet<RunId>,
}

impl Recorded {
    fn read(plan: &Plan, folders: &Folders) -> Result<Self, Error> {
        let records = Records::open(folders.records())?;
        let claims = Claims::new(folders.claims());
        let prepare = || Datasets::new(plan, Purpose::Evaluation, folders);
        Ok(Self {
            rows: records.read()?,
            datasets: records.folder().is_dir().then(prepare),
            claimed: claims.runs()?,
            claims,
            records,
        })
    }

    fn state(&self, run: &Run) -> Result<State, Error> {
        let state = |name, detail, steps_done: u64| State {
            name,
            detail,
            flops_left: flops_per_step(run)
                * (run.budget.steps as u64).saturating_sub(steps_done) as f64,
            flop_per_s: 0.0,
        };
        let id = match &self.datasets {
            Some(datasets) => Some(run_id(&configuration(run)?, &*datasets.of(run)?)),
            None => None,
        };
        let claim = match id.as_ref().filter(|id| self.claimed.contains(*id)) {
            Some(id) => self.claims.found(id, SystemTime::now())?,
            None => None,
        };
        if let (Some(id), Some(found)) = (&id, claim.as_ref().filter(|found| !found.stale)) {
            return Ok(self.running(run, id, found));
        }
        if let Some(row) = row_of(run, &self.rows)? {
            return Ok(match row.status == FINISHED {
                true => {
                    let wall = duration(row.train_wall_s + row.eval_wall_s);
                    let detail = format!("validation loss {:.3}, {wall}", row.val_loss);
                    state("finished", detail, run.budget.steps as u64)
                }
                false => state("failed", row.reason.clone(), row.steps),
            });
        }
        let steps = match &id {
            Some(id) => self.records.read_run::<StepRow>(id)?,
            None => Vec::new(),
        };
        if let Some(last) = steps.last() {
            let holder = claim.and_then(|found| found.holder);
            let by = holder.map_or_else(String::new, |holder| format!(" by {}", holder.process));
            let detail = format!(
                "at step {} of {}, loss {:.3}{by}; `isoflop sweep` continues it",
                last.step, run.budget.steps, last.loss
            );
            return Ok(state("stopped", detail, last.step));
        }
        let label = &run.label;
        let other = self.rows.iter().any(|row| {
            row.size == label.size && row.block == label.block && row.seed == label.seed
        });
        let detail = match other {
            true => "recorded with another configuration only",
            false => "",
        };
        Ok(state("missing", detail.to_owned(), 0))
    }

    /// The state of a run that another process executes, as it last reported.
    fn running(&self, run: &Run, id: &str, found: &Found) -> State {
        let activity = self.claims.activity(id).unwrap_or_default();
        let steps = run.budget.steps as u64;
        let mut detail = format!("{}, step {} of {steps}", activity.phase, activity.step);
        if activity.loss != 0.0 {
            detail += &format!(", loss {:.3}", activity.loss);
        }
        if let Some(left) = activity.seconds_left().filter(|left| *left > 0.0) {
            let rate = count(activity.steps_per_s);
            detail += &format!(", {rate} steps/s, {} left", duration(left));
        }
        if let Some(holder) = &found.holder {
            detail += &format!("; {}", holder.process);
        }
        State {
            name: "running",
            detail,
            flops_left: flops_per_step(run) * steps.saturating_sub(activity.step) as f64,
            flop_per_s: flops_per_step(run) * activity.steps_per_s,
        }
    }
}

fn flops_per_step(run: &Run) -> f64 {
    run.budget.train_flops / run.budget.steps.max(1) as f64
}
