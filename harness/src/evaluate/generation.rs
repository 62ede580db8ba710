//! Generation with a key-value cache for a batch of prompts of equal length.

use architectures::Decoder;
use burn::tensor::{Device, Int, Tensor, TensorData};

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
    // Sequences of the rows of the batch.
    let mut rows: Vec<usize> = (0..prompts.len()).collect();
    let mut unfinished: Vec<bool> = most.iter().map(|most| *most > 0).collect();
    let mut cache = decoder.cache();
    let mut next: Vec<Vec<u32>> = prompts.iter().map(|prompt| prompt.to_vec()).collect();
    let mut position = 0;
    loop {
        let left = rows.iter().filter(|&&sequence| unfinished[sequence]);
        let left: Vec<usize> = left.copied().collect();
        if left.is_empty() {
            return Ok(generated);
        }
        // Finished sequences stay in the batch until they are its half: removing them copies the cache.
        if 2 * left.len() <= rows.len() {
            let places: Vec<i64> = (0..rows.len())
                .filter(|&row| unfinished[rows[row]])
                .map(|row| row as i64)
                .collect();
            if position > 0 {
                let shape = [places.len()];
                let places = Tensor::from_data(TensorData::new(places.clone(), shape), device);
                cache = cache.select(places);
            }
            next = places
                .iter()
                .map(|&row| std::mem::take(&mut next[row as usize]))
                .collect();
            rows = left;
        }
        let logits = decoder.extend_to_last(tokens(&next, device), &mut cache);
        let [_, vocab] = logits.dims();
        let logits: Vec<f32> = logits.into_data().iter::<f32>().collect();
        next.clear();
        for (&sequence, logits) in rows.iter().zip(logits.chunks_exact(vocab)) {
            let token = match unfinished[sequence] {
                true => continuing.choose(sequence, position, logits),
                false => 0,
            };
            next.push(vec![token]);
            if unfinished[sequence] {
                let own: &mut Vec<u32> = &mut generated[sequence];
                own.push(token);
                unfinished[sequence] =
                    own.len() < most[sequence] && !continuing.is_complete(sequence, own)?;
            }
        }
        position += 1;
    }
}

/// Tokens `[sequences, length]` of rows of equal length.
pub fn tokens(rows: &[Vec<u32>], device: &Device) -> Tensor<2, Int> {
    let shape = [rows.len(), rows.first().map_or(0, Vec::len)];
    let ids: Vec<i64> = rows.iter().flatten().map(|&id| i64::from(id)).collect();
    Tensor::from_data(TensorData::new(ids, shape), device)
}

/// The place of the largest logit, the first of equals.
pub fn most_probable(logits: &[f32]) -> u32 {
    let best = (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]).then(b.cmp(&a)));
    best.unwrap_or(0) as u32
}
