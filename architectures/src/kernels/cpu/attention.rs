//! Causal attention with rotary positions, forward and backward, in memory linear in the sequence.
//!
//! The input is the projections, `qkv [batch, seq, (n_heads + 2 n_kv_heads) head_dim]`: each head's queries and keys are
//! rotated into scratch, then blocks of [`ROWS`] queries are multiplied with the keys up to their last row only. The
//! backward pass recomputes a block's probabilities from the saved log-sum of each row (Dao et al. 2022). Matrix products
//! are the `gemm` crate's. Heads that share keys and values are one task, so no sum crosses threads. A function rounds the
//! operands of products, rotated queries and keys, probabilities and their gradients, and the scores: for inputs in bf16.

mod rotary;
mod softmax;

use rayon::prelude::*;

use rotary::{rotate, rotate_back, rotations};
use softmax::{softmax, softmax_backward};

use super::matmul::{Matrix, matmul};
use crate::kernels::attention_shape::AttentionShape;

/// Queries in a block.
const ROWS: usize = 64;

impl AttentionShape {
    fn width(&self) -> usize {
        (self.n_heads + 2 * self.n_kv_heads) * self.head_dim
    }

    /// Asserts that the shape is that of the slices, which the unsafe code below relies on.
    fn check(&self, qkv: &[f32], out: &[f32], log_sums: &[f32]) {
        let tokens = self.batch * self.seq;
        assert!(
            self.n_heads.is_multiple_of(self.n_kv_heads) && self.head_dim.is_multiple_of(2),
            "{self:?}"
        );
        let lengths = (qkv.len(), out.len(), log_sums.len());
        let expected = (
            tokens * self.width(),
            tokens * self.out_width(),
            tokens * self.n_heads,
        );
        assert_eq!(lengths, expected, "{self:?}");
    }

    fn out_width(&self) -> usize {
        self.n_heads * self.head_dim
    }

    fn scale(&self) -> f32 {
        (self.head_dim as f32).powf(-0.5)
    }

    /// First column of a query head, a key head and a value head in a row of `qkv`.
    fn columns(&self, head: usize, kv: usize) -> (usize, usize, usize) {
        let d = self.head_dim;
        (
            head * d,
            (self.n_heads + kv) * d,
            (self.n_heads + self.n_kv_heads + kv) * d,
        )
    }

    /// Every (sequence, key head) and its query heads.
    fn groups(
        &self,
    ) -> impl IndexedParallelIterator<Item = (usize, usize, std::ops::Range<usize>)> + '_ {
        let group = self.n_heads / self.n_kv_heads;
        (0..self.batch * self.n_kv_heads)
            .into_par_iter()
            .map(move |task| {
                let (batch, kv) = (task / self.n_kv_heads, task % self.n_kv_heads);
                (batch, kv, kv * group..(kv + 1) * group)
            })
    }
}

/// Fills `out [batch, seq, n_heads head_dim]` and the rows' `log_sums [batch, n_heads, seq]`.
pub fn attention(
    qkv: &[f32],
    shape: &AttentionShape,
    round: impl Fn(&mut [f32]) + Sync,
    out: &mut [f32],
    log_sums: &mut [f32],
) {
    let &AttentionShape {
        seq,
        n_heads,
        head_dim,
        ..
    } = shape;
    shape.check(qkv, out, log_sums);
    let (width, rotations) = (shape.width(), rotations(shape));
    let out = Matrix::write(out, 0, shape.out_width());
    let sums = Matrix::write(log_sums, 0, seq);
    shape.groups().for_each(|(batch, kv, heads)| {
        let (mut queries, mut keys) = (vec![0.0; seq * head_dim], vec![0.0; seq * head_dim]);
        let mut block = vec![0.0; ROWS.min(seq) * seq];
        let start = batch * seq * width;
        let (_, key_column, value_column) = shape.columns(0, kv);
        rotate(
            &qkv[start + key_column..],
            width,
            &rotations,
            1.0,
            &mut keys,
            head_dim,
        );
        round(&mut keys);
        let values = Matrix::read(qkv, start + value_column, width);
        for head in heads {
            rotate(
                &qkv[start + head * head_dim..],
                width,
                &rotations,
                shape.scale(),
                &mut queries,
                head_dim,
            );
            round(&mut queries);
            let out = out.rows_from(batch * seq);
            let out = out.columns_from(head * head_dim);
            // SAFETY: only this task accesses the rows of this head.
            let sums = unsafe {
                std::slice::from_raw_parts_mut(sums.rows_from(batch * n_heads + head).start, seq)
            };
            for first in (0..seq).step_by(ROWS) {
                let last = seq.min(first + ROWS);
                let (rows, seen) = (last - first, last);
                let scores = Matrix::write(&mut block, 0, seen);
                let query = Matrix::read(&queries, first * head_dim, head_dim);
                let key = Matrix::read(&keys, 0, head_dim).transposed();
                matmul(scores, false, query, key, (rows, head_dim, seen), 1.0);
                round(&mut block[..rows * seen]);
                for (row, scores) in block[..rows * seen].chunks_mut(seen).enumerate() {
                    sums[first + row] = softmax(scores, first + row + 1);
                }
                round(&mut block[..rows * seen]);
                // A new view: the loop above borrowed the block.
                let scores = Matrix::write(&mut block, 0, seen);
                matmul(
                    out.rows_from(first),
                    false,
                    scores,
                    values,
                    (rows, seen, head_dim),
                    1.0,
                );
            }
        }
    });
}

