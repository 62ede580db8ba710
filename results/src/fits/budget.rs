//! The best size of one budget.

use std::fmt;

use rand::Rng;

use super::parabola::Parabola;
use super::points::{Point, distinct};
use crate::statistics::{Interval, RESAMPLES, middle, stream};

/// The runs of one budget.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// Mean of the training FLOPs spent.
    pub flops: f64,
    /// By N.
    pub points: Vec<Point>,
    /// Loss over ln N, where three sizes allow one: for drawing, whether or not it has a minimum that counts.
    pub parabola: Option<Parabola>,
    pub minimum: Result<Minimum, NoMinimum>,
}

/// Where a budget is spent best.
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
pub enum Side {
    Smallest,
    Largest,
}

/// Why a budget has no minimum that counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NoMinimum {
    TooFewSizes {
        found: usize,
    },
    OpensDownward,
    /// The runs do not bracket it: the least loss measured, or the parabola's lowest point, is at or past this end.
    Edge {
        side: Side,
        params: f64,
    },
}

impl fmt::Display for NoMinimum {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::TooFewSizes { found } => {
                write!(f, "{found} distinct sizes; a parabola needs three")
            }
            Self::OpensDownward => write!(f, "the parabola opens downward: it has no minimum"),
            Self::Edge { side, params } => {
                let (end, other) = match side {
                    Side::Smallest => ("smallest", "smaller"),
                    Side::Largest => ("largest", "larger"),
                };
                write!(
                    f,
                    "the minimum is not inside the sweep but at or past its {end} size, N = {params:.3e}; add {other} ones"
                )
            }
        }
    }
}

impl Budget {
    /// Of runs that share a budget.
    pub(super) fn new(mut points: Vec<Point>, seed: u64) -> Self {
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
    points: &[Point],
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
        return edge(Side::Smallest, first);
    }
    if lowest >= last || measured >= last {
        return edge(Side::Largest, last);
    }
    let n = points.len();
    let whole = |x: f64, curve: &Parabola| [x.exp(), tokens_at(points, x), curve.at(x)];
    let value = whole(lowest, parabola);
    let bare = |method| value.map(|value| Interval::unbounded(value, n as u64, method));
    let intervals = if n < 5 {
        bare("fewer than five runs")
    } else {
        let drawn = resampled(pairs, parabola, seed, |curve| {
            let x = curve.lowest().filter(|x| (first..=last).contains(x))?;
            Some(whole(x, curve))
        });
        if (drawn.len() as f64) < 0.975 * RESAMPLES as f64 {
            bare("the minimum leaves the sweep in too many resamples")
        } else {
            std::array::from_fn(|i| {
                let (low, high) = middle(drawn.iter().map(|one| one[i]).collect());
                Interval {
                    value: value[i],
                    low,
                    high,
                    n: n as u64,
                    method: "residual bootstrap",
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

/// What `of` makes of the parabola through each resample, where it makes anything.
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

/// Tokens that a model of `ln N = at` would get, linear in logarithms between the neighbouring sizes.
fn tokens_at(points: &[Point], at: f64) -> f64 {
    let above = points
        .partition_point(|p| p.params.ln() < at)
        .clamp(1, points.len() - 1);
    let (p, q) = (&points[above - 1], &points[above]);
    let (x, y) = (p.params.ln(), q.params.ln());
    let share = if y > x { (at - x) / (y - x) } else { 0.0 };
    (p.tokens.ln() + share * (q.tokens.ln() - p.tokens.ln())).exp()
}
