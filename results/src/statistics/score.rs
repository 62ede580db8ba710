//! The score interval of a difference between paired proportions.
//!
//! T. Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample design",
//! Statistics in Medicine 17 (1998), equations 4 to 9. It is the analogue of Wilson's interval for a difference: it has
//! positive width where no pair differs, or all do; for none of n the ends are `± 1.96² / (n + 1.96²)`.

use super::wilson::Z;

/// The ends, at 95 %, for `ups` and `downs` among `n` >= 1 pairs; the rest are ties.
pub(super) fn score_interval(ups: u64, downs: u64, n: u64) -> (f64, f64) {
    (-upper(downs, ups, n), upper(ups, downs, n))
}

fn upper(ups: u64, downs: u64, n: u64) -> f64 {
    let (b, c, n) = (ups as f64, downs as f64, n as f64);
    // The squared score statistic at `delta` is at most Z² up to the end of the interval.
    let inside = |delta: f64| {
        let linear = (2.0 * n - b + c) * delta - b - c;
        let constant = -c * delta * (1.0 - delta);
        let root = (linear * linear - 8.0 * n * constant).max(0.0).sqrt();
        // The maximum-likelihood share of downs at that difference.
        let downs = (root - linear) / (4.0 * n);
        let variance = n * (2.0 * downs + delta * (1.0 - delta));
        (b - c - n * delta).powi(2) <= Z * Z * variance
    };
    let (mut low, mut high) = ((b - c) / n, 1.0);
    // Bisection to the precision of a share.
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if inside(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: (f64, f64), known: (f64, f64)) {
        let off = (found.0 - known.0).abs().max((found.1 - known.1).abs());
        assert!(off < 5e-4, "{found:?}, known {known:?}");
    }

    #[test]
    fn no_pairs_and_all_pairs_have_closed_forms() {
        let z2 = Z * Z;
        let none = z2 / (64.0 + z2);
        close(score_interval(0, 0, 64), (-none, none));
        // All of n one way: (n - z²) / (n + z²).
        close(score_interval(2, 0, 2), ((2.0 - z2) / (2.0 + z2), 1.0));
        close(score_interval(0, 6, 6), (-1.0, -(6.0 - z2) / (6.0 + z2)));
    }

    #[test]
    fn ends_are_at_the_critical_value_of_the_score_test() {
        // Under no difference the test is McNemar's, (b - c)² / (b + c): an end is at 0 where that is z².
        let (four, three) = (score_interval(4, 0, 64), score_interval(3, 0, 64));
        assert!(four.0 > 0.0 && three.0 < 0.0, "{four:?} {three:?}");
    }

    #[test]
    fn many_pairs_have_the_normal_interval() {
        let half = Z * (0.5f64 - 0.01).sqrt() / 100.0;
        close(score_interval(3000, 2000, 10_000), (0.1 - half, 0.1 + half));
    }
}
