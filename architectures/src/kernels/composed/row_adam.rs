//! Lazy Adam on the rows of a step, free of races between entries.
//!
//! The host sorts the entries by row. A row's gradient is then a bag: the weighted sum of its entries' values. Rows with
//! similar numbers of entries are summed together, so that padding at most doubles the work; the entries of a row with
//! very many are summed in parts, whose sums are summed. The rows of a step are distinct, so writing them is free of races
//! too. The order of every sum depends on the ids alone: results are bit-for-bit repeatable where the backend's matrix
//! products are.

use std::ops::Range;

use burn::backend::tensor::{Device, FloatTensor, IndexingUpdateOp, IntTensor};
use burn::backend::{Backend, TensorMetadata, read_sync};

use super::Operand;
use super::layer::Moments;
use super::lookup::{bag, integers};
use crate::kernels::adam_step::AdamStep;

/// Most entries of one row that are summed at once.
const PART: usize = 1024;

/// The terms of the sums: `weights[entry] values[token of entry]`.
struct Entries<B: Backend> {
    /// `[tokens, width]`
    values: Operand<B>,
    /// `[entries + 1]`; the last is zero, for padding.
    weights: Operand<B>,
    per_token: usize,
    /// Entries, sorted by the row they belong to.
    order: Vec<usize>,
}

impl<B: Backend> Entries<B> {
    fn new(values: Operand<B>, weights: Operand<B>, per_token: usize, order: Vec<usize>) -> Self {
        let zero = Operand::zeros([1], &weights.device(), weights.0.dtype());
        Self {
            values,
            weights: Operand::cat(vec![weights, zero], 0),
            per_token,
            order,
        }
    }

    /// The sums of `groups`, ranges of the order, `[groups, width]`; at most `max_bytes` are gathered at once.
    fn sums(&self, groups: &[Range<usize>], max_bytes: usize) -> Operand<B> {
        let longest = groups.iter().map(Range::len).max().unwrap_or(0);
        if longest <= PART {
            return self.bag(groups, longest, max_bytes);
        }
        let mut parts = Vec::new();
        let wholes: Vec<Range<usize>> = groups
            .iter()
            .map(|group| {
                let first = parts.len();
                let starts = group.clone().step_by(PART);
                parts.extend(starts.map(|start| start..group.end.min(start + PART)));
                first..parts.len()
            })
            .collect();
        let sums = self.sums(&parts, max_bytes);
        let ones = Operand::zeros([parts.len()], &sums.device(), sums.0.dtype()) + 1.0;
        Self::new(sums, ones, 1, (0..parts.len()).collect()).sums(&wholes, max_bytes)
    }

    /// The sums of groups of at most `length` entries, each padded to `length`.
    fn bag(&self, groups: &[Range<usize>], length: usize, max_bytes: usize) -> Operand<B> {
        let padding = self.weights.dims::<1>()[0] - 1;
        let (mut entries, mut tokens) = (Vec::new(), Vec::new());
        for group in groups {
            let group = &self.order[group.clone()];
            entries.extend(group.iter().map(|&entry| entry as i64));
            tokens.extend(group.iter().map(|&entry| (entry / self.per_token) as i64));
            entries.resize(entries.len().next_multiple_of(length), padding as i64);
            tokens.resize(entries.len(), 0);
        }
        let device = self.values.device();
        let weights = self
            .weights
            .clone()
            .select(0, integers::<B>(entries, &device))
            .reshape([groups.len(), length]);
        let tokens = B::int_reshape(
            integers::<B>(tokens, &device),
            [groups.len(), length].into(),
        );
        Operand(bag::<B>(
            self.values.0.clone(),
            tokens,
            weights.0,
            max_bytes,
        ))
    }
}

/// Rows that are updated together, and the entries of each.
struct Batch {
    rows: Vec<i64>,
    groups: Vec<Range<usize>>,
}

/// The entries sorted by row, in batches of at most `limit` rows with similar numbers of entries.
fn batches(ids: &[i64], limit: usize) -> (Vec<usize>, Vec<Batch>) {
    let mut order: Vec<usize> = (0..ids.len()).collect();
    order.sort_by_key(|&entry| ids[entry]);
    let mut groups: Vec<Range<usize>> = Vec::new();
    for position in 0..order.len() {
        match groups.last_mut() {
            Some(group) if ids[order[group.start]] == ids[order[position]] => {
                group.end = position + 1
            }
            _ => groups.push(position..position + 1),
        }
    }
    let class = |group: &Range<usize>| group.len().next_power_of_two();
    groups.sort_by_key(class);
    let batches = groups
        .chunk_by(|a, b| class(a) == class(b))
        .flat_map(|alike| alike.chunks(limit))
        .map(|groups| Batch {
            rows: groups.iter().map(|group| ids[order[group.start]]).collect(),
            groups: groups.to_vec(),
        })
        .collect();
    (order, batches)
}

