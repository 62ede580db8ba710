//! The loops of a mixture of experts: rows moved to places and back, and one product per expert, cut into pieces that
//! keep all threads busy whatever the loads.

use multiversion::multiversion;
use rayon::prelude::*;

use super::experts::Routes;
use super::product::{Matrix, product};

/// Rows of a piece of a product.
const ROWS: usize = 128;

/// `out[p] = x[token_of[p]]`.
pub fn to_places(x: &[f32], width: usize, routes: &Routes, out: &mut [f32]) {
    out.par_chunks_mut(width)
        .zip(&routes.token_of)
        .with_min_len(64)
        .for_each(|(out, &token)| out.copy_from_slice(&x[token as usize * width..][..width]));
}

/// `out[t] = sum over the token's places of weight * y[place]`.
pub fn to_tokens(y: &[f32], width: usize, weights: &[f32], routes: &Routes, out: &mut [f32]) {
    out.par_chunks_mut(width)
        .enumerate()
        .with_min_len(64)
        .for_each(|(token, out)| {
            out.fill(0.0);
            for meeting in routes.starts[token]..routes.starts[token + 1] {
                let place = routes.places[meeting] as usize;
                add_scaled(weights[meeting], &y[place * width..][..width], out);
            }
        });
}

/// Gradients of [`to_tokens`], given that of its output: `dy` of every place and `dweights` of every meeting.
pub fn to_tokens_backward(
    (grad, y, weights): (&[f32], &[f32], &[f32]),
    width: usize,
    routes: &Routes,
    dy: &mut [f32],
    dweights: &mut [f32],
) {
    let mut meeting_of = vec![0; routes.places.len()];
    for (meeting, &place) in routes.places.iter().enumerate() {
        meeting_of[place as usize] = meeting;
    }
    let row = |token: i64| &grad[token as usize * width..][..width];
    let mut by_place = vec![0.0; dweights.len()];
    dy.par_chunks_mut(width)
        .zip(&mut by_place)
        .enumerate()
        .with_min_len(64)
        .for_each(|(place, (dy, dweight))| {
            let grad = row(routes.token_of[place]);
            dy.fill(0.0);
            add_scaled(weights[meeting_of[place]], grad, dy);
            *dweight = inner(grad, &y[place * width..][..width]);
        });
    for (dweight, &place) in dweights.iter_mut().zip(&routes.places) {
        *dweight = by_place[place as usize];
    }
}

/// `out[p] = x[p] weights[expert of p]`; `x [places, inputs]`, `weights [n_experts, inputs, outputs]`.
pub fn forward(
    x: &[f32],
    weights: &[f32],
    shape: (usize, usize),
    routes: &Routes,
    out: &mut [f32],
) {
    let (inputs, outputs) = shape;
    let out = Matrix::write(out, 0, outputs);
    pieces(routes)
        .into_par_iter()
        .for_each(|(expert, start, rows)| {
            let weights = Matrix::read(weights, expert * inputs * outputs, outputs);
            let x = Matrix::read(x, start * inputs, inputs);
            product(
                out.rows_from(start),
                false,
                x,
                weights,
                (rows, inputs, outputs),
                1.0,
            );
        });
}

/// Gradients of [`forward`], given that of its output.
pub fn backward(
    (grad, x, weights): (&[f32], &[f32], &[f32]),
    (inputs, outputs): (usize, usize),
    routes: &Routes,
    dx: &mut [f32],
    dweights: &mut [f32],
) {
    let dx = Matrix::write(dx, 0, inputs);
    pieces(routes)
        .into_par_iter()
        .for_each(|(expert, start, rows)| {
            let weights = Matrix::read(weights, expert * inputs * outputs, outputs).transposed();
            let grad = Matrix::read(grad, start * outputs, outputs);
            product(
                dx.rows_from(start),
                false,
                grad,
                weights,
                (rows, outputs, inputs),
                1.0,
            );
        });
    let experts: Vec<_> = routes.experts().collect();
    let piece = ROWS.min(inputs);
    let pieces = inputs.div_ceil(piece);
    let out = Matrix::write(dweights, 0, outputs);
    (0..experts.len() * pieces)
        .into_par_iter()
        .for_each(|task| {
            let (expert, places) = &experts[task / pieces];
            let first = task % pieces * piece;
            let rows = piece.min(inputs - first);
            let out = out.rows_from(expert * inputs + first);
            // A product over no places is zero, which is what the gradient was allocated as.
            if places.is_empty() {
                return;
            }
            let x = Matrix::read(x, places.start * inputs + first, inputs).transposed();
            let grad = Matrix::read(grad, places.start * outputs, outputs);
            product(out, false, x, grad, (rows, places.len(), outputs), 1.0);
        });
}

/// Expert, first place and number of places of every piece.
fn pieces(routes: &Routes) -> Vec<(usize, usize, usize)> {
    routes
        .experts()
        .flat_map(|(expert, places)| {
            let end = places.end;
            places
                .step_by(ROWS)
                .map(move |start| (expert, start, ROWS.min(end - start)))
        })
        .collect()
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
fn add_scaled(weight: f32, row: &[f32], out: &mut [f32]) {
    for (out, value) in out.iter_mut().zip(row) {
        *out += weight * value;
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
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
