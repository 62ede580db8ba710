//! Wilson's score interval for a proportion.
//!
//! E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927). It keeps its
//! coverage where the Wald interval `p ± z s` fails: few items, or scores near 0 and 1 (Brown, Cai and DasGupta, "Interval
//! estimation for a binomial proportion", Statistical Science 16, 2001), which is where small models score.

use super::Interval;

/// The 97.5 % point of the standard normal distribution.
pub(crate) const Z: f64 = 1.959_963_984_540_054;

/// The share of `n` items that are correct, with its 95 % interval.
///
/// Without items the value is NaN and the interval [0, 1]. More successes than items count as `n`.
pub fn wilson(successes: u64, n: u64) -> Interval {
    let method = "wilson";
    if n == 0 {
        return Interval {
            value: f64::NAN,
            low: 0.0,
            high: 1.0,
            n,
            method,
        };
    }
    let items = n as f64;
    let share = successes.min(n) as f64 / items;
    let z2 = Z * Z / items;
    let centre = (share + z2 / 2.0) / (1.0 + z2);
    let half = Z / (1.0 + z2) * (share * (1.0 - share) / items + z2 / (4.0 * items)).sqrt();
    Interval {
        value: share,
        // At 0 and n the exact ends are 0 and 1; rounding must not put the value outside its interval.
        low: (centre - half).clamp(0.0, share),
        high: (centre + half).clamp(share, 1.0),
        n,
        method,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, known: f64) {
        assert!((found - known).abs() < 5e-5, "{found} is not {known}");
    }

    #[test]
    fn agrees_with_published_values() {
        // R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17
        // (1998), table I, method 3: 81/263, 15/148, 0/20 and 1/29.
        for (successes, n, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let interval = wilson(successes, n);
            close(interval.low, low);
            close(interval.high, high);
        }
    }

    #[test]
    fn mirrors_around_one_half() {
        let (few, many) = (wilson(3, 40), wilson(37, 40));
        close(few.low, 1.0 - many.high);
        close(few.high, 1.0 - many.low);
    }

    #[test]
    fn the_value_is_inside_its_interval() {
        for n in 1..200 {
            for successes in 0..=n {
                let i = wilson(successes, n);
                assert!(0.0 <= i.low && i.low <= i.value && i.value <= i.high && i.high <= 1.0);
            }
        }
        let nothing = wilson(0, 0);
        assert!(nothing.value.is_nan() && (nothing.low, nothing.high) == (0.0, 1.0));
    }

    #[test]
    fn mean_coverage_is_nominal() {
        // Exact coverage: sum the binomial weights of the outcomes whose interval holds the true share. Wilson's
        // method may dip below 95 % at single points but must average it over shares.
        let n = 50u64;
        let shares: Vec<f64> = (1..100).map(|i| f64::from(i) / 100.0).collect();
        let coverage = |share: f64| {
            let mut weight = (1.0 - share).powi(50);
            let mut covered = 0.0;
            for successes in 0..=n {
                let interval = wilson(successes, n);
                if interval.low <= share && share <= interval.high {
                    covered += weight;
                }
                let (s, rest) = (successes as f64, (n - successes) as f64);
                weight *= rest / (s + 1.0) * share / (1.0 - share);
            }
            covered
        };
        let all: Vec<f64> = shares.iter().map(|&share| coverage(share)).collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        assert!((0.945..0.96).contains(&mean), "mean coverage {mean}");
        assert!(all.iter().all(|&c| c > 0.88), "worst {all:?}");
    }
}
