//! The difference between two blocks on the same items.
//!
//! Both answered the same questions, so the doubt about the difference is in the questions on which they differ; an
//! interval from the pairs is narrower, and more honest, than comparing two intervals by eye. For one seed this is the
//! paired bootstrap of P. Koehn, "Statistical significance tests for machine translation evaluation", EMNLP 2004, over
//! [`subject`]s; for several it is the interval of [`crossed_mean`] on the differences.

use std::collections::BTreeMap;

use super::Interval;
use super::crossed::crossed_mean;
use crate::ItemRow;

type Key<'a> = (&'a str, &'a str, &'a str);

/// Accuracy of `ours` less that of `theirs`, over the items that all seeds of both answered, in share points.
///
/// Each element is one seed's pair of answers, `(ours, theirs)`; items match by (suite, task, item), and those about one
/// [`subject`] count as one draw. None where no item matches.
pub fn paired_difference(seeds: &[(Vec<&ItemRow>, Vec<&ItemRow>)], seed: u64) -> Option<Interval> {
    let sides: Vec<(BTreeMap<Key, bool>, BTreeMap<Key, bool>)> = seeds
        .iter()
        .map(|(ours, theirs)| (by_key(ours), by_key(theirs)))
        .collect();
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
    let mean = crossed_mean(&table, &subjects, seed);
    Some(Interval {
        method,
        // No difference of shares is larger; NaN, where nothing bounds it, stays.
        low: if mean.low < -1.0 { -1.0 } else { mean.low },
        high: if mean.high > 1.0 { 1.0 } else { mean.high },
        ..mean
    })
}

/// What an item asks about: of an item named `relation/subject` the subject within its suite, else the item itself.
///
/// Answers about one subject depend on each other: a model that has learned a person knows several facts at once.
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
    rows.iter()
        .map(|row| {
            (
                (row.suite.as_str(), row.task.as_str(), row.item.as_str()),
                row.correct,
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(task: &str, right: impl Fn(usize) -> bool, n: usize) -> Vec<ItemRow> {
        (0..n)
            .map(|i| ItemRow {
                run: "r".into(),
                suite: "s".into(),
                task: task.into(),
                item: i.to_string(),
                correct: right(i),
                nll_bits: 1.0,
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
    fn equal_answers_differ_by_exactly_nothing() {
        let a = answers("t", |i| i % 2 == 0, 100);
        let found = paired_difference(&[pair(&a, &a)], 0).unwrap();
        assert_eq!((found.value, found.low, found.high), (0.0, 0.0, 0.0));
        assert!(!found.excludes(0.0));
    }

    #[test]
    fn pairing_sees_what_two_intervals_hide() {
        // 5 of 200 items flip, all one way: 52.5 % against 50 % overlap widely, but the pairs leave no doubt of the sign.
        let theirs = answers("t", |i| i < 100, 200);
        let ours = answers("t", |i| i < 105, 200);
        let found = paired_difference(&[pair(&ours, &theirs)], 0).unwrap();
        assert!((found.value - 0.025).abs() < 1e-12);
        assert!(found.excludes(0.0), "{found:?}");
        assert!(
            crate::statistics::wilson(105, 200).low < crate::statistics::wilson(100, 200).value
        );
    }

    #[test]
    fn only_items_of_both_count_and_order_does_not() {
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
    fn facts_about_one_subject_are_one_draw() {
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
