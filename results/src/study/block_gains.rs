//! The gain of each block in dense's own compute and parameters, rung by rung.

use crate::fits::Reading;
use crate::gains::{CostAxis, Gain, NoGain, RungItems, RungLosses, gain_in_accuracy, gain_in_loss};
use crate::number::NONE;
use crate::{ItemRow, RunRow};

use crate::study::scores::{Suite, missing};
use crate::study::{Measure, Rung, Study, mean};

/// Seed of the resampling.
const SEED: u64 = 0x150_F10D;

/// The reading of parameters in which gains are reported.
pub const READING: Reading = Reading::Active;

/// Why there is no gain, in words.
pub type Reason = String;

/// The factor by which dense's cost on `axis` must grow to be as good as `block` on `rung`.
///
/// # Errors
/// Why there is no gain:
/// no finished or comparable run, no evaluated suite, or a curve of dense with fewer than two costs.
pub fn gain(
    study: &Study,
    suites: &[Suite],
    measure: Measure,
    axis: CostAxis,
    (block, rung): (&str, &Rung),
) -> Result<Gain, Reason> {
    let runs = study.finished(block, rung);
    if runs.is_empty() {
        return Err("no run finished".into());
    }
    if !study.comparable(block, rung) {
        return Err("not comparable with dense".into());
    }
    let of_measure = measure.suites(suites);
    // Every suite of every run: a rung that was evaluated on fewer suites would have other items than the curve.
    let scored = |runs: &[&RunRow]| missing(study, &of_measure, runs).is_none();
    let curve = curve(study, &runs, &scored);
    if axis == CostAxis::Seconds {
        let place = |run: &RunRow| (run.device.clone(), run.threads, run.processor.clone());
        let mut all = runs.iter().chain(curve.iter().flatten());
        if all.any(|run| place(run) != place(runs[0])) {
            return Err("times of several devices".into());
        }
    }
    let text = |reason: NoGain| reason.to_string();
    if measure == Measure::Loss {
        let dense: Vec<RungLosses> = curve
            .iter()
            .map(|runs| RungLosses::of(runs, axis))
            .collect();
        return gain_in_loss(&dense, &RungLosses::of(&runs, axis), SEED).map_err(text);
    }
    if of_measure.is_empty() {
        return Err("no such suite was scored".into());
    }
    if let Some(missing) = missing(study, &of_measure, &runs) {
        return Err(missing.to_string());
    }
    let items_of = |runs: &Vec<&RunRow>| RungItems {
        cost: mean(runs, |run| axis.of(run)),
        seeds: runs
            .iter()
            .map(|run| -> Vec<&ItemRow> {
                let items = of_measure
                    .iter()
                    .flat_map(|suite| study.items(run, suite.name));
                items.copied().collect()
            })
            .collect(),
    };
    let dense: Vec<RungItems> = curve.iter().map(items_of).collect();
    gain_in_accuracy(&dense, &items_of(&runs), SEED).map_err(text)
}

/// The dense runs of the reference curve, on the data of `runs`: one rung for each budget; where several sizes share it and
/// were evaluated, that of the lowest loss.
fn curve<'a>(
    study: &Study<'a>,
    runs: &[&RunRow],
    scored: &dyn Fn(&[&RunRow]) -> bool,
) -> Vec<Vec<&'a RunRow>> {
    let loss = |runs: &Vec<&RunRow>| mean(runs, |run| run.val_loss);
    let same_data = |other: &&RunRow| {
        runs.iter().any(|run| {
            other.data_fingerprint == run.data_fingerprint
                && other.tokenizer_fingerprint == run.tokenizer_fingerprint
        })
    };
    let best = |budget: Vec<&Rung>| {
        let dense = budget.iter().map(|rung| study.finished_reference(rung));
        dense
            .filter(|dense| !dense.is_empty() && scored(dense) && dense.iter().all(same_data))
            .min_by(|a, b| loss(a).total_cmp(&loss(b)))
    };
    study.budgets().into_iter().filter_map(best).collect()
}

/// `1.42 [1.10, ≥ 2.31]`, or a dash where there is no gain.
pub fn gain_text(gain: &Result<Gain, Reason>) -> String {
    match gain {
        Ok(gain) => match gain.interval {
            Some((low, high)) => format!("{} [{low}, {high}]", gain.ratio),
            None => gain.ratio.to_string(),
        },
        Err(_) => NONE.into(),
    }
}
