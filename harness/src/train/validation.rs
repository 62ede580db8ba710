//! Validation loss, and usage of slots and experts, on the held-out set.

use architectures::{Decoder, Pass, Usage, host_copy};
use burn::tensor::Device;
use suites::{Dataset, SuiteError};

use super::batches;
use super::state::Validated;
use experiment::training::TrainingConfig;

/// Ranges of the validation windows, one per batch.
fn windows(
    decoder: &Decoder,
    training: &TrainingConfig,
    dataset: &Dataset,
) -> Vec<std::ops::Range<u64>> {
    let seq_len = decoder.config().seq_len;
    // The last target of a window is the token after it, which must not wrap around to the start of the set.
    let available = (dataset.held_out.len().saturating_sub(1) / seq_len) as u64;
    let wanted = (training.validation_tokens / seq_len).max(1) as u64;
    let windows = available.min(wanted);
    // As many sequences at a time as a part of a training step has.
    let batch = training.batch_size.div_ceil(training.accumulate) as u64;
    (0..windows)
        .step_by(batch as usize)
        .map(|start| start..windows.min(start + batch))
        .collect()
}

/// Loss and usage on the held-out set.
pub struct Validation {
    /// Mean loss, nats per token, and the number of tokens averaged.
    pub validated: Validated,
    /// Usage of slots and experts, one entry per layer and unit.
    pub usage: Vec<Usage>,
}

/// Evaluates `decoder` on the held-out set.
///
/// # Errors
/// If the token file is damaged or not accessible.
pub fn validate(
    decoder: &Decoder,
    training: &TrainingConfig,
    dataset: &Dataset,
    device: &Device,
) -> Result<Validation, SuiteError> {
    let seq_len = decoder.config().seq_len;
    let (mut sum, mut tokens) = (0.0, 0);
    let mut total: Vec<Usage> = Vec::new();
    for range in windows(decoder, training, dataset) {
        let count = (range.end - range.start) * seq_len as u64;
        let (inputs, targets) = batches::windows(&dataset.held_out, range, seq_len, device)?;
        let mut pass = Pass::observation();
        let loss = decoder.loss(inputs, targets, &mut pass);
        sum += f64::from(host_copy::number(loss)) * count as f64;
        tokens += count;
        let usage = pass.into_usage();
        if total.is_empty() {
            total = usage;
        } else {
            for (sum, usage) in total.iter_mut().zip(&usage) {
                sum.merge(usage);
            }
        }
    }
    Ok(Validation {
        validated: Validated {
            loss: sum / tokens as f64,
            tokens,
        },
        usage: total,
    })
}
