//! The budget of a summary, and the blocks that can be compared there.

use crate::study::scores::Suite;
use crate::study::{BlockAtRung, Rung, Study};

/// The largest budget at which dense and another block finished, else the largest at which any block did.
pub fn largest<'s>(study: &'s Study) -> Option<Vec<&'s Rung>> {
    let finished = |budget: &[&Rung], block: &str| {
        budget
            .iter()
            .any(|rung| !study.finished(block, rung).is_empty())
    };
    let any = |budget: &[&Rung]| study.blocks.iter().any(|block| finished(budget, block));
    let with_reference = |budget: &[&Rung]| {
        let mut blocks = study.blocks.iter();
        let (dense, mut others): (Vec<&str>, Vec<&str>) =
            blocks.by_ref().partition(|block| study.is_reference(block));
        others.retain(|block| finished(budget, block));
        dense.iter().any(|block| finished(budget, block)) && !others.is_empty()
    };
    let budgets = study.budgets();
    let largest = budgets
        .iter()
        .rev()
        .find(|budget| with_reference(budget))
        .or_else(|| budgets.iter().rev().find(|budget| any(budget)));
    largest.cloned()
}

/// The blocks that can be compared with dense at a budget, each at the size of its lowest validation loss among those
/// evaluated on all of `suites`. Without dense they are compared with the first block that finished.
pub fn comparable<'s>(
    study: &'s Study,
    budget: &[&'s Rung],
    suites: &[&Suite],
) -> Vec<BlockAtRung<'s>> {
    let all: Vec<BlockAtRung> = study
        .blocks
        .iter()
        .filter_map(|block| study.best(block, budget, suites))
        .collect();
    let dense = all.iter().find(|(block, _)| study.is_reference(block));
    let Some(reference) = dense.or(all.first()).copied() else {
        return all;
    };
    let is_comparable = |candidate: &BlockAtRung| {
        candidate.0 == reference.0 || study.same_training(&[reference, *candidate])
    };
    all.into_iter().filter(is_comparable).collect()
}

/// The blocks that finished at the budget and are not among those `compared`.
pub fn not_comparable<'s>(
    study: &'s Study,
    budget: &[&'s Rung],
    compared: &[BlockAtRung],
) -> Vec<&'s str> {
    let blocks = study.blocks.iter().copied();
    blocks
        .filter(|block| {
            let finished = study.best(block, budget, &[]).is_some();
            finished && !compared.iter().any(|(other, _)| other == block)
        })
        .collect()
}
