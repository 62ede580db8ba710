//! Reduction and update of the rows of a range, in loops that are compiled for several instruction sets.

#[cfg(not(feature = "portable"))]
use multiversion::multiversion;

use super::entries::Entry;
use crate::kernels::adam_step::AdamStep;
use crate::kernels::cpu::adam::{Update, square_sum_inline};
use crate::kernels::cpu::prefetch::prefetch_near;
use crate::kernels::cpu::table_element::TableElement;
use crate::kernels::stochastic_rounding::RoundedPart;

use burn::tensor::bf16;

/// Bytes of table rows and moments that are prefetched: several narrow rows, whose latency one row does not cover.
const AHEAD: usize = 8 << 10;

/// Most rows that are prefetched.
const MOST_AHEAD: usize = 16;

/// Entries of a row whose values are prefetched.
const ENTRIES_AHEAD: usize = 8;

/// Both factors of a table's gradient.
#[derive(Clone, Copy)]
pub struct Factors<'a> {
    /// `[tokens, per_token]`
    pub weights: &'a [f32],
    /// `[tokens, width]`
    pub values: &'a [f32],
    /// Entries of a token.
    pub per_token: usize,
    /// Values of a row.
    pub width: usize,
}

impl Factors<'_> {
    /// The values of an entry's token.
    #[inline(always)]
    fn values(&self, entry: Entry) -> &[f32] {
        &self.values[entry.token(self.per_token) * self.width..][..self.width]
    }

    /// Prefetches the values of a row's first entries.
    #[inline(always)]
    fn prefetch(&self, run: &[Entry]) {
        for entry in run.iter().take(ENTRIES_AHEAD) {
            prefetch_near(self.values(*entry), 0, self.width);
        }
    }

    /// The sum of a row's entries, in their order.
    #[inline(always)]
    pub fn reduce(&self, run: &[Entry], sum: &mut [f32]) {
        // Most rows of a large table have one entry.
        let (first, others) = (run[0], &run[1..]);
        let weight = self.weights[first.number()];
        for (sum, value) in sum.iter_mut().zip(self.values(first)) {
            *sum = weight * value;
        }
        for &entry in others {
            let weight = self.weights[entry.number()];
            for (sum, value) in sum.iter_mut().zip(self.values(entry)) {
                *sum += weight * value;
            }
        }
    }
}

/// The sum of a row's entries.
#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
pub fn reduce_row(factors: Factors, run: &[Entry], sum: &mut [f32]) {
    factors.reduce(run, sum);
}

/// The sum of the squares of the gradient's rows with these entries; `sum` has a row's width.
#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
pub fn square_sum(factors: Factors, entries: &[Entry], sum: &mut [f32]) -> f64 {
    square_sum_of_rows(factors, entries, sum)
}

#[inline(always)]
fn square_sum_of_rows(factors: Factors, entries: &[Entry], sum: &mut [f32]) -> f64 {
    let mut squares = 0.0;
    let mut runs = entries.chunk_by(Entry::same_row).peekable();
    while let Some(run) = runs.next() {
        factors.prefetch(runs.peek().unwrap_or(&run));
        factors.reduce(run, sum);
        squares += square_sum_inline(sum);
    }
    squares
}

/// A range of rows of a table with their moments.
pub struct Range<'a, T, M> {
    /// Number of the first row.
    pub first: usize,
    /// `[rows, width]`, as the moments.
    pub table: &'a mut [T],
    /// Running mean of gradients.
    pub mean: &'a mut [M],
    /// Running mean of squared gradients.
    pub square: &'a mut [M],
}

/// Four buffers of a row's width.
pub struct Buffers {
    sum: Vec<f32>,
    table: Vec<f32>,
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl Buffers {
    /// For rows of `width` values.
    pub fn new(width: usize) -> Self {
        let [sum, table, mean, square] = [(); 4].map(|()| vec![0.0; width]);
        Self {
            sum,
            table,
            mean,
            square,
        }
    }
}

/// Formats of tables with moments in `M`.
pub trait UpdateRows<M>: TableElement {
    /// Updates the rows that have `entries` by the gradient times `scale`; returns the sum of the gradient's squares.
    fn update_rows(
        range: Range<Self, M>,
        factors: Factors,
        entries: &[Entry],
        scale: f32,
        step: AdamStep,
        buffers: &mut Buffers,
    ) -> f64;
}

macro_rules! update_rows {
    ($table:ty, $moment:ty) => {
        impl UpdateRows<$moment> for $table {
            fn update_rows(
                range: Range<Self, $moment>,
                factors: Factors,
                entries: &[Entry],
                scale: f32,
                step: AdamStep,
                buffers: &mut Buffers,
            ) -> f64 {
                #[cfg_attr(
                    not(feature = "portable"),
                    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
                )]
                fn compiled(
                    range: Range<$table, $moment>,
                    factors: Factors,
                    entries: &[Entry],
                    scale: f32,
                    step: AdamStep,
                    buffers: &mut Buffers,
                ) -> f64 {
                    update_range(range, factors, entries, scale, step, buffers)
                }
                compiled(range, factors, entries, scale, step, buffers)
            }
        }
    };
}

update_rows!(f32, f32);
update_rows!(f32, bf16);
update_rows!(bf16, f32);
update_rows!(bf16, bf16);

/// Each row is reduced, measured and updated while it is in the first-level cache: a row of the table and of both moments
/// is read and written once.
#[inline(always)]
fn update_range<T: TableElement, M: TableElement>(
    range: Range<T, M>,
    factors: Factors,
    entries: &[Entry],
    scale: f32,
    step: AdamStep,
    buffers: &mut Buffers,
) -> f64 {
    let width = factors.width;
    let adam = Update::new(scale, step);
    let at = |run: &[Entry]| (run[0].row() - range.first) * width;
    let prefetch = |range: &Range<T, M>, run: &[Entry]| {
        factors.prefetch(run);
        prefetch_near(range.table, at(run), width);
        prefetch_near(range.mean, at(run), width);
        prefetch_near(range.square, at(run), width);
    };
    let row_bytes = width * (size_of::<T>() + 2 * size_of::<M>());
    let mut soon = entries.chunk_by(Entry::same_row);
    for run in soon.by_ref().take((AHEAD / row_bytes).clamp(1, MOST_AHEAD)) {
        prefetch(&range, run);
    }
    let mut squares = 0.0;
    for run in entries.chunk_by(Entry::same_row) {
        if let Some(soon) = soon.next() {
            prefetch(&range, soon);
        }
        factors.reduce(run, &mut buffers.sum);
        squares += square_sum_inline(&buffers.sum);
        let row = at(run)..at(run) + width;
        let table = &mut range.table[row.clone()];
        let (mean, square) = (&mut range.mean[row.clone()], &mut range.square[row]);
        adam.apply(
            &buffers.sum,
            T::as_singles(table, &mut buffers.table),
            M::as_singles(mean, &mut buffers.mean),
            M::as_singles(square, &mut buffers.square),
        );
        let counters = step.rounding.from_row(run[0].row());
        T::write_back(table, &buffers.table, RoundedPart::Values, counters);
        M::write_back(mean, &buffers.mean, RoundedPart::Mean, counters);
        M::write_back(square, &buffers.square, RoundedPart::Square, counters);
    }
    squares
}

#[cfg(test)]
mod tests;
