//! How a decoder is trained: the sweep file's `[training]`.

use architectures::ConfigError;
use serde::{Deserialize, Serialize};

use super::schedule::Schedule;

/// Optimizers, schedule and bookkeeping of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Sequences per step.
    pub batch_size: usize,
    /// Parts of a batch that are computed side by side; small models need as many as there are cores.
    #[serde(default = "defaults::micro_batches")]
    pub micro_batches: usize,
    /// Peak learning rate of the dense parameters.
    pub learning_rate: f64,
    /// Peak learning rate of value tables.
    pub table_learning_rate: f64,
    /// Shape of the learning rate over the run; tables follow it too.
    #[serde(default)]
    pub schedule: Schedule,
    /// Share of the steps over which the rate rises from zero.
    #[serde(default = "defaults::warmup")]
    pub warmup: f64,
    /// Last rate over peak rate.
    #[serde(default = "defaults::min_ratio")]
    pub min_ratio: f64,
    /// Decoupled decay of dense matrices; vectors and tables have none.
    #[serde(default = "defaults::weight_decay")]
    pub weight_decay: f64,
    /// Decay of the mean of gradients.
    #[serde(default = "defaults::beta_1")]
    pub beta_1: f64,
    /// Decay of the mean of squared gradients.
    #[serde(default = "defaults::beta_2")]
    pub beta_2: f64,
    /// Added to the root of the mean square.
    #[serde(default = "defaults::epsilon")]
    pub epsilon: f64,
    /// Largest global norm of the dense gradient; 0 for no clipping.
    #[serde(default = "defaults::clip_norm")]
    pub clip_norm: f64,
    /// Largest norm of each table's gradient; 0 for no clipping.
    #[serde(default = "defaults::clip_norm")]
    pub table_clip_norm: f64,
    /// Steps from one recorded step to the next.
    #[serde(default = "defaults::log_every")]
    pub log_every: usize,
    /// How often a run measures its validation loss, the end included.
    #[serde(default = "defaults::validations")]
    pub validations: usize,
    /// Held-out tokens that each validation reads, at most.
    #[serde(default = "defaults::validation_tokens")]
    pub validation_tokens: usize,
}

/// The recipe of "Memory Layers at Scale" where it has one (its section on training; betas, decay, clipping, schedule).
mod defaults {
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
    /// Checks that training can run with these values.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::positive("batch_size", self.batch_size)?;
        if self.micro_batches == 0 || self.micro_batches > self.batch_size {
            return Err(ConfigError::new(
                "micro_batches",
                format!(
                    "= {} is not between 1 and batch_size = {}",
                    self.micro_batches, self.batch_size
                ),
                "each part needs a sequence",
            ));
        }
        ConfigError::positive("log_every", self.log_every)?;
        ConfigError::positive("validations", self.validations)?;
        ConfigError::positive("validation_tokens", self.validation_tokens)?;
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
        within("table_clip_norm", self.table_clip_norm, 0.0, f64::INFINITY)
    }

    /// Whether this step, from 1, measures the validation loss.
    pub fn validates(&self, step: usize, steps: usize) -> bool {
        let due = |step: usize| step * self.validations / steps;
        due(step) > due(step - 1)
    }
}
