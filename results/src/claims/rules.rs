//! The rules about facts that compare two blocks at equal compute.

use super::comparison_scope::{ComparisonScope, matched};
use super::evidence::{Rows, decided, sign};
use super::verdict::{Finding, Verdict};
use crate::number::percent;
use crate::study::Measure;
use crate::study::REFERENCE;
use crate::study::scores::floor;

/// Points within which two blocks count as equal.
const EQUAL: f64 = 0.05;

/// What leaves a rule about a sign undecided.
pub const HOLDS_ZERO: &str = "the interval holds 0";

/// Whether the first block is ahead of the second.
pub fn ahead(rows: &Rows, measure: Measure, (block, other): (&str, &str)) -> Finding {
    match matched(rows, measure, &[block, other]) {
        Ok(ground) => ahead_on(rows, &ground),
        Err(finding) => finding,
    }
}

/// The same of the first two places of a ground.
pub fn ahead_on(rows: &Rows, ground: &ComparisonScope) -> Finding {
    match rows.difference(&ground.suites, ground.places[0], ground.places[1]) {
        Ok((gap, words)) => decided(sign(&gap), words, ground.scale(rows), HOLDS_ZERO),
        Err(reason) => Finding::untested(reason),
    }
}

/// Whether memory+ has twice dense's accuracy.
pub fn doubled(rows: &Rows, measure: Measure) -> Finding {
    let ground = match matched(rows, measure, &["memory+", REFERENCE]) {
        Ok(ground) => ground,
        Err(finding) => return finding,
    };
    let (ours, theirs) = (ground.places[0], ground.places[1]);
    let found = rows
        .difference(&ground.suites, ours, theirs)
        .and_then(|gap| Ok((gap, rows.accuracy(&ground.suites, theirs)?)));
    let ((gap, difference), (dense, accuracy)) = match found {
        Ok(found) => found,
        Err(reason) => return Finding::untested(reason),
    };
    if dense.value <= 0.0 {
        return Finding {
            scale: ground.scale(rows),
            ..Finding::untested(format!(
                "{difference}, on top of {accuracy}: nothing is no number that a rise could be a share of"
            ))
        };
    }
    let outcome = match (gap.interval, dense) {
        (gap, dense) if !gap.is_bounded() || !dense.is_bounded() => Verdict::NotTested,
        (gap, dense) if gap.low > dense.high => Verdict::Supported,
        // Nothing can be twice as often right as what is right half the time.
        (_, dense) if dense.high >= 0.5 => Verdict::NotTested,
        (gap, dense) if gap.high < dense.low => Verdict::Contradicted,
        _ => Verdict::NotTested,
    };
    let rise = percent(gap.interval.value / dense.value);
    decided(
        outcome.by(gap.seeds),
        format!("{difference}, on top of {accuracy}: a rise of {rise} %"),
        ground.scale(rows),
        "the two intervals overlap, or dense is right so often that twice that is out of reach",
    )
}

/// Whether two blocks are within [`EQUAL`] of each other.
///
/// Two that guess, and two that know everything, are equal for want of something to differ in: both have to lie clear of
/// the majority guess and of all.
pub fn alike(rows: &Rows, measure: Measure, (block, other): (&str, &str)) -> Finding {
    let ground = match matched(rows, measure, &[block, other]) {
        Ok(ground) => ground,
        Err(finding) => return finding,
    };
    let (ours, theirs) = (ground.places[0], ground.places[1]);
    let accuracy = |place| rows.accuracy(&ground.suites, place);
    let found = rows
        .difference(&ground.suites, ours, theirs)
        .and_then(|gap| Ok((gap, accuracy(ours)?, accuracy(theirs)?)));
    let ((gap, words), (one, its), (two, others)) = match found {
        Ok(found) => found,
        Err(reason) => return Finding::untested(reason),
    };
    let evidence = format!("{words}; {its}, {others}");
    let guess = rows
        .study
        .at(ours)
        .first()
        .map_or(0.0, |run| floor(rows.study, &ground.suites, run));
    let told = [one, two]
        .iter()
        .all(|accuracy| accuracy.low > guess && accuracy.high < 1.0);
    let outcome = match gap.interval {
        gap if !gap.is_bounded() || !told => Verdict::NotTested,
        gap if gap.low > -EQUAL && gap.high < EQUAL => Verdict::Supported,
        gap if gap.low > EQUAL || gap.high < -EQUAL => Verdict::Contradicted,
        _ => Verdict::NotTested,
    };
    let undecided = if !told {
        format!(
            "an accuracy is not clear of the majority guess, {} %, or of all",
            percent(guess)
        )
    } else {
        "the interval reaches across 5 points".into()
    };
    decided(
        outcome.by(gap.seeds),
        evidence,
        ground.scale(rows),
        &undecided,
    )
}
