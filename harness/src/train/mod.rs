//! Training of one decoder.
//!
//! Each step computes the loss of a batch, with the blocks' auxiliary losses, and its gradients. Dense gradients are
//! clipped by their global norm and applied by AdamW; gradients of value tables are clipped separately and applied by a
//! lazy Adam.

pub mod backward;
mod batches;
pub mod optimizer;
pub mod step;
mod validation;

use std::ops::ControlFlow;
use std::time::Instant;

use architectures::{ConfigError, Decoder, ModelConfig, Usage};
use burn::module::Module;
use burn::tensor::Device;
use experiment::training::TrainingConfig;
use suites::{Dataset, SuiteError};

pub use batches::Batch;

use step::{LearningRates, Optimizers};

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
    /// Norm of the tables' gradients before clipping, over all tables.
    pub table_grad_norm: f64,
    /// Sum of the blocks' weighted auxiliary losses.
    pub auxiliary_loss: f64,
    /// Mean training tokens per second so far.
    pub tokens_per_s: f64,
    /// Whether the step is recorded.
    pub logged: bool,
}

/// Result of a training run.
pub struct Trained {
    /// The trained decoder, without autodiff.
    pub decoder: Decoder,
    /// Mean training loss over the last tenth of the steps, nats per token.
    pub train_loss: f64,
    /// Mean loss on the held-out set, nats per token.
    pub val_loss: f64,
    /// Held-out tokens that `val_loss` averages.
    pub val_tokens: u64,
    /// Training tokens seen.
    pub tokens: u64,
    /// Seconds of training, without validation.
    pub train_wall_s: f64,
    /// Slot and expert usage on the held-out set.
    pub usage: Vec<Usage>,
}

/// An error that ends a training run.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The model cannot be built.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The token files are damaged or not accessible.
    #[error(transparent)]
    Data(#[from] SuiteError),
    /// The training or validation loss is non-finite.
    #[error(
        "diverged: the loss was {loss} at step {step}; lower `learning_rate` or `table_learning_rate`"
    )]
    Diverged {
        /// The step, from 1.
        step: usize,
        /// The loss of that step.
        loss: f64,
    },
    /// `observe` ended the run.
    #[error("interrupted at step {step}")]
    Interrupted {
        /// The last step, from 1.
        step: usize,
    },
}

/// Trains one decoder.
///
/// # Arguments
/// * `observe`: called after every step; ends the run if it breaks.
///
/// # Errors
/// If the model cannot be built, a token file is damaged, a loss is non-finite, `steps` is 0, or `observe` ends the run.
pub fn train(
    spec: &TrainSpec,
    observe: &mut dyn FnMut(&StepReport) -> ControlFlow<()>,
) -> Result<Trained, TrainError> {
    let TrainSpec {
        training,
        steps,
        device,
        dataset,
        ..
    } = *spec;
    let seq_len = spec.model.decoder.seq_len;
    let flops_per_token = spec.model.cost()?.training() as f64;
    let autodiff = device.clone().autodiff();
    let mut decoder = Decoder::new(spec.model, spec.seed, &autodiff)?;
    let mut optimizers = Optimizers::new(training, &decoder);

    let tokens_per_step = (training.batch_size * seq_len) as u64;
    let mut losses = Vec::with_capacity(steps);
    let mut train_wall_s = 0.0;
    let mut validated = None;
    for step in 1..=steps {
        let clock = Instant::now();
        let factor = training
            .schedule
            .factor(step - 1, steps, training.warmup, training.min_ratio);
        let rates = LearningRates::of(training, factor);
        let batch = batches::training(
            &dataset.train,
            spec.seed,
            step - 1,
            training.batch_size,
            seq_len,
            &autodiff,
        )?;
        let gradients = backward::backward(&decoder, batch, training.micro_batches);
        let (loss, auxiliary_loss) = (gradients.loss, gradients.auxiliary_loss);
        if !(loss + auxiliary_loss).is_finite() {
            return Err(TrainError::Diverged { step, loss });
        }
        let (updated, norms) = optimizers.update(
            decoder,
            gradients.dense,
            gradients.tables,
            &gradients.statistics,
            rates,
        );
        decoder = updated;

        train_wall_s += clock.elapsed().as_secs_f64();
        losses.push(loss);
        let tokens = step as u64 * tokens_per_step;
        // True for the last step.
        let validates = training.validates(step, steps);
        if validates {
            let (loss, tokens) = validation::loss(&decoder.valid(), training, dataset, device)?;
            if !loss.is_finite() {
                return Err(TrainError::Diverged { step, loss });
            }
            validated = Some((loss, tokens));
        }
        let report = StepReport {
            step,
            tokens,
            train_flops: tokens as f64 * flops_per_token,
            wall_s: train_wall_s,
            loss,
            val_loss: validated.filter(|_| validates).map(|(loss, _)| loss),
            learning_rate: rates.dense,
            grad_norm: norms.dense,
            table_grad_norm: norms.tables,
            auxiliary_loss,
            tokens_per_s: tokens as f64 / train_wall_s,
            logged: validates || step % training.log_every == 0 || step == 1,
        };
        if observe(&report).is_break() {
            return Err(TrainError::Interrupted { step });
        }
    }
    let Some((val_loss, val_tokens)) = validated else {
        let problem = "is less than one batch";
        return Err(ConfigError::new("tokens", problem, "raise tokens or lower batch_size").into());
    };
    let decoder = decoder.valid();
    let usage = validation::usage(&decoder, training, dataset, device)?;
    let tail = &losses[steps - steps.div_ceil(10)..];
    Ok(Trained {
        decoder,
        train_loss: tail.iter().sum::<f64>() / tail.len() as f64,
        val_loss,
        val_tokens,
        tokens: steps as u64 * tokens_per_step,
        train_wall_s,
        usage,
    })
}
