//! Selection against brute force, and invariances.

use super::*;
use crate::block;
use crate::context::Tokens;
use burn::tensor::Device;

fn decoder() -> DecoderConfig {
    serde_json::from_str(
        r#"{"vocab_size": 9, "d_model": 16, "n_layers": 1, "n_heads": 2, "seq_len": 8}"#,
    )
    .unwrap()
}

fn build(options: &str) -> UltraMem {
    let json = format!(r#"{{"n_keys": 12, "top_k": 5, "key_dim": 8, "value_dim": 6{options}}}"#);
    let config: UltraMemConfig = serde_json::from_str(&json).unwrap();
    config.check(&decoder()).unwrap();
    config.build(&mut Builder::new(&decoder(), 3, &Device::flex()))
}

fn x(tokens: usize) -> Tensor<2> {
    let data = Init::TruncatedNormal(1.0).draw(5, "x", [tokens, 16]);
    Tensor::from_data(data, &Device::flex())
}

fn output(memory: &UltraMem) -> Vec<f32> {
    let tokens = Tokens::whole(Tensor::zeros([1, 7], &Device::flex()));
    let mut pass = Pass::evaluation();
    let y = memory.forward(
        x(7).reshape([1, 7, 16]),
        &mut Context::new(&tokens, &mut pass),
    );
    y.into_data().iter::<f32>().collect()
}

fn close(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5)
}

