//! A decoder with its tokenizer as a `benchmarks::model::Model`.
//!
//! Contexts are read once: continuations that share one are scored after its cached keys and values. Contexts of equal length are
//! batched, so that no padding precedes a continuation; results do not depend on the batch but for the rounding of matrix products.

use std::collections::BTreeMap;

use architectures::{Cache, Decoder, loss};
use benchmarks::model::{Likelihood, Model};
use benchmarks::requests::{Encoder, Prompt, Request};
use benchmarks::task::Sampling;
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::Rng;
use suites::Tokenizer;

use super::generation::{Continuing, generate, most_probable, sampled, tokens};
use crate::run::interrupt::Interrupt;

/// A decoder and what scoring needs beside it.
pub struct BenchmarkModel<'a> {
    /// The decoder, without autodiff.
    pub decoder: &'a Decoder,
    /// Its device.
    pub device: &'a Device,
    /// Its tokenizer.
    pub tokenizer: &'a Tokenizer,
    /// The token that began every training document.
    pub start: Option<u32>,
    /// Most tokens that the decoder reads.
    pub space: usize,
    /// Most sequences evaluated at a time.
    pub sequences: usize,
    /// Ends the evaluation with an error.
    pub interrupt: &'a Interrupt,
}

/// The reason of an evaluation that was interrupted.
pub const INTERRUPTED: &str = "interrupted";

/// Seed of sampled answers.
const SEED: u64 = 1234;

impl BenchmarkModel<'_> {
    fn check_interrupt(&self) -> Result<(), String> {
        match self.interrupt.requested() {
            true => Err(INTERRUPTED.to_owned()),
            false => Ok(()),
        }
    }

    fn indices(&self, places: &[usize]) -> Tensor<1, Int> {
        let places: Vec<i64> = places.iter().map(|&place| place as i64).collect();
        let shape = [places.len()];
        Tensor::from_data(TensorData::new(places, shape), self.device)
    }

    /// Likelihoods of requests whose contexts are `contexts`, of equal lengths; `rows` are places in `requests` with those in
    /// `contexts`.
    fn after(
        &self,
        contexts: &[&[u32]],
        rows: &[(usize, usize)],
        requests: &[Request],
        found: &mut [Likelihood],
    ) {
        let context_rows: Vec<Vec<u32>> = contexts.iter().map(|own| own.to_vec()).collect();
        let mut cache = self.decoder.cache();
        let last = self
            .decoder
            .extend_to_last(tokens(&context_rows, self.device), &mut cache);
        let mut rows = rows.to_vec();
        rows.sort_by_key(|&(request, _)| requests[request].continuation.len());
        for rows in rows.chunks(self.sequences) {
            let places: Vec<usize> = rows.iter().map(|&(_, context)| context).collect();
            let places = self.indices(&places);
            let first = last.clone().select(0, places.clone()).unsqueeze_dim(1);
            let longest = rows
                .last()
                .map_or(0, |&(request, _)| requests[request].continuation.len());
            let mut parts = vec![first];
            if longest > 1 {
                parts.push(self.rest(rows, requests, longest, cache.select(places)));
            }
            let targets: Vec<Vec<u32>> = rows
                .iter()
                .map(|&(request, _)| padded(&requests[request].continuation, longest))
                .collect();
            let logits = Tensor::cat(parts, 1);
            let greedy = logits.clone().argmax(2).into_data();
            let nats = loss::log_probabilities(logits, tokens(&targets, self.device)).into_data();
            let greedy: Vec<i64> = greedy.iter::<i64>().collect();
            let nats: Vec<f32> = nats.iter::<f32>().collect();
            for (row, &(request, _)) in rows.iter().enumerate() {
                let own = &requests[request].continuation;
                let at = row * longest..row * longest + own.len();
                // In f64: the rounding of a long sum would decide near ties.
                let ll = nats[at.clone()].iter().map(|&one| f64::from(one)).sum();
                let is_greedy = greedy[at]
                    .iter()
                    .zip(own)
                    .all(|(&best, &token)| best == i64::from(token));
                found[request] = Likelihood { ll, is_greedy };
            }
        }
    }

    /// Logits `[rows, longest - 1, vocab_size]` of the tokens after the first of each continuation; those behind its end have no
    /// effect on those before.
    fn rest(
        &self,
        rows: &[(usize, usize)],
        requests: &[Request],
        longest: usize,
        mut cache: Cache,
    ) -> Tensor<3> {
        let read: Vec<Vec<u32>> = rows
            .iter()
            .map(|&(request, _)| {
                let own = &requests[request].continuation;
                padded(&own[..own.len() - 1], longest - 1)
            })
            .collect();
        self.decoder.extend(tokens(&read, self.device), &mut cache)
    }
}

