//! `[training]` of a sweep file: optimizers, schedule, logging and validation.

use architectures::{ConfigError, NumericFormat};
use serde::{Deserialize, Serialize};

use super::checkpoint::CheckpointConfig;
use super::init_from::InitFrom;
use super::outliers::OutlierConfig;
use super::recompute::Recompute;
use super::schedule::Schedule;
use super::zero_stage::ZeroStage;

/// Configuration of optimizers, learning-rate schedule, logging and validation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Sequences per step.
    pub batch_size: usize,
    /// Parts of a batch that are computed one after the other, and their gradients added: the memory of a step is that of
    /// one part.
    #[serde(
        default = "defaults::accumulate",
        skip_serializing_if = "defaults::is_not_accumulated"
    )]
    pub accumulate: usize,
    /// Parts of each of these that are computed concurrently; on a CPU, small models use one core per part.
    #[serde(default = "defaults::micro_batches")]
    pub micro_batches: usize,
    /// Which activations are stored for the backward pass. It does not change the result, to the bit, and is no part of a
    /// run's identity.
    #[serde(default, skip_serializing)]
    pub recompute: Recompute,
    /// What ranks that train a run together divide. Like their number it is no part of a run's identity.
    #[serde(default, skip_serializing)]
    pub zero_stage: ZeroStage,
    /// Peak learning rate of the dense parameters.
    pub learning_rate: f64,
    /// Peak learning rate of value tables.
    pub table_learning_rate: f64,
    /// Shape of the learning rate over the run, of dense parameters and of tables.
    #[serde(default)]
    pub schedule: Schedule,
    /// Shape of the tables' learning rate; that of `schedule` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_schedule: Option<Schedule>,
    /// Fraction of the steps in which the learning rate rises linearly.
    #[serde(default = "defaults::warmup")]
    pub warmup: f64,
    /// Ratio of the final learning rate to the peak learning rate.
    #[serde(default = "defaults::min_ratio")]
    pub min_ratio: f64,
    /// Decoupled weight decay of dense matrices; vectors and tables are not decayed.
    #[serde(default = "defaults::weight_decay")]
    pub weight_decay: f64,
    /// Whether elements of experts and of product keys whose gradient is zero, since no token chose them in the step, keep their
    /// value and moments, as rows of tables do. If not, they decay and follow their mean of gradients.
    #[serde(default, skip_serializing_if = "defaults::is_false")]
    pub keep_unchosen: bool,
    /// Decay of the first moment of AdamW.
    #[serde(default = "defaults::beta_1")]
    pub beta_1: f64,
    /// Decay of the second moment of AdamW.
    #[serde(default = "defaults::beta_2")]
    pub beta_2: f64,
    /// Added to the square root of the second moment.
    #[serde(default = "defaults::epsilon")]
    pub epsilon: f64,
    /// Maximum global norm of the dense gradient; 0 disables clipping.
    #[serde(default = "defaults::clip_norm")]
    pub clip_norm: f64,
    /// Maximum norm of the gradient of each table; 0 disables clipping.
    #[serde(default = "defaults::clip_norm")]
    pub table_clip_norm: f64,
    /// Format of the moments of value tables.
    #[serde(default, skip_serializing_if = "NumericFormat::is_default")]
    pub table_moments: NumericFormat,
    /// Number of steps between recorded steps.
    #[serde(default = "defaults::log_every")]
    pub log_every: usize,
    /// Number of evaluations of the validation loss in a run, the last one after the final step.
    #[serde(default = "defaults::validations")]
    pub validations: usize,
    /// Maximum number of held-out tokens in each validation.
    #[serde(default = "defaults::validation_tokens")]
    pub validation_tokens: usize,
    /// Outlier steps whose update is skipped; none if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outliers: Option<OutlierConfig>,
    /// A model whose parameters runs begin with; parameters that it does not have are initialised from the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_from: Option<InitFrom>,
    /// Checkpoints. They do not change the result, and are no part of a run's identity.
    #[serde(default, skip_serializing)]
    pub checkpoint: CheckpointConfig,
}

