//! From a budget of the dense decoder to the steps of another: the matching that the comparison rests on.

use architectures::Cost;

use crate::sweep_file::Matching;

/// Tokens, as a count.
pub type Tokens = u64;
/// Floating-point operations, as a total too large for an exact count.
pub type TotalFlops = f64;

/// How long a run is trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Whole batches.
    pub steps: usize,
    /// What the steps hold.
    pub tokens: Tokens,
    /// Training FLOPs asked for.
    pub target_flops: TotalFlops,
    /// Training FLOPs that the steps cost.
    pub train_flops: TotalFlops,
}

impl Budget {
    /// The steps of a model of cost `cost` where the dense decoder of its size, of cost `dense`, gets `tokens`.
    pub fn new(
        matching: Matching,
        dense: &Cost,
        cost: &Cost,
        tokens: Tokens,
        batch_tokens: Tokens,
    ) -> Self {
        let per_token = cost.training() as f64;
        let target_flops = match matching {
            Matching::Flops => tokens as f64 * dense.training() as f64,
            Matching::Tokens => tokens as f64 * per_token,
        };
        let steps = (target_flops / per_token / batch_tokens as f64)
            .round()
            .max(1.0);
        let tokens = steps as Tokens * batch_tokens;
        Self {
            steps: steps as usize,
            tokens,
            target_flops,
            train_flops: tokens as f64 * per_token,
        }
    }

    /// Relative difference between what is spent and what was asked for.
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

    #[test]
    fn a_cheaper_block_sees_more_tokens_for_the_same_flops() {
        let budget = Budget::new(Matching::Flops, &costing(100), &costing(50), 10_000, 10);
        assert_eq!((budget.steps, budget.tokens), (2000, 20_000));
        assert_eq!((budget.target_flops, budget.train_flops), (3e6, 3e6));
    }

    #[test]
    fn equal_tokens_cost_what_they_cost() {
        let budget = Budget::new(Matching::Tokens, &costing(100), &costing(50), 10_000, 10);
        assert_eq!((budget.tokens, budget.target_flops), (10_000, 1.5e6));
    }

    #[test]
    fn whole_batches_miss_the_target_by_half_a_batch_at_most() {
        for other in 1..300 {
            let budget = Budget::new(Matching::Flops, &costing(100), &costing(other), 1_000, 64);
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
        assert_eq!(
            Budget::new(Matching::Flops, &costing(1), &costing(1_000_000), 10, 64).steps,
            1
        );
    }
}
