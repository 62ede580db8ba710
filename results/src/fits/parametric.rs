//! `L(N, D) = E + A / N^alpha + B / D^beta` through points, with intervals.
//!
//! The estimator is that of Hoffmann et al. (2022), section 3.3: the summed Huber loss of the logarithms, so that errors
//! are relative and outliers have bounded influence. It is the sum, not the mean, and the search is run to convergence,
//! both of which matter according to T. Besiroglu et al., "Chinchilla Scaling: A replication attempt" (2024).

use std::fmt;

use rand::Rng;
use rayon::prelude::*;

use super::law::{Law, Residuals};
use super::minimize::{descend, polish, starts};
use super::points::{LossPoint, distinct};
use super::warning::{FitWarning, warnings};
use crate::statistics::{Interval, percentile_interval, stream};

/// Fewest points for a fit of five parameters.
pub const LEAST_POINTS: usize = 6;

/// Resamples of the points behind the intervals of [`parametric`].
pub const RESAMPLES: u64 = 1000;

/// Best starts from which each resample is fitted again, beside the best fit itself: a resample can have another minimum.
const RESTARTS: usize = 3;

/// A law fitted to points.
#[derive(Clone, Debug, PartialEq)]
pub struct Parametric {
    /// The law at the minimum of the fit.
    pub law: Law,
    /// Summed Huber loss of the log losses at the law: comparable only between fits of the same points.
    pub objective: f64,
    /// Number of points.
    pub n: u64,
    /// E, nats per token.
    pub irreducible: Interval,
    /// A.
    pub a: Interval,
    /// B.
    pub b: Interval,
    /// Exponent of the parameters.
    pub alpha: Interval,
    /// Exponent of the tokens.
    pub beta: Interval,
    /// [`Law::params_exponent`].
    pub params_exponent: Interval,
    /// [`Law::tokens_exponent`].
    pub tokens_exponent: Interval,
    /// Warnings; empty for a well-determined fit.
    pub warnings: Vec<FitWarning>,
}

/// Why there is no law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLaw {
    /// Fewer than [`LEAST_POINTS`] runs.
    TooFewPoints {
        /// Runs.
        found: usize,
    },
    /// Too few distinct numbers of parameters.
    TooFewParams {
        /// Distinct numbers.
        found: usize,
    },
    /// Too few distinct numbers of tokens.
    TooFewTokens {
        /// Distinct numbers.
        found: usize,
    },
    /// A point has a count or a loss that is not positive and finite.
    InvalidPoint,
}

impl fmt::Display for NoLaw {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::TooFewPoints { found } => write!(
                f,
                "{found} finished runs for the five parameters of the law; at least {LEAST_POINTS} are required"
            ),
            Self::TooFewParams { found } => write!(
                f,
                "{found} distinct parameter counts; at least three are required for an exponent of N"
            ),
            Self::TooFewTokens { found } => write!(
                f,
                "{found} distinct token counts; at least three are required for an exponent of D"
            ),
            Self::InvalidPoint => write!(
                f,
                "a point has a count or a loss that is not positive and finite"
            ),
        }
    }
}

