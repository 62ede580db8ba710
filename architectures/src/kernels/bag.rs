//! Weighted sums of table rows and dot products with them, one token at a time, nothing gathered into memory.
//!
//! `bag[t] = sum_j weights[t,j] table[ids[t,j]]` and `dot[t,j] = <inputs[t], table[ids[t,j]]>`. Each is the other's
//! gradient: of a bag with respect to its weights, of a dot with respect to its inputs.

use multiversion::multiversion;
use rayon::prelude::*;

/// Rows requested from memory ahead of their use.
const AHEAD: usize = 12;

/// Tokens a thread takes at once.
const TOKENS: usize = 8;

/// `out[t] = sum_j weights[t,j] table[ids[t,j]]`; `table [rows, width]`, `ids` and `weights [tokens, per_token]`.
pub fn bag(
    table: &[f32],
    width: usize,
    ids: &[i64],
    weights: &[f32],
    per_token: usize,
    out: &mut [f32],
) {
    out.par_chunks_mut(width)
        .with_min_len(TOKENS)
        .zip(ids.par_chunks(per_token))
        .zip(weights.par_chunks(per_token))
        .for_each(|((out, ids), weights)| bag_token(table, ids, weights, out));
}

/// `out[t,j] = <inputs[t], table[ids[t,j]]>`.
pub fn dot(
    table: &[f32],
    width: usize,
    ids: &[i64],
    inputs: &[f32],
    per_token: usize,
    out: &mut [f32],
) {
    out.par_chunks_mut(per_token)
        .with_min_len(TOKENS)
        .zip(ids.par_chunks(per_token))
        .zip(inputs.par_chunks(width))
        .for_each(|((out, ids), input)| dot_token(table, ids, input, out));
}

fn row(table: &[f32], width: usize, id: i64) -> &[f32] {
    &table[id as usize * width..][..width]
}

#[cfg(target_arch = "x86_64")]
fn prefetch(row: &[f32]) {
    use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    const LINE: usize = 64 / size_of::<f32>();
    for line in row.chunks(LINE) {
        // SAFETY: a prefetch of an address inside a live slice has no effect but on the cache.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn prefetch(_row: &[f32]) {}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
fn bag_token(table: &[f32], ids: &[i64], weights: &[f32], out: &mut [f32]) {
    let width = out.len();
    out.fill(0.0);
    for (j, (&id, &weight)) in ids.iter().zip(weights).enumerate() {
        if let Some(&ahead) = ids.get(j + AHEAD) {
            prefetch(row(table, width, ahead));
        }
        for (sum, value) in out.iter_mut().zip(row(table, width, id)) {
            *sum += weight * value;
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
fn dot_token(table: &[f32], ids: &[i64], input: &[f32], out: &mut [f32]) {
    // Independent partial sums let the compiler use whole vectors; their order is fixed, so results are repeatable.
    const LANES: usize = 32;
    let width = input.len();
    for (j, (&id, out)) in ids.iter().zip(out).enumerate() {
        if let Some(&ahead) = ids.get(j + AHEAD) {
            prefetch(row(table, width, ahead));
        }
        let row = row(table, width, id);
        let mut sums = [0f32; LANES];
        for (a, b) in row.chunks_exact(LANES).zip(input.chunks_exact(LANES)) {
            for lane in 0..LANES {
                sums[lane] += a[lane] * b[lane];
            }
        }
        let done = width / LANES * LANES;
        let tail: f32 = row[done..]
            .iter()
            .zip(&input[done..])
            .map(|(a, b)| a * b)
            .sum();
        *out = sums.iter().sum::<f32>() + tail;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;
    use rand::Rng;

    #[test]
    fn equals_the_definition_at_any_width() {
        let (rows, tokens, per_token) = (50, 19, 7);
        for width in [1, 3, 32, 48, 100] {
            let mut rng = stream(1, "bag", width as u64);
            let mut values =
                |n: usize| -> Vec<f32> { (0..n).map(|_| rng.random_range(-1.0..1.0)).collect() };
            let table = values(rows * width);
            let weights = values(tokens * per_token);
            let inputs = values(tokens * width);
            let ids: Vec<i64> = (0..tokens * per_token)
                .map(|_| rng.random_range(0..rows as i64))
                .collect();
            let (mut sums, mut dots) = (vec![0.0; tokens * width], vec![0.0; tokens * per_token]);
            bag(&table, width, &ids, &weights, per_token, &mut sums);
            dot(&table, width, &ids, &inputs, per_token, &mut dots);
            for token in 0..tokens {
                for column in 0..width {
                    let expected: f32 = (0..per_token)
                        .map(|j| {
                            weights[token * per_token + j]
                                * table[ids[token * per_token + j] as usize * width + column]
                        })
                        .sum();
                    assert!((sums[token * width + column] - expected).abs() < 1e-5);
                }
                for j in 0..per_token {
                    let expected: f32 = (0..width)
                        .map(|c| {
                            inputs[token * width + c]
                                * table[ids[token * per_token + j] as usize * width + c]
                        })
                        .sum();
                    assert!((dots[token * per_token + j] - expected).abs() < 1e-4);
                }
            }
        }
    }
}
