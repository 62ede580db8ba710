//! Inference over seeds that stays valid however often it is looked at, so that seeds may be added until it decides.
//!
//! The differences of two blocks on the same seeds, `d_1, d_2, ...`, have a mean and an unknown spread. With
//! `S = sum d_s` and `V = sum d_s^2`,
//!
//! ```text
//! G_n = sqrt(c^2 / (n + c^2)) ((n + c^2) V / ((n + c^2) V - S^2))^(n / 2),   G_1 = 1
//! ```
//!
//! is a test martingale for mean zero and normal differences of any variance: the likelihood ratio with a normal prior of
//! variance `1 / c^2` on mean over spread (Wang and Ramdas 2023, arXiv 2310.03722, Theorem 4.9). It reaches `1 / alpha` at any time
//! with a probability of at most `alpha` where the mean is zero (Ville), while Student's t at every look rejects a true null in a quarter
//! of all cases. The means that it does not reject are a confidence sequence.
//!
//! Skewed differences are not covered: the two arms should have equal spread and shape over seeds.

use super::Interval;

/// The parameter c, chosen before any data: at 0.5 two to four times as many seeds decide as one look with Student's t needs.
const C: f64 = 0.5;

/// Natural logarithm of the e-value against the hypothesis that the mean of the differences is `mean`: evidence against it. 0 for
/// one seed and for differences that all equal `mean`.
pub fn ln_e_value(differences: &[f64], mean: f64) -> f64 {
    let n = differences.len() as f64;
    let deviations = || differences.iter().map(|difference| difference - mean);
    let (sum, squares) = (
        deviations().sum::<f64>(),
        deviations().map(|d| d * d).sum::<f64>(),
    );
    if differences.len() < 2 || squares == 0.0 {
        return 0.0;
    }
    let scaled = (n + C * C) * squares;
    0.5 * (C * C / (n + C * C)).ln() + 0.5 * n * (scaled / (scaled - sum * sum)).ln()
}

/// The largest [`ln_e_value`] against mean zero after any number of the seeds, in their order. `exp` of its negative is a p-value that is
/// valid at any time.
pub fn largest_ln_e_value(differences: &[f64]) -> f64 {
    let after = |n| ln_e_value(&differences[..n], 0.0);
    (1..=differences.len()).map(after).fold(0.0, f64::max)
}

/// The mean difference with a confidence sequence: the probability that any of the intervals after 1, 2, ... seeds misses the mean is at
/// most `alpha`. Unbounded below four seeds.
///
/// ```
/// use results::statistics::confidence_sequence;
///
/// let found = confidence_sequence(&[-0.05, -0.04, -0.06, -0.05, -0.05, -0.04], 0.05);
/// assert!(found.excludes(0.0) && found.n == 6);
/// // Student's interval of the same six is about half as wide.
/// assert!((found.high - found.low) / 2.0 < 1.95 * 0.0075);
/// assert!(!confidence_sequence(&[-0.05, -0.04, -0.06], 0.05).is_bounded());
/// ```
pub fn confidence_sequence(differences: &[f64], alpha: f64) -> Interval {
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / n;
    let a = (alpha * alpha * C * C / (n + C * C)).powf(1.0 / n);
    let q = a * (n + C * C) - C * C;
    if differences.len() < 2 || q <= 0.0 {
        return Interval::unbounded(mean, differences.len() as u64, METHOD);
    }
    let half = ((1.0 - a) * (n + C * C) / q * variance).sqrt();
    Interval {
        value: mean,
        low: mean - half,
        high: mean + half,
        n: differences.len() as u64,
        method: METHOD,
    }
}

const METHOD: &str = "confidence sequence over seeds";

/// Which of several hypotheses are rejected together, so that any false rejection has a probability of at most `alpha`: Holm's procedure on
/// the p-values `exp(-largest)` of [`largest_ln_e_value`].
pub fn rejected_together(largest: &[f64], alpha: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..largest.len()).collect();
    order.sort_by(|&a, &b| largest[b].total_cmp(&largest[a]));
    let mut rejected = vec![false; largest.len()];
    for (place, &hypothesis) in order.iter().enumerate() {
        let left = (largest.len() - place) as f64;
        // NaN is no evidence.
        if largest[hypothesis] >= (left / alpha).ln() {
            rejected[hypothesis] = true;
        } else {
            break;
        }
    }
    rejected
}

/// Seeds that a claim still needs until its e-value reaches `1 / alpha`, if mean and spread stay as they are; `None` below two seeds or
/// without any difference.
pub fn seeds_needed(differences: &[f64], alpha: f64) -> Option<f64> {
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let squares = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>();
    if differences.len() < 2 || mean == 0.0 {
        return None;
    }
    let effect = mean * mean / (squares / (n - 1.0)).max(f64::MIN_POSITIVE);
    let growth = 0.5 * effect.ln_1p();
    let total = ((1.0 / alpha).ln() + 0.5 * (n / (C * C)).ln_1p()) / growth;
    Some((total - n).max(1.0))
}

#[cfg(test)]
mod tests {
    use rand::Rng;
    use rand_distr::{Binomial, Distribution, StandardNormal};

    use super::super::mean_over_seeds;
    use super::*;

