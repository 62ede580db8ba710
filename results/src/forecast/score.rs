//! Forecast beside measurement, and coverage over all forecasts.

use statrs::distribution::{Beta, ContinuousCDF};

use super::make::{Values, best_runs, paired};
use super::sealed::{Forecast, Quantity, Sealed};
use crate::fits::BUDGET_TOLERANCE;
use crate::study::scores::Scores;
use crate::study::{BlockRole, Measure, Study};
use crate::{Frames, RunRow};

/// The shares of the intervals that are scored.
pub const SHARES: [f64; 3] = [0.5, 0.8, 0.95];

/// A forecast and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored<'a> {
    /// The record that it is in.
    pub sealed: &'a Sealed,
    /// The forecast.
    pub forecast: &'a Forecast,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a forecast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// Nothing was trained at its budget.
    Pending,
    /// The budget was trained, and the block has no value there: a miss.
    NoValue,
    /// Measured.
    Measured {
        /// The mean over seeds.
        value: f64,
        /// Seeds.
        seeds: usize,
        /// Continuous ranked probability score of the forecast, and of the better baseline.
        crps: (f64, f64),
    },
}

impl Scored<'_> {
    /// Whether the measurement is in the central interval of `share`; none while it is pending.
    pub fn is_hit(&self, share: f64) -> Option<bool> {
        match self.outcome {
            Outcome::Pending => None,
            Outcome::NoValue => Some(false),
            Outcome::Measured { value, .. } => {
                let (low, high) = self.forecast.distribution.interval(share);
                Some(low <= value && value <= high)
            }
        }
    }
}

/// Hits among the forecasts that are not pending, with the Clopper-Pearson interval of 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coverage {
    /// Share of the interval.
    pub share: f64,
    /// Measurements inside.
    pub hits: usize,
    /// Forecasts.
    pub n: usize,
    /// Ends of the interval of the true coverage.
    pub interval: (f64, f64),
}

/// The coverage of each of [`SHARES`]; empty while all are pending.
pub fn coverage(scored: &[Scored]) -> Vec<Coverage> {
    let of = |share: f64| {
        let known: Vec<bool> = scored.iter().filter_map(|one| one.is_hit(share)).collect();
        let (hits, n) = (known.iter().filter(|hit| **hit).count(), known.len());
        (n > 0).then(|| Coverage {
            share,
            hits,
            n,
            interval: clopper_pearson(hits, n),
        })
    };
    SHARES.into_iter().filter_map(of).collect()
}

fn clopper_pearson(hits: usize, n: usize) -> (f64, f64) {
    let quantile = |a: usize, b: usize, share: f64| {
        Beta::new(a as f64, b as f64).map_or(f64::NAN, |beta| beta.inverse_cdf(share))
    };
    let low = if hits == 0 {
        0.0
    } else {
        quantile(hits, n - hits + 1, 0.025)
    };
    let high = if hits == n {
        1.0
    } else {
        quantile(hits + 1, n - hits, 0.975)
    };
    (low, high)
}

