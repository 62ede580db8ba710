//! The parts in which the gradients of a batch are computed.

use super::config::TrainingConfig;
use super::recompute::Recompute;

/// How the gradients of a batch are computed; it determines the memory of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Division {
    /// Parts of whole sequences that are computed one after the other.
    pub accumulate: usize,
    /// Parts of each of these that are computed in parallel.
    pub micro_batches: usize,
    /// Which layers are evaluated again in the backward pass.
    pub recompute: Recompute,
}

impl Division {
    /// The whole batch at once, with all activations stored.
    pub const WHOLE: Self = Self {
        accumulate: 1,
        micro_batches: 1,
        recompute: Recompute::None,
    };

    /// That of a training run.
    pub fn of(training: &TrainingConfig) -> Self {
        Self {
            accumulate: training.accumulate,
            micro_batches: training.micro_batches,
            recompute: training.recompute,
        }
    }
}
