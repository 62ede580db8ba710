//! Items and scores of the made-up runs.

use results::statistics::wilson;
use results::{ItemRow, RunRow, ScoreRow, WHOLE_SUITE};

use super::noise::noise;

/// Suite, metric, tasks, items per task, majority baseline, the accuracy of each block minus that of dense.
type Suite = (
    &'static str,
    &'static str,
    &'static [&'static str],
    u64,
    Option<f64>,
    [f64; 5],
);

const SUITES: [Suite; 5] = [
    (
        "biographies",
        "exact_match",
        &["birth city", "employer", "university"],
        200,
        Some(0.021),
        [0.0, 0.03, 0.09, 0.07, 0.17],
    ),
    (
        "biographies recall",
        "exact_match",
        &["recall"],
        600,
        Some(0.024),
        [0.2, 0.22, 0.34, 0.31, 0.41],
    ),
    (
        "functions",
        "pass@1",
        &["composed"],
        80,
        None,
        [0.0, 0.02, 0.0, -0.01, 0.02],
    ),
    (
        "world",
        "exact_match",
        &["capital", "continent"],
        250,
        Some(0.184),
        [0.0, -0.06, 0.04, 0.02, 0.08],
    ),
    (
        "world recall",
        "exact_match",
        &["recall"],
        500,
        Some(0.171),
        [0.1, 0.09, 0.18, 0.16, 0.24],
    ),
];

/// Facts that share a subject.
const RELATIONS: [&str; 5] = ["city", "date", "employer", "field", "university"];

/// Scores and items of one run.
pub fn of(run: &RunRow, block: usize, size: usize) -> (Vec<ScoreRow>, Vec<ItemRow>) {
    let (mut scores, mut items) = (Vec::new(), Vec::new());
    for (suite, metric, tasks, n, baseline, ahead) in SUITES {
        let skill = baseline.unwrap_or(0.05) + 0.08 + 0.09 * size as f64 + ahead[block];
        let start = items.len();
        for (place, task) in tasks.iter().enumerate() {
            let answers = (0..n).map(|item| {
                // The difficulty of an item is the same for every run; the rest of its variance is independent.
                let subject = item / RELATIONS.len() as u64;
                let ease = 0.5 * noise(&[subject, suite.len() as u64])
                    + 0.5 * noise(&[place as u64, item, suite.len() as u64]);
                let luck = noise(&[place as u64, item, block as u64, size as u64, run.seed]);
                let correct = 0.7 * ease + 0.3 * luck < skill;
                item_row(run, suite, task, item, correct)
            });
            items.extend(answers);
        }
        let right = items[start..].iter().filter(|item| item.correct).count() as u64;
        scores.push(score(
            run,
            suite,
            metric,
            right,
            n * tasks.len() as u64,
            baseline,
        ));
    }
    let bits = 0.2 + 0.1 * size as f64 + 0.15 * noise(&[block as u64, run.seed]);
    let recall = scores.iter().find(|s| s.suite == "biographies recall");
    let recall = recall.expect("a suite of recall").clone();
    // The suite has one task, so its knowledge comes twice.
    for task in [WHOLE_SUITE, "recall"] {
        scores.push(ScoreRow {
            task: task.into(),
            metric: "bits_per_parameter".into(),
            value: bits,
            baseline: None,
            ..recall.clone()
        });
    }
    scores.push(ScoreRow {
        suite: "entities".into(),
        status: "skipped".into(),
        reason: "entities.jsonl not found: name its folder under [suites] <data>".into(),
        value: f64::NAN,
        low: f64::NAN,
        high: f64::NAN,
        n: 0,
        baseline: None,
        ..scores[0].clone()
    });
    (scores, items)
}

fn item_row(run: &RunRow, suite: &str, task: &str, item: u64, correct: bool) -> ItemRow {
    ItemRow {
        run: run.run.clone(),
        suite: suite.into(),
        task: task.into(),
        item: match suite {
            "functions" => format!("{item:04}"),
            _ => {
                let n = RELATIONS.len() as u64;
                format!("{}/subject {:03}", RELATIONS[(item % n) as usize], item / n)
            }
        },
        correct,
        answer_tokens: 2,
        answer_nll_bits: if correct { 0.8 } else { 7.5 },
        end_nll_bits: 0.1,
        expected: "Zürich".into(),
        given: if correct { "Zürich" } else { "Geneva" }.into(),
        detail: String::new(),
    }
}

fn score(
    run: &RunRow,
    suite: &str,
    metric: &str,
    right: u64,
    n: u64,
    baseline: Option<f64>,
) -> ScoreRow {
    let interval = wilson(right, n);
    ScoreRow {
        run: run.run.clone(),
        suite: suite.into(),
        task: WHOLE_SUITE.into(),
        metric: metric.into(),
        status: "scored".into(),
        reason: String::new(),
        value: interval.value,
        low: interval.low,
        high: interval.high,
        n,
        baseline,
        interval: interval.method.into(),
    }
}
