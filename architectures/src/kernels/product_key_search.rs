//! From queries to slots: half-key scores, both top-k stages, and the gradient, the scores never written whole.
//!
//! A tile of tokens is scored against one half's keys in cache, ranked there and forgotten. The gradient knows the
//! chosen pairs alone, so it is two sums over `top_k` keys and queries instead of two products over all `n_keys`.

#[cfg(not(feature = "portable"))]
use multiversion::multiversion;
use rayon::prelude::*;

use super::product::{Matrix, product};
use super::product_key_top_k::Pairs;
use super::top_k::TopK;

/// Scores of a tile: 1 MiB, half of a core's cache.
const TILE: usize = 1 << 18;

/// Most tokens of a tile: enough for the product, few enough to go round.
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
    /// Slots that a head chooses.
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
/// `queries [tokens, heads, 2, half]`, `keys [heads, 2, n_keys, half]`; `ids` and `scores [tokens, heads, top_k]`.
pub fn search(
    queries: &[f32],
    keys: &[f32],
    shape: SearchShape,
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
                product(out, false, query, key, (tokens, half, n_keys), 1.0);
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
    /// The first half's ranking of each token of the tile, kept until the second half's is known.
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

/// The half-key that `id` takes from one side.
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
mod tests {
    use super::*;
    use crate::kernels::product_key_top_k::{pair_scores, pair_scores_backward, product_key_top_k};
    use rand::Rng;
    use random::stream;

    /// The score matrix of both halves, `[heads, 2, tokens, n_keys]`.
    fn all_scores(queries: &[f32], keys: &[f32], shape: SearchShape, tokens: usize) -> Vec<f32> {
        let half = shape.half;
        let mut scores = Vec::new();
        for set in 0..2 * shape.heads {
            for token in 0..tokens {
                let query = &queries[token * shape.query_width() + set * half..][..half];
                let keys = keys[set * shape.n_keys * half..].chunks(half);
                scores.extend(keys.take(shape.n_keys).map(|key| {
                    let products = query.iter().zip(key).map(|(q, k)| q * k);
                    products.sum::<f32>()
                }));
            }
        }
        scores
    }

    #[test]
    fn chooses_and_differentiates_as_the_whole_score_matrix_does() {
        // More tokens than a tile holds, and a last tile that is not full.
        let shape = SearchShape {
            heads: 3,
            n_keys: 40,
            half: 6,
            top_k: 5,
        };
        let (
            tokens,
            SearchShape {
                heads,
                n_keys,
                half,
                top_k,
            },
        ) = (TOKENS + 7, shape);
        let mut rng = stream(5, "search", 0);
        let mut values =
            |n: usize| -> Vec<f32> { (0..n).map(|_| rng.random_range(-1.0..1.0)).collect() };
        let (queries, keys) = (
            values(tokens * shape.query_width()),
            values(heads * 2 * n_keys * half),
        );
        let grad = values(tokens * heads * top_k);
        let mut ids = vec![0; tokens * heads * top_k];
        let mut scores = vec![0.0; ids.len()];
        search(&queries, &keys, shape, &mut ids, &mut scores);

        let all = all_scores(&queries, &keys, shape, tokens);
        let mut expected = vec![0; ids.len()];
        product_key_top_k(&all, tokens, n_keys, top_k, &mut expected);
        let mut expected_scores = vec![0.0; ids.len()];
        pair_scores(&all, &expected, tokens, n_keys, top_k, &mut expected_scores);
        // One side is [tokens, heads], the other [heads, tokens].
        let other = |i: usize| {
            let (token, head, k) = (i / (heads * top_k), i / top_k % heads, i % top_k);
            (head * tokens + token) * top_k + k
        };
        for i in 0..ids.len() {
            assert_eq!(ids[i], expected[other(i)]);
            assert!((scores[i] - expected_scores[other(i)]).abs() < 1e-5);
        }

        let (mut dqueries, mut dkeys) = (vec![0.0; queries.len()], vec![0.0; keys.len()]);
        search_backward(
            &grad,
            &ids,
            (&queries, &keys),
            shape,
            &mut dqueries,
            &mut dkeys,
        );
        let mut turned = vec![0.0; grad.len()];
        (0..grad.len()).for_each(|i| turned[other(i)] = grad[i]);
        let mut dall = vec![0.0; all.len()];
        pair_scores_backward(&turned, &expected, tokens, n_keys, top_k, &mut dall);
        for set in 0..2 * heads {
            for column in 0..half {
                for token in 0..tokens {
                    let row = &dall[(set * tokens + token) * n_keys..][..n_keys];
                    let expected: f32 = (0..n_keys)
                        .map(|key| row[key] * keys[(set * n_keys + key) * half + column])
                        .sum();
                    let found = dqueries[token * shape.query_width() + set * half + column];
                    assert!((found - expected).abs() < 1e-4, "{found} {expected}");
                }
                for key in 0..n_keys {
                    let expected: f32 = (0..tokens)
                        .map(|token| {
                            let query = token * shape.query_width() + set * half + column;
                            dall[(set * tokens + token) * n_keys + key] * queries[query]
                        })
                        .sum();
                    let found = dkeys[(set * n_keys + key) * half + column];
                    assert!((found - expected).abs() < 1e-3, "{found} {expected}");
                }
            }
        }
    }
}
