//! Means over seeds crossed with items.
//!
//! Every seed's model is evaluated on the same items, so the results form a table of seeds by items, and cells of one row
//! or one column are correlated: an easy item is easy for all seeds. Intervals that treat the cells as independent are too
//! narrow. Nor are items independent where several are about one subject; columns are therefore clustered, and clusters are
//! the sampling unit.
//!
//! With one seed the interval is the percentile bootstrap over clusters, and does not cover variation over seeds; it is too
//! narrow where few clusters differ from the rest, which [`paired_difference`](super::paired_difference) corrects for
//! differences. With several seeds there are two sources of variance, each with its half-width at 95 %:
//!
//! - seeds: `t(S - 1) sqrt(s² / S)`, with `s²` the variance of the S seeds' means. With two seeds `t` is 12.7;
//!   resampling two rows would understate that uncertainty.
//! - items: `t(C - 1) sqrt(v)`, with `v` the variance of the mean over items of the seeds' average, between C clusters.
//!
//! The half-width of the sum is the root of the sum of their squares (W. G. Howe, "Approximate confidence limits on the
//! mean of X + Y where X and Y are two tabled independent random variables", JASA 69, 1974). The residual variance of
//! single cells enters both parts, so that the interval is conservative. This file's tests simulate its coverage.

use std::collections::BTreeMap;

use super::Interval;
use super::bootstrap::bootstrap_ratio;
use super::seeds::t_quantile;

