//! Leading singular vectors of the sum of the cores.

use burn::module::Param;
use burn::tensor::Tensor;

/// Steps of the power iteration: more than enough for f32 unless two singular values are nearly equal.
const STEPS: usize = 200;

/// The sum of `cores [n_cores, rank, rank]`, `[rank rank]` row by row, without autodiff.
pub fn sum_of_cores(cores: &Param<Tensor<3>>) -> Tensor<1> {
    let cores = cores.val();
    let [_, rank, _] = cores.dims();
    cores.inner().sum_dim(0).reshape([rank * rank])
}

/// The leading left and right singular vectors of the matrix `sum [rank, rank]`, `u` and then `v`, `[2 rank]`. Of
/// the two signs that of the smaller distance to `before`; without `before`, that of a non-negative sum of `u`.
pub fn leading(sum: &[f32], rank: usize, before: Option<&[f32]>) -> Vec<f32> {
    let sum: Vec<f64> = sum.iter().copied().map(f64::from).collect();
    let at = |row: usize, column: usize| sum[row * rank + column];
    // Power iteration on C^T C from the row of C of the largest norm, which is not orthogonal to the leading vector.
    let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    let row = |row: usize| &sum[row * rank..][..rank];
    let largest = (0..rank).max_by(|&a, &b| norm(row(a)).total_cmp(&norm(row(b))));
    let mut v = row(largest.unwrap_or(0)).to_vec();
    let times = |v: &[f64]| -> Vec<f64> {
        (0..rank)
            .map(|i| (0..rank).map(|j| at(i, j) * v[j]).sum())
            .collect()
    };
    let transposed_times = |u: &[f64]| -> Vec<f64> {
        (0..rank)
            .map(|j| (0..rank).map(|i| at(i, j) * u[i]).sum())
            .collect()
    };
    let normalise = |x: &mut Vec<f64>| {
        let length = norm(x).max(f64::MIN_POSITIVE);
        x.iter_mut().for_each(|x| *x /= length);
    };
    normalise(&mut v);
    for _ in 0..STEPS {
        v = transposed_times(&times(&v));
        normalise(&mut v);
    }
    let mut u = times(&v);
    normalise(&mut u);
    let vectors: Vec<f32> = u.iter().chain(&v).map(|&x| x as f32).collect();
    let flips = match before {
        None => u.iter().sum::<f64>() < 0.0,
        Some(before) => {
            let distance = |sign: f32| -> f32 {
                let pairs = vectors.iter().zip(before);
                pairs.map(|(x, before)| (sign * x - before).abs()).sum()
            };
            distance(-1.0) < distance(1.0)
        }
    };
    let sign = if flips { -1.0 } else { 1.0 };
    vectors.iter().map(|x| sign * x).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};

    #[test]
    fn the_product_with_both_vectors_is_the_largest_singular_value() {
        let device = Device::flex();
        for rank in [1, 2, 4] {
            let cores =
                Tensor::<3>::random([2, rank, rank], Distribution::Uniform(0.0, 1.0), &device);
            let sum: Vec<f32> = sum_of_cores(&Param::from_tensor(cores))
                .into_data()
                .iter()
                .collect();
            let vectors = leading(&sum, rank, None);
            let (u, v) = vectors.split_at(rank);
            let value = |u: &[f32], v: &[f32]| -> f32 {
                (0..rank * rank)
                    .map(|i| u[i / rank] * sum[i] * v[i % rank])
                    .sum()
            };
            let sigma = value(u, v);
            // No other pair of unit vectors has a larger product.
            for other in 0..500 {
                let data = crate::Init::TruncatedNormal(1.0).draw(other, "unit", [2 * rank]);
                let mut other: Vec<f32> = data.iter().collect();
                for part in other.chunks_mut(rank) {
                    let length = part.iter().map(|x| x * x).sum::<f32>().sqrt();
                    part.iter_mut().for_each(|x| *x /= length);
                }
                assert!(value(&other[..rank], &other[rank..]) <= sigma + 1e-5);
            }
        }
    }

    #[test]
    fn the_sign_is_that_of_the_vectors_before() {
        let cores =
            Tensor::<3>::random([2, 2, 2], Distribution::Uniform(0.0, 1.0), &Device::flex());
        let sum: Vec<f32> = sum_of_cores(&Param::from_tensor(cores))
            .into_data()
            .iter()
            .collect();
        let first = leading(&sum, 2, None);
        assert!(first[..2].iter().sum::<f32>() > 0.0);
        let flipped: Vec<f32> = first.iter().map(|x| -x).collect();
        assert_eq!(leading(&sum, 2, Some(&flipped)), flipped);
        assert_eq!(leading(&sum, 2, Some(&first)), first);
    }
}
