//! Answers of a language model to the items of a benchmark.

use crate::answers::{Answer, Reference};
use crate::error::BenchmarkError;
use crate::items::{Benchmark, Item, ItemKind};
use crate::requests::{Encoder, Prompt, Request, failed, likelihoods, prompt};
use crate::task::Sampling;
use crate::text::cut;

/// The probability of a continuation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likelihood {
    /// Sum of the natural logarithms of the probabilities of its tokens.
    pub ll: f64,
    /// Whether every token is the most probable one at its place; `None` if it was not asked for.
    pub is_greedy: Option<bool>,
}

/// A language model with its tokenizer.
pub trait Model: Encoder {
    /// Most tokens that the model reads.
    fn space(&self) -> usize;

    /// The probabilities of continuations, in the order of the requests.
    ///
    /// # Arguments
    /// * `greedy`: whether [`Likelihood::is_greedy`] is asked for, which takes the largest logit of every position.
    ///
    /// # Errors
    /// If the model cannot be evaluated, with the reason.
    fn likelihoods(
        &mut self,
        requests: &[Request],
        greedy: bool,
    ) -> Result<Vec<Likelihood>, String>;

    /// The tokens that follow each prompt: up to and with the end of the text, up to and with those that complete one of the texts
    /// `stop`, or as many as the prompt permits.
    ///
    /// # Arguments
    /// * `sampling`: how tokens are drawn, by the random stream of the prompt; the most probable ones if absent.
    ///
    /// # Errors
    /// If the model cannot be evaluated, with the reason.
    fn generate(
        &mut self,
        prompts: &[Prompt],
        stop: &[String],
        sampling: Option<Sampling>,
    ) -> Result<Vec<Vec<u32>>, String>;
}

/// The answer of a model to one item.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelAnswer {
    /// What is judged.
    pub answer: Answer,
    /// Tokens removed from the start of the prompt, for want of space.
    pub removed: usize,
    /// Whether a generated text ended for want of space or at the largest number of tokens, and not by itself.
    pub is_cut: bool,
}

/// The answers of `model` to items with their prompts, in their order.
///
/// # Arguments
/// * `programs`: whether answers that are programs are generated, which is of use only if they are run.
///
/// # Errors
/// If a prompt cannot be tokenised or does not fit, or the model fails.
pub fn answer(
    benchmark: &Benchmark,
    items: &[(&Item, &str)],
    programs: bool,
    model: &mut dyn Model,
) -> Result<Vec<ModelAnswer>, BenchmarkError> {
    let task = &benchmark.task;
    let space = model.space();
    let mut requests = Vec::new();
    let mut numbers = Vec::with_capacity(items.len());
    for (item, text) in items {
        let continuations: Vec<String> = continuations(item)
            .iter()
            .map(|text| format!("{}{text}", task.target_delimiter))
            .collect();
        let own = requests_of(&*model, (item, text), &continuations, space)
            .map_err(|problem| failed(&task.name, item.doc_id, problem))?;
        numbers.push(own.len());
        requests.extend(own);
    }
    let broken = |problem: String| BenchmarkError::Model {
        task: task.name.clone(),
        problem,
    };
    let greedy = task.choose.as_ref().is_some_and(|choose| choose.all_gold);
    let found = model.likelihoods(&requests, greedy).map_err(broken)?;
    if found.len() != requests.len() {
        return Err(broken(format!(
            "it returned {} likelihoods for {} requests",
            found.len(),
            requests.len()
        )));
    }
    let (samples, _) = task.sampling();
    let texts = match task.program.is_none() || programs {
        true => generated(benchmark, items, model)?,
        false => Vec::new(),
    };
    let mut texts = texts.chunks(samples);
    let mut answers = Vec::with_capacity(items.len());
    let mut start = 0;
    for ((item, _), n) in items.iter().zip(numbers) {
        let own = start..start + n;
        start += n;
        let (requests, found) = (&requests[own.clone()], &found[own]);
        let reference = |place: usize| Reference {
            ll: found[place].ll,
            bytes: requests[place].bytes,
            tokens: requests[place].continuation.len(),
        };
        let mut answer = Answer {
            doc_id: item.doc_id,
            ..Answer::default()
        };
        match &item.kind {
            ItemKind::Choose(_, gold) => {
                answer.lls = Some(found.iter().map(|one| one.ll).collect());
                answer.is_greedy = found.iter().map(|one| one.is_greedy).collect();
                answer.references = gold.iter().map(|place| reference(*place)).collect();
            }
            ItemKind::Generate(_) | ItemKind::Program(_) => {
                answer.references = (0..n).map(reference).collect();
            }
        }
        let removed = requests.iter().map(|request| request.removed).max();
        let mut given = ModelAnswer {
            answer,
            removed: removed.unwrap_or(0),
            is_cut: false,
        };
        let own = texts.next().unwrap_or_default();
        match own {
            [] => {}
            [only] => given.answer.response = Some(only.text.clone()),
            several => {
                let texts = several.iter().map(|text| text.text.clone());
                given.answer.responses = Some(texts.collect());
            }
        }
        for text in own {
            given.removed = given.removed.max(text.removed);
            given.is_cut |= text.is_cut;
        }
        answers.push(given);
    }
    Ok(answers)
}

