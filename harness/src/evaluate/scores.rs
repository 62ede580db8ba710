//! Scores of a run with their confidence intervals, and rows of its items.
//!
//! | metric | value | interval |
//! |---|---|---|
//! | that of the suite (`exact_match`, `pass@1`) | share of correct answers | Wilson |
//! | `answer_nll_bits` | mean negative log-likelihood of the tokens of the reference answer, in bits | bootstrap over items |
//! | `answer_nll_nats` | the same in nats | bootstrap over items |
//! | `end_nll_bits` | mean negative log-likelihood of the separator after it, in bits | bootstrap over items |
//! | `bits_known` | bits of knowledge | bootstrap over items |
//! | `bits_per_parameter` | bits of knowledge per parameter | bootstrap over items |
//! | `bits_per_active_parameter` | bits of knowledge per parameter that a token uses | bootstrap over items |
//!
//! Bits of knowledge are `population x mean(prior_bits - answer_nll_bits)` over the items of a task whose facts were sampled
//! from known distributions; those of a suite are the sum over its tasks. Only recall tasks have priors, so that no
//! fact is counted twice. Values are not clipped at zero: a model that assigns a reference answer less probability than
//! the prior has negative knowledge of it, and clipping single items would bias the mean upwards.

use std::f64::consts::LN_2;

use architectures::Cost;
use results::statistics::{Interval, bootstrap_mean, wilson};
use results::{ItemRow, ScoreRow, WHOLE_SUITE};
use suites::{Answer, TaskOutcome, TaskResult};

/// Seed of the bootstrap, fixed so that equal items give equal intervals.
const RESAMPLING_SEED: u64 = 0;

/// Metric of tasks without a right or wrong answer.
const LIKELIHOOD: &str = "likelihood";

/// Rows of scores: for each suite its tasks, then the suite as a whole.
///
/// # Arguments
/// * `cost`: parameters of the model.
/// * `results`: the tasks of a suite are adjacent.
pub fn score_rows(run: &str, cost: &Cost, results: &[TaskResult]) -> Vec<ScoreRow> {
    let mut rows = Vec::new();
    for suite in results.chunk_by(|a, b| a.suite == b.suite) {
        rows.extend(suite.iter().flat_map(|result| task_rows(run, cost, result)));
        rows.extend(suite_rows(run, cost, &suite[0], suite));
    }
    rows
}

/// One row per item.
pub fn item_rows(run: &str, results: &[TaskResult]) -> Vec<ItemRow> {
    let row = |result: &TaskResult, answer: &Answer| ItemRow {
        run: run.to_owned(),
        suite: result.suite.clone(),
        task: result.task.clone(),
        item: answer.item.clone(),
        correct: answer.correct,
        answer_tokens: answer.answer_tokens as u64,
        answer_nll_bits: answer.answer_nll_bits,
        end_nll_bits: answer.end_nll_bits,
        expected: answer.expected.clone(),
        given: answer.given.clone(),
        detail: answer.detail.clone(),
    };
    // A likelihood is no answer: models are not paired by it.
    let answered = results.iter().filter(|result| result.metric != LIKELIHOOD);
    let rows = answered.flat_map(|result| {
        answers(result)
            .iter()
            .map(move |answer| row(result, answer))
    });
    rows.collect()
}

fn answers(result: &TaskResult) -> &[Answer] {
    match &result.outcome {
        TaskOutcome::Answered(answers) => answers,
        TaskOutcome::Skipped(_) => &[],
    }
}

fn task_rows(run: &str, cost: &Cost, result: &TaskResult) -> Vec<ScoreRow> {
    let row = ScoreRowBuilder {
        run,
        suite: &result.suite,
        task: &result.task,
    };
    match &result.outcome {
        TaskOutcome::Skipped(reason) => vec![row.skipped(&result.metric, reason)],
        TaskOutcome::Answered(_) => {
            let (metric, baseline) = (result.metric.as_str(), result.baseline);
            let mut rows = row.scored(metric, &[result], baseline);
            rows.extend(row.knowledge(cost, &[result]));
            rows
        }
    }
}

