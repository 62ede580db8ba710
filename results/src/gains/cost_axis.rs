//! What a gain is counted in, and which way a score is better.

use crate::RunRow;
use crate::fits::Reading;

/// The cost along dense's curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CostAxis {
    /// Training FLOPs spent: the gain is compute-equivalent.
    Flops,
    /// Parameters under one reading: the gain is parameter-equivalent. Dense's larger rungs were also trained longer, so it
    /// is how much larger a dense decoder *of this ladder* is, not of one trained as the block was.
    Params(Reading),
}

impl CostAxis {
    /// As a reader should see it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Flops => "training FLOPs",
            Self::Params(reading) => reading.label(),
        }
    }

    /// The cost of a run.
    pub fn of(self, run: &RunRow) -> f64 {
        match self {
            Self::Flops => run.train_flops,
            Self::Params(reading) => reading.of(run),
        }
    }
}

/// Which way a score is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// As losses are.
    Lower,
    /// As accuracies are.
    Higher,
}

impl Better {
    /// The score such that more is better.
    pub(super) fn goodness(self, score: f64) -> f64 {
        match self {
            Self::Lower => -score,
            Self::Higher => score,
        }
    }
}
