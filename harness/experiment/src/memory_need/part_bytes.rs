//! Bytes of the parts of a batch that are computed at once.

use architectures::loss::rows_of_piece;
use architectures::{Activations, Part};

use super::{Bytes, Formats, GRADIENT};
use crate::plan::Run;
use crate::training::Division;

/// Bytes of the parts that are computed at once.
pub(super) struct PartBytes {
    /// Activations of the last segment, inputs of all, head and logits.
    pub head: Bytes,
    /// Activations of the last segment and inputs of all.
    pub last: Bytes,
    /// Activations of the first segment, or of the first layer if all activations are stored; inputs of all segments.
    pub first: Bytes,
}

/// Those of one micro-batch of `run`.
pub(super) fn part_bytes(
    run: &Run,
    layers: &[Activations],
    formats: Formats,
    division: Division,
) -> PartBytes {
    let (decoder, widths) = (&run.model.decoder, formats.widths());
    let sequences = run.training.batch_size.div_ceil(division.ranks);
    let sequences = sequences.div_ceil(division.accumulate);
    let tokens = sequences.div_ceil(division.micro_batches) * decoder.seq_len;
    let of_segment = division.recompute.segment_layers(layers.len()).max(1);
    // Outputs of products in one layer, of the average layer.
    let outputs = run.cost.matmul.saturating_add(run.cost.lookup) / (2 * decoder.d_model as u64);
    let outputs = outputs.saturating_sub(decoder.vocab_size as u64) / layers.len().max(1) as u64;
    // Bytes of a token.
    let stored = |layers: &[Activations]| {
        let numbers = layers.iter().map(|layer| layer.stored);
        let numbers = numbers.fold(0, u64::saturating_add);
        let of_products = outputs.saturating_mul(layers.len() as u64).min(numbers);
        numbers.saturating_mul(4) - widths.saved_of_product * of_products
    };
    let mut segments = layers.chunks(of_segment);
    let inputs = 4 * (segments.len().saturating_sub(1) * decoder.d_model) as u64;
    let last = segments.next_back().map_or(0, stored);
    let first = match segments.next() {
        Some(first) => stored(first),
        None => layers.get(..1).map_or(0, stored),
    };
    let bytes = |of_token: u64| of_token.saturating_mul(tokens as u64);
    let rows = rows_of_piece(tokens, decoder.vocab_size);
    let logits = widths.logit * (rows as u64 * decoder.vocab_size as u64);
    // With the gradients of the pieces before, if there are several.
    let sums = if rows < tokens { 2 } else { 1 };
    let of_head = sums * GRADIENT * (decoder.vocab_size as u64 * decoder.d_model as u64);
    let head = 4 * Part::Head.activations(decoder).stored;
    PartBytes {
        head: bytes(last.saturating_add(inputs).saturating_add(head))
            .saturating_add(logits)
            .saturating_add(of_head),
        last: bytes(last.saturating_add(inputs)),
        first: bytes(first.saturating_add(inputs)),
    }
}
