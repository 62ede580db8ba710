//! Answers from elsewhere: JSON lines with `doc_id` and what a model gave.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::BenchmarkError;
use crate::items::{Benchmark, ItemKind};
use crate::records::for_each_line;

/// One line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Place of the item in the evaluated split, from 0.
    pub doc_id: usize,
    /// A text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// Several texts, for `pass@k`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responses: Option<Vec<String>>,
    /// Natural logarithm of the probability of each choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lls: Option<Vec<f64>>,
    /// Whether each choice is greedy: every token of it the most probable one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_greedy: Option<Vec<bool>>,
    /// The accepted answers, or the choices that are right, as continuations of the prompt; the first is the reference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Reference>,
}

/// The probability of a right answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// Natural logarithm of its probability.
    pub ll: f64,
    /// Bytes of the text that was scored.
    pub bytes: usize,
    /// Its tokens.
    pub tokens: usize,
}

impl Answer {
    /// The texts given.
    pub fn texts(&self) -> Vec<&str> {
        match (&self.responses, &self.response) {
            (Some(texts), _) => texts.iter().map(String::as_str).collect(),
            (None, Some(text)) => vec![text],
            (None, None) => Vec::new(),
        }
    }
}

/// The answers of `file` to the items of `benchmark`, by `doc_id`.
///
/// # Errors
/// If the file cannot be read, a line is no answer, answers an item twice or one that does not exist, or lacks what the task asks for.
pub fn read(file: &Path, benchmark: &Benchmark) -> Result<HashMap<usize, Answer>, BenchmarkError> {
    let opened = File::open(file).map_err(BenchmarkError::io(file))?;
    let mut answers = HashMap::new();
    for_each_line(file, opened, &mut |place, line| {
        let invalid = |problem: String, remedy: &str| BenchmarkError::Line {
            file: file.to_owned(),
            line: place,
            problem,
            remedy: remedy.to_owned(),
        };
        let remedy = "write {\"doc_id\": 0, \"response\": \"...\"}, or `responses`, or `lls` with `is_greedy`";
        let line = line.map_err(|problem| invalid(problem, remedy))?;
        let answer: Answer = serde_json::from_str(line)
            .map_err(|error| invalid(format!("is no answer ({error})"), remedy))?;
        check(&answer, benchmark).map_err(|problem| invalid(problem, "correct the line"))?;
        let doc_id = answer.doc_id;
        if answers.insert(doc_id, answer).is_some() {
            let remedy = "leave one line for each item; several texts are `responses`";
            return Err(invalid(
                format!("answers doc_id {doc_id} a second time"),
                remedy,
            ));
        }
        Ok(())
    })?;
    Ok(answers)
}

fn check(answer: &Answer, benchmark: &Benchmark) -> Result<(), String> {
    let doc_id = answer.doc_id;
    let Some(item) = benchmark.item(doc_id) else {
        return Err(format!(
            "has doc_id {doc_id}, and the items are 0 to {}",
            benchmark.items.last().map_or(0, |last| last.doc_id)
        ));
    };
    match &item.kind {
        ItemKind::Choose(choices, _) => {
            let Some(lls) = &answer.lls else {
                return Err("lacks `lls`, which the task compares".to_owned());
            };
            if lls.len() != choices.len() {
                return Err(format!(
                    "has {} `lls` for {} choices",
                    lls.len(),
                    choices.len()
                ));
            }
            if lls.iter().any(|ll| !ll.is_finite()) {
                return Err("has an `lls` that is not finite".to_owned());
            }
            let needs_greedy = benchmark
                .task
                .choose
                .as_ref()
                .is_some_and(|choose| choose.all_gold);
            match &answer.is_greedy {
                Some(greedy) if greedy.len() != choices.len() => Err(format!(
                    "has {} `is_greedy` for {} choices",
                    greedy.len(),
                    choices.len()
                )),
                None if needs_greedy => Err("lacks `is_greedy`, which the task counts".to_owned()),
                _ => Ok(()),
            }
        }
        ItemKind::Generate(_) | ItemKind::Program(_) => match answer.texts().is_empty() {
            true => Err("lacks `response` and `responses`".to_owned()),
            false => Ok(()),
        },
    }
}
