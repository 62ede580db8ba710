//! The best size of one budget.

use std::fmt;

use rand::Rng;

use super::parabola::Parabola;
use super::points::{LossPoint, distinct};
use crate::statistics::{Interval, RESAMPLES, Z, percentile_interval, stream, t_quantile};

/// Distinct sizes that a parabola requires.
pub const LEAST_SIZES: usize = 3;

/// Fewest runs for an interval: a parabola through three runs leaves no residual to estimate the variance from.
const LEAST_RUNS: usize = 4;

/// The runs of one budget.
#[derive(Clone, Debug, PartialEq)]
pub struct IsoflopCurve {
    /// Mean of the training FLOPs spent.
    pub flops: f64,
    /// By N.
    pub points: Vec<LossPoint>,
    /// Loss over ln N, where there are three sizes; whether or not its minimum is valid.
    pub parabola: Option<Parabola>,
    /// Its minimum, or why there is none.
    pub minimum: Result<Minimum, NoMinimum>,
}

/// The optimum of a budget.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Minimum {
    /// N*.
    pub params: Interval,
    /// D*: tokens at N*, interpolated between the runs in logarithms.
    pub tokens: Interval,
    /// Nats per token, of the parabola.
    pub loss: Interval,
}

/// An end of a sweep over sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SweepEnd {
    /// At the smallest size.
    Smallest,
    /// At the largest size.
    Largest,
}

/// Why a budget has no valid minimum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NoMinimum {
    /// Fewer sizes than a parabola requires.
    TooFewSizes {
        /// Sizes with a finished run.
        found: usize,
    },
    /// The parabola has a maximum.
    OpensDownward,
    /// The runs do not bracket it: the least loss measured, or the parabola's lowest point, is at or past this end.
    Edge {
        /// The end of the sweep.
        side: SweepEnd,
        /// The minimum of the parabola, in parameters.
        params: f64,
    },
}

impl fmt::Display for NoMinimum {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::TooFewSizes { found } => {
                write!(f, "{found} distinct sizes; a parabola requires three")
            }
            Self::OpensDownward => write!(f, "the parabola opens downward: it has no minimum"),
            Self::Edge { side, params } => {
                let (end, other) = match side {
                    SweepEnd::Smallest => ("smallest", "smaller"),
                    SweepEnd::Largest => ("largest", "larger"),
                };
                write!(
                    f,
                    "the minimum is not inside the sweep but at or past its {end} size, N = {params:.3e}; add {other} ones"
                )
            }
        }
    }
}

impl IsoflopCurve {
    /// The curve of runs that share a budget.
    pub(super) fn new(mut points: Vec<LossPoint>, seed: u64) -> Self {
        points.sort_by(|x, y| x.params.total_cmp(&y.params));
        let pairs: Vec<(f64, f64)> = points.iter().map(|p| (p.params.ln(), p.loss)).collect();
        let parabola = Parabola::through(&pairs);
        let minimum = match parabola {
            None => Err(NoMinimum::TooFewSizes {
                found: distinct(points.iter().map(|p| p.params)),
            }),
            Some(parabola) => minimum(&points, &pairs, &parabola, seed),
        };
        Self {
            flops: points.iter().map(|p| p.flops).sum::<f64>() / points.len() as f64,
            points,
            parabola,
            minimum,
        }
    }
}

