//! The rules about facts, one function for each kind.

use results::RunRow;
use results::gains::{Axis, Ratio};

use super::evidence::{Rows, decided, sign};
use super::{Finding, Outcome};
use crate::blocks::REFERENCE;
use crate::gains::{Measure, READING, gain};
use crate::number::{fixed, percent};
use crate::score::Suite;
use crate::sections::gains::number;
use crate::study::Rung;

/// Points within which two blocks count as equal.
const EQUAL: f64 = 0.05;

/// Largest ratio of total parameters at which two models count as matched in them.
const MATCHED: f64 = 1.25;

/// The suites of a measure, the largest common rung, or why a rule cannot look.
fn ground<'s, 'a>(
    rows: &Rows<'s, 'a>,
    measure: Measure,
    (block, other): (&str, &str),
) -> Result<(Vec<&'s Suite<'a>>, &'s Rung), Finding> {
    let suites = measure.suites(rows.suites);
    if suites.is_empty() {
        return Err(Finding::untested(format!(
            "no suite of {} was scored",
            measure.words()
        )));
    }
    let rung = rows.largest(block, other).ok_or_else(|| {
        Finding::untested(format!(
            "{block} and {other} did not both finish at one size, trained alike"
        ))
    })?;
    Ok((suites, rung))
}

/// What leaves a rule about a sign undecided.
pub const HOLDS_ZERO: &str = "the interval holds 0";

/// Whether the first block is ahead of the second.
pub fn ahead(rows: &Rows, measure: Measure, blocks: (&str, &str)) -> Finding {
    let (suites, rung) = match ground(rows, measure, blocks) {
        Ok(ground) => ground,
        Err(finding) => return finding,
    };
    match rows.difference(&suites, blocks, rung) {
        Some((gap, words)) => decided(
            sign(&gap),
            words,
            rows.scale(&[blocks.0, blocks.1], rung),
            HOLDS_ZERO,
        ),
        None => Finding::untested("the answers cannot be paired"),
    }
}

/// The largest rung up to `top` with memory+ on it that leaves dense `times` its FLOPs: nearer to the end of dense's curve no
/// gain so large could be seen.
fn below<'s>(rows: &Rows<'s, '_>, top: &Rung, times: f64) -> Option<&'s Rung> {
    let spent = |run: &&RunRow| run.train_flops;
    let rungs = rows.study.rungs.iter();
    let dense = rungs.flat_map(|rung| rows.study.finished(REFERENCE, rung));
    let most = dense.map(|run| spent(&run)).fold(0.0, f64::max);
    rows.study.rungs.iter().rev().find(|rung| {
        let runs = rows.study.finished("memory+", rung);
        let fits = runs.iter().all(|run| times * spent(run) <= most);
        !runs.is_empty()
            && fits
            && rung.flops <= top.flops
            && rows.study.comparable("memory+", rung)
    })
}

/// Whether memory+ is worth more than `times` its training compute.
pub fn worth(rows: &Rows, measure: Measure, times: f64) -> Finding {
    let (_, rung) = match ground(rows, measure, ("memory+", REFERENCE)) {
        Ok(ground) => ground,
        Err(finding) => return finding,
    };
    let axis = Axis::Flops;
    let Some(rung) = below(rows, rung, times) else {
        return Finding::untested(format!(
            "dense was not trained with {times} times the FLOPs of any memory+ run here"
        ));
    };
    let found = gain(rows.study, rows.suites, measure, axis, ("memory+", rung));
    let gain = match &found {
        Ok(gain) => gain,
        Err(reason) => return Finding::untested(format!("no gain: {reason}")),
    };
    let evidence = format!(
        "{} times the {} of memory+, n {} items, {} per rung at least",
        number(&found),
        axis.label(),
        gain.items,
        if gain.seeds == 1 {
            "one seed".into()
        } else {
            format!("{} seeds", gain.seeds)
        }
    );
    let outcome = match gain.interval {
        // A bound counts for what it bounds: at least 3 is above 2, and at least 1 is not known to be.
        Some((Ratio::Exactly(low) | Ratio::AtLeast(low), _)) if low > times => Outcome::Supported,
        Some((_, Ratio::Exactly(high) | Ratio::AtMost(high))) if high < times => {
            Outcome::Contradicted
        }
        _ => Outcome::NotTested,
    };
    let undecided = match gain.interval {
        Some(_) => format!("the interval holds {times}, or reaches past dense's own sizes"),
        None => gain.method.to_owned(),
    };
    decided(
        outcome,
        evidence,
        rows.scale(&["memory+", REFERENCE], rung),
        &undecided,
    )
}

