//! Prompts, answers and metrics of the items of a benchmark as rows.

use std::collections::BTreeMap;

use benchmarks::judge::Metric;
use benchmarks::model::ModelAnswer;
use benchmarks::{Benchmark, ItemKind};
use results::SampleRow;
use serde_json::{Map, Value, json};

use super::answering::Question;
use crate::error::Error;

/// A row for each question that has an answer.
///
/// # Arguments
/// * `model`: its name.
/// * `metrics`: of each answer, by `doc_id`.
///
/// # Errors
/// If an answer cannot be written as JSON.
pub fn sample_rows(
    (benchmark, n_shot): (&Benchmark, usize),
    model: &str,
    questions: &[Question],
    answers: &BTreeMap<usize, ModelAnswer>,
    metrics: &BTreeMap<usize, Vec<Metric>>,
) -> Result<Vec<SampleRow>, Error> {
    let mut rows = Vec::with_capacity(questions.len());
    for question in questions {
        let doc_id = question.item.doc_id;
        let Some(given) = answers.get(&doc_id) else {
            continue;
        };
        let own = metrics.get(&doc_id).map(Vec::as_slice).unwrap_or_default();
        let own: Map<String, Value> = own
            .iter()
            .map(|(metric, value)| ((*metric).to_owned(), json!(value)))
            .collect();
        rows.push(SampleRow {
            run: model.to_owned(),
            task: benchmark.task.name.clone(),
            doc_id: doc_id as u64,
            group: question.item.group.clone(),
            n_shot: n_shot as u64,
            prompt: question.prompt.clone(),
            target: target(&question.item.kind).to_string(),
            answer: serde_json::to_string(&given.answer)?,
            metrics: Value::Object(own).to_string(),
            removed: given.removed as u64,
            is_cut: given.is_cut,
        });
    }
    Ok(rows)
}

fn target(kind: &ItemKind) -> Value {
    match kind {
        ItemKind::Generate(accepted) => json!({ "accepted": accepted }),
        ItemKind::Choose(choices, gold) => json!({ "choices": choices, "gold": gold }),
        ItemKind::Program(reference) => json!({ "reference": reference }),
    }
}
