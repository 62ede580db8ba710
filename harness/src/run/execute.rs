//! Execution of one run: training, saving and evaluation, each recorded as soon as it is done.

use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use architectures::{Decoder, Usage};
use burn::tensor::Device;
use results::{ItemRow, MatchRow, Records, ScoreRow, StepRow, UsageRow};
use suites::{Dataset, SandboxLimits, SuiteError, evaluate};

use crate::checkpoint::weights;
use crate::evaluate::language_model::DecoderModel;
use crate::evaluate::scores::{item_rows, score_rows};
use crate::process::peak_memory;
use crate::record::folders::Folders;
use crate::record::match_row::match_row;
use crate::record::step_recorder::StepRecorder;
use crate::run::interrupt::{Interrupt, Interruptible};
use crate::run::progress::Progress;
use crate::train::{TrainError, TrainSpec, Trained, train};
use experiment::plan::Run;

/// Sequences evaluated at a time: enough to use all cores, with less memory than training requires.
const SEQUENCES_AT_ONCE: usize = 64;

/// Inputs and outputs that all runs of a sweep share.
pub struct RunContext<'a> {
    /// Training tokens and evaluation suites.
    pub dataset: &'a Dataset,
    /// Tables that rows are written to.
    pub records: &'a Records,
    /// Folders that weights are written to.
    pub folders: &'a Folders,
    /// Device of the computation, without autodiff.
    pub device: &'a Device,
    /// Limits on programs that models generate.
    pub limits: &'a SandboxLimits,
    /// The flag that Ctrl-C sets.
    pub interrupt: &'a Interrupt,
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
    /// Seconds of training, without validation.
    pub train_wall_s: f64,
    /// Seconds of evaluation on the suites.
    pub eval_wall_s: f64,
    /// Largest resident memory of the process during the run, in bytes.
    pub peak_memory_bytes: u64,
}

/// Why a run has no result.
#[derive(Debug)]
pub enum Failure {
    /// The run was interrupted: no row is written, and the next sweep starts the run again.
    Interrupted,
    /// An error of this run, with its message: the run is recorded as failed, and the sweep continues.
    Failed(String),
    /// Rows cannot be read or written: the sweep ends.
    Records(results::Error),
}

impl From<results::Error> for Failure {
    fn from(error: results::Error) -> Self {
        Self::Records(error)
    }
}

/// Trains and evaluates the run named `id`.
///
/// # Errors
/// [`Failure`]; a panic is [`Failure::Failed`].
pub fn execute(
    run: &Run,
    id: &str,
    context: &RunContext,
    progress: &mut dyn Progress,
) -> Result<RunOutcome, Failure> {
    catch_panic(|| train_and_evaluate(run, id, context, progress))
}

/// Runs `body` and converts a panic into [`Failure::Failed`]. The default panic hook is disabled meanwhile, since its
/// output would overwrite the progress display.
pub(crate) fn catch_panic<T>(body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    let ended = catch_unwind(AssertUnwindSafe(body));
    panic::set_hook(hook);
    ended.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or_default();
        Err(Failure::Failed(format!(
            "panicked: {}",
            text.lines().next().unwrap_or("no message")
        )))
    })
}

fn train_and_evaluate(
    run: &Run,
    id: &str,
    context: &RunContext,
    progress: &mut dyn Progress,
) -> Result<RunOutcome, Failure> {
    delete_rows(context.records, id)?;
    let matches: Vec<MatchRow> = run
        .matches
        .iter()
        .map(|matched| match_row(id, matched))
        .collect();
    context.records.write(id, &matches)?;
    peak_memory::reset();
    let trained = train_recorded(run, id, context, progress)?;
    context.records.write(id, &usage_rows(id, &trained.usage))?;
    weights::save(&trained.decoder, &context.folders.weights(id))
        .map_err(|error| Failure::Failed(error.to_string()))?;
    let clock = Instant::now();
    evaluate_suites(run, id, &trained.decoder, context, progress)?;
    Ok(RunOutcome {
        train_loss: trained.train_loss,
        val_loss: trained.val_loss,
        val_tokens: trained.val_tokens,
        tokens: trained.tokens,
        train_wall_s: trained.train_wall_s,
        eval_wall_s: clock.elapsed().as_secs_f64(),
        peak_memory_bytes: peak_memory::bytes(),
    })
}

/// Deletes the rows of an earlier attempt, which would be mixed with the new ones.
fn delete_rows(records: &Records, id: &str) -> Result<(), results::Error> {
    records.write::<StepRow>(id, &[])?;
    records.write::<UsageRow>(id, &[])?;
    records.write::<ScoreRow>(id, &[])?;
    records.write::<ItemRow>(id, &[])
}

fn train_recorded(
    run: &Run,
    id: &str,
    context: &RunContext,
    progress: &mut dyn Progress,
) -> Result<Trained, Failure> {
    let spec = TrainSpec {
        model: &run.model,
        training: &run.training,
        steps: run.budget.steps,
        seed: run.label.seed,
        device: context.device,
        dataset: context.dataset,
    };
    let mut recorder = StepRecorder::new(context.records, id);
    let trained = train(&spec, &mut |report| {
        progress.step(report);
        recorder.observe(report)?;
        if context.interrupt.requested() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    recorder.finish()?;
    trained.map_err(|error| match error {
        TrainError::Interrupted { .. } => Failure::Interrupted,
        error => Failure::Failed(error.to_string()),
    })
}

/// Evaluates every suite, then replaces the rows of an earlier evaluation. Nothing is written before all suites are
/// evaluated, since incomplete scores would be pooled like complete ones.
///
/// # Errors
/// [`Failure`]: an interrupt, an error of a suite, or rows that cannot be written.
pub fn evaluate_suites(
    run: &Run,
    id: &str,
    decoder: &Decoder,
    context: &RunContext,
    progress: &mut dyn Progress,
) -> Result<(), Failure> {
    let mut model = Interruptible {
        model: DecoderModel::new(decoder, context.device, SEQUENCES_AT_ONCE),
        interrupt: context.interrupt,
    };
    let (mut items, mut scores) = (Vec::<ItemRow>::new(), Vec::<ScoreRow>::new());
    for suite in &context.dataset.suites {
        progress.evaluating(suite.name());
        let failed = |error: SuiteError| match context.interrupt.requested() {
            true => Failure::Interrupted,
            false => Failure::Failed(format!("{}: {error}", suite.name())),
        };
        let results = evaluate(
            suite.as_ref(),
            &mut model,
            &context.dataset.tokenizer,
            context.limits,
        )
        .map_err(failed)?;
        items.extend(item_rows(id, &results));
        scores.extend(score_rows(id, &run.cost, &results));
    }
    context.records.write(id, &items)?;
    context.records.write(id, &scores)?;
    Ok(())
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
