//! Product-key search (Lample et al. 2019): half-key scores, both top-k stages and the gradient, without writing the
//! whole score matrix to memory.
//!
//! A tile of tokens is scored against one half's keys in cache and ranked there. Only the selected pairs have a gradient,
//! so the backward pass is two sums over `top_k` keys and queries instead of two products over all `n_keys`.

#[cfg(not(feature = "portable"))]
use multiversion::multiversion;
use rayon::prelude::*;

use super::matmul::{Matrix, matmul};
use super::product_key_top_k::Pairs;
use super::top_k::TopK;

/// Scores of a tile: 1 MiB, half of a core's second-level cache.
const TILE: usize = 1 << 18;

/// Most tokens of a tile: enough for an efficient product, few enough that all threads have tiles.
const TOKENS: usize = 256;

/// Sizes of a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchShape {
    /// Queries of a token.
    pub heads: usize,
    /// Half-keys in each of a head's two sets.
    pub n_keys: usize,
    /// Width of a half-key.
    pub half: usize,
    /// Slots that a head selects.
    pub top_k: usize,
}

impl SearchShape {
    fn query_width(&self) -> usize {
        self.heads * 2 * self.half
    }

    fn check(&self, queries: &[f32], keys: &[f32], ids: &[i64], scores: &[f32]) -> usize {
        let tokens = queries.len() / self.query_width();
        let lengths = (queries.len(), keys.len(), ids.len(), scores.len());
        let chosen = tokens * self.heads * self.top_k;
        let expected = (
            tokens * self.query_width(),
            self.heads * 2 * self.n_keys * self.half,
            chosen,
            chosen,
        );
        assert_eq!(lengths, expected, "{self:?}");
        tokens
    }

    /// Keys of one half of a head, `[n_keys, half]`.
    fn keys<'a>(&self, keys: &'a [f32], head: usize, half: usize) -> &'a [f32] {
        let len = self.n_keys * self.half;
        &keys[(head * 2 + half) * len..][..len]
    }
}

/// The best slots of every token and head, best first, and their scores.
///
/// `queries [tokens, heads, 2, half]`, `keys [heads, 2, n_keys, half]`; `ids` and `scores [tokens, heads, top_k]`. `round`
/// rounds the scores of half-keys.
pub fn search(
    queries: &[f32],
    keys: &[f32],
    shape: SearchShape,
    round: impl Fn(&mut [f32]) + Sync,
    ids: &mut [i64],
    scores: &mut [f32],
) {
    let SearchShape {
        heads,
        n_keys,
        half,
        top_k,
    } = shape;
    let tokens = shape.check(queries, keys, ids, scores);
    let tile = (TILE / n_keys).clamp(1, TOKENS);
    let rows = heads * top_k;
    let tiles = queries
        .par_chunks(tile * shape.query_width())
        .zip(ids.par_chunks_mut(tile * rows))
        .zip(scores.par_chunks_mut(tile * rows));
    let scratch = || Scratch {
        scores: vec![0.0; tile.min(tokens) * n_keys],
        first: (0..tile.min(tokens)).map(|_| TopK::new(top_k)).collect(),
        second: TopK::new(top_k),
        pairs: Pairs::new(top_k),
    };
    tiles.for_each_init(scratch, |scratch, ((queries, ids), scores)| {
        let tokens = queries.len() / shape.query_width();
        for head in 0..heads {
            for side in 0..2 {
                let column = (head * 2 + side) * half;
                let query = Matrix::read(queries, column, shape.query_width());
                let key = Matrix::read(shape.keys(keys, head, side), 0, half).transposed();
                let out = Matrix::write(&mut scratch.scores, 0, n_keys);
                matmul(out, false, query, key, (tokens, half, n_keys), 1.0);
                round(&mut scratch.scores[..tokens * n_keys]);
                let rows_of_scores = scratch.scores.chunks(n_keys).take(tokens);
                for (token, row) in rows_of_scores.enumerate() {
                    if side == 0 {
                        scratch.first[token].rank(row);
                        continue;
                    }
                    scratch.second.rank(row);
                    let best = scratch.pairs.rank(&scratch.first[token], &scratch.second);
                    let start = token * rows + head * top_k;
                    let out = ids[start..].iter_mut().zip(&mut scores[start..]);
                    for ((id, out), (a, b, score)) in out.zip(best) {
                        *id = i64::from(a) * n_keys as i64 + i64::from(b);
                        *out = score;
                    }
                }
            }
        }
    });
}

struct Scratch {
    scores: Vec<f32>,
    /// The ranking of each token's first half, until that of its second half is computed.
    first: Vec<TopK>,
    second: TopK,
    pairs: Pairs,
}

/// Gradients of the queries and keys, given that of the scores: `grad [tokens, heads, top_k]`.
pub fn search_backward(
    grad: &[f32],
    ids: &[i64],
    (queries, keys): (&[f32], &[f32]),
    shape: SearchShape,
    dqueries: &mut [f32],
    dkeys: &mut [f32],
) {
    let SearchShape {
        heads,
        n_keys,
        half,
        top_k,
    } = shape;
    shape.check(queries, keys, ids, grad);
    assert_eq!((dqueries.len(), dkeys.len()), (queries.len(), keys.len()));
    let chosen = heads * top_k;
    dqueries
        .par_chunks_mut(shape.query_width())
        .zip(ids.par_chunks(chosen))
        .zip(grad.par_chunks(chosen))
        .with_min_len(16)
        .for_each(|((dqueries, ids), grad)| {
            for (part, dquery) in dqueries.chunks_mut(half).enumerate() {
                let (head, side) = (part / 2, part % 2);
                let range = head * top_k..(head + 1) * top_k;
                let keys = shape.keys(keys, head, side);
                gather(
                    &ids[range.clone()],
                    &grad[range],
                    (n_keys, side),
                    keys,
                    dquery,
                );
            }
        });
    dkeys
        .par_chunks_mut(n_keys * half)
        .enumerate()
        .for_each(|(part, dkeys)| {
            let (head, side) = (part / 2, part % 2);
            dkeys.fill(0.0);
            let tokens = ids.chunks(chosen).zip(grad.chunks(chosen));
            for ((ids, grad), queries) in tokens.zip(queries.chunks(shape.query_width())) {
                let range = head * top_k..(head + 1) * top_k;
                let query = &queries[part * half..][..half];
                scatter(
                    &ids[range.clone()],
                    &grad[range],
                    (n_keys, side),
                    query,
                    dkeys,
                );
            }
        });
}

/// The half-key of `id` on one side.
#[inline(always)]
fn key_of(id: i64, (n_keys, side): (usize, usize)) -> usize {
    let (id, n_keys) = (id as u32, n_keys as u32);
    (if side == 0 { id / n_keys } else { id % n_keys }) as usize
}

#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
fn gather(ids: &[i64], grad: &[f32], side: (usize, usize), keys: &[f32], out: &mut [f32]) {
    let half = out.len();
    out.fill(0.0);
    for (&id, grad) in ids.iter().zip(grad) {
        let key = &keys[key_of(id, side) * half..][..half];
        for (out, value) in out.iter_mut().zip(key) {
            *out += grad * value;
        }
    }
}

#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
fn scatter(ids: &[i64], grad: &[f32], side: (usize, usize), query: &[f32], out: &mut [f32]) {
    let half = query.len();
    for (&id, grad) in ids.iter().zip(grad) {
        let row = &mut out[key_of(id, side) * half..][..half];
        for (out, value) in row.iter_mut().zip(query) {
            *out += grad * value;
        }
    }
}

#[cfg(test)]
mod tests;
