//! Accuracies and differences: one suite at a time for the table and the figure, several together for the verdict.

use std::collections::BTreeMap;

use results::statistics::{
    Interval, crossed_mean, mean_over_seeds, paired_difference, subject, wilson,
};
use results::{ItemRow, RunRow, ScoreRow, WHOLE_SUITE};

use crate::blocks::REFERENCE;
use crate::study::{Rung, Study};

/// The metrics that are a share of right answers, the first that a suite has being its headline.
const SHARES: [&str; 3] = ["exact_match", "pass@1", "accuracy"];

/// Seed of the resampling: any number does, as long as it never changes.
const SEED: u64 = 0x150_F10D;

/// What the name of a suite of completions ends in: statements in a phrasing that was trained on.
const RECALL: &str = " recall";

/// A suite that scored somewhere, with its headline metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Suite<'a> {
    pub name: &'a str,
    pub metric: &'a str,
    /// Score of the majority guess.
    pub baseline: Option<f64>,
}

impl<'a> Suite<'a> {
    /// Whether it asks for what was stated, in words that were trained on, rather than put new questions.
    pub fn is_recall(&self) -> bool {
        self.name.ends_with(RECALL)
    }

    /// The name without its ending: what a suite and its recall share.
    pub fn subject(&self) -> &'a str {
        base(self.name)
    }
}

fn base(name: &str) -> &str {
    name.strip_suffix(RECALL).unwrap_or(name)
}

/// One cell of the scoreboard.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub seeds: usize,
    pub accuracy: Interval,
    /// Accuracy less that of dense, on the same items and seeds. None for dense itself, where nothing matches, and
    /// where the runs were not trained alike.
    pub difference: Option<Interval>,
}

/// The scoreboard: every suite, rung and block by its place in the study.
pub struct Scores<'a> {
    pub suites: Vec<Suite<'a>>,
    entries: BTreeMap<(usize, usize, usize), Entry>,
}

impl<'a> Scores<'a> {
    pub fn new(study: &Study<'a>) -> Self {
        let suites = suites(study);
        let mut entries = BTreeMap::new();
        for (s, suite) in suites.iter().enumerate() {
            for (r, rung) in study.rungs.iter().enumerate() {
                for (b, block) in study.blocks.iter().enumerate() {
                    if let Some(entry) = entry(study, &[suite], block, rung) {
                        entries.insert((s, r, b), entry);
                    }
                }
            }
        }
        Self { suites, entries }
    }

    /// The cell of a suite, a rung and a block; none where nothing scored.
    pub fn get(&self, suite: usize, rung: usize, block: usize) -> Option<&Entry> {
        self.entries.get(&(suite, rung, block))
    }
}

/// The suites by name, each directly followed by its recall.
fn suites<'a>(study: &Study<'a>) -> Vec<Suite<'a>> {
    let scores = study.frames.scores();
    let mut names: Vec<&str> = scores.iter().map(|score| score.suite.as_str()).collect();
    names.sort_unstable_by_key(|name| (base(name), name.len()));
    names.dedup();
    names
        .into_iter()
        .filter_map(|name| {
            let scored = |metric: &&&str| {
                scores
                    .iter()
                    .any(|s| s.suite == name && s.metric == **metric && is_scored(s))
            };
            let metric = *SHARES.iter().find(scored)?;
            let rows = scores
                .iter()
                .filter(|s| s.suite == name && s.metric == metric && is_scored(s));
            Some(Suite {
                name,
                metric,
                baseline: pooled(whole(rows.collect()), |s| s.baseline),
            })
        })
        .collect()
}

/// The score of `block` on `rung` over several suites taken together; none where no run of it scored.
pub fn entry(study: &Study, suites: &[&Suite], block: &str, rung: &Rung) -> Option<Entry> {
    let runs = study.finished(block, rung);
    let runs: Vec<&RunRow> = runs
        .into_iter()
        .filter(|run| {
            suites
                .iter()
                .any(|suite| !rows(study, suite, run).is_empty())
        })
        .collect();
    if runs.is_empty() {
        return None;
    }
    Some(Entry {
        seeds: runs.len(),
        accuracy: accuracy(study, suites, &runs),
        difference: study
            .comparable(block, rung)
            .then(|| difference(study, suites, &runs, &study.finished(REFERENCE, rung)))
            .flatten(),
    })
}

