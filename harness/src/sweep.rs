//! The loop over the runs of a plan: what is missing is done, what failed is tried again.

use std::collections::HashSet;
use std::time::Instant;

use results::{Records, RunRow};
use suites::Dataset;

use crate::attempt::{Bench, Failure, attempt};
use crate::budget::Tokens;
use crate::clock;
use crate::conclusion::Conclusion;
use crate::error::Error;
use crate::folders::Folders;
use crate::identity::{RunId, configuration, run_id};
use crate::plan::Plan;
use crate::progress::{Ending, Progress};
use crate::run_row::{Circumstances, FINISHED};

/// Tokenizer, suites and at least `tokens` tokens of a plan, from the cache where they are.
pub fn prepare(plan: &Plan, tokens: Tokens, folders: &Folders) -> Result<Dataset, Error> {
    let data = &plan.sweep.data;
    let dataset = Dataset::prepare(
        &data.suites,
        data.seed,
        data.vocab_size,
        tokens,
        &folders.cache(),
    )?;
    tracing::info!(
        fingerprint = dataset.fingerprint,
        tokens = dataset.train.len(),
        "data are prepared"
    );
    Ok(dataset)
}

/// The names of the runs that have finished.
pub fn finished(records: &Records) -> Result<HashSet<RunId>, Error> {
    let rows = records.read::<RunRow>()?.into_iter();
    Ok(rows
        .filter(|row| row.status == FINISHED)
        .map(|row| row.run)
        .collect())
}

/// Does the runs of `plan` that are not finished.
pub fn sweep(
    plan: &Plan,
    bench: &Bench,
    circumstances: &Circumstances,
    progress: &mut dyn Progress,
) -> Result<Conclusion, Error> {
    let finished = finished(bench.records)?;
    let mut conclusion = Conclusion::Complete;
    progress.sweep(&plan.runs);
    for run in &plan.runs {
        if bench.interrupt.requested() {
            return Ok(Conclusion::Interrupted);
        }
        let configuration = configuration(plan, run)?;
        let id = run_id(&configuration, bench.dataset);
        if finished.contains(&id) {
            progress.ended(run, &Ending::Skipped);
            continue;
        }
        tracing::info!(run = id, cell = %run.cell, "begins");
        progress.run(run);
        let (started, clock) = (clock::now(), Instant::now());
        let (row, ending) = match attempt(run, &id, bench, progress) {
            Ok(reached) => {
                let ending = Ending::Finished {
                    val_loss: reached.val_loss,
                    wall_s: clock.elapsed().as_secs_f64(),
                };
                (
                    circumstances.finished(run, &id, &configuration, &started, &reached),
                    ending,
                )
            }
            Err(Failure::Failed(reason)) => {
                conclusion = Conclusion::SomeFailed;
                let row = circumstances.failed(run, &id, &configuration, &started, &reason);
                (row, Ending::Failed(reason))
            }
            Err(Failure::Interrupted) => return Ok(Conclusion::Interrupted),
            Err(Failure::Records(error)) => return Err(error.into()),
        };
        bench.records.write(&id, &[row])?;
        progress.ended(run, &ending);
    }
    Ok(conclusion)
}
