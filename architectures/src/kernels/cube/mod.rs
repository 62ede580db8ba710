//! Lookup kernels for every CubeCL runtime (CUDA, Vulkan, wgpu, and for tests a CPU), from one source.
//!
//! Kernels read tables, weights and inputs in f32 or bf16 and sum in f32. None uses atomics: the order of a sum depends on
//! the ids alone. Attention and the other fused operations use the composed bodies.

mod launch;
mod lookup;
mod pair_scores;
mod product_key_top_k;
mod reduce;
mod row_adam;
mod row_sums;
mod sort;
mod stochastic_rounding;

use std::sync::Arc;

use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{TensorMetadata, get_or_init_device_settings};
use burn::tensor::Shape;
use burn_cubecl::CubeBackend;

use super::composed;
use super::experts::ExpertOps;
use super::fused::FusedOps;
use super::gather::GatherOps;
use super::lookup::LookupOps;
use super::product_key_search::SearchOps;
use super::routes::Routes;
use crate::kernels::adam_step::AdamStep;

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
        product_key_top_k::product_key_top_k(scores, top_k, settings.int_dtype.into())
    }

    fn pair_scores(scores: FloatTensor<Self>, ids: IntTensor<Self>) -> FloatTensor<Self> {
        pair_scores::pair_scores(scores, ids)
    }

    fn pair_scores_backward(
        grad: FloatTensor<Self>,
        ids: IntTensor<Self>,
        n_keys: usize,
    ) -> FloatTensor<Self> {
        let [heads, rows, _]: [usize; 3] = ids.shape().dims();
        let shape = Shape::from([heads, 2, rows, n_keys]);
        let zeros = Self::float_zeros(shape, &grad.device(), grad.dtype().into());
        pair_scores::pair_scores_backward(grad, ids, zeros)
    }

    fn row_gradient_norm(
        ids: IntTensor<Self>,
        weights: FloatTensor<Self>,
        values: FloatTensor<Self>,
        rows: usize,
    ) -> FloatTensor<Self> {
        row_adam::norm(ids, weights, values, rows, Self::float_sqrt)
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
            row_adam::row_adam(tables, ids, weights, values, step, Self::float_sqrt);
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
        row_sums::add_rows(grad, ids, ones, zeros)
    }
}

impl SearchOps for CubeBackend {}

impl ExpertOps for CubeBackend {
    fn combine_outputs(
        y: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Arc<Routes>,
    ) -> FloatTensor<Self> {
        composed::experts::combine_outputs::<Self>(y, weights, &routes, lookup::bag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::agreement::{Layer, Lookups, Mixture, searches_agree};
    use burn::backend::tensor::Device;
    use burn::tensor::DType;

    /// CubeCL's CPU runtime where it was compiled in, else the GPU.
    fn device() -> Device<CubeBackend> {
        #[cfg(feature = "cubecl-cpu")]
        return burn::backend::CpuDevice::default().into();
        #[cfg(all(not(feature = "cubecl-cpu"), feature = "cuda"))]
        return burn::backend::CudaDevice::new(0).into();
        #[cfg(all(not(feature = "cubecl-cpu"), not(feature = "cuda")))]
        return burn::backend::WgpuDevice::default().into();
    }

    #[test]
    fn lookups_agree_with_the_cpu_kernels() {
        Lookups::<CubeBackend>::own().agree(&device(), DType::F32, 1e-5);
    }

    #[test]
    fn lookups_in_bf16_agree_with_the_cpu_kernels() {
        Lookups::<CubeBackend>::own().agree(&device(), DType::BF16, 2e-2);
    }

    #[test]
    fn other_operations_agree_with_the_cpu_kernels() {
        Layer::<CubeBackend>::own().agree(&device(), 1e-5);
        Mixture::<CubeBackend>::own().agree(&device(), 1e-5);
        searches_agree::<CubeBackend>(&device(), 1e-5);
    }
}
