//! What each block is worth in dense's own compute and parameters, rung by rung.

use results::fits::Reading;
use results::gains::{Answers, Axis, Gain, Losses, NoGain, gain_in_accuracy, gain_in_loss};
use results::{ItemRow, RunRow};

use crate::blocks::REFERENCE;
use crate::score::Suite;
use crate::study::{Rung, Study, mean};

/// Seed of the resampling.
const SEED: u64 = 0x150_F10D;

/// The reading of parameters that gains are told in.
pub const READING: Reading = Reading::Active;

/// What a gain is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    Loss,
    Recall,
    Questions,
}

impl Measure {
    pub const ALL: [Self; 3] = [Self::Loss, Self::Recall, Self::Questions];

    pub fn words(self) -> &'static str {
        match self {
            Self::Loss => "validation loss",
            Self::Recall => "recall of facts",
            Self::Questions => "questions of facts",
        }
    }

    /// The suites behind it; none for the loss.
    pub fn suites<'s, 'a>(self, suites: &'s [Suite<'a>]) -> Vec<&'s Suite<'a>> {
        let facts = suites.iter().filter(|suite| suite.metric == "exact_match");
        match self {
            Self::Loss => Vec::new(),
            Self::Recall => facts.filter(|suite| suite.is_recall()).collect(),
            Self::Questions => facts.filter(|suite| !suite.is_recall()).collect(),
        }
    }
}

/// Why a gain is none, in words.
pub type Reason = String;

/// How many times its cost, on `axis`, dense would need to be as good as `block` on `rung`.
pub fn gain(
    study: &Study,
    suites: &[Suite],
    measure: Measure,
    axis: Axis,
    (block, rung): (&str, &Rung),
) -> Result<Gain, Reason> {
    let runs = study.finished(block, rung);
    let Some(first) = runs.first() else {
        return Err("no run finished".into());
    };
    if !study.comparable(block, rung) {
        return Err("not comparable with dense".into());
    }
    let asked = measure.suites(suites);
    let scored = |runs: &[&RunRow]| {
        measure == Measure::Loss
            || runs.iter().all(|run| {
                asked
                    .iter()
                    .any(|suite| !study.items(run, suite.name).is_empty())
            })
    };
    let curve = curve(study, first, &scored);
    let told = |reason: NoGain| reason.to_string();
    if measure == Measure::Loss {
        let dense: Vec<Losses> = curve.iter().map(|runs| Losses::of(runs, axis)).collect();
        return gain_in_loss(&dense, &Losses::of(&runs, axis), SEED).map_err(told);
    }
    if asked.is_empty() {
        return Err("no such suite was scored".into());
    }
    let answers = |runs: &Vec<&RunRow>| Answers {
        cost: mean(runs, |run| axis.of(run)),
        seeds: runs
            .iter()
            .map(|run| -> Vec<&ItemRow> {
                let items = asked.iter().flat_map(|suite| study.items(run, suite.name));
                items.copied().collect()
            })
            .collect(),
    };
    let dense: Vec<Answers> = curve.iter().map(answers).collect();
    gain_in_accuracy(&dense, &answers(&runs), SEED).map_err(told)
}

/// The dense runs that a block is held against, on the data of `run`: one rung for each budget; where several sizes had one
/// and were scored, that of the lowest loss.
fn curve<'a>(
    study: &Study<'a>,
    run: &RunRow,
    scored: &dyn Fn(&[&RunRow]) -> bool,
) -> Vec<Vec<&'a RunRow>> {
    let loss = |runs: &[&RunRow]| mean(runs, |run| run.val_loss);
    let mut curve: Vec<(f64, Vec<&RunRow>)> = Vec::new();
    for rung in &study.rungs {
        let dense = study.finished(REFERENCE, rung);
        let alike = |other: &&&RunRow| {
            other.data_fingerprint == run.data_fingerprint
                && other.tokenizer_fingerprint == run.tokenizer_fingerprint
        };
        if dense.is_empty() || !scored(&dense) || !dense.iter().all(|other| alike(&other)) {
            continue;
        }
        match curve
            .last_mut()
            .filter(|(budget, _)| (rung.flops / budget - 1.0).abs() < 0.02)
        {
            Some((_, best)) if loss(&dense) < loss(best) => *best = dense,
            Some(_) => {}
            None => curve.push((rung.flops, dense)),
        }
    }
    curve.into_iter().map(|(_, runs)| runs).collect()
}
