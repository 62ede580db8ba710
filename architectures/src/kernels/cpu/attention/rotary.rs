//! Rotary position embedding of queries and keys (Su et al. 2021), rotating the halves of a head against each other.

#[cfg(not(feature = "portable"))]
use multiversion::multiversion;

use crate::kernels::attention_shape::AttentionShape;
use crate::kernels::cpu::matmul::Matrix;

/// Cosine and sine of each position's angles, `[seq, head_dim / 2]` pairs.
pub fn rotations(shape: &AttentionShape) -> Vec<(f32, f32)> {
    let half = shape.head_dim / 2;
    let angle = |i: usize| (i / half) as f64 * shape.rotary.frequency(i % half, half);
    (0..shape.seq * half)
        .map(|i| (angle(i).cos() as f32, angle(i).sin() as f32))
        .collect()
}

/// Rotates and scales the rows that begin at `x`, `width` apart, into `out [seq, head_dim]`.
#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
pub fn rotate(
    x: &[f32],
    width: usize,
    rotations: &[(f32, f32)],
    scale: f32,
    out: &mut [f32],
    head_dim: usize,
) {
    let half = head_dim / 2;
    for (row, (out, rotations)) in out
        .chunks_mut(head_dim)
        .zip(rotations.chunks(half))
        .enumerate()
    {
        let x = &x[row * width..][..head_dim];
        let (low, high) = out.split_at_mut(half);
        let (x_low, x_high) = x.split_at(half);
        let pairs = low.iter_mut().zip(high).zip(x_low.iter().zip(x_high));
        for (((low, high), (a, b)), (cos, sin)) in pairs.zip(rotations) {
            *low = scale * (a * cos - b * sin);
            *high = scale * (b * cos + a * sin);
        }
    }
}

/// The transpose of [`rotate`]: writes the gradients `[seq, head_dim]` before the rotation to the columns of `out` from
/// `column` on.
pub fn rotate_back(
    x: &[f32],
    rotations: &[(f32, f32)],
    out: Matrix,
    column: usize,
    head_dim: usize,
) {
    let half = head_dim / 2;
    for (row, (x, rotations)) in x.chunks(head_dim).zip(rotations.chunks(half)).enumerate() {
        // SAFETY: only this task accesses this head's columns of this sequence's rows.
        let out = unsafe {
            std::slice::from_raw_parts_mut(out.rows_from(row).start.wrapping_add(column), head_dim)
        };
        for (i, (cos, sin)) in rotations.iter().enumerate() {
            out[i] = x[i] * cos + x[half + i] * sin;
            out[half + i] = x[half + i] * cos - x[i] * sin;
        }
    }
}