fn minimum(
    points: &[LossPoint],
    pairs: &[(f64, f64)],
    parabola: &Parabola,
    seed: u64,
) -> Result<Minimum, NoMinimum> {
    let lowest = parabola.lowest().ok_or(NoMinimum::OpensDownward)?;
    let (first, last) = (pairs[0].0, pairs[pairs.len() - 1].0);
    let measured = least_measured(pairs);
    let edge = |side, at: f64| {
        Err(NoMinimum::Edge {
            side,
            params: at.exp(),
        })
    };
    if lowest <= first || measured <= first {
        return edge(SweepEnd::Smallest, first);
    }
    if lowest >= last || measured >= last {
        return edge(SweepEnd::Largest, last);
    }
    let n = points.len();
    let value = [lowest.exp(), tokens_at(points, lowest), parabola.at(lowest)];
    let bare = |method| value.map(|value| Interval::unbounded(value, n as u64, method));
    let intervals = if n < LEAST_RUNS {
        bare("fewer than four runs")
    } else {
        // The variance of few residuals is poorly estimated: deviations are scaled by Student's t over the normal quantile.
        let reach = t_quantile(n - 3) / Z;
        let drawn = resampled(pairs, parabola, seed, |curve| {
            let x = curve.lowest()?;
            let at = lowest + reach * (x - lowest);
            let loss = value[2] + reach * (curve.at(x) - value[2]);
            Some([at.exp(), tokens_at(points, at), loss])
        });
        let ends = |i: usize| percentile_interval(drawn.iter().map(|one| one[i]).collect());
        if (drawn.len() as f64) < 0.975 * RESAMPLES as f64 {
            bare("too many resamples open downward")
        } else if !(0..3).map(ends).all(|(low, high)| (low + high).is_finite()) {
            bare("the minimum is not finite in too many resamples")
        } else {
            let (low, high) = ends(0);
            let method = if low.ln() < first || high.ln() > last {
                "residual bootstrap scaled to t, past the sizes that ran"
            } else {
                "residual bootstrap scaled to t"
            };
            std::array::from_fn(|i| {
                let (low, high) = ends(i);
                Interval {
                    value: value[i],
                    low,
                    high,
                    n: n as u64,
                    method,
                }
            })
        }
    };
    let [params, tokens, loss] = intervals;
    Ok(Minimum {
        params,
        tokens,
        loss,
    })
}

/// ln N of the size whose runs have the least mean loss. `pairs` are sorted by size.
fn least_measured(pairs: &[(f64, f64)]) -> f64 {
    let mean =
        |size: &[(f64, f64)]| size.iter().map(|(_, loss)| loss).sum::<f64>() / size.len() as f64;
    pairs
        .chunk_by(|x, y| x.0 == y.0)
        .min_by(|x, y| mean(x).total_cmp(&mean(y)))
        .map_or(f64::NAN, |size| size[0].0)
}

/// The values of `of` for the parabola through each resample, without none.
fn resampled<T>(
    pairs: &[(f64, f64)],
    parabola: &Parabola,
    seed: u64,
    of: impl Fn(&Parabola) -> Option<T>,
) -> Vec<T> {
    let n = pairs.len();
    let inflation = (n as f64 / (n - 3) as f64).sqrt();
    let residuals: Vec<f64> = pairs
        .iter()
        .map(|(x, y)| inflation * (y - parabola.at(*x)))
        .collect();
    (0..RESAMPLES)
        .filter_map(|resample| {
            let mut random = stream(seed, resample);
            let drawn: Vec<(f64, f64)> = pairs
                .iter()
                .map(|(x, _)| (*x, parabola.at(*x) + residuals[random.random_range(0..n)]))
                .collect();
            of(&Parabola::through(&drawn)?)
        })
        .collect()
}

/// Tokens of a model of `ln N = at`, linear in logarithms between the neighbouring sizes; beyond the ends, where an
/// interval can extend, by the line through the last two sizes.
fn tokens_at(points: &[LossPoint], at: f64) -> f64 {
    let (first, last) = (&points[0], &points[points.len() - 1]);
    let q = points
        .iter()
        .find(|p| p.params > first.params && p.params.ln() >= at)
        .unwrap_or(last);
    let p = points
        .iter()
        .rfind(|p| p.params < q.params)
        .unwrap_or(first);
    let (x, y) = (p.params.ln(), q.params.ln());
    let share = (at - x) / (y - x);
    (p.tokens.ln() + share * (q.tokens.ln() - p.tokens.ln())).exp()
}
