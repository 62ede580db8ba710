//! Scores of a published benchmark: means of the metrics of judged answers with intervals and baselines, by task and group, and paired
//! differences.

use std::collections::{BTreeMap, HashMap};

use benchmarks::judge::Metric;
use benchmarks::summary::{Mean, by_group, grouped_stderr, means};
use benchmarks::text::Matcher;
use benchmarks::{Benchmark, ItemKind};
use results::ItemRow;
use results::statistics::{Interval, bootstrap_mean, paired_difference, wilson};
use serde::Serialize;

/// Seed of the bootstrap of metrics that are no shares.
const SEED: u64 = 0x150_F10D;

/// How the names of `pass@k` begin.
pub const PASS_AT: &str = "pass@";

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
    pub filter: String,
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
#[derive(Clone, Debug)]
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

/// The metrics minus those of other answers, on the items that both answer.
pub fn differences(
    like: &Score,
    ours: &BTreeMap<usize, Vec<Metric>>,
    theirs: &BTreeMap<usize, Vec<Metric>>,
) -> Vec<Score> {
    let mut metrics: Vec<&'static str> = Vec::new();
    for (metric, _) in ours.values().flatten() {
        if !metrics.contains(metric) {
            metrics.push(metric);
        }
    }
    let of = |metric: &'static str| {
        let value = |metrics: &[Metric]| {
            let own = metrics.iter().find(|(own, _)| *own == metric);
            own.map(|(_, value)| *value)
        };
        let pairs: Vec<(usize, f64, f64)> = ours
            .iter()
            .filter_map(|(item, ours)| Some((*item, value(ours)?, value(theirs.get(item)?)?)))
            .collect();
        let interval = paired(&pairs)?;
        let deviations = pairs
            .iter()
            .map(|(_, a, b)| (a - b - interval.value).powi(2));
        let n = pairs.len() as f64;
        Some(Score {
            metric: format!("{metric}_difference"),
            value: interval.value,
            stderr: (n > 1.0).then(|| (deviations.sum::<f64>() / (n - 1.0) / n).sqrt()),
            n: pairs.len(),
            ci_low: interval.low,
            ci_high: interval.high,
            interval: interval.method,
            baseline: None,
            ..like.clone()
        })
    };
    metrics.into_iter().filter_map(of).collect()
}

/// The mean difference of pairs `(item, ours, theirs)`: of shares with the paired interval of one seed, which no agreement makes a certain
/// zero, else with a bootstrap over items. None without a pair.
fn paired(pairs: &[(usize, f64, f64)]) -> Option<Interval> {
    let is_share = |value: f64| value == 0.0 || value == 1.0;
    if pairs.is_empty() {
        return None;
    }
    if !pairs
        .iter()
        .all(|(_, ours, theirs)| is_share(*ours) && is_share(*theirs))
    {
        let differences: Vec<f64> = pairs
            .iter()
            .map(|(_, ours, theirs)| ours - theirs)
            .collect();
        return Some(bootstrap_mean(&differences, SEED));
    }
    let rows = |of: &dyn Fn(&(usize, f64, f64)) -> f64| -> Vec<ItemRow> {
        let row = |pair: &(usize, f64, f64)| ItemRow {
            run: String::new(),
            suite: String::new(),
            task: String::new(),
            item: pair.0.to_string(),
            correct: of(pair) == 1.0,
            answer_tokens: 0,
            answer_nll_bits: f64::NAN,
            end_nll_bits: f64::NAN,
            expected: String::new(),
            given: String::new(),
            detail: String::new(),
        };
        pairs.iter().map(row).collect()
    };
    let (ours, theirs) = (rows(&|pair| pair.1), rows(&|pair| pair.2));
    paired_difference(&[(ours.iter().collect(), theirs.iter().collect())], SEED)
}

/// The scores of the whole task, then of its groups.
///
/// # Arguments
/// * `judged`: group and metrics of each answered item; at least one.
pub fn scores(benchmark: &Benchmark, judged: &[(&str, Vec<Metric>)], n_shot: usize) -> Vec<Score> {
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
            filter: match (&task.generate, &task.program) {
                (Some(_), _) => "remove_whitespace".to_owned(),
                (_, Some(program)) if mean.metric.starts_with(PASS_AT) => program.filter.clone(),
                _ => "none".to_owned(),
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
