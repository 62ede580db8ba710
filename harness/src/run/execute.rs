//! Execution of one run: training, saving and evaluation, each recorded as soon as it is done and continued where an earlier
//! process stopped.

use std::sync::Arc;
use std::time::Instant;

use architectures::Usage;
use burn::tensor::Device;
use collectives::Collectives;
use results::{MatchRow, Records, UsageRow};
use suites::SandboxLimits;

use super::claim::Claim;
use super::data::Datasets;
use super::disk_wait::when_space;
use super::evaluation::Subject;
use super::interrupt::Interrupt;
use super::progress::Progress;
use super::resume::{Beginning, beginning};
use super::tasks::LoadedTask;
use super::training::train_with_checkpoints;
use crate::checkpoint::error::CheckpointError;
use crate::checkpoint::manifest::{Manifest, Origin};
use crate::checkpoint::snapshot;
use crate::checkpoint::store::{Store, replace_folder};
use crate::error::Error;
use crate::process::{panics, peak_memory};
use crate::ranks::ending::{or_end_all, panic_text};
use crate::ranks::order::{Order, TrainOrder, give};
use crate::ranks::served_decoder::{ServedDecoder, served_decoder};
use crate::record::exposure_row::exposure_rows;
use crate::record::folders::Folders;
use crate::record::match_row::match_row;
use crate::record::trial_row::trial_rows;
use crate::train::state::TrainingProgress;
use crate::train::{TrainSpec, Trained};
use experiment::plan::Run;

/// Inputs and outputs that all runs of a sweep share.
pub struct RunContext<'a> {
    /// Training tokens and evaluation suites.
    pub datasets: &'a Datasets,
    /// Tables that rows are written to.
    pub records: &'a Records,
    /// Folders that checkpoints and weights are written to.
    pub folders: &'a Folders,
    /// Device of the computation, without autodiff.
    pub device: &'a Device,
    /// Published benchmarks.
    pub tasks: &'a [LoadedTask],
    /// Limits on programs that models generate.
    pub limits: &'a SandboxLimits,
    /// The flag that Ctrl-C sets.
    pub interrupt: &'a Interrupt,
    /// This program and processor.
    pub origin: Origin,
    /// The ranks that train each run together, of which this process is number 0.
    pub ranks: &'a Arc<dyn Collectives>,
}

/// Results of a finished run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunOutcome {
    /// Mean training loss over the last tenth of the steps, nats per token.
    pub train_loss: f64,
    /// Mean loss on the held-out set, nats per token.
    pub val_loss: f64,
    /// Held-out tokens that `val_loss` averages.
    pub val_tokens: u64,
    /// Training tokens.
    pub tokens: u64,
    /// Seconds of training, without validation, of all processes that worked on the run.
    pub train_wall_s: f64,
    /// Seconds of evaluation on the suites by this process.
    pub eval_wall_s: f64,
    /// Largest resident memory of the process during the run, in bytes.
    pub peak_memory_bytes: u64,
    /// Hash of the final weights.
    pub weights_hash: String,
    /// Times that training continued from a checkpoint.
    pub resumes: u64,
    /// Steps whose update was skipped.
    pub skipped_steps: u64,
}

/// Why a run has no result.
#[derive(Debug)]
pub enum Failure {
    /// The run was interrupted: no row is written, and the next sweep continues it.
    Interrupted,
    /// Another process took the run over: it writes the row.
    TakenOver,
    /// An error of this run, with its message: the run is recorded as failed, and the sweep continues.
    Failed(String),
    /// Data cannot be prepared, or a token file is damaged or not accessible: the sweep ends.
    Data(Box<Error>),
    /// Rows cannot be read or written: the sweep ends.
    Records(results::Error),
    /// Checkpoints or weights cannot be read or written: the sweep ends.
    Checkpoint(CheckpointError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Data(Box::new(error))
    }
}

impl From<results::Error> for Failure {
    fn from(error: results::Error) -> Self {
        Self::Records(error)
    }
}

