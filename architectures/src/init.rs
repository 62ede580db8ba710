//! Initial values of parameters, from the random stream of the parameter's name: independent of the order of
//! construction.

use std::ops::Range;

use burn::tensor::{TensorData, bf16};
use multiversion::multiversion;
use rand::{Rng, RngCore};
use rand_distr::{Distribution, StandardNormal};
use random::stream;
use rayon::prelude::*;

use crate::kernels::table_memory::TableValues;

/// Values drawn from one stream; blocks have streams of their own, so that large tables are filled in parallel.
const BLOCK: usize = 1 << 16;

/// Distribution of a parameter's initial values.
#[derive(Clone, Copy, Debug)]
pub enum Init {
    /// A constant.
    Constant(f32),
    /// Normal with this standard deviation, redrawn beyond three of them.
    TruncatedNormal(f64),
    /// Uniform between minus and plus this bound.
    Uniform(f64),
    /// Uniform between zero and this bound.
    UniformPositive(f64),
}

impl Init {
    /// Xavier uniform for a `[inputs, outputs]` matrix.
    pub fn xavier(inputs: usize, outputs: usize) -> Self {
        Self::Uniform((6.0 / (inputs + outputs) as f64).sqrt())
    }

    /// Values of `shape` for the parameter called `name`.
    pub fn draw<const D: usize>(self, seed: u64, name: &str, shape: [usize; D]) -> TensorData {
        let mut values = vec![0f32; shape.iter().product()];
        self.fill(seed, name, &mut values);
        TensorData::new(values, shape)
    }

    /// [`Init::draw`] into existing memory.
    pub fn fill(self, seed: u64, name: &str, values: &mut [f32]) {
        fill_blocks(values, |block, values| {
            self.fill_block(seed, name, block, values)
        });
    }

    fn fill_block(self, seed: u64, name: &str, block: usize, values: &mut [f32]) {
        let mut rng = stream(seed, name, block as u64);
        values.fill_with(|| self.sample(&mut rng));
    }

    /// [`Init::fill`] of a table; values in bf16 are those in f32 rounded to nearest.
    pub(crate) fn fill_table(self, seed: u64, name: &str, values: TableValues) {
        match values {
            TableValues::F32(values) => self.fill(seed, name, values),
            TableValues::Bf16(values) => fill_blocks_rounded(values, |block, values| {
                self.fill_block(seed, name, block, values)
            }),
        }
    }

    /// The `columns` of a table of rows of `width` values that [`Init::fill_table`] would write as a whole. Every value is drawn, of
    /// which a block at a time is in memory.
    pub(crate) fn fill_table_columns(
        self,
        seed: u64,
        name: &str,
        of: (usize, &Range<usize>),
        values: TableValues,
    ) {
        match values {
            TableValues::F32(values) => {
                self.fill_columns(seed, name, of, values, |drawn| drawn);
            }
            TableValues::Bf16(values) => {
                self.fill_columns(seed, name, of, values, bf16::from_f32);
            }
        }
    }

    fn fill_columns<T: Send>(
        self,
        seed: u64,
        name: &str,
        (width, columns): (usize, &Range<usize>),
        values: &mut [T],
        rounded: impl Fn(f32) -> T + Sync,
    ) {
        let blocks = blocks_of_columns(width, columns, values);
        let one_block = || vec![0f32; BLOCK];
        blocks
            .into_par_iter()
            .enumerate()
            .for_each_init(one_block, |whole, (block, values)| {
                self.fill_block(seed, name, block, whole);
                let first = block * BLOCK;
                let own = whole.iter().enumerate();
                let own = own.filter(|(at, _)| columns.contains(&((first + at) % width)));
                for (value, (_, drawn)) in values.iter_mut().zip(own) {
                    *value = rounded(*drawn);
                }
            });
    }

    /// Values of the same variance from a hash of their index, at the cost of writing them, for models that are timed and
    /// not trained. Normal values become uniform.
    pub fn fill_roughly(self, seed: u64, name: &str, values: &mut [f32]) {
        match self.rough_block(seed, name) {
            Some(fill) => fill_blocks(values, fill),
            None => self.fill(seed, name, values),
        }
    }

    /// [`Init::fill_roughly`] of a table.
    pub(crate) fn fill_table_roughly(self, seed: u64, name: &str, values: TableValues) {
        match (values, self.rough_block(seed, name)) {
            (TableValues::F32(values), _) => self.fill_roughly(seed, name, values),
            (TableValues::Bf16(values), Some(fill)) => fill_blocks_rounded(values, fill),
            (values, None) => self.fill_table(seed, name, values),
        }
    }

