//! `isoflop score`: the metrics of a benchmark for answers that are given.

use std::collections::HashMap;

use benchmarks::answers;
use benchmarks::judge::{Judge, Metric};
use benchmarks::summary::{Mean, by_group, grouped_stderr, means};
use benchmarks::text::Matcher;
use benchmarks::{Benchmark, ItemKind};
use harness::error::Error;
use harness::run::conclusion::Conclusion;
use results::statistics::{bootstrap_mean, wilson};
use serde::Serialize;

use super::score_output;
use super::tasks::read;
use crate::cli::arguments::ScoreOptions;
use crate::cli::output::note;

/// Seed of the bootstrap of metrics that are no shares.
const SEED: u64 = 0x150_F10D;

/// One metric of a task or of one of its groups.
#[derive(Clone, Debug, Serialize)]
pub struct Score {
    /// The task, or the task with its group.
    pub task: String,
    /// Version of the task.
    pub version: u32,
    /// What was evaluated.
    pub split: String,
    /// Few-shot examples.
    pub n_shot: usize,
    /// Name of the metric.
    pub metric: String,
    /// Name of the filter, as in lm-evaluation-harness.
    pub filter: &'static str,
    /// The mean over items.
    pub value: f64,
    /// Its standard error; none of one item.
    pub stderr: Option<f64>,
    /// Items.
    pub n: usize,
    /// Lower end of the 95 % interval.
    pub ci_low: f64,
    /// Upper end.
    pub ci_high: f64,
    /// Method of the interval.
    pub interval: &'static str,
    /// Score of chance, or of the most common answer of each group.
    pub baseline: Option<f64>,
}

/// All scores of one evaluation.
pub struct Scores {
    /// Of the whole task, then of its groups.
    pub scores: Vec<Score>,
    /// Records of the evaluated split.
    pub items: usize,
    /// Those with an answer.
    pub answered: usize,
    /// Whether there are groups.
    pub has_groups: bool,
}

/// Judges the answers of a file and prints the metrics.
///
/// # Errors
/// If the task is unknown, its files or the answers cannot be read or used, or programs would have to be run.
pub fn score(options: &ScoreOptions) -> Result<Conclusion, Error> {
    let benchmark = read(&options.task, &options.data)?;
    if benchmark.task.program.is_some() {
        return Err(Error::Argument {
            argument: format!("--task {}", options.task),
            problem: "is judged by running programs, and `score` runs none".to_owned(),
            remedy: "choose a task that is answered by texts or choices: `isoflop tasks`"
                .to_owned(),
        });
    }
    let given = answers::read(&options.answers, &benchmark)?;
    let judge = Judge::new(&benchmark);
    let judged: Vec<(&str, Vec<Metric>)> = benchmark
        .items
        .iter()
        .filter_map(|item| {
            let answer = given.get(&item.doc_id)?;
            Some((item.group.as_str(), judge.metrics(item, answer)))
        })
        .collect();
    if judged.is_empty() {
        return Err(Error::Argument {
            argument: format!("--answers {}", options.answers.display()),
            problem: "answers no item".to_owned(),
            remedy: "write one line for each item: docs/guide.md, Tasks".to_owned(),
        });
    }
    let left_out = benchmark.items.len() - judged.len();
    if left_out > 0 {
        note(format_args!(
            "{left_out} of {} items have no answer and are left out",
            benchmark.items.len()
        ));
    }
    let n_shot = options.data.shots.unwrap_or(benchmark.task.shots.count);
    let scores = Scores {
        scores: scores(&benchmark, &judged, n_shot),
        items: benchmark.items.len(),
        answered: judged.len(),
        has_groups: benchmark.task.group.is_some(),
    };
    score_output::print_scores(&benchmark, &scores, options)?;
    Ok(Conclusion::Complete)
}

