//! Causal softmax of a row of scores, and its gradient.

#[cfg(not(feature = "portable"))]
use multiversion::multiversion;

use crate::kernels::cpu::exp::exp;

/// Softmax over the first `seen` scores, zero beyond; returns the log of the sum of exponentials.
#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
pub fn softmax(scores: &mut [f32], seen: usize) -> f32 {
    const LANES: usize = 16;
    let (scores, hidden) = scores.split_at_mut(seen);
    hidden.fill(0.0);
    let mut peaks = [f32::NEG_INFINITY; LANES];
    for chunk in scores.chunks(LANES) {
        for (peak, score) in peaks.iter_mut().zip(chunk) {
            *peak = if *score > *peak { *score } else { *peak };
        }
    }
    let peak = peaks.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let mut sums = [0f32; LANES];
    for chunk in scores.chunks_mut(LANES) {
        for (sum, score) in sums.iter_mut().zip(chunk) {
            *score = exp(*score - peak);
            *sum += *score;
        }
    }
    let sum: f32 = sums.iter().sum();
    let inverse = 1.0 / sum;
    for score in scores {
        *score *= inverse;
    }
    peak + sum.ln()
}

/// From scores and probability gradients to probabilities and score gradients, over the first `seen`; zero beyond.
#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
pub fn softmax_backward(
    scores: &mut [f32],
    grads: &mut [f32],
    seen: usize,
    log_sum: f32,
    along: f32,
) {
    scores[seen..].fill(0.0);
    grads[seen..].fill(0.0);
    for (score, grad) in scores[..seen].iter_mut().zip(&mut grads[..seen]) {
        *score = exp(*score - log_sum);
        *grad = *score * (*grad - along);
    }
}
