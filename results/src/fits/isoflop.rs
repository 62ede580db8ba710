//! The best size of each budget, and how it grows: approach 2 of Hoffmann et al. (2022), section 3.2.
//!
//! At one budget a larger model is trained on fewer tokens. The optimal size is the minimum of a parabola in `log N`
//! through the losses. Over budgets the minima are fitted by powers of compute.

use super::budget::{IsoflopCurve, Minimum};
use super::points::LossPoint;
use super::power::{NoPower, Power, power};

/// Runs whose targets differ by less than this share have one budget: configurations of equal cost differ by rounding.
pub const BUDGET_TOLERANCE: f64 = 0.02;

/// The minima of all budgets, from the smallest, and their powers of compute.
#[derive(Clone, Debug, PartialEq)]
pub struct IsoflopFit {
    /// One curve per budget of training FLOPs.
    pub budgets: Vec<IsoflopCurve>,
    /// N*(C).
    pub params: Result<Power, NoPower>,
    /// D*(C).
    pub tokens: Result<Power, NoPower>,
}

impl IsoflopFit {
    /// What was left out and why, one sentence for each.
    pub fn explain(&self) -> Vec<String> {
        let left_out = |budget: &IsoflopCurve| {
            let reason = budget.minimum.err()?;
            Some(format!("at {:.3e} FLOPs: {reason}", budget.flops))
        };
        let law = self.params.err().map(|reason| reason.to_string());
        self.budgets
            .iter()
            .filter_map(left_out)
            .chain(law)
            .collect()
    }
}

/// Minima of the budgets among `points`, with 95 % intervals by residual bootstrap where a budget has four runs or more.
///
/// The residuals about the parabola, inflated by `sqrt(n / (n - 3))` for the three coefficients they were fitted with, are
/// drawn with replacement and added to it. Resampling runs instead would often leave fewer than three sizes. Deviations of
/// a resample, in `ln N` and in loss, are scaled by `t(n - 3) / 1.96`, since the variance is estimated with n - 3 degrees
/// of freedom: without it the coverage at n = 5 is 81 %. Four runs leave one degree of freedom, a factor of 6.5 and a very
/// wide interval; three leave none, and there is no interval. Nor is there one where more than one resample in forty opens
/// downward. An interval can extend beyond the sizes that were trained; it is not truncated, and its method states it.
///
/// ```
/// use results::fits::{LossPoint, isoflop};
///
/// // Losses with their minimum at N = 1e7 sqrt(C / 1e16) and C = 6 N D.
/// let mut points = Vec::new();
/// for budget in [1e16, 4e16, 16e16] {
///     let best = 1e7 * f64::sqrt(budget / 1e16);
///     for factor in [0.25, 0.5, 1.0, 2.0, 4.0] {
///         let params: f64 = best * factor;
///         let loss = 3.0 + 0.1 * f64::ln(factor).powi(2);
///         let tokens = budget / (6.0 * params);
///         points.push(LossPoint { budget, params, tokens, flops: budget, loss });
///     }
/// }
/// let fitted = isoflop(&points, 0);
/// let first = fitted.budgets[0].minimum.unwrap();
/// assert!((first.params.value / 1e7 - 1.0).abs() < 1e-6);
/// assert!((first.loss.value - 3.0).abs() < 1e-9);
/// assert!((fitted.params.unwrap().exponent.value - 0.5).abs() < 1e-6);
/// assert!((fitted.tokens.unwrap().exponent.value - 0.5).abs() < 1e-6);
/// ```
pub fn isoflop(points: &[LossPoint], seed: u64) -> IsoflopFit {
    let mut sorted: Vec<LossPoint> = points
        .iter()
        .filter(|point| point.is_valid())
        .copied()
        .collect();
    sorted.sort_by(|x, y| {
        x.budget
            .total_cmp(&y.budget)
            .then(x.params.total_cmp(&y.params))
    });
    let mut groups: Vec<Vec<LossPoint>> = Vec::new();
    for point in sorted {
        match groups.last_mut() {
            Some(group) if point.budget <= group[0].budget * (1.0 + BUDGET_TOLERANCE) => {
                group.push(point);
            }
            _ => groups.push(vec![point]),
        }
    }
    let budgets: Vec<IsoflopCurve> = groups
        .into_iter()
        .map(|group| IsoflopCurve::new(group, seed))
        .collect();
    let minima = |of: fn(&Minimum) -> f64| -> Vec<(f64, f64)> {
        let pair = |budget: &IsoflopCurve| Some((budget.flops, of(budget.minimum.as_ref().ok()?)));
        budgets.iter().filter_map(pair).collect()
    };
    let (params, tokens) = (
        power(&minima(|minimum| minimum.params.value)),
        power(&minima(|minimum| minimum.tokens.value)),
    );
    IsoflopFit {
        budgets,
        params,
        tokens,
    }
}