/// The requests of an item. Of accepted answers the first is the reference; another that does not fit is left out.
fn requests_of(
    encoder: &dyn Encoder,
    (item, text): (&Item, &str),
    continuations: &[String],
    space: usize,
) -> Result<Vec<Request>, String> {
    match (&item.kind, continuations) {
        (ItemKind::Generate(_), [first, others @ ..]) => {
            let mut own = likelihoods(encoder, text, std::slice::from_ref(first), space)?;
            for other in others {
                let other = likelihoods(encoder, text, std::slice::from_ref(other), space);
                own.extend(other.into_iter().flatten());
            }
            Ok(own)
        }
        _ => likelihoods(encoder, text, continuations, space),
    }
}

/// The texts whose probability is wanted: the choices, the accepted answers, the reference solution.
fn continuations(item: &Item) -> Vec<String> {
    match &item.kind {
        ItemKind::Choose(choices, _) => choices.clone(),
        // One that is empty has no probability of its own.
        ItemKind::Generate(accepted) => {
            let texts = accepted.iter().filter(|text| !text.trim().is_empty());
            texts.cloned().collect()
        }
        ItemKind::Program(reference) => vec![reference.clone()],
    }
}

/// The text of `ids` after a prompt. Some tokenizers leave out a space at the start of what they decode, which is not the start of a text
/// here.
fn after(encoder: &dyn Encoder, prompt: &[u32], ids: &[u32]) -> Result<String, String> {
    let alone = encoder.decode(ids)?;
    let Some(last) = prompt.last() else {
        return Ok(alone);
    };
    let before = encoder.decode(&[*last])?;
    let joint = encoder.decode(&[&[*last], ids].concat())?;
    Ok(match joint.strip_prefix(&before) {
        Some(rest) => rest.to_owned(),
        None => alone,
    })
}

struct Text {
    text: String,
    removed: usize,
    is_cut: bool,
}

/// The generated texts of items that ask for one, as many of each item as the task has samples; none otherwise.
fn generated(
    benchmark: &Benchmark,
    items: &[(&Item, &str)],
    model: &mut dyn Model,
) -> Result<Vec<Text>, BenchmarkError> {
    let task = &benchmark.task;
    let Some((stop, max_tokens)) = task.generation() else {
        return Ok(Vec::new());
    };
    let space = model.space();
    let (samples, sampling) = task.sampling();
    let mut prompts = Vec::with_capacity(items.len() * samples);
    for (item, text) in items {
        let prompt = prompt(&*model, text, max_tokens, space);
        let prompt = prompt.map_err(|problem| failed(&task.name, item.doc_id, problem))?;
        prompts.extend((0..samples).map(|sample| Prompt {
            stream: format!("{} {} {sample}", task.name, item.doc_id),
            ..prompt.clone()
        }));
    }
    let broken = |problem: String| BenchmarkError::Model {
        task: task.name.clone(),
        problem,
    };
    let found = model.generate(&prompts, stop, sampling).map_err(broken)?;
    if found.len() != prompts.len() {
        return Err(broken(format!(
            "it returned {} texts for {} prompts",
            found.len(),
            prompts.len()
        )));
    }
    let end = model.end();
    let model = &*model;
    let text = |(prompt, ids): (Prompt, Vec<u32>)| {
        let ended = ids.iter().position(|id| *id == end);
        let own = &ids[..ended.unwrap_or(ids.len())];
        let text = after(model, &prompt.tokens, own).map_err(broken)?;
        let kept = cut(&text, stop);
        Ok(Text {
            is_cut: ended.is_none() && kept.len() == text.len(),
            text: kept.to_owned(),
            removed: prompt.removed,
        })
    };
    prompts.into_iter().zip(found).map(text).collect()
}

#[cfg(test)]
mod tests;
