//! Adam on the rows that a step touched, and only those.
//!
//! The gradient arrives as (token, row, weight) entries: `grad[row] = sum weight[t,j] values[t]` over the entries that
//! name the row. Entries are sorted by row once; each row is then reduced in cache and updated in place: beside the entries, a step allocates
//! a few words per row of the table, never a row's width of them. Each row sums its entries in the order in which
//! they were given, whatever the number of threads: results are repeatable to the bit.

use multiversion::multiversion;
use rayon::prelude::*;

use super::adam::{AdamStep, update};

/// A table's gradient, grouped by row.
pub struct RowGradient<'a> {
    /// Entries of row `r` are `order[starts[r]..starts[r + 1]]`.
    starts: Vec<u32>,
    order: Vec<u32>,
    weights: &'a [f32],
    values: &'a [f32],
    per_token: usize,
    width: usize,
}

impl<'a> RowGradient<'a> {
    /// Groups `ids` and `weights [tokens, per_token]` with `values [tokens, width]` by the row of a table of `rows`.
    pub fn new(
        rows: usize,
        ids: &[i64],
        weights: &'a [f32],
        values: &'a [f32],
        per_token: usize,
        width: usize,
    ) -> Self {
        let mut starts = vec![0u32; rows + 1];
        for &id in ids {
            starts[id as usize + 1] += 1;
        }
        for row in 0..rows {
            starts[row + 1] += starts[row];
        }
        let mut next = starts.clone();
        let mut order = vec![0u32; ids.len()];
        for (entry, &id) in ids.iter().enumerate() {
            let place = &mut next[id as usize];
            order[*place as usize] = entry as u32;
            *place += 1;
        }
        Self {
            starts,
            order,
            weights,
            values,
            per_token,
            width,
        }
    }

    fn entries(&self, row: usize) -> &[u32] {
        &self.order[self.starts[row] as usize..self.starts[row + 1] as usize]
    }

    fn reduce(&self, row: usize, sum: &mut [f32]) {
        reduce_row(
            self.entries(row),
            self.weights,
            self.values,
            self.per_token,
            sum,
        );
    }

    /// Euclidean norm over all rows.
    pub fn norm(&self) -> f32 {
        let squares: Vec<f64> = (0..self.starts.len() - 1)
            .into_par_iter()
            .with_min_len(1024)
            .map_init(
                || vec![0f32; self.width],
                |sum, row| {
                    if self.entries(row).is_empty() {
                        return 0.0;
                    }
                    self.reduce(row, sum);
                    sum.iter().map(|g| f64::from(g * g)).sum()
                },
            )
            .collect();
        // Summed in row order, not in the order in which threads finish.
        squares.iter().sum::<f64>().sqrt() as f32
    }

    /// Updates `table` and its two moments, all `[rows, width]`, with the gradient times `scale`.
    pub fn update(
        &self,
        table: &mut [f32],
        mean: &mut [f32],
        square: &mut [f32],
        scale: f32,
        step: AdamStep,
    ) {
        let width = self.width;
        let rows = table
            .par_chunks_mut(width)
            .zip(mean.par_chunks_mut(width))
            .zip(square.par_chunks_mut(width));
        rows.enumerate().with_min_len(1024).for_each_init(
            || vec![0f32; width],
            |sum, (row, ((values, mean), square))| {
                if !self.entries(row).is_empty() {
                    self.reduce(row, sum);
                    update(sum, values, mean, square, scale, step);
                }
            },
        );
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
fn reduce_row(entries: &[u32], weights: &[f32], values: &[f32], per_token: usize, sum: &mut [f32]) {
    let width = sum.len();
    sum.fill(0.0);
    for &entry in entries {
        let weight = weights[entry as usize];
        let token = entry as usize / per_token;
        for (sum, value) in sum.iter_mut().zip(&values[token * width..][..width]) {
            *sum += weight * value;
        }
    }
}
