//! Generation with a key-value cache for a batch of prompts of equal length.
//!
//! On the CPU the batch is evaluated in parts of [`SEQUENCES_OF_PART`] sequences in parallel, as the micro-batches of training are:
//! the operations on one token of each sequence are too short to be parallelised. Parts do not depend on the number of threads.

use architectures::{Cache, Decoder, TokenIds, host_copy};
use benchmarks::task::Sampling;
use burn::tensor::Device;
use rayon::prelude::*;

/// Sequences of a part.
const SEQUENCES_OF_PART: usize = 32;

/// How texts are continued.
pub trait Continuing {
    /// The next token of a sequence, from its logits `[vocab_size]`, of which `position` preceded it in this call.
    fn choose(&mut self, sequence: usize, position: usize, logits: &[f32]) -> u32;

    /// Whether a sequence is complete, after a token was added to it.
    ///
    /// # Errors
    /// If that cannot be decided.
    fn is_complete(&mut self, sequence: usize, generated: &[u32]) -> Result<bool, String>;
}

/// The continuations of `prompts`, of equal lengths; sequence `i` has at most `most[i]` tokens.
///
/// # Errors
/// As [`Continuing::is_complete`].
pub fn generate(
    decoder: &Decoder,
    device: &Device,
    prompts: &[&[u32]],
    most: &[usize],
    continuing: &mut dyn Continuing,
) -> Result<Vec<Vec<u32>>, String> {
    let mut generated = vec![Vec::new(); prompts.len()];
    let mut unfinished: Vec<bool> = most.iter().map(|most| *most > 0).collect();
    // Lookups in split tables are exchanges, which all ranks must make in the same order.
    let in_parts = *device == Device::flex() && decoder.table_ranks().is_none();
    let size = match in_parts {
        true => SEQUENCES_OF_PART,
        false => prompts.len().max(1),
    };
    let sequences: Vec<usize> = (0..prompts.len()).collect();
    let mut parts: Vec<Part> = sequences
        .chunks(size)
        .map(|sequences| Part {
            sequences: sequences.to_vec(),
            next: sequences.iter().map(|&i| prompts[i].to_vec()).collect(),
            cache: decoder.cache(),
            is_new: true,
        })
        .collect();
    for position in 0.. {
        parts
            .iter_mut()
            .for_each(|part| part.remove_finished(&unfinished));
        parts.retain(|part| !part.sequences.is_empty());
        if parts.is_empty() {
            break;
        }
        let logits: Vec<(Vec<f32>, usize)> = parts
            .par_iter_mut()
            .map(|part| part.logits(decoder, device))
            .collect();
        for (part, (logits, vocab)) in parts.iter_mut().zip(logits) {
            for (&sequence, logits) in part.sequences.iter().zip(logits.chunks_exact(vocab)) {
                if !unfinished[sequence] {
                    part.next.push(vec![0]);
                    continue;
                }
                let token = continuing.choose(sequence, position, logits);
                part.next.push(vec![token]);
                let own: &mut Vec<u32> = &mut generated[sequence];
                own.push(token);
                unfinished[sequence] =
                    own.len() < most[sequence] && !continuing.is_complete(sequence, own)?;
            }
        }
    }
    Ok(generated)
}

/// Some sequences of a batch.
struct Part {
    /// Their numbers.
    sequences: Vec<usize>,
    /// What the decoder reads of each next.
    next: Vec<Vec<u32>>,
    cache: Cache,
    /// Whether the cache is empty.
    is_new: bool,
}

impl Part {
    /// Logits `[sequences, vocab_size]` after the next tokens, and `vocab_size`.
    fn logits(&mut self, decoder: &Decoder, device: &Device) -> (Vec<f32>, usize) {
        let next = tokens(&self.next, device);
        let logits = decoder.extend_to_last(next, &mut self.cache);
        self.is_new = false;
        self.next.clear();
        let [_, vocab] = logits.dims();
        (host_copy::floats(logits), vocab)
    }

