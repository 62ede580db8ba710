//! Negative log-likelihood of one target a row, in the memory of the logits: the forward pass replaces them by exponentials,
//! the backward pass those by the gradient, so that each is computed once.

#[cfg(not(feature = "portable"))]
use multiversion::multiversion;
use rayon::prelude::*;

use super::exp::exp;

/// Least rows of a task.
const ROWS: usize = 8;

/// Fills `out [rows]` with `logsumexp(row) - row[target]` and replaces `logits [rows, vocab]` by `exp(row - max(row))`.
pub fn cross_entropy(logits: &mut [f32], targets: &[i64], vocab: usize, out: &mut [f32]) {
    out.par_iter_mut()
        .with_min_len(ROWS)
        .zip(logits.par_chunks_mut(vocab))
        .zip(targets.par_iter())
        .for_each(|((out, row), &target)| {
            let chosen = row[target as usize];
            *out = exponentials(row) - chosen;
        });
}

/// Replaces the rows of `exponentials` that [`cross_entropy`] left by the gradient with respect to the logits:
/// `grad[row] (softmax(row) - one_hot(target))`.
pub fn cross_entropy_backward(
    exponentials: &mut [f32],
    targets: &[i64],
    grad: &[f32],
    vocab: usize,
) {
    exponentials
        .par_chunks_mut(vocab)
        .with_min_len(ROWS)
        .zip(targets.par_iter().zip(grad.par_iter()))
        .for_each(|(row, (&target, &grad))| {
            scaled_softmax(row, grad);
            row[target as usize] -= grad;
        });
}

#[inline(always)]
fn max(row: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut best = [f32::NEG_INFINITY; LANES];
    for chunk in row.chunks(LANES) {
        for (best, value) in best.iter_mut().zip(chunk) {
            *best = if *value > *best { *value } else { *best };
        }
    }
    best.into_iter().fold(f32::NEG_INFINITY, f32::max)
}

#[inline(always)]
fn sum(row: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0f32; LANES];
    let chunks = row.chunks_exact(LANES);
    let tail: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for lane in 0..LANES {
            sums[lane] += chunk[lane];
        }
    }
    sums.iter().sum::<f32>() + tail
}

/// Replaces a row by its exponentials relative to the largest; returns the logarithm of the sum of exponentials.
#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
fn exponentials(row: &mut [f32]) -> f32 {
    let peak = max(row);
    for value in row.iter_mut() {
        *value = exp(*value - peak);
    }
    peak + sum(row).ln()
}

/// `scale / sum(row) row`.
#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
fn scaled_softmax(row: &mut [f32], scale: f32) {
    let factor = scale / sum(row);
    for value in row.iter_mut() {
        *value *= factor;
    }
}
