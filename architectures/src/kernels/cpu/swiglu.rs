//! `silu(gate) * up` (SwiGLU, Shazeer 2020) over rows that hold both halves side by side, and its gradient.

#[cfg(not(feature = "portable"))]
use multiversion::multiversion;
use rayon::prelude::*;

use super::exp::sigmoid;

/// Least rows of a task.
const ROWS: usize = 16;

/// `out[r, i] = silu(x[r, i]) x[r, f + i]` for `x [rows, 2 f]`, `out [rows, f]`.
pub fn swiglu(x: &[f32], f: usize, out: &mut [f32]) {
    out.par_chunks_mut(f)
        .with_min_len(ROWS)
        .zip(x.par_chunks(2 * f))
        .for_each(|(out, x)| forward_row(&x[..f], &x[f..], out));
}

/// Gradient with respect to `x`, given that of the output.
pub fn swiglu_backward(x: &[f32], grad: &[f32], f: usize, out: &mut [f32]) {
    out.par_chunks_mut(2 * f)
        .with_min_len(ROWS)
        .zip(x.par_chunks(2 * f))
        .zip(grad.par_chunks(f))
        .for_each(|((out, x), grad)| {
            let (gate, up) = out.split_at_mut(f);
            backward_row(&x[..f], &x[f..], grad, gate, up);
        });
}

#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
fn forward_row(gate: &[f32], up: &[f32], out: &mut [f32]) {
    for ((out, gate), up) in out.iter_mut().zip(gate).zip(up) {
        *out = gate * sigmoid(*gate) * up;
    }
}

#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
fn backward_row(
    gate: &[f32],
    up: &[f32],
    grad: &[f32],
    gate_grad: &mut [f32],
    up_grad: &mut [f32],
) {
    let inputs = gate.iter().zip(up).zip(grad);
    for (((gate, up), grad), (gate_grad, up_grad)) in inputs.zip(gate_grad.iter_mut().zip(up_grad))
    {
        let s = sigmoid(*gate);
        *up_grad = grad * gate * s;
        *gate_grad = grad * up * s * (1.0 + gate * (1.0 - s));
    }
}
