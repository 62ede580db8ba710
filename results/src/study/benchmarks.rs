//! Scores on published benchmarks: of each block, and paired with dense by seed.

use std::collections::{BTreeMap, HashSet};

use super::grouping::{Rung, Study};
use crate::statistics::{Interval, mean_over_seeds, paired_over_seeds};
use crate::{EvaluationRow, RunRow, ScoreRow, WHOLE_SUITE};

/// One metric of a benchmark, or of one of its groups, on one rung.
#[derive(Clone, Debug)]
pub struct BenchmarkScores<'s, 'a> {
    /// What was evaluated: that of most runs, the first of them.
    pub evaluation: &'a EvaluationRow,
    /// Runs that were evaluated on other items or otherwise, and are left out.
    pub left_out: usize,
    /// The group, or [`WHOLE_SUITE`].
    pub group: &'a str,
    /// Name of the metric.
    pub metric: &'a str,
    /// Size and budget.
    pub rung: &'s Rung,
    /// Score of chance, or of the most common answer.
    pub baseline: Option<f64>,
    /// Of each block of the study.
    pub blocks: Vec<Option<BlockMean>>,
}

/// The mean of a block over seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockMean {
    /// Student's interval over seeds; over items of a single seed.
    pub mean: Interval,
    /// The block minus dense, paired by seed; none of dense, and where no seed is shared.
    pub difference: Option<Interval>,
}

/// Every metric of every benchmark that runs were evaluated on alike, by task, group, metric and rung.
pub fn benchmark_scores<'s, 'a>(study: &'s Study<'a>) -> Vec<BenchmarkScores<'s, 'a>> {
    let mut rows = Vec::new();
    let mut tasks: BTreeMap<&str, Vec<&'a EvaluationRow>> = BTreeMap::new();
    for row in study.frames.evaluations() {
        tasks.entry(&row.task).or_default().push(row);
    }
    for evaluations in tasks.into_values() {
        let scores = Scores::new(study, &evaluations);
        for (group, metric) in scores.kinds() {
            for rung in &study.rungs {
                rows.extend(scores.row(study, group, metric, rung));
            }
        }
    }
    rows
}

/// The scores of a task by group, metric and run.
struct Scores<'a> {
    evaluation: &'a EvaluationRow,
    left_out: usize,
    by_run: BTreeMap<(&'a str, &'a str, &'a str), &'a ScoreRow>,
    /// In the order of the rows, the whole task first.
    kinds: Vec<(&'a str, &'a str)>,
}

impl<'a> Scores<'a> {
    fn new(study: &Study<'a>, evaluations: &[&'a EvaluationRow]) -> Self {
        let key = |row: &EvaluationRow| {
            (
                row.fingerprint.clone(),
                row.items_hash.clone(),
                (row.n_shot, row.max_length, row.programs_run),
            )
        };
        let mut alike: BTreeMap<_, Vec<&'a EvaluationRow>> = BTreeMap::new();
        for &row in evaluations {
            alike.entry(key(row)).or_default().push(row);
        }
        let most = alike.into_values().max_by_key(Vec::len).unwrap_or_default();
        let runs: HashSet<&str> = most.iter().map(|row| row.run.as_str()).collect();
        let (evaluation, is_alike) = (most[0], |run: &str| runs.contains(run));
        let own = study.frames.scores().iter();
        let own: Vec<&ScoreRow> = own
            .filter(|row| row.suite == evaluation.task && row.value.is_finite())
            .filter(|row| is_alike(&row.run))
            .collect();
        let mut kinds: Vec<(&str, &str)> = own
            .iter()
            .map(|row| (row.task.as_str(), row.metric.as_str()))
            .collect();
        kinds.sort_by_key(|&(group, metric)| (group != WHOLE_SUITE, group, place(metric), metric));
        kinds.dedup();
        let key = |row: &&'a ScoreRow| (row.task.as_str(), row.metric.as_str(), row.run.as_str());
        Self {
            evaluation,
            left_out: evaluations.len() - most.len(),
            by_run: own.iter().map(|row| (key(row), *row)).collect(),
            kinds,
        }
    }

    fn kinds(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.kinds.iter().copied()
    }

    fn row<'s>(
        &self,
        study: &'s Study<'a>,
        group: &'a str,
        metric: &'a str,
        rung: &'s Rung,
    ) -> Option<BenchmarkScores<'s, 'a>> {
        let of = |run: &RunRow| self.by_run.get(&(group, metric, run.run.as_str())).copied();
        let by_seed = |runs: &[&'a RunRow]| -> BTreeMap<u64, &'a ScoreRow> {
            let scored = runs.iter().filter_map(|run| Some((run.seed, of(run)?)));
            scored.collect()
        };
        let dense = by_seed(&study.finished_reference(rung));
        let block = |label: &&'a str| {
            let own = by_seed(&study.finished(label, rung));
            let values: Vec<f64> = own.values().map(|row| row.value).collect();
            let mean = match own.values().next() {
                None => return None,
                Some(only) if own.len() == 1 => Interval {
                    value: only.value,
                    low: only.low,
                    high: only.high,
                    n: only.n,
                    method: "over items",
                },
                Some(_) => within(metric, spread(mean_over_seeds(&values))),
            };
            let pairs: Vec<(f64, f64)> = own
                .iter()
                .filter_map(|(seed, row)| Some((row.value, dense.get(seed)?.value)))
                .collect();
            let is_compared =
                !study.is_reference(label) && study.comparable(label, rung) && !pairs.is_empty();
            Some(BlockMean {
                mean,
                difference: is_compared.then(|| spread(paired_over_seeds(&pairs))),
            })
        };
        let blocks: Vec<Option<BlockMean>> = study.blocks.iter().map(block).collect();
        let first = study
            .blocks
            .iter()
            .find_map(|label| by_seed(&study.finished(label, rung)).into_values().next())?;
        Some(BenchmarkScores {
            evaluation: self.evaluation,
            left_out: self.left_out,
            group,
            metric,
            rung,
            baseline: first.baseline,
            blocks,
        })
    }
}

