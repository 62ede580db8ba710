//! An upper bound of the norm of a table's gradient from the norms of its factors.
//!
//! By the triangle inequality the gradient of a row is at most `sum |weight[t,j]| ||values[t]||` long. For rows with one
//! entry, which most are, that is their norm. The bound reads the factors once and no row of the width.

#[cfg(not(feature = "portable"))]
use multiversion::multiversion;
use rayon::prelude::*;

use super::entries::{Entry, SortedEntries};
use super::rows::Factors;

/// Tokens of a task.
const TOKENS: usize = 64;

/// A number that [`super::RowGradient::norm`], with the rounding of its sums, does not exceed. NaN or infinite if a factor is.
pub fn norm_bound(entries: &SortedEntries, factors: Factors) -> f64 {
    let Factors {
        weights,
        values,
        per_token,
        width,
    } = factors;
    let mut norms = vec![0f64; values.len() / width];
    norms
        .par_chunks_mut(TOKENS)
        .zip(values.par_chunks(TOKENS * width))
        .for_each(|(norms, values)| row_norms(values, width, norms));
    let ranges: Vec<(f64, usize)> = entries
        .ranges()
        .map(|(_, entries)| {
            let (mut squares, mut longest) = (0.0, 0);
            for run in entries.chunk_by(Entry::same_row) {
                let term = |entry: &Entry| {
                    f64::from(weights[entry.number()].abs()) * norms[entry.token(per_token)]
                };
                let length: f64 = run.iter().map(term).sum();
                squares += length * length;
                longest = longest.max(run.len());
            }
            (squares, longest)
        })
        .collect();
    let squares: f64 = ranges.iter().map(|range| range.0).sum();
    let longest = ranges.iter().map(|range| range.1).max().unwrap_or(0);
    // Each of a sum's additions and products in f32 adds at most half an epsilon to its relative error.
    squares.sqrt() * (1.0 + (longest + width + 8) as f64 * f64::from(f32::EPSILON))
}

/// The Euclidean norms of rows of `width` values.
#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
fn row_norms(values: &[f32], width: usize, norms: &mut [f64]) {
    const LANES: usize = 16;
    for (norm, row) in norms.iter_mut().zip(values.chunks_exact(width)) {
        let mut sums = [0f64; LANES];
        for chunk in row.chunks(LANES) {
            for (sum, &value) in sums.iter_mut().zip(chunk) {
                *sum += f64::from(value) * f64::from(value);
            }
        }
        *norm = sums.iter().sum::<f64>().sqrt();
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;
    use random::stream;

    use super::super::RowGradient;
    use super::*;

    #[test]
    fn the_norm_does_not_exceed_it() {
        for (rows, tokens, per_token, width) in [
            (1, 2000, 3, 1),
            (40, 300, 7, 33),
            (5000, 200, 8, 64),
            (9, 1, 1, 256),
        ] {
            let mut rng = stream(6, "norm bound", width as u64);
            let mut values =
                |n: usize| -> Vec<f32> { (0..n).map(|_| rng.random_range(-1.0..1.0)).collect() };
            let (mut weights, mut factors) = (values(tokens * per_token), values(tokens * width));
            let ids: Vec<i64> = (0..tokens * per_token)
                .map(|_| rng.random_range(0..rows as i64))
                .collect();
            for equal in [false, true] {
                if equal {
                    // Nothing cancels: the bound is the norm but for rounding.
                    weights.fill(0.1);
                    factors.fill(0.3);
                }
                let gradient = RowGradient::new(rows, &ids, &weights, &factors, per_token, width);
                let (norm, bound) = (
                    gradient.norm(),
                    norm_bound(&gradient.entries, gradient.factors),
                );
                assert!(f64::from(norm) <= bound, "{norm} {bound}");
                assert!(!equal || bound < 1.001 * f64::from(norm), "{norm} {bound}");
                // The bound decides, or it leaves the decision to the norm.
                for max_norm in [1e-9, 0.5 * norm, norm, 1.0001 * norm, 2.0 * bound as f32] {
                    let scale = if norm > max_norm {
                        max_norm / norm
                    } else {
                        1.0
                    };
                    assert_eq!(gradient.clipping_scale(max_norm), scale);
                }
            }
        }
    }

    #[test]
    fn infinite_factors_are_clipped_as_by_the_norm() {
        for (value, scale) in [(f32::INFINITY, 0.0), (f32::NAN, 1.0)] {
            let values = [value, 1.0];
            let gradient = RowGradient::new(4, &[2], &[1.0], &values, 1, 2);
            assert_eq!(gradient.clipping_scale(1.0), scale);
        }
    }
}