fn accuracy(study: &Study, suites: &[&Suite], runs: &[&RunRow]) -> Interval {
    let single = |run: &RunRow| -> Interval {
        let scores: Vec<&ScoreRow> = suites
            .iter()
            .flat_map(|suite| rows(study, suite, run))
            .collect();
        match scores.as_slice() {
            // The suite's own interval knows how its items were drawn.
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
    let alike = |row: &Vec<&ItemRow>| row.iter().map(key).eq(answers[0].iter().map(key));
    let mean = if !answers[0].is_empty() && answers.iter().all(alike) {
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
    // Seeds that all answered all alike scatter not at all, which is no proof that nothing else would happen.
    if mean.low == mean.high && mean.n > 0 {
        return wilson((mean.value * mean.n as f64).round().max(0.0) as u64, mean.n);
    }
    // No share lies outside [0, 1]; NaN, where nothing bounds it, stays.
    Interval {
        low: if mean.low < 0.0 { 0.0 } else { mean.low },
        high: if mean.high > 1.0 { 1.0 } else { mean.high },
        ..mean
    }
}

/// Accuracy of `block` less that of `other` on a rung, paired by item and seed; none where either did not finish, where
/// the runs were not trained alike, and where nothing matches.
pub fn against(
    study: &Study,
    suites: &[&Suite],
    (block, other): (&str, &str),
    rung: &Rung,
) -> Option<Interval> {
    let outsiders = study.outsiders(rung);
    if outsiders
        .iter()
        .any(|(run, _)| run.block == block || run.block == other)
    {
        return None;
    }
    paired(
        study,
        suites,
        &study.finished(block, rung),
        &study.finished(other, rung),
    )
}

fn difference(
    study: &Study,
    suites: &[&Suite],
    ours: &[&RunRow],
    dense: &[&RunRow],
) -> Option<Interval> {
    if ours.first()?.block == REFERENCE {
        return None;
    }
    paired(study, suites, ours, dense)
}

fn paired(
    study: &Study,
    suites: &[&Suite],
    ours: &[&RunRow],
    theirs: &[&RunRow],
) -> Option<Interval> {
    let answers = |run: &RunRow| {
        suites
            .iter()
            .flat_map(|suite| study.items(run, suite.name))
            .copied()
            .collect()
    };
    let seeds: Vec<_> = ours
        .iter()
        .filter_map(|run| Some((*run, *theirs.iter().find(|other| other.seed == run.seed)?)))
        .map(|(run, other)| (answers(run), answers(other)))
        .collect();
    paired_difference(&seeds, SEED)
}

/// The headline rows of a run: the one for the whole suite, or those of its tasks.
fn rows<'a>(study: &Study<'a>, suite: &Suite, run: &RunRow) -> Vec<&'a ScoreRow> {
    let of_run = |s: &&ScoreRow| {
        s.run == run.run && s.suite == suite.name && s.metric == suite.metric && is_scored(s)
    };
    whole(study.frames.scores().iter().filter(of_run).collect())
}

fn whole(rows: Vec<&ScoreRow>) -> Vec<&ScoreRow> {
    if rows.iter().any(|score| score.task == WHOLE_SUITE) {
        return rows
            .into_iter()
            .filter(|score| score.task == WHOLE_SUITE)
            .collect();
    }
    rows
}

/// The mean weighted by items; none unless every row has the number.
fn pooled(rows: Vec<&ScoreRow>, of: impl Fn(&ScoreRow) -> Option<f64>) -> Option<f64> {
    let total: f64 = rows.iter().map(|score| score.n as f64).sum();
    let sum = rows
        .iter()
        .map(|score| Some(of(score)? * score.n as f64))
        .sum::<Option<f64>>()?;
    (total > 0.0).then(|| sum / total)
}

/// Whether a score is a number at all.
pub fn is_scored(score: &ScoreRow) -> bool {
    score.status == "scored" && score.value.is_finite()
}