fn scores(benchmark: &Benchmark, judged: &[(&str, Vec<Metric>)], n_shot: usize) -> Vec<Score> {
    let baselines = baselines(benchmark);
    let task = &benchmark.task;
    let of = |name: &str, mean: &Mean, stderr: Option<f64>, baseline: Option<f64>| {
        let is_share = mean
            .values
            .iter()
            .all(|value| *value == 0.0 || *value == 1.0);
        let interval = match is_share {
            true => wilson(mean.values.iter().sum::<f64>() as u64, mean.n as u64),
            false => bootstrap_mean(&mean.values, SEED),
        };
        Score {
            task: name.to_owned(),
            version: task.version,
            split: task.split.clone(),
            n_shot,
            metric: mean.metric.to_owned(),
            filter: if task.generate.is_some() {
                "remove_whitespace"
            } else {
                "none"
            },
            value: mean.value,
            stderr,
            n: mean.n,
            ci_low: interval.low,
            ci_high: interval.high,
            interval: interval.method,
            baseline,
        }
    };
    let all: Vec<Vec<Metric>> = judged.iter().map(|(_, metrics)| metrics.clone()).collect();
    let groups: Vec<(&str, Vec<Mean>)> = by_group(
        judged
            .iter()
            .map(|(group, metrics)| (*group, metrics.clone())),
    )
    .into_iter()
    .map(|(group, metrics)| (group, means(&metrics)))
    .collect();
    let has_groups = task.group.is_some();
    let mut scores = Vec::new();
    for mean in means(&all) {
        let parts: Vec<Mean> = groups
            .iter()
            .filter_map(|(_, means)| {
                means
                    .iter()
                    .find(|part| part.metric == mean.metric)
                    .cloned()
            })
            .collect();
        let stderr = if has_groups {
            grouped_stderr(&parts)
        } else {
            mean.stderr
        };
        let baseline = baselines.of(mean.metric, None);
        scores.push(of(&task.name, &mean, stderr, baseline));
        if task.macro_mean && has_groups {
            scores.push(macro_score(
                &scores[scores.len() - 1],
                &parts,
                baselines.macro_of(mean.metric),
            ));
        }
    }
    for (group, means) in groups.iter().filter(|_| has_groups) {
        let name = format!("{}_{group}", task.name);
        let baseline = |metric| baselines.of(metric, Some(group));
        scores.extend(
            means
                .iter()
                .map(|mean| of(&name, mean, mean.stderr, baseline(mean.metric))),
        );
    }
    scores
}

/// The plain mean over groups, with the standard error of independent groups.
fn macro_score(micro: &Score, groups: &[Mean], baseline: Option<f64>) -> Score {
    let m = groups.len() as f64;
    let value = groups.iter().map(|group| group.value).sum::<f64>() / m;
    let variance: Option<f64> = groups.iter().map(|group| Some(group.stderr?.powi(2))).sum();
    let stderr = variance.map(|variance| variance.sqrt() / m);
    let half = stderr.map_or(f64::NAN, |stderr| 1.96 * stderr);
    Score {
        metric: format!("{}_macro", micro.metric),
        value,
        stderr,
        ci_low: value - half,
        ci_high: value + half,
        interval: "1.96 standard errors",
        baseline,
        ..micro.clone()
    }
}

/// Scores without any knowledge of the item.
struct Baselines {
    /// Expected share of right guesses among choices, of each item with its group.
    chance: Vec<(String, f64)>,
    /// Whether the most common answer of its group is accepted, of each item with its group.
    majority: Vec<(String, f64)>,
}

impl Baselines {
    fn of(&self, metric: &str, group: Option<&str>) -> Option<f64> {
        let values = match metric {
            "acc" | "acc_norm" | "acc_bytes" => &self.chance,
            "exact_match" => &self.majority,
            _ => return None,
        };
        let own = values
            .iter()
            .filter(|(own, _)| group.is_none_or(|group| own == group));
        let own: Vec<f64> = own.map(|(_, value)| *value).collect();
        (!own.is_empty()).then(|| own.iter().sum::<f64>() / own.len() as f64)
    }

    fn macro_of(&self, metric: &str) -> Option<f64> {
        let groups = by_group(self.majority.iter().map(|(group, _)| (group.as_str(), ())));
        let values: Option<Vec<f64>> = groups
            .keys()
            .map(|group| self.of(metric, Some(group)))
            .collect();
        let values = values.filter(|values| !values.is_empty())?;
        Some(values.iter().sum::<f64>() / values.len() as f64)
    }
}

fn baselines(benchmark: &Benchmark) -> Baselines {
    let mut found = Baselines {
        chance: Vec::new(),
        majority: Vec::new(),
    };
    let matcher = benchmark
        .task
        .generate
        .as_ref()
        .map(|generate| Matcher::new(&generate.exact_match));
    for (group, items) in by_group(
        benchmark
            .items
            .iter()
            .map(|item| (item.group.as_str(), item)),
    ) {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for item in &items {
            match (&item.kind, &matcher) {
                (ItemKind::Choose(choices, gold), _) if gold.len() == 1 => {
                    found
                        .chance
                        .push((group.to_owned(), 1.0 / choices.len() as f64));
                }
                (ItemKind::Generate(accepted), Some(matcher)) => {
                    *counts.entry(matcher.reduced(&accepted[0])).or_default() += 1;
                }
                _ => {}
            }
        }
        // Of equally common ones the first by its letters, so that the baseline does not depend on an order.
        let most = counts
            .iter()
            .max_by(|a, b| a.1.cmp(b.1).then_with(|| b.0.cmp(a.0)));
        let (Some((most, _)), Some(matcher)) = (most, &matcher) else {
            continue;
        };
        for item in &items {
            if let ItemKind::Generate(accepted) = &item.kind {
                let is_right = accepted.iter().any(|other| matcher.reduced(other) == *most);
                found
                    .majority
                    .push((group.to_owned(), f64::from(u8::from(is_right))));
            }
        }
    }
    found
}
