//! Lazy Adam: the update of the rows that a step read, and only those.
//!
//! The gradient arrives as (token, row, weight) entries: `grad[row] = sum weight[t,j] values[t]` over the entries of
//! the row. Entries are sorted by row once ([`entries`]); each row is then reduced in cache and updated in place
//! ([`rows`]). A step allocates sorted copies of the entries' numbers, and nothing proportional to the table or to a row's
//! width. Each row sums its entries in their original order, whatever the number of threads: results are bit-for-bit
//! repeatable.

mod entries;
mod norm_bound;
mod rows;

use rayon::prelude::*;

use crate::kernels::adam_step::AdamStep;
use entries::SortedEntries;
use rows::{Buffers, Factors, Range};

pub use rows::UpdateRows;

/// A table's gradient, grouped by row.
pub struct RowGradient<'a> {
    entries: SortedEntries,
    factors: Factors<'a>,
}

impl<'a> RowGradient<'a> {
    /// Groups `ids` and `weights [tokens, per_token]` with `values [tokens, width]` by the row of a table of `rows`.
    ///
    /// # Panics
    ///
    /// With 2^32 rows or entries, or more, and if an id is beyond the table.
    pub fn new(
        rows: usize,
        ids: &[i64],
        weights: &'a [f32],
        values: &'a [f32],
        per_token: usize,
        width: usize,
    ) -> Self {
        Self {
            entries: SortedEntries::new(rows, ids),
            factors: Factors {
                weights,
                values,
                per_token,
                width,
            },
        }
    }

    /// The distinct rows, ascending, and the sum of the entries of each, `[rows, width]`.
    pub fn sums(&self) -> (Vec<i64>, Vec<f32>) {
        let runs: Vec<_> = self.entries.runs().collect();
        let rows = runs.iter().map(|run| run[0].row() as i64).collect();
        let mut sums = vec![0f32; runs.len() * self.factors.width];
        sums.par_chunks_mut(self.factors.width)
            .zip(&runs)
            .for_each(|(sum, run)| rows::reduce_row(self.factors, run, sum));
        (rows, sums)
    }

    /// Euclidean norm over all rows.
    pub fn norm(&self) -> f32 {
        let squares: Vec<f64> = self
            .entries
            .ranges()
            .map_init(
                || vec![0f32; self.factors.width],
                |sum, (_, entries)| rows::square_sum(self.factors, entries, sum),
            )
            .collect();
        norm_of(&squares)
    }

    /// The factor that scales the gradient down to `max_norm`; 1 if its norm is not larger.
    pub fn clipping_scale(&self, max_norm: f32) -> f32 {
        // The exact norm reduces all rows; the bound reads no row and decides nearly always.
        if norm_bound::norm_bound(&self.entries, self.factors) <= f64::from(max_norm) {
            return 1.0;
        }
        match self.norm() {
            norm if norm > max_norm => max_norm / norm,
            _ => 1.0,
        }
    }

    /// Updates `table` and its two moments, all `[rows, width]`, with the gradient times `scale`; returns the norm of
    /// the gradient. Those in bf16 are rounded stochastically by the counters of `step`.
    pub fn update<T: UpdateRows<M>, M: Send>(
        &self,
        table: &mut [T],
        mean: &mut [M],
        square: &mut [M],
        scale: f32,
        step: AdamStep,
    ) -> f32 {
        let len = self.entries.range_rows() * self.factors.width;
        let memory = table
            .par_chunks_mut(len)
            .zip(mean.par_chunks_mut(len))
            .zip(square.par_chunks_mut(len));
        let squares = self.entries.ranges().zip(memory).map_init(
            || Buffers::new(self.factors.width),
            |buffers, ((first, entries), ((table, mean), square))| {
                let range = Range {
                    first,
                    table,
                    mean,
                    square,
                };
                T::update_rows(range, self.factors, entries, scale, step, buffers)
            },
        );
        norm_of(&squares.collect::<Vec<f64>>())
    }
}

/// The root of the ranges' sums of squares, added in row order.
fn norm_of(squares: &[f64]) -> f32 {
    squares.iter().sum::<f64>().sqrt() as f32
}

#[cfg(test)]
mod tests;
