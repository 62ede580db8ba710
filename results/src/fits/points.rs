//! The points of fits: one for each finished run.

use crate::RunRow;

/// What is counted as N. For a block whose parameters are not all used by every token the readings differ, and so do the
/// exponents: state the reading with every number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// Parameters that take part in one token's forward pass.
    Active,
    /// All parameters, tables and unused experts included.
    Total,
    /// Parameters that multiply in matrix products, counted from the cost: half the forward matrix FLOPs per token. The
    /// output head is among them, embeddings and table rows are not.
    Matmul,
}

impl Reading {
    /// All readings.
    pub const ALL: [Self; 3] = [Self::Active, Self::Total, Self::Matmul];

    /// The reading in words.
    pub fn label(self) -> &'static str {
        match self {
            Self::Active => "active parameters",
            Self::Total => "total parameters",
            Self::Matmul => "matmul parameters",
        }
    }

    /// N of a run.
    pub fn of(self, run: &RunRow) -> f64 {
        match self {
            Self::Active => run.params_active as f64,
            Self::Total => run.params_total as f64,
            Self::Matmul => run.forward_matmul_flops / 2.0,
        }
    }
}

/// One run, as input of the fits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossPoint {
    /// Training FLOPs requested, which define the budget.
    pub budget: f64,
    /// N, under one [`Reading`].
    pub params: f64,
    /// D, training tokens.
    pub tokens: f64,
    /// C, training FLOPs spent.
    pub flops: f64,
    /// Held-out loss in nats per token.
    pub loss: f64,
}

impl LossPoint {
    /// Whether every number is positive and finite, as logarithms need.
    pub fn is_valid(&self) -> bool {
        [self.budget, self.params, self.tokens, self.flops, self.loss]
            .iter()
            .all(|number| number.is_finite() && *number > 0.0)
    }
}

/// The finished runs of `block` as points, in the order of `runs`. Runs whose loss is not a positive number are left out.
pub fn points<'a>(
    runs: impl IntoIterator<Item = &'a RunRow>,
    block: &str,
    reading: Reading,
) -> Vec<LossPoint> {
    runs.into_iter()
        .filter(|run| run.block == block && run.status == "finished")
        .map(|run| LossPoint {
            budget: run.target_flops,
            params: reading.of(run),
            tokens: run.tokens as f64,
            flops: run.train_flops,
            loss: run.val_loss,
        })
        .filter(LossPoint::is_valid)
        .collect()
}

/// The number of distinct values, by exact equality: for numbers that are counted or configured, not computed.
pub(super) fn distinct(values: impl Iterator<Item = f64>) -> usize {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_rows::finished_run;

    #[test]
    fn finished_runs_of_the_block_are_points_under_the_reading() {
        let failed = RunRow {
            status: "failed".into(),
            ..finished_run("memory", 3, 2.5)
        };
        let runs = [
            finished_run("memory", 0, 3.0),
            finished_run("dense", 0, 3.5),
            failed,
            finished_run("memory", 1, f64::NAN),
            finished_run("memory", 2, 3.1),
        ];
        for (reading, params) in [
            (Reading::Active, 2e6),
            (Reading::Total, 9e6),
            (Reading::Matmul, 1.5e6),
        ] {
            let found = points(&runs, "memory", reading);
            let point = |loss| LossPoint {
                budget: 1e15,
                params,
                tokens: 5e6,
                flops: 1.001e15,
                loss,
            };
            assert_eq!(found, [point(3.0), point(3.1)], "{}", reading.label());
        }
    }
}
