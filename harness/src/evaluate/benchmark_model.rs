//! A decoder with its tokenizer as a `benchmarks::model::Model`.
//!
//! Where it costs less, a context is read once, and the continuations that share it are scored after its cached keys and values; contexts
//! of equal length are batched, so that no padding precedes a continuation. Other continuations are scored in passes over whole sequences.
//! Results do not depend on the batch but for the rounding of matrix products.

use std::collections::BTreeMap;

use architectures::{Decoder, Pass, loss};
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

/// Cost of a token after cached keys and values, relative to one in a pass over whole sequences: measured at a width of 96 on two cores.
const COST_AFTER_CACHE: usize = 5;

/// Most logits of one pass over whole sequences.
const MAX_LOGITS: usize = 1 << 25;

/// Sequences evaluated at a time: enough to use all cores, with less memory than training requires.
pub const SEQUENCES_AT_ONCE: usize = 64;

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
        (requests, greedy): (&[Request], bool),
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
            let continuations: Vec<&[u32]> = rows
                .iter()
                .map(|&(request, _)| requests[request].continuation.as_slice())
                .collect();
            let first: Vec<Sequence> = continuations.iter().map(|own| (&own[..1], 0)).collect();
            let logits = last
                .clone()
                .select(0, self.indices(&places))
                .unsqueeze_dim(1);
            let mut scored = self.scored(logits, &first, greedy);
            if continuations.iter().any(|own| own.len() > 1) {
                let read: Vec<&[u32]> = continuations
                    .iter()
                    .map(|own| &own[..own.len() - 1])
                    .collect();
                let read = padded(&read);
                let rest: Vec<Sequence> = continuations.iter().map(|own| (&own[1..], 0)).collect();
                let mut cache = cache.select(&places);
                let logits = self.decoder.extend(tokens(&read, self.device), &mut cache);
                for (one, more) in scored.iter_mut().zip(self.scored(logits, &rest, greedy)) {
                    one.ll += more.ll;
                    one.is_greedy = one
                        .is_greedy
                        .zip(more.is_greedy)
                        .map(|(start, rest)| start && rest);
                }
            }
            for (&(request, _), likelihood) in rows.iter().zip(scored) {
                found[request] = likelihood;
            }
        }
    }

    /// Likelihoods of the requests at `places` in passes over their whole sequences.
    fn in_whole(
        &self,
        places: &[usize],
        (requests, greedy): (&[Request], bool),
        found: &mut [Likelihood],
    ) -> Result<(), String> {
        let length = |place: usize| {
            let request: &Request = &requests[place];
            request.context.len() + request.continuation.len()
        };
        let mut left = places.to_vec();
        left.sort_by_key(|&place| (length(place), place));
        let mut left = left.as_slice();
        while let Some(&longest) = left.last() {
            self.check_interrupt()?;
            // From the longest on, so that the number of logits is known.
            let rows = MAX_LOGITS / (length(longest) * self.tokenizer.vocab_size());
            let rows = rows.clamp(1, self.sequences).min(left.len());
            let (before, batch) = left.split_at(left.len() - rows);
            left = before;
            let sequences: Vec<Vec<u32>> = batch
                .iter()
                .map(|&place| {
                    let request = &requests[place];
                    [request.context.as_slice(), &request.continuation].concat()
                })
                .collect();
            let read: Vec<&[u32]> = sequences.iter().map(|own| &own[..own.len() - 1]).collect();
            let targets: Vec<Sequence> = sequences
                .iter()
                .zip(batch)
                .map(|(own, &place)| (&own[1..], requests[place].context.len() - 1))
                .collect();
            let read = tokens(&padded(&read), self.device);
            let logits = self.decoder.forward(read, &mut Pass::evaluation());
            for (&place, likelihood) in batch.iter().zip(self.scored(logits, &targets, greedy)) {
                found[place] = likelihood;
            }
        }
        Ok(())
    }

    /// The likelihood of each of `targets`, from its position on, under `logits [rows, seq, vocab_size]`; positions behind the end of a
    /// row have no effect.
    fn scored(&self, logits: Tensor<3>, targets: &[Sequence], greedy: bool) -> Vec<Likelihood> {
        let [_, length, _] = logits.dims();
        let best: Option<Vec<i64>> = greedy.then(|| {
            let best = logits.clone().argmax(2).into_data();
            best.iter::<i64>().collect()
        });
        let rows: Vec<&[u32]> = targets.iter().map(|(own, _)| *own).collect();
        let scored = tokens(&padded(&rows), self.device).on_device();
        let nats = loss::log_probabilities(logits, scored).into_data();
        let nats: Vec<f32> = nats.iter::<f32>().collect();
        let likelihood = |(row, (own, from)): (usize, &Sequence)| {
            let at = row * length + from..row * length + own.len();
            Likelihood {
                // In f64: the rounding of a long sum would decide near ties.
                ll: nats[at.clone()].iter().map(|&one| f64::from(one)).sum(),
                is_greedy: best.as_ref().map(|best| {
                    let mut pairs = best[at].iter().zip(&own[*from..]);
                    pairs.all(|(&best, &token)| best == i64::from(token))
                }),
            }
        };
        targets.iter().enumerate().map(likelihood).collect()
    }
}

/// Tokens, and the first of them that is scored.
type Sequence<'a> = (&'a [u32], usize);

/// Whether continuations of these lengths are scored after the cached keys and values of their context, rather than in passes over whole
/// sequences. A token costs more after a cache; it depends on the requests of one context alone, so that a result does not depend on others.
fn shares(context: usize, continuations: &[usize]) -> bool {
    let read: usize = continuations.iter().map(|own| own - 1).sum();
    (continuations.len() - 1) * context > (COST_AFTER_CACHE - 1) * read
}

/// Rows of equal length: what is behind the end of a row has no effect on what is before it.
fn padded(rows: &[&[u32]]) -> Vec<Vec<u32>> {
    let longest = rows.iter().map(|own| own.len()).max().unwrap_or(0);
    let row = |own: &&[u32]| {
        let mut all = own.to_vec();
        all.resize(longest, 0);
        all
    };
    rows.iter().map(row).collect()
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

    fn likelihoods(
        &mut self,
        requests: &[Request],
        greedy: bool,
    ) -> Result<Vec<Likelihood>, String> {
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
            is_greedy: None,
        };
        let mut found = vec![unknown; requests.len()];
        let (shared, alone): (Vec<_>, Vec<_>) = contexts.into_iter().partition(|(context, own)| {
            let lengths = own.iter().map(|&place| requests[place].continuation.len());
            shares(context.len(), &lengths.collect::<Vec<_>>())
        });
        let alone: Vec<usize> = alone.into_iter().flat_map(|(_, places)| places).collect();
        self.in_whole(&alone, (requests, greedy), &mut found)?;
        for equal in shared.chunk_by(|a, b| a.0.len() == b.0.len()) {
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
                self.after(&own, &rows, (requests, greedy), &mut found);
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
