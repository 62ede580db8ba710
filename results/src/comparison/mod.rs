//! Models side by side: the budget of each, its costs, its scores, and the differences to the first model.
//!
//! [`Comparison::new`] rejects runs whose numbers are not comparable: other FLOP conventions, data, tokenizers or items.
//! Differences that are permitted but can confound, such as training settings or the device, are warnings. Runs of one
//! configuration that differ in their seed are one model. Models are grouped by what was held equal, and compared only
//! within their group.

mod counted;
mod items;
mod mismatch;
mod model;
mod quantities;
mod quantity;

use std::collections::BTreeMap;

pub use mismatch::{Mismatch, training_settings};
pub use model::Model;
pub use quantity::{Quantity, QuantityKind, Unit};

use crate::{Frames, RunRow};
use items::ItemsByRun;

/// Models side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// From the smallest budget to the largest.
    pub groups: Vec<Group>,
    /// Runs that failed, each with its reason.
    pub left_out: Vec<String>,
}

/// Models with the same budget.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What was held equal, in words.
    pub held: String,
    /// In the order in which they were requested; the first is what the others are compared with.
    pub models: Vec<Model>,
    /// One row of the table each.
    pub quantities: Vec<Quantity>,
    /// Differences beside the block that can confound the comparison.
    pub warnings: Vec<String>,
}

impl Comparison {
    /// Compares the runs called `order`, which are those of `frames` in the order in which they are to be shown.
    ///
    /// # Errors
    /// Where two runs cannot be in one table; the message names what differs.
    pub fn new(frames: &Frames, order: &[String]) -> Result<Self, Mismatch> {
        let named: BTreeMap<&str, &RunRow> = frames
            .runs()
            .iter()
            .map(|run| (run.run.as_str(), run))
            .collect();
        let (finished, failed): (Vec<&RunRow>, Vec<&RunRow>) = order
            .iter()
            .filter_map(|run| named.get(run.as_str()).copied())
            .partition(|run| run.status == "finished");
        let items = ItemsByRun::of(frames);
        mismatch::check(&finished, &items)?;
        let models = model::models(&finished);
        let mut budgets: BTreeMap<MatchedBy, Vec<Model>> = BTreeMap::new();
        for model in models {
            budgets
                .entry(MatchedBy::of(model.first()))
                .or_default()
                .push(model);
        }
        let groups = budgets.into_values().map(|models| Group {
            held: held(&models),
            quantities: quantities::quantities(&models, frames, &items),
            warnings: mismatch::warnings(&models),
            models,
        });
        Ok(Self {
            groups: groups.collect(),
            left_out: failed
                .iter()
                .map(|run| {
                    format!(
                        "{} {} seed {} ({}): {}",
                        run.size, run.block, run.seed, run.run, run.reason
                    )
                })
                .collect(),
        })
    }
}

/// What was held equal; ordered by its size.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum MatchedBy {
    /// Bits of the target, whose order is that of the positive numbers.
    Flops(u64),
    /// Tokens and size: equal tokens at two sizes are not equal compute.
    Tokens(u64, String),
}

impl MatchedBy {
    fn of(run: &RunRow) -> Self {
        match run.matching.as_str() {
            "tokens" => Self::Tokens(run.tokens, run.size.clone()),
            _ => Self::Flops(run.target_flops.to_bits()),
        }
    }
}

fn held(models: &[Model]) -> String {
    let first = models[0].first();
    match MatchedBy::of(first) {
        MatchedBy::Flops(_) => format!("{:.3e} training FLOPs", first.target_flops),
        MatchedBy::Tokens(tokens, size) => format!("{tokens} training tokens at size {size}"),
    }
}

#[cfg(test)]
mod tests;
