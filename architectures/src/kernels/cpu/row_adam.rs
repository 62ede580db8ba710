//! Lazy Adam: the update of the rows that a step read, and only those.
//!
//! The gradient arrives as (token, row, weight) entries: `grad[row] = sum weight[t,j] values[t]` over the entries of
//! the row. Entries are sorted by row once; each row is then reduced in cache and updated in place. A step allocates a
//! sorted copy of the entries' numbers, and nothing proportional to the table or to a row's width. Each row sums its
//! entries in their original order, whatever the number of threads: results are bit-for-bit repeatable.

#[cfg(not(feature = "portable"))]
use multiversion::multiversion;
use rayon::prelude::*;

use super::adam::{square_sum_of, update};
use super::prefetch::prefetch_near;
use super::table_element::TableElement;
use crate::kernels::adam_step::AdamStep;
use crate::kernels::stochastic_rounding::RoundedPart;

/// Ranges of rows, one task each.
const RANGES: usize = 256;

/// Entries of the next row that are prefetched.
const AHEAD: usize = 8;

/// A table's gradient, grouped by row.
pub struct RowGradient<'a> {
    rows: usize,
    /// Row and number of each entry, in order.
    entries: Vec<Entry>,
    weights: &'a [f32],
    values: &'a [f32],
    per_token: usize,
    width: usize,
}

/// The row in the upper half, the number of the entry in the lower: orders as the pair does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry(u64);

impl Entry {
    fn new(row: i64, number: usize) -> Self {
        Self((row as u64) << 32 | number as u64)
    }

    fn row(self) -> usize {
        (self.0 >> 32) as usize
    }

    fn number(self) -> usize {
        self.0 as u32 as usize
    }

    /// Its token. Numbers have 32 bits; a 32-bit division is faster.
    fn token(self, per_token: usize) -> usize {
        (self.0 as u32 / per_token as u32) as usize
    }

    fn same_row(&self, other: &Self) -> bool {
        self.row() == other.row()
    }
}

impl<'a> RowGradient<'a> {
    /// Groups `ids` and `weights [tokens, per_token]` with `values [tokens, width]` by the row of a table of `rows`.
    ///
    /// # Panics
    ///
    /// With 2^32 rows or entries, or more.
    pub fn new(
        rows: usize,
        ids: &[i64],
        weights: &'a [f32],
        values: &'a [f32],
        per_token: usize,
        width: usize,
    ) -> Self {
        assert!(
            rows as u64 <= 1 << 32 && ids.len() as u64 <= 1 << 32,
            "{rows} rows, {} entries",
            ids.len()
        );
        let mut entries: Vec<Entry> = ids
            .par_iter()
            .enumerate()
            .with_min_len(1 << 14)
            .map(|(number, &row)| Entry::new(row, number))
            .collect();
        entries.par_sort_unstable();
        Self {
            rows,
            entries,
            weights,
            values,
            per_token,
            width,
        }
    }

    /// The distinct rows, ascending, and the sum of the entries of each, `[rows, width]`.
    pub fn sums(&self) -> (Vec<i64>, Vec<f32>) {
        let runs: Vec<&[Entry]> = self.entries.chunk_by(Entry::same_row).collect();
        let rows = runs.iter().map(|run| run[0].row() as i64).collect();
        let mut sums = vec![0f32; runs.len() * self.width];
        sums.par_chunks_mut(self.width)
            .zip(&runs)
            .for_each(|(sum, run)| self.reduce(run, sum));
        (rows, sums)
    }

    /// Euclidean norm over all rows.
    pub fn norm(&self) -> f32 {
        let squares: Vec<f64> = self
            .ranges()
            .map_init(
                || vec![0f32; self.width],
                |sum, (_, entries)| {
                    let mut squares = 0.0;
                    let mut runs = entries.chunk_by(Entry::same_row).peekable();
                    while let Some(run) = runs.next() {
                        self.prefetch(runs.peek().unwrap_or(&run));
                        self.reduce(run, sum);
                        squares += square_sum_of(sum);
                    }
                    squares
                },
            )
            .collect();
        norm_of(&squares)
    }

