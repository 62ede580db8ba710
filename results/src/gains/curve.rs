//! Dense's scores as a monotone curve over cost, and its inverse: the least cost that reaches a score.

use crate::fits::BUDGET_TOLERANCE;

/// Score over cost, oriented so that higher is better, and non-decreasing: linear in the logarithm of cost between rungs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Curve {
    /// `(ln cost, oriented score)`, by cost.
    rungs: Vec<(f64, f64)>,
    /// Whether a rung was worse than a cheaper one, so that both were set to their mean.
    pub flattened: bool,
}

/// The cost at which a curve reaches a score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Crossing {
    /// The cheapest rung, which has this cost, is already better.
    Below(f64),
    /// At this cost.
    At(f64),
    /// The most expensive rung, which has this cost, is not as good.
    Beyond(f64),
}

impl Curve {
    /// Of rungs of equal cost the best is kept. Where a more expensive rung is worse, neighbours are pooled at their mean
    /// until the curve is non-decreasing: isotonic least squares (pool adjacent violators; Barlow et al., "Statistical
    /// Inference under Order Restrictions", 1972).
    pub fn new(rungs: impl Iterator<Item = (f64, f64)>) -> Self {
        let mut sorted: Vec<(f64, f64)> = rungs.map(|(cost, good)| (cost.ln(), good)).collect();
        sorted.sort_by(|x, y| x.0.total_cmp(&y.0));
        let mut best: Vec<(f64, f64)> = Vec::new();
        for (cost, good) in sorted {
            match best.last_mut() {
                Some(last) if cost - last.0 <= BUDGET_TOLERANCE.ln_1p() => {
                    last.1 = last.1.max(good)
                }
                _ => best.push((cost, good)),
            }
        }
        // Pools of neighbours: summed score and number of rungs.
        let mut pools: Vec<(f64, usize)> = Vec::new();
        let mean = |pool: (f64, usize)| pool.0 / pool.1 as f64;
        for &(_, good) in &best {
            pools.push((good, 1));
            while let [.., before, last] = pools[..]
                && mean(before) > mean(last)
            {
                pools.pop();
                pools.pop();
                pools.push((before.0 + last.0, before.1 + last.1));
            }
        }
        let flattened = pools.len() < best.len();
        let level = pools
            .into_iter()
            .flat_map(|pool| std::iter::repeat_n(mean(pool), pool.1));
        Self {
            rungs: best.iter().map(|rung| rung.0).zip(level).collect(),
            flattened,
        }
    }

    /// Number of rungs of different cost.
    pub fn len(&self) -> usize {
        self.rungs.len()
    }

    /// The least cost at which the curve reaches the oriented score `goodness`.
    pub fn reaches(&self, goodness: f64) -> Crossing {
        let (first, last) = (self.rungs[0], self.rungs[self.len() - 1]);
        if goodness < first.1 {
            return Crossing::Below(first.0.exp());
        }
        if goodness > last.1 || goodness.is_nan() {
            return Crossing::Beyond(last.0.exp());
        }
        let above = self.rungs.partition_point(|rung| rung.1 < goodness);
        let (cost, good) = self.rungs[above];
        if above == 0 || good == goodness {
            return Crossing::At(cost.exp());
        }
        let before = self.rungs[above - 1];
        let share = (goodness - before.1) / (good - before.1);
        Crossing::At((before.0 + share * (cost - before.0)).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(crossing: Crossing) -> f64 {
        match crossing {
            Crossing::At(cost) => cost,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn it_is_linear_in_log_cost_and_is_not_extrapolated() {
        let curve = Curve::new([(100.0, 0.5), (1.0, 0.1), (10.0, 0.3)].into_iter());
        assert!(!curve.flattened);
        assert!((at(curve.reaches(0.2)) - 10f64.sqrt()).abs() < 1e-9);
        assert!((at(curve.reaches(0.5)) - 100.0).abs() < 1e-9);
        assert!((at(curve.reaches(0.1)) - 1.0).abs() < 1e-9);
        assert!(
            matches!(curve.reaches(0.51), Crossing::Beyond(cost) if (cost - 100.0).abs() < 1e-9)
        );
        assert!(matches!(curve.reaches(0.09), Crossing::Below(1.0)));
    }

    #[test]
    fn decreasing_scores_are_pooled_and_flagged() {
        let curve = Curve::new([(1.0, 0.1), (10.0, 0.5), (100.0, 0.3), (1000.0, 0.6)].into_iter());
        assert!(curve.flattened);
        // Both middle rungs have 0.4; the least cost that reaches it counts.
        assert!((at(curve.reaches(0.4)) - 10.0).abs() < 1e-9);
        assert!((at(curve.reaches(0.5)) - 10f64.powf(2.5)).abs() < 1e-6);
    }

    #[test]
    fn of_equal_costs_the_best_is_kept() {
        let curve = Curve::new([(1.0, 0.1), (10.0, 0.2), (10.1, 0.3)].into_iter());
        assert_eq!(curve.len(), 2);
        assert!((at(curve.reaches(0.3)) - 10.0).abs() < 1e-9);
    }
}
