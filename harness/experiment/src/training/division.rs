//! The parts in which the gradients of a batch are computed.

use super::config::TrainingConfig;
use super::recompute::Recompute;
use super::zero_stage::ZeroStage;

/// How the gradients of a batch are computed; it determines the memory of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Division {
    /// Parts of whole sequences that are computed one after the other.
    pub accumulate: usize,
    /// Parts of each of these that are computed in parallel.
    pub micro_batches: usize,
    /// Which layers are evaluated again in the backward pass.
    pub recompute: Recompute,
    /// Ranks that have equal parts of the batch each, which the other numbers divide.
    pub ranks: usize,
    /// What the ranks divide.
    pub zero_stage: ZeroStage,
}

impl Division {
    /// The whole batch at once, with all activations stored.
    pub const WHOLE: Self = Self {
        accumulate: 1,
        micro_batches: 1,
        recompute: Recompute::None,
        ranks: 1,
        zero_stage: ZeroStage::Moments,
    };

    /// That of a training run.
    pub fn of(training: &TrainingConfig) -> Self {
        Self {
            accumulate: training.accumulate,
            micro_batches: training.micro_batches,
            recompute: training.recompute,
            ranks: 1,
            zero_stage: training.zero_stage,
        }
    }

    /// Of the part of the batch that each of `ranks` has: as many parts in all ranks together as without ranks, and at least one
    /// for each rank.
    #[must_use]
    pub fn on_ranks(self, ranks: usize) -> Self {
        let all = self.accumulate * self.micro_batches;
        let accumulate = self.accumulate.div_ceil(ranks);
        Self {
            accumulate,
            micro_batches: all.div_ceil(ranks * accumulate),
            ranks,
            ..self
        }
    }
}
