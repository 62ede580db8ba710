//! Putting a suite's questions to a model and judging the answers.

use crate::model::{Continuation, Generation, LanguageModel, Sampling};
use crate::sandbox::{Sandbox, SandboxLimits, Verdict};
use crate::{Item, Metric, ModelError, Suite, SuiteError, Task, Tokenizer};

/// What came of one task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskResult {
    /// Name of the suite.
    pub suite: String,
    /// Name of the task.
    pub task: String,
    /// Name of the metric.
    pub metric: String,
    /// Answers, or why there are none.
    pub outcome: Outcome,
    /// Score of the best answer that ignores the question.
    pub baseline: Option<f64>,
    /// How many facts or functions the items were drawn from.
    pub population: usize,
}

/// Answers, or why there are none.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// One answer an item, in the order of the items.
    Answered(Vec<Answer>),
    /// The reason.
    Skipped(String),
}

/// One answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The item's id.
    pub item: String,
    /// The question as text.
    pub prompt: String,
    /// The reference answer, trimmed.
    pub expected: String,
    /// The model's answer, trimmed.
    pub given: String,
    /// The judgement.
    pub correct: bool,
    /// Bits that the model needs for the reference answer.
    pub nll_bits: f64,
    /// log2 of the number of equally likely values; less `nll_bits` these are the bits stored.
    pub prior_bits: Option<f64>,
    /// The sandbox's verdict, for functions.
    pub detail: String,
}

/// Asks everything; one result a task. A missing `python3` skips the tasks that need it and nothing else.
pub fn ask(
    suite: &dyn Suite,
    model: &mut dyn LanguageModel,
    tokenizer: &Tokenizer,
    limits: &SandboxLimits,
) -> Result<Vec<TaskResult>, SuiteError> {
    let tasks = suite.tasks();
    let runs_code = tasks.iter().any(|task| task.metric == Metric::PassAt1);
    let sandbox = runs_code.then(|| Sandbox::open(limits));
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        let judge = match (task.metric, &sandbox) {
            (Metric::ExactMatch, _) => None,
            (Metric::PassAt1, Some(Ok(sandbox))) => Some(sandbox),
            (Metric::PassAt1, Some(Err(error))) => {
                results.push(result(suite, &task, Outcome::Skipped(error.to_string())));
                continue;
            }
            (Metric::PassAt1, None) => continue,
        };
        let answers = answer(&task, model, tokenizer, judge)?;
        results.push(result(suite, &task, Outcome::Answered(answers)));
    }
    Ok(results)
}

fn result(suite: &dyn Suite, task: &Task, outcome: Outcome) -> TaskResult {
    TaskResult {
        suite: suite.name().to_owned(),
        task: task.name.clone(),
        metric: task.metric.to_string(),
        outcome,
        baseline: task.baseline,
        population: task.population,
    }
}

fn answer(
    task: &Task,
    model: &mut dyn LanguageModel,
    tokenizer: &Tokenizer,
    sandbox: Option<&Sandbox>,
) -> Result<Vec<Answer>, SuiteError> {
    let mut questions = Vec::with_capacity(task.items.len());
    for item in &task.items {
        // A separator stands before every document in training, so it does here.
        let mut prompt = vec![tokenizer.end()];
        prompt.extend(tokenizer.encode(&item.prompt)?);
        let continuation = tokenizer.encode(&item.expected)?;
        questions.push(Continuation {
            prompt,
            continuation,
        });
    }
    let longest = questions
        .iter()
        .map(|question| question.continuation.len())
        .max()
        .unwrap_or(0);
    let log_probabilities = model.log_probabilities(&questions)?;
    let prompts: Vec<Vec<u32>> = questions
        .into_iter()
        .map(|question| question.prompt)
        .collect();
    let generation = Generation {
        // Room to be wrong at some length, without paying for endless answers.
        max_tokens: longest + longest / 2 + 2,
        stop: vec![tokenizer.end()],
        sampling: Sampling::Greedy,
    };
    let generated = model.generate(&prompts, &generation)?;
    if log_probabilities.len() != task.items.len() || generated.len() != task.items.len() {
        let (given, asked) = (
            log_probabilities.len().min(generated.len()),
            task.items.len(),
        );
        return Err(ModelError(format!("gave {given} answers to {asked} questions")).into());
    }
    let texts = generated
        .iter()
        .map(|ids| tokenizer.decode(ids))
        .collect::<Result<Vec<_>, _>>()?;
    let judgements = match sandbox {
        Some(sandbox) => run(&task.items, &texts, sandbox),
        None => task
            .items
            .iter()
            .zip(&texts)
            .map(|(item, text)| (matches(item, text), String::new()))
            .collect(),
    };
    let answers = task
        .items
        .iter()
        .zip(texts)
        .zip(log_probabilities)
        .zip(judgements);
    Ok(answers
        .map(
            |(((item, given), log_probability), (correct, detail))| Answer {
                item: item.id.clone(),
                prompt: item.prompt.clone(),
                expected: item.expected.trim().to_owned(),
                given: given.trim().to_owned(),
                correct,
                nll_bits: -log_probability / std::f64::consts::LN_2,
                prior_bits: item.prior_bits,
                detail,
            },
        )
        .collect())
}

/// Whether the first line of the answer is the expected text.
fn matches(item: &Item, text: &str) -> bool {
    text.trim_start().lines().next().unwrap_or("").trim_end() == item.expected.trim()
}

fn run(items: &[Item], texts: &[String], sandbox: &Sandbox) -> Vec<(bool, String)> {
    let checked = items
        .iter()
        .zip(texts)
        .map(|(item, text)| (item.check.as_ref(), format!("{}{text}\n", item.prompt)));
    let programs: Vec<_> = checked
        .filter_map(|(check, source)| Some((source, check?)))
        .collect();
    let mut verdicts = sandbox.judge_all(&programs).into_iter();
    let verdict_of = |item: &Item| match item.check {
        Some(_) => verdicts.next().unwrap_or(Verdict::NoReport),
        None => Verdict::NotRun("the item has no check".to_owned()),
    };
    items
        .iter()
        .map(verdict_of)
        .map(|verdict| (verdict.passed(), verdict.to_string()))
        .collect()
}

#[cfg(test)]
mod tests;
