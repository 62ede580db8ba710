//! The rules about the mixture of experts: ahead of it at equal compute and parameters.

use super::comparison_scope::{ComparisonScope, matched};
use super::evidence::Rows;
use super::rules::ahead_on;
use super::verdict::{Finding, Verdict};
use crate::number::fixed;
use crate::study::Measure;
use crate::study::mean;

/// Largest ratio of total parameters at which two models count as matched in them.
const MATCHED: f64 = 1.25;

const MIXTURE: &str = "moe";

/// Whether memory+ is ahead of a mixture of its own size.
pub fn beats_experts(rows: &Rows, measure: Measure) -> Finding {
    match matched(rows, measure, &["memory+", MIXTURE]) {
        Ok(ground) => beats(rows, &ground),
        Err(finding) => finding,
    }
}

/// Whether the first place is ahead of the second, a mixture.
fn beats(rows: &Rows, ground: &ComparisonScope) -> Finding {
    let [ours, mixture] = [ground.places[0], ground.places[1]];
    let total = |place| mean(&rows.study.at(place), |run| run.params_total as f64);
    let ratio = total(ours) / total(mixture);
    if !(1.0 / MATCHED..=MATCHED).contains(&ratio) {
        return Finding::untested(format!(
            "{} has {} times the mixture's total parameters at size {}: matched in compute only",
            ours.0,
            fixed(ratio, 2),
            ours.1.label
        ));
    }
    ahead_on(rows, ground)
}

/// Whether PEER, memory and memory+ are all ahead of the mixture, at one budget that all four have.
pub fn all_beat_experts(rows: &Rows, measure: Measure) -> Finding {
    let blocks = ["peer", "memory", "memory+", MIXTURE];
    let ground = match matched(rows, measure, &blocks) {
        Ok(ground) => ground,
        Err(finding) => return finding,
    };
    let [variants @ .., mixture] = ground.places.as_slice() else {
        return Finding::untested("no block was named");
    };
    let found: Vec<Finding> = variants
        .iter()
        .map(|place| beats(rows, &ground.of(&[*place, *mixture])))
        .collect();
    let outcomes: Vec<Verdict> = found.iter().map(|one| one.outcome).collect();
    let words: Vec<&str> = found.iter().map(|one| one.evidence.as_str()).collect();
    Finding {
        outcome: Verdict::all(&outcomes),
        evidence: words.join(" | "),
        scale: ground.scale(rows),
    }
}
