//! The rules about facts that compare two blocks at equal compute.

use super::evidence::{ClaimData, decided, sign};
use super::scope::{ComparisonScope, equal_compute_scope};
use super::verdict::{Finding, Verdict};
use crate::number::percent;
use crate::study::BlockRole;
use crate::study::Measure;
use crate::study::scores::guess_accuracy;

/// Largest difference of accuracies, as a share, at which two blocks count as equal.
const EQUAL: f64 = 0.05;

/// Why a rule about a sign is undecided.
pub const INCLUDES_ZERO: &str = "the interval includes 0";

/// Whether the first block is better than the second, at equal compute.
pub fn ahead(
    data: &ClaimData,
    measure: Measure,
    (block, other): (BlockRole, BlockRole),
) -> Finding {
    match equal_compute_scope(data, measure, &[block, other]) {
        Ok(scope) => ahead_on(data, &scope),
        Err(finding) => finding,
    }
}

/// The same for the first two blocks of a scope.
pub fn ahead_on(data: &ClaimData, scope: &ComparisonScope) -> Finding {
    match data.difference(&scope.suites, scope.blocks[0], scope.blocks[1]) {
        Ok((difference, words)) => {
            decided(sign(&difference), words, scope.scale(data), INCLUDES_ZERO)
        }
        Err(reason) => Finding::untested(reason),
    }
}

/// Whether memory+ has twice dense's accuracy.
pub fn doubled(data: &ClaimData, measure: Measure) -> Finding {
    let scope = match equal_compute_scope(data, measure, &[BlockRole::MemoryPlus, BlockRole::Dense])
    {
        Ok(scope) => scope,
        Err(finding) => return finding,
    };
    let (ours, theirs) = (scope.blocks[0], scope.blocks[1]);
    let found = data
        .difference(&scope.suites, ours, theirs)
        .and_then(|difference| Ok((difference, data.accuracy(&scope.suites, theirs)?)));
    let ((difference, words), (dense, accuracy)) = match found {
        Ok(found) => found,
        Err(reason) => return Finding::untested(reason),
    };
    if dense.value <= 0.0 {
        return Finding {
            scale: scope.scale(data),
            ..Finding::untested(format!(
                "{words}, on top of {accuracy}: a relative increase from 0 is not defined"
            ))
        };
    }
    let outcome = match (difference.interval, dense) {
        (difference, dense) if !difference.is_bounded() || !dense.is_bounded() => {
            Verdict::NotTested
        }
        (difference, dense) if difference.low > dense.high => Verdict::Supported,
        // Twice an accuracy of 50 % or more is out of range.
        (_, dense) if dense.high >= 0.5 => Verdict::NotTested,
        (difference, dense) if difference.high < dense.low => Verdict::Contradicted,
        _ => Verdict::NotTested,
    };
    let rise = percent(difference.interval.value / dense.value);
    decided(
        outcome.by(difference.seeds),
        format!("{words}, on top of {accuracy}: a rise of {rise} %"),
        scope.scale(data),
        "the two intervals overlap, or twice dense's accuracy is out of range",
    )
}

/// Whether two blocks are within [`EQUAL`] of each other.
///
/// At chance level and at 100 % equality is not informative: the intervals of both accuracies must exclude the majority
/// guess and 100 %.
pub fn within_margin(
    data: &ClaimData,
    measure: Measure,
    (block, other): (BlockRole, BlockRole),
) -> Finding {
    let scope = match equal_compute_scope(data, measure, &[block, other]) {
        Ok(scope) => scope,
        Err(finding) => return finding,
    };
    let (ours, theirs) = (scope.blocks[0], scope.blocks[1]);
    let accuracy = |at| data.accuracy(&scope.suites, at);
    let found = data
        .difference(&scope.suites, ours, theirs)
        .and_then(|difference| Ok((difference, accuracy(ours)?, accuracy(theirs)?)));
    let ((difference, words), (one, its), (two, others)) = match found {
        Ok(found) => found,
        Err(reason) => return Finding::untested(reason),
    };
    let evidence = format!("{words}; {its}, {others}");
    let guess = data
        .study
        .at(ours)
        .first()
        .map_or(0.0, |run| guess_accuracy(data.study, &scope.suites, run));
    let informative = [one, two]
        .iter()
        .all(|accuracy| accuracy.low > guess && accuracy.high < 1.0);
    let outcome = match difference.interval {
        difference if !difference.is_bounded() || !informative => Verdict::NotTested,
        difference if difference.low > -EQUAL && difference.high < EQUAL => Verdict::Supported,
        difference if difference.low > EQUAL || difference.high < -EQUAL => Verdict::Contradicted,
        _ => Verdict::NotTested,
    };
    let undecided = if !informative {
        format!(
            "the interval of an accuracy includes the majority guess, {} %, or 100 %",
            percent(guess)
        )
    } else {
        "the interval includes a difference of 5 points".into()
    };
    decided(
        outcome.by(difference.seeds),
        evidence,
        scope.scale(data),
        &undecided,
    )
}
