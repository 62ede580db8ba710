//! The loop over the runs of a plan: unfinished and failed runs are executed, finished ones and those of other processes are
//! skipped.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use results::{Records, RunRow, StepRow};

use super::claim::{Attempt, Claim, Claims, Holder};
use super::disk_wait::when_space;
use crate::checkpoint::snapshot;
use crate::checkpoint::store::Store;
use crate::error::Error;
use crate::ranks::served_decoder::served_decoder;
use crate::record::clock;
use crate::record::leftovers;
use crate::record::run_row::{FAILED, FINISHED, RunRowContext};
use crate::run::conclusion::Conclusion;
use crate::run::evaluation::{Subject, missing};
use crate::run::execute::{Failure, RunContext, execute};
use crate::run::identity::{RunId, configuration, run_id};
use crate::run::progress::{Progress, RunEnd};
use experiment::plan::{Plan, Run};

/// Time between attempts at runs that other processes hold.
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(2);

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

/// A run of the plan that this process has not dealt with yet.
struct Pending<'a> {
    run: &'a Run,
    configuration: String,
    id: RunId,
    /// When its recorded run began, if it was recorded as failed before this command: it is executed again.
    failed_before: Option<String>,
    /// Whether the user knows that another process holds it.
    noticed: bool,
}

/// What became of a pending run.
enum Dealt {
    Finished,
    Failed,
    /// Another process holds it.
    Held(Holder),
    Interrupted,
}

/// Executes the runs of `plan` that are not finished, and shares them with the other processes that work on the same folder.
///
/// # Arguments
/// * `waits`: whether to wait for runs that other processes hold, and to take them over should those processes end.
///
/// # Errors
/// If rows or checkpoints cannot be read or written; a run that fails is recorded as such and does not end the sweep.
pub fn sweep(
    plan: &Plan,
    context: &RunContext,
    row_context: &RunRowContext,
    waits: bool,
    progress: &mut dyn Progress,
) -> Result<Conclusion, Error> {
    let sweep = SharedSweep {
        claims: Claims::new(context.folders.claims()),
        context,
        row_context,
    };
    for folder in [context.records.folder(), &context.folders.claims()] {
        leftovers::remove(folder);
    }
    let mut pending = sweep.pending(plan)?;
    let mut conclusion = Conclusion::Complete;
    progress.sweep(&plan.runs);
    loop {
        let before = pending.len();
        let mut held = Vec::new();
        for mut pending in pending {
            match sweep.deal_with(&pending, progress)? {
                Dealt::Finished => {}
                Dealt::Failed => conclusion = Conclusion::SomeFailed,
                Dealt::Interrupted => return Ok(Conclusion::Interrupted),
                Dealt::Held(holder) => {
                    if !pending.noticed {
                        progress.notice(&format!(
                            "{} is held by {}",
                            pending.run.label, holder.process
                        ));
                        pending.noticed = true;
                    }
                    held.push(pending);
                }
            }
        }
        if held.is_empty() {
            return Ok(conclusion);
        }
        if !waits {
            return Ok(Conclusion::HeldElsewhere);
        }
        if held.len() == before {
            std::thread::sleep(BETWEEN_ATTEMPTS);
        }
        pending = held;
    }
}

struct SharedSweep<'a> {
    claims: Claims,
    context: &'a RunContext<'a>,
    row_context: &'a RunRowContext<'a>,
}

