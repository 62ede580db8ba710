//! The gain itself: dense's cost at the block's score, over the block's cost.

use std::fmt;

use super::Better;
use super::curve::{Crossing, Curve};
use super::sample::{Draw, Sample};
use crate::statistics::{RESAMPLES, stream};

/// How many times the block's cost dense needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ratio {
    /// Dense's cheapest rung is already better than the block: the gain is this or less.
    AtMost(f64),
    /// The ratio.
    Exactly(f64),
    /// Dense's most expensive rung is not as good: the gain is this or more. The curve is not extrapolated.
    AtLeast(f64),
}

impl Ratio {
    /// The number, exact or a bound.
    pub fn number(self) -> f64 {
        match self {
            Self::AtMost(x) | Self::Exactly(x) | Self::AtLeast(x) => x,
        }
    }

    fn order(self) -> f64 {
        match self {
            Self::AtMost(_) => f64::NEG_INFINITY,
            Self::Exactly(x) => x,
            Self::AtLeast(_) => f64::INFINITY,
        }
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let sign = match self {
            Self::AtMost(_) => "≤ ",
            Self::Exactly(_) => "",
            Self::AtLeast(_) => "≥ ",
        };
        let number = self.number();
        let decimals = if number < 10.0 { 2 } else { 0 };
        write!(f, "{sign}{number:.decimals$}")
    }
}

/// A block's gain over dense.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gain {
    /// Cost of dense at the same score over the cost of the block.
    pub ratio: Ratio,
    /// Ends of the 95 % interval, which may themselves be bounds only.
    pub interval: Option<(Ratio, Ratio)>,
    /// Method of the interval, or why there is none.
    pub method: &'static str,
    /// The block's score.
    pub score: f64,
    /// Items behind the score; 1 for a loss.
    pub items: u64,
    /// Smallest number of seeds of any rung.
    pub seeds: u64,
    /// Whether dense was worse on a more expensive rung, so that its curve was pooled there.
    pub flattened: bool,
}

impl Gain {
    /// Remarks for reading the number, one sentence each.
    pub fn explain(&self) -> Vec<String> {
        let mut notes = Vec::new();
        match self.ratio {
            Ratio::AtLeast(_) => notes.push(
                "dense's largest rung is not as good as the block: the gain is a lower bound".into(),
            ),
            Ratio::AtMost(_) => notes.push(
                "dense's smallest rung is already better than the block: the gain is an upper bound".into(),
            ),
            Ratio::Exactly(_) => {}
        }
        if self.interval.is_none() {
            notes.push(format!("no interval: {}", self.method));
        }
        if self.flattened {
            notes
                .push("dense was worse on a more expensive rung; its curve is pooled there".into());
        }
        notes
    }
}

/// Why there is no gain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoGain {
    /// Fewer sizes of dense than a curve requires.
    TooFewRungs {
        /// Sizes of dense of different cost.
        found: usize,
    },
    /// A size has no finite score or no positive cost.
    NoScore,
    /// No item was evaluated for the block and at every size of dense.
    NoSharedItems,
}

impl fmt::Display for NoGain {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::TooFewRungs { found } => write!(
                f,
                "dense finished on {found} rungs of different cost; a curve requires two"
            ),
            Self::NoScore => write!(f, "a rung has no finite score or no positive cost"),
            Self::NoSharedItems => write!(f, "no item was evaluated on all rungs"),
        }
    }
}

/// The gain of `block` over `dense`, whose clusters have `sizes` items each.
pub(super) fn gain(
    dense: &[Sample],
    block: &Sample,
    better: Better,
    sizes: &[f64],
    seed: u64,
) -> Result<Gain, NoGain> {
    let plain = Draw::plain(sizes);
    let all = || dense.iter().chain([block]);
    let valid = |s: &Sample| {
        s.seeds > 0 && s.cost > 0.0 && s.cost.is_finite() && s.mean(&plain).is_finite()
    };
    if !all().all(valid) {
        return Err(NoGain::NoScore);
    }
    let curve = Curve::new(
        dense
            .iter()
            .map(|s| (s.cost, better.goodness(s.mean(&plain)))),
    );
    if curve.len() < 2 {
        return Err(NoGain::TooFewRungs { found: curve.len() });
    }
    let ratio = |curve: &Curve, score: f64| match curve.reaches(better.goodness(score)) {
        Crossing::Below(cost) => Ratio::AtMost(cost / block.cost),
        Crossing::At(cost) => Ratio::Exactly(cost / block.cost),
        Crossing::Beyond(cost) => Ratio::AtLeast(cost / block.cost),
    };
    let seeds = all().map(|s| s.seeds).min().unwrap_or(0);
    let method = match (seeds > 1, sizes.len() > 1) {
        (true, true) => Ok("bootstrap over items, t over seeds"),
        (true, false) => Ok("t over seeds, drawn"),
        (false, true) => Ok("paired bootstrap over items"),
        (false, false) => Err("a rung has a single seed"),
    };
    let interval = method.is_ok().then(|| {
        let mut drawn: Vec<Ratio> = (0..RESAMPLES)
            .map(|resample| {
                let mut random = stream(seed, resample);
                let draw = if sizes.len() > 1 {
                    Draw::again(sizes, &mut random)
                } else {
                    plain.clone()
                };
                let mut score = |s: &Sample| match seeds {
                    0 | 1 => s.mean(&draw),
                    _ => s.reseeded(&draw, &mut random),
                };
                let reached = score(block);
                let rungs: Vec<(f64, f64)> = dense
                    .iter()
                    .map(|s| (s.cost, better.goodness(score(s))))
                    .collect();
                ratio(&Curve::new(rungs.into_iter()), reached)
            })
            .collect();
        drawn.sort_by(|x, y| x.order().total_cmp(&y.order()));
        // Order statistics, rounded outward: a number and a bound cannot be interpolated.
        let last = (drawn.len() - 1) as f64;
        (
            drawn[(0.025 * last).floor() as usize],
            drawn[(0.975 * last).ceil() as usize],
        )
    });
    let score = block.mean(&plain);
    Ok(Gain {
        ratio: ratio(&curve, score),
        interval,
        method: method.unwrap_or_else(|reason| reason),
        score,
        items: sizes.iter().sum::<f64>() as u64,
        seeds: seeds as u64,
        flattened: curve.flattened,
    })
}
