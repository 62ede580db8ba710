//! Attention of one query of each head to the keys and values of a cache, read once each where they are stored.

#[cfg(not(feature = "portable"))]
use multiversion::multiversion;
use rayon::prelude::*;

use super::exp::exp;
use super::rms_norm::inner;

/// Least queries of a task.
const QUERIES: usize = 8;

/// Keys or values in memory, `[batch, n_kv_heads, tokens, head_dim]` of a longer buffer.
#[derive(Clone, Copy)]
pub struct Cached<'a> {
    /// The buffer from the first token of the first head on.
    pub values: &'a [f32],
    /// Distance of sequences, and of heads of one sequence.
    pub strides: [usize; 2],
}

/// Sizes of a cached attention.
#[derive(Clone, Copy, Debug)]
pub struct CacheShape {
    /// Query heads.
    pub n_heads: usize,
    /// Key and value heads; divides `n_heads`.
    pub n_kv_heads: usize,
    /// Tokens in the cache.
    pub tokens: usize,
    /// Width of a head.
    pub head_dim: usize,
}

impl<'a> Cached<'a> {
    /// The `[tokens, head_dim]` that a query head reads.
    fn rows(self, batch: usize, head: usize, shape: &CacheShape) -> &'a [f32] {
        let kv = head / (shape.n_heads / shape.n_kv_heads);
        let start = batch * self.strides[0] + kv * self.strides[1];
        &self.values[start..][..shape.tokens * shape.head_dim]
    }
}

/// Fills `out`, shaped as `queries [batch, n_heads, head_dim]`.
pub fn attend(queries: &[f32], keys: Cached, values: Cached, shape: CacheShape, out: &mut [f32]) {
    let CacheShape {
        n_heads,
        tokens,
        head_dim,
        ..
    } = shape;
    out.par_chunks_mut(head_dim)
        .with_min_len(QUERIES)
        .zip(queries.par_chunks(head_dim))
        .enumerate()
        .for_each_init(
            || vec![0.0; tokens],
            |scores, (place, (out, query))| {
                let (batch, head) = (place / n_heads, place % n_heads);
                let keys = keys.rows(batch, head, &shape);
                let values = values.rows(batch, head, &shape);
                attend_one(query, keys, values, scores, out);
            },
        );
}

#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
fn attend_one(query: &[f32], keys: &[f32], values: &[f32], scores: &mut [f32], out: &mut [f32]) {
    let scale = (query.len() as f32).powf(-0.5);
    let mut peak = f32::NEG_INFINITY;
    for (score, key) in scores.iter_mut().zip(keys.chunks_exact(query.len())) {
        *score = scale * inner(query, key);
        peak = peak.max(*score);
    }
    for score in scores.iter_mut() {
        *score = exp(*score - peak);
    }
    let total: f32 = scores.iter().sum();
    out.fill(0.0);
    for (score, value) in scores.iter().zip(values.chunks_exact(query.len())) {
        for (out, value) in out.iter_mut().zip(value) {
            *out += score * value;
        }
    }
    for out in out.iter_mut() {
        *out /= total;
    }
}
