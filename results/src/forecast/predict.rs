//! The law over the budgets done so far, and its predictive distribution at a larger one.
//!
//! ```text
//! y = p + q ln C,   y = ln(loss - floor) or a paired difference of losses
//! ```
//!
//! Least squares over the budgets, weighted by their seeds. The variance s² is that between the seeds of one budget, pooled; the
//! predictive distribution of a mean over S further seeds is Student's t with the pooled degrees of freedom, centre `p + q ln C`
//! and scale
//!
//! ```text
//! s sqrt(x' (X'WX)^-1 x + 1/S) max(1, |error at the last budget held out| / its own scale)
//! ```
//!
//! The floor is pinned: three budgets determine two parameters. The last factor widens a law that missed the largest budget.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Fewest budgets: one is held out of a line through two.
pub const LEAST_BUDGETS: usize = 3;

/// Largest ratio of the budget of a forecast to the largest done.
pub const FARTHEST: f64 = 8.0;

/// The values of a block at one budget, one for each seed, on the scale of the law.
#[derive(Clone, Debug, PartialEq)]
pub struct BudgetPoint {
    /// Training FLOPs.
    pub flops: f64,
    /// The values.
    pub values: Vec<f64>,
}

/// Why there is no forecast.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoForecast {
    /// A law through two budgets cannot be checked.
    #[error("{0} budgets are done, and {LEAST_BUDGETS} are needed")]
    TooFewBudgets(usize),
    /// Without a second seed nothing is known about noise.
    #[error("no budget has two seeds")]
    OneSeed,
    /// Seeds that agree in every bit are one.
    #[error("all seeds agree in every bit")]
    NoSpread,
}

/// How a value on the law's scale is read.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Scale {
    /// As it is.
    Linear,
    /// Its exponential above a floor.
    LogAbove {
        /// The loss that no compute removes.
        floor: f64,
    },
    /// A share, by a logistic curve over a loss: 100 / (1 + exp(-(level + slope exp(value)))), in percent.
    Logistic {
        /// Logit at a loss of 0.
        level: f64,
        /// Change of the logit for one nat; negative.
        slope: f64,
    },
}

impl Scale {
    /// A value in the unit of its quantity.
    fn read(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::LogAbove { floor } => floor + value.exp(),
            Self::Logistic { level, slope } => {
                100.0 / (1.0 + (-(level + slope * value.exp())).exp())
            }
        }
    }
}

/// A predictive distribution: Student's t on the scale of the law.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distribution {
    /// Centre, on the scale of the law.
    pub centre: f64,
    /// Scale of Student's t.
    pub spread: f64,
    /// Degrees of freedom.
    pub degrees: f64,
    /// How it is read.
    pub scale: Scale,
}

impl Distribution {
    /// The quantile of `share` in (0, 1), in the unit of the quantity.
    pub fn quantile(&self, share: f64) -> f64 {
        // A logistic curve falls with the loss.
        let share = match self.scale {
            Scale::Logistic { .. } => 1.0 - share,
            _ => share,
        };
        let t = StudentsT::new(0.0, 1.0, self.degrees);
        let t = t.map_or(f64::NAN, |t| t.inverse_cdf(share));
        self.scale.read(self.centre + self.spread * t)
    }

    /// The ends of the central interval of `share`.
    pub fn interval(&self, share: f64) -> (f64, f64) {
        let tail = (1.0 - share) / 2.0;
        (self.quantile(tail), self.quantile(1.0 - tail))
    }

    /// Continuous ranked probability score of a measured value, in the unit of the quantity: twice the mean pinball loss over 99
    /// quantiles (Gneiting and Raftery 2007, section 4.2). Smaller is better; that of a certain forecast is the absolute error.
    pub fn crps(&self, measured: f64) -> f64 {
        let loss = |percent: u32| {
            let share = f64::from(percent) / 100.0;
            let error = measured - self.quantile(share);
            if error >= 0.0 {
                share * error
            } else {
                (share - 1.0) * error
            }
        };
        2.0 * (1..100).map(loss).sum::<f64>() / 99.0
    }
}

