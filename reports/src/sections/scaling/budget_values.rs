//! The value of a block at each budget, and the power law through its losses.

use results::fits::{Power, power};
use results::number::fixed;
use results::statistics::{Interval, mean_over_seeds};
use results::study::{Rung, Study, mean};

/// Budgets that a fitted line needs: through two every line is exact, and shows nothing.
pub const LEAST_BUDGETS: usize = 3;

/// A block's value at a budget.
pub struct BudgetValue {
    pub flops: f64,
    pub value: Interval,
}

/// The lowest mean loss at each budget: where several sizes had one, the best of them.
pub fn losses(study: &Study, block: &str) -> Vec<BudgetValue> {
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
        let reached = budget.iter().filter_map(loss);
        reached.min_by(|a, b| a.value.value.total_cmp(&b.value.value))
    };
    study.budgets().into_iter().filter_map(lowest).collect()
}

/// The power of FLOPs through a block's losses, where there are budgets enough.
pub fn law(reached: &[BudgetValue]) -> Option<Power> {
    let pairs: Vec<(f64, f64)> = reached
        .iter()
        .map(|at| (at.flops, at.value.value))
        .collect();
    (pairs.len() >= LEAST_BUDGETS)
        .then(|| power(&pairs).ok())
        .flatten()
}

/// `value [low, high]`, or the value alone where nothing bounds it.
pub fn interval(interval: &Interval, digits: usize) -> String {
    let of = |value| fixed(value, digits);
    match interval.is_bounded() {
        true => format!(
            "{} [{}, {}]",
            of(interval.value),
            of(interval.low),
            of(interval.high)
        ),
        false => of(interval.value),
    }
}