    /// Updates `table` and its two moments, all `[rows, width]`, with the gradient times `scale`; returns the norm of
    /// the gradient. Those in bf16 are rounded stochastically by the counters of `step`.
    pub fn update<T: TableElement, M: TableElement>(
        &self,
        table: &mut [T],
        mean: &mut [M],
        square: &mut [M],
        scale: f32,
        step: AdamStep,
    ) -> f32 {
        let (width, corrections) = (self.width, step.corrections());
        let len = self.range_rows() * width;
        let memory = table
            .par_chunks_mut(len)
            .zip(mean.par_chunks_mut(len))
            .zip(square.par_chunks_mut(len));
        let ranges = self.ranges().zip(memory).map_init(
            // The sum, and copies of a row and its moments.
            || [(); 4].map(|()| vec![0f32; width]),
            |[sum, of_table, of_mean, of_square], ((first, entries), ((table, mean), square))| {
                let mut squares = 0.0;
                let at = |run: &[Entry]| (run[0].row() - first) * width;
                let mut runs = entries.chunk_by(Entry::same_row).peekable();
                while let Some(run) = runs.next() {
                    if let Some(&next) = runs.peek() {
                        self.prefetch(next);
                        prefetch_near(table, at(next), width);
                        prefetch_near(mean, at(next), width);
                        prefetch_near(square, at(next), width);
                    }
                    self.reduce(run, sum);
                    squares += square_sum_of(sum);
                    let row = at(run)..at(run) + width;
                    let table = &mut table[row.clone()];
                    let (mean, square) = (&mut mean[row.clone()], &mut square[row]);
                    update(
                        sum,
                        T::as_singles(table, of_table),
                        M::as_singles(mean, of_mean),
                        M::as_singles(square, of_square),
                        scale,
                        (step, corrections),
                    );
                    let counters = step.rounding.from_row(run[0].row());
                    T::write_back(table, of_table, RoundedPart::Values, counters);
                    M::write_back(mean, of_mean, RoundedPart::Mean, counters);
                    M::write_back(square, of_square, RoundedPart::Square, counters);
                }
                squares
            },
        );
        norm_of(&ranges.collect::<Vec<f64>>())
    }

    fn range_rows(&self) -> usize {
        self.rows.div_ceil(RANGES)
    }

    /// The first row of each range of the table and the entries that name its rows.
    fn ranges(&self) -> impl IndexedParallelIterator<Item = (usize, &[Entry])> {
        let rows = self.range_rows();
        (0..self.rows.div_ceil(rows))
            .into_par_iter()
            .map(move |range| {
                let before = |row: usize| self.entries.partition_point(|entry| entry.row() < row);
                let first = range * rows;
                (first, &self.entries[before(first)..before(first + rows)])
            })
    }

    /// Prefetches the values of a row's first entries.
    fn prefetch(&self, run: &[Entry]) {
        for entry in run.iter().take(AHEAD) {
            let token = entry.token(self.per_token);
            prefetch_near(self.values, token * self.width, self.width);
        }
    }

    fn reduce(&self, run: &[Entry], sum: &mut [f32]) {
        reduce_row(run, self.weights, self.values, self.per_token, sum);
    }
}

/// The root of the ranges' sums of squares, added in row order.
fn norm_of(squares: &[f64]) -> f32 {
    squares.iter().sum::<f64>().sqrt() as f32
}

#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
fn reduce_row(run: &[Entry], weights: &[f32], values: &[f32], per_token: usize, sum: &mut [f32]) {
    let width = sum.len();
    let term = |entry: &Entry| {
        let token = entry.token(per_token);
        (weights[entry.number()], &values[token * width..][..width])
    };
    // Most rows of a large table have one entry.
    let (first, others) = (term(&run[0]), &run[1..]);
    for (sum, value) in sum.iter_mut().zip(first.1) {
        *sum = first.0 * value;
    }
    for (weight, values) in others.iter().map(term) {
        for (sum, value) in sum.iter_mut().zip(values) {
            *sum += weight * value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::table_memory;

    /// A table of more than 8 GiB, of which few pages are written.
    #[test]
    fn rows_beyond_2_to_the_31_values_are_updated() {
        let (rows, width) = ((1 << 25) + 3, 64);
        let (mut near, mut far) = (vec![0f32; 64], Vec::new());
        let ids = [rows as i64 - 1, 5, rows as i64 - 1];
        let step = AdamStep {
            learning_rate: 0.5,
            beta_1: 0.9,
            beta_2: 0.9,
            epsilon: 1e-8,
            step: 1,
            max_norm: None,
            rounding: Default::default(),
        };
        let gradient = RowGradient::new(rows, &ids, &[1.0; 3], &[2.0; 3 * 64], 1, width);
        let mut memory = Vec::new();
        for _ in 0..3 {
            match table_memory::zeros(rows, width) {
                Ok(data) => memory.push(data),
                Err(rejected) => return eprintln!("skipped: {rejected}"),
            }
        }
        let mut slices = memory
            .iter_mut()
            .map(|data| data.as_mut_slice::<f32>().unwrap());
        let (Some(table), Some(mean), Some(square)) = (slices.next(), slices.next(), slices.next())
        else {
            unreachable!()
        };
        gradient.update(table, mean, square, 1.0, step);
        near.copy_from_slice(&table[5 * width..6 * width]);
        far.extend_from_slice(&table[(rows - 1) * width..]);
        // Adam's first step is the learning rate against the gradient's sign.
        assert!(near.iter().all(|value| (value + 0.5).abs() < 1e-6));
        assert_eq!(near, far);
        assert!((mean[(rows - 1) * width] - 0.4).abs() < 1e-6);
        assert_eq!(gradient.norm(), (64.0f32 * (4.0 + 16.0)).sqrt());
        let mut sums = vec![0f32; width];
        crate::kernels::cpu::bag::bag(table, width, &ids[..2], &[1.0, 2.0], 2, &mut sums);
        assert!(
            sums.iter().all(|value| (value + 1.5).abs() < 1e-6),
            "{sums:?}"
        );
    }
}
