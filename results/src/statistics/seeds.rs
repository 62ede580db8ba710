//! Intervals over seeds, for quantities with one value per seed.
//!
//! Student's interval, `mean ± t s / sqrt(n)` with n - 1 degrees of freedom ("The probable error of a mean",
//! Biometrika 6, 1908). It assumes a normal distribution over seeds, which few seeds can neither show nor reject; with two
//! it is wide.

use super::Interval;
use super::wilson::Z;

/// 97.5 % points of Student's t with 1 to 30 degrees of freedom.
const T: [f64; 30] = [
    12.706_205, 4.302_653, 3.182_446, 2.776_445, 2.570_582, 2.446_912, 2.364_624, 2.306_004,
    2.262_157, 2.228_139, 2.200_985, 2.178_813, 2.160_369, 2.144_787, 2.131_450, 2.119_905,
    2.109_816, 2.100_922, 2.093_024, 2.085_963, 2.079_614, 2.073_873, 2.068_658, 2.063_899,
    2.059_539, 2.055_529, 2.051_831, 2.048_407, 2.045_230, 2.042_272,
];

/// The mean over seeds; bounded from two seeds on.
pub fn mean_over_seeds(values: &[f64]) -> Interval {
    let n = values.len();
    let mean = values.iter().sum::<f64>() / n as f64;
    if n < 2 {
        return Interval::unbounded(mean, n as u64, "single seed");
    }
    let variance = values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / (n - 1) as f64;
    let half = t_quantile(n - 1) * (variance / n as f64).sqrt();
    Interval {
        value: mean,
        low: mean - half,
        high: mean + half,
        n: n as u64,
        method: "t over seeds",
    }
}

/// The mean of `ours - theirs` over pairs `(ours, theirs)` of one seed each, such as two blocks' losses.
///
/// A seed determines the order of the data for both blocks, and what it does to both cancels in the difference: the
/// interval is narrower than that of two means where the losses are correlated over seeds. One pair has no interval.
///
/// ```
/// use results::statistics::paired_over_seeds;
///
/// // Seeds differ by 0.2, the blocks by 0.05 on every one of them.
/// let found = paired_over_seeds(&[(3.00, 3.05), (3.21, 3.25), (3.40, 3.46)]);
/// assert!((found.value + 0.05).abs() < 1e-12);
/// assert!(found.excludes(0.0) && found.n == 3);
/// assert!(!paired_over_seeds(&[(3.0, 3.1)]).is_bounded());
/// ```
pub fn paired_over_seeds(pairs: &[(f64, f64)]) -> Interval {
    let differences: Vec<f64> = pairs.iter().map(|(ours, theirs)| ours - theirs).collect();
    Interval {
        method: if pairs.len() < 2 {
            "single seed"
        } else {
            "paired t over seeds"
        },
        ..mean_over_seeds(&differences)
    }
}

/// The 97.5 % point of Student's t for `degrees` >= 1; beyond the table, the expansion of Abramowitz and Stegun 26.7.5.
pub(crate) fn t_quantile(degrees: usize) -> f64 {
    T.get(degrees.saturating_sub(1))
        .copied()
        .unwrap_or_else(|| {
            let v = degrees as f64;
            let first = (Z.powi(3) + Z) / 4.0;
            let second = (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / 96.0;
            Z + first / v + second / (v * v)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_a_worked_example() {
        // Mean 5, standard deviation 1, n = 3: 5 ± 4.302653 / sqrt(3).
        let found = mean_over_seeds(&[4.0, 5.0, 6.0]);
        assert_eq!(found.value, 5.0);
        assert!((found.high - 7.484_138).abs() < 1e-5, "{found:?}");
        assert!((found.low - 2.515_862).abs() < 1e-5, "{found:?}");
    }

    #[test]
    fn the_expansion_agrees_with_the_table_and_known_points() {
        assert!((t_quantile(40) - 2.021_075).abs() < 1e-4);
        assert!((t_quantile(120) - 1.979_930).abs() < 1e-5);
        assert!((1..200).all(|v| t_quantile(v + 1) < t_quantile(v)));
    }

    #[test]
    fn one_seed_has_no_interval() {
        let one = mean_over_seeds(&[3.0]);
        assert_eq!(one.value, 3.0);
        assert!(!one.is_bounded());
        assert!(mean_over_seeds(&[]).value.is_nan());
    }
}