    /// What fills a block of rough values; `None` for a distribution that has none.
    fn rough_block(self, seed: u64, name: &str) -> Option<impl Fn(usize, &mut [f32]) + Sync> {
        let bound = match self {
            Self::Constant(_) => 0.0,
            Self::TruncatedNormal(std) => 3f64.sqrt() * std,
            Self::Uniform(bound) => bound,
            Self::UniformPositive(_) => return None,
        };
        let key = stream(seed, name, 0).next_u64();
        Some(move |block: usize, values: &mut [f32]| {
            if let Self::Constant(value) = self {
                return values.fill(value);
            }
            let key = key.wrapping_add((block as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            hashed((key ^ key >> 32) as u32, bound as f32, values);
        })
    }

    fn sample(self, rng: &mut impl Rng) -> f32 {
        match self {
            Self::Constant(value) => value,
            Self::Uniform(bound) => rng.random_range(-bound..=bound) as f32,
            Self::UniformPositive(bound) => rng.random_range(0.0..=bound) as f32,
            Self::TruncatedNormal(std) => loop {
                let value: f64 = StandardNormal.sample(rng);
                if value.abs() <= 3.0 {
                    return (value * std) as f32;
                }
            },
        }
    }
}

/// Fills each block by its number, in parallel.
fn fill_blocks(values: &mut [f32], fill: impl Fn(usize, &mut [f32]) + Sync) {
    let blocks = values.par_chunks_mut(BLOCK).enumerate();
    blocks.for_each(|(block, values)| fill(block, values));
}

/// [`fill_blocks`] of values in bf16, one block of each thread in f32 at a time.
fn fill_blocks_rounded(values: &mut [bf16], fill: impl Fn(usize, &mut [f32]) + Sync) {
    let blocks = values.par_chunks_mut(BLOCK).enumerate();
    let scratch = || vec![0f32; BLOCK];
    blocks.for_each_init(scratch, |scratch, (block, values)| {
        let single = &mut scratch[..values.len()];
        fill(block, single);
        TableValues::Bf16(values).write(0, single);
    });
}

/// `values`, the `columns` of rows of `width` values, divided among the blocks of the whole: those of a block are consecutive.
fn blocks_of_columns<'a, T>(
    width: usize,
    columns: &Range<usize>,
    mut values: &'a mut [T],
) -> Vec<&'a mut [T]> {
    // Values of the columns before a position of the whole.
    let before = |position: usize| {
        let within = (position % width).clamp(columns.start, columns.end) - columns.start;
        position / width * columns.len() + within
    };
    let (own, mut blocks) = (values.len(), Vec::new());
    while !values.is_empty() {
        let end = before((blocks.len() + 1) * BLOCK).min(own);
        let (block, rest) = values.split_at_mut(end - (own - values.len()));
        blocks.push(block);
        values = rest;
    }
    blocks
}

/// Hashes of the indices (the finaliser of MurmurHash3), between minus and plus `bound`.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
fn hashed(key: u32, bound: f32, values: &mut [f32]) {
    let unit = bound / (1 << 23) as f32;
    for (index, value) in values.iter_mut().enumerate() {
        let mut hash = key.wrapping_add((index as u32).wrapping_mul(0x9e37_79b9));
        hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
        hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
        *value = (hash >> 8) as i32 as f32 * unit - bound;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(name: &str) -> Vec<f32> {
        let data = Init::TruncatedNormal(0.5).draw(7, name, [300, 300]);
        data.try_into_vec().unwrap()
    }

    #[test]
    fn draws_depend_on_the_name_alone() {
        assert_eq!(draw("layers.0.query"), draw("layers.0.query"));
        assert_ne!(draw("layers.0.query"), draw("layers.1.query"));
    }

    #[test]
    fn columns_are_those_of_the_whole() {
        // Rows longer than a block, of a length that divides it, and of one that does not.
        for (rows, width) in [(3, BLOCK + 10), (40, BLOCK / 16), (2000, 96)] {
            let init = Init::TruncatedNormal(0.5);
            let mut whole = vec![0f32; rows * width];
            init.fill(3, "values", &mut whole);
            for columns in [0..width / 2, width / 2..width, 5..6, 0..width] {
                let mut found = vec![0f32; rows * columns.len()];
                init.fill_table_columns(
                    3,
                    "values",
                    (width, &columns),
                    TableValues::F32(&mut found),
                );
                let expected = whole
                    .chunks_exact(width)
                    .flat_map(|row| &row[columns.clone()]);
                assert!(found.iter().eq(expected), "{rows} x {width}, {columns:?}");
            }
        }
    }

    #[test]
    fn rough_values_have_the_same_variance() {
        let rough = |init: Init, name| {
            let mut values = vec![0f32; 200_000];
            init.fill_roughly(0, name, &mut values);
            values
        };
        let values = rough(Init::TruncatedNormal(0.5), "x");
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let variance = values.iter().map(|v| v * v).sum::<f32>() / values.len() as f32;
        assert!(
            mean.abs() < 0.01 && (variance.sqrt() - 0.5).abs() < 0.005,
            "{mean} {variance}"
        );
        // Blocks and names differ.
        assert_ne!(values[..100], values[BLOCK..BLOCK + 100]);
        assert_ne!(values[..100], rough(Init::TruncatedNormal(0.5), "y")[..100]);
        assert_eq!(rough(Init::Constant(2.0), "x")[7], 2.0);
    }

    #[test]
    fn tables_in_bf16_have_the_rounded_values_of_tables_in_f32() {
        let (init, count) = (Init::TruncatedNormal(0.5), 2 * BLOCK + 77);
        for rough in [false, true] {
            let (mut single, mut half) = (vec![0f32; count], vec![bf16::ZERO; count]);
            for values in [TableValues::F32(&mut single), TableValues::Bf16(&mut half)] {
                match rough {
                    true => init.fill_table_roughly(3, "x", values),
                    false => init.fill_table(3, "x", values),
                }
            }
            let rounded = single.iter().map(|&value| bf16::from_f32(value));
            assert!(rounded.eq(half), "rough: {rough}");
        }
    }

    #[test]
    fn truncated_normal_has_its_variance_and_bound() {
        let values = draw("x");
        let variance = values.iter().map(|v| v * v).sum::<f32>() / values.len() as f32;
        // Truncation at three standard deviations gives 0.9866 of one.
        assert!(
            (variance.sqrt() - 0.5 * 0.9866).abs() < 0.005,
            "{}",
            variance.sqrt()
        );
        assert!(values.iter().all(|v| v.abs() <= 1.5));
    }
}