/// Rows of a suite over the items of all its tasks. A suite without an evaluated item is skipped, with the reason of
/// its first skipped task.
fn suite_rows(run: &str, cost: &Cost, first: &TaskResult, results: &[TaskResult]) -> Vec<ScoreRow> {
    let row = ScoreRowBuilder {
        run,
        suite: &first.suite,
        task: WHOLE_SUITE,
    };
    let mut metrics: Vec<&str> = results
        .iter()
        .map(|result| result.metric.as_str())
        .filter(|&metric| metric != LIKELIHOOD)
        .collect();
    metrics.dedup();
    let rows = metrics.into_iter().flat_map(|metric| {
        let of_metric = || results.iter().filter(|result| result.metric == metric);
        let answered: Vec<_> = of_metric()
            .filter(|result| !answers(result).is_empty())
            .collect();
        let reason = of_metric().find_map(|result| match &result.outcome {
            TaskOutcome::Skipped(reason) => Some(reason.as_str()),
            TaskOutcome::Answered(_) => None,
        });
        match (answered.is_empty(), reason) {
            (true, reason) => vec![row.skipped(metric, reason.unwrap_or("no questions"))],
            (false, _) => row.scored(metric, &answered, pooled_baseline(&answered)),
        }
    });
    let mut rows: Vec<ScoreRow> = rows.collect();
    let all: Vec<_> = results
        .iter()
        .filter(|result| !answers(result).is_empty())
        .collect();
    rows.extend(row.knowledge(cost, &all));
    rows
}

/// The baseline over all items; `None` if a task has none.
fn pooled_baseline(results: &[&TaskResult]) -> Option<f64> {
    let items: usize = results.iter().map(|result| answers(result).len()).sum();
    let correct: Option<f64> = results
        .iter()
        .map(|result| Some(result.baseline? * answers(result).len() as f64))
        .sum();
    Some(correct? / items as f64)
}

/// Builds the rows of one task or of a whole suite.
#[derive(Clone, Copy)]
struct ScoreRowBuilder<'a> {
    run: &'a str,
    suite: &'a str,
    task: &'a str,
}

impl ScoreRowBuilder<'_> {
    fn scored(self, metric: &str, results: &[&TaskResult], baseline: Option<f64>) -> Vec<ScoreRow> {
        let pooled = || results.iter().flat_map(|result| answers(result));
        let n = pooled().count() as u64;
        let correct = pooled().filter(|answer| answer.correct).count() as u64;
        let mut rows = Vec::with_capacity(4);
        if metric != LIKELIHOOD {
            rows.push(self.row(metric, wilson(correct, n), baseline));
        }
        let mean = |metric: &str, of: &dyn Fn(&Answer) -> f64| {
            let values: Vec<f64> = pooled().map(of).collect();
            self.row(metric, bootstrap_mean(&values, RESAMPLING_SEED), None)
        };
        rows.push(mean("answer_nll_bits", &|answer| answer.answer_nll_bits));
        rows.push(mean("answer_nll_nats", &|answer| {
            answer.answer_nll_bits * LN_2
        }));
        rows.push(mean("end_nll_bits", &|answer| answer.end_nll_bits));
        rows
    }

    /// Rows of the bits of knowledge of all tasks with priors; none without one.
    fn knowledge(self, cost: &Cost, results: &[&TaskResult]) -> Vec<ScoreRow> {
        let knowledge = bits_known(results);
        if knowledge.is_empty() {
            return Vec::new();
        }
        let divisors = [
            ("bits_known", 1),
            ("bits_per_parameter", cost.params()),
            ("bits_per_active_parameter", cost.params_active),
        ];
        let row = |(metric, divisor): (&str, u64)| {
            let share: Vec<f64> = knowledge.iter().map(|bits| bits / divisor as f64).collect();
            self.row(metric, bootstrap_mean(&share, RESAMPLING_SEED), None)
        };
        divisors.map(row).to_vec()
    }

    fn row(self, metric: &str, interval: Interval, baseline: Option<f64>) -> ScoreRow {
        ScoreRow {
            run: self.run.to_owned(),
            suite: self.suite.to_owned(),
            task: self.task.to_owned(),
            metric: metric.to_owned(),
            status: "scored".to_owned(),
            reason: String::new(),
            value: interval.value,
            low: interval.low,
            high: interval.high,
            n: interval.n,
            baseline,
            interval: interval.method.to_owned(),
        }
    }

    fn skipped(self, metric: &str, reason: &str) -> ScoreRow {
        ScoreRow {
            status: "skipped".to_owned(),
            reason: reason.to_owned(),
            ..self.row(metric, Interval::unbounded(f64::NAN, 0, "none"), None)
        }
    }
}

