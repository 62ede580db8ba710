//! Evaluating a model on the tasks of a suite.

use sandbox::{Policy, Program, Sandbox, SandboxLimits};

use super::programs::judge_programs;
use super::result::{Answer, TaskOutcome, TaskResult};
use crate::model::{Continuation, Generation, LanguageModel, Sampling};
use crate::task::RECALL;
use crate::{Item, Metric, ModelError, Suite, SuiteError, Task, Tokenizer};

/// Evaluates a model on every task of a suite and returns one result per task.
///
/// Tasks that execute code are skipped if `python3` is not available, or if the sandbox cannot run some program in two
/// attempts, because a program that was not run is not incorrect.
///
/// # Errors
/// If the tokenizer or the model fails, or the model returns a different number of answers than there are items.
pub fn evaluate(
    suite: &dyn Suite,
    model: &mut dyn LanguageModel,
    tokenizer: &Tokenizer,
    limits: &SandboxLimits,
) -> Result<Vec<TaskResult>, SuiteError> {
    let tasks = suite.tasks();
    let runs_code = tasks.iter().any(|task| task.metric == Metric::PassAt1);
    // Weaker restrictions than isolation are noted with each answer.
    let sandbox = runs_code.then(|| Sandbox::open(limits, Policy::Unsafe));
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        let task_sandbox = match (task.metric, &sandbox) {
            (Metric::ExactMatch | Metric::Completion | Metric::Likelihood, _) => None,
            (Metric::PassAt1, Some(Ok(sandbox))) => Some(sandbox),
            (Metric::PassAt1, Some(Err(error))) => {
                results.push(result(
                    suite,
                    &task,
                    TaskOutcome::Skipped(error.to_string()),
                ));
                continue;
            }
            (Metric::PassAt1, None) => continue,
        };
        let outcome = evaluate_task(&task, model, tokenizer, task_sandbox)?;
        results.push(result(suite, &task, outcome));
    }
    Ok(results)
}

/// The result of `task` with this outcome.
fn result(suite: &dyn Suite, task: &Task, outcome: TaskOutcome) -> TaskResult {
    let name = suite.name();
    TaskResult {
        suite: if task.name == RECALL || suite.is_recall() {
            format!("{name} {RECALL}")
        } else {
            name.to_owned()
        },
        task: task.name.clone(),
        metric: task.metric.to_string(),
        outcome,
        baseline: task.baseline,
        population: task.population,
    }
}

/// Generates and scores the answers to one task; programs are run in `sandbox`.
fn evaluate_task(
    task: &Task,
    model: &mut dyn LanguageModel,
    tokenizer: &Tokenizer,
    sandbox: Option<&Sandbox>,
) -> Result<TaskOutcome, SuiteError> {
    let mut continuations = Vec::with_capacity(task.items.len());
    let mut answer_tokens = Vec::with_capacity(task.items.len());
    for item in &task.items {
        // A separator precedes every document in training.
        let mut prompt = vec![tokenizer.end()];
        prompt.extend(tokenizer.encode(&item.prompt)?);
        let mut continuation = tokenizer.encode(&item.expected)?;
        answer_tokens.push(continuation.len());
        match task.metric {
            // It also follows every document: the probability that the answer ends there is evaluated too.
            Metric::ExactMatch | Metric::PassAt1 => continuation.push(tokenizer.end()),
            Metric::Completion => continuation.extend(tokenizer.encode(FULL_STOP)?),
            Metric::Likelihood => {}
        }
        continuations.push(Continuation {
            prompt,
            continuation,
        });
    }
    let longest = continuations
        .iter()
        .map(|continuation| continuation.continuation.len())
        .max()
        .unwrap_or(0);
    let log_probabilities = model.log_probabilities(&continuations)?;
    let prompts: Vec<Vec<u32>> = continuations
        .into_iter()
        .map(|continuation| continuation.prompt)
        .collect();
    let generation = Generation {
        // A margin for answers that are longer than the reference.
        max_tokens: longest + longest / 2 + 2,
        stop: vec![tokenizer.end()],
        sampling: Sampling::Greedy,
    };
    let generated = match task.metric {
        Metric::Likelihood => vec![Vec::new(); prompts.len()],
        _ => model.generate(&prompts, &generation)?,
    };
    if log_probabilities.len() != task.items.len() || generated.len() != task.items.len() {
        let (given, expected) = (
            log_probabilities.len().min(generated.len()),
            task.items.len(),
        );
        return Err(ModelError(format!("returned {given} answers for {expected} items")).into());
    }
    let texts = generated
        .iter()
        .map(|ids| tokenizer.decode(ids))
        .collect::<Result<Vec<_>, _>>()?;
    let judgements = match sandbox {
        Some(sandbox) => {
            let judge = |programs: &[Program]| sandbox.judge_all(programs, &|_| (), &|| false);
            match judge_programs(&task.items, &texts, sandbox.confinement(), judge) {
                Ok(judgements) => judgements,
                Err(reason) => return Ok(TaskOutcome::Skipped(reason)),
            }
        }
        None => task
            .items
            .iter()
            .zip(&texts)
            .map(|(item, text)| (is_correct(task.metric, item, text), String::new()))
            .collect(),
    };
    let answers = task
        .items
        .iter()
        .zip(texts)
        .zip(log_probabilities)
        .zip(answer_tokens)
        .zip(judgements);
    let answer = |((((item, given), log_probabilities), answer_tokens), judgement)| {
        let (item, log_probabilities): (&Item, Vec<f64>) = (item, log_probabilities);
        let (given, (correct, detail)): (String, (bool, String)) = (given, judgement);
        let (answer, end) = log_probabilities.split_at_checked(answer_tokens)?;
        let bits = |nats: &[f64]| -nats.iter().sum::<f64>() / std::f64::consts::LN_2;
        Some(Answer {
            item: item.id.clone(),
            prompt: item.prompt.clone(),
            expected: item.expected.trim().to_owned(),
            given: given.trim().to_owned(),
            correct,
            answer_tokens,
            answer_nll_bits: bits(answer),
            end_nll_bits: bits(end),
            prior_bits: item.prior_bits,
            detail,
        })
    };
    let answers: Option<Vec<Answer>> = answers.map(answer).collect();
    let none = || ModelError("returned too few probabilities for an answer".to_owned());
    Ok(TaskOutcome::Answered(answers.ok_or_else(none)?))
}

/// What follows an answer within a document.
const FULL_STOP: &str = ".";

/// Whether the first line of the answer is the expected text; within a document, whether what precedes the first full stop
/// is.
fn is_correct(metric: Metric, item: &Item, text: &str) -> bool {
    let line = text.trim_start().lines().next().unwrap_or("").trim_end();
    match metric {
        Metric::Completion => line.split(FULL_STOP).next() == Some(item.expected.trim()),
        _ => line == item.expected.trim(),
    }
}
