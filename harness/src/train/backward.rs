//! Loss and gradients of one batch, computed in parts.
//!
//! `accumulate` parts are computed one after the other, so that the activations of one part are in memory at a time. Each is
//! divided into `micro_batches` parts that are computed in parallel, each on its own fork of the parameters, so that small
//! models, whose single operations are too short to be parallelised, also use every core. Gradients are averaged in the
//! order of the parts: the result depends on their number, but not on the number of threads.

use std::ops::Range;

use architectures::{Decoder, TableGradient, host_copy, loss};
use burn::tensor::{Int, Tensor};
use experiment::training::{Division, Recompute};
use rayon::prelude::*;

use super::batches::Batch;
use super::step::{self, ParameterGradients, TableGradients};
use super::{dense_gradients, segments};

/// Loss and gradients of one batch.
pub struct BatchGradients {
    /// Mean negative log-likelihood, nats per token.
    pub loss: f64,
    /// Sum of the blocks' weighted auxiliary losses.
    pub auxiliary_loss: f64,
    /// Gradients of the parameters, one entry per table; statistics summed over the batch.
    pub parameters: ParameterGradients,
}

/// Mean loss and gradients of `batch`, divided into parts of whole sequences; on several ranks, the contribution of `batch` to those of
/// the whole batch.
pub fn backward(decoder: &Decoder, batch: Batch, division: Division) -> BatchGradients {
    let own = batch.0.dims()[0];
    let sequences = own * division.ranks;
    let mut sum: Option<BatchGradients> = None;
    for part in parts(0..own, division.accumulate) {
        let micro_batches: Vec<Range<usize>> = parts(part, division.micro_batches).collect();
        let one = |range: Range<usize>| {
            let share = range.len() as f64 / sequences as f64;
            differentiate(decoder, narrow(&batch, range), share, division.recompute)
        };
        let of_part: Vec<BatchGradients> = match decoder.table_ranks() {
            None => micro_batches.into_par_iter().map(one).collect(),
            // Lookups in split tables are exchanges, which all ranks must make in the same order.
            Some(_) => micro_batches.into_iter().map(one).collect(),
        };
        for gradients in of_part {
            sum = Some(match sum {
                Some(sum) => add(decoder, sum, gradients),
                None => gradients,
            });
        }
        if division.accumulate > 1
            && let Some(sum) = &mut sum
        {
            bound_entries(&mut sum.parameters.tables);
        }
    }
    match sum {
        Some(sum) => sum,
        None => {
            let share = own as f64 / sequences as f64;
            differentiate(decoder, batch, share, division.recompute)
        }
    }
}

/// `range` in `count` consecutive parts, whose lengths differ by at most one.
pub(super) fn parts(range: Range<usize>, count: usize) -> impl Iterator<Item = Range<usize>> {
    let (first, len) = (range.start, range.len());
    (0..count).map(move |part| first + part * len / count..first + (part + 1) * len / count)
}

/// The sequences `range` of a batch.
fn narrow((inputs, targets): &Batch, range: Range<usize>) -> Batch {
    let of = |whole: &Tensor<2, Int>| whole.clone().narrow(0, range.start, range.len());
    (of(inputs), of(targets))
}

/// Loss and gradients of one part, scaled by its share of the batch.
fn differentiate(
    decoder: &Decoder,
    batch: Batch,
    share: f64,
    recompute: Recompute,
) -> BatchGradients {
    let [sequences, seq_len] = batch.0.dims();
    let (config, tokens) = (decoder.config(), sequences * seq_len);
    let in_pieces = loss::rows_of_piece(tokens, config.vocab_size) < tokens;
    let part = match recompute == Recompute::None && !in_pieces {
        true => {
            let (device, (inputs, targets)) = (batch.0.device(), batch);
            step::differentiate(decoder, &device, share, |decoder, pass| {
                loss::cross_entropy(decoder.forward(inputs, pass), targets)
            })
        }
        false => {
            let layers = recompute.segment_layers(config.n_layers);
            segments::differentiate(decoder, batch, share, layers)
        }
    };
    let losses = host_copy::numbers([part.loss].into_iter().chain(part.auxiliary_loss).collect());
    BatchGradients {
        loss: f64::from(losses[0]),
        auxiliary_loss: losses.get(1).copied().map_or(0.0, f64::from),
        parameters: part.parameters,
    }
}

/// The sum of the losses and gradients of two parts.
fn add(decoder: &Decoder, sum: BatchGradients, part: BatchGradients) -> BatchGradients {
    let (mut parameters, added) = (sum.parameters, part.parameters);
    parameters.dense = dense_gradients::add(decoder, parameters.dense, added.dense);
    step::append_tables(&mut parameters.tables, added.tables);
    parameters.statistics.merge(&added.statistics);
    BatchGradients {
        loss: sum.loss + part.loss,
        auxiliary_loss: sum.auxiliary_loss + part.auxiliary_loss,
        parameters,
    }
}

/// Sums entries of table gradients by row where those of the parts so far need more memory than their rows.
fn bound_entries(tables: &mut TableGradients) {
    for (table, parts) in tables {
        let entries = std::mem::take(parts);
        *parts = TableGradient::bounded(entries, table.rows(), table.columns().len());
    }
}

#[cfg(test)]
mod split_tables;
#[cfg(test)]
mod tests;
