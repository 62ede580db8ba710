//! The sentence about validation loss. It claims a difference only where its interval over seeds excludes zero.

use std::collections::BTreeMap;

use results::statistics::mean_over_seeds;

use super::selection_note::selection_note;
use results::number::{fixed, signed};
use results::study::block_order::REFERENCE;
use results::study::{BlockAtRung, Study};

/// A block's validation losses by seed.
type Losses = BTreeMap<u64, f64>;

/// The sentence about the losses of these places.
pub fn loss(study: &Study, places: &[BlockAtRung]) -> String {
    let mean = |losses: &Losses| losses.values().sum::<f64>() / losses.len() as f64;
    let mut blocks: Vec<(&str, Losses)> = places
        .iter()
        .map(|&(block, rung)| {
            let runs = study.finished(block, rung).into_iter();
            let losses = runs.map(|run| (run.seed, run.val_loss));
            (block, losses.filter(|(_, loss)| loss.is_finite()).collect())
        })
        .filter(|(_, losses): &(_, Losses)| !losses.is_empty())
        .collect();
    blocks.sort_by(|(_, a), (_, b)| mean(a).total_cmp(&mean(b)));
    let Some((best, low)) = blocks.first() else {
        return "No validation loss was measured there.".into();
    };
    let Some((_, dense)) = blocks.iter().find(|(block, _)| *block == REFERENCE) else {
        return format!(
            "Validation loss there is {} nats per token for {best}, with no dense run to compare it with.",
            fixed(mean(low), 3)
        );
    };
    if blocks.len() == 1 {
        return format!(
            "Validation loss there is {} nats per token for dense, with no other block to compare it with.",
            fixed(mean(low), 3)
        );
    }
    if *best == REFERENCE {
        return format!(
            "No block's validation loss there is lower than that of dense, {} nats per token.",
            fixed(mean(dense), 3)
        );
    }
    let pairs: Vec<(f64, f64)> = low
        .iter()
        .filter_map(|(seed, loss)| Some((*loss, *dense.get(seed)?)))
        .collect();
    let differences: Vec<f64> = pairs.iter().map(|(ours, theirs)| ours - theirs).collect();
    let gap = mean_over_seeds(&differences);
    let numbers = format!(
        "Validation loss there is {} nats per token for {best} and {} for dense",
        fixed(mean(low), 3),
        fixed(mean(dense), 3)
    );
    if !gap.is_bounded() {
        return format!("{numbers}: one seed of each, hence no interval and no claim.");
    }
    let verdict = if gap.excludes(0.0) {
        selection_note(blocks.len() - 1)
    } else {
        ", which does not exclude zero".into()
    };
    format!(
        "{numbers}, a difference of {} over {} seeds (95\u{a0}% interval {} to {}){verdict}.",
        signed(gap.value, 3),
        gap.n,
        fixed(gap.low, 3),
        fixed(gap.high, 3)
    )
}
