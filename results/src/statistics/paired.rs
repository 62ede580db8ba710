//! The difference between two blocks on the same items.
//!
//! Both blocks are evaluated on the same items, so that the variance of the difference comes only from items on which they
//! differ; the paired interval is narrower than a comparison of two separate intervals. For several seeds it is the
//! interval of [`crossed_mean`] on the differences. For one seed it is the paired bootstrap of P. Koehn, "Statistical
//! significance tests for machine translation evaluation", EMNLP 2004, over [`subject`]s, and [`widened`] where few
//! subjects differ.
//!
//! Several seeds without any variance, as where no item differs, have width zero from Student's t and are treated as one
//! seed.

use std::collections::BTreeMap;

use super::Interval;
use super::crossed::crossed_mean;
use super::seeds::mean_over_seeds;
use super::small_sample::widened;
use crate::ItemRow;

type Key<'a> = (&'a str, &'a str, &'a str);

/// Whether each item is right, by key: ours and theirs.
type Sides<'a> = (BTreeMap<Key<'a>, bool>, BTreeMap<Key<'a>, bool>);

/// Accuracy of `ours` minus that of `theirs`, over the items on which all seeds of both were evaluated: a difference of
/// shares in [-1, 1]. `seed` seeds the resampling.
///
/// Each element of `seeds` is one seed's pair of item rows, `(ours, theirs)`; items match by (suite, task, item), and those
/// about one [`subject`] are one cluster. Where seeds have facts of their own ([`same_facts`]), items are no replicates of each other:
/// the interval is Student's t over the seeds' differences, a statement about seeds and facts. None where no item matches; unbounded where all are about one subject.
pub fn paired_difference(seeds: &[(Vec<&ItemRow>, Vec<&ItemRow>)], seed: u64) -> Option<Interval> {
    let sides: Vec<Sides> = seeds
        .iter()
        .map(|(ours, theirs)| (by_key(ours), by_key(theirs)))
        .collect();
    let ours: Vec<&[&ItemRow]> = seeds.iter().map(|(ours, _)| ours.as_slice()).collect();
    if !same_facts(&ours) {
        return over_facts(&sides);
    }
    let shared: Vec<Key> = sides
        .first()?
        .0
        .keys()
        .filter(|key| {
            sides
                .iter()
                .all(|(ours, theirs)| ours.contains_key(*key) && theirs.contains_key(*key))
        })
        .copied()
        .collect();
    if shared.is_empty() {
        return None;
    }
    let right =
        |side: &BTreeMap<Key, bool>, key: &Key| f64::from(u8::from(side.get(key) == Some(&true)));
    let table: Vec<Vec<f64>> = sides
        .iter()
        .map(|(ours, theirs)| {
            shared
                .iter()
                .map(|key| right(ours, key) - right(theirs, key))
                .collect()
        })
        .collect();
    let method = match table.len() {
        1 => "paired bootstrap over items",
        _ => "paired t over seeds and items",
    };
    let subjects: Vec<Key> = shared.iter().map(|&key| about(key)).collect();
    let mean = Interval {
        method,
        ..crossed_mean(&table, &subjects, seed)
    };
    // A table without variance has a width of rounding errors.
    let mean = if table.len() == 1 || mean.high - mean.low < 1e-12 {
        widened(mean, &by_subject(&table, &subjects))
    } else {
        mean
    };
    Some(Interval {
        // Cut to the range of a difference of shares; NaN ends of an unbounded interval are kept.
        low: if mean.low < -1.0 { -1.0 } else { mean.low },
        high: if mean.high > 1.0 { 1.0 } else { mean.high },
        ..mean
    })
}

/// Whether the items that all of these have in common have the same expected answers: seeds with facts of their own differ in them.
pub fn same_facts(seeds: &[&[&ItemRow]]) -> bool {
    let Some((first, others)) = seeds.split_first() else {
        return true;
    };
    let answers: BTreeMap<Key, &str> = first
        .iter()
        .map(|row| (key(row), row.expected.as_str()))
        .collect();
    others.iter().flat_map(|rows| rows.iter()).all(|row| {
        answers
            .get(&key(row))
            .is_none_or(|expected| *expected == row.expected)
    })
}

/// The difference where each seed has facts of its own.
fn over_facts(sides: &[Sides]) -> Option<Interval> {
    let of_seed = |(ours, theirs): &Sides| {
        let both = ours
            .iter()
            .filter_map(|(key, ours)| Some((*ours, *theirs.get(key)?)));
        let differences: Vec<f64> = both
            .map(|(ours, theirs)| f64::from(u8::from(ours)) - f64::from(u8::from(theirs)))
            .collect();
        (!differences.is_empty())
            .then(|| differences.iter().sum::<f64>() / differences.len() as f64)
    };
    let of_seeds: Option<Vec<f64>> = sides.iter().map(of_seed).collect();
    Some(Interval {
        method: "paired t over seeds, each with facts of its own",
        ..mean_over_seeds(&of_seeds?)
    })
}