    /// Removes finished sequences where they are at least half of the part: removing them copies the cache.
    fn remove_finished(&mut self, unfinished: &[bool]) {
        let places: Vec<usize> = (0..self.sequences.len())
            .filter(|&place| unfinished[self.sequences[place]])
            .collect();
        if 2 * places.len() > self.sequences.len() {
            return;
        }
        if !self.is_new && !places.is_empty() {
            self.cache = self.cache.select(&places);
        }
        let next = places
            .iter()
            .map(|&place| std::mem::take(&mut self.next[place]));
        self.next = next.collect();
        self.sequences = places.iter().map(|&place| self.sequences[place]).collect();
    }
}

/// Tokens `[sequences, length]` of rows of equal length.
pub fn tokens(rows: &[Vec<u32>], device: &Device) -> TokenIds {
    let shape = [rows.len(), rows.first().map_or(0, Vec::len)];
    let ids = rows.iter().flatten().map(|&id| i64::from(id)).collect();
    TokenIds::from_host(ids, shape, device)
}

/// A token by its probability among the most probable ones whose probabilities sum to `top_p` (Holtzman et al. 2020).
///
/// # Arguments
/// * `uniform`: a number in [0, 1) that was drawn uniformly.
pub fn sampled(logits: &[f32], sampling: Sampling, uniform: f64) -> u32 {
    let best = f64::from(logits[most_probable(logits) as usize]);
    let mut weights: Vec<(usize, f64)> = logits
        .iter()
        .map(|&logit| ((f64::from(logit) - best) / sampling.temperature).exp())
        .enumerate()
        .collect();
    // Equally probable ones by their number, so that the choice does not depend on an order.
    weights.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let mut kept = 0.0;
    let n = weights.iter().position(|(_, weight)| {
        kept += weight;
        kept >= sampling.top_p * total
    });
    weights.truncate(n.map_or(weights.len(), |n| n + 1));
    let mut left = uniform * weights.iter().map(|(_, weight)| weight).sum::<f64>();
    for (token, weight) in &weights {
        left -= weight;
        if left < 0.0 {
            return *token as u32;
        }
    }
    weights.last().map_or(0, |(token, _)| *token as u32)
}

/// The place of the largest logit, the first of equals.
pub fn most_probable(logits: &[f32]) -> u32 {
    // The order of `f32::total_cmp` as that of integers, whose maximum needs one vector instruction for several of them.
    let key = |logit: f32| {
        let bits = logit.to_bits() as i32;
        bits ^ (((bits >> 31) as u32) >> 1) as i32
    };
    let best = logits
        .iter()
        .fold(i32::MIN, |best, &logit| best.max(key(logit)));
    let first = logits.iter().position(|&logit| key(logit) == best);
    first.unwrap_or(0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_largest_logits_is_chosen() {
        for (logits, expected) in [
            (vec![-2.0, -1.0, -1.5, -1.0], 1),
            (vec![-0.0, 0.0, 0.0], 1),
            (vec![1.0, f32::INFINITY, f32::MAX], 1),
            (vec![f32::NEG_INFINITY; 3], 0),
            (vec![3.0, f32::NAN, 5.0], 1),
            (Vec::new(), 0),
        ] {
            assert_eq!(most_probable(&logits), expected, "{logits:?}");
        }
    }

    #[test]
    fn a_nucleus_has_the_most_probable_tokens_in_proportion() {
        // Probabilities 0.5, 0.25, 0.125, 0.125.
        let logits: Vec<f32> = [0.125f32, 0.5, 0.125, 0.25].map(f32::ln).into();
        let draw = |temperature: f64, top_p: f64| -> Vec<usize> {
            let mut counts = vec![0; 4];
            for step in 0..8000 {
                let sampling = Sampling { temperature, top_p };
                counts[sampled(&logits, sampling, (f64::from(step) + 0.5) / 8000.0) as usize] += 1;
            }
            counts
        };
        assert_eq!(draw(1.0, 1.0), [1000, 4000, 1000, 2000]);
        // The first two sum to 0.75; 0.7 needs both.
        let two = draw(1.0, 0.7);
        assert!(
            (two[1] as i64 - 5333).abs() <= 1 && two[0] + two[2] == 0,
            "{two:?}"
        );
        assert_eq!(draw(1.0, 0.5), [0, 8000, 0, 0]);
        // At half the temperature probabilities are squared.
        let cold = draw(0.5, 1.0);
        assert!((cold[1] as i64 - 8000 * 16 / 22).abs() <= 1, "{cold:?}");
    }
}
