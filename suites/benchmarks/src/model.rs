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
        let own = likelihoods(&*model, text, &continuations, space)
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
mod tests {
    use super::*;
    use crate::judge::Judge;
    use crate::task::Task;

    /// One token for each byte; every token has the probability 1/4, and texts are `yes` with an end.
    struct Fixed;

    impl Encoder for Fixed {
        fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
            Ok(text.bytes().map(u32::from).collect())
        }
        fn decode(&self, ids: &[u32]) -> Result<String, String> {
            String::from_utf8(ids.iter().map(|id| *id as u8).collect())
                .map_err(|error| error.to_string())
        }
        fn start(&self) -> Option<u32> {
            Some(0)
        }
        fn end(&self) -> u32 {
            0
        }
    }

    impl Model for Fixed {
        fn space(&self) -> usize {
            12
        }
        fn likelihoods(
            &mut self,
            requests: &[Request],
            greedy: bool,
        ) -> Result<Vec<Likelihood>, String> {
            let of = |request: &Request| Likelihood {
                ll: -(request.continuation.len() as f64) * 4f64.ln(),
                is_greedy: greedy.then_some(request.continuation.len() == 4),
            };
            Ok(requests.iter().map(of).collect())
        }
        fn generate(
            &mut self,
            prompts: &[Prompt],
            _: &[String],
            _: Option<Sampling>,
        ) -> Result<Vec<Vec<u32>>, String> {
            let of = |prompt: &Prompt| {
                let text = " yes\0".bytes().map(u32::from);
                text.take(prompt.max_tokens).collect()
            };
            Ok(prompts.iter().map(of).collect())
        }
    }

    fn benchmark(kind: &str, record: &str) -> Benchmark {
        let text = format!(
            "name = \"mine\"\nversion = 1\nsplit = \"test\"\nsource.files = [\"a.jsonl\"]\ntext = \"{{{{ q }}}}\"\n{kind}"
        );
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.jsonl"), record).unwrap();
        let task = Task::parse("mine", &text).unwrap();
        Benchmark::read(task, &[folder.path().to_owned()], false).unwrap()
    }

    fn metrics(benchmark: &Benchmark) -> (ModelAnswer, Vec<(&'static str, f64)>) {
        let item = &benchmark.items[0];
        let given = answer(benchmark, &[(item, &item.text)], true, &mut Fixed).unwrap();
        let found = Judge::new(benchmark).metrics(item, &given[0].answer);
        (given[0].clone(), found)
    }

    #[test]
    fn a_text_is_judged_and_the_reference_has_bits_per_byte() {
        let kind = "[generate]\nanswers = \"a\"\nmax_tokens = 5\n";
        let short = benchmark(kind, "{\"q\": \"ab\", \"a\": [\"yes\", \"y\"]}");
        let (given, found) = metrics(&short);
        assert_eq!(
            (given.answer.response.as_deref(), given.is_cut),
            (Some(" yes"), false)
        );
        assert_eq!(found[0], ("exact_match", 1.0));
        let nats = 4f64.ln();
        // Delimiter and three letters; the shorter answer is more probable.
        assert!((found[1].1 - 4.0 * nats).abs() < 1e-12 && found[1].0 == "nll");
        assert!((found[2].1 - 2.0).abs() < 1e-12 && found[2].0 == "bpb");
        assert!((found[3].1 - 2.0 * nats).abs() < 1e-12 && found[3].0 == "nll_best");
        let long = benchmark(kind, "{\"q\": \"abcdefghijklmn\", \"a\": \"yes\"}");
        let (given, _) = metrics(&long);
        // Twelve fit: a quarter is left for the answer, which would have five.
        assert_eq!(
            (given.answer.response.as_deref(), given.is_cut),
            (Some(" ye"), true)
        );
        assert_eq!(given.removed, 6);
    }

    #[test]
    fn choices_have_the_likelihoods_of_their_tokens() {
        let kind = "[choose]\nchoices = \"c\"\ngold = \"g\"\nmetrics = [\"acc\", \"acc_norm\"]\n";
        let two = benchmark(
            kind,
            "{\"q\": \"ab\", \"c\": [\"long\", \"yes\"], \"g\": 1}",
        );
        let (given, found) = metrics(&two);
        assert_eq!(given.answer.is_greedy, None);
        assert_eq!(found[0], ("acc", 1.0));
        assert!(found.contains(&("bpb", 2.0)), "{found:?}");
        assert_eq!(given.answer.response, None);
    }
}
