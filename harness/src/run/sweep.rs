//! The loop over the runs of a plan: unfinished and failed runs are executed, finished ones are skipped.

use std::collections::HashSet;
use std::time::Instant;

use results::{Records, RunRow, StepRow};
use suites::Dataset;

use crate::error::Error;
use crate::record::clock;
use crate::record::folders::Folders;
use crate::record::run_row::{FINISHED, RunRowContext};
use crate::run::conclusion::Conclusion;
use crate::run::execute::{Failure, RunContext, execute};
use crate::run::identity::{RunId, configuration, run_id};
use crate::run::progress::{Progress, RunEnd};
use experiment::budget::Tokens;
use experiment::plan::Plan;

/// The tokenizer, the suites and at least `tokens` training tokens of a plan, from the cache if they are there.
///
/// # Errors
/// If the data cannot be prepared, or if `seq_len` of a decoder is longer than the held-out set or shorter than a
/// question with its answer.
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
        "data prepared"
    );
    check_context_length(plan, &dataset)?;
    Ok(dataset)
}

/// Checks that every question with its answer fits into the context of every decoder of the plan: positions beyond
/// `seq_len` do not occur in training.
fn check_context_length(plan: &Plan, dataset: &Dataset) -> Result<(), Error> {
    let shortest = plan.runs.iter().map(|run| run.model.decoder.seq_len).min();
    let Some(seq_len) = shortest else {
        return Ok(());
    };
    let longest = plan.runs.iter().map(|run| run.model.decoder.seq_len).max();
    if let Some(longest) = longest.filter(|&longest| dataset.held_out.len() <= longest) {
        return Err(Error::Argument {
            argument: format!("`seq_len` = {longest}"),
            problem: format!(
                "exceeds the {} held-out tokens: no validation window fits",
                dataset.held_out.len()
            ),
            remedy: "lower `seq_len`, or enlarge the suites".to_owned(),
        });
    }
    for suite in &dataset.suites {
        for task in suite.tasks() {
            for item in &task.items {
                let text = format!("{}{}", item.prompt, item.expected);
                // One token for the separator before the prompt.
                let tokens = 1 + dataset.tokenizer.encode(&text)?.len();
                if tokens > seq_len {
                    return Err(Error::Argument {
                        argument: format!("`seq_len` = {seq_len}"),
                        problem: format!(
                            "is shorter than a question with its answer: {tokens} tokens ({} {}, {})",
                            suite.name(),
                            task.name,
                            item.id
                        ),
                        remedy: "raise `seq_len`, or raise `suites.vocab_size` so that texts have fewer tokens"
                            .to_owned(),
                    });
                }
            }
        }
    }
    Ok(())
}

/// The names of the finished runs.
///
/// # Errors
/// If the rows cannot be read.
pub fn finished(records: &Records) -> Result<HashSet<RunId>, Error> {
    let rows = records.read::<RunRow>()?.into_iter();
    Ok(rows
        .filter(|row| row.status == FINISHED)
        .map(|row| row.run)
        .collect())
}

/// Executes the runs of `plan` that are not finished.
///
/// # Errors
/// If rows cannot be read or written; a run that fails is recorded as such and does not end the sweep.
pub fn sweep(
    plan: &Plan,
    context: &RunContext,
    row_context: &RunRowContext,
    progress: &mut dyn Progress,
) -> Result<Conclusion, Error> {
    let finished = finished(context.records)?;
    let mut conclusion = Conclusion::Complete;
    progress.sweep(&plan.runs);
    for run in &plan.runs {
        if context.interrupt.requested() {
            return Ok(Conclusion::Interrupted);
        }
        let configuration = configuration(plan, run)?;
        let id = run_id(&configuration, context.dataset);
        if finished.contains(&id) {
            progress.ended(run, &RunEnd::Skipped);
            continue;
        }
        tracing::info!(run = id, label = %run.label, "run started");
        progress.run(run);
        let (started, clock) = (clock::now(), Instant::now());
        let (row, run_end) = match execute(run, &id, context, progress) {
            Ok(outcome) => {
                let run_end = RunEnd::Finished {
                    val_loss: outcome.val_loss,
                    wall_s: clock.elapsed().as_secs_f64(),
                };
                (
                    row_context.finished(run, &id, &configuration, &started, &outcome),
                    run_end,
                )
            }
            Err(Failure::Failed(reason)) => {
                conclusion = Conclusion::SomeFailed;
                let recorded = context.records.read_run::<StepRow>(&id)?;
                let steps = recorded.last().map_or(0, |step| step.step);
                let outcome = (steps, reason.as_str());
                let row = row_context.failed(run, &id, &configuration, &started, outcome);
                (row, RunEnd::Failed(reason))
            }
            Err(Failure::Interrupted) => return Ok(Conclusion::Interrupted),
            Err(Failure::Records(error)) => return Err(error.into()),
        };
        context.records.write(&id, &[row])?;
        progress.ended(run, &run_end);
    }
    Ok(conclusion)
}