/// Scores of every side, rank and key, `[2 rank][n_keys]`, of one token, and the exact score of every pair.
fn all_pairs(memory: &UltraMem, token: usize) -> Vec<(f32, i64)> {
    let Sizes {
        n_keys,
        rank,
        key_dim,
        ..
    } = memory.sizes;
    let query = x(7)
        .matmul(memory.query.val())
        .reshape([7, 2 * rank, key_dim]);
    let query = normalised(query, memory.query_gain.val())
        .narrow(0, token, 1)
        .swap_dims(0, 1);
    let keys = normalised(memory.keys.val(), memory.key_gain.val()).swap_dims(1, 2);
    let scores: Vec<f32> = query.matmul(keys).into_data().iter().collect();
    let core: Vec<f32> = memory.cores.val().sum_dim(0).into_data().iter().collect();
    let mut pairs: Vec<(f32, i64)> = Vec::new();
    for (i, j) in (0..n_keys).flat_map(|i| (0..n_keys).map(move |j| (i, j))) {
        let terms = (0..rank * rank).map(|pq| {
            let (p, q) = (pq / rank, pq % rank);
            scores[p * n_keys + i] * core[pq] * scores[(rank + q) * n_keys + j]
        });
        pairs.push((terms.sum(), (i * n_keys + j) as i64));
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    pairs
}

fn slots(memory: &UltraMem) -> Vec<Vec<i64>> {
    let slots: Vec<i64> = memory.select(x(7)).slots.into_data().iter().collect();
    slots
        .chunks(memory.sizes.top_k)
        .map(<[i64]>::to_vec)
        .collect()
}

#[test]
fn with_all_keys_as_candidates_the_selection_is_exact() {
    for options in ["", r#", "n_cores": 1"#, r#", "rank": 3, "n_cores": 3"#] {
        let memory = build(&format!(r#", "n_candidates": 12{options}"#));
        for (token, slots) in slots(&memory).iter().enumerate() {
            let exact: Vec<i64> = all_pairs(&memory, token)
                .iter()
                .map(|pair| pair.1)
                .collect();
            assert_eq!(*slots, exact[..5], "{options} token {token}");
        }
        let selection = memory.select(x(7));
        let total = selection
            .scores
            .into_iter()
            .reduce(|sum, scores| sum + scores)
            .unwrap();
        let total: Vec<f32> = total.into_data().iter().collect();
        for token in 0..7 {
            let exact: Vec<f32> = all_pairs(&memory, token)[..5]
                .iter()
                .map(|pair| pair.0)
                .collect();
            assert!(close(&total[token * 5..][..5], &exact));
        }
    }
}

#[test]
fn with_few_candidates_the_selection_is_exact_among_them() {
    let memory = build(r#", "n_candidates": 4"#);
    let vectors = memory.vectors.values();
    let Sizes {
        n_keys,
        rank,
        key_dim,
        ..
    } = memory.sizes;
    let query = x(7)
        .matmul(memory.query.val())
        .reshape([7, 2 * rank, key_dim]);
    let query = normalised(query, memory.query_gain.val()).swap_dims(0, 1);
    let keys = normalised(memory.keys.val(), memory.key_gain.val()).swap_dims(1, 2);
    let scores: Vec<f32> = query.matmul(keys).into_data().iter().collect();
    for (token, slots) in slots(&memory).iter().enumerate() {
        let best = |side: usize| {
            let approximate = |key: usize| -> f32 {
                let terms = (0..rank).map(|p| {
                    vectors[side * rank + p]
                        * scores[((side * rank + p) * 7 + token) * n_keys + key]
                });
                terms.sum()
            };
            let mut order: Vec<usize> = (0..n_keys).collect();
            order.sort_by(|&a, &b| approximate(b).total_cmp(&approximate(a)));
            order.truncate(4);
            order
        };
        let (rows, columns) = (best(0), best(1));
        let of_candidates = |slot: &i64| {
            let slot = *slot as usize;
            rows.contains(&(slot / n_keys)) && columns.contains(&(slot % n_keys))
        };
        let pairs = all_pairs(&memory, token);
        let expected = pairs.iter().map(|pair| pair.1).filter(of_candidates);
        assert_eq!(
            *slots,
            expected.take(5).collect::<Vec<_>>(),
            "token {token}"
        );
    }
}

/// The share of the exact best pairs that the approximate selection finds at the published initialisation.
#[test]
fn the_recall_of_the_selection_is_that_of_one_quadrant() {
    let json = r#"{"n_keys": 128, "top_k": 32, "key_dim": 32, "value_dim": 6}"#;
    let config: UltraMemConfig = serde_json::from_str(json).unwrap();
    let memory = config.build(&mut Builder::new(&decoder(), 3, &Device::flex()));
    let (mut found, mut all) = (0, 0);
    for (token, slots) in slots(&memory).iter().enumerate() {
        let exact = &all_pairs(&memory, token)[..32];
        found += exact.iter().filter(|pair| slots.contains(&pair.1)).count();
        all += 32;
    }
    let recall = found as f64 / all as f64;
    println!("recall {recall:.3}");
    assert!((0.3..0.8).contains(&recall), "{recall}");
}

#[test]
fn scaling_the_cores_scales_the_output() {
    let mut memory = build("");
    let (expected, selected) = (output(&memory), slots(&memory));
    memory.cores = Param::from_tensor(memory.cores.val() * 3.0);
    block::update_buffers(std::iter::once(&memory), &Statistics::default());
    assert_eq!(slots(&memory), selected);
    let expected: Vec<f32> = expected.iter().map(|y| 3.0 * y).collect();
    assert!(close(&output(&memory), &expected));
}

#[test]
fn scales_of_queries_and_of_pre_values_against_values_do_not_matter() {
    let mut memory = build("");
    let expected = output(&memory);
    memory
        .pre_values
        .set_values(memory.pre_values.values() * 4.0);
    for values in &memory.values {
        values.set_values(values.values() * 0.25);
    }
    memory.query = Param::from_tensor(memory.query.val() * 50.0);
    assert_eq!(output(&memory).len(), expected.len());
    for (found, expected) in output(&memory).iter().zip(expected) {
        assert!((found - expected).abs() < 1e-4, "{found} {expected}");
    }
}

#[test]
fn zero_values_give_zero() {
    let memory = build("");
    for values in &memory.values {
        values.set_values(values.values().zeros_like());
    }
    assert!(output(&memory).iter().all(|y| *y == 0.0));
}