/// The mean of a table with one row per seed and one column per item. Rows are truncated to the shortest.
///
/// `clusters` labels the columns; columns of one label are one cluster. `n` of the result counts items, neither cells nor
/// clusters. Unbounded with fewer than two clusters.
pub fn crossed_mean<C: Ord>(table: &[Vec<f64>], clusters: &[C], seed: u64) -> Interval {
    let method = match table.len() {
        0 | 1 => "bootstrap over items",
        _ => "t over seeds and items",
    };
    let rows = table.iter().map(Vec::len);
    let items = rows.min().unwrap_or(0).min(clusters.len());
    let (seeds, n) = (table.len() as f64, items as f64);
    // The mean over seeds of each item.
    let columns: Vec<f64> = (0..items)
        .map(|item| table.iter().map(|row| row[item]).sum::<f64>() / seeds)
        .collect();
    let value = columns.iter().sum::<f64>() / n;
    // Total and size of each cluster.
    let mut totals: BTreeMap<&C, (f64, f64)> = BTreeMap::new();
    for (cluster, column) in clusters.iter().zip(&columns) {
        let total = totals.entry(cluster).or_default();
        *total = (total.0 + column, total.1 + 1.0);
    }
    let totals: Vec<(f64, f64)> = totals.into_values().collect();
    if totals.len() < 2 {
        return Interval::unbounded(value, items as u64, method);
    }
    if table.len() == 1 {
        let drawn = bootstrap_ratio(&totals, seed);
        return Interval {
            n: items as u64,
            method,
            ..drawn
        };
    }
    let between_seeds = table
        .iter()
        .map(|row| (row[..items].iter().sum::<f64>() / n - value).powi(2))
        .sum::<f64>()
        / ((seeds - 1.0) * seeds);
    // The linearised variance of a ratio: clusters can differ in size.
    let number = totals.len() as f64;
    let between_items = totals
        .iter()
        .map(|(total, size)| (total - size * value).powi(2))
        .sum::<f64>()
        * number
        / ((number - 1.0) * n * n);
    let half = (t_quantile(table.len() - 1).powi(2) * between_seeds
        + t_quantile(totals.len() - 1).powi(2) * between_items)
        .sqrt();
    Interval {
        value,
        low: value - half,
        high: value + half,
        n: items as u64,
        method,
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::statistics::bootstrap::stream;
    use crate::statistics::bootstrap_mean;

    fn own(items: usize) -> Vec<usize> {
        (0..items).collect()
    }

    fn width(interval: &Interval) -> f64 {
        interval.high - interval.low
    }

    fn thirds() -> Vec<f64> {
        (0..300).map(|i| f64::from(u8::from(i % 3 == 0))).collect()
    }

    #[test]
    fn one_seed_is_the_bootstrap_over_items() {
        let (crossed, plain) = (
            crossed_mean(&[thirds()], &own(300), 0),
            bootstrap_mean(&thirds(), 0),
        );
        assert!((crossed.value - plain.value).abs() < 1e-12);
        assert!((crossed.low - plain.low).abs() < 0.01 && (crossed.high - plain.high).abs() < 0.01);
    }

    #[test]
    fn seeds_that_agree_do_not_narrow_the_interval() {
        let once = crossed_mean(&[thirds()], &own(300), 0);
        let thrice = crossed_mean(&[thirds(), thirds(), thirds()], &own(300), 0);
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
        let agree = crossed_mean(&[level(0.5), level(0.5)], &own(300), 0);
        let disagree = crossed_mean(&[level(0.2), level(0.8)], &own(300), 0);
        assert!(width(&disagree) > 2.0 * width(&agree));
    }

    #[test]
    fn fully_correlated_items_count_once() {
        // Each item repeated six times: the interval is that of the fifty subjects, with one seed and with several.
        let subject = |item: usize| item / 6;
        let row: Vec<f64> = (0..300)
            .map(|item| f64::from(u8::from(subject(item).is_multiple_of(2))))
            .collect();
        let clusters: Vec<usize> = (0..300).map(subject).collect();
        let few: Vec<f64> = row.iter().copied().step_by(6).collect();
        for seeds in [1, 3] {
            let clustered = crossed_mean(&vec![row.clone(); seeds], &clusters, 0);
            let subjects = crossed_mean(&vec![few.clone(); seeds], &own(50), 0);
            let apart = crossed_mean(&vec![row.clone(); seeds], &own(300), 0);
            assert!((width(&clustered) - width(&subjects)).abs() < 1e-9);
            assert!(width(&clustered) > 2.0 * width(&apart));
            assert_eq!(clustered.n, 300);
        }
    }

    /// The share of simulated tables whose interval includes the true mean, which is zero.
    fn coverage(seeds: usize, skill: f64, ease: f64, luck: f64) -> f64 {
        let (trials, items, members) = (2000, 60, 3);
        let mut random = stream(3, seeds as u64);
        let mut noise = move || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
        let clusters: Vec<usize> = (0..items).map(|item| item / members).collect();
        let covered = (0..trials)
            .filter(|&trial| {
                let eases: Vec<f64> = (0..items / members).map(|_| ease * noise()).collect();
                let table: Vec<Vec<f64>> = (0..seeds)
                    .map(|_| {
                        let skill = skill * noise();
                        let cell = |&cluster: &usize| eases[cluster] + skill + luck * noise();
                        clusters.iter().map(cell).collect()
                    })
                    .collect();
                !crossed_mean(&table, &clusters, trial).excludes(0.0)
            })
            .count();
        covered as f64 / trials as f64
    }

    #[test]
    fn coverage_is_nominal_for_few_seeds_and_all_sources_of_variance() {
        // Three standard errors of the simulation are 0.015 at 95 %.
        for seeds in [2, 3, 5, 12] {
            for (skill, ease, luck) in [
                (1.0, 0.1, 0.1),
                (0.3, 1.0, 1.0),
                (0.1, 1.0, 0.3),
                (0.0, 1.0, 1.0),
                (0.0, 0.1, 1.0),
            ] {
                let share = coverage(seeds, skill, ease, luck);
                assert!(
                    share >= 0.92,
                    "{seeds} seeds, {skill} {ease} {luck}: coverage {share}"
                );
            }
        }
    }

    #[test]
    fn empty_tables_have_no_value() {
        assert!(crossed_mean::<u8>(&[], &[], 0).value.is_nan());
        assert!(crossed_mean::<u8>(&[vec![]], &[], 0).value.is_nan());
        assert!(!crossed_mean(&[vec![1.0], vec![0.0]], &[0], 0).is_bounded());
        assert!(!crossed_mean(&[vec![1.0, 0.0], vec![0.0, 1.0]], &[7, 7], 0).is_bounded());
    }
}
