//! Training budgets: the number of steps of a model, from the budget of the dense decoder of its size.

use architectures::{ConfigError, Cost};

use crate::sweep_file::Matching;

/// A number of tokens.
pub type Tokens = u64;
/// A total number of floating-point operations; f64, because totals exceed the range of exact integers.
pub type TotalFlops = f64;

/// Largest number of training tokens of a run.
pub const MAX_TOKENS: Tokens = 1 << 50;

/// Budget of the dense decoder of a size, from which the budgets of the other blocks are derived.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DenseBudget {
    /// Training tokens.
    Tokens(Tokens),
    /// Training FLOPs; sizes with equal FLOPs form one isoFLOP curve (Hoffmann et al. 2022, approach 2).
    Flops(TotalFlops),
}

/// Length of a training run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainingBudget {
    /// Number of steps, of one batch each.
    pub steps: usize,
    /// Tokens of all steps.
    pub tokens: Tokens,
    /// Training FLOPs that the budget prescribes.
    pub target_flops: TotalFlops,
    /// Training FLOPs of the steps, a whole number of batches.
    pub train_flops: TotalFlops,
}

impl TrainingBudget {
    /// Checks that the run has at most [`MAX_TOKENS`] tokens; of more, the numbers of steps and tokens are not exact.
    ///
    /// # Errors
    /// If it has more.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.tokens <= MAX_TOKENS && self.target_flops.is_finite() {
            return Ok(());
        }
        Err(ConfigError::new(
            "tokens",
            "gives a run of more than 2^50 tokens",
            "lower the budget of the size",
        ))
    }

    /// The budget of a model with cost `cost` per token if the dense decoder of its size, with cost `dense` per token,
    /// has the budget `given`. The number of steps is rounded to the nearest integer and is at least one.
    ///
    /// # Arguments
    /// * `matching`: whether training FLOPs or training tokens equal those of the dense decoder.
    /// * `batch_tokens`: tokens of one batch.
    pub fn new(
        matching: Matching,
        dense: &Cost,
        cost: &Cost,
        given: DenseBudget,
        batch_tokens: Tokens,
    ) -> Self {
        let (dense, per_token) = (dense.training() as f64, cost.training() as f64);
        let target_flops = match (matching, given) {
            (Matching::Flops | Matching::Facts(_), DenseBudget::Flops(flops)) => flops,
            (Matching::Flops | Matching::Facts(_), DenseBudget::Tokens(tokens)) => {
                tokens as f64 * dense
            }
            (Matching::Tokens, DenseBudget::Flops(flops)) => flops / dense * per_token,
            (Matching::Tokens, DenseBudget::Tokens(tokens)) => tokens as f64 * per_token,
        };
        let steps = (target_flops / per_token / batch_tokens as f64)
            .round()
            .max(1.0);
        let tokens = (steps as Tokens).saturating_mul(batch_tokens);
        Self {
            steps: steps as usize,
            tokens,
            target_flops,
            train_flops: tokens as f64 * per_token,
        }
    }

    /// Relative difference between `train_flops` and `target_flops`.
    pub fn deviation(&self) -> f64 {
        self.train_flops / self.target_flops - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costing(forward: u64) -> Cost {
        Cost {
            matmul: forward,
            ..Cost::default()
        }
    }

    fn of(
        matching: Matching,
        dense: u64,
        cost: u64,
        tokens: Tokens,
        batch: Tokens,
    ) -> TrainingBudget {
        let given = DenseBudget::Tokens(tokens);
        TrainingBudget::new(matching, &costing(dense), &costing(cost), given, batch)
    }

    #[test]
    fn the_target_equals_given_flops_at_every_size() {
        for dense in [7, 100, 313] {
            let given = DenseBudget::Flops(3e6);
            let of =
                |matching| TrainingBudget::new(matching, &costing(dense), &costing(50), given, 10);
            assert_eq!(of(Matching::Flops).target_flops, 3e6);
            let tokens = of(Matching::Tokens).target_flops / 150.0;
            assert!((tokens * 3.0 * dense as f64 - 3e6).abs() < 1e-6);
        }
    }

    #[test]
    fn a_block_with_fewer_flops_per_token_is_trained_on_more_tokens() {
        let budget = of(Matching::Flops, 100, 50, 10_000, 10);
        assert_eq!((budget.steps, budget.tokens), (2000, 20_000));
        assert_eq!((budget.target_flops, budget.train_flops), (3e6, 3e6));
    }

    #[test]
    fn with_equal_tokens_the_target_is_the_cost_of_the_block() {
        let budget = of(Matching::Tokens, 100, 50, 10_000, 10);
        assert_eq!((budget.tokens, budget.target_flops), (10_000, 1.5e6));
    }

    #[test]
    fn rounding_to_whole_batches_deviates_by_at_most_half_a_batch() {
        for other in 1..300 {
            let budget = of(Matching::Flops, 100, other, 1_000, 64);
            let half_batch = 32.0 * 3.0 * other as f64;
            assert!(
                budget.steps == 1 || (budget.train_flops - budget.target_flops).abs() <= half_batch
            );
            assert!(
                (budget.deviation() * budget.target_flops
                    - (budget.train_flops - budget.target_flops))
                    .abs()
                    < 1e-6
            );
        }
        assert_eq!(of(Matching::Flops, 1, 1_000_000, 10, 64).steps, 1);
    }
}
