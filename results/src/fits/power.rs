//! Power laws: linear regression of logarithms.

use std::fmt;

use super::points::distinct;
use crate::statistics::{Interval, t_quantile};

/// `y = coefficient * x^exponent`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Power {
    /// Value at `x = 1`.
    pub coefficient: f64,
    /// The slope of the regression, with its interval from three points on.
    pub exponent: Interval,
}

impl Power {
    /// y at `x`: an interpolation between the fitted points, an extrapolation beyond them, to be labelled as such.
    pub fn at(&self, x: f64) -> f64 {
        self.coefficient * x.powf(self.exponent.value)
    }
}

/// Why there is no power law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPower {
    /// Budgets with a minimum.
    pub found: usize,
}

impl fmt::Display for NoPower {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "{} {} a minimum; a power law requires two, and its interval three",
            self.found,
            if self.found == 1 {
                "budget has"
            } else {
                "budgets have"
            }
        )
    }
}

/// Least squares of `ln y` on `ln x`. Requires two distinct x; with exactly two points the line is exact and has no interval.
///
/// The interval is Student's t with n - 2 degrees of freedom and the residual variance about the line; with three points it
/// is wide.
pub fn power(pairs: &[(f64, f64)]) -> Result<Power, NoPower> {
    let found = distinct(pairs.iter().map(|(x, _)| *x));
    if found < 2 {
        return Err(NoPower { found });
    }
    let n = pairs.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(|pair| of(pair).ln()).sum::<f64>() / n;
    let (x0, y0) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let about = |&(x, y): &(f64, f64)| (x.ln() - x0, y.ln() - y0);
    let spread: f64 = pairs.iter().map(|pair| about(pair).0.powi(2)).sum();
    let slope = pairs.iter().map(about).map(|(x, y)| x * y).sum::<f64>() / spread;
    let exponent = if pairs.len() < 3 {
        Interval::unbounded(slope, pairs.len() as u64, "two points")
    } else {
        let off = pairs
            .iter()
            .map(about)
            .map(|(x, y)| (y - slope * x).powi(2))
            .sum::<f64>();
        let half = t_quantile(pairs.len() - 2) * (off / (n - 2.0) / spread).sqrt();
        Interval {
            value: slope,
            low: slope - half,
            high: slope + half,
            n: pairs.len() as u64,
            method: "t of the slope",
        }
    };
    Ok(Power {
        coefficient: (y0 - slope * x0).exp(),
        exponent,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_power_is_found_exactly() {
        let pairs = [1e18, 3e18, 1e19, 1e20].map(|c: f64| (c, 0.3 * c.powf(0.48)));
        let law = power(&pairs).unwrap();
        assert!((law.exponent.value - 0.48).abs() < 1e-12);
        assert!((law.exponent.high - law.exponent.low).abs() < 1e-6);
        assert!((law.at(1e19) / pairs[2].1 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn two_points_have_a_line_and_no_interval_and_one_has_neither() {
        let law = power(&[(1.0, 2.0), (100.0, 20.0)]).unwrap();
        assert!((law.exponent.value - 0.5).abs() < 1e-12 && !law.exponent.is_bounded());
        assert_eq!(power(&[(1.0, 2.0)]), Err(NoPower { found: 1 }));
        assert!(
            NoPower { found: 1 }
                .to_string()
                .starts_with("1 budget has a minimum")
        );
    }

    #[test]
    fn the_slope_agrees_with_a_worked_example() {
        // In logarithms x = 0, 1, 2 and y = 0, 1, 1: slope 1/2, residual variance 1/6, half-width 12.706 sqrt(1/12).
        let e = std::f64::consts::E;
        let law = power(&[(1.0, 1.0), (e, e), (e * e, e)]).unwrap();
        assert!((law.exponent.value - 0.5).abs() < 1e-12);
        assert!((law.exponent.high - 0.5 - 12.706_205 / 12f64.sqrt()).abs() < 1e-5);
    }
}
