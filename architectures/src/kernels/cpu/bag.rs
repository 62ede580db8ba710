//! Weighted sums of table rows and dot products with them, token by token, without a gathered copy of the rows.
//!
//! `bag[t] = sum_j weights[t,j] table[ids[t,j]]` and `dot[t,j] = <inputs[t], table[ids[t,j]]>`. Each is the other's
//! gradient: of a bag with respect to its weights, of a dot with respect to its inputs.
//!
//! Both are bound by memory bandwidth. Rows are prefetched before their use, across the boundary between tokens; narrow
//! ones of a bag twice, first into the second-level cache, of which more can be in flight. A bag's sum stays in registers,
//! in pieces of the width where the registers require it. A narrow table that a batch reads several times is read in table order instead ([`super::grouped_bag`]).
//!
//! The order of a sum does not depend on the pieces: all instruction sets give the same bits.

#[cfg(not(feature = "portable"))]
use multiversion::{multiversion, target::match_target};
use rayon::prelude::*;
use std::mem::MaybeUninit;

use burn::tensor::bf16;

use super::grouped_bag::{self, GroupedRows};
use super::prefetch::{prefetch, prefetch_near};
use super::table_element::TableElement;

/// Distance of prefetches into the first-level cache in values, 8 KiB; this and the others are measured in docs/log.md.
const NEAR: usize = 2048;

/// The same for reads of at most 64 values that are not prefetched twice: more of them have to be in flight.
const NEAR_NARROW: usize = 4096;

/// Distance of prefetches into the second-level cache in values, 32 KiB.
const FAR: usize = 8192;

/// Widest row that a bag prefetches twice.
const TWICE: usize = 256;

/// Distance in values of prefetches of `read` values that are prefetched once.
fn near(read: usize) -> usize {
    if read <= 64 { NEAR_NARROW } else { NEAR }
}

/// Tokens of a task.
const TOKENS: usize = 32;

/// `sum_j weights[t,j] table[ids[t,j]]`, `[tokens, width]`; `table [rows, width]`, `ids` and `weights [tokens, per_token]`.
pub fn bag<T: TableRows>(
    table: &[T],
    width: usize,
    ids: &[i64],
    weights: &[f32],
    per_token: usize,
) -> Vec<f32> {
    assert_eq!(ids.len(), weights.len(), "ids and weights of a bag");
    let sums = ids.len() / per_token * width;
    if grouped_bag::should_group(table, width, ids) {
        let mut out = vec![0.0; sums];
        grouped_bag::bag(table, width, ids, weights, per_token, &mut out);
        return out;
    }
    let mut out = Vec::with_capacity(sums);
    out.spare_capacity_mut()[..sums]
        .par_chunks_mut(TOKENS * width)
        .zip(ids.par_chunks(TOKENS * per_token))
        .zip(weights.par_chunks(TOKENS * per_token))
        .for_each(|((out, ids), weights)| {
            T::bag_tokens(table, width, ids, weights, zeroed(out));
        });
    // SAFETY: there are as many chunks of ids and of weights as of sums, so every chunk was zeroed.
    unsafe { out.set_len(sums) };
    out
}

/// Zeros in new memory. A task writes those of its own tokens, which stay in its cache until the sums replace them: zeros
/// of the whole output would be written to memory, on one thread.
fn zeroed(memory: &mut [MaybeUninit<f32>]) -> &mut [f32] {
    for value in &mut *memory {
        value.write(0.0);
    }
    // SAFETY: all of them were written.
    unsafe { std::slice::from_raw_parts_mut(memory.as_mut_ptr().cast(), memory.len()) }
}

/// `out[t,j] = <inputs[t], table[ids[t,j]]>`.
pub fn dot<T: TableRows>(
    table: &[T],
    width: usize,
    ids: &[i64],
    inputs: &[f32],
    per_token: usize,
    out: &mut [f32],
) {
    out.par_chunks_mut(TOKENS * per_token)
        .zip(ids.par_chunks(TOKENS * per_token))
        .zip(inputs.par_chunks(TOKENS * width))
        .for_each(|((out, ids), inputs)| T::dot_tokens(table, width, ids, inputs, out));
}

/// Formats of table rows, each with loops that are compiled for several instruction sets.
pub trait TableRows: TableElement + GroupedRows {
    /// The bags of some tokens.
    fn bag_tokens(table: &[Self], width: usize, ids: &[i64], weights: &[f32], out: &mut [f32]);
    /// The dot products of some tokens.
    fn dot_tokens(table: &[Self], width: usize, ids: &[i64], inputs: &[f32], out: &mut [f32]);
}

macro_rules! table_rows {
    ($element:ty) => {
        impl TableRows for $element {
            fn bag_tokens(
                table: &[Self],
                width: usize,
                ids: &[i64],
                weights: &[f32],
                out: &mut [f32],
            ) {
                #[cfg(not(feature = "portable"))]
                #[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
                fn compiled(
                    table: &[$element],
                    width: usize,
                    ids: &[i64],
                    weights: &[f32],
                    out: &mut [f32],
                ) {
                    match_target! {
                        "x86_64+avx512f" => bag_tokens::<true, _>(table, width, ids, weights, out),
                        _ => bag_tokens::<false, _>(table, width, ids, weights, out),
                    }
                }
                #[cfg(feature = "portable")]
                let compiled = bag_tokens::<false, $element>;
                compiled(table, width, ids, weights, out);
            }

            fn dot_tokens(
                table: &[Self],
                width: usize,
                ids: &[i64],
                inputs: &[f32],
                out: &mut [f32],
            ) {
                #[cfg_attr(
                    not(feature = "portable"),
                    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
                )]
                fn compiled(
                    table: &[$element],
                    width: usize,
                    ids: &[i64],
                    inputs: &[f32],
                    out: &mut [f32],
                ) {
                    dot_tokens(table, width, ids, inputs, out);
                }
                compiled(table, width, ids, inputs, out);
            }
        }
    };
}

