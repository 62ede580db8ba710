//! Attention against its definition.

use super::*;
use crate::rotary::Rotary;
use rand::Rng;
use random::stream;

fn values(name: &str, len: usize) -> Vec<f32> {
    let mut rng = stream(5, name, len as u64);
    (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// The definition, in f64: output of one sequence of `qkv` rows.
fn definition(qkv: &[f64], shape: &AttentionShape) -> Vec<f64> {
    let AttentionShape {
        batch,
        seq,
        n_heads,
        n_kv_heads,
        head_dim,
        rotary,
    } = *shape;
    let half = head_dim / 2;
    let at = |b: usize, t: usize, column: usize| qkv[(b * seq + t) * shape.width() + column];
    let rotated = |b: usize, t: usize, column: usize, i: usize| {
        let angle = t as f64 * rotary.theta.powf(-((i % half) as f64) / half as f64);
        let (x, turned) = if i < half {
            (at(b, t, column + i), -at(b, t, column + half + i))
        } else {
            (at(b, t, column + i), at(b, t, column + i - half))
        };
        x * angle.cos() + turned * angle.sin()
    };
    let mut out = vec![0.0; batch * seq * shape.out_width()];
    for b in 0..batch {
        for head in 0..n_heads {
            let (query, key, value) = shape.columns(head, head / (n_heads / n_kv_heads));
            for t in 0..seq {
                let score = |s: usize| {
                    let dot: f64 = (0..head_dim)
                        .map(|i| rotated(b, t, query, i) * rotated(b, s, key, i))
                        .sum();
                    (dot / (head_dim as f64).sqrt()).exp()
                };
                let weights: Vec<f64> = (0..=t).map(score).collect();
                let sum: f64 = weights.iter().sum();
                for i in 0..head_dim {
                    let mixed: f64 = weights
                        .iter()
                        .enumerate()
                        .map(|(s, w)| w / sum * at(b, s, value + i))
                        .sum();
                    out[(b * seq + t) * shape.out_width() + head * head_dim + i] = mixed;
                }
            }
        }
    }
    out
}

#[test]
fn equals_the_definition_over_one_block_and_several() {
    for (seq, n_heads, n_kv_heads) in [(1, 2, 2), (63, 2, 1), (64, 1, 1), (65, 4, 2), (130, 2, 1)] {
        let shape = AttentionShape {
            batch: 2,
            seq,
            n_heads,
            n_kv_heads,
            head_dim: 4,
            rotary: Rotary::unscaled(100.0),
        };
        let qkv = values("qkv", 2 * seq * shape.width());
        let grad = values("grad", 2 * seq * shape.out_width());
        let mut out = vec![0.0; grad.len()];
        let mut log_sums = vec![0.0; 2 * n_heads * seq];
        attention(&qkv, &shape, |_| {}, &mut out, &mut log_sums);
        let exact: Vec<f64> = qkv.iter().map(|&x| f64::from(x)).collect();
        for (found, expected) in out.iter().zip(definition(&exact, &shape)) {
            assert!(
                (f64::from(*found) - expected).abs() < 1e-5,
                "{shape:?}: {found} {expected}"
            );
        }

        let mut dqkv = vec![0.0; qkv.len()];
        attention_backward(&qkv, (&out, &log_sums, &grad), &shape, |_| {}, &mut dqkv);
        // Differences in f64 along a few coordinates, spread over positions, heads and roles.
        let objective = |qkv: &[f64]| -> f64 {
            definition(qkv, &shape)
                .iter()
                .zip(&grad)
                .map(|(o, &g)| o * f64::from(g))
                .sum()
        };
        for i in (0..qkv.len()).step_by(qkv.len() / 24 + 1) {
            let nudged = |step: f64| {
                let mut qkv = exact.clone();
                qkv[i] += step;
                objective(&qkv)
            };
            let expected = (nudged(1e-5) - nudged(-1e-5)) / 2e-5;
            assert!(
                (f64::from(dqkv[i]) - expected).abs() < 1e-4,
                "{shape:?} {i}: {} {expected}",
                dqkv[i]
            );
        }
    }
}

#[test]
#[should_panic(expected = "AttentionShape")]
fn a_shape_that_is_not_the_slices_is_refused() {
    let shape = AttentionShape {
        batch: 1,
        seq: 1,
        n_heads: 1,
        n_kv_heads: 1,
        head_dim: 6,
        rotary: Rotary::unscaled(1e4),
    };
    attention(&[0.0; 12], &shape, |_| {}, &mut [0.0; 6], &mut [0.0; 1]);
}
