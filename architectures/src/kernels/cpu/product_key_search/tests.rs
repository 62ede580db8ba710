//! The tiled search against the whole score matrix.

use super::*;
use crate::kernels::cpu::product_key_top_k::{
    pair_scores, pair_scores_backward, product_key_top_k,
};
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
    // More tokens than a tile has, and a last tile that is not full.
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
    search(&queries, &keys, shape, |_| {}, &mut ids, &mut scores);

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
