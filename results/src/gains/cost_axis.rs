//! The cost in which a gain is measured, and whether a lower or a higher score is better.

use crate::RunRow;
use crate::fits::Reading;

/// The cost along dense's curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CostAxis {
    /// Training FLOPs spent: the gain is compute-equivalent.
    Flops,
    /// Seconds of training on the device of the runs: the gain is a speed-up in wall-clock time.
    Seconds,
    /// Parameters under one reading: the gain is parameter-equivalent. Where dense's larger rungs were also trained longer,
    /// it compares with a dense decoder *of this sweep's budgets*, not with one trained on the block's tokens.
    Params(Reading),
}

impl CostAxis {
    /// The axis in words.
    pub fn label(self) -> &'static str {
        match self {
            Self::Flops => "training FLOPs",
            Self::Seconds => "seconds of training",
            Self::Params(reading) => reading.label(),
        }
    }

    /// The cost of a run.
    pub fn of(self, run: &RunRow) -> f64 {
        match self {
            Self::Flops => run.train_flops,
            Self::Seconds => run.train_wall_s,
            Self::Params(reading) => reading.of(run),
        }
    }
}

/// Whether a lower or a higher score is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Lower is better, as for losses.
    Lower,
    /// Higher is better, as for accuracies.
    Higher,
}

impl Better {
    /// The score oriented so that higher is better.
    pub(super) fn goodness(self, score: f64) -> f64 {
        match self {
            Self::Lower => -score,
            Self::Higher => score,
        }
    }
}
