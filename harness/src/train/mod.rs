//! Training of one decoder.
//!
//! Each step computes the loss of a batch, with the blocks' auxiliary losses, and its gradients; several ranks compute a part of it
//! each (`data_parallel`). Dense gradients are clipped by their global norm and applied by AdamW; gradients of value tables are
//! clipped separately and applied by a lazy Adam.

pub mod backward;
mod batches;
pub mod data_parallel;
pub mod dense_adamw;
mod dense_gradients;
mod element_ranges;
pub mod gradients;
pub mod losses;
mod observations;
pub mod optimizer;
pub mod own_gradients;
mod own_update;
mod recent;
mod segments;
pub mod state;
pub mod step;
pub mod step_numbers;
pub mod tables_norm;
mod validation;
pub mod warning;

use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::time::Instant;

use architectures::{ConfigError, Decoder, ModelConfig, Usage};
use burn::module::Module;
use burn::tensor::Device;
use collectives::Collectives;
use experiment::training::{Division, TrainingConfig};
use suites::{Dataset, SuiteError};

pub use batches::Batch;
pub use data_parallel::check_ranks;

use observations::StepValues;
use state::{TrainingProgress, TrainingState};
use step::LearningRates;
use step_numbers::{GradientNorms, StepNumbers};
use tables_norm::TablesNorm;
use warning::Warning;

/// Inputs of a training run.
pub struct TrainSpec<'a> {
    /// The decoder and its blocks.
    pub model: &'a ModelConfig,
    /// Optimizers, schedule, validation and logging.
    pub training: &'a TrainingConfig,
    /// Number of optimizer steps.
    pub steps: usize,
    /// Seed of the initial parameters and of the data order.
    pub seed: u64,
    /// Device of the computation, without autodiff.
    pub device: &'a Device,
    /// Training tokens and held-out set.
    pub dataset: &'a Dataset,
    /// The ranks that train the model together.
    pub ranks: &'a Arc<dyn Collectives>,
}

/// Measurements of one training step.
#[derive(Clone, Debug)]
pub struct StepReport {
    /// Number of the step, from 1.
    pub step: usize,
    /// Training tokens seen.
    pub tokens: u64,
    /// Training FLOPs so far, by formula.
    pub train_flops: f64,
    /// Seconds of training so far, without validation.
    pub wall_s: f64,
    /// Training loss of this step's batch, nats per token, without auxiliary losses.
    pub loss: f64,
    /// Mean loss on the held-out set, nats per token; `None` if this step did not validate.
    pub val_loss: Option<f64>,
    /// Learning rate of the dense parameters.
    pub learning_rate: f64,
    /// Global norm of the dense gradient before clipping.
    pub grad_norm: f64,
    /// Norm of the tables' gradients before clipping, over all tables; an upper bound if the update was skipped. The host has it one step
    /// late, or when it is read.
    pub table_grad_norm: TablesNorm,
    /// Sum of the blocks' weighted auxiliary losses.
    pub auxiliary_loss: f64,
    /// Mean training tokens per second so far.
    pub tokens_per_s: f64,
    /// Whether the step is recorded.
    pub logged: bool,
    /// Events of this step that are recorded.
    pub warnings: Vec<Warning>,
}

/// Result of a training run.
pub struct Trained {
    /// The trained decoder, without autodiff.
    pub decoder: Decoder,
    /// Counters and statistics after the last step.
    pub progress: TrainingProgress,
    /// Slot and expert usage on the held-out set after the last step.
    pub usage: Vec<Usage>,
}

/// An error that ends a training run.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The model cannot be built.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A token file is damaged or not accessible.
    #[error(transparent)]
    Data(#[from] SuiteError),
    /// The loss or the gradient of a step is non-finite; its update was not applied.
    #[error(
        "non-finite {what} at step {step} (sequences {} to {} of the data order): loss {loss}, dense gradient norm {}, \
         table gradient norm at most {}; lower `learning_rate` or `table_learning_rate`",
        .sequences.start, .sequences.end - 1, .norms.dense, .norms.tables
    )]
    NonFinite {
        /// `loss` or `gradient`.
        what: &'static str,
        /// The step, from 1.
        step: usize,
        /// The sequences of its batch, in the order of the run's data.
        sequences: Range<u64>,
        /// The loss of that step, with auxiliary losses.
        loss: f64,
        /// The norms of its gradients.
        norms: GradientNorms,
    },
    /// The validation loss is non-finite.
    #[error(
        "non-finite validation loss {loss} after step {step}; lower `learning_rate` or `table_learning_rate`"
    )]
    Validation {
        /// The step, from 1.
        step: usize,
        /// The loss.
        loss: f64,
    },
    /// `observe` ended the run.
    #[error("interrupted at step {step}")]
    Interrupted {
        /// The last step, from 1.
        step: usize,
    },
}

