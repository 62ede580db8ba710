//! Stochastic rounding to bf16 with the random bits of [`crate::kernels::stochastic_rounding`].

use cubecl::prelude::*;

use crate::kernels::stochastic_rounding::{COLUMN_STEP, ROW_STEP};

/// As [`crate::kernels::stochastic_rounding::RoundedPart::Values`].
pub const VALUES: u32 = 0;
/// As [`crate::kernels::stochastic_rounding::RoundedPart::Mean`].
pub const MEAN: u32 = 1;
/// As [`crate::kernels::stochastic_rounding::RoundedPart::Square`].
pub const SQUARE: u32 = 2;

/// The finaliser of MurmurHash3.
#[cube]
fn mixed(bits: u32) -> u32 {
    let first = (bits ^ (bits >> 16u32)) * 0x85eb_ca6bu32;
    let second = (first ^ (first >> 13u32)) * 0xc2b2_ae35u32;
    second ^ (second >> 16u32)
}

/// The hash of the counter of a row.
#[cube]
pub fn row_bits(counter: u32, row: u32) -> u32 {
    mixed(counter + row * ROW_STEP)
}

/// `values` rounded to bf16, in f32.
///
/// # Arguments
/// * `of_row`: [`row_bits`] of their row.
/// * `counter`: the counter of the first column of the table.
/// * `column`: the first column of `values`.
/// * `part`: [`VALUES`], [`MEAN`] or [`SQUARE`].
#[cube]
pub fn rounded<N: Size>(
    values: Vector<f32, N>,
    of_row: u32,
    counter: u32,
    column: u32,
    #[comptime] part: u32,
) -> Vector<f32, N> {
    let mut out = Vector::<f32, N>::new(0.0f32);
    let mut of_column = counter + column * COLUMN_STEP;
    #[unroll]
    for i in 0..N::value() {
        let hash = mixed(of_row ^ of_column);
        of_column += COLUMN_STEP;
        let mut bits = hash >> 16u32;
        if comptime![part == MEAN] {
            bits = hash & 0xffffu32;
        }
        if comptime![part == SQUARE] {
            bits = mixed(hash + ROW_STEP) >> 16u32;
        }
        let own = u32::reinterpret(values.extract(i));
        let size = own & 0x7fff_ffffu32;
        // Infinity is kept, and a NaN is made quiet: its lower half alone may not be zero.
        let kept = select(size > 0x7f80_0000u32, own | 0x0040_0000u32, own);
        let whole = select(size < 0x7f80_0000u32, own + bits, kept);
        out.insert(i, f32::reinterpret(whole & 0xffff_0000u32));
    }
    out
}
