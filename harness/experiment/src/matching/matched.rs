//! What was to be equal, and how nearly it is: the figures of one target of a run.

use crate::budget::TrainingBudget;

/// The target that tokens alone meet.
pub const TRAIN_FLOPS: &str = "train_flops";

/// One target of one run, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Matched {
    /// What was to be equal: a [`super::Target`]'s name, or `train_flops`.
    pub target: String,
    /// Whose value it is.
    pub reference: String,
    /// The value of the reference, in the target's unit.
    pub wanted: f64,
    /// The value of the solution, in the same unit.
    pub reached: f64,
    /// Largest relative difference allowed.
    pub tolerance: f64,
    /// Solved values, such as `n_keys = 181`.
    pub knobs: String,
}

impl Matched {
    /// Training FLOPs, matched by the number of tokens. Whole batches miss their target by half a batch at most, or by
    /// all that one batch costs beyond it.
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
    fn tokens_reach_their_flops_within_the_stated_tolerance() {
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