/// Default values; weight decay, betas, clipping and the final ratio are those of `sweeps/paper.toml`.
mod defaults {
    pub fn accumulate() -> usize {
        1
    }
    pub fn is_not_accumulated(parts: &usize) -> bool {
        *parts == 1
    }
    pub fn is_false(value: &bool) -> bool {
        !value
    }
    pub fn micro_batches() -> usize {
        1
    }
    pub fn warmup() -> f64 {
        0.03
    }
    pub fn min_ratio() -> f64 {
        0.01
    }
    pub fn weight_decay() -> f64 {
        0.1
    }
    pub fn beta_1() -> f64 {
        0.9
    }
    pub fn beta_2() -> f64 {
        0.95
    }
    pub fn epsilon() -> f64 {
        1e-8
    }
    pub fn clip_norm() -> f64 {
        1.0
    }
    pub fn log_every() -> usize {
        20
    }
    pub fn validations() -> usize {
        5
    }
    pub fn validation_tokens() -> usize {
        8192
    }
}

impl TrainingConfig {
    /// Validates the values.
    ///
    /// # Errors
    /// For the first value that is out of range.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::within("batch_size", self.batch_size, 1 << 20)?;
        ConfigError::at_most("micro_batches", self.micro_batches, 1 << 10)?;
        if self.accumulate == 0 || self.accumulate > self.batch_size {
            return Err(ConfigError::new(
                "accumulate",
                format!(
                    "= {} is not between 1 and batch_size = {}",
                    self.accumulate, self.batch_size
                ),
                "each part requires at least one sequence",
            ));
        }
        let part = self.batch_size / self.accumulate;
        if self.micro_batches == 0 || self.micro_batches > part {
            let limit = match self.accumulate {
                1 => format!("batch_size = {part}"),
                parts => format!("batch_size / accumulate = {} / {parts}", self.batch_size),
            };
            return Err(ConfigError::new(
                "micro_batches",
                format!("= {} is not between 1 and {limit}", self.micro_batches),
                "each micro-batch requires at least one sequence",
            ));
        }
        self.recompute.check()?;
        ConfigError::within("log_every", self.log_every, 1 << 30)?;
        // Times the largest number of steps it is less than 2^64.
        ConfigError::within("validations", self.validations, 10_000)?;
        ConfigError::within("validation_tokens", self.validation_tokens, 1 << 30)?;
        let within = |key, value: f64, low: f64, high: f64| {
            if value >= low && value < high {
                return Ok(());
            }
            Err(ConfigError::new(
                key,
                format!("= {value} is not in [{low}, {high})"),
                "choose a value in that range",
            ))
        };
        within("learning_rate", self.learning_rate, f64::MIN_POSITIVE, 10.0)?;
        within(
            "table_learning_rate",
            self.table_learning_rate,
            f64::MIN_POSITIVE,
            10.0,
        )?;
        within("warmup", self.warmup, 0.0, 1.0)?;
        within("min_ratio", self.min_ratio, 0.0, 1.0 + f64::EPSILON)?;
        within("weight_decay", self.weight_decay, 0.0, 10.0)?;
        within("beta_1", self.beta_1, 0.0, 1.0)?;
        within("beta_2", self.beta_2, 0.0, 1.0)?;
        within("epsilon", self.epsilon, f64::MIN_POSITIVE, 1.0)?;
        within("clip_norm", self.clip_norm, 0.0, f64::INFINITY)?;
        within("table_clip_norm", self.table_clip_norm, 0.0, f64::INFINITY)?;
        if let Some(outliers) = &self.outliers {
            outliers.check()?;
        }
        if let Some(init_from) = &self.init_from {
            init_from.check()?;
        }
        self.checkpoint.check()
    }

    /// Whether the one-based `step` is recorded, apart from those that validate.
    pub fn logs(&self, step: usize) -> bool {
        step == 1 || step.is_multiple_of(self.log_every)
    }

    /// Whether the validation loss is evaluated after this one-based step of `steps`.
    pub fn validates(&self, step: usize, steps: usize) -> bool {
        let due = |step: usize| step * self.validations / steps;
        due(step) > due(step - 1)
    }
}
