//! Training of one run with its rows and checkpoints.

use std::ops::ControlFlow;
use std::time::Instant;

use super::claim::Claim;
use super::disk_wait::when_space;
use super::execute::{Failure, RunContext};
use super::progress::Progress;
use crate::checkpoint::manifest::Manifest;
use crate::checkpoint::snapshot;
use crate::checkpoint::store::Store;
use crate::error::Error;
use crate::ranks::ending::end_all;
use crate::ranks::exchanged::exchanged;
use crate::ranks::order::{Order, give};
use crate::ranks::step_end::{StepEnd, agree};
use crate::record::step_recorder::{Rows, StepRecorder};
use crate::train::state::TrainingState;
use crate::train::warning::Warning;
use crate::train::{StepReport, TrainError, TrainSpec, Trained, train};

/// Trains the run named `id` from `state` to its last step; writes rows, and checkpoints as its configuration says and when an
/// interrupt is requested.
///
/// # Errors
/// [`Failure`]: an interrupt, a non-finite loss or gradient, or files that cannot be written.
pub fn train_with_checkpoints(
    spec: &TrainSpec,
    (id, claim): (&str, &Claim),
    (state, warnings): (TrainingState, Vec<Warning>),
    context: &RunContext,
    progress: &mut dyn Progress,
) -> Result<Trained, Failure> {
    let mut recorder = StepRecorder::new(context.records, id);
    warnings.iter().for_each(|warning| recorder.warn(warning));
    let (begun, first) = (Instant::now(), state.progress.step);
    let ranks = context.ranks.as_ref();
    let before = ranks.traffic();
    claim.activity.update(|activity| {
        activity.phase = "training".to_owned();
        activity.step = first as u64;
        activity.steps = spec.steps as u64;
    });
    let mut keeper = Keeper {
        store: Store::new(context.folders.checkpoints(id), id),
        spec,
        id,
        claim,
        context,
        recorder,
        saved: Instant::now(),
    };
    let mut failure = None;
    let trained = train(spec, state, &mut |report, state| {
        progress.step(report);
        claim.activity.update(|activity| {
            activity.step = report.step as u64;
            activity.loss = report.loss;
            activity.steps_per_s = (report.step - first) as f64 / begun.elapsed().as_secs_f64();
        });
        match keeper.after_step(report, state, progress) {
            Ok(flow) => flow,
            Err(error) => {
                failure = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    if let Some(failure) = failure {
        return Err(failure);
    }
    keeper.write_rows(progress, Rows::All)?;
    if ranks.ranks() > 1 {
        let (steps, elapsed) = (spec.steps - first, begun.elapsed());
        progress.notice(&exchanged(before, ranks.traffic(), steps, elapsed));
    }
    trained.map_err(|error| match error {
        TrainError::Interrupted { .. } => Failure::Interrupted,
        // The other ranks wait in the operation after it.
        TrainError::Data(error) if ranks.ranks() > 1 => end_all(ranks, &error.to_string()),
        TrainError::Data(error) => Failure::from(Error::from(error)),
        error => Failure::Failed(error.to_string()),
    })
}

/// Writes rows and checkpoints between steps.
struct Keeper<'a> {
    store: Store<'a>,
    spec: &'a TrainSpec<'a>,
    id: &'a str,
    claim: &'a Claim,
    context: &'a RunContext<'a>,
    recorder: StepRecorder<'a>,
    /// When the last checkpoint was written.
    saved: Instant,
}

impl Keeper<'_> {
    fn after_step(
        &mut self,
        report: &StepReport,
        state: &TrainingState,
        progress: &mut dyn Progress,
    ) -> Result<ControlFlow<()>, Failure> {
        self.recorder.observe(report);
        // Read once: a signal between two readings must not end training without a checkpoint.
        let own = StepEnd {
            interrupted: self.context.interrupt.requested(),
            saves: self.is_due(report),
            leaves: false,
        };
        let written = match !own.writes_checkpoint() && self.recorder.is_due() {
            true => self.write_rows(progress, Rows::Known),
            false => Ok(()),
        };
        let taken_over = self.claim.is_lost();
        let leaves = taken_over || written.is_err();
        let ranks = self.context.ranks.as_ref();
        let agreed = agree(ranks, StepEnd { leaves, ..own });
        written?;
        if taken_over {
            return Err(Failure::TakenOver);
        }
        if agreed.writes_checkpoint() {
            let saved = self.save(report, state, progress);
            let order = match saved.is_ok() {
                true => Order::Continue,
                false => Order::Leave,
            };
            give(ranks, &order);
            saved?;
        }
        Ok(match agreed.stops() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })
    }

    /// Whether a checkpoint is to be written after this step. After the last step the weights are.
    fn is_due(&self, report: &StepReport) -> bool {
        let config = &self.spec.training.checkpoint;
        let by_steps = config
            .every_steps
            .is_some_and(|steps| report.step.is_multiple_of(steps));
        let validated = config.keep_best && report.val_loss.is_some();
        let by_time = self.saved.elapsed() >= config.every;
        (validated || by_steps || by_time) && (validated || report.step < self.spec.steps)
    }

    /// Writes the rows and then a checkpoint, so that the rows of every step before a checkpoint are there.
    fn save(
        &mut self,
        report: &StepReport,
        state: &TrainingState,
        progress: &mut dyn Progress,
    ) -> Result<(), Failure> {
        self.write_rows(progress, Rows::All)?;
        if !self.claim.is_held() {
            return Err(Failure::TakenOver);
        }
        let (store, context) = (&self.store, self.context);
        let phase = |phase: &str| {
            self.claim
                .activity
                .update(|activity| activity.phase = phase.to_owned());
        };
        phase("writing a checkpoint");
        let needed = snapshot::bytes(&state.decoder, true);
        let config = &self.spec.training.checkpoint;
        when_space(store.folder(), needed, context.interrupt, progress, || {
            let (origin, val_loss) = (context.origin.clone(), report.val_loss);
            let manifest = Manifest::new(self.id, &state.progress, val_loss, origin);
            store.save(&state.decoder, &state.optimizers.dense, manifest, config)
        })?;
        phase("training");
        self.saved = Instant::now();
        tracing::info!(run = self.id, step = report.step, "checkpoint written");
        Ok(())
    }

    fn write_rows(&mut self, progress: &mut dyn Progress, rows: Rows) -> Result<(), Failure> {
        let (recorder, context) = (&mut self.recorder, self.context);
        let folder = context.folders.sweep();
        Ok(when_space(folder, 0, context.interrupt, progress, || {
            recorder.write(rows)
        })?)
    }
}
