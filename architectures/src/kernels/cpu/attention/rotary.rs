//! Rotary position embedding of queries and keys (Su et al. 2021), rotating the halves of a head against each other.

use std::sync::{Arc, Mutex, PoisonError};

#[cfg(not(feature = "portable"))]
use multiversion::multiversion;

use crate::kernels::attention_shape::AttentionShape;
use crate::kernels::cpu::matmul::Matrix;
use crate::rotary::Rotary;

/// Cosine and sine of each position's angles, `[seq, head_dim / 2]` pairs.
pub type Rotations = Arc<[(f32, f32)]>;

/// What rotations depend on: tokens of a sequence, width of a head, frequencies.
type Key = (usize, usize, Rotary);

/// Rotations of the shapes in use, latest last: a decoder has one, training and evaluation together few.
static COMPUTED: Mutex<Vec<(Key, Rotations)>> = Mutex::new(Vec::new());

/// Most shapes whose rotations are kept.
const KEPT: usize = 4;

/// The rotations of a shape. Kept, because sines and cosines took as long as the scores of a small head.
pub fn rotations(shape: &AttentionShape) -> Rotations {
    let key = (shape.seq, shape.head_dim, shape.rotary);
    let mut computed = COMPUTED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, rotations)) = computed.iter().find(|(other, _)| *other == key) {
        return rotations.clone();
    }
    let rotations = compute(shape);
    if computed.len() == KEPT {
        computed.remove(0);
    }
    computed.push((key, rotations.clone()));
    rotations
}

fn compute(shape: &AttentionShape) -> Rotations {
    let half = shape.head_dim / 2;
    let frequencies: Vec<f64> = (0..half)
        .map(|pair| shape.rotary.frequency(pair, half))
        .collect();
    (0..shape.seq * half)
        .map(|i| {
            let angle = (i / half) as f64 * frequencies[i % half];
            (angle.cos() as f32, angle.sin() as f32)
        })
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
