//! The rules about the mixture of experts: whether blocks are better at equal compute and parameters.

use super::evidence::ClaimData;
use super::rules::ahead_on;
use super::scope::{ComparisonScope, equal_compute_scope};
use super::verdict::{Finding, Verdict};
use crate::number::fixed;
use crate::study::BlockRole;
use crate::study::Measure;
use crate::study::mean;

/// Largest ratio of total parameters at which two models count as matched in them.
const MATCHED: f64 = 1.25;

/// Whether memory+ is better than a mixture with as many parameters.
pub fn beats_experts(data: &ClaimData, measure: Measure) -> Finding {
    match equal_compute_scope(
        data,
        measure,
        &[BlockRole::MemoryPlus, BlockRole::MixtureOfExperts],
    ) {
        Ok(scope) => beats(data, &scope),
        Err(finding) => finding,
    }
}

/// Whether the first block is better than the second, a mixture.
fn beats(data: &ClaimData, scope: &ComparisonScope) -> Finding {
    let [ours, mixture] = [scope.blocks[0], scope.blocks[1]];
    let total = |at| mean(&data.study.at(at), |run| run.params_total as f64);
    let ratio = total(ours) / total(mixture);
    if !(1.0 / MATCHED..=MATCHED).contains(&ratio) {
        return Finding::untested(format!(
            "{} has {} times the mixture's total parameters at size {}: matched in compute only",
            ours.0,
            fixed(ratio, 2),
            ours.1.label
        ));
    }
    ahead_on(data, scope)
}

/// Whether PEER, memory and memory+ are all better than the mixture, at one budget that all four have.
pub fn all_beat_experts(data: &ClaimData, measure: Measure) -> Finding {
    let labels = [
        BlockRole::Peer,
        BlockRole::Memory,
        BlockRole::MemoryPlus,
        BlockRole::MixtureOfExperts,
    ];
    let scope = match equal_compute_scope(data, measure, &labels) {
        Ok(scope) => scope,
        Err(finding) => return finding,
    };
    let [variants @ .., mixture] = scope.blocks.as_slice() else {
        return Finding::untested("no block was named");
    };
    let found: Vec<Finding> = variants
        .iter()
        .map(|at| beats(data, &scope.of(&[*at, *mixture])))
        .collect();
    let outcomes: Vec<Verdict> = found.iter().map(|one| one.outcome).collect();
    let words: Vec<&str> = found.iter().map(|one| one.evidence.as_str()).collect();
    Finding {
        outcome: Verdict::all(&outcomes),
        evidence: words.join(" | "),
        scale: scope.scale(data),
    }
}
