//! The loops of a mixture of experts: rows moved to places and back, and one product per expert, in tiles that
//! keep all threads busy whatever the loads.

use std::ops::Range;

#[cfg(not(feature = "portable"))]
use multiversion::multiversion;
use rayon::prelude::*;

use super::product::{Matrix, TILES, tiled_product};
use super::routes::Routes;

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
            let meetings = routes.starts[token]..routes.starts[token + 1];
            let places = &routes.places[meetings.clone()];
            for (&place, &weight) in places.iter().zip(&weights[meetings]) {
                let place = place as usize;
                add_scaled(weight, &y[place * width..][..width], out);
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
    each_expert(routes, |expert, places, tiles| {
        let weights = Matrix::read(weights, expert * inputs * outputs, outputs);
        let x = Matrix::read(x, places.start * inputs, inputs);
        let out = out.rows_from(places.start);
        tiled_product(out, x, weights, (places.len(), inputs, outputs), tiles);
    });
}

/// Gradients of [`forward`], given that of its output; those of an expert without places stay as they are.
pub fn backward(
    (grad, x, weights): (&[f32], &[f32], &[f32]),
    (inputs, outputs): (usize, usize),
    routes: &Routes,
    dx: &mut [f32],
    dweights: &mut [f32],
) {
    let dx = Matrix::write(dx, 0, inputs);
    let dweights = Matrix::write(dweights, 0, outputs);
    each_expert(routes, |expert, places, tiles| {
        let weights = Matrix::read(weights, expert * inputs * outputs, outputs);
        let x = Matrix::read(x, places.start * inputs, inputs);
        let grad = Matrix::read(grad, places.start * outputs, outputs);
        let dx = dx.rows_from(places.start);
        tiled_product(
            dx,
            grad,
            weights.transposed(),
            (places.len(), outputs, inputs),
            tiles,
        );
        let dweights = dweights.rows_from(expert * inputs);
        tiled_product(
            dweights,
            x.transposed(),
            grad,
            (inputs, places.len(), outputs),
            tiles,
        );
    });
}

/// Experts side by side, each of which cuts its own product into tiles.
fn each_expert(routes: &Routes, visit: impl Fn(usize, Range<usize>, usize) + Sync) {
    let experts: Vec<_> = routes
        .experts()
        .filter(|(_, places)| !places.is_empty())
        .collect();
    // The fewer the experts, the finer each one's products are cut: all threads have work.
    let tiles = TILES.div_ceil(experts.len().max(1));
    experts
        .into_par_iter()
        .for_each(|(expert, places)| visit(expert, places, tiles));
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
