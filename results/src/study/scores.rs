//! Accuracies and paired differences to dense: of one suite, or pooled over several.

mod difference;
mod suite;

use std::collections::BTreeMap;
use std::fmt;

use crate::statistics::{Interval, crossed_mean, mean_over_seeds, same_facts, subject, wilson};
use crate::{ItemRow, RunRow, ScoreRow};

use crate::study::BlockRole;
use crate::study::{Rung, Study};

pub use difference::{PairedDifference, accuracy_difference};
pub use suite::{Suite, answer_loss, guess_accuracy, is_scored};
use suite::{rows, suites};

/// Seed of the resampling, fixed so that intervals are reproducible.
const SEED: u64 = 0x150_F10D;

/// The score of a block on a rung.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockScore {
    /// Seeds with a score.
    pub seeds: usize,
    /// Share of right answers with its confidence interval.
    pub accuracy: Interval,
    /// Accuracy minus that of dense, on the same items and seeds. None for dense itself, where no item or seed is shared,
    /// and where data or training settings differ.
    pub difference: Option<PairedDifference>,
}

/// The scores of every suite, rung and block, by their indices in the study.
pub struct Scores<'a> {
    /// By name, each followed by its recall suite.
    pub suites: Vec<Suite<'a>>,
    block_scores: BTreeMap<(usize, usize, usize), BlockScore>,
}

impl<'a> Scores<'a> {
    /// Scores of every suite, size and block of `study`.
    pub fn new(study: &Study<'a>) -> Self {
        let suites = suites(study);
        let mut block_scores = BTreeMap::new();
        for (s, suite) in suites.iter().enumerate() {
            for (r, rung) in study.rungs.iter().enumerate() {
                for (b, block) in study.blocks.iter().enumerate() {
                    if let Ok(Some(score)) = block_score(study, &[suite], block, rung) {
                        block_scores.insert((s, r, b), score);
                    }
                }
            }
        }
        Self {
            suites,
            block_scores,
        }
    }

    /// The score of a suite, a rung and a block; none where no run was scored.
    pub fn get(&self, suite: usize, rung: usize, block: usize) -> Option<&BlockScore> {
        self.block_scores.get(&(suite, rung, block))
    }
}

/// A run without a score on a suite on which others have one, as after an interrupted evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingScore {
    /// The run.
    pub run: String,
    /// The suite without a score.
    pub suite: String,
}

impl fmt::Display for MissingScore {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "run {} has no score for {}", self.run, self.suite)
    }
}

/// The first of `runs` that lacks one of the suites.
pub fn missing(study: &Study, suites: &[&Suite], runs: &[&RunRow]) -> Option<MissingScore> {
    let lacks = |run: &&RunRow, suite: &&Suite| rows(study, suite, run).is_empty();
    runs.iter().find_map(|run| {
        let suite = suites.iter().find(|suite| lacks(run, suite))?;
        Some(MissingScore {
            run: run.run.clone(),
            suite: suite.name.to_owned(),
        })
    })
}

/// The score of `block` on `rung` over several suites taken together; none where no run of it scored.
///
/// # Errors
/// Several suites are pooled only where every run was evaluated on each: otherwise blocks would have different items.
pub fn block_score(
    study: &Study,
    suites: &[&Suite],
    block: &str,
    rung: &Rung,
) -> Result<Option<BlockScore>, MissingScore> {
    let finished = study.finished(block, rung);
    let scored = |run: &&RunRow| {
        suites
            .iter()
            .any(|suite| !rows(study, suite, run).is_empty())
    };
    let runs: Vec<&RunRow> = finished.iter().copied().filter(scored).collect();
    if runs.is_empty() {
        return Ok(None);
    }
    if let [_, _, ..] = suites
        && let Some(missing) = missing(study, suites, &finished)
    {
        return Err(missing);
    }
    let dense = study
        .label(BlockRole::Dense)
        .filter(|dense| *dense != block);
    let difference = dense
        .and_then(|dense| accuracy_difference(study, suites, (block, rung), (dense, rung)).ok());
    Ok(Some(BlockScore {
        seeds: runs.len(),
        accuracy: accuracy(study, suites, &runs),
        difference,
    }))
}

fn accuracy(study: &Study, suites: &[&Suite], runs: &[&RunRow]) -> Interval {
    let single = |run: &RunRow| -> Interval {
        let scores: Vec<&ScoreRow> = suites
            .iter()
            .flat_map(|suite| rows(study, suite, run))
            .collect();
        match scores.as_slice() {
            // The suite's own interval accounts for how its items were sampled.
            [score] => {
                let ScoreRow {
                    value,
                    low,
                    high,
                    n,
                    ..
                } = **score;
                Interval {
                    value,
                    low,
                    high,
                    n,
                    method: "suite",
                }
            }
            _ => {
                let n: u64 = scores.iter().map(|score| score.n).sum();
                let right: f64 = scores
                    .iter()
                    .map(|score| score.value * score.n as f64)
                    .sum();
                wilson(right.round().max(0.0) as u64, n)
            }
        }
    };
    if let [run] = runs {
        return single(run);
    }
    let answers = |run: &RunRow| -> Vec<&ItemRow> {
        let items = suites.iter().flat_map(|suite| study.items(run, suite.name));
        items.copied().collect()
    };
    let answers: Vec<Vec<&ItemRow>> = runs.iter().map(|run| answers(run)).collect();
    let key = |item: &&ItemRow| (item.suite.clone(), item.task.clone(), item.item.clone());
    let same_items = |row: &Vec<&ItemRow>| row.iter().map(key).eq(answers[0].iter().map(key));
    let slices: Vec<&[&ItemRow]> = answers.iter().map(Vec::as_slice).collect();
    let is_crossed =
        !answers[0].is_empty() && answers.iter().all(same_items) && same_facts(&slices);
    let mean = if is_crossed {
        let right = |item: &&ItemRow| f64::from(u8::from(item.correct));
        let table: Vec<Vec<f64>> = answers
            .iter()
            .map(|row| row.iter().map(right).collect())
            .collect();
        let subjects: Vec<_> = answers[0].iter().map(|item| subject(item)).collect();
        crossed_mean(&table, &subjects, SEED)
    } else {
        let values: Vec<f64> = runs.iter().map(|run| single(run).value).collect();
        mean_over_seeds(&values)
    };
    // Seeds that agree in every item have variance zero, which underestimates the uncertainty: Wilson's interval instead.
    if mean.low == mean.high && mean.n > 0 {
        return wilson((mean.value * mean.n as f64).round().max(0.0) as u64, mean.n);
    }
    // Cut to the range of a share; NaN ends of an unbounded interval are kept.
    Interval {
        low: if mean.low < 0.0 { 0.0 } else { mean.low },
        high: if mean.high > 1.0 { 1.0 } else { mean.high },
        ..mean
    }
}

#[cfg(test)]
mod tests;
