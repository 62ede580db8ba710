//! Batches by counter: step and place alone say which tokens.

use burn::tensor::{Device, Int, Tensor, TensorData};
use suites::TokenFile;

/// Inputs and next-token targets, `[batch, seq]` each.
pub type Batch = (Tensor<2, Int>, Tensor<2, Int>);

/// The batch of zero-based `step`: consecutive windows of the stream, which wraps around at its end.
pub fn training(
    tokens: &TokenFile,
    step: usize,
    batch: usize,
    seq: usize,
    device: &Device,
) -> Batch {
    let first = step as u64 * batch as u64;
    windows(tokens, first..first + batch as u64, seq, device)
}

/// Windows `range` of `seq` tokens, each with its targets one token on.
pub fn windows(
    tokens: &TokenFile,
    range: std::ops::Range<u64>,
    seq: usize,
    device: &Device,
) -> Batch {
    let batch = (range.end - range.start) as usize;
    let (mut inputs, mut targets) = (
        Vec::with_capacity(batch * seq),
        Vec::with_capacity(batch * seq),
    );
    for window in range {
        let window = tokens.window(window * seq as u64, seq + 1);
        inputs.extend(window[..seq].iter().map(|&token| i64::from(token)));
        targets.extend(window[1..].iter().map(|&token| i64::from(token)));
    }
    let tensor = |values| Tensor::from_data(TensorData::new(values, [batch, seq]), device);
    (tensor(inputs), tensor(targets))
}
