//! A block's loss and accuracy over training FLOPs: its value at each budget, and the laws through them.

use crate::fits::{
    IsoflopFit, NoLaw, Parametric, Power, Reading, isoflop, parametric, points, power,
};
use crate::statistics::{Interval, mean_over_seeds};

use super::scores::{self, Suite};
use super::{Rung, Study, mean};

/// Fewest budgets for a power of FLOPs: two are always fitted exactly.
pub const LEAST_BUDGETS: usize = 3;

/// Resamples behind the intervals of [`parametric_law`]: enough for two digits, in seconds.
pub const LAW_RESAMPLES: u64 = 200;

/// Seed of the resampling.
const SEED: u64 = 0x150_F10D;

/// A block's value at a budget.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BudgetValue {
    /// Training FLOPs spent, mean over seeds.
    pub flops: f64,
    /// A loss in nats per token, or an accuracy as a share.
    pub value: Interval,
}

/// The lowest mean validation loss of a block at each budget, over the sizes that share it; the interval is over seeds.
pub fn lowest_losses(study: &Study, block: &str) -> Vec<BudgetValue> {
    let loss = |rung: &&Rung| {
        let runs = study.finished(block, rung);
        let losses = runs.iter().map(|run| run.val_loss);
        let values: Vec<f64> = losses.filter(|loss| loss.is_finite()).collect();
        (!values.is_empty()).then(|| BudgetValue {
            flops: mean(&runs, |run| run.train_flops),
            value: mean_over_seeds(&values),
        })
    };
    let lowest = |budget: Vec<&Rung>| {
        let sizes = budget.iter().filter_map(loss);
        sizes.min_by(|a, b| a.value.value.total_cmp(&b.value.value))
    };
    study.budgets().into_iter().filter_map(lowest).collect()
}

/// The highest pooled accuracy of a block on `suites` at each budget, over the sizes that share it.
pub fn highest_accuracies(study: &Study, suites: &[&Suite], block: &str) -> Vec<BudgetValue> {
    let accuracy = |rung: &&Rung| {
        let score = scores::block_score(study, suites, block, rung).ok()??;
        Some(BudgetValue {
            flops: mean(&study.finished(block, rung), |run| run.train_flops),
            value: score.accuracy,
        })
    };
    let highest = |budget: Vec<&Rung>| {
        let sizes = budget.iter().filter_map(accuracy);
        sizes.max_by(|a, b| a.value.value.total_cmp(&b.value.value))
    };
    study.budgets().into_iter().filter_map(highest).collect()
}

/// Loss as a power of training FLOPs; none with fewer than [`LEAST_BUDGETS`]. It has no irreducible loss.
pub fn loss_power(losses: &[BudgetValue]) -> Option<Power> {
    let pairs: Vec<(f64, f64)> = losses.iter().map(|at| (at.flops, at.value.value)).collect();
    (pairs.len() >= LEAST_BUDGETS)
        .then(|| power(&pairs).ok())
        .flatten()
}

/// The [`loss_power`] where the interval of its exponent excludes 0: without that no trend is shown.
pub fn significant_loss_power(losses: &[BudgetValue]) -> Option<Power> {
    loss_power(losses).filter(|power| power.exponent.excludes(0.0))
}

/// The law `L(N, D)` of a block in active parameters and tokens, or why there is none; with the number of its runs.
pub fn parametric_law(study: &Study, block: &str) -> (usize, Result<Parametric, NoLaw>) {
    let runs = points(study.frames.runs(), block, Reading::Active);
    let law = parametric(&runs, LAW_RESAMPLES, SEED);
    (runs.len(), law)
}

/// The isoFLOP curves of a block with N under one reading, their minima, and how the minima grow.
pub fn isoflop_curves(study: &Study, block: &str, reading: Reading) -> IsoflopFit {
    isoflop(&points(study.frames.runs(), block, reading), SEED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::tests::rows::{changed, frames, ladder, run};
    use crate::study::Measure;
    use crate::study::scores::Scores;

    #[test]
    fn each_budget_has_its_best_size() {
        let mut other = run(1, "dense");
        other.run = "larger".into();
        other.size = "m, larger".into();
        other.val_loss = 1.5;
        let all = frames(
            vec![(run(0, "dense"), 60), (run(1, "dense"), 100), (other, 80)],
            vec![],
        );
        let study = Study::new(&all);
        let values = |at: Vec<BudgetValue>| at.iter().map(|at| at.value.value).collect::<Vec<_>>();
        assert_eq!(values(lowest_losses(&study, "dense")), [2.0, 1.5]);
        let suites = Scores::new(&study).suites;
        let recall = Measure::Recall.suites(&suites);
        assert_eq!(
            values(highest_accuracies(&study, &recall, "dense")),
            [0.3, 0.5]
        );
    }

    #[test]
    fn a_power_needs_three_budgets_and_an_exponent_apart_from_zero() {
        let all = ladder(&[]);
        let losses = lowest_losses(&Study::new(&all), "dense");
        assert_eq!(losses.len(), 3);
        assert!(significant_loss_power(&losses).is_some());
        assert_eq!(loss_power(&losses[..2]), None);
        let scattered = changed(&all, |run| {
            run.val_loss = if run.size == "m" { 1.0 } else { 2.0 };
        });
        let losses = lowest_losses(&Study::new(&scattered), "dense");
        assert!(loss_power(&losses).is_some());
        assert_eq!(significant_loss_power(&losses), None);
    }
}
