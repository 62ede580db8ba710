//! Gains in accuracy.

use std::collections::{BTreeMap, BTreeSet};

use super::Better;
use super::gain::{Gain, NoGain, gain};
use super::sample::Sample;
use crate::ItemRow;
use crate::statistics::subject;

/// The evaluated items of one block on one rung.
#[derive(Clone, Debug)]
pub struct RungItems<'a> {
    /// Cost on one [`CostAxis`](super::CostAxis), mean over seeds.
    pub cost: f64,
    /// Item rows, one vector for each seed.
    pub seeds: Vec<Vec<&'a ItemRow>>,
}

type Key<'a> = (&'a str, &'a str, &'a str);

fn key(row: &ItemRow) -> Key<'_> {
    (&row.suite, &row.task, &row.item)
}

fn by_key<'a>(rows: &[&'a ItemRow]) -> BTreeMap<Key<'a>, &'a ItemRow> {
    rows.iter().map(|&row| (key(row), row)).collect()
}

/// The factor by which dense's cost must grow to reach the block's accuracy, over the items on which every seed of every
/// rung was evaluated. `seed` seeds the resampling.
///
/// The interval resamples [`subject`]s with replacement, the same for the block and for every rung of dense, since an easy
/// resample is easy for all. Where every rung has two seeds or more, each accuracy also varies by Student's t over its
/// seeds; otherwise the interval covers the choice of items and not of seeds, as its method states.
///
/// # Errors
/// Fewer than two rungs of different cost, a rung without seeds, or no common item.
pub fn gain_in_accuracy(dense: &[RungItems], block: &RungItems, seed: u64) -> Result<Gain, NoGain> {
    let rungs: Vec<(f64, Vec<BTreeMap<Key, &ItemRow>>)> = dense
        .iter()
        .chain([block])
        .map(|answers| {
            let seeds = answers.seeds.iter().map(|rows| by_key(rows)).collect();
            (answers.cost, seeds)
        })
        .collect();
    if rungs.iter().any(|(_, seeds)| seeds.is_empty()) {
        return Err(NoGain::NoScore);
    }
    let all_seeds = || rungs.iter().flat_map(|(_, seeds)| seeds);
    let shared: Vec<&ItemRow> = all_seeds()
        .next()
        .into_iter()
        .flat_map(BTreeMap::iter)
        .filter(|(key, _)| all_seeds().all(|answers| answers.contains_key(*key)))
        .map(|(_, row)| *row)
        .collect();
    if shared.is_empty() {
        return Err(NoGain::NoSharedItems);
    }
    let subjects: BTreeSet<_> = shared.iter().map(|row| subject(row)).collect();
    let index: BTreeMap<_, usize> = subjects.into_iter().zip(0..).collect();
    let clusters: Vec<usize> = shared.iter().map(|row| index[&subject(row)]).collect();
    let mut sizes = vec![0.0; index.len()];
    for &cluster in &clusters {
        sizes[cluster] += 1.0;
    }
    let mut samples: Vec<Sample> = rungs
        .iter()
        .map(|(cost, seeds)| {
            let right = |answers: &BTreeMap<Key, &ItemRow>| -> Vec<f64> {
                let of = |row: &&ItemRow| f64::from(u8::from(answers[&key(row)].correct));
                shared.iter().map(of).collect()
            };
            let table: Vec<Vec<f64>> = seeds.iter().map(right).collect();
            Sample::new(*cost, &table, &clusters, sizes.len())
        })
        .collect();
    let block = samples.pop().expect("the block is the last rung");
    gain(&samples, &block, Better::Higher, &sizes, seed)
}