/// Trains one decoder from `state` to the last step.
///
/// # Arguments
/// * `observe`: called after every step with the state after it; ends the run if it breaks.
///
/// # Errors
/// If a token file is damaged, a loss or gradient is non-finite, there are no steps, or `observe` ends the run.
pub fn train(
    spec: &TrainSpec,
    mut state: TrainingState,
    observe: &mut dyn FnMut(&StepReport, &TrainingState) -> ControlFlow<()>,
) -> Result<Trained, TrainError> {
    let flops_per_token = spec.model.cost()?.training() as f64;
    let mut usage = None;
    for step in state.progress.step + 1..=spec.steps {
        let clock = Instant::now();
        let (updated, mut report) = one_step(spec, state, step)?;
        state = updated;
        // True for the last step.
        let validates = spec.training.validates(step, spec.steps);
        if validates {
            // Waits for the update, which is no part of the time of validation.
            report.table_grad_norm.value();
        }
        state.progress.train_wall_s += clock.elapsed().as_secs_f64();
        if validates {
            let decoder = state.decoder.valid();
            let validation =
                validation::validate(&decoder, spec.training, spec.dataset, spec.device)?;
            let loss = validation.validated.loss;
            if !loss.is_finite() {
                return Err(TrainError::Validation { step, loss });
            }
            let collapses = state.progress.observe_validation(step, &validation);
            report.warnings.extend(collapses);
            report.val_loss = Some(loss);
            report.logged = true;
            usage = Some(validation.usage);
        }
        report.train_flops = report.tokens as f64 * flops_per_token;
        report.wall_s = state.progress.train_wall_s;
        report.tokens_per_s = report.tokens as f64 / report.wall_s;
        if observe(&report, &state).is_break() {
            return Err(TrainError::Interrupted { step });
        }
    }
    if spec.steps == 0 {
        let problem = "is less than one batch";
        return Err(ConfigError::new("tokens", problem, "raise tokens or lower batch_size").into());
    }
    let decoder = state.decoder.valid();
    let usage = match usage {
        Some(usage) => usage,
        // The run continued from a checkpoint after its last step.
        None => validation::validate(&decoder, spec.training, spec.dataset, spec.device)?.usage,
    };
    Ok(Trained {
        decoder,
        progress: state.progress,
        usage,
    })
}

/// One step without validation: the state after it, and its report, whose totals over steps are still zero.
fn one_step(
    spec: &TrainSpec,
    state: TrainingState,
    step: usize,
) -> Result<(TrainingState, StepReport), TrainError> {
    let training = spec.training;
    let seq_len = spec.model.decoder.seq_len;
    let TrainingState {
        mut decoder,
        mut optimizers,
        mut progress,
    } = state;
    let rates = LearningRates::at(training, step - 1, spec.steps);
    let batch_size = training.batch_size as u64;
    let sequences = (step as u64 - 1) * batch_size..step as u64 * batch_size;
    let batch = batches::training(
        &spec.dataset.train,
        spec.seed,
        data_parallel::own_sequences(sequences.clone(), spec.ranks.as_ref()),
        seq_len,
        &state::autodiff(spec.device),
    )?;
    let division = Division::of(training).on_ranks(spec.ranks.ranks());
    let batch = data_parallel::gradients(spec.ranks.as_ref(), &decoder, batch, division);
    let StepNumbers {
        loss,
        auxiliary_loss,
        norms,
    } = optimizers.numbers(&decoder, &batch);
    let non_finite = |what| TrainError::NonFinite {
        what,
        step,
        sequences: sequences.clone(),
        loss: loss + auxiliary_loss,
        norms,
    };
    if !(loss + auxiliary_loss).is_finite() {
        return Err(non_finite("loss"));
    }
    if !norms.are_finite() {
        return Err(non_finite("gradient"));
    }
    let values = StepValues {
        step,
        loss,
        norm: norms.dense,
    };
    let (skipped, warnings) = progress.observe_step(values, training.outliers.as_ref());
    let mut table_grad_norm = TablesNorm::known(norms.tables);
    if !skipped {
        (decoder, table_grad_norm) = optimizers.update(decoder, batch.parameters, norms, rates);
    }
    progress.step = step;
    if TrainingProgress::is_of_last_tenth(step, spec.steps) {
        progress.last_losses.push(loss);
    }
    let report = StepReport {
        step,
        tokens: (step * training.batch_size * seq_len) as u64,
        train_flops: 0.0,
        wall_s: 0.0,
        loss,
        val_loss: None,
        learning_rate: rates.dense,
        grad_norm: norms.dense,
        table_grad_norm,
        auxiliary_loss,
        tokens_per_s: 0.0,
        logged: training.logs(step) || !warnings.is_empty(),
        warnings,
    };
    let state = TrainingState {
        decoder,
        optimizers,
        progress,
    };
    Ok((state, report))
}
