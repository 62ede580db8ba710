//! The lookups on every CubeCL runtime (CUDA, Vulkan, wgpu, and for tests a CPU), from one source.
//!
//! Kernels read tables, weights and inputs in f32 or bf16 and sum in f32. None is atomic: sums have an order that the
//! ids alone decide. What is not here, attention and the rest of the decoder, runs as stock operations.

mod launch;
mod lookup;
mod rows;
mod selection;
mod sort;

use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{TensorMetadata, get_or_init_device_settings};
use burn::tensor::Shape;
use burn_cubecl::CubeBackend;

use super::adam::AdamStep;
use super::fused::FusedOps;
use super::gather::GatherOps;
use super::ops::LookupOps;

impl LookupOps for CubeBackend {
    fn bag(
        table: FloatTensor<Self>,
        ids: IntTensor<Self>,
        weights: FloatTensor<Self>,
        _sink: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        lookup::bag(table, ids, weights)
    }

    fn dot(
        table: FloatTensor<Self>,
        ids: IntTensor<Self>,
        inputs: FloatTensor<Self>,
        _sink: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        lookup::dot(table, ids, inputs)
    }

    fn product_key_top_k(scores: FloatTensor<Self>, top_k: usize) -> IntTensor<Self> {
        let settings = get_or_init_device_settings::<Self>(&scores.device());
        selection::product_key_top_k(scores, top_k, settings.int_dtype.into())
    }

    fn pair_scores(scores: FloatTensor<Self>, ids: IntTensor<Self>) -> FloatTensor<Self> {
        selection::pair_scores(scores, ids)
    }

    fn pair_scores_backward(
        grad: FloatTensor<Self>,
        ids: IntTensor<Self>,
        n_keys: usize,
    ) -> FloatTensor<Self> {
        let [heads, rows, _]: [usize; 3] = ids.shape().dims();
        let shape = Shape::from([heads, 2, rows, n_keys]);
        let zeros = Self::float_zeros(shape, &grad.device(), grad.dtype().into());
        selection::pair_scores_backward(grad, ids, zeros)
    }

    fn row_adam(
        table: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        square: FloatTensor<Self>,
        ids: IntTensor<Self>,
        weights: FloatTensor<Self>,
        values: FloatTensor<Self>,
        step: AdamStep,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        let tables = (table, mean, square);
        let ((table, mean, square), norm) =
            rows::row_adam(tables, ids, weights, values, step, Self::float_sqrt);
        (table, mean, square, norm)
    }
}

impl FusedOps for CubeBackend {}

impl GatherOps for CubeBackend {
    fn select_rows_backward(
        grad: FloatTensor<Self>,
        ids: IntTensor<Self>,
        rows: usize,
    ) -> FloatTensor<Self> {
        let [entries, width]: [usize; 2] = grad.shape().dims();
        let (device, dtype) = (grad.device(), grad.dtype().into());
        let zeros = Self::float_zeros(Shape::from([rows, width]), &device, dtype);
        let ones = Self::float_ones(Shape::from([entries]), &device, dtype);
        rows::add_rows(grad, ids, ones, zeros)
    }
}
