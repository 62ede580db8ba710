//! Putting a suite's questions to a model and judging the answers.

use crate::model::{Continuation, Generation, LanguageModel, Sampling};
use crate::sandbox::{Confinement, Sandbox, SandboxLimits, Verdict};
use crate::task::RECALL;
use crate::{Item, Metric, ModelError, ProgramCheck, Suite, SuiteError, Task, Tokenizer};

/// What came of one task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskResult {
    /// Name of the suite; recall is a suite of its own, `<suite> recall`.
    pub suite: String,
    /// Name of the task.
    pub task: String,
    /// Name of the metric.
    pub metric: String,
    /// Answers, or why there are none.
    pub outcome: Outcome,
    /// What an answer that ignores the subject scores; see [`Task::baseline`].
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
    /// Bits that the model needs for the reference answer and the separator that ends it: "January 1" is not credited with
    /// what goes to "January 12".
    pub nll_bits: f64,
    /// log2 of the number of equally likely values, in recall; less `nll_bits` these are the bits stored.
    pub prior_bits: Option<f64>,
    /// The sandbox's verdict, for functions; it says so when the program ran without the system-call filter.
    pub detail: String,
}

/// Asks everything; one result a task. A missing `python3` skips the tasks that need it and nothing else, and so does a
/// sandbox that twice cannot run some answer: what was not run is not wrong.
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
        let outcome = answer(&task, model, tokenizer, judge)?;
        results.push(result(suite, &task, outcome));
    }
    Ok(results)
}

fn result(suite: &dyn Suite, task: &Task, outcome: Outcome) -> TaskResult {
    let name = suite.name();
    TaskResult {
        suite: if task.name == RECALL {
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

fn answer(
    task: &Task,
    model: &mut dyn LanguageModel,
    tokenizer: &Tokenizer,
    sandbox: Option<&Sandbox>,
) -> Result<Outcome, SuiteError> {
    let mut questions = Vec::with_capacity(task.items.len());
    for item in &task.items {
        // A separator stands before every document in training, so it does here.
        let mut prompt = vec![tokenizer.end()];
        prompt.extend(tokenizer.encode(&item.prompt)?);
        // And after every document, so that the answer has to end where the reference ends.
        let mut continuation = tokenizer.encode(&item.expected)?;
        continuation.push(tokenizer.end());
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
        Some(sandbox) => {
            let judge = |programs: &[Program<'_>]| sandbox.judge_all(programs);
            match run(&task.items, &texts, sandbox.confinement(), judge) {
                Ok(judgements) => judgements,
                Err(reason) => return Ok(Outcome::Skipped(reason)),
            }
        }
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
    let answers = answers
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
        .collect();
    Ok(Outcome::Answered(answers))
}

/// Whether the first line of the answer is the expected text.
fn matches(item: &Item, text: &str) -> bool {
    text.trim_start().lines().next().unwrap_or("").trim_end() == item.expected.trim()
}

/// A source and what it should give.
type Program<'a> = (String, &'a ProgramCheck);

/// Whether each answer is right, and why, or the reason for which some answer could not be run twice in a row.
fn run(
    items: &[Item],
    texts: &[String],
    confinement: Confinement,
    judge: impl Fn(&[Program<'_>]) -> Vec<Verdict>,
) -> Result<Vec<(bool, String)>, String> {
    let mut programs: Vec<Program<'_>> = Vec::with_capacity(items.len());
    for (item, text) in items.iter().zip(texts) {
        let Some(check) = &item.check else {
            return Err(format!("{} has no check to run", item.id));
        };
        programs.push((format!("{}{text}\n", item.prompt), check));
    }
    let mut verdicts = judge(&programs);
    verdicts.resize(programs.len(), Verdict::NotRun("no verdict".to_owned()));
    let unrun = |verdict: &Verdict| matches!(verdict, Verdict::NotRun(_));
    let again: Vec<usize> = (0..verdicts.len())
        .filter(|&place| unrun(&verdicts[place]))
        .collect();
    if !again.is_empty() {
        let repeated: Vec<Program<'_>> =
            again.iter().map(|&place| programs[place].clone()).collect();
        for (place, verdict) in again.into_iter().zip(judge(&repeated)) {
            verdicts[place] = verdict;
        }
    }
    if let Some(place) = verdicts.iter().position(unrun) {
        let failed = verdicts.iter().filter(|verdict| unrun(verdict)).count();
        return Err(format!(
            "the sandbox could not run {failed} of {} answers, tried twice; {}: {}",
            items.len(),
            items[place].id,
            verdicts[place]
        ));
    }
    let note = match confinement {
        Confinement::Full => "",
        Confinement::LimitsOnly => " (ran under limits only, without the system-call filter)",
    };
    Ok(verdicts
        .iter()
        .map(|verdict| (verdict.passed(), format!("{verdict}{note}")))
        .collect())
}

#[cfg(test)]
mod tests;