table_rows!(f32);
table_rows!(bf16);

/// The bags of some tokens. `WIDE`: registers hold the sum of 256 columns.
#[inline(always)]
fn bag_tokens<const WIDE: bool, T: TableElement>(
    table: &[T],
    width: usize,
    ids: &[i64],
    weights: &[f32],
    out: &mut [f32],
) {
    match width {
        16 => pieces::<16, T>(table, width, ids, weights, out),
        32 => pieces::<32, T>(table, width, ids, weights, out),
        64 | 128 => pieces::<64, T>(table, width, ids, weights, out),
        // Elsewhere half a row at a time: sums in memory are slower (docs/log.md).
        256 if !WIDE => pieces::<128, T>(table, width, ids, weights, out),
        _ if width.is_multiple_of(256) => pieces::<256, T>(table, width, ids, weights, out),
        _ if width.is_multiple_of(128) => pieces::<128, T>(table, width, ids, weights, out),
        _ if width.is_multiple_of(64) => pieces::<64, T>(table, width, ids, weights, out),
        _ => any_width(table, width, ids, weights, out),
    }
}

/// A token's sum, `PIECE` columns at a time, in registers.
#[inline(always)]
fn pieces<const PIECE: usize, T: TableElement>(
    table: &[T],
    width: usize,
    ids: &[i64],
    weights: &[f32],
    out: &mut [f32],
) {
    let per_token = ids.len() * width / out.len();
    // A token's next piece is known, the one after it is not.
    let most = if width > PIECE { per_token } else { usize::MAX };
    let twice = width <= TWICE;
    let near = if twice { NEAR } else { near(PIECE) };
    let (near, far) = ((near / PIECE).min(most), (FAR / PIECE).min(most));
    for (token, out) in out.chunks_exact_mut(width).enumerate() {
        let first = token * per_token;
        for (piece, out) in out.chunks_exact_mut(PIECE).enumerate() {
            let column = piece * PIECE;
            // A token's last row is followed by its next piece, its last piece by the next token.
            let (wrapped, wrapped_column) = match column + PIECE {
                next if next < width => (first, next),
                _ => (first + per_token, 0),
            };
            let mut sum = [0f32; PIECE];
            for j in 0..per_token {
                let start = |ahead: usize| {
                    let (soon, soon_column) = match j + ahead {
                        soon if soon < per_token => (first + soon, column),
                        soon => (wrapped + soon - per_token, wrapped_column),
                    };
                    ids.get(soon).map(|&id| id as usize * width + soon_column)
                };
                if twice && let Some(start) = start(far) {
                    prefetch(table, start, PIECE);
                }
                if let Some(start) = start(near) {
                    prefetch_near(table, start, PIECE);
                }
                let row = &table[ids[first + j] as usize * width + column..][..PIECE];
                let weight = weights[first + j];
                for (sum, value) in sum.iter_mut().zip(row) {
                    *sum += weight * value.to_single();
                }
            }
            out.copy_from_slice(&sum);
        }
    }
}

#[inline(always)]
fn any_width<T: TableElement>(
    table: &[T],
    width: usize,
    ids: &[i64],
    weights: &[f32],
    out: &mut [f32],
) {
    let near = near(width).div_ceil(width);
    let per_token = ids.len() * width / out.len();
    for (token, out) in out.chunks_exact_mut(width).enumerate() {
        out.fill(0.0);
        for j in token * per_token..(token + 1) * per_token {
            if let Some(&id) = ids.get(j + near) {
                prefetch_near(table, id as usize * width, width);
            }
            let row = &table[ids[j] as usize * width..][..width];
            for (sum, value) in out.iter_mut().zip(row) {
                *sum += weights[j] * value.to_single();
            }
        }
    }
}

#[inline(always)]
fn dot_tokens<T: TableElement>(
    table: &[T],
    width: usize,
    ids: &[i64],
    inputs: &[f32],
    out: &mut [f32],
) {
    // Independent partial sums let the compiler use whole vectors; their order is fixed, so results are repeatable.
    const LANES: usize = 32;
    let near = near(width).div_ceil(width);
    let per_token = out.len() * width / inputs.len();
    let whole = width / LANES * LANES;
    for (token, input) in inputs.chunks_exact(width).enumerate() {
        for j in token * per_token..(token + 1) * per_token {
            if let Some(&id) = ids.get(j + near) {
                prefetch_near(table, id as usize * width, width);
            }
            let row = &table[ids[j] as usize * width..][..width];
            let mut sums = [0f32; LANES];
            for (a, b) in row.chunks_exact(LANES).zip(input.chunks_exact(LANES)) {
                for lane in 0..LANES {
                    sums[lane] += a[lane].to_single() * b[lane];
                }
            }
            let rest = row[whole..].iter().zip(&input[whole..]);
            out[j] = sums.iter().sum::<f32>() + rest.map(|(a, b)| a.to_single() * b).sum::<f32>();
        }
    }
}

#[cfg(test)]
mod tests;
