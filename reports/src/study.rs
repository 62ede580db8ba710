//! The frames grouped the way the page asks: by block, by rung of the ladder, by seed.

use std::collections::BTreeMap;

use results::{Frames, ItemRow, RunRow};

use crate::blocks;

/// One step of the ladder: the runs that are to be compared with each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Rung {
    /// The size, and its budget where a size has several.
    pub label: String,
    /// The largest target of its runs.
    pub flops: f64,
    key: Key,
}

/// Size, and under matched FLOPs the target's bits: a size may be trained on several budgets.
type Key = (String, u64);

/// The frames, with indices.
pub struct Study<'a> {
    pub frames: &'a Frames,
    /// Every block that was asked for, failed runs included, in the page's order.
    pub blocks: Vec<&'a str>,
    /// From the smallest budget to the largest.
    pub rungs: Vec<Rung>,
    /// By run, then by suite.
    items: BTreeMap<&'a str, BTreeMap<&'a str, Vec<&'a ItemRow>>>,
}

impl<'a> Study<'a> {
    pub fn new(frames: &'a Frames) -> Self {
        let mut items: BTreeMap<_, BTreeMap<_, Vec<_>>> = BTreeMap::new();
        for item in frames.items() {
            let suites = items.entry(item.run.as_str()).or_default();
            suites.entry(item.suite.as_str()).or_default().push(item);
        }
        Self {
            frames,
            blocks: blocks::ordered(frames.runs().iter().map(|run| run.block.as_str())),
            rungs: rungs(frames.runs()),
            items,
        }
    }

    /// The finished runs of a block on a rung, by seed.
    pub fn finished(&self, block: &str, rung: &Rung) -> Vec<&'a RunRow> {
        self.on(rung)
            .filter(|run| run.block == block && run.status == "finished")
            .collect()
    }

    /// All runs of a rung, failed ones included.
    pub fn on<'s>(&'s self, rung: &'s Rung) -> impl Iterator<Item = &'a RunRow> + 's {
        self.frames.runs().iter().filter(|run| key(run) == rung.key)
    }

    /// The answers that a run gave to a suite.
    pub fn items(&self, run: &RunRow, suite: &str) -> &[&'a ItemRow] {
        self.items
            .get(run.run.as_str())
            .and_then(|suites| suites.get(suite))
            .map_or(&[], Vec::as_slice)
    }

    /// The run of this name.
    pub fn run(&self, name: &str) -> Option<&'a RunRow> {
        self.frames.runs().iter().find(|run| run.run == name)
    }

    /// The rung that a run stands on.
    pub fn rung(&self, run: &RunRow) -> Option<&Rung> {
        let key = key(run);
        self.rungs.iter().find(|rung| rung.key == key)
    }
}

fn key(run: &RunRow) -> Key {
    let budget = if run.matching == "flops" {
        run.target_flops.to_bits()
    } else {
        0
    };
    (run.size.clone(), budget)
}

fn rungs(runs: &[RunRow]) -> Vec<Rung> {
    let mut flops: BTreeMap<Key, f64> = BTreeMap::new();
    for run in runs {
        let most = flops.entry(key(run)).or_insert(run.target_flops);
        *most = most.max(run.target_flops);
    }
    let several = |size: &str| flops.keys().filter(|(other, _)| other == size).count() > 1;
    let mut rungs: Vec<Rung> = flops
        .iter()
        .map(|(key, &most)| Rung {
            label: match several(&key.0) {
                true => format!("{}, {}", key.0, crate::number::scientific(most)),
                false => key.0.clone(),
            },
            flops: most,
            key: key.clone(),
        })
        .collect();
    rungs.sort_by(|a, b| {
        a.flops
            .total_cmp(&b.flops)
            .then_with(|| a.label.cmp(&b.label))
    });
    rungs
}

/// The mean of a number over runs.
pub fn mean<'a>(runs: &[&'a RunRow], of: impl Fn(&'a RunRow) -> f64) -> f64 {
    runs.iter().map(|run| of(run)).sum::<f64>() / runs.len() as f64
}
