//! The frames grouped by block, by rung (size and budget), and by seed.

use std::collections::BTreeMap;

use crate::comparison::training_settings;
use crate::{Frames, ItemRow, RunRow};

use super::block_order;
use super::block_role::BlockRole;
use crate::number::{prefixed, scientific};

/// A size at one budget: the runs that are compared with each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Rung {
    /// The size, and its budget where a size has several.
    pub label: String,
    /// The largest target of its runs.
    pub flops: f64,
    pub(super) key: Key,
}

impl Rung {
    /// Label of the size.
    pub fn size(&self) -> &str {
        &self.key.0
    }
}

/// Size and budget: a size can have several budgets, whose runs are not seeds of one configuration.
pub(super) type Key = (String, BudgetKey);

/// What was held equal between blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum BudgetKey {
    /// Bits of the target, which is computed in the same way for all blocks.
    Flops(u64),
    Tokens(u64),
}

/// The frames with indices, for comparison between blocks.
pub struct Study<'a> {
    /// All rows.
    pub frames: &'a Frames,
    /// Every block that was requested, failed runs included, in the order of their roles.
    pub blocks: Vec<&'a str>,
    /// From the smallest budget to the largest; of one budget from the smallest size.
    pub rungs: Vec<Rung>,
    /// Roles by label.
    roles: BTreeMap<&'a str, BlockRole>,
    /// By run, then by suite.
    items: BTreeMap<&'a str, BTreeMap<&'a str, Vec<&'a ItemRow>>>,
}

impl<'a> Study<'a> {
    /// Groups the rows of `frames`.
    pub fn new(frames: &'a Frames) -> Self {
        let mut items: BTreeMap<_, BTreeMap<_, Vec<_>>> = BTreeMap::new();
        for item in frames.items() {
            let suites = items.entry(item.run.as_str()).or_default();
            suites.entry(item.suite.as_str()).or_default().push(item);
        }
        let mut roles = BTreeMap::new();
        for run in frames.runs() {
            let role = roles.entry(run.block.as_str());
            role.or_insert_with(|| BlockRole::of(run));
        }
        let role = |label: &str| roles.get(label).copied().unwrap_or(BlockRole::Other);
        let labels = frames.runs().iter().map(|run| run.block.as_str());
        let mut study = Self {
            frames,
            blocks: block_order::ordered(labels, role),
            rungs: Vec::new(),
            roles,
            items,
        };
        study.rungs = rungs(frames.runs(), study.label(BlockRole::Dense));
        study
    }

    /// The block of this role: the label of the first in the order of the rows.
    pub fn label(&self, role: BlockRole) -> Option<&'a str> {
        let mut runs = self.frames.runs().iter().map(|run| run.block.as_str());
        runs.find(|label| self.roles.get(label) == Some(&role))
    }

    /// The role of a label.
    pub fn role(&self, label: &str) -> BlockRole {
        self.roles.get(label).copied().unwrap_or(BlockRole::Other)
    }

    /// Whether this is the block that others are compared with: the dense decoder.
    pub fn is_reference(&self, label: &str) -> bool {
        self.label(BlockRole::Dense) == Some(label)
    }

    /// The finished runs of dense on a rung, by seed.
    pub fn finished_reference(&self, rung: &Rung) -> Vec<&'a RunRow> {
        let dense = self.label(BlockRole::Dense);
        dense.map_or_else(Vec::new, |dense| self.finished(dense, rung))
    }

    /// Labels in the order of [`Study::blocks`], without duplicates.
    pub fn ordered<'l>(&self, labels: impl Iterator<Item = &'l str>) -> Vec<&'l str> {
        block_order::ordered(labels, |label| self.role(label))
    }

    /// The finished runs of a block on a rung, by seed.
    pub fn finished(&self, block: &str, rung: &Rung) -> Vec<&'a RunRow> {
        self.on(rung)
            .filter(|run| run.block == block && run.status == "finished")
            .collect()
    }

    /// All runs of a rung, failed ones included.
    pub fn on<'s>(&'s self, rung: &'s Rung) -> impl Iterator<Item = &'a RunRow> + 's {
        let compared = self
            .frames
            .runs()
            .iter()
            .filter(|run| run.matching != SPLIT);
        compared.filter(|run| key(run) == rung.key)
    }

    /// The run with which those of a rung must be comparable: the first finished run of dense, or of any block.
    pub fn reference_run(&self, rung: &Rung) -> Option<&'a RunRow> {
        let finished = |run: &&RunRow| run.status == "finished";
        self.on(rung)
            .filter(finished)
            .find(|run| self.is_reference(&run.block))
            .or_else(|| self.on(rung).find(finished))
    }

    /// The finished runs of a rung that are not comparable with its reference run, with the reason.
    pub fn not_comparable(&self, rung: &Rung) -> Vec<(&'a RunRow, &'static str)> {
        let reference_run = self.reference_run(rung);
        let references = self.finished_reference(rung);
        // Where seeds have facts of their own, those of one seed are compared.
        let same_seed = |run: &RunRow| {
            references
                .iter()
                .copied()
                .find(|other| other.seed == run.seed)
        };
        self.on(rung)
            .filter(|run| run.status == "finished")
            .filter_map(|run| Some((run, mismatch(run, same_seed(run).or(reference_run)?)?)))
            .collect()
    }

    /// Whether all finished runs of a block and of dense on a rung can be compared with each other.
    pub fn comparable(&self, block: &str, rung: &Rung) -> bool {
        self.not_comparable(rung)
            .iter()
            .all(|(run, _)| run.block != block && !self.is_reference(&run.block))
    }

    /// The items of a suite on which a run was evaluated.
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

    /// The rung that a run is on.
    pub fn rung(&self, run: &RunRow) -> Option<&Rung> {
        let key = key(run);
        self.rungs.iter().find(|rung| rung.key == key)
    }
}

