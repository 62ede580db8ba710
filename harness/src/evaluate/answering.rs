//! The answers of a model to the items of a published benchmark: computed in blocks, kept in a cache, and continued from it.
//!
//! An answer is kept under the hash of the weights, the tokenizer, the task and the numeric format, and within that under the hash of
//! its prompt and of what is scored after it, so that it is used again exactly where it would be computed again.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use benchmarks::answers::Answer;
use benchmarks::items::Shots;
use benchmarks::model::{ModelAnswer, answer};
use benchmarks::{Benchmark, BenchmarkError, Item, ItemKind};
use results::{AnswerRow, Records};

use super::benchmark_model::BenchmarkModel;
use crate::error::Error;
use crate::run::identity::hash;

/// To be raised whenever an equal request would have another answer.
const VERSION: &str = "answers 1";
/// Items answered before the cache is written.
const BLOCK: usize = 256;
/// Least time between writes of the cache, each of which replaces its file.
const BETWEEN_WRITES: Duration = Duration::from_secs(10);
/// Key of the draw of a part of the items.
const DRAW: &str = "evaluated items";

/// An item with its prompt.
pub struct Question<'a> {
    /// The item.
    pub item: &'a Item,
    /// Description, few-shot examples and question.
    pub prompt: String,
}

/// The items that are evaluated, with their prompts, in the order of the data.
///
/// # Arguments
/// * `n_shot`: few-shot examples of each prompt.
/// * `limit`: most items; they are drawn at random, the same for every model.
///
/// # Errors
/// If there are fewer examples.
pub fn questions<'a>(
    benchmark: &'a Benchmark,
    shots: &Shots,
    n_shot: usize,
    limit: Option<usize>,
) -> Result<Vec<Question<'a>>, BenchmarkError> {
    let all = benchmark.items.len();
    // Places in the list of items, which has no gaps.
    let mut places: Vec<usize> = match limit {
        Some(limit) if limit < all => random::permutation(all, 0, DRAW, 0)
            .into_iter()
            .take(limit)
            .collect(),
        _ => (0..all).collect(),
    };
    places.sort_unstable();
    let question = |place: usize| {
        let item = &benchmark.items[place];
        let prompt = benchmark.prompt(item, shots, n_shot)?;
        Ok(Question { item, prompt })
    };
    places.into_iter().map(question).collect()
}

/// Hash of the prompt of a question and of what is scored after it.
///
/// # Arguments
/// * `programs`: whether answers that are programs are generated.
pub fn request_hash(question: &Question, programs: bool) -> String {
    let scored = match &question.item.kind {
        ItemKind::Generate(accepted) => accepted.clone(),
        ItemKind::Choose(choices, gold) => {
            let gold = gold.iter().map(usize::to_string);
            choices.iter().cloned().chain(gold).collect()
        }
        ItemKind::Program(reference) => vec![reference.clone(), programs.to_string()],
    };
    hash([&question.prompt, &format!("{scored:?}")])
}

/// Hash of a question and of all that its verdict depends on, such as the tests of a program.
pub fn item_hash(question: &Question) -> String {
    let item = question.item;
    hash([
        &question.prompt,
        &format!("{:?}", item.kind),
        &item.group,
        &item.record.to_string(),
    ])
}

/// Name under which the answers of a model to a task are kept.
///
/// # Arguments
/// * `weights`: hash of the weights.
pub fn cache_key(benchmark: &Benchmark, model: &BenchmarkModel, weights: &str) -> String {
    hash([
        VERSION,
        weights,
        model.tokenizer.fingerprint(),
        &benchmark.task.fingerprint(),
        model.decoder.config().numeric_format.name(),
        &format!("{:?} {}", model.start, model.space),
    ])
}

/// What becomes known while questions are answered.
pub struct Answering {
    /// Answers so far.
    pub done: usize,
    /// Those that were in the cache.
    pub cached: usize,
    /// All questions.
    pub all: usize,
    /// Seconds since the first was answered.
    pub seconds: f64,
}

/// The answers of a model, by `doc_id`.
///
/// # Arguments
/// * `programs`: whether answers that are programs are generated, which is of use only if they are run.
/// * `cache`: kept answers with the name of those of this model and task.
/// * `report`: called after each block.
///
/// # Errors
/// If a prompt cannot be used, the model fails or is interrupted, or the cache cannot be read or written; what was answered before is kept.
pub fn answers(
    benchmark: &Benchmark,
    questions: &[Question],
    programs: bool,
    model: &mut BenchmarkModel,
    cache: (&Records, &str),
    report: &mut dyn FnMut(&Answering),
) -> Result<BTreeMap<usize, ModelAnswer>, Error> {
    let (records, key) = cache;
    let mut kept: Vec<AnswerRow> = records.read_run(key)?;
    let by_request: HashMap<&str, &AnswerRow> =
        kept.iter().map(|row| (row.request.as_str(), row)).collect();
    let mut found = BTreeMap::new();
    let mut open = Vec::new();
    for question in questions {
        let mut request = request_hash(question, programs);
        if benchmark.task.sampling().1.is_some() {
            // The random stream of an answer depends on its place.
            request = hash([&request, &question.item.doc_id.to_string()]);
        }
        match by_request.get(request.as_str()).map(|row| restored(row)) {
            Some(Ok(mut own)) => {
                own.answer.doc_id = question.item.doc_id;
                found.insert(question.item.doc_id, own);
            }
            Some(Err(problem)) => {
                return Err(Error::Argument {
                    argument: format!("{}, answers {key}", records.folder().display()),
                    problem,
                    remedy: "remove its file".to_owned(),
                });
            }
            None => open.push((question, request)),
        }
    }
    // Prompts of equal length are batched.
    open.sort_by_key(|(question, _)| (question.prompt.len(), question.item.doc_id));
    let mut state = Answering {
        done: found.len(),
        cached: found.len(),
        all: questions.len(),
        seconds: 0.0,
    };
    report(&state);
    let clock = Instant::now();
    let mut written = Instant::now();
    for block in open.chunks(BLOCK) {
        let items: Vec<(&Item, &str)> = block
            .iter()
            .map(|(question, _)| (question.item, question.prompt.as_str()))
            .collect();
        let answered = match answer(benchmark, &items, programs, model) {
            Ok(answered) => answered,
            Err(error) => {
                records.write(key, &kept)?;
                return Err(error.into());
            }
        };
        for ((question, request), own) in block.iter().zip(answered) {
            kept.push(row(key, request, &own)?);
            found.insert(question.item.doc_id, own);
        }
        if written.elapsed() >= BETWEEN_WRITES {
            records.write(key, &kept)?;
            written = Instant::now();
        }
        state.done = found.len();
        state.seconds = clock.elapsed().as_secs_f64();
        report(&state);
    }
    if !open.is_empty() {
        records.write(key, &kept)?;
    }
    Ok(found)
}

fn row(key: &str, request: &str, own: &ModelAnswer) -> Result<AnswerRow, Error> {
    let answer = Answer {
        doc_id: 0,
        ..own.answer.clone()
    };
    Ok(AnswerRow {
        run: key.to_owned(),
        request: request.to_owned(),
        answer: serde_json::to_string(&answer)?,
        removed: own.removed as u64,
        is_cut: own.is_cut,
    })
}

fn restored(row: &AnswerRow) -> Result<ModelAnswer, String> {
    let answer: Answer = serde_json::from_str(&row.answer)
        .map_err(|error| format!("has an answer that cannot be read ({error})"))?;
    Ok(ModelAnswer {
        answer,
        removed: row.removed as usize,
        is_cut: row.is_cut,
    })
}
