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

use super::planned::planned;
use super::terminal_table::terminal_table;
use crate::cli::arguments::Planned;

/// Shows how far each run is.
pub fn status(options: &Planned) -> Result<Conclusion, Error> {
    let (plan, folders) = planned(options)?;
    let records = Records::open(folders.records())?;
    let rows = records.read::<RunRow>()?;
    // The names of runs under way follow from the data. Without records nothing is under way, and nothing is prepared.
    let dataset = records
        .folder()
        .is_dir()
        .then(|| sweep::prepare(&plan, 1, &folders))
        .transpose()?;
    let mut lines = Vec::new();
    for run in &plan.runs {
        let label = &run.label;
        let [state, detail] = state(&plan, run, &rows, &records, dataset.as_ref())?;
        lines.push(vec![
            label.size.clone(),
            label.block.clone(),
            label.seed.to_string(),
            state,
            detail,
        ]);
    }
    println!(
        "{}",
        terminal_table(&["size", "block", "seed", "state", ""], 5, lines)
    );
    Ok(Conclusion::Complete)
}

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