/// Every sealed forecast of `frames` beside what was measured.
pub fn scored<'a>(frames: &'a Frames, sealed: &'a [Sealed]) -> Vec<Scored<'a>> {
    let study = Study::new(frames);
    let suites = Scores::new(&study).suites;
    let budgets = study.budgets();
    let values = Values {
        study: &study,
        recall: Measure::Recall.suites(&suites),
    };
    let dense = study.label(BlockRole::Dense);
    let score = |sealed: &'a Sealed, forecast: &'a Forecast| {
        let near = |flops: f64| (flops / sealed.flops - 1.0).abs() <= BUDGET_TOLERANCE;
        let at = |block: &str| -> Vec<(f64, Vec<&RunRow>)> {
            let own = best_runs(&study, &budgets, block, &suites).into_iter();
            own.filter(|(flops, runs)| near(*flops) && !runs.is_empty())
                .collect()
        };
        let is_trained = study.frames.runs().iter().any(|run| near(run.target_flops));
        if !is_trained {
            return Outcome::Pending;
        }
        let of = |run: &RunRow| match forecast.quantity {
            Quantity::ValidationLoss | Quantity::ValidationLead => Some(run.val_loss),
            Quantity::AnswerLoss | Quantity::AnswerLead => values.answer_loss(run),
            Quantity::Recall => values.recall(run),
        };
        let own = at(&forecast.block);
        let measured: Vec<f64> = match forecast.quantity {
            Quantity::ValidationLead | Quantity::AnswerLead => {
                let theirs = dense.map_or_else(Vec::new, at);
                let pairs = paired(&own, &theirs, &of);
                pairs.into_iter().flat_map(|point| point.values).collect()
            }
            _ => own
                .iter()
                .flat_map(|(_, runs)| runs)
                .filter_map(|run| of(run))
                .collect(),
        };
        let measured: Vec<f64> = measured
            .into_iter()
            .filter(|value| value.is_finite())
            .collect();
        if measured.is_empty() {
            return Outcome::NoValue;
        }
        let value = measured.iter().sum::<f64>() / measured.len() as f64;
        let baselines = [Some(forecast.as_last), forecast.no_difference];
        let baseline = baselines.into_iter().flatten().map(|of| of.crps(value));
        Outcome::Measured {
            value,
            seeds: measured.len(),
            crps: (
                forecast.distribution.crps(value),
                baseline.fold(f64::INFINITY, f64::min),
            ),
        }
    };
    let all = sealed.iter().flat_map(|sealed| {
        let forecasts = sealed.forecasts.iter();
        forecasts.map(move |forecast| (sealed, forecast))
    });
    all.map(|(sealed, forecast)| Scored {
        sealed,
        forecast,
        outcome: score(sealed, forecast),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::make::{forecasts, tests::ladder};
    use super::*;

    #[test]
    fn a_forecast_is_pending_then_measured_then_counted() {
        let before = ladder(&[1e12, 3e12, 9e12]);
        let sealed = [forecasts(&before, "test", (27e12, 3), 0.0)
            .unwrap()
            .sealed()];
        let pending = scored(&before, &sealed);
        assert!(pending.iter().all(|one| one.outcome == Outcome::Pending));
        assert!(coverage(&pending).is_empty());
        let after = ladder(&[1e12, 3e12, 9e12, 27e12]);
        let found = scored(&after, &sealed);
        assert_eq!(found.len(), 3);
        for one in &found {
            let Outcome::Measured { seeds, crps, .. } = one.outcome else {
                panic!("{one:?}")
            };
            assert!(seeds == 3 && one.is_hit(0.95) == Some(true), "{one:?}");
            if one.forecast.quantity == Quantity::ValidationLoss {
                assert!(crps.0 < crps.1, "better than as before: {crps:?}");
            }
        }
        let counted = coverage(&found);
        assert_eq!((counted[2].hits, counted[2].n), (3, 3));
        assert!((counted[2].interval.0 - 0.025f64.powf(1.0 / 3.0)).abs() < 1e-6);
    }

    #[test]
    fn a_block_that_was_forecast_and_has_no_value_is_a_miss() {
        let before = ladder(&[1e12, 3e12, 9e12]);
        let sealed = [forecasts(&before, "test", (27e12, 3), 0.0)
            .unwrap()
            .sealed()];
        let after = ladder(&[1e12, 3e12, 9e12, 27e12]);
        let runs = after
            .runs()
            .iter()
            .filter(|run| run.block == "dense" || run.target_flops < 2e13);
        let after = Frames::new(runs.cloned().collect(), vec![], vec![], vec![], vec![]);
        let found = scored(&after, &sealed);
        let misses = found.iter().filter(|one| one.outcome == Outcome::NoValue);
        assert_eq!(misses.count(), 2);
        assert_eq!(clopper_pearson(0, 10).0, 0.0);
        assert!((clopper_pearson(0, 10).1 - 0.3085).abs() < 1e-3);
    }
}