/// A law and what it predicts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// p and q of the law.
    pub law: (f64, f64),
    /// The predictive distribution.
    pub distribution: Distribution,
    /// The factor by which it was widened.
    pub inflation: f64,
    /// The distribution of the baseline "as at the last budget".
    pub as_last: Distribution,
}

/// The prediction at `flops` of a mean over `seeds`.
///
/// # Errors
/// If there are too few budgets, or no budget has two different seeds.
pub fn predict(
    points: &[BudgetPoint],
    flops: f64,
    seeds: usize,
    scale: Scale,
) -> Result<Prediction, NoForecast> {
    if points.len() < LEAST_BUDGETS {
        return Err(NoForecast::TooFewBudgets(points.len()));
    }
    let whole = Line::fit(points)?;
    let (last, before) = (&points[points.len() - 1], &points[..points.len() - 1]);
    let held_out = Line {
        // The spread between seeds is that of all budgets: two have few.
        variance: whole.variance,
        ..Line::fit_line(before)
    };
    let error = mean(&last.values) - held_out.at(last.flops);
    let inflation = (error.abs() / held_out.spread(last.flops, last.values.len())).max(1.0);
    let t = |centre, spread| Distribution {
        centre,
        spread,
        degrees: whole.degrees,
        scale,
    };
    let noise = whole.variance / last.values.len() as f64 + whole.variance / seeds as f64;
    Ok(Prediction {
        law: whole.law,
        distribution: t(whole.at(flops), inflation * whole.spread(flops, seeds)),
        inflation,
        as_last: t(mean(&last.values), noise.sqrt()),
    })
}

/// A weighted line through the means of budgets.
#[derive(Clone, Copy)]
struct Line {
    law: (f64, f64),
    /// Between the seeds of one budget.
    variance: f64,
    degrees: f64,
    /// Sum of weights, weighted mean of ln C, and weighted sum of squares about it.
    weights: f64,
    middle: f64,
    squares: f64,
}

impl Line {
    fn fit(points: &[BudgetPoint]) -> Result<Self, NoForecast> {
        let squares: f64 = points
            .iter()
            .map(|point| {
                let centre = mean(&point.values);
                point
                    .values
                    .iter()
                    .map(|y| (y - centre).powi(2))
                    .sum::<f64>()
            })
            .sum();
        let degrees: usize = points
            .iter()
            .map(|point| point.values.len().saturating_sub(1))
            .sum();
        if degrees == 0 {
            return Err(NoForecast::OneSeed);
        }
        if squares == 0.0 {
            return Err(NoForecast::NoSpread);
        }
        Ok(Self {
            variance: squares / degrees as f64,
            degrees: degrees as f64,
            ..Self::fit_line(points)
        })
    }

    fn fit_line(points: &[BudgetPoint]) -> Self {
        let of = |point: &BudgetPoint| {
            (
                point.values.len() as f64,
                point.flops.ln(),
                mean(&point.values),
            )
        };
        let weighted = |value: &dyn Fn(f64, f64) -> f64| {
            let terms = points.iter().map(of);
            terms
                .map(|(weight, x, y)| weight * value(x, y))
                .sum::<f64>()
        };
        let weights = weighted(&|_, _| 1.0);
        let (middle, level) = (weighted(&|x, _| x) / weights, weighted(&|_, y| y) / weights);
        let squares = weighted(&|x, _| (x - middle).powi(2));
        let slope = weighted(&|x, y| (x - middle) * (y - level)) / squares;
        Self {
            law: (level - slope * middle, slope),
            variance: 0.0,
            degrees: 0.0,
            weights,
            middle,
            squares,
        }
    }

    fn at(&self, flops: f64) -> f64 {
        self.law.0 + self.law.1 * flops.ln()
    }