/// Whether memory is worth dense with twice its parameters.
pub fn twice_the_parameters(rows: &Rows, measure: Measure) -> Finding {
    let (_, rung) = match ground(rows, measure, ("memory", REFERENCE)) {
        Ok(ground) => ground,
        Err(finding) => return finding,
    };
    let tokens: Vec<f64> = rows
        .study
        .rungs
        .iter()
        .flat_map(|rung| rows.study.finished(REFERENCE, rung))
        .map(|run| run.tokens as f64)
        .collect();
    let (least, most) = tokens
        .iter()
        .fold((f64::INFINITY, 0.0f64), |(l, m), t| (l.min(*t), m.max(*t)));
    if most > 1.05 * least {
        return Finding::untested(
            "dense's sizes were trained on different numbers of tokens here, so that larger means longer, too",
        );
    }
    let found = gain(
        rows.study,
        rows.suites,
        measure,
        Axis::Params(READING),
        ("memory", rung),
    );
    let gain = match &found {
        Ok(gain) => gain,
        Err(reason) => return Finding::untested(format!("no gain: {reason}")),
    };
    let outcome = match gain.interval {
        Some((Ratio::Exactly(low), Ratio::Exactly(high)))
            if (1.5..=2.0).contains(&low) && (2.0..=3.0).contains(&high) =>
        {
            Outcome::Supported
        }
        Some((_, Ratio::Exactly(high) | Ratio::AtMost(high))) if high < 1.5 => {
            Outcome::Contradicted
        }
        Some((Ratio::Exactly(low) | Ratio::AtLeast(low), _)) if low > 3.0 => Outcome::Contradicted,
        _ => Outcome::NotTested,
    };
    let evidence = format!(
        "{} times the active parameters of memory, n {} items",
        number(&found),
        gain.items
    );
    decided(
        outcome,
        evidence,
        rows.scale(&["memory", REFERENCE], rung),
        "the interval is wider than 1.5 to 3, or there is none",
    )
}

/// Whether memory+ has twice dense's accuracy.
pub fn doubled(rows: &Rows, measure: Measure) -> Finding {
    let blocks = ("memory+", REFERENCE);
    let (suites, rung) = match ground(rows, measure, blocks) {
        Ok(ground) => ground,
        Err(finding) => return finding,
    };
    let (Some((gap, difference)), Some((dense, accuracy))) = (
        rows.difference(&suites, blocks, rung),
        rows.accuracy(&suites, REFERENCE, rung),
    ) else {
        return Finding::untested("the answers cannot be paired");
    };
    let outcome = match (gap, dense) {
        (gap, dense) if !gap.is_bounded() || !dense.is_bounded() => Outcome::NotTested,
        (gap, dense) if gap.low > dense.high => Outcome::Supported,
        // Nothing can be twice as often right as what is right half the time.
        (_, dense) if dense.high >= 0.5 => Outcome::NotTested,
        (gap, dense) if gap.high < dense.low => Outcome::Contradicted,
        _ => Outcome::NotTested,
    };
    let rise = percent(gap.value / dense.value);
    let evidence = format!("{difference}, on top of {accuracy}: a rise of {rise} %");
    decided(
        outcome,
        evidence,
        rows.scale(&[blocks.0, blocks.1], rung),
        "the two intervals overlap, or dense is right so often that twice that is out of reach",
    )
}

/// Whether memory+ is ahead of a mixture of its own size.
pub fn beats_experts(rows: &Rows, measure: Measure) -> Finding {
    beats(rows, measure, "memory+")
}

/// The same of any block.
fn beats(rows: &Rows, measure: Measure, block: &str) -> Finding {
    let blocks = (block, "moe");
    let (_, rung) = match ground(rows, measure, blocks) {
        Ok(ground) => ground,
        Err(finding) => return finding,
    };
    let total = |block: &str| rows.study.finished(block, rung)[0].params_total as f64;
    let ratio = total(blocks.0) / total(blocks.1);
    if !(1.0 / MATCHED..=MATCHED).contains(&ratio) {
        return Finding::untested(format!(
            "{block} has {} times the mixture's total parameters at size {}: matched in compute only",
            fixed(ratio, 2),
            rung.label
        ));
    }
    ahead(rows, measure, blocks)
}

/// Whether PEER, memory and memory+ are all ahead of the mixture.
pub fn all_beat_experts(rows: &Rows, measure: Measure) -> Finding {
    let (mut outcomes, mut words, mut scales) = (Vec::new(), Vec::new(), Vec::new());
    for block in ["peer", "memory", "memory+"] {
        let found = beats(rows, measure, block);
        outcomes.push(found.outcome);
        words.push(found.evidence);
        scales.push(found.scale);
    }
    scales.retain(|scale| !scale.is_empty());
    Finding {
        outcome: if outcomes.contains(&Outcome::Contradicted) {
            Outcome::Contradicted
        } else if outcomes
            .iter()
            .all(|outcome| *outcome == Outcome::Supported)
        {
            Outcome::Supported
        } else {
            Outcome::NotTested
        },
        evidence: words.join(" | "),
        scale: scales.join(" | "),
    }
}

/// Whether two blocks are within [`EQUAL`] of each other.
pub fn alike(rows: &Rows, measure: Measure, blocks: (&str, &str)) -> Finding {
    let (suites, rung) = match ground(rows, measure, blocks) {
        Ok(ground) => ground,
        Err(finding) => return finding,
    };
    let Some((gap, words)) = rows.difference(&suites, blocks, rung) else {
        return Finding::untested("the answers cannot be paired");
    };
    let outcome = match gap {
        gap if !gap.is_bounded() => Outcome::NotTested,
        gap if gap.low > -EQUAL && gap.high < EQUAL => Outcome::Supported,
        gap if gap.low > EQUAL || gap.high < -EQUAL => Outcome::Contradicted,
        _ => Outcome::NotTested,
    };
    decided(
        outcome,
        words,
        rows.scale(&[blocks.0, blocks.1], rung),
        "the interval reaches across 5 points",
    )
}
