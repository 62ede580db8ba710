//! Scores as a table, as CSV in long form, and as JSON in the form of lm-evaluation-harness.

use std::time::{SystemTime, UNIX_EPOCH};

use benchmarks::{Benchmark, Task};
use harness::error::Error;
use harness::evaluate::benchmark_scores::{PASS_AT, Score, Scores};
use harness::record::provenance::Provenance;
use results::study::benchmarks::is_loss;
use serde_json::{Map, Value, json};

use super::terminal_table::terminal_table;
use crate::cli::arguments::ScoreOptions;
use crate::cli::output::{print, print_exact};

/// What was evaluated, and how.
pub struct Evaluated<'a> {
    /// The model, or the file of answers.
    pub name: &'a str,
    /// Name of the device.
    pub device: &'a str,
    /// Seconds of the evaluation of a model.
    pub seconds: f64,
}

/// Prints the scores in the requested form.
///
/// # Errors
/// If standard output cannot be written.
pub fn print_scores(
    benchmark: &Benchmark,
    scores: &Scores,
    evaluated: &Evaluated,
    options: &ScoreOptions,
) -> Result<(), Error> {
    if options.csv {
        let mut out = csv::Writer::from_writer(Vec::new());
        for score in &scores.scores {
            out.serialize(score)?;
        }
        let rows = out.into_inner().map_err(|error| error.into_error());
        return print_exact(&rows.map_err(csv::Error::from)?);
    }
    if options.json {
        let mut text =
            serde_json::to_vec_pretty(&harness_form(benchmark, scores, evaluated, options))?;
        text.push(b'\n');
        return print_exact(&text);
    }
    let number = |value: f64| match value.is_finite() {
        true => format!("{value:.4}"),
        false => "-".to_owned(),
    };
    let rows = scores.scores.iter().map(|score| {
        vec![
            score.task.clone(),
            score.metric.clone(),
            number(score.value),
            format!("[{}, {}]", number(score.ci_low), number(score.ci_high)),
            score.stderr.map_or("-".to_owned(), number),
            score.n.to_string(),
            score.baseline.map_or("-".to_owned(), number),
        ]
    });
    let header = [
        "task", "metric", "value", "95 % CI", "stderr", "n", "baseline",
    ];
    print(terminal_table(&header, 2, rows.collect()))
}

/// The results file of lm-evaluation-harness.
fn harness_form(
    benchmark: &Benchmark,
    scores: &Scores,
    evaluated: &Evaluated,
    options: &ScoreOptions,
) -> Value {
    let provenance = Provenance::gather();
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    let task = &benchmark.task;
    let mut results: Map<String, Value> = Map::new();
    for score in &scores.scores {
        let entry = results.entry(score.task.clone()).or_insert_with(
            || json!({"name": score.task, "alias": score.task, "sample_len": score.n}),
        );
        if let Value::Object(entry) = entry {
            let metric = exported(task, &score.metric);
            entry.insert(format!("{metric},{}", score.filter), json!(score.value));
            let stderr = score.stderr.map_or(json!("N/A"), |stderr| json!(stderr));
            entry.insert(format!("{metric}_stderr,{}", score.filter), stderr);
        }
    }
    let leaves: Vec<&Score> = scores
        .scores
        .iter()
        .filter(|score| score.task != task.name)
        .collect();
    let per_task = |value: &dyn Fn() -> Value| -> Map<String, Value> {
        results.keys().map(|name| (name.clone(), value())).collect()
    };
    let mut names: Vec<&str> = leaves.iter().map(|score| score.task.as_str()).collect();
    names.dedup();
    let metrics = |value: &dyn Fn(&str) -> bool| -> Map<String, Value> {
        let own = scores.scores.iter().filter(|score| score.task == task.name);
        own.map(|score| (exported(task, &score.metric), json!(value(&score.metric))))
            .collect()
    };
    let higher = metrics(&|metric| !is_loss(metric));
    let mut groups = Map::new();
    let mut subtasks = Map::new();
    if scores.has_groups {
        let mut whole = results.get(&task.name).cloned().unwrap_or_default();
        if let Value::Object(whole) = &mut whole {
            let own = scores.scores.iter().filter(|score| score.task == task.name);
            let counts: Map<String, Value> = own
                .map(|score| (format!("{},{}", score.metric, score.filter), json!(score.n)))
                .collect();
            whole.insert("sample_count".to_owned(), Value::Object(counts));
        }
        groups.insert(task.name.clone(), whole);
        subtasks.insert(task.name.clone(), json!(names));
    }
    json!({
        "results": results,
        "groups": groups,
        "group_subtasks": subtasks,
        "configs": {},
        "versions": per_task(&|| json!(f64::from(task.version))),
        "n-shot": per_task(&|| json!(scores.scores[0].n_shot)),
        "higher_is_better": per_task(&|| Value::Object(higher.clone())),
        "n-samples": {&task.name: {"original": scores.items, "effective": scores.answered}},
        "config": {
            "model": "isoflop", "model_args": evaluated.name, "batch_size": "", "device": evaluated.device,
            "limit": options.limit, "bootstrap_iters": 0,
            "random_seed": 0, "numpy_seed": 1234, "torch_seed": 1234, "fewshot_seed": 1234
        },
        "git_hash": provenance.commit,
        "date": since_1970.map_or(0.0, |since| since.as_secs_f64()),
        "model_name": evaluated.name,
        "task_hashes": {&task.name: task.fingerprint()},
        "total_evaluation_time_seconds": evaluated.seconds.to_string()
    })
}

/// The name of a metric in lm-evaluation-harness.
fn exported(task: &Task, metric: &str) -> String {
    match (metric.strip_prefix(PASS_AT), &task.program) {
        (Some(k), Some(program)) => format!("{}{k}", program.exported),
        _ => metric.to_owned(),
    }
}
