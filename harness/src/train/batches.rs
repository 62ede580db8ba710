//! Training and validation batches. The tokens of a training batch depend on seed, step and position only, and not on the number of
//! ranks that share it.

use architectures::TokenIds;
use burn::tensor::{Device, Int, Tensor, TensorData};
use corpora::Tokens;
use experiment::training::SHUFFLE_BLOCK;
use rand::seq::SliceRandom;
use random::stream;
use suites::SuiteError;

/// Inputs, which blocks may read on the host, and next-token targets, `[batch, seq]` each.
pub type Batch = (TokenIds, Tensor<2, Int>);

/// The sequences `places` of the data order: windows of the token stream, permuted within blocks of [`SHUFFLE_BLOCK`] windows by
/// `seed`.
///
/// # Errors
/// If the token file is damaged or not accessible.
pub fn training(
    tokens: &impl Tokens,
    seed: u64,
    places: std::ops::Range<u64>,
    seq: usize,
    device: &Device,
) -> Result<Batch, SuiteError> {
    let windows = places.map(|place| {
        let block = place / SHUFFLE_BLOCK;
        let mut order: Vec<u64> = (0..SHUFFLE_BLOCK).collect();
        order.shuffle(&mut stream(seed, "order", block));
        block * SHUFFLE_BLOCK + order[(place % SHUFFLE_BLOCK) as usize]
    });
    gather(tokens, windows.collect(), seq, device)
}

/// The windows `range` of the token stream, in order.
///
/// # Errors
/// If the token file is damaged or not accessible.
pub fn windows(
    tokens: &impl Tokens,
    range: std::ops::Range<u64>,
    seq: usize,
    device: &Device,
) -> Result<Batch, SuiteError> {
    gather(tokens, range.collect(), seq, device)
}

/// Inputs and targets of windows of `seq` tokens; targets are the inputs shifted by one token.
fn gather(
    tokens: &impl Tokens,
    windows: Vec<u64>,
    seq: usize,
    device: &Device,
) -> Result<Batch, SuiteError> {
    let batch = windows.len();
    let (mut inputs, mut targets) = (
        Vec::with_capacity(batch * seq),
        Vec::with_capacity(batch * seq),
    );
    for window in windows {
        let window = tokens.window(window * seq as u64, seq + 1)?;
        inputs.extend(window[..seq].iter().map(|&token| i64::from(token)));
        targets.extend(window[1..].iter().map(|&token| i64::from(token)));
    }
    let shape = [batch, seq];
    let targets = Tensor::from_data(TensorData::new(targets, shape), device);
    Ok((TokenIds::from_host(inputs, shape, device), targets))
}

#[cfg(test)]
mod tests {
    use super::*;
    use experiment::training::stream_tokens;
    use std::collections::BTreeSet;

    #[test]
    fn a_shuffled_block_has_each_window_once_in_an_order_that_depends_on_the_seed() {
        let folder = tempfile::tempdir().unwrap();
        let config = suites::SuitesConfig {
            world: None,
            functions: None,
            bios: None,
            ..suites::SuitesConfig::default()
        };
        let dataset = suites::Dataset::prepare(
            &config,
            0,
            300,
            stream_tokens(SHUFFLE_BLOCK * 4, 4),
            folder.path(),
        )
        .unwrap();
        let device = Device::flex();
        let whole: BTreeSet<Vec<i64>> = (0..SHUFFLE_BLOCK)
            .map(|window| values(windows(&dataset.train, window..window + 1, 4, &device)))
            .collect();
        let read = |seed| -> Vec<Vec<i64>> {
            (0..SHUFFLE_BLOCK)
                .map(|step| values(training(&dataset.train, seed, step..step + 1, 4, &device)))
                .collect()
        };
        assert_eq!(read(0).into_iter().collect::<BTreeSet<_>>(), whole);
        assert_ne!(read(0), read(1));
    }

    fn values(batch: Result<Batch, SuiteError>) -> Vec<i64> {
        let (inputs, targets) = batch.unwrap();
        let both = Tensor::cat(vec![inputs.on_device(), targets], 0);
        both.into_data().iter::<i64>().collect()
    }
}