impl From<CheckpointError> for Failure {
    fn from(error: CheckpointError) -> Self {
        match error {
            CheckpointError::Config(error) => Self::Failed(error.to_string()),
            error => Self::Checkpoint(error),
        }
    }
}

/// Trains and evaluates the run named `id`, which `claim` holds.
///
/// # Errors
/// [`Failure`]; a panic is [`Failure::Failed`].
pub fn execute(
    run: &Run,
    id: &str,
    claim: &Claim,
    context: &RunContext,
    progress: &mut dyn Progress,
) -> Result<RunOutcome, Failure> {
    catch_panic(|| train_and_evaluate(run, id, claim, context, progress))
}

/// Runs `body` and converts a panic, which is logged, into [`Failure::Failed`].
pub(crate) fn catch_panic<T>(body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    panics::returned(body).unwrap_or_else(|panic| {
        Err(Failure::Failed(format!(
            "panicked: {}",
            panic_text(panic.as_ref())
        )))
    })
}

/// A decoder with its final weights, saved.
struct Saved {
    decoder: ServedDecoder,
    progress: TrainingProgress,
    weights_hash: String,
}

fn train_and_evaluate(
    run: &Run,
    id: &str,
    claim: &Claim,
    context: &RunContext,
    progress: &mut dyn Progress,
) -> Result<RunOutcome, Failure> {
    peak_memory::reset();
    let saved = trained(run, id, claim, context, progress)?;
    let clock = Instant::now();
    let partial = evaluation_folder(context.folders, id, &saved.weights_hash);
    let subject = Subject {
        run,
        id,
        decoder: &saved.decoder.decoder,
        weights_hash: &saved.weights_hash,
        partial: Some(&partial),
        context,
    };
    let mut evaluate = || subject.evaluate_all(claim, progress);
    match saved.decoder.is_served() {
        false => evaluate()?,
        // After a panic the other ranks would wait for the rest of a lookup.
        true => or_end_all(context.ranks.as_ref(), evaluate)?,
    }
    let validated = saved.progress.validated;
    let (val_loss, val_tokens) = validated.map_or((f64::NAN, 0), |v| (v.loss, v.tokens));
    Ok(RunOutcome {
        train_loss: saved.progress.train_loss(),
        val_loss,
        val_tokens,
        tokens: run.budget.tokens,
        train_wall_s: saved.progress.train_wall_s,
        eval_wall_s: clock.elapsed().as_secs_f64(),
        peak_memory_bytes: peak_memory::bytes(),
        weights_hash: saved.weights_hash,
        resumes: saved.progress.resumes,
        skipped_steps: saved.progress.skipped_steps,
    })
}

/// Folder of the rows of suites that are evaluated, until all are; named by the weights, so that those of others are not used.
fn evaluation_folder(folders: &Folders, id: &str, weights_hash: &str) -> std::path::PathBuf {
    let name = format!("evaluation-{}", &weights_hash[..16]);
    folders.checkpoints(id).join(name)
}

