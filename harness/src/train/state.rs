//! Everything that the next training step depends on.

use std::collections::BTreeSet;

use architectures::{ConfigError, Decoder};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::recent::Recent;
use super::step::Optimizers;
use super::{TrainSpec, check_ranks};

/// The state of training between two steps. Batches, schedule and random draws follow from the number of the step.
pub struct TrainingState {
    /// The decoder with its tables and buffers, on the autodiff device.
    pub decoder: Decoder,
    /// The optimizers with their moments.
    pub optimizers: Optimizers,
    /// Counters and statistics.
    pub progress: TrainingProgress,
}

/// Counters and statistics of a training run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingProgress {
    /// Steps done.
    pub step: usize,
    /// Seconds of training, without validation.
    pub train_wall_s: f64,
    /// Training losses of the last tenth of the run, nats per token.
    pub last_losses: Vec<f64>,
    /// The latest validation.
    pub validated: Option<Validated>,
    /// The lowest validation loss so far, nats per token.
    pub best_val_loss: Option<f64>,
    /// Losses of recent steps.
    pub recent_losses: Recent,
    /// Dense gradient norms of recent steps.
    pub recent_norms: Recent,
    /// Steps whose update was skipped.
    pub skipped_steps: u64,
    /// Whether the loss of the last step was a spike.
    pub in_spike: bool,
    /// Times that training continued from a checkpoint.
    pub resumes: u64,
    /// Layers and units for which a collapse has been reported.
    pub collapsed: BTreeSet<String>,
}

/// Result of a validation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Validated {
    /// Mean loss, nats per token.
    pub loss: f64,
    /// Held-out tokens averaged.
    pub tokens: u64,
}

impl TrainingState {
    /// The state before the first step of `spec`, initialised from its seed.
    ///
    /// # Errors
    /// If the model's configuration is invalid, or the ranks cannot share its training.
    pub fn new(spec: &TrainSpec) -> Result<Self, ConfigError> {
        check_ranks(spec.training, spec.ranks.ranks())?;
        Ok(Self {
            decoder: Decoder::on_ranks(
                spec.model,
                spec.seed,
                &autodiff(spec.device),
                spec.ranks.clone(),
            )?,
            optimizers: Optimizers::on_ranks(spec.training, spec.ranks),
            progress: TrainingProgress::default(),
        })
    }
}

impl TrainingProgress {
    /// Mean training loss over the last tenth of the steps, nats per token.
    pub fn train_loss(&self) -> f64 {
        self.last_losses.iter().sum::<f64>() / self.last_losses.len() as f64
    }

    /// Whether the loss of `step` (from 1) of `steps` is one of the last tenth.
    pub fn is_of_last_tenth(step: usize, steps: usize) -> bool {
        step > steps - steps.div_ceil(10)
    }
}

/// `device` with autodiff.
pub fn autodiff(device: &Device) -> Device {
    device.clone().autodiff()
}