/// Why a difference between two runs cannot be attributed to their blocks; none where it can.
pub(super) fn mismatch(a: &RunRow, b: &RunRow) -> Option<&'static str> {
    if a.data_fingerprint != b.data_fingerprint {
        Some("other data")
    } else if a.tokenizer_fingerprint != b.tokenizer_fingerprint {
        Some("another tokenizer")
    } else if training_settings(&a.config) != training_settings(&b.config) {
        Some("other training settings")
    } else {
        None
    }
}

/// `matching` of the runs that divide a lead, which are on no rung: they are compared with nothing else.
pub(super) const SPLIT: &str = "split";

fn key(run: &RunRow) -> Key {
    let budget = if run.matching != "tokens" {
        BudgetKey::Flops(run.target_flops.to_bits())
    } else {
        BudgetKey::Tokens(run.tokens)
    };
    (run.size.clone(), budget)
}

fn rungs(runs: &[RunRow], reference: Option<&str>) -> Vec<Rung> {
    let mut flops: BTreeMap<Key, f64> = BTreeMap::new();
    // Sizes are ordered by dense's parameters where it ran, else by the fewest: labels need not sort by size.
    let mut params: BTreeMap<Key, (bool, u64)> = BTreeMap::new();
    for run in runs.iter().filter(|run| run.matching != SPLIT) {
        let most = flops.entry(key(run)).or_insert(run.target_flops);
        *most = most.max(run.target_flops);
        let size = (Some(run.block.as_str()) != reference, run.params_active);
        let least = params.entry(key(run)).or_insert(size);
        *least = (*least).min(size);
    }
    let several = |size: &str| flops.keys().filter(|(other, _)| other == size).count() > 1;
    let mut rungs: Vec<Rung> = flops
        .iter()
        .map(|(key, &most)| Rung {
            label: match (several(&key.0), key.1) {
                (true, BudgetKey::Flops(_)) => format!("{}, {}", key.0, scientific(most)),
                (true, BudgetKey::Tokens(tokens)) => {
                    format!("{}, {} tokens", key.0, prefixed(tokens as f64))
                }
                (false, _) => key.0.clone(),
            },
            flops: most,
            key: key.clone(),
        })
        .collect();
    rungs.sort_by(|a, b| {
        a.flops
            .total_cmp(&b.flops)
            .then_with(|| params[&a.key].1.cmp(&params[&b.key].1))
            .then_with(|| a.label.cmp(&b.label))
    });
    rungs
}

/// The mean of a number over runs.
pub fn mean<'a>(runs: &[&'a RunRow], of: impl Fn(&'a RunRow) -> f64) -> f64 {
    runs.iter().map(|run| of(run)).sum::<f64>() / runs.len() as f64
}
