//! The ranking by accuracy on several suites taken together.

use super::budget::comparable;
use super::ranking::{BlockValue, Ranking, rank};
use crate::study::scores::{self, BlockScore, MissingScore, Suite};
use crate::study::{BlockRole, Rung, Study};

/// The blocks compared by their pooled accuracy.
#[derive(Clone, Debug, PartialEq)]
pub struct AccuracySummary<'s> {
    /// The suites pooled, without the word `recall`.
    pub suites: Vec<&'s str>,
    /// By share of right answers; none where no block was evaluated on all suites.
    pub ranking: Option<Ranking<'s>>,
    /// Blocks whose difference to dense is positive with an interval that excludes zero, from the highest accuracy.
    pub ahead: Vec<&'s str>,
    /// Blocks left out, because a run of theirs was not evaluated on a suite.
    pub incomplete: Vec<(&'s str, MissingScore)>,
}

/// The summary over `suites` at a budget; none where no run there was evaluated on any.
pub fn summarize<'s>(
    study: &'s Study,
    suites: &[&'s Suite],
    budget: &[&'s Rung],
) -> Option<AccuracySummary<'s>> {
    let (mut scored, mut incomplete) = (Vec::<(&str, BlockScore)>::new(), Vec::new());
    let compared = comparable(study, budget, suites);
    let dense = compared.iter().find(|(block, _)| study.is_reference(block));
    for &(block, rung) in &compared {
        match scores::block_score(study, suites, block, rung) {
            Ok(Some(mut score)) => {
                // Each block at its own size, which can differ from that of dense.
                score.difference = dense.filter(|dense| dense.0 != block).and_then(|dense| {
                    scores::accuracy_difference(study, suites, (block, rung), *dense).ok()
                });
                scored.push((block, score));
            }
            Ok(None) => {}
            Err(missing) => incomplete.push((block, missing)),
        }
    }
    if scored.is_empty() && incomplete.is_empty() {
        return None;
    }
    // Stable: of equal accuracies the first in the order of blocks comes first, which is dense where it is among them.
    scored.sort_by(|(_, a), (_, b)| b.accuracy.value.total_cmp(&a.accuracy.value));
    let values: Vec<BlockValue> = scored
        .iter()
        .map(|&(block, ref score)| BlockValue {
            block,
            value: score.accuracy.value,
        })
        .collect();
    let difference = |block: &str| {
        let of_block = scored.iter().find(|(other, _)| *other == block);
        of_block.and_then(|(_, score)| score.difference)
    };
    let is_ahead = |block: &&str| {
        difference(block).is_some_and(|gap| gap.interval.value > 0.0 && gap.interval.excludes(0.0))
    };
    Some(AccuracySummary {
        suites: suites.iter().map(|suite| suite.subject()).collect(),
        ranking: rank(&values, study.label(BlockRole::Dense), difference),
        ahead: values.iter().map(|of| of.block).filter(is_ahead).collect(),
        incomplete,
    })
}
