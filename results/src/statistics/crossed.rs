//! Means over seeds and items at once.
//!
//! Every seed's model answers the same items, so the answers form a table, seeds by items, and neither rows nor columns
//! repeat independently: an easy item is easy for all seeds. Pooling the cells as if they were independent makes
//! intervals too narrow. The pigeonhole bootstrap draws seeds with replacement and items with replacement and takes the
//! cells where they meet; it is never too narrow in expectation (A. B. Owen, "The pigeonhole bootstrap", Annals of
//! Applied Statistics 1, 2007). With one seed it is the ordinary bootstrap over items, and then says nothing about how
//! another seed would do; with two or three seeds their share of the doubt is itself rough.

use rand::Rng;

use super::Interval;
use super::bootstrap::{RESAMPLES, middle, stream};

/// The mean of a table with one row per seed and one column per item. Rows are cut to the shortest.
///
/// `n` counts items: they are what there is most of, not the cells.
pub fn crossed_mean(table: &[Vec<f64>], seed: u64) -> Interval {
    let method = match table.len() {
        0 | 1 => "bootstrap over items",
        _ => "bootstrap over seeds and items",
    };
    let items = table.iter().map(Vec::len).min().unwrap_or(0);
    let n = items as u64;
    let cells = (table.len() * items) as f64;
    let value = table.iter().flat_map(|row| &row[..items]).sum::<f64>() / cells;
    if items < 2 {
        return Interval::unbounded(value, n, method);
    }
    let mut weights = vec![0.0; items];
    let resampled = (0..RESAMPLES)
        .map(|resample| {
            let mut random = stream(seed, resample);
            weights.fill(0.0);
            for _ in 0..items {
                weights[random.random_range(0..items)] += 1.0;
            }
            let total: f64 = (0..table.len())
                .map(|_| {
                    let row = &table[random.random_range(0..table.len())];
                    row.iter()
                        .zip(&weights)
                        .map(|(cell, weight)| cell * weight)
                        .sum::<f64>()
                })
                .sum();
            total / cells
        })
        .collect();
    let (low, high) = middle(resampled);
    Interval {
        value,
        low,
        high,
        n,
        method,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::bootstrap_mean;

    #[test]
    fn one_seed_is_the_bootstrap_over_items() {
        let row: Vec<f64> = (0..300).map(|i| f64::from(u8::from(i % 3 == 0))).collect();
        let (crossed, plain) = (
            crossed_mean(std::slice::from_ref(&row), 0),
            bootstrap_mean(&row, 0),
        );
        assert!((crossed.value - plain.value).abs() < 1e-12);
        assert!((crossed.low - plain.low).abs() < 0.01 && (crossed.high - plain.high).abs() < 0.01);
    }

    #[test]
    fn seeds_that_agree_add_no_certainty() {
        let row: Vec<f64> = (0..300).map(|i| f64::from(u8::from(i % 3 == 0))).collect();
        let once = crossed_mean(std::slice::from_ref(&row), 0);
        let thrice = crossed_mean(&[row.clone(), row.clone(), row], 0);
        let width = |i: &Interval| i.high - i.low;
        assert!(
            (width(&once) - width(&thrice)).abs() < 0.02,
            "{once:?} {thrice:?}"
        );
    }

    #[test]
    fn seeds_that_disagree_widen_it() {
        let level = |share: f64| -> Vec<f64> {
            (0..300)
                .map(|i| f64::from(u8::from(f64::from(i) < 300.0 * share)))
                .collect()
        };
        let agree = crossed_mean(&[level(0.5), level(0.5)], 0);
        let disagree = crossed_mean(&[level(0.2), level(0.8)], 0);
        assert!(disagree.high - disagree.low > 2.0 * (agree.high - agree.low));
    }

    #[test]
    fn covers_when_both_seeds_and_items_vary() {
        let (trials, seeds, items) = (200, 5, 60);
        let mut random = stream(3, 0);
        let mut noise = move || random.random::<f64>() - 0.5;
        let covered = (0..trials)
            .filter(|&trial| {
                let ease: Vec<f64> = (0..items).map(|_| noise()).collect();
                let table: Vec<Vec<f64>> = (0..seeds)
                    .map(|_| {
                        let skill = 0.3 * noise();
                        ease.iter().map(|e| e + skill + noise()).collect()
                    })
                    .collect();
                !crossed_mean(&table, trial).excludes(0.0)
            })
            .count();
        let share = covered as f64 / trials as f64;
        assert!(share > 0.88, "coverage {share}");
    }

    #[test]
    fn nothing_in_nothing_out() {
        assert!(crossed_mean(&[], 0).value.is_nan());
        assert!(crossed_mean(&[vec![]], 0).value.is_nan());
        assert!(!crossed_mean(&[vec![1.0], vec![0.0]], 0).is_bounded());
    }
}
