//! Bytes of the gradients of dense parameters, and of their copies in the format of products, at the moments of a step.
//!
//! ```text
//!                             whole gradients                        gradients divided among n ranks
//! kept from part to part      4 P with accumulation                  4 P / n
//! backward pass of a part     4 P for each micro-batch               4 S, for the largest segment's S
//! exchange                    4 P + 2 E                              12 S: gradients, the copy that is sent, and what is received
//! update                      as before it                           8 P / n + 2 E: gradients, updated elements, and what is gathered
//! ```
//!
//! Without recomputation, and with micro-batches in parallel, the gradients of a part are exchanged after its backward pass: `S = P`, for each
//! micro-batch. The gradient of a tied embedding is kept from the head to the first layers. `E` are the bytes of parameters that are exchanged
//! at a time: 64 MiB, or those of the largest parameter, which is taken to be the embedding. On one rank nothing is exchanged.

use architectures::ConfigError;

use super::{Bytes, GRADIENT};
use crate::communication::BUCKET_BYTES;
use crate::plan::Run;
use crate::training::{Division, Recompute};

/// Bytes of gradients of dense parameters, and of copies of these.
pub(super) struct DenseBytes {
    /// Copies in the format of products, of those that the backward pass needs at once.
    pub copies: Bytes,
    /// Sums of the parts before, in the head's backward pass.
    pub before: Bytes,
    /// Sums, and gradients of the segments before, in the backward pass of a segment, with the segment's own.
    pub backward: Bytes,
    /// While the gradients of the head are exchanged, beside the activations of the last segment; zero if they are not.
    pub exchange_of_head: Bytes,
    /// While the gradients of a segment are exchanged; zero if they are not.
    pub exchange: Bytes,
    /// In the update.
    pub update: Bytes,
    /// What one backward pass allocates and frees.
    pub freed: Bytes,
}

/// Those of a rank.
///
/// # Errors
/// If the model's configuration is invalid.
pub(super) fn dense_bytes(
    run: &Run,
    weight_copy: Bytes,
    division: Division,
) -> Result<DenseBytes, ConfigError> {
    let (decoder, dense) = (&run.model.decoder, run.cost.params_dense);
    let matrix = (decoder.vocab_size as u64).saturating_mul(decoder.d_model as u64);
    let layers = run.model.dense_parameters_of_layers()?;
    let of_segment = division.recompute.segment_layers(layers.len()).max(1);
    let segments = layers.chunks(of_segment);
    let segments: Vec<u64> = segments
        .map(|layers| layers.iter().copied().fold(0, u64::saturating_add))
        .collect();
    let largest = segments.iter().copied().max().unwrap_or(0);
    let micro_batches = division.micro_batches as u64;
    // Matrices, of which a norm of a layer is a small part.
    let copied = match division.recompute {
        Recompute::None => dense,
        Recompute::Every(_) => largest.max(matrix).min(dense),
    };
    let copies = weight_copy
        .saturating_mul(copied)
        .saturating_mul(micro_batches);
    let whole = GRADIENT.saturating_mul(dense);
    let concurrent = whole.saturating_mul(micro_batches);
    let divides = division.ranks > 1 && division.zero_stage.divides_gradients();
    let accumulated = |sum| if division.accumulate > 1 { sum } else { 0 };
    let of_matrix = GRADIENT.saturating_mul(matrix);
    let exchanged = whole.min(of_matrix.max(BUCKET_BYTES)).saturating_mul(2);
    let own = whole.div_ceil(division.ranks as u64);
    let update = own.saturating_mul(2).saturating_add(exchanged);
    if !divides {
        let before = accumulated(whole);
        let all = concurrent.saturating_add(before);
        let (exchange, update) = match division.ranks {
            1 => (0, all),
            _ => (whole.saturating_add(exchanged), update.max(all)),
        };
        return Ok(DenseBytes {
            copies,
            before,
            backward: all,
            exchange_of_head: 0,
            exchange,
            update,
            freed: whole / 2,
        });
    }
    let in_parallel = micro_batches > 1 && run.cost.lookups == 0;
    if division.recompute == Recompute::None || in_parallel {
        let before = accumulated(own);
        return Ok(DenseBytes {
            copies,
            before,
            backward: concurrent.saturating_add(before),
            exchange_of_head: 0,
            exchange: whole.saturating_add(exchanged).saturating_add(own),
            update,
            freed: whole / 2,
        });
    }
    let (head, tied) = match decoder.tie_embeddings {
        true => (0, of_matrix),
        false => (of_matrix, 0),
    };
    // The first segment has the embedding's gradient too.
    let first = segments.first().copied().unwrap_or(0);
    let largest = largest.max(first.saturating_add(matrix)).min(dense);
    let largest = GRADIENT.saturating_mul(largest);
    let before = accumulated(own);
    let backward = own.saturating_add(tied).saturating_add(largest);
    Ok(DenseBytes {
        copies,
        before,
        backward,
        exchange_of_head: before.saturating_add(head.saturating_mul(3)),
        exchange: backward.saturating_add(largest.saturating_mul(2)),
        update,
        freed: largest / 2,
    })
}
