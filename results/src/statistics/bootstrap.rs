//! The percentile bootstrap: as many observations as there are, drawn with replacement, many times; the interval is the
//! central 95 % of the statistic.
//!
//! B. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7 (1979); Efron and Tibshirani, "An
//! Introduction to the Bootstrap" (1993), chapter 13. With fewer than about twenty observations it is too narrow; it does
//! not cover bias in how the items were chosen.

use rand::Rng;
use random::Stream;

use super::Interval;

/// Resamples per interval: the ends then vary by about a twentieth of the interval's half-width between seeds.
pub const RESAMPLES: u64 = 2000;

/// The mean of independent observations; unbounded with fewer than two.
pub fn bootstrap_mean(values: &[f64], seed: u64) -> Interval {
    let weighted: Vec<(f64, f64)> = values.iter().map(|&value| (value, 1.0)).collect();
    Interval {
        method: "bootstrap",
        ..bootstrap_ratio(&weighted, seed)
    }
}

/// The ratio of two totals, `sum a / sum b` over pairs `(a, b)`, such as bits over tokens: pairs are resampled as units.
pub fn bootstrap_ratio(pairs: &[(f64, f64)], seed: u64) -> Interval {
    let method = "bootstrap of a ratio";
    let n = pairs.len() as u64;
    let ratio = |(above, below): (f64, f64)| above / below;
    let add = |sum: (f64, f64), pair: &(f64, f64)| (sum.0 + pair.0, sum.1 + pair.1);
    let value = ratio(pairs.iter().fold((0.0, 0.0), add));
    if pairs.len() < 2 {
        return Interval::unbounded(value, n, method);
    }
    let resampled = (0..RESAMPLES)
        .map(|resample| {
            let mut random = stream(seed, resample);
            let drawn = pairs
                .iter()
                .map(|_| &pairs[random.random_range(0..pairs.len())]);
            ratio(drawn.fold((0.0, 0.0), add))
        })
        .collect();
    let (low, high) = percentile_interval(resampled);
    Interval {
        value,
        low,
        high,
        n,
        method,
    }
}

/// The generator of one resample: a function of the seed and the resample's number alone.
pub(crate) fn stream(seed: u64, resample: u64) -> Stream {
    random::stream(seed, "bootstrap", resample)
}

/// The 2.5 % and 97.5 % points, by linear interpolation (type 7 of Hyndman and Fan, 1996). NaN where any value is.
pub(crate) fn percentile_interval(mut values: Vec<f64>) -> (f64, f64) {
    if values.iter().any(|value| value.is_nan()) {
        return (f64::NAN, f64::NAN);
    }
    values.sort_by(f64::total_cmp);
    let last = (values.len() - 1) as f64;
    let at = |share: f64| {
        let position = share * last;
        let (below, above) = (
            values[position.floor() as usize],
            values[position.ceil() as usize],
        );
        below + (above - below) * position.fract()
    };
    (at(0.025), at(0.975))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sum of twelve uniforms less six: approximately a normal deviate.
    fn deviate(random: &mut Stream) -> f64 {
        (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0
    }

    #[test]
    fn the_same_seed_gives_the_same_bits_and_another_does_not() {
        let values: Vec<f64> = (0..50).map(|i| f64::from(i * i % 17)).collect();
        assert_eq!(bootstrap_mean(&values, 7), bootstrap_mean(&values, 7));
        assert_ne!(bootstrap_mean(&values, 7), bootstrap_mean(&values, 8));
    }

    #[test]
    fn agrees_with_the_normal_interval_where_that_is_right() {
        let mut random = stream(1, 0);
        let values: Vec<f64> = (0..2000).map(|_| 3.0 + deviate(&mut random)).collect();
        let found = bootstrap_mean(&values, 0);
        let mean = values.iter().sum::<f64>() / 2000.0;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 1999.0;
        let half = 1.96 * (variance / 2000.0).sqrt();
        assert!((found.value - mean).abs() < 1e-12);
        assert!(
            (found.low - (mean - half)).abs() < 0.1 * half,
            "{found:?} half {half}"
        );
        assert!(
            (found.high - (mean + half)).abs() < 0.1 * half,
            "{found:?} half {half}"
        );
    }

    #[test]
    fn a_ratio_is_of_totals_not_a_mean_of_ratios() {
        let found = bootstrap_ratio(&[(1.0, 1.0), (1.0, 3.0)], 0);
        assert_eq!(found.value, 0.5);
    }

    #[test]
    fn constant_data_have_zero_width_and_single_data_no_interval() {
        let constant = bootstrap_mean(&[2.0; 9], 0);
        assert_eq!((constant.low, constant.high), (2.0, 2.0));
        assert!(!bootstrap_mean(&[2.0], 0).is_bounded());
        assert!(bootstrap_mean(&[], 0).value.is_nan());
        assert!(!bootstrap_mean(&[1.0, f64::NAN, 2.0], 0).is_bounded());
    }

    #[test]
    fn quantiles_interpolate() {
        let values = (0..=40).rev().map(f64::from).collect();
        assert_eq!(percentile_interval(values), (1.0, 39.0));
    }

    #[test]
    fn covers_the_true_mean_at_about_the_nominal_rate() {
        let mut random = stream(2, 0);
        let trials = 400;
        let covered = (0..trials)
            .filter(|&trial| {
                let values: Vec<f64> = (0..40).map(|_| deviate(&mut random)).collect();
                !bootstrap_mean(&values, trial).excludes(0.0)
            })
            .count();
        // 94 % is what the percentile method gives at n = 40; four standard errors of the simulation either way.
        let share = covered as f64 / trials as f64;
        assert!((0.89..0.985).contains(&share), "coverage {share}");
    }
}
