//! The ranking by validation loss.

use std::collections::BTreeMap;

use super::ranking::{self, BlockValue, Ranking};
use crate::statistics::paired_over_seeds;
use crate::study::scores::PairedDifference;
use crate::study::{BlockAtRung, BlockRole, Study};

/// A block's validation losses by seed, in nats per token.
type LossBySeed = BTreeMap<u64, f64>;

/// The ranking of these blocks by mean validation loss, differences paired by seed; none where no loss is finite.
pub fn rank<'s>(study: &Study, compared: &[BlockAtRung<'s>]) -> Option<Ranking<'s>> {
    let mean = |losses: &LossBySeed| losses.values().sum::<f64>() / losses.len() as f64;
    let mut blocks: Vec<(&str, LossBySeed)> = compared
        .iter()
        .map(|&(block, rung)| {
            let runs = study.finished(block, rung).into_iter();
            let losses = runs.map(|run| (run.seed, run.val_loss));
            (block, losses.filter(|(_, loss)| loss.is_finite()).collect())
        })
        .filter(|(_, losses): &(_, LossBySeed)| !losses.is_empty())
        .collect();
    // Stable, as for accuracies.
    blocks.sort_by(|(_, a), (_, b)| mean(a).total_cmp(&mean(b)));
    let values: Vec<BlockValue> = blocks
        .iter()
        .map(|&(block, ref losses)| BlockValue {
            block,
            value: mean(losses),
        })
        .collect();
    let losses = |block: &str| blocks.iter().find(|(other, _)| *other == block);
    let reference = study.label(BlockRole::Dense);
    ranking::rank(&values, reference, |block| {
        let ((_, ours), (_, dense)) = (losses(block)?, losses(reference?)?);
        let pairs: Vec<(f64, f64)> = ours
            .iter()
            .filter_map(|(seed, loss)| Some((*loss, *dense.get(seed)?)))
            .collect();
        Some(PairedDifference {
            interval: paired_over_seeds(&pairs),
            seeds: pairs.len(),
        })
    })
}
