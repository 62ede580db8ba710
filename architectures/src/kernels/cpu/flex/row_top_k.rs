//! Selection from rows of scores.

use burn::backend::Flex;
use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::TensorData;
use rayon::prelude::*;

use super::{floats, singles};
use crate::kernels::cpu::top_k::TopK;
use crate::kernels::row_top_k::TopKOps;

/// Rows of a task.
const ROWS: usize = 16;

impl TopKOps for Flex {
    fn row_top_k(scores: FloatTensor<Self>, k: usize) -> IntTensor<Self> {
        let [rows, n] = [scores.shape()[0], scores.shape()[1]];
        let scores = singles(&scores);
        let mut found = vec![0i64; rows * k];
        found
            .par_chunks_mut(k)
            .zip(floats(&scores).par_chunks(n))
            .with_min_len(ROWS)
            .for_each_init(
                || TopK::new(k),
                |top, (found, row)| {
                    top.rank(row);
                    for (found, &index) in found.iter_mut().zip(&top.indices) {
                        *found = i64::from(index);
                    }
                },
            );
        FlexTensor::from_data(TensorData::new(found, [rows, k]))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution, Tensor};

    use crate::kernels::row_top_k::row_top_k;

    #[test]
    fn the_best_of_each_row_are_those_of_a_sort() {
        for (rows, n, k) in [(1, 1, 1), (5, 7, 7), (33, 40, 3), (64, 1024, 32)] {
            let distribution = Distribution::Normal(0.0, 1.0);
            let scores = Tensor::<2>::random([rows, n], distribution, &Device::flex());
            let found: Vec<i64> = row_top_k(scores.clone(), k).into_data().iter().collect();
            let (_, expected) = scores.topk_with_indices(k, 1);
            let expected: Vec<i64> = expected.into_data().iter().collect();
            assert_eq!(found, expected, "{k} of {rows} x {n}");
        }
    }
}
