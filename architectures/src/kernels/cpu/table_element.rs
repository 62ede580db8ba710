//! The formats of table rows and moments in the CPU kernels.

use burn::tensor::{Element, bf16};
#[cfg(not(feature = "portable"))]
use multiversion::multiversion;

use crate::kernels::stochastic_rounding::{RoundedPart, RoundingCounters};

/// A number of a table or of its moments. Sums over rows and updates of rows are computed in f32.
pub trait TableElement: Element + bytemuck::Pod {
    /// The number in f32, exactly.
    fn to_single(self) -> f32;

    /// The numbers of a row in f32: the row itself, or a copy in `copy`, of the row's length.
    fn as_singles<'a>(row: &'a mut [Self], copy: &'a mut [f32]) -> &'a mut [f32];

    /// Writes back what [`TableElement::as_singles`] gave, rounded by the counters of the row.
    fn write_back(row: &mut [Self], copy: &[f32], part: RoundedPart, counters: RoundingCounters);
}

impl TableElement for f32 {
    #[inline(always)]
    fn to_single(self) -> f32 {
        self
    }

    #[inline(always)]
    fn as_singles<'a>(row: &'a mut [Self], _: &'a mut [f32]) -> &'a mut [f32] {
        row
    }

    #[inline(always)]
    fn write_back(_: &mut [Self], _: &[f32], _: RoundedPart, _: RoundingCounters) {}
}

impl TableElement for bf16 {
    #[inline(always)]
    fn to_single(self) -> f32 {
        // As `bf16::to_f32` without its branch for NaN, which keeps loops from being vectorised.
        f32::from_bits(u32::from(self.to_bits()) << 16)
    }

    fn as_singles<'a>(row: &'a mut [Self], copy: &'a mut [f32]) -> &'a mut [f32] {
        for (copy, value) in copy.iter_mut().zip(row) {
            *copy = value.to_single();
        }
        copy
    }

    fn write_back(row: &mut [Self], copy: &[f32], part: RoundedPart, counters: RoundingCounters) {
        round_row(row, copy, part, counters);
    }
}

#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
fn round_row(row: &mut [bf16], copy: &[f32], part: RoundedPart, counters: RoundingCounters) {
    counters.round_row(part, copy, row);
}
