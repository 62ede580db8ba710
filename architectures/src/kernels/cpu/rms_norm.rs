//! RMSNorm, `y = x / rms(x) * gamma` by row (Zhang & Sennrich 2019), and its gradient.

#[cfg(not(feature = "portable"))]
use multiversion::multiversion;
use rayon::prelude::*;

/// Rows whose gradients of `gamma` a task sums: constant, so that sums do not depend on the number of threads.
const ROWS: usize = 128;

/// `x` and `out [rows, width]`, `gamma [width]`.
pub fn rms_norm(x: &[f32], gamma: &[f32], epsilon: f32, out: &mut [f32]) {
    let width = gamma.len();
    out.par_chunks_mut(width)
        .with_min_len(ROWS)
        .zip(x.par_chunks(width))
        .for_each(|(out, x)| forward_row(x, gamma, epsilon, out));
}

/// Gradients with respect to `x`, into `dx [rows, width]`, and to `gamma`, returned.
pub fn rms_norm_backward(
    x: &[f32],
    gamma: &[f32],
    grad: &[f32],
    epsilon: f32,
    dx: &mut [f32],
) -> Vec<f32> {
    let width = gamma.len();
    let partials: Vec<Vec<f32>> = dx
        .par_chunks_mut(ROWS * width)
        .zip(x.par_chunks(ROWS * width))
        .zip(grad.par_chunks(ROWS * width))
        .map(|((dx, x), grad)| {
            let mut dgamma = vec![0.0; width];
            let rows = x.chunks(width).zip(grad.chunks(width));
            for (dx, (x, grad)) in dx.chunks_mut(width).zip(rows) {
                backward_row(x, gamma, grad, epsilon, dx, &mut dgamma);
            }
            dgamma
        })
        .collect();
    let mut dgamma = vec![0.0; width];
    for partial in partials {
        for (sum, part) in dgamma.iter_mut().zip(partial) {
            *sum += part;
        }
    }
    dgamma
}

/// The inner product, in lanes whose number does not depend on the processor.
#[inline(always)]
pub(super) fn inner(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0f32; LANES];
    for (a, b) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let done = a.len() / LANES * LANES;
    let tail: f32 = a[done..].iter().zip(&b[done..]).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + tail
}

#[inline(always)]
fn inverse_rms(x: &[f32], epsilon: f32) -> f32 {
    1.0 / (inner(x, x) / x.len() as f32 + epsilon).sqrt()
}

#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
fn forward_row(x: &[f32], gamma: &[f32], epsilon: f32, out: &mut [f32]) {
    let scale = inverse_rms(x, epsilon);
    for ((out, x), gamma) in out.iter_mut().zip(x).zip(gamma) {
        *out = x * scale * gamma;
    }
}

#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
fn backward_row(
    x: &[f32],
    gamma: &[f32],
    grad: &[f32],
    epsilon: f32,
    dx: &mut [f32],
    dgamma: &mut [f32],
) {
    let scale = inverse_rms(x, epsilon);
    for (((dx, dgamma), (x, gamma)), grad) in
        dx.iter_mut().zip(dgamma).zip(x.iter().zip(gamma)).zip(grad)
    {
        *dgamma += grad * x * scale;
        *dx = grad * gamma;
    }
    // d(x scale) = scale (g - x <g, x> scale^2 / width), with g the gradient times gamma.
    let along = inner(dx, x) * scale * scale / x.len() as f32;
    for (dx, x) in dx.iter_mut().zip(x) {
        *dx = scale * (*dx - along * x);
    }
}