fn padded(ids: &[u32], length: usize) -> Vec<u32> {
    let mut all = ids.to_vec();
    all.resize(length, 0);
    all
}

impl Encoder for BenchmarkModel<'_> {
    fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
        self.tokenizer
            .encode(text)
            .map_err(|error| error.to_string())
    }

    fn decode(&self, ids: &[u32]) -> Result<String, String> {
        self.tokenizer
            .decode(ids)
            .map_err(|error| error.to_string())
    }

    fn start(&self) -> Option<u32> {
        self.start
    }

    fn end(&self) -> u32 {
        self.tokenizer.end()
    }
}

impl Model for BenchmarkModel<'_> {
    fn space(&self) -> usize {
        self.space
    }

    fn likelihoods(&mut self, requests: &[Request]) -> Result<Vec<Likelihood>, String> {
        // By length, then by context, so that the order does not depend on a hash.
        let mut contexts: BTreeMap<(usize, &[u32]), Vec<usize>> = BTreeMap::new();
        for (place, request) in requests.iter().enumerate() {
            let context = request.context.as_slice();
            let own = contexts.entry((context.len(), context)).or_default();
            own.push(place);
        }
        let contexts: Vec<(&[u32], Vec<usize>)> = contexts
            .into_iter()
            .map(|((_, context), places)| (context, places))
            .collect();
        let unknown = Likelihood {
            ll: f64::NAN,
            is_greedy: false,
        };
        let mut found = vec![unknown; requests.len()];
        for equal in contexts.chunk_by(|a, b| a.0.len() == b.0.len()) {
            for batch in equal.chunks(self.sequences) {
                self.check_interrupt()?;
                let own: Vec<&[u32]> = batch.iter().map(|(context, _)| *context).collect();
                let rows: Vec<(usize, usize)> = batch
                    .iter()
                    .enumerate()
                    .flat_map(|(context, (_, places))| {
                        places.iter().map(move |&place| (place, context))
                    })
                    .collect();
                self.after(&own, &rows, requests, &mut found);
            }
        }
        if let Some(place) = found.iter().position(|one| !one.ll.is_finite()) {
            return Err(format!(
                "the likelihood of request {place} is not finite; the weights are not usable"
            ));
        }
        Ok(found)
    }

    fn generate(
        &mut self,
        prompts: &[Prompt],
        stop: &[String],
        sampling: Option<Sampling>,
    ) -> Result<Vec<Vec<u32>>, String> {
        let mut by_length: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (place, prompt) in prompts.iter().enumerate() {
            by_length
                .entry(prompt.tokens.len())
                .or_default()
                .push(place);
        }
        let mut found = vec![Vec::new(); prompts.len()];
        for places in by_length.values() {
            for places in places.chunks(self.sequences) {
                self.check_interrupt()?;
                let batch: Vec<&[u32]> = places
                    .iter()
                    .map(|&place| prompts[place].tokens.as_slice())
                    .collect();
                let most: Vec<usize> = places.iter().map(|&at| prompts[at].max_tokens).collect();
                let streams = places.iter().map(|&at| prompts[at].stream.as_str());
                let mut texts = Texts {
                    tokenizer: self.tokenizer,
                    stop,
                    // A token has a byte at least, and one of a stop text may have bytes of other text before and behind.
                    tail: stop.iter().map(String::len).max().unwrap_or(0) + 1,
                    sampling,
                    streams: streams.collect(),
                };
                let own = generate(self.decoder, self.device, &batch, &most, &mut texts)?;
                for (&place, tokens) in places.iter().zip(own) {
                    found[place] = tokens;
                }
            }
        }
        Ok(found)
    }
}

/// The most probable or sampled tokens, up to the end of the text or a stop text.
struct Texts<'a> {
    tokenizer: &'a Tokenizer,
    stop: &'a [String],
    /// Tokens in which a stop text is looked for.
    tail: usize,
    sampling: Option<Sampling>,
    /// Of each sequence.
    streams: Vec<&'a str>,
}

impl Continuing for Texts<'_> {
    fn choose(&mut self, sequence: usize, position: usize, logits: &[f32]) -> u32 {
        match self.sampling {
            None => most_probable(logits),
            Some(sampling) => {
                let mut random = random::stream(SEED, self.streams[sequence], position as u64);
                sampled(logits, sampling, random.random_range(0.0..1.0))
            }
        }
    }

    fn is_complete(&mut self, _: usize, generated: &[u32]) -> Result<bool, String> {
        if generated.last() == Some(&self.tokenizer.end()) {
            return Ok(true);
        }
        let tail = &generated[generated.len().saturating_sub(self.tail)..];
        let text = self
            .tokenizer
            .decode(tail)
            .map_err(|error| error.to_string())?;
        Ok(self.stop.iter().any(|stop| text.contains(stop.as_str())))
    }
}

#[cfg(test)]
mod tests;
