//! Batched log-probabilities and generation with a decoder, for the suites.

use std::collections::BTreeMap;

use architectures::{Decoder, Pass, loss};
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::Rng;
use random::stream;
use suites::{Continuation, Generation, LanguageModel, ModelError, Sampling};

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

    /// Tokens `[sequences, length]` of `rows` of equal length.
    fn tensor(&self, rows: &[Vec<i64>]) -> Tensor<2, Int> {
        let shape = [rows.len(), rows.first().map_or(0, Vec::len)];
        Tensor::from_data(TensorData::new(rows.concat(), shape), self.device)
    }

    /// Generates continuations of prompts of equal length with a key-value cache; `numbers` are the indices of the
    /// prompts, which key their random streams.
    fn continue_batch(
        &self,
        prompts: &[&[u32]],
        numbers: &[usize],
        generation: &Generation,
    ) -> Vec<Vec<u32>> {
        let mut generated = vec![Vec::new(); prompts.len()];
        let mut unfinished = vec![true; prompts.len()];
        let mut cache = self.decoder.cache();
        let mut next: Vec<Vec<i64>> = prompts.iter().map(|prompt| widened(prompt)).collect();
        for position in 0..generation.max_tokens {
            let logits = self.decoder.extend(self.tensor(&next), &mut cache);
            let [batch, new, vocab] = logits.dims();
            let last = logits
                .narrow(1, new - 1, 1)
                .reshape([batch, vocab])
                .into_data();
            let last: Vec<f32> = last.iter::<f32>().collect();
            next.clear();
            for (row, logits) in last.chunks_exact(vocab).enumerate() {
                let token = choose(logits, generation.sampling, numbers[row], position);
                unfinished[row] &= !generation.stop.contains(&token);
                if unfinished[row] {
                    generated[row].push(token);
                }
                next.push(vec![i64::from(token)]);
            }
            if !unfinished.contains(&true) {
                break;
            }
        }
        generated
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
            let rows: Vec<Vec<i64>> = batch
                .iter()
                .map(|&item| {
                    let mut row = widened(&items[item].prompt);
                    row.extend(widened(&items[item].continuation));
                    // Padding on the right does not affect a causal model.
                    row.resize(longest, 0);
                    row
                })
                .collect();
            if longest < 2 {
                continue;
            }
            let tokens = self.tensor(&rows);
            let inputs = tokens.clone().narrow(1, 0, longest - 1);
            let targets = tokens.narrow(1, 1, longest - 1);
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
                for (&number, tokens) in numbers
                    .iter()
                    .zip(self.continue_batch(&batch, numbers, generation))
                {
                    generated[number] = tokens;
                }
            }
        }
        Ok(generated)
    }
}

fn widened(tokens: &[u32]) -> Vec<i64> {
    tokens.iter().map(|&token| i64::from(token)).collect()
}

/// The most probable token, or a sample from the random stream of (seed, prompt, position).
fn choose(logits: &[f32], sampling: Sampling, prompt: usize, position: usize) -> u32 {
    let best = (0..logits.len())
        .max_by(|&a, &b| logits[a].total_cmp(&logits[b]).then(b.cmp(&a)))
        .unwrap_or(0);
    let Sampling::Temperature { temperature, seed } = sampling else {
        return best as u32;
    };
    let weights: Vec<f64> = logits
        .iter()
        .map(|&logit| (f64::from(logit - logits[best]) / temperature).exp())
        .collect();
    let mut rng = stream(seed, &format!("sample.{prompt}"), position as u64);
    let mut remaining = rng.random_range(0.0..weights.iter().sum::<f64>());
    for (token, weight) in weights.iter().enumerate() {
        remaining -= weight;
        if remaining < 0.0 {
            return token as u32;
        }
    }
    best as u32
}
