//! Gains in loss.

use super::gain::{Gain, NoGain, gain};
use super::sample::Sample;
use super::{Better, CostAxis};
use crate::RunRow;

/// The validation losses of one block on one rung.
#[derive(Clone, Debug, PartialEq)]
pub struct RungLosses {
    /// Cost on one [`CostAxis`], mean over seeds.
    pub cost: f64,
    /// Nats per token, one per seed.
    pub seeds: Vec<f64>,
}

impl RungLosses {
    /// From finished runs that differ in the seed alone: their mean cost and the validation loss of each.
    pub fn of(runs: &[&RunRow], axis: CostAxis) -> Self {
        Self {
            cost: runs.iter().map(|run| axis.of(run)).sum::<f64>() / runs.len() as f64,
            seeds: runs.iter().map(|run| run.val_loss).collect(),
        }
    }

    fn sample(&self) -> Sample {
        let table: Vec<Vec<f64>> = self.seeds.iter().map(|&loss| vec![loss]).collect();
        Sample::new(self.cost, &table, &[0], 1)
    }
}

/// The factor by which dense's cost must grow to reach the block's loss: compute-equivalent or parameter-equivalent,
/// depending on the [`CostAxis`] of the costs. `seed` seeds the resampling.
///
/// With two seeds or more on every rung there is an interval: each mean is resampled from Student's t about it and the gain
/// computed again. With a single seed on some rung the variance over seeds is unknown, and there is none.
///
/// ```
/// use results::gains::{RungLosses, Ratio, gain_in_loss};
///
/// let at = |cost, seeds: &[f64]| RungLosses { cost, seeds: seeds.to_vec() };
/// // Dense falls by 0.4 nats per decade of compute; the block has at 1e17 what dense has at 1e18.
/// let dense = [at(1e17, &[4.0]), at(1e18, &[3.6]), at(1e19, &[3.2])];
/// let found = gain_in_loss(&dense, &at(1e17, &[3.6]), 0).unwrap();
/// assert!((found.ratio.number() - 10.0).abs() < 1e-9);
/// assert_eq!(found.interval, None); // one seed
///
/// // Better than dense's largest rung: a bound, not an extrapolation.
/// let beyond = gain_in_loss(&dense, &at(1e18, &[3.1]), 0).unwrap();
/// assert!(matches!(beyond.ratio, Ratio::AtLeast(x) if (x - 10.0).abs() < 1e-9));
/// ```
pub fn gain_in_loss(dense: &[RungLosses], block: &RungLosses, seed: u64) -> Result<Gain, NoGain> {
    let samples: Vec<Sample> = dense.iter().map(RungLosses::sample).collect();
    gain(&samples, &block.sample(), Better::Lower, &[1.0], seed)
}
