//! Batched log-probabilities and generation with a decoder, for the suites.

use std::collections::BTreeMap;

use architectures::{Decoder, Pass, loss};
use burn::tensor::Device;
use rand::Rng;
use random::stream;
use suites::{Continuation, Generation, LanguageModel, ModelError, Sampling};

use super::generation::{Continuing, generate, most_probable, tokens};

/// A trained decoder as a `suites::LanguageModel`.
pub struct DecoderModel<'a> {
    decoder: &'a Decoder,
    device: &'a Device,
    max_batch: usize,
}

impl<'a> DecoderModel<'a> {
    /// A model that evaluates at most `max_batch` sequences at a time.
    ///
    /// # Arguments
    /// * `decoder`: parameters without autodiff, on `device`.
    pub fn new(decoder: &'a Decoder, device: &'a Device, max_batch: usize) -> Self {
        Self {
            decoder,
            device,
            max_batch,
        }
    }
}

impl LanguageModel for DecoderModel<'_> {
    fn log_probabilities(&mut self, items: &[Continuation]) -> Result<Vec<Vec<f64>>, ModelError> {
        if let Some(number) = items.iter().position(|item| item.prompt.is_empty()) {
            return Err(ModelError(format!(
                "item {number} has an empty prompt: no position predicts its first token; give every item a prompt"
            )));
        }
        let mut order: Vec<usize> = (0..items.len()).collect();
        order.sort_by_key(|&item| items[item].prompt.len() + items[item].continuation.len());
        let mut given = vec![Vec::new(); items.len()];
        for batch in order.chunks(self.max_batch) {
            let longest = batch.last().map_or(0, |&item| {
                items[item].prompt.len() + items[item].continuation.len()
            });
            let rows: Vec<Vec<u32>> = batch
                .iter()
                .map(|&item| {
                    let mut row = items[item].prompt.clone();
                    row.extend(&items[item].continuation);
                    // Padding on the right does not affect a causal model.
                    row.resize(longest, 0);
                    row
                })
                .collect();
            if longest < 2 {
                continue;
            }
            let columns = |range: std::ops::Range<usize>| -> Vec<Vec<u32>> {
                rows.iter().map(|row| row[range.clone()].to_vec()).collect()
            };
            let inputs = tokens(&columns(0..longest - 1), self.device);
            let targets = tokens(&columns(1..longest), self.device).on_device();
            let logits = self.decoder.forward(inputs, &mut Pass::evaluation());
            let data = loss::log_probabilities(logits, targets).into_data();
            let values: Vec<f32> = data.iter::<f32>().collect();
            for (row, &item) in values.chunks_exact(longest - 1).zip(batch) {
                let start = items[item].prompt.len() - 1;
                let continuation = &row[start..start + items[item].continuation.len()];
                given[item] = continuation
                    .iter()
                    .map(|&log_probability| f64::from(log_probability))
                    .collect();
            }
        }
        Ok(given)
    }

    fn generate(
        &mut self,
        prompts: &[Vec<u32>],
        generation: &Generation,
    ) -> Result<Vec<Vec<u32>>, ModelError> {
        let mut by_length: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (number, prompt) in prompts.iter().enumerate() {
            if prompt.is_empty() {
                return Err(ModelError(format!(
                    "prompt {number} is empty; give every item a prompt"
                )));
            }
            by_length.entry(prompt.len()).or_default().push(number);
        }
        let mut generated = vec![Vec::new(); prompts.len()];
        for numbers in by_length.values() {
            for numbers in numbers.chunks(self.max_batch) {
                let batch: Vec<&[u32]> = numbers
                    .iter()
                    .map(|&number| prompts[number].as_slice())
                    .collect();
                let mut chosen = Chosen {
                    numbers,
                    generation,
                };
                let most = vec![generation.max_tokens; batch.len()];
                let found = generate(self.decoder, self.device, &batch, &most, &mut chosen);
                for (&number, mut tokens) in numbers.iter().zip(found.map_err(ModelError)?) {
                    if tokens
                        .last()
                        .is_some_and(|last| generation.stop.contains(last))
                    {
                        tokens.pop();
                    }
                    generated[number] = tokens;
                }
            }
        }
        Ok(generated)
    }
}

/// Continuations by a suite's rule; `numbers` are the indices of the prompts, which key their random streams.
struct Chosen<'a> {
    numbers: &'a [usize],
    generation: &'a Generation,
}

impl Continuing for Chosen<'_> {
    fn choose(&mut self, sequence: usize, position: usize, logits: &[f32]) -> u32 {
        let sampling = self.generation.sampling;
        choose(logits, sampling, self.numbers[sequence], position)
    }

    fn is_complete(&mut self, _: usize, generated: &[u32]) -> Result<bool, String> {
        let last = generated.last();
        Ok(last.is_some_and(|last| self.generation.stop.contains(last)))
    }
}

/// The most probable token, or a sample from the random stream of (seed, prompt, position).
fn choose(logits: &[f32], sampling: Sampling, prompt: usize, position: usize) -> u32 {
    let best = most_probable(logits);
    let Sampling::Temperature { temperature, seed } = sampling else {
        return best;
    };
    let weights: Vec<f64> = logits
        .iter()
        .map(|&logit| (f64::from(logit - logits[best as usize]) / temperature).exp())
        .collect();
    let mut rng = stream(seed, &format!("sample.{prompt}"), position as u64);
    let mut remaining = rng.random_range(0.0..weights.iter().sum::<f64>());
    for (token, weight) in weights.iter().enumerate() {
        remaining -= weight;
        if remaining < 0.0 {
            return token as u32;
        }
    }
    best
}