/// The trained decoder: that of saved weights if training has ended before, otherwise trained from the latest checkpoint or
/// from the first step, and saved.
fn trained(
    run: &Run,
    id: &str,
    claim: &Claim,
    context: &RunContext,
    progress: &mut dyn Progress,
) -> Result<Saved, Failure> {
    let dataset = context.datasets.of(run)?;
    let spec = TrainSpec {
        model: &run.model,
        training: &run.training,
        steps: run.budget.steps,
        seed: run.label.seed,
        device: context.device,
        dataset: &dataset,
        ranks: context.ranks,
    };
    let store = Store::new(context.folders.checkpoints(id), id);
    store.remove_partial()?;
    let begun = beginning(&spec, id, &store, context, progress)?;
    let matches = run.matches.iter().map(|matched| match_row(id, matched));
    let matches: Vec<MatchRow> = matches.collect();
    let seq_len = run.model.decoder.seq_len;
    let exposures = exposure_rows(id, &run.budget, seq_len, &dataset);
    let trials = trial_rows(id, &run.tuning);
    let folder = context.folders.sweep();
    when_space(folder, 0, context.interrupt, progress, || {
        context.records.write(id, &matches)?;
        context.records.write(id, &exposures)?;
        if trials.is_empty() {
            return Ok(());
        }
        context.records.write(id, &trials)
    })?;
    let (state, warnings, from) = match begun {
        Beginning::Trained(trained) => {
            let (decoder, manifest) = *trained;
            return Ok(Saved {
                weights_hash: manifest.content_hash(),
                progress: manifest.progress,
                decoder,
            });
        }
        Beginning::Training(state, warnings, from) => (*state, warnings, from),
    };
    let ranks = context.ranks.as_ref();
    if ranks.ranks() > 1 {
        let cache = context.folders.cache();
        let order = TrainOrder::of((run, id), &dataset, cache, from).map_err(Error::from)?;
        give(ranks, &Order::Train(Box::new(order)));
    }
    let trained = or_end_all(ranks, || {
        train_with_checkpoints(&spec, (id, claim), (state, warnings), context, progress)
    })?;
    let usage = usage_rows(id, &trained.usage);
    when_space(folder, 0, context.interrupt, progress, || {
        context.records.write(id, &usage)
    })?;
    let saved = save(&trained, id, context, progress);
    let order = match saved.is_ok() {
        true => Order::Continue,
        false => Order::Leave,
    };
    give(ranks, &order);
    let Trained {
        decoder, progress, ..
    } = trained;
    let manifest = saved?;
    let weights_hash = manifest.content_hash();
    if decoder.table_ranks().is_none() {
        return Ok(Saved {
            decoder: decoder.into(),
            progress,
            weights_hash,
        });
    }
    // Without the moments.
    drop(decoder);
    let weights = context.folders.weights(id);
    let manifest = snapshot::verify(&weights, id)?;
    let (model, device) = (spec.model, spec.device);
    let decoder = served_decoder((&weights, id), &manifest, model, device, context.ranks)?;
    Ok(Saved {
        decoder,
        progress,
        weights_hash,
    })
}

/// Saves the weights of a trained decoder.
fn save(
    trained: &Trained,
    id: &str,
    context: &RunContext,
    progress: &mut dyn Progress,
) -> Result<Manifest, Failure> {
    let val_loss = trained.progress.validated.map(|validated| validated.loss);
    let manifest = Manifest::new(id, &trained.progress, val_loss, context.origin.clone());
    let (folder, workplace) = (context.folders.weights(id), context.folders.checkpoints(id));
    let needed = snapshot::bytes(&trained.decoder, false);
    let written = when_space(&folder, needed, context.interrupt, progress, || {
        replace_folder(&folder, &workplace, |folder| {
            let manifest = manifest.clone();
            snapshot::write(
                folder,
                &trained.decoder,
                None,
                manifest,
                snapshot::FILE_BYTES,
            )
        })
    })?;
    Ok(written)
}

fn usage_rows(id: &str, usage: &[Usage]) -> Vec<UsageRow> {
    let row = |usage: &Usage| UsageRow {
        run: id.to_owned(),
        layer: usage.layer as u64,
        unit: usage.unit.to_owned(),
        units: usage.units() as u64,
        reads: usage.reads(),
        collisions: usage.collisions().map(|count| count as f64),
        used_share: usage.used_share(),
        kl_nats: usage.kl_from_uniform(),
        max_share: usage.max_share(),
    };
    usage.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_failure_with_a_message_of_one_line() {
        let reason = |body: fn() -> u8| match catch_panic(|| Ok(body())) {
            Err(Failure::Failed(reason)) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            reason(|| panic!("no memory\nfor details")),
            "panicked: no memory"
        );
        assert_eq!(reason(|| panic!("index {}", 3)), "panicked: index 3");
        assert_eq!(reason(|| std::panic::panic_any(7)), "panicked: no message");
        assert_eq!(catch_panic(|| Ok(5)).unwrap(), 5);
    }
}
