//! Rounding of f32 to bf16, to nearest.

use burn::tensor::bf16;
#[cfg(not(feature = "portable"))]
use multiversion::multiversion;
use rayon::prelude::*;

/// Values of a task.
const VALUES: usize = 1 << 14;

/// Rounds each value to the nearest bf16, ties to even, and leaves it in f32.
#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
pub fn round(values: &mut [f32]) {
    for value in values {
        *value = f32::from_bits(nearest(*value));
    }
}

/// The bits of the nearest bf16 as those of an f32.
#[inline(always)]
fn nearest(value: f32) -> u32 {
    let bits = value.to_bits();
    let rounded = bits.wrapping_add(0x7fff + (bits >> 16 & 1));
    // Rounding could turn a NaN into infinity or zero.
    let kept = if value.is_nan() {
        bits | 0x0040_0000
    } else {
        rounded
    };
    kept & 0xffff_0000
}

#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
fn narrow_part(values: &[f32], narrow: &mut [bf16]) {
    for (value, narrow) in values.iter().zip(narrow) {
        *narrow = bf16::from_bits((nearest(*value) >> 16) as u16);
    }
}

/// The nearest bf16 of each value, written to `narrow`.
pub fn narrow_into(values: &[f32], narrow: &mut [bf16]) {
    narrow
        .par_chunks_mut(VALUES)
        .zip(values.par_chunks(VALUES))
        .for_each(|(narrow, values)| narrow_part(values, narrow));
}

#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
fn widen_part(narrow: &[bf16], values: &mut [f32]) {
    for (value, narrow) in values.iter_mut().zip(narrow) {
        *value = f32::from_bits(u32::from(narrow.to_bits()) << 16);
    }
}

/// The values in f32.
pub fn widened(narrow: &[bf16]) -> Vec<f32> {
    let mut values = vec![0f32; narrow.len()];
    values
        .par_chunks_mut(VALUES)
        .zip(narrow.par_chunks(VALUES))
        .for_each(|(values, narrow)| widen_part(narrow, values));
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_conversions_of_the_crate_half() {
        let mut values: Vec<f32> = (0..200_000u32)
            .map(|i| f32::from_bits(i.wrapping_mul(0x9e37_79b9)))
            .collect();
        // Ties, the overflow to infinity, signed zeros, subnormals.
        values.extend([0x3f80_8000, 0x3f81_8000, 0x7f7f_ffff, 0x8000_0000, 1].map(f32::from_bits));
        let mut narrow = vec![bf16::ZERO; values.len()];
        narrow_into(&values, &mut narrow);
        let mut rounded = values.clone();
        round(&mut rounded);
        let wide = widened(&narrow);
        for (index, value) in values.iter().enumerate() {
            let expected = bf16::from_f32(*value);
            if value.is_nan() {
                assert!(narrow[index].is_nan() && rounded[index].is_nan() && wide[index].is_nan());
                continue;
            }
            assert_eq!(narrow[index].to_bits(), expected.to_bits(), "{value}");
            assert_eq!(
                rounded[index].to_bits(),
                expected.to_f32().to_bits(),
                "{value}"
            );
            assert_eq!(
                wide[index].to_bits(),
                expected.to_f32().to_bits(),
                "{value}"
            );
        }
    }
}
