//! Bags over a narrow table that a batch reads several times: rows in the order of the table instead of the tokens.
//!
//! A core of many processors has about a dozen outstanding cache misses, so narrow rows at random addresses are read at half
//! the bandwidth of a sequential read; AMD's of the fifth generation read them at full bandwidth, twice as fast as grouped rows. Here the lookups of a block of tokens are grouped by ranges of the table, each of which fits the
//! cache: a range is read once, and the sums, which are written at random, fit the cache too.
//!
//! A token's rows are added range by range, an order that does not depend on the number of threads.

use burn::tensor::bf16;
#[cfg(not(feature = "portable"))]
use multiversion::multiversion;
use rayon::prelude::*;

use super::prefetch::prefetch_near;
use super::table_element::TableElement;

/// Bytes of a range of the table.
const RANGE: usize = 128 << 10;

/// Bytes of the sums of a block of tokens; bounds a block's tokens to what [`Lookup::token`] can represent.
const BLOCK: usize = 512 << 10;

/// Tables below this many bytes stay in the caches without grouping.
const SMALL: usize = 32 << 20;

/// Prefetch distance in lookups.
const AHEAD: usize = 16;

/// Whether grouping is faster: the rows are narrow, the table exceeds the caches, each row is read twice on average, and the
/// processor reads narrow rows slowly. Processors of two makes may therefore add a token's rows in two orders.
pub fn should_group<T>(table: &[T], width: usize, ids: &[i64]) -> bool {
    matches!(width, 32 | 64 | 128)
        && size_of_val(table) >= SMALL
        && ids.len() >= 2 * (table.len() / width)
        && !reads_narrow_rows_fast()
}

/// Whether this is a processor of AMD (docs/log.md).
#[cfg(all(
    target_arch = "x86_64",
    not(any(feature = "portable", feature = "portable-math"))
))]
fn reads_narrow_rows_fast() -> bool {
    use std::arch::x86_64::__cpuid;
    use std::sync::LazyLock;
    static AMD: LazyLock<bool> = LazyLock::new(|| {
        let vendor = __cpuid(0);
        [vendor.ebx, vendor.edx, vendor.ecx]
            .map(u32::to_le_bytes)
            .as_flattened()
            == b"AuthenticAMD"
    });
    *AMD
}

/// With `portable` or `portable-math`, all processors give the same bits.
#[cfg(not(all(
    target_arch = "x86_64",
    not(any(feature = "portable", feature = "portable-math"))
)))]
fn reads_narrow_rows_fast() -> bool {
    false
}

/// The sums of [`super::bag::bag`] into `out [tokens, width]`, for the widths that [`should_group`] accepts.
pub fn bag<T: GroupedRows>(
    table: &[T],
    width: usize,
    ids: &[i64],
    weights: &[f32],
    per_token: usize,
    out: &mut [f32],
) {
    let tokens = out.len() / width;
    let block = (BLOCK / (width * size_of::<f32>()))
        .min(tokens.div_ceil(rayon::current_num_threads()))
        .max(1);
    out.par_chunks_mut(block * width)
        .zip(ids.par_chunks(block * per_token))
        .zip(weights.par_chunks(block * per_token))
        .for_each_init(Groups::default, |groups, ((out, ids), weights)| {
            out.fill(0.0);
            groups.fill::<T>(table.len() / width, width, ids, weights, per_token);
            T::add(groups, table, width, out);
        });
}

#[derive(Clone, Copy, Default)]
struct Lookup {
    /// Row, relative to the first of its range.
    row: u16,
    /// Token, relative to the first of its block.
    token: u16,
    weight: f32,
}

/// The lookups of a block of tokens, range by range.
#[derive(Default)]
pub struct Groups {
    range_rows: usize,
    lookups: Vec<Lookup>,
    /// Where each range's lookups end; the first range begins at 0.
    ends: Vec<u32>,
}

