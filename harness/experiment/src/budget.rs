//! From a budget of the dense decoder to the steps of another: the matching that the comparison rests on.

use architectures::Cost;

use crate::sweep_file::Matching;

/// Tokens, as a count.
pub type Tokens = u64;
/// Floating-point operations, as a total too large for an exact count.
pub type TotalFlops = f64;

/// What the dense decoder of a size is given; the other blocks' budgets follow from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DenseBudget {
    /// Training tokens.
    Tokens(Tokens),
    /// Training FLOPs: sizes given as many lie on one isoFLOP curve.
    Flops(TotalFlops),
}

/// How long a run is trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainingBudget {
    /// Whole batches.
    pub steps: usize,
    /// What the steps hold.
    pub tokens: Tokens,
    /// Requested training FLOPs.
    pub target_flops: TotalFlops,
    /// Training FLOPs that the steps cost.
    pub train_flops: TotalFlops,
}

impl TrainingBudget {
    /// The steps of a model of cost `cost` where the dense decoder of its size, of cost `dense`, gets `given`.
    pub fn new(
        matching: Matching,
        dense: &Cost,
        cost: &Cost,
        given: DenseBudget,
        batch_tokens: Tokens,
    ) -> Self {
        let (dense, per_token) = (dense.training() as f64, cost.training() as f64);
        let target_flops = match (matching, given) {
            (Matching::Flops, DenseBudget::Flops(flops)) => flops,
            (Matching::Flops, DenseBudget::Tokens(tokens)) => tokens as f64 * dense,
            (Matching::Tokens, DenseBudget::Flops(flops)) => flops / dense * per_token,
            (Matching::Tokens, DenseBudget::Tokens(tokens)) => tokens as f64 * per_token,
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

    /// Relative difference between the FLOPs spent and those requested.
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
    fn flops_are_met_to_the_digit_at_every_size() {
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
    fn a_cheaper_block_sees_more_tokens_for_the_same_flops() {
        let budget = of(Matching::Flops, 100, 50, 10_000, 10);
        assert_eq!((budget.steps, budget.tokens), (2000, 20_000));
        assert_eq!((budget.target_flops, budget.train_flops), (3e6, 3e6));
    }

    #[test]
    fn equal_tokens_cost_what_they_cost() {
        let budget = of(Matching::Tokens, 100, 50, 10_000, 10);
        assert_eq!((budget.tokens, budget.target_flops), (10_000, 1.5e6));
    }

    #[test]
    fn whole_batches_miss_the_target_by_half_a_batch_at_most() {
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
