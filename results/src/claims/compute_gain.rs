//! The rules about compute- and parameter-equivalent gains.

use crate::RunRow;
use crate::gains::{CostAxis, Ratio};

use super::evidence::{ClaimData, count, decided};
use super::scope::{ComparisonScope, common_scope};
use super::verdict::{Finding, Verdict};
use crate::number::percent;
use crate::study::BlockRole;
use crate::study::Measure;
use crate::study::block_gains::gain_text;
use crate::study::block_gains::{READING, gain};
use crate::study::scores::Suite;
use crate::study::{BlockAtRung, Rung};

/// Largest ratio of tokens at which runs count as trained on equal tokens.
const TOKENS: f64 = 1.05;

/// Accuracy above which dense's curve is too flat to be inverted: there a difference of one item is an arbitrarily large
/// difference in compute.
const CEILING: f64 = 0.95;

/// Memory+ at the largest budget up to `top` such that dense was also trained with `times` its FLOPs, and the number of
/// sizes there: at a larger budget a gain of `times` could not be measured.
fn below<'s>(
    data: &ClaimData<'s, '_>,
    suites: &[&Suite],
    top: &Rung,
    times: f64,
) -> Option<(BlockAtRung<'s>, usize)> {
    let spent = |run: &&RunRow| run.train_flops;
    let rungs = data.study.rungs.iter();
    let dense = rungs.flat_map(|rung| data.study.finished_reference(rung));
    let most = dense.map(|run| spent(&run)).fold(0.0, f64::max);
    let budgets = data.study.budgets();
    budgets.iter().rev().find_map(|budget| {
        let candidate =
            data.study
                .best(data.study.label(BlockRole::MemoryPlus)?, budget, suites)?;
        let runs = data.study.at(candidate);
        let fits = runs.iter().all(|run| times * spent(run) <= most);
        let comparable = data.study.comparable(candidate.0, candidate.1);
        (fits && candidate.1.flops <= top.flops && comparable).then_some((candidate, budget.len()))
    })
}

/// Whether the compute gain of memory+ is above `times`.
pub fn worth(data: &ClaimData, measure: Measure, times: f64) -> Finding {
    let top = match common_scope(data, measure, &[BlockRole::MemoryPlus, BlockRole::Dense]) {
        Ok(scope) => scope,
        Err(finding) => return finding,
    };
    let largest = top.blocks.iter().map(|candidate| candidate.1);
    let Some(largest) = largest.max_by(|a, b| a.flops.total_cmp(&b.flops)) else {
        return Finding::untested("no size was found");
    };
    let axis = CostAxis::Flops;
    let Some((candidate, sizes)) = below(data, &top.suites, largest, times) else {
        return Finding::untested(format!(
            "dense was not trained with {times} times the FLOPs of any memory+ run here"
        ));
    };
    let found = gain(data.study, data.suites, measure, axis, candidate);
    let gain = match &found {
        Ok(gain) => gain,
        Err(reason) => return Finding::untested(format!("no gain: {reason}")),
    };
    if gain.score > CEILING {
        return Finding::untested(format!(
            "memory+ has an accuracy of {} % at the largest budget with dense runs of {times} times its FLOPs: too close to \
             100 % for a gain",
            percent(gain.score)
        ));
    }
    let evidence = format!(
        "{} times the {} of memory+, n {} items, {} per rung at least",
        gain_text(&found),
        axis.label(),
        gain.items,
        count(gain.seeds as usize)
    );
    let outcome = match gain.interval {
        // A bound is used as such: at least 3 is above 2, while at least 1 need not be.
        Some((Ratio::Exactly(low) | Ratio::AtLeast(low), _)) if low > times => Verdict::Supported,
        Some((_, Ratio::Exactly(high) | Ratio::AtMost(high))) if high < times => {
            Verdict::Contradicted
        }
        _ => Verdict::NotTested,
    };
    let undecided = match gain.interval {
        Some(_) => format!("the interval includes {times}, or extends beyond dense's sizes"),
        None => gain.method.to_owned(),
    };
    let scope = ComparisonScope::new(top.suites, vec![candidate], sizes);
    decided(
        outcome.by(gain.seeds as usize),
        evidence,
        scope.scale(data),
        &undecided,
    )
}

/// Whether the compute gain of memory+ is above `times` in many cases, which one case cannot contradict.
pub fn often_worth(data: &ClaimData, measure: Measure, times: f64) -> Finding {
    let found = worth(data, measure, times);
    match found.outcome {
        Verdict::Contradicted | Verdict::ContradictedOnce => Finding {
            outcome: Verdict::NotTested,
            evidence: format!(
                "{}. Undecided: less than {times} in one case does not contradict many",
                found.evidence
            ),
            ..found
        },
        _ => found,
    }
}

/// Whether memory is as good as dense with twice its parameters.
pub fn twice_the_parameters(data: &ClaimData, measure: Measure) -> Finding {
    let scope = match common_scope(data, measure, &[BlockRole::Memory, BlockRole::Dense]) {
        Ok(scope) => scope,
        Err(finding) => return finding,
    };
    let memory = scope.blocks[0];
    let rungs = data.study.rungs.iter();
    let dense = rungs.flat_map(|rung| data.study.finished_reference(rung));
    let least_and_most = |runs: &mut dyn Iterator<Item = &RunRow>| {
        runs.map(|run| run.tokens as f64)
            .fold((f64::INFINITY, 0.0f64), |(l, m), t| (l.min(t), m.max(t)))
    };
    let (least, most) = least_and_most(&mut dense.into_iter());
    if most > TOKENS * least {
        return Finding::untested(
            "dense's sizes were trained on different numbers of tokens here, so that size and training length are confounded",
        );
    }
    let (few, many) = least_and_most(&mut data.study.at(memory).into_iter());
    if most.max(many) > TOKENS * least.min(few) {
        return Finding::untested(
            "memory and dense were trained on different numbers of tokens here",
        );
    }
    let axis = CostAxis::Params(READING);
    let found = gain(data.study, data.suites, measure, axis, memory);
    let gain = match &found {
        Ok(gain) => gain,
        Err(reason) => return Finding::untested(format!("no gain: {reason}")),
    };
    let outcome = match gain.interval {
        Some((Ratio::Exactly(low), Ratio::Exactly(high)))
            if (1.5..=2.0).contains(&low) && (2.0..=3.0).contains(&high) =>
        {
            Verdict::Supported
        }
        Some((_, Ratio::Exactly(high) | Ratio::AtMost(high))) if high < 1.5 => {
            Verdict::Contradicted
        }
        Some((Ratio::Exactly(low) | Ratio::AtLeast(low), _)) if low > 3.0 => Verdict::Contradicted,
        _ => Verdict::NotTested,
    };
    let evidence = format!(
        "{} times the active parameters of memory, n {} items, {} per rung at least",
        gain_text(&found),
        gain.items,
        count(gain.seeds as usize)
    );
    decided(
        outcome.by(gain.seeds as usize),
        evidence,
        scope.scale(data),
        "the interval is wider than 1.5 to 3, or there is none",
    )
}