impl SharedSweep<'_> {
    fn pending<'a>(&self, plan: &'a Plan) -> Result<Vec<Pending<'a>>, Error> {
        let rows = self.context.records.read::<RunRow>()?.into_iter();
        let failed: HashMap<RunId, String> = rows
            .filter(|row| row.status == FAILED)
            .map(|row| (row.run, row.started))
            .collect();
        let runs = plan.runs.iter().map(|run| {
            let configuration = configuration(run)?;
            let dataset = self.context.datasets.of(run)?;
            let id = run_id(&configuration, &dataset);
            Ok(Pending {
                run,
                failed_before: failed.get(&id).cloned(),
                configuration,
                id,
                noticed: false,
            })
        });
        runs.collect()
    }

    /// Executes a run unless it is finished or held by another process.
    fn deal_with(&self, pending: &Pending, progress: &mut dyn Progress) -> Result<Dealt, Error> {
        if self.context.interrupt.requested() {
            return Ok(Dealt::Interrupted);
        }
        if let Some(dealt) = self.recorded(pending, progress)? {
            return Ok(dealt);
        }
        let (claim, former) = match self.claims.attempt(&pending.id)? {
            Attempt::Held(holder) => return Ok(Dealt::Held(holder)),
            Attempt::Claimed(claim, former) => (claim, former),
        };
        if let Some(former) = former {
            progress.notice(&format!(
                "{}: taken over from {}, which no longer works on it",
                pending.run.label, former.process
            ));
        }
        // Another process may have ended the run between the reading of its row and the claim.
        if let Some(dealt) = self.recorded(pending, progress)? {
            return Ok(dealt);
        }
        self.execute(pending, &claim, progress)
    }

    /// Whether the run is recorded as finished, or as failed since this command began.
    fn recorded(
        &self,
        pending: &Pending,
        progress: &mut dyn Progress,
    ) -> Result<Option<Dealt>, Error> {
        let rows: Vec<RunRow> = self.context.records.read_run(&pending.id)?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        if row.status == FINISHED {
            self.clear_checkpoints(pending)?;
            if let Some(dealt) = self.evaluate_missing(pending, progress)? {
                return Ok(Some(dealt));
            }
            progress.ended(pending.run, &RunEnd::Skipped);
            return Ok(Some(Dealt::Finished));
        }
        if pending.failed_before.as_ref() == Some(&row.started) {
            return Ok(None);
        }
        progress.ended(pending.run, &RunEnd::Failed(row.reason.clone()));
        Ok(Some(Dealt::Failed))
    }

    /// Evaluates a finished run on the benchmarks that were added to the sweep, or changed, since.
    fn evaluate_missing(
        &self,
        pending: &Pending,
        progress: &mut dyn Progress,
    ) -> Result<Option<Dealt>, Error> {
        let (run, id, context) = (pending.run, &pending.id, self.context);
        if missing(run, context.tasks, &context.records.read_run(id)?).is_empty() {
            return Ok(None);
        }
        let folder = context.folders.weights(id);
        if !folder.exists() {
            progress.notice(&format!(
                "{}: not evaluated on added benchmarks, since its weights are not at {}",
                run.label,
                folder.display()
            ));
            return Ok(None);
        }
        let claim = match self.claims.attempt(id)? {
            Attempt::Held(holder) => return Ok(Some(Dealt::Held(holder))),
            Attempt::Claimed(claim, _) => claim,
        };
        let mut evaluate = || -> Result<(), Failure> {
            let manifest = snapshot::verify(&folder, id)?;
            let (device, ranks) = (context.device, context.ranks);
            let served = served_decoder((&folder, id), &manifest, &run.model, device, ranks)?;
            let subject = Subject {
                run,
                id,
                decoder: &served.decoder,
                weights_hash: &manifest.content_hash(),
                partial: None,
                context,
            };
            subject.evaluate_missing(&claim, progress)
        };
        match evaluate() {
            Ok(()) | Err(Failure::TakenOver) => Ok(None),
            Err(Failure::Interrupted) => Ok(Some(Dealt::Interrupted)),
            Err(Failure::Failed(reason)) => {
                progress.notice(&format!("{}: {reason}", run.label));
                Ok(Some(Dealt::Failed))
            }
            Err(Failure::Data(error)) => Err(*error),
            Err(Failure::Records(error)) => Err(error.into()),
            Err(Failure::Checkpoint(error)) => Err(error.into()),
        }
    }

    /// Removes what a process that was killed after it had recorded the run left of its checkpoints.
    fn clear_checkpoints(&self, pending: &Pending) -> Result<(), Error> {
        let (run, id) = (pending.run, &pending.id);
        let store = Store::new(self.context.folders.checkpoints(id), id);
        if !store.folder().exists() {
            return Ok(());
        }
        // Without the claim another process may be about to do so.
        if let Attempt::Claimed(_claim, _) = self.claims.attempt(id)? {
            store.clear(run.training.checkpoint.keep_best)?;
        }
        Ok(())
    }

    fn execute(
        &self,
        pending: &Pending,
        claim: &Claim,
        progress: &mut dyn Progress,
    ) -> Result<Dealt, Error> {
        let Pending {
            run,
            configuration,
            id,
            ..
        } = pending;
        let context = self.context;
        tracing::info!(run = id, label = %run.label, "run started");
        progress.run(run);
        // A run under way does not show its earlier failure.
        self.write(id, &[], progress)?;
        let dataset = context.datasets.of(run)?;
        let (started, clock) = (clock::now(), Instant::now());
        let (row, run_end, dealt) = match execute(run, id, claim, context, progress) {
            Ok(outcome) => {
                let run_end = RunEnd::Finished {
                    val_loss: outcome.val_loss,
                    wall_s: clock.elapsed().as_secs_f64(),
                };
                let row = self.row_context.finished(
                    run,
                    (id, configuration),
                    &dataset,
                    &started,
                    &outcome,
                );
                (row, run_end, Dealt::Finished)
            }
            Err(Failure::Failed(reason)) => {
                let recorded = context.records.read_run::<StepRow>(id)?;
                let steps = recorded.last().map_or(0, |step| step.step);
                let outcome = (steps, reason.as_str());
                let row =
                    self.row_context
                        .failed(run, (id, configuration), &dataset, &started, outcome);
                (row, RunEnd::Failed(reason), Dealt::Failed)
            }
            Err(Failure::Interrupted) => return Ok(Dealt::Interrupted),
            Err(Failure::TakenOver) => {
                progress.notice(&format!("{}: another process took it over", run.label));
                return Ok(Dealt::Finished);
            }
            Err(Failure::Data(error)) => return Err(*error),
            Err(Failure::Records(error)) => return Err(error.into()),
            Err(Failure::Checkpoint(error)) => return Err(error.into()),
        };
        self.write(id, &[row], progress)?;
        if matches!(dealt, Dealt::Finished) {
            let store = Store::new(context.folders.checkpoints(id), id);
            store.clear(run.training.checkpoint.keep_best)?;
        }
        progress.ended(run, &run_end);
        Ok(dealt)
    }

    fn write(&self, id: &str, rows: &[RunRow], progress: &mut dyn Progress) -> Result<(), Error> {
        let (context, folder) = (self.context, self.context.folders.sweep());
        Ok(when_space(folder, 0, context.interrupt, progress, || {
            context.records.write(id, rows)
        })?)
    }
}