    /// Scale of the prediction of a mean over `seeds`.
    fn spread(&self, flops: f64, seeds: usize) -> f64 {
        let leverage = 1.0 / self.weights + (flops.ln() - self.middle).powi(2) / self.squares;
        (self.variance * (leverage + 1.0 / seeds as f64)).sqrt()
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_distr::{Distribution as _, Normal};

    fn budgets(noise: &mut impl FnMut() -> f64, law: impl Fn(f64) -> f64) -> Vec<BudgetPoint> {
        let budget = |flops: f64| BudgetPoint {
            flops,
            values: (0..3).map(|_| law(flops) + noise()).collect(),
        };
        [1e12, 3e12, 9e12].map(budget).to_vec()
    }

    #[test]
    fn intervals_of_a_law_that_holds_cover_at_least_their_share() {
        let normal = Normal::new(0.0, 0.05).unwrap();
        let law = |flops: f64| 2.0 - 0.1 * flops.ln();
        let (mut in_50, mut in_95, mut width) = (0, 0, 0.0);
        let worlds = 400;
        for world in 0..worlds {
            let mut random = random::stream(1, "forecast test", world);
            let mut noise = || normal.sample(&mut random);
            let points = budgets(&mut noise, law);
            let found = predict(&points, 3e13, 3, Scale::Linear)
                .unwrap()
                .distribution;
            let measured = law(3e13) + (noise() + noise() + noise()) / 3.0;
            let is_in = |(low, high): (f64, f64)| low <= measured && measured <= high;
            in_50 += usize::from(is_in(found.interval(0.5)));
            in_95 += usize::from(is_in(found.interval(0.95)));
            let (low, high) = found.interval(0.95);
            width += (high - low) / worlds as f64;
        }
        // The widening for a law that misses a budget acts on noise, too: intervals are wide, never narrow.
        assert!((190..=320).contains(&in_50), "{in_50}");
        assert!((375..=400).contains(&in_95), "{in_95}");
        assert!(width < 1.0, "{width}");
    }

    #[test]
    fn a_law_that_bends_is_widened() {
        let normal = Normal::new(0.0, 0.001).unwrap();
        let mut random = random::stream(2, "forecast test", 0);
        let mut noise = || normal.sample(&mut random);
        let straight = budgets(&mut noise, |flops| -0.1 * flops.ln());
        let bent = budgets(&mut noise, |flops| (1e13 / flops).powf(0.5));
        let of = |points: &[BudgetPoint]| predict(points, 3e13, 3, Scale::Linear).unwrap();
        assert!(of(&straight).inflation < 5.0 && of(&bent).inflation > 20.0);
        let (low, high) = of(&bent).distribution.interval(0.95);
        let measured = (1e13f64 / 3e13).powf(0.5);
        assert!(low < measured && measured < high);
    }

    #[test]
    fn quantiles_are_read_in_the_unit_of_the_quantity() {
        let of = |scale| Distribution {
            centre: 0.0,
            spread: 0.5,
            degrees: 6.0,
            scale,
        };
        assert!((of(Scale::Linear).quantile(0.975) - 0.5 * 2.446_912).abs() < 1e-4);
        let loss = of(Scale::LogAbove { floor: 0.3 });
        assert!((loss.quantile(0.5) - 1.3).abs() < 1e-9 && loss.quantile(0.025) > 0.3);
        let share = of(Scale::Logistic {
            level: 2.0,
            slope: -2.0,
        });
        assert!((share.quantile(0.5) - 50.0).abs() < 1e-9);
        assert!(share.quantile(0.1) < share.quantile(0.9) && share.quantile(0.999) < 100.0);
        // That of the normal distribution at its centre is 0.2337 of its deviation; t with many degrees is close to it.
        let normal = Distribution {
            degrees: 1e6,
            ..of(Scale::Linear)
        };
        assert!(
            (normal.crps(0.0) / 0.5 - 0.2337).abs() < 0.006,
            "{}",
            normal.crps(0.0)
        );
        assert!(normal.crps(2.0) > normal.crps(1.0));
    }

    #[test]
    fn what_cannot_be_forecast_is_an_error() {
        let point = |values: &[f64]| BudgetPoint {
            flops: 1e12 * values[0],
            values: values.to_vec(),
        };
        let of = |points: &[BudgetPoint]| predict(points, 1e14, 3, Scale::Linear).unwrap_err();
        assert_eq!(
            of(&[point(&[1.0]), point(&[2.0])]),
            NoForecast::TooFewBudgets(2)
        );
        let single = [point(&[1.0]), point(&[2.0]), point(&[3.0])];
        assert_eq!(of(&single), NoForecast::OneSeed);
        let equal = [point(&[1.0, 1.0]), point(&[2.0]), point(&[3.0])];
        assert_eq!(of(&equal), NoForecast::NoSpread);
    }
}
