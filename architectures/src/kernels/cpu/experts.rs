//! A mixture of experts: dispatch of tokens to rows sorted by expert, one matrix product per expert (in tiles, so that
//! all threads have work whatever the loads), and the weighted combination of rows by token.

use std::ops::Range;

#[cfg(not(feature = "portable"))]
use multiversion::multiversion;
use rayon::prelude::*;

use super::matmul::{Matrix, TILES, tiled_matmul};

/// `out[p] = x[source_tokens[p]]`.
pub fn dispatch_tokens(x: &[f32], width: usize, source_tokens: &[i64], out: &mut [f32]) {
    out.par_chunks_mut(width)
        .zip(source_tokens)
        .with_min_len(64)
        .for_each(|(out, &token)| out.copy_from_slice(&x[token as usize * width..][..width]));
}

/// `out[t]` is the sum of `weight * y[row]` over the token's assignments, which begin at `offsets[t]`.
pub fn combine_outputs(
    (y, weights): (&[f32], &[f32]),
    width: usize,
    rows: &[i64],
    offsets: &[i64],
    out: &mut [f32],
) {
    out.par_chunks_mut(width)
        .enumerate()
        .with_min_len(64)
        .for_each(|(token, out)| {
            out.fill(0.0);
            let assignments = offsets[token] as usize..offsets[token + 1] as usize;
            let rows = &rows[assignments.clone()];
            for (&row, &weight) in rows.iter().zip(&weights[assignments]) {
                let row = row as usize;
                add_scaled(weight, &y[row * width..][..width], out);
            }
        });
}

/// Gradients of [`combine_outputs`], given that of its output: `dy` of every row and `dweights` of every assignment. A row has a
/// token and an assignment, and an assignment a row.
pub fn combine_outputs_backward(
    (grad, y, weights): (&[f32], &[f32], &[f32]),
    width: usize,
    (source_tokens, assignments, rows): (&[i64], &[i64], &[i64]),
    dy: &mut [f32],
    dweights: &mut [f32],
) {
    let grad_of = |token: i64| &grad[token as usize * width..][..width];
    let mut by_row = vec![0.0; dweights.len()];
    dy.par_chunks_mut(width)
        .zip(&mut by_row)
        .enumerate()
        .with_min_len(64)
        .for_each(|(row, (dy, dweight))| {
            let grad = grad_of(source_tokens[row]);
            dy.fill(0.0);
            add_scaled(weights[assignments[row] as usize], grad, dy);
            *dweight = inner(grad, &y[row * width..][..width]);
        });
    for (dweight, &row) in dweights.iter_mut().zip(rows) {
        *dweight = by_row[row as usize];
    }
}

/// `out[p] = x[p] weights[expert of p]`; `x [rows, inputs]`, `weights [n_experts, inputs, outputs]`. The rows of each expert begin
/// at its entry of `offsets [n_experts + 1]`.
pub fn grouped_matmul(
    x: &[f32],
    weights: &[f32],
    shape: (usize, usize),
    offsets: &[i64],
    out: &mut [f32],
) {
    let (inputs, outputs) = shape;
    let out = Matrix::write(out, 0, outputs);
    each_expert(offsets, |expert, rows, tiles| {
        let weights = Matrix::read(weights, expert * inputs * outputs, outputs);
        let x = Matrix::read(x, rows.start * inputs, inputs);
        let out = out.rows_from(rows.start);
        tiled_matmul(out, x, weights, (rows.len(), inputs, outputs), tiles);
    });
}

/// Gradients of [`grouped_matmul`], given that of its output; those of an expert without rows are not written.
pub fn grouped_matmul_backward(
    (grad, x, weights): (&[f32], &[f32], &[f32]),
    (inputs, outputs): (usize, usize),
    offsets: &[i64],
    dx: &mut [f32],
    dweights: &mut [f32],
) {
    let dx = Matrix::write(dx, 0, inputs);
    let dweights = Matrix::write(dweights, 0, outputs);
    each_expert(offsets, |expert, rows, tiles| {
        let weights = Matrix::read(weights, expert * inputs * outputs, outputs);
        let x = Matrix::read(x, rows.start * inputs, inputs);
        let grad = Matrix::read(grad, rows.start * outputs, outputs);
        let dx = dx.rows_from(rows.start);
        tiled_matmul(
            dx,
            grad,
            weights.transposed(),
            (rows.len(), outputs, inputs),
            tiles,
        );
        let dweights = dweights.rows_from(expert * inputs);
        tiled_matmul(
            dweights,
            x.transposed(),
            grad,
            (inputs, rows.len(), outputs),
            tiles,
        );
    });
}

/// Each expert and its rows, of offsets `[n_experts + 1]`.
pub fn rows_of_experts(offsets: &[i64]) -> impl Iterator<Item = (usize, Range<usize>)> + '_ {
    let ranges = offsets.windows(2);
    ranges
        .map(|ends| ends[0] as usize..ends[1] as usize)
        .enumerate()
}

/// Visits the experts that have rows, in parallel, with the number of tiles into which each divides its product.
fn each_expert(offsets: &[i64], visit: impl Fn(usize, Range<usize>, usize) + Sync) {
    let experts: Vec<_> = rows_of_experts(offsets)
        .filter(|(_, rows)| !rows.is_empty())
        .collect();
    // With few experts each product is divided into more tiles, so that all threads have work.
    let tiles = TILES.div_ceil(experts.len().max(1));
    experts
        .into_par_iter()
        .for_each(|(expert, rows)| visit(expert, rows, tiles));
}

#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
fn add_scaled(weight: f32, row: &[f32], out: &mut [f32]) {
    for (out, value) in out.iter_mut().zip(row) {
        *out += weight * value;
    }
}

#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
fn inner(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0f32; LANES];
    for (a, b) in a.chunks(LANES).zip(b.chunks(LANES)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}