impl Groups {
    fn fill<T>(
        &mut self,
        rows: usize,
        width: usize,
        ids: &[i64],
        weights: &[f32],
        per_token: usize,
    ) {
        self.range_rows = RANGE / (width * size_of::<T>());
        let shift = self.range_rows.trailing_zeros();
        self.ends.clear();
        self.ends.resize(rows.div_ceil(self.range_rows) + 1, 0);
        for &id in ids {
            self.ends[(id as usize >> shift) + 1] += 1;
        }
        for range in 1..self.ends.len() {
            self.ends[range] += self.ends[range - 1];
        }
        self.lookups.resize(ids.len(), Lookup::default());
        let tokens = ids
            .chunks_exact(per_token)
            .zip(weights.chunks_exact(per_token));
        for (token, (ids, weights)) in tokens.enumerate() {
            for (&id, &weight) in ids.iter().zip(weights) {
                let position = &mut self.ends[id as usize >> shift];
                self.lookups[*position as usize] = Lookup {
                    row: (id as usize % self.range_rows) as u16,
                    token: token as u16,
                    weight,
                };
                *position += 1;
            }
        }
    }
}

/// Formats of table rows, each with a loop that is compiled for several instruction sets.
pub trait GroupedRows: TableElement {
    /// Adds the rows of all lookups to the sums of their tokens.
    fn add(groups: &Groups, table: &[Self], width: usize, out: &mut [f32]);
}

macro_rules! grouped_rows {
    ($element:ty) => {
        impl GroupedRows for $element {
            fn add(groups: &Groups, table: &[Self], width: usize, out: &mut [f32]) {
                #[cfg_attr(
                    not(feature = "portable"),
                    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
                )]
                fn compiled(groups: &Groups, table: &[$element], width: usize, out: &mut [f32]) {
                    add(groups, table, width, out);
                }
                compiled(groups, table, width, out);
            }
        }
    };
}

grouped_rows!(f32);
grouped_rows!(bf16);

#[inline(always)]
fn add<T: TableElement>(groups: &Groups, table: &[T], width: usize, out: &mut [f32]) {
    match width {
        32 => add_rows::<32, T>(groups, table, out),
        64 => add_rows::<64, T>(groups, table, out),
        128 => add_rows::<128, T>(groups, table, out),
        _ => unreachable!("`should_group` accepts these widths only"),
    }
}

#[inline(always)]
fn add_rows<const WIDTH: usize, T: TableElement>(groups: &Groups, table: &[T], out: &mut [f32]) {
    let ranges = table.chunks(groups.range_rows * WIDTH);
    let mut start = 0;
    for (range, &end) in ranges.zip(&groups.ends) {
        let lookups = &groups.lookups[start..end as usize];
        start = end as usize;
        for (position, lookup) in lookups.iter().enumerate() {
            if let Some(soon) = lookups.get(position + AHEAD) {
                prefetch_near(range, soon.row as usize * WIDTH, WIDTH);
                prefetch_near(out, soon.token as usize * WIDTH, WIDTH);
            }
            let row = &range[lookup.row as usize * WIDTH..][..WIDTH];
            let sum = &mut out[lookup.token as usize * WIDTH..][..WIDTH];
            for (sum, value) in sum.iter_mut().zip(row) {
                *sum += lookup.weight * value.to_single();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;
    use random::stream;

    #[test]
    fn adds_up_the_same_rows() {
        // More rows than a range holds, and a last range that is not full.
        for (width, rows) in [(32, 2500), (64, 1111), (128, 700)] {
            let (tokens, per_token) = (37, 50);
            let mut rng = stream(2, "grouped bag", width as u64);
            let mut values =
                |n: usize| -> Vec<f32> { (0..n).map(|_| rng.random_range(-1.0..1.0)).collect() };
            let (table, weights) = (values(rows * width), values(tokens * per_token));
            let ids: Vec<i64> = (0..tokens * per_token)
                .map(|_| rng.random_range(0..rows as i64))
                .collect();
            let mut sums = vec![f32::NAN; tokens * width];
            bag(&table, width, &ids, &weights, per_token, &mut sums);
            let narrow: Vec<bf16> = table.iter().map(|&value| bf16::from_f32(value)).collect();
            let mut of_narrow = vec![f32::NAN; tokens * width];
            bag(&narrow, width, &ids, &weights, per_token, &mut of_narrow);
            let close = |(a, b): (&f32, &f32)| (a - b).abs() < 50.0 * 2f32.powi(-9);
            assert!(sums.iter().zip(&of_narrow).all(close));
            for (token, sums) in sums.chunks(width).enumerate() {
                for (column, sum) in sums.iter().enumerate() {
                    let range = token * per_token..(token + 1) * per_token;
                    let expected: f32 = range
                        .map(|j| weights[j] * table[ids[j] as usize * width + column])
                        .sum();
                    assert!((sum - expected).abs() < 1e-4, "{sum} {expected}");
                }
            }
        }
    }
}