    #[test]
    fn half_widths_are_those_of_the_published_formula() {
        // In units of the sample's standard deviation, alpha 0.05.
        for (n, expected) in [
            (4, 3.6),
            (5, 2.4),
            (6, 1.9),
            (8, 1.5),
            (10, 1.26),
            (15, 0.96),
            (30, 0.65),
        ] {
            let differences: Vec<f64> = (0..n)
                .map(|i| f64::from(i % 2) + f64::from(i) * 1e-3)
                .collect();
            let found = confidence_sequence(&differences, 0.05);
            let mean = found.value;
            let squares: f64 = differences.iter().map(|d| (d - mean).powi(2)).sum();
            let half = (found.high - mean) / (squares / f64::from(n - 1)).sqrt();
            assert!((half - expected).abs() < 0.06, "{n}: {half}");
        }
        assert!(!confidence_sequence(&[1.0, 2.0, 3.0], 0.05).is_bounded());
    }

    #[test]
    fn the_sequence_has_the_means_that_are_not_rejected() {
        let differences = [0.3, -0.1, 0.4, 0.2, 0.25, 0.1, 0.3];
        let found = confidence_sequence(&differences, 0.05);
        for end in [found.low, found.high] {
            assert!((ln_e_value(&differences, end) - 20f64.ln()).abs() < 1e-6);
        }
        assert_eq!(ln_e_value(&[3.0], 0.0), 0.0);
        assert_eq!(ln_e_value(&[0.0, 0.0], 0.0), 0.0);
    }

    /// The differences of two equal blocks on 20 seeds: noise of the seeds, and of 100 items on which each is evaluated.
    fn null_world(world: u64) -> Vec<f64> {
        let mut random = random::stream(1, "null worlds", world);
        let items = Binomial::new(100, 0.6).unwrap();
        let accuracy = |random: &mut random::Stream| {
            let seed: f64 = StandardNormal.sample(random);
            items.sample(random) as f64 / 100.0 + 0.03 * seed
        };
        (0..20)
            .map(|_| accuracy(&mut random) - accuracy(&mut random))
            .collect()
    }

    #[test]
    fn looking_at_every_seed_rejects_a_true_null_in_at_most_five_percent() {
        let worlds: Vec<Vec<f64>> = (0..1000).map(null_world).collect();
        let rate = |rejects: &dyn Fn(&[f64]) -> bool| {
            worlds.iter().filter(|world| rejects(world)).count() as f64 / 1000.0
        };
        let sequential = rate(&|world| largest_ln_e_value(world) >= 20f64.ln());
        // Far below the nominal level it would be broken too.
        assert!((0.008..=0.05).contains(&sequential), "{sequential}");
        let missed =
            rate(&|world| (2..=20).any(|n| confidence_sequence(&world[..n], 0.05).excludes(0.0)));
        assert_eq!(missed, sequential, "the same decisions");
        let naive = rate(&|world| (2..=20).any(|n| mean_over_seeds(&world[..n]).excludes(0.0)));
        assert!(naive > 0.15, "{naive}");
        let once = rate(&|world| mean_over_seeds(world).excludes(0.0));
        assert!((0.03..=0.07).contains(&once), "{once}");
    }

    #[test]
    fn five_equal_blocks_looked_at_together_give_a_false_rejection_in_at_most_five_percent() {
        let family = |world: u64| -> Vec<f64> {
            let claims = (0..5).map(|claim| null_world(5000 + 5 * world + claim));
            claims.map(|world| largest_ln_e_value(&world)).collect()
        };
        let false_rejections =
            (0..400).filter(|&world| rejected_together(&family(world), 0.05).contains(&true));
        assert!(false_rejections.count() <= 20);
    }

    #[test]
    fn a_difference_of_two_standard_deviations_is_decided_by_eight_seeds_in_most_worlds() {
        let decided = (0..400).filter(|&world| {
            let mut random = random::stream(2, "worlds", world);
            let differences: Vec<f64> = (0..8)
                .map(|_| 2.0 + Distribution::<f64>::sample(&StandardNormal, &mut random))
                .collect();
            largest_ln_e_value(&differences) >= 20f64.ln()
        });
        let share = decided.count() as f64 / 400.0;
        assert!((0.80..0.95).contains(&share), "{share}");
    }

    #[test]
    fn holm_rejects_from_the_strongest_until_one_fails() {
        let e = |value: f64| value.ln();
        assert_eq!(
            rejected_together(&[e(30.0), e(70.0), e(5.0)], 0.05),
            [false, true, false]
        );
        assert_eq!(
            rejected_together(&[e(45.0), e(70.0), e(25.0)], 0.05),
            [true, true, true]
        );
        assert_eq!(rejected_together(&[e(45.0), e(50.0)], 0.05), [true, true]);
        assert_eq!(rejected_together(&[f64::NAN], 0.05), [false]);
        assert!(rejected_together(&[], 0.05).is_empty());
    }

    #[test]
    fn fewer_seeds_are_needed_where_the_effect_is_larger() {
        let mut random = random::stream(3, "needed", 0);
        let noise: Vec<f64> = (0..6).map(|_| random.random_range(-0.1..0.1)).collect();
        let shifted = |by: f64| -> Vec<f64> { noise.iter().map(|d| d + by).collect() };
        let needed = |by: f64| seeds_needed(&shifted(by), 0.05).unwrap();
        assert!(needed(0.3) < needed(0.1));
        assert_eq!(seeds_needed(&[0.1], 0.05), None);
        assert_eq!(seeds_needed(&[0.1, 0.1], 0.05), Some(1.0));
    }
}
