//! A matched quantity of a run: its target, its value and its deviation.

use crate::budget::TrainingBudget;

/// Name of the target that is matched by the number of tokens.
pub const TRAIN_FLOPS: &str = "train_flops";

/// One matched quantity of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Matched {
    /// Name of the quantity: that of a [`super::Target`], or [`TRAIN_FLOPS`].
    pub target: String,
    /// Label of the reference.
    pub reference: String,
    /// Value of the reference: FLOPs, parameters or bytes.
    pub wanted: f64,
    /// Value of the solution, in the same unit.
    pub reached: f64,
    /// Maximum relative difference.
    pub tolerance: f64,
    /// Solved values, such as `n_keys = 181`.
    pub knobs: String,
}

impl Matched {
    /// Training FLOPs, matched by the number of tokens. The tolerance is the FLOPs of half a batch, by rounding to
    /// whole batches, or the excess of a single batch if the target is less than one batch.
    pub fn training_flops(budget: &TrainingBudget) -> Self {
        let batch = budget.train_flops / budget.steps as f64;
        Self {
            target: TRAIN_FLOPS.to_owned(),
            reference: "dense".to_owned(),
            wanted: budget.target_flops,
            reached: budget.train_flops,
            tolerance: (0.5 * batch).max(batch - budget.target_flops) / budget.target_flops,
            knobs: format!("tokens = {}", budget.tokens),
        }
    }

    /// Relative difference between the solution and the reference.
    pub fn deviation(&self) -> f64 {
        self.reached / self.wanted - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::DenseBudget;
    use crate::sweep_file::Matching;
    use architectures::Cost;

    #[test]
    fn training_flops_deviate_by_at_most_the_tolerance() {
        let costing = |matmul| Cost {
            matmul,
            ..Cost::default()
        };
        for other in [1, 7, 64, 99, 100, 301, 100_000] {
            let budget = TrainingBudget::new(
                Matching::Flops,
                &costing(100),
                &costing(other),
                DenseBudget::Tokens(1_000),
                64,
            );
            let matched = Matched::training_flops(&budget);
            assert!(
                matched.deviation().abs() <= matched.tolerance * (1.0 + 1e-12),
                "{matched:?}"
            );
            assert_eq!(matched.knobs, format!("tokens = {}", budget.tokens));
        }
    }
}