/// The interval, without ends where all seeds have the same value: a width of zero would promise what three equal values do not.
fn spread(interval: Interval) -> Interval {
    match interval.low == interval.high {
        true => Interval::unbounded(interval.value, interval.n, interval.method),
        false => interval,
    }
}

/// The interval of a metric, within its range.
fn within(metric: &str, interval: Interval) -> Interval {
    match is_loss(metric) || !interval.is_bounded() {
        true => interval,
        false => Interval {
            low: interval.low.max(0.0),
            high: interval.high.min(1.0),
            ..interval
        },
    }
}

/// Shares of right answers before losses.
fn place(metric: &str) -> usize {
    let order = [
        "acc",
        "exact_match",
        "exact_match_macro",
        "pass@1",
        "acc_norm",
        "f1",
        "em",
        "bpb",
    ];
    let found = order.iter().position(|own| *own == metric);
    found.unwrap_or(order.len())
}

/// Whether less is better.
pub fn is_loss(metric: &str) -> bool {
    let metric = ["_difference", "_macro"]
        .iter()
        .fold(metric, |metric, end| {
            metric.strip_suffix(end).unwrap_or(metric)
        });
    matches!(metric, "nll" | "nll_best" | "bpb")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frames;
    use crate::test_rows::finished_run;

    fn evaluation(run: &str, items_hash: &str) -> EvaluationRow {
        EvaluationRow {
            run: run.to_owned(),
            task: "piqa".to_owned(),
            version: 1,
            fingerprint: "f".to_owned(),
            items_hash: items_hash.to_owned(),
            split: "validation".to_owned(),
            n_shot: 0,
            max_length: 128,
            items: 10,
            evaluated: 10,
            prompts_cut: 0,
            answers_cut: 0,
            skipped: 0,
            programs_run: false,
        }
    }

    fn score(run: &str, metric: &str, value: f64) -> ScoreRow {
        ScoreRow {
            run: run.to_owned(),
            suite: "piqa".to_owned(),
            task: WHOLE_SUITE.to_owned(),
            metric: metric.to_owned(),
            status: "scored".to_owned(),
            reason: String::new(),
            value,
            low: value - 0.1,
            high: value + 0.1,
            n: 10,
            baseline: Some(0.5),
            interval: "wilson".to_owned(),
        }
    }

    #[test]
    fn less_is_better_of_losses_and_their_means_over_groups() {
        for loss in [
            "nll",
            "bpb",
            "nll_best",
            "bpb_macro",
            "nll_best_macro",
            "bpb_difference",
        ] {
            assert!(is_loss(loss), "{loss}");
        }
        assert!(!is_loss("acc") && !is_loss("exact_match_macro"));
    }

    #[test]
    fn blocks_are_paired_with_dense_by_seed_where_the_items_are_the_same() {
        let mut runs = Vec::new();
        let (mut scores, mut evaluations) = (Vec::new(), Vec::new());
        for (block, base) in [("dense", 0.5), ("memory", 0.6)] {
            for seed in 0..3u64 {
                let name = format!("{block}{seed}");
                runs.push(RunRow {
                    run: name.clone(),
                    ..finished_run(block, seed, 1.0)
                });
                let noise = 0.02 * seed as f64;
                scores.push(score(&name, "bpb", 3.0 - base));
                scores.push(score(&name, "acc", base + noise));
                // One run answered other items.
                let items = if name == "memory2" { "other" } else { "same" };
                evaluations.push(evaluation(&name, items));
            }
        }
        let frames = Frames::new(runs, Vec::new(), scores, Vec::new(), Vec::new())
            .with_evaluations(evaluations);
        let study = Study::new(&frames);
        let rows = benchmark_scores(&study);
        let metrics: Vec<&str> = rows.iter().map(|row| row.metric).collect();
        assert_eq!(metrics, ["acc", "bpb"]);
        let place = study
            .blocks
            .iter()
            .position(|block| *block == "memory")
            .unwrap();
        let memory = rows[0].blocks[place].unwrap();
        assert_eq!((memory.mean.n, rows[0].baseline), (2, Some(0.5)));
        let difference = memory.difference.unwrap();
        assert!((difference.value - 0.1).abs() < 1e-12 && difference.n == 2);
        // Losses that are equal in every seed have no interval.
        assert!(!rows[1].blocks[place].unwrap().mean.is_bounded());
        let dense = rows[0].blocks[1 - place].unwrap();
        assert_eq!((dense.mean.n, dense.difference), (3, None));
    }
}
