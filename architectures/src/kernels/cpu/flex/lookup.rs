//! Bags, dot products, selection and row updates.

use burn::backend::Flex;
use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::TensorData;

use super::{floats, id_slice, ids, tensor};
use crate::kernels::adam_step::AdamStep;
use crate::kernels::cpu::bag;
use crate::kernels::cpu::prefetch::prefetch;
use crate::kernels::cpu::product_key_top_k as selection;
use crate::kernels::cpu::row_adam::RowGradient;
use crate::kernels::lookup::LookupOps;

impl LookupOps for Flex {
    fn bag(
        table: FloatTensor<Self>,
        indices: IntTensor<Self>,
        weights: FloatTensor<Self>,
        _sink: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let (tokens, per_token, width) = (indices.shape()[0], indices.shape()[1], table.shape()[1]);
        let (table, indices, weights) =
            (table.to_contiguous(), ids(indices), weights.to_contiguous());
        let mut out = vec![0.0; tokens * width];
        bag::bag(
            floats(&table),
            width,
            id_slice(&indices),
            floats(&weights),
            per_token,
            &mut out,
        );
        tensor(out, [tokens, width])
    }

    fn dot(
        table: FloatTensor<Self>,
        indices: IntTensor<Self>,
        inputs: FloatTensor<Self>,
        _sink: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let (tokens, per_token, width) = (indices.shape()[0], indices.shape()[1], table.shape()[1]);
        let (table, indices, inputs) =
            (table.to_contiguous(), ids(indices), inputs.to_contiguous());
        let mut out = vec![0.0; tokens * per_token];
        bag::dot(
            floats(&table),
            width,
            id_slice(&indices),
            floats(&inputs),
            per_token,
            &mut out,
        );
        tensor(out, [tokens, per_token])
    }

    fn prefetch(table: FloatTensor<Self>, indices: IntTensor<Self>) -> IntTensor<Self> {
        let width = table.shape()[1];
        // A strided table would have to be copied.
        if table.is_contiguous() {
            let (values, indices) = (floats(&table), ids(indices.clone()));
            for &row in id_slice(&indices) {
                prefetch(values, row as usize * width, width);
            }
        }
        indices
    }

    fn product_key_top_k(scores: FloatTensor<Self>, top_k: usize) -> IntTensor<Self> {
        let (heads, rows, n) = (scores.shape()[0], scores.shape()[2], scores.shape()[3]);
        let scores = scores.to_contiguous();
        let mut out = vec![0i64; heads * rows * top_k];
        selection::product_key_top_k(floats(&scores), rows, n, top_k, &mut out);
        FlexTensor::from_data(TensorData::new(out, [heads, rows, top_k]))
    }

    fn pair_scores(scores: FloatTensor<Self>, indices: IntTensor<Self>) -> FloatTensor<Self> {
        let (heads, rows, k) = (indices.shape()[0], indices.shape()[1], indices.shape()[2]);
        let n = scores.shape()[3];
        let (scores, indices) = (scores.to_contiguous(), ids(indices));
        let mut out = vec![0.0; heads * rows * k];
        selection::pair_scores(floats(&scores), id_slice(&indices), rows, n, k, &mut out);
        tensor(out, [heads, rows, k])
    }

    fn pair_scores_backward(
        grad: FloatTensor<Self>,
        indices: IntTensor<Self>,
        n: usize,
    ) -> FloatTensor<Self> {
        let (heads, rows, k) = (indices.shape()[0], indices.shape()[1], indices.shape()[2]);
        let (grad, indices) = (grad.to_contiguous(), ids(indices));
        let mut out = vec![0.0; heads * 2 * rows * n];
        selection::pair_scores_backward(floats(&grad), id_slice(&indices), rows, n, k, &mut out);
        tensor(out, [heads, 2, rows, n])
    }

    fn row_sums(
        indices: IntTensor<Self>,
        weights: FloatTensor<Self>,
        values: FloatTensor<Self>,
        rows: usize,
    ) -> (IntTensor<Self>, FloatTensor<Self>) {
        let (per_token, width) = (indices.shape()[1], values.shape()[1]);
        let (indices, weights, values) = (
            ids(indices),
            weights.to_contiguous(),
            values.to_contiguous(),
        );
        let gradient = RowGradient::new(
            rows,
            id_slice(&indices),
            floats(&weights),
            floats(&values),
            per_token,
            width,
        );
        let (distinct, sums) = gradient.sums();
        let len = distinct.len();
        (
            FlexTensor::from_data(TensorData::new(distinct, [len])),
            tensor(sums, [len, width]),
        )
    }

    fn row_adam(
        mut table: FloatTensor<Self>,
        mut mean: FloatTensor<Self>,
        mut square: FloatTensor<Self>,
        indices: IntTensor<Self>,
        weights: FloatTensor<Self>,
        values: FloatTensor<Self>,
        step: AdamStep,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        let (per_token, rows, width) = (indices.shape()[1], table.shape()[0], table.shape()[1]);
        let (indices, weights, values) = (
            ids(indices),
            weights.to_contiguous(),
            values.to_contiguous(),
        );
        // Updates write to a tensor's storage: a strided view must be copied first.
        (table, mean, square) = (
            table.to_contiguous(),
            mean.to_contiguous(),
            square.to_contiguous(),
        );
        let gradient = RowGradient::new(
            rows,
            id_slice(&indices),
            floats(&weights),
            floats(&values),
            per_token,
            width,
        );
        // Without clipping the norm is only reported, and the update computes it.
        let clipping = step.max_norm.map(|max_norm| (max_norm, gradient.norm()));
        let scale = match clipping {
            Some((max_norm, norm)) if norm > max_norm => max_norm / norm,
            _ => 1.0,
        };
        let norm = gradient.update(
            table.storage_mut(),
            mean.storage_mut(),
            square.storage_mut(),
            scale,
            step,
        );
        (table, mean, square, tensor(vec![norm], [1]))
    }
}