/// Each subject's summed difference over its items, in items: the mean over seeds.
fn by_subject(table: &[Vec<f64>], subjects: &[Key]) -> Vec<f64> {
    let mut totals: BTreeMap<&Key, f64> = BTreeMap::new();
    for (item, subject) in subjects.iter().enumerate() {
        *totals.entry(subject).or_default() += table.iter().map(|row| row[item]).sum::<f64>();
    }
    let seeds = table.len() as f64;
    totals.into_values().map(|total| total / seeds).collect()
}

/// The subject of an item, as (suite, task, name): of an item named `relation/subject` the subject within its suite, else
/// the item itself.
///
/// Items about one subject are correlated: a model that has learned a person recalls several facts about them.
pub fn subject(row: &ItemRow) -> (&str, &str, &str) {
    about((&row.suite, &row.task, &row.item))
}

fn about<'a>((suite, task, item): Key<'a>) -> Key<'a> {
    match item.split_once('/') {
        Some((_, subject)) => (suite, "", subject),
        None => (suite, task, item),
    }
}

fn by_key<'a>(rows: &[&'a ItemRow]) -> BTreeMap<Key<'a>, bool> {
    rows.iter().map(|row| (key(row), row.correct)).collect()
}

fn key(row: &ItemRow) -> Key<'_> {
    (&row.suite, &row.task, &row.item)
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    fn answers(task: &str, right: impl Fn(usize) -> bool, n: usize) -> Vec<ItemRow> {
        (0..n)
            .map(|i| ItemRow {
                run: "r".into(),
                suite: "s".into(),
                task: task.into(),
                item: i.to_string(),
                correct: right(i),
                answer_tokens: 2,
                answer_nll_bits: 1.0,
                end_nll_bits: 0.1,
                expected: String::new(),
                given: String::new(),
                detail: String::new(),
            })
            .collect()
    }

    fn pair<'a>(
        ours: &'a [ItemRow],
        theirs: &'a [ItemRow],
    ) -> (Vec<&'a ItemRow>, Vec<&'a ItemRow>) {
        (ours.iter().collect(), theirs.iter().collect())
    }

    #[test]
    fn identical_items_have_difference_zero_with_positive_width() {
        let a = answers("t", |i| i % 2 == 0, 100);
        for seeds in [1, 3] {
            let found = paired_difference(&vec![pair(&a, &a); seeds], 0).unwrap();
            assert_eq!((found.value, found.low), (0.0, -found.high));
            // 1.96² / (100 + 1.96²).
            assert!((found.high - 0.036_995).abs() < 1e-5, "{found:?}");
        }
    }

    #[test]
    fn seeds_with_facts_of_their_own_are_the_only_replicates() {
        let with_facts = |seed: usize, right: usize| -> Vec<ItemRow> {
            let rows = answers("t", |i| i < right, 100).into_iter();
            rows.map(|row| ItemRow {
                expected: format!("{seed} {}", row.item),
                ..row
            })
            .collect()
        };
        let seeds: Vec<(Vec<ItemRow>, Vec<ItemRow>)> = [(60, 50), (70, 50), (80, 50)]
            .iter()
            .enumerate()
            .map(|(seed, (ours, theirs))| (with_facts(seed, *ours), with_facts(seed, *theirs)))
            .collect();
        let pairs: Vec<_> = seeds
            .iter()
            .map(|(ours, theirs)| pair(ours, theirs))
            .collect();
        let found = paired_difference(&pairs, 0).unwrap();
        let expected = mean_over_seeds(&[0.1, 0.2, 0.3]);
        assert!((found.value - 0.2).abs() < 1e-12 && (found.low - expected.low).abs() < 1e-12);
        assert_eq!(found.n, 3);
        let rows: Vec<Vec<&ItemRow>> = pairs.iter().map(|(ours, _)| ours.clone()).collect();
        let rows: Vec<&[&ItemRow]> = rows.iter().map(Vec::as_slice).collect();
        assert!(!same_facts(&rows) && same_facts(&rows[..1]) && same_facts(&[]));
    }

    /// Of `n` items, `ups` that only ours has right and `downs` that only theirs has.
    fn flips(ups: usize, downs: usize, n: usize) -> Interval {
        let theirs = answers("t", |i| i >= n - downs, n);
        let ours = answers("t", |i| i < ups, n);
        paired_difference(&[pair(&ours, &theirs)], 0).unwrap()
    }

    #[test]
    fn a_difference_excludes_zero_only_where_the_exact_test_does() {
        for (ups, downs, n) in [(4, 0, 64), (5, 0, 208), (7, 1, 208), (9, 2, 208), (2, 0, 2)] {
            for found in [flips(ups, downs, n), flips(downs, ups, n)] {
                assert!(!found.excludes(0.0), "{ups} {downs} of {n}: {found:?}");
                assert!(found.high - found.low > 0.01 && found.value != 0.0);
            }
        }
        assert!(flips(5, 0, 208).method.ends_with("sign test undecided"));
        for (ups, downs, n) in [(6, 0, 64), (6, 0, 6), (8, 1, 208), (40, 20, 500)] {
            for found in [flips(ups, downs, n), flips(downs, ups, n)] {
                assert!(found.excludes(0.0), "{ups} {downs} of {n}: {found:?}");
                assert_eq!(found.method, "paired bootstrap over items");
            }
        }
    }

    #[test]
    fn the_interval_has_positive_width_where_all_subjects_differ() {
        // (n - 1.96²) / (n + 1.96²).
        let found = flips(6, 0, 6);
        assert!(
            (found.low - 0.219_302).abs() < 1e-4 && found.high == 1.0,
            "{found:?}"
        );
    }

    #[test]
    fn many_flips_keep_the_width_of_the_bootstrap() {
        let found = flips(300, 200, 2000);
        let half = 1.96 * (0.25f64 - 0.0025).sqrt() / 2000f64.sqrt();
        assert!((found.low - (0.05 - half)).abs() < 0.08 * half, "{found:?}");
        assert!(
            (found.high - (0.05 + half)).abs() < 0.08 * half,
            "{found:?}"
        );
    }

    #[test]
    fn covers_small_differences_among_few_subjects() {
        // 48 subjects; chances of an up and of a down. Three standard errors of the simulation are 0.03.
        let (trials, n) = (400, 48);
        let mut random = crate::statistics::stream(11, 0);
        for (up, down) in [(0.02, 0.02), (0.05, 0.05), (0.08, 0.0), (0.1, 0.03)] {
            let held = (0..trials)
                .filter(|_| {
                    let drawn: Vec<f64> = (0..n).map(|_| random.random()).collect();
                    let ours = answers("t", |i| drawn[i] < up, n);
                    let theirs = answers("t", |i| drawn[i] >= 1.0 - down, n);
                    let found = paired_difference(&[pair(&ours, &theirs)], 0).unwrap();
                    !found.excludes(up - down)
                })
                .count();
            let share = held as f64 / f64::from(trials);
            assert!(share >= 0.93, "{up} {down}: {share}");
        }
    }

    #[test]
    fn the_paired_interval_excludes_zero_where_two_intervals_overlap() {
        // 8 of 200 items flip, all one way: 54 % against 50 % overlap widely, but the paired interval excludes zero.
        let theirs = answers("t", |i| i < 100, 200);
        let ours = answers("t", |i| i < 108, 200);
        let found = paired_difference(&[pair(&ours, &theirs)], 0).unwrap();
        assert!((found.value - 0.04).abs() < 1e-12);
        assert!(found.excludes(0.0), "{found:?}");
        assert!(
            crate::statistics::wilson(108, 200).low < crate::statistics::wilson(100, 200).value
        );
    }

    #[test]
    fn only_common_items_count_in_any_order() {
        let ours = answers("t", |_| true, 10);
        let mut theirs = answers("t", |i| i < 4, 8);
        theirs.reverse();
        let found = paired_difference(&[pair(&ours, &theirs)], 0).unwrap();
        assert_eq!((found.n, found.value), (8, 0.5));
        let other = answers("another", |_| true, 8);
        assert_eq!(paired_difference(&[pair(&ours, &other)], 0), None);
        assert_eq!(paired_difference(&[], 0), None);
    }

    #[test]
    fn facts_about_one_subject_are_one_cluster() {
        // Five subjects of forty flip, with all of their six facts.
        let named = |mut rows: Vec<ItemRow>| {
            for (i, row) in rows.iter_mut().enumerate() {
                row.task = format!("relation {}", i % 6);
                row.item = format!("relation {}/subject {}", i % 6, i / 6);
            }
            rows
        };
        let ours = named(answers("t", |i| i < 150, 240));
        let theirs = named(answers("t", |i| i < 120, 240));
        let about = paired_difference(&[pair(&ours, &theirs)], 0).unwrap();
        let loose = |rows: &[ItemRow]| -> Vec<ItemRow> {
            let apart = |row: &ItemRow| ItemRow {
                item: row.item.replace('/', " "),
                ..row.clone()
            };
            rows.iter().map(apart).collect()
        };
        let (ours, theirs) = (loose(&ours), loose(&theirs));
        let apart = paired_difference(&[pair(&ours, &theirs)], 0).unwrap();
        assert_eq!((about.value, about.n), (apart.value, 240));
        assert!(about.high - about.low > 1.8 * (apart.high - apart.low));
    }

    #[test]
    fn an_effect_of_one_seed_alone_is_not_established() {
        let base = answers("t", |i| i < 50, 100);
        let better = answers("t", |i| i < 80, 100);
        let one = paired_difference(&[pair(&better, &base)], 0).unwrap();
        let two = paired_difference(&[pair(&better, &base), pair(&base, &better)], 0).unwrap();
        assert!(one.excludes(0.0) && !two.excludes(0.0), "{one:?} {two:?}");
    }
}