/// Fits the law and, with `resamples` draws of as many points with replacement, its 95 % percentile intervals. A resample
/// with fewer than five distinct points, or three distinct N or D, does not determine the law and is drawn again, at most a
/// hundred times. With `resamples` below 40 there are no intervals, since each tail of 2.5 % requires at least one
/// resample.
///
/// ```
/// use results::fits::{LossPoint, parametric};
///
/// // Losses that follow L = 1.8 + 400 / N^0.35 + 2000 / D^0.37 exactly.
/// let mut points = Vec::new();
/// for params in [1e7, 3e7, 1e8, 3e8] {
///     for tokens in [1e9, 4e9, 16e9] {
///         let loss = 1.8 + 400.0 / f64::powf(params, 0.35) + 2000.0 / f64::powf(tokens, 0.37);
///         let flops = 6.0 * params * tokens;
///         points.push(LossPoint { budget: flops, params, tokens, flops, loss });
///     }
/// }
/// let fit = parametric(&points, 100, 0).unwrap();
/// assert!((fit.law.irreducible - 1.8).abs() < 1e-3);
/// assert!((fit.law.alpha - 0.35).abs() < 1e-3 && (fit.law.beta - 0.37).abs() < 1e-3);
/// assert!((fit.law.params_exponent() - 0.37 / 0.72).abs() < 1e-3);
/// assert!(fit.warnings.is_empty());
/// assert!(parametric(&points[..5], 100, 0).is_err()); // five points would be fitted exactly
/// ```
pub fn parametric(points: &[LossPoint], resamples: u64, seed: u64) -> Result<Parametric, NoLaw> {
    let valid = |p: &&LossPoint| {
        [p.params, p.tokens, p.loss]
            .iter()
            .all(|x| x.is_finite() && *x > 0.0)
    };
    if points.iter().filter(valid).count() < points.len() {
        return Err(NoLaw::InvalidPoint);
    }
    let counts = |kept: &dyn Fn(usize) -> bool| {
        let of = |number: fn(&LossPoint) -> f64| {
            distinct(
                (0..points.len())
                    .filter(|&i| kept(i))
                    .map(|i| number(&points[i])),
            )
        };
        (of(|p| p.params), of(|p| p.tokens))
    };
    match (points.len(), counts(&|_| true)) {
        (found, _) if found < LEAST_POINTS => return Err(NoLaw::TooFewPoints { found }),
        (_, (found, _)) if found < 3 => return Err(NoLaw::TooFewParams { found }),
        (_, (_, found)) if found < 3 => return Err(NoLaw::TooFewTokens { found }),
        _ => {}
    }
    let residuals = Residuals::new(points);
    let starts = starts(&residuals);
    let mut ends: Vec<_> = starts
        .par_iter()
        .map(|start| descend(&residuals, *start))
        .collect();
    ends.sort_by(|x, y| x.1.total_cmp(&y.1));
    let (best, objective) = polish(&residuals, ends[0]);
    let law = residuals.law(&best);

    let drawn: Vec<Law> = (0..resamples)
        .into_par_iter()
        .filter_map(|resample| {
            let mut random = stream(seed, resample);
            let weights = (0..100).find_map(|_| {
                let mut weights = vec![0.0; points.len()];
                for _ in points {
                    weights[random.random_range(0..points.len())] += 1.0;
                }
                let (params, tokens) = counts(&|i| weights[i] > 0.0);
                let points = weights.iter().filter(|weight| **weight > 0.0).count();
                (points >= 5 && params >= 3 && tokens >= 3).then_some(weights)
            })?;
            let resampled = residuals.weighted(weights);
            let again = starts.iter().take(RESTARTS).copied();
            let ends = std::iter::once(best)
                .chain(again)
                .map(|start| descend(&resampled, start));
            let (end, _) = ends.min_by(|x, y| x.1.total_cmp(&y.1))?;
            Some(resampled.law(&end))
        })
        .collect();

    let interval = |of: fn(&Law) -> f64| {
        let n = points.len() as u64;
        if drawn.len() < 40 {
            return Interval::unbounded(of(&law), n, "fewer than 40 resamples");
        }
        let (low, high) = percentile_interval(drawn.iter().map(of).collect());
        if low.is_nan() || high.is_nan() {
            return Interval::unbounded(of(&law), n, "both exponents vanish in a resample");
        }
        Interval {
            value: of(&law),
            low,
            high,
            n,
            method: "bootstrap over points",
        }
    };
    Ok(Parametric {
        law,
        objective,
        n: points.len() as u64,
        irreducible: interval(|law| law.irreducible),
        a: interval(|law| law.a),
        b: interval(|law| law.b),
        alpha: interval(|law| law.alpha),
        beta: interval(|law| law.beta),
        params_exponent: interval(Law::params_exponent),
        tokens_exponent: interval(Law::tokens_exponent),
        warnings: warnings(&residuals, &best),
    })
}
