//! Initial values of parameters, from the random stream of the parameter's name: independent of the order of
//! construction.

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