/// Bits of knowledge of each item with a prior, weighted so that their mean is the sum over tasks of
/// `population x mean(prior_bits - answer_nll_bits)`.
fn bits_known(results: &[&TaskResult]) -> Vec<f64> {
    let item_bits = |result: &TaskResult| -> Vec<f64> {
        let bits = |answer: &Answer| Some(answer.prior_bits? - answer.answer_nll_bits);
        answers(result).iter().filter_map(bits).collect()
    };
    let tasks: Vec<(usize, Vec<f64>)> = results
        .iter()
        .map(|result| (result.population, item_bits(result)))
        .collect();
    let items: usize = tasks.iter().map(|(_, bits)| bits.len()).sum();
    let weighted = tasks.iter().flat_map(|(population, bits)| {
        let weight = *population as f64 / bits.len() as f64 * items as f64;
        bits.iter().map(move |bits| bits * weight)
    });
    weighted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(item: usize, correct: bool, prior_bits: Option<f64>) -> Answer {
        Answer {
            item: item.to_string(),
            prompt: String::new(),
            expected: "a".to_owned(),
            given: "b".to_owned(),
            correct,
            answer_tokens: 1,
            answer_nll_bits: 1.0,
            end_nll_bits: 0.5,
            prior_bits,
            detail: String::new(),
        }
    }

    fn task(name: &str, correct: usize, of: usize, population: usize) -> TaskResult {
        TaskResult {
            suite: "people".to_owned(),
            task: name.to_owned(),
            metric: "exact_match".to_owned(),
            outcome: TaskOutcome::Answered(
                (0..of).map(|i| answer(i, i < correct, Some(5.0))).collect(),
            ),
            baseline: Some(0.25),
            population,
        }
    }

    fn find<'a>(rows: &'a [ScoreRow], task: &str, metric: &str) -> &'a ScoreRow {
        rows.iter()
            .find(|row| row.task == task && row.metric == metric)
            .unwrap()
    }

    #[test]
    fn a_suite_pools_its_items_and_sums_its_knowledge() {
        let cost = Cost {
            params_dense: 60,
            params_table: 40,
            params_active: 50,
            ..Cost::default()
        };
        let rows = score_rows(
            "r",
            &cost,
            &[task("born", 1, 2, 10), task("work", 6, 6, 20)],
        );
        let all = find(&rows, WHOLE_SUITE, "exact_match");
        assert_eq!((all.value, all.n, all.baseline), (7.0 / 8.0, 8, Some(0.25)));
        assert!(all.low < all.value && all.value < all.high);
        let bits = find(&rows, WHOLE_SUITE, "bits_per_parameter").value;
        assert!(
            (bits - (10.0 * 4.0 + 20.0 * 4.0) / 100.0).abs() < 1e-12,
            "{bits}"
        );
        let active = find(&rows, "work", "bits_per_active_parameter").value;
        assert!((active - 80.0 / 50.0).abs() < 1e-12, "{active}");
        assert_eq!(item_rows("r", &[task("born", 1, 2, 10)]).len(), 2);
    }

    #[test]
    fn a_skipped_task_has_a_reason_and_no_value() {
        let mut skipped = task("code", 0, 0, 5);
        skipped.outcome = TaskOutcome::Skipped("no python3".to_owned());
        let rows = score_rows("r", &Cost::default(), &[skipped]);
        assert_eq!(
            rows.iter().map(|row| row.task.as_str()).collect::<Vec<_>>(),
            ["code", WHOLE_SUITE]
        );
        for row in rows {
            assert_eq!(
                (row.status.as_str(), row.reason.as_str(), row.n),
                ("skipped", "no python3", 0)
            );
            assert!(row.value.is_nan());
        }
    }

    #[test]
    fn items_without_prior_have_no_knowledge_rows() {
        let mut real = task("rivers", 1, 2, 10);
        real.outcome = TaskOutcome::Answered(vec![answer(0, true, None)]);
        let rows = score_rows("r", &Cost::default(), &[real]);
        assert!(!rows.iter().any(|row| row.metric.starts_with("bits_per")));
    }
}
