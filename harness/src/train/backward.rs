//! Loss and gradients of one batch, computed in parts.
//!
//! `accumulate` parts are computed one after the other, so that the activations of one part are in memory at a time. Each is
//! divided into `micro_batches` parts that are computed in parallel, each on its own fork of the parameters, so that small
//! models, whose single operations are too short to be parallelised, also use every core. Gradients are averaged in the
//! order of the parts: the result depends on their number, but not on the number of threads.
//!
//! On several ranks dense gradients are summed over them and divided among them ([`divided`]), once when all parts are summed, or with
//! `zero_stage` 2 after each part in sequence; with recomputation those of each segment as soon as its backward pass ends.

use std::ops::Range;

use architectures::{Decoder, TableGradient, loss};
use experiment::training::{Division, Recompute};
use rayon::prelude::*;

use super::batches::Batch;
use super::gradients::{Gradients, TableGradients, append_tables};
use super::own_gradients::OwnSums;
use super::{dense_gradients, segments, step};

/// Losses and gradients of `batch`, divided into parts of whole sequences; on several ranks, the contribution of `batch` to those of
/// the whole batch.
pub fn backward(decoder: &Decoder, batch: Batch, division: Division) -> Gradients {
    sum_of_parts(decoder, batch, division, None)
}

/// As [`backward`], with the dense gradients in `own`, summed over its ranks, and none in the result.
pub fn divided(
    decoder: &Decoder,
    batch: Batch,
    division: Division,
    own: &mut OwnSums,
) -> Gradients {
    if division.zero_stage.divides_gradients() {
        return sum_of_parts(decoder, batch, division, Some(own));
    }
    let mut sum = sum_of_parts(decoder, batch, division, None);
    own.add_all(decoder, std::mem::take(&mut sum.parameters.dense));
    sum
}

/// The losses of all parts and the sum of their gradients. Dense gradients are in `own` if it is given.
fn sum_of_parts(
    decoder: &Decoder,
    batch: Batch,
    division: Division,
    mut own: Option<&mut OwnSums>,
) -> Gradients {
    let sequences = batch.0.dims()[0];
    let of_all_ranks = (sequences * division.ranks) as f64;
    // Lookups in split tables are exchanges, which all ranks must make in the same order.
    let in_parallel =
        decoder.table_ranks().is_none() && (division.micro_batches > 1 || own.is_none());
    // Parts in parallel would exchange in no fixed order.
    let by_segment = !in_parallel && division.recompute != Recompute::None;
    let one = |range: Range<usize>, own: Option<&mut OwnSums>| {
        let share = range.len() as f64 / of_all_ranks;
        differentiate(
            decoder,
            narrow(&batch, range),
            share,
            division.recompute,
            own,
        )
    };
    let mut sum = None;
    for part in parts(0..sequences, division.accumulate.max(1)) {
        let micro_batches = parts(part, division.micro_batches.max(1));
        if in_parallel {
            let micro_batches: Vec<Range<usize>> = micro_batches.collect();
            let micro_batches = micro_batches.into_par_iter();
            let of_part: Vec<Gradients> = micro_batches.map(|range| one(range, None)).collect();
            for gradients in of_part {
                add(decoder, &mut sum, gradients);
            }
        } else {
            for range in micro_batches {
                let own = own.as_deref_mut().filter(|_| by_segment);
                add(decoder, &mut sum, one(range, own));
            }
        }
        if !by_segment && let (Some(own), Some(sum)) = (own.as_deref_mut(), &mut sum) {
            own.add_all(decoder, std::mem::take(&mut sum.parameters.dense));
        }
        if division.accumulate > 1
            && let Some(sum) = &mut sum
        {
            bound_entries(&mut sum.parameters.tables);
        }
    }
    match sum {
        Some(sum) => sum,
        None => unreachable!("there is at least one part"),
    }
}

/// `range` in `count` consecutive parts, whose lengths differ by at most one.
pub(super) fn parts(range: Range<usize>, count: usize) -> impl Iterator<Item = Range<usize>> {
    let (first, len) = (range.start, range.len());
    (0..count).map(move |part| first + part * len / count..first + (part + 1) * len / count)
}

/// The sequences `range` of a batch.
fn narrow((inputs, targets): &Batch, range: Range<usize>) -> Batch {
    let targets = targets.clone().narrow(0, range.start, range.len());
    (inputs.sequences(range), targets)
}

/// Loss and gradients of one part, scaled by its share of the batch. Dense gradients are in `own` if it is given, which it is with
/// recomputation alone.
fn differentiate(
    decoder: &Decoder,
    batch: Batch,
    share: f64,
    recompute: Recompute,
    own: Option<&mut OwnSums>,
) -> Gradients {
    let [sequences, seq_len] = batch.0.dims();
    let (config, tokens) = (decoder.config(), sequences * seq_len);
    let in_pieces = loss::rows_of_piece(tokens, config.vocab_size) < tokens;
    match recompute == Recompute::None && !in_pieces {
        true => {
            let (device, (inputs, targets)) = (batch.0.device(), batch);
            step::differentiate(decoder, &device, share, |decoder, pass| {
                loss::cross_entropy(decoder.forward(inputs, pass), targets)
            })
        }
        false => {
            let layers = recompute.segment_layers(config.n_layers);
            segments::differentiate(decoder, batch, share, layers, own)
        }
    }
}

/// Appends the losses of `part` to those of `sum` and adds its gradients; `sum` is none before the first part.
fn add(decoder: &Decoder, sum: &mut Option<Gradients>, part: Gradients) {
    let Some(sum) = sum else {
        *sum = Some(part);
        return;
    };
    let (parameters, added) = (&mut sum.parameters, part.parameters);
    let dense = std::mem::take(&mut parameters.dense);
    parameters.dense = dense_gradients::add(decoder, dense, added.dense);
    append_tables(&mut parameters.tables, added.tables);
    parameters.statistics.merge(&added.statistics);
    sum.losses.append(part.losses);
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
