//! The items of runs by suite, and accuracies and differences with confidence intervals.

use std::collections::BTreeMap;

use super::Model;
use crate::statistics::{
    Interval, crossed_mean, mean_over_seeds, paired_difference, same_facts, subject, wilson,
};
use crate::{Frames, ItemRow, RunRow, ScoreRow};

/// Seed of the resampling: any number does, as long as it never changes.
const SEED: u64 = 0x150_F10D;

/// Item rows by run, then by suite, ordered by task and item.
pub struct ItemsByRun<'a>(BTreeMap<&'a str, BTreeMap<&'a str, Vec<&'a ItemRow>>>);

impl<'a> ItemsByRun<'a> {
    pub fn of(frames: &'a Frames) -> Self {
        let mut runs: BTreeMap<_, BTreeMap<_, Vec<_>>> = BTreeMap::new();
        for item in frames.items() {
            let suites = runs.entry(item.run.as_str()).or_default();
            suites.entry(item.suite.as_str()).or_default().push(item);
        }
        Self(runs)
    }

    /// The suites that a run was evaluated on.
    pub fn suites(&self, run: &RunRow) -> impl Iterator<Item = (&'a str, &[&'a ItemRow])> {
        let suites = self.0.get(run.run.as_str()).into_iter().flatten();
        suites.map(|(suite, items)| (*suite, items.as_slice()))
    }

    fn get(&self, run: &RunRow, suite: &str) -> Vec<&'a ItemRow> {
        let suites = self.0.get(run.run.as_str());
        suites
            .and_then(|suites| suites.get(suite))
            .cloned()
            .unwrap_or_default()
    }

    /// A model's score from the rows of its seeds: the suite's own interval with one seed; with several that of seeds
    /// crossed with items where the metric is a share, else Student's t over the seeds' values.
    pub fn score(&self, model: &Model, rows: &[&ScoreRow], share: bool) -> Option<Interval> {
        let score = match rows {
            [] => return None,
            [row] => Interval {
                value: row.value,
                low: row.low,
                high: row.high,
                n: row.n,
                method: "suite",
            },
            [first, ..] => {
                let crossed = share.then(|| self.crossed(model, &first.suite)).flatten();
                let values: Vec<f64> = rows.iter().map(|row| row.value).collect();
                crossed.unwrap_or_else(|| mean_over_seeds(&values))
            }
        };
        Some(score)
    }

    fn crossed(&self, model: &Model, suite: &str) -> Option<Interval> {
        let seeds: Vec<Vec<&ItemRow>> = model.runs.iter().map(|run| self.get(run, suite)).collect();
        let key = |item: &&ItemRow| (item.task.clone(), item.item.clone());
        let first = seeds.first().filter(|items| !items.is_empty())?;
        let same_items = |items: &Vec<&ItemRow>| items.iter().map(key).eq(first.iter().map(key));
        let slices: Vec<&[&ItemRow]> = seeds.iter().map(Vec::as_slice).collect();
        if !seeds.iter().all(same_items) || !same_facts(&slices) {
            return None;
        }
        let right = |item: &&ItemRow| f64::from(u8::from(item.correct));
        let table: Vec<Vec<f64>> = seeds
            .iter()
            .map(|items| items.iter().map(right).collect())
            .collect();
        let subjects: Vec<_> = first.iter().map(|item| subject(item)).collect();
        let mean = crossed_mean(&table, &subjects, SEED);
        // Seeds that agree in every item have variance zero, which underestimates the uncertainty: Wilson's interval instead.
        if mean.low == mean.high && mean.n > 0 {
            let right = (mean.value * mean.n as f64).round().max(0.0);
            return Some(wilson(right as u64, mean.n));
        }
        Some(Interval {
            low: if mean.low < 0.0 { 0.0 } else { mean.low },
            high: if mean.high > 1.0 { 1.0 } else { mean.high },
            ..mean
        })
    }

    /// Accuracy of `ours` minus that of `theirs` on a suite, paired by item and seed.
    pub fn difference(&self, ours: &Model, theirs: &Model, suite: &str) -> Option<Interval> {
        let seeds: Vec<_> = ours
            .paired(theirs)
            .map(|(ours, theirs)| (self.get(ours, suite), self.get(theirs, suite)))
            .collect();
        paired_difference(&seeds, SEED)
    }
}