/// The entries, and the rows that are summed together so that a batch has at most `max_bytes`.
fn grouped<B: Backend>(
    ids: IntTensor<B>,
    weights: FloatTensor<B>,
    values: FloatTensor<B>,
    max_bytes: usize,
) -> (Entries<B>, Vec<Batch>) {
    let (values, weights) = (Operand::<B>(values), Operand::<B>(weights));
    let [tokens, width] = values.dims();
    let [_, per_token] = weights.dims();
    let ids = match read_sync(B::int_into_data(ids)) {
        Ok(ids) => ids.iter::<i64>().collect::<Vec<_>>(),
        Err(error) => {
            panic!("the ids of a table's gradient could not be copied to the host: {error}")
        }
    };
    let limit = (max_bytes / (width * values.0.dtype().size())).max(1);
    let (order, batches) = batches(&ids, limit);
    let weights = weights.reshape([tokens * per_token]);
    (Entries::new(values, weights, per_token, order), batches)
}

/// [`crate::kernels::LookupOps::row_sums`], with intermediates of a few times `max_bytes`.
pub fn row_sums<B: Backend>(
    ids: IntTensor<B>,
    weights: FloatTensor<B>,
    values: FloatTensor<B>,
    max_bytes: usize,
) -> (IntTensor<B>, FloatTensor<B>) {
    let device: Device<B> = values.device();
    let (entries, batches) = grouped::<B>(ids, weights, values, max_bytes);
    let sums = batches
        .iter()
        .map(|batch| entries.sums(&batch.groups, max_bytes));
    let sums = Operand::cat(sums.collect(), 0);
    let rows = batches.into_iter().flat_map(|batch| batch.rows);
    (integers::<B>(rows.collect(), &device), sums.0)
}

/// Replaces whole rows of a table, `(table, rows [n], values [n, width])`; the rows are distinct.
pub fn write<B: Backend>(
    table: FloatTensor<B>,
    rows: IntTensor<B>,
    values: FloatTensor<B>,
) -> FloatTensor<B> {
    B::float_select_assign(table, 0, rows, values, IndexingUpdateOp::Assign)
}

/// [`crate::kernels::LookupOps::row_adam`], with intermediates of a few times `max_bytes`; `write` writes the
/// updated rows.
pub fn row_adam<B: Backend>(
    (mut table, mut mean, mut square): (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>),
    ids: IntTensor<B>,
    weights: FloatTensor<B>,
    values: FloatTensor<B>,
    step: AdamStep,
    max_bytes: usize,
    write: impl Fn(FloatTensor<B>, IntTensor<B>, FloatTensor<B>) -> FloatTensor<B>,
) -> (
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
) {
    let device: Device<B> = table.device();
    let (entries, batches) = grouped::<B>(ids, weights, values, max_bytes);

    let mut squares = Operand::zeros([1], &device, entries.values.0.dtype());
    for batch in &batches {
        let sums = entries.sums(&batch.groups, max_bytes);
        squares = squares + (sums.clone() * sums).total();
    }
    let norm = squares.sqrt();
    // If the gradient is zero the quotient is infinite and the scale one.
    let scale = step
        .max_norm
        .map(|max_norm| (norm.clone().recip() * max_norm).at_most(1.0));

    for batch in batches {
        let mut grad = entries.sums(&batch.groups, max_bytes);
        if let Some(scale) = &scale {
            grad = grad * scale.clone().reshape([1, 1]);
        }
        let rows = integers::<B>(batch.rows, &device);
        let read =
            |table: &FloatTensor<B>| Operand::<B>(B::float_select(table.clone(), 0, rows.clone()));
        let updated = Moments {
            values: read(&table),
            mean: read(&mean),
            square: read(&square),
        }
        .step(grad, step);
        table = write(table, rows.clone(), updated.values.0);
        mean = write(mean, rows.clone(), updated.mean.0);
        square = write(square, rows, updated.square.0);
    }
    (table, mean, square, norm.0)
}
