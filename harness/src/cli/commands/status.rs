//! `isoflop status`.

use experiment::plan::{Plan, Run};
use experiment::quantity::duration;
use harness::error::Error;
use harness::record::run_row::FINISHED;
use harness::record::selection::row_of;
use harness::run::conclusion::Conclusion;
use harness::run::identity::{configuration, run_id};
use harness::run::sweep;
use results::{Records, RunRow, StepRow};
use suites::Dataset;

use super::selected_plan::selected_plan;
use super::terminal_table::terminal_table;
use crate::cli::arguments::SweepSelection;
use crate::cli::output::print;

/// Prints the state of each run.
///
/// # Errors
/// If an argument is invalid, or records or data cannot be read.
pub fn status(options: &SweepSelection) -> Result<Conclusion, Error> {
    let (plan, folders) = selected_plan(options)?;
    let records = Records::open(folders.records())?;
    let rows = records.read::<RunRow>()?;
    // The name of an unfinished run depends on the data, which are prepared only if there are records.
    let dataset = records
        .folder()
        .is_dir()
        .then(|| sweep::prepare(&plan, 1, &folders))
        .transpose()?;
    let mut states = Vec::new();
    for run in &plan.runs {
        let label = &run.label;
        let [state, detail] = state(&plan, run, &rows, &records, dataset.as_ref())?;
        states.push(vec![
            label.size.clone(),
            label.block.clone(),
            label.seed.to_string(),
            state,
            detail,
        ]);
    }
    print(terminal_table(
        &["size", "block", "seed", "state", ""],
        5,
        states,
    ))?;
    Ok(Conclusion::Complete)
}

/// The state of `run` and a detail of it.
fn state(
    plan: &Plan,
    run: &Run,
    rows: &[RunRow],
    records: &Records,
    dataset: Option<&Dataset>,
) -> Result<[String; 2], Error> {
    let row = row_of(plan, run, rows)?;
    if let Some(row) = row {
        let detail = match row.status == FINISHED {
            true => format!(
                "validation loss {:.3}, {}",
                row.val_loss,
                duration(row.train_wall_s + row.eval_wall_s)
            ),
            false => row.reason.clone(),
        };
        return Ok([row.status.clone(), detail]);
    }
    let steps = match dataset {
        Some(dataset) => {
            records.read_run::<StepRow>(&run_id(&configuration(plan, run)?, dataset))?
        }
        None => Vec::new(),
    };
    if let Some(last) = steps.last() {
        let detail = format!(
            "step {} of {}, loss {:.3}",
            last.step, run.budget.steps, last.loss
        );
        return Ok(["begun".to_owned(), detail]);
    }
    let label = &run.label;
    let other = rows
        .iter()
        .any(|row| row.size == label.size && row.block == label.block && row.seed == label.seed);
    let detail = if other {
        "recorded with another configuration only"
    } else {
        ""
    };
    Ok(["missing".to_owned(), detail.to_owned()])
}
