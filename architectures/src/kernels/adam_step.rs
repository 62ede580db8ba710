//! The hyper-parameters of one update by Adam, for dense parameters and for rows of a table.

use super::stochastic_rounding::RoundingCounters;

/// Hyper-parameters of one update (Kingma & Ba 2015, algorithm 1).
#[derive(Clone, Copy, Debug)]
pub struct AdamStep {
    /// Step size.
    pub learning_rate: f32,
    /// Decay of the mean of gradients.
    pub beta_1: f32,
    /// Decay of the mean of squared gradients.
    pub beta_2: f32,
    /// Added to the root of the mean square.
    pub epsilon: f32,
    /// Number of this update, from 1; corrects both means for having started at zero.
    pub step: i32,
    /// Largest norm of the whole gradient; beyond it, the gradient is scaled down.
    pub max_norm: Option<f32>,
    /// Random bits of the rounding of what is in bf16.
    pub rounding: RoundingCounters,
}

impl AdamStep {
    /// Factors that correct the mean of gradients and that of their squares for having started at zero.
    pub fn corrections(&self) -> (f32, f32) {
        let of = |beta: f32| 1.0 / (1.0 - beta.powi(self.step));
        (of(self.beta_1), of(self.beta_2))
    }
}