/// Fills `dqkv`, shaped as `qkv`, given the forward pass's `out` and `log_sums` and the output's gradient.
pub fn attention_backward(
    qkv: &[f32],
    (out, log_sums, grad): (&[f32], &[f32], &[f32]),
    shape: &AttentionShape,
    round: impl Fn(&mut [f32]) + Sync,
    dqkv: &mut [f32],
) {
    let &AttentionShape {
        seq,
        n_heads,
        head_dim,
        ..
    } = shape;
    shape.check(qkv, out, log_sums);
    assert_eq!((grad.len(), dqkv.len()), (out.len(), qkv.len()));
    let (width, out_width, rotations) = (shape.width(), shape.out_width(), rotations(shape));
    let scale = shape.scale();
    let dqkv = Matrix::write(dqkv, 0, width);
    shape.groups().for_each(|(batch, kv, heads)| {
        let scratch = || vec![0.0; seq * head_dim];
        let (mut queries, mut keys) = (scratch(), scratch());
        let (mut dqueries, mut dkeys) = (scratch(), scratch());
        let mut probabilities = vec![0.0; ROWS.min(seq) * seq];
        let mut dscores = vec![0.0; ROWS.min(seq) * seq];
        let start = batch * seq * width;
        let (_, key_column, value_column) = shape.columns(0, kv);
        rotate(
            &qkv[start + key_column..],
            width,
            &rotations,
            1.0,
            &mut keys,
            head_dim,
        );
        round(&mut keys);
        let values = Matrix::read(qkv, start + value_column, width);
        let dqkv = dqkv.rows_from(batch * seq);
        let dvalues = dqkv.columns_from(value_column);
        for (number, head) in heads.enumerate() {
            rotate(
                &qkv[start + head * head_dim..],
                width,
                &rotations,
                scale,
                &mut queries,
                head_dim,
            );
            round(&mut queries);
            let out_start = batch * seq * out_width + head * head_dim;
            let dout = Matrix::read(grad, out_start, out_width);
            let sums = &log_sums[(batch * n_heads + head) * seq..][..seq];
            // From the last block, which attends to every key and overwrites, to the first; the others add.
            for first in (0..seq).step_by(ROWS).rev() {
                let last = seq.min(first + ROWS);
                let (rows, seen) = (last - first, last);
                let adds = number > 0 || last < seq;
                let p = Matrix::write(&mut probabilities, 0, seen);
                let ds = Matrix::write(&mut dscores, 0, seen);
                let query = Matrix::read(&queries, first * head_dim, head_dim);
                let key = Matrix::read(&keys, 0, head_dim);
                matmul(
                    p,
                    false,
                    query,
                    key.transposed(),
                    (rows, head_dim, seen),
                    1.0,
                );
                matmul(
                    ds,
                    false,
                    dout.rows_from(first),
                    values.transposed(),
                    (rows, head_dim, seen),
                    1.0,
                );
                round(&mut probabilities[..rows * seen]);
                round(&mut dscores[..rows * seen]);
                for row in 0..rows {
                    let at = out_start + (first + row) * out_width;
                    let along: f32 = out[at..][..head_dim]
                        .iter()
                        .zip(&grad[at..][..head_dim])
                        .map(|(o, g)| o * g)
                        .sum();
                    let range = row * seen..(row + 1) * seen;
                    softmax_backward(
                        &mut probabilities[range.clone()],
                        &mut dscores[range],
                        first + row + 1,
                        sums[first + row],
                        along,
                    );
                }
                round(&mut probabilities[..rows * seen]);
                round(&mut dscores[..rows * seen]);
                // New views: the loop above borrowed both blocks.
                let p = Matrix::write(&mut probabilities, 0, seen);
                let ds = Matrix::write(&mut dscores, 0, seen);
                matmul(
                    dvalues,
                    adds,
                    p.transposed(),
                    dout.rows_from(first),
                    (seen, rows, head_dim),
                    1.0,
                );
                let dkey = Matrix::write(&mut dkeys, 0, head_dim);
                matmul(
                    dkey,
                    adds,
                    ds.transposed(),
                    query,
                    (seen, rows, head_dim),
                    1.0,
                );
                let dquery = Matrix::write(&mut dqueries, first * head_dim, head_dim);
                matmul(dquery, false, ds, key, (rows, seen, head_dim), scale);
            }
            rotate_back(&dqueries, &rotations, dqkv, head * head_dim, head_dim);
        }
        rotate_back(&dkeys, &rotations, dqkv, key_column, head_dim);
    });
}

#[cfg(test)]
mod tests;
