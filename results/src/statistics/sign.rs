//! The exact sign test.
//!
//! Q. McNemar, "Note on the sampling error of the difference between correlated proportions or percentages", Psychometrika
//! 12 (1947), with the exact binomial distribution: under the null hypothesis each pair that differs is a fair coin.

/// The two-sided p of `ups` and `downs` under equal chances: twice the smaller tail, at most 1. Ties are not counted.
///
/// Six differences of one sign are the fewest with p below 0.05.
pub(super) fn sign_test(ups: u64, downs: u64) -> f64 {
    let (n, k) = (ups + downs, ups.min(downs));
    // Terms of the tail as logarithms: 2^-n underflows from about a thousand pairs on.
    let mut term = -(n as f64) * std::f64::consts::LN_2;
    let mut tail = term.exp();
    for i in 1..=k {
        term += (((n - i + 1) as f64) / i as f64).ln();
        tail += term.exp();
    }
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_binomial() {
        for (ups, downs, known) in [
            (4, 0, 0.125),
            (0, 5, 0.0625),
            (6, 0, 0.03125),
            (7, 1, 18.0 / 256.0),
            (9, 2, 2.0 * 67.0 / 2048.0),
            (0, 0, 1.0),
            (3, 3, 1.0),
        ] {
            let found = sign_test(ups, downs);
            assert!((found - known).abs() < 1e-12, "{ups} {downs}: {found}");
        }
    }

    #[test]
    fn thousands_of_pairs_neither_underflow_nor_overflow() {
        // z = 200 / sqrt(10,000) = 2, less half a pair for continuity: 0.0466 by the normal distribution.
        let found = sign_test(5100, 4900);
        assert!((found - 0.0466).abs() < 2e-4, "{found}");
        assert!(sign_test(5500, 4500) < 1e-20);
    }
}
