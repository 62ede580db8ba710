//! Kernels for every CubeCL runtime (CUDA, Vulkan, wgpu, and for tests a CPU), from one source.
//!
//! Kernels read f32 or bf16 and sum in f32. None uses atomics: the order of a sum depends on the ids and shapes, and on the
//! number of units of a cube, which is a property of the device.

mod adamw;
mod attention;
mod cross_entropy;
mod experts;
mod launch;
mod lookup;
mod pair_scores;
mod product_key_top_k;
mod reduce;
mod rms_norm;
mod routing;
mod row_adam;
mod row_sums;
mod sort;
mod stochastic_rounding;
mod swiglu;

use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{TensorMetadata, get_or_init_device_settings};
use burn::tensor::Shape;
use burn_cubecl::CubeBackend;

use super::experts::ExpertOps;
use super::fused::FusedOps;
use super::gather::GatherOps;
use super::lookup::LookupOps;
use super::product_key_search::SearchOps;
use super::routes::Routes;
use super::routing::RoutingOps;
use super::row_top_k::TopKOps;
use crate::kernels::adam_step::AdamStep;
use crate::kernels::attention_shape::AttentionShape;

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

impl FusedOps for CubeBackend {
    fn causal_attention(
        qkv: FloatTensor<Self>,
        shape: AttentionShape,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        attention::attention(qkv, &shape)
    }

    fn causal_attention_backward(
        qkv: FloatTensor<Self>,
        out: FloatTensor<Self>,
        log_sums: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        shape: AttentionShape,
    ) -> FloatTensor<Self> {
        attention::attention_backward(qkv, (out, log_sums, grad), &shape)
    }

    fn rms_norm(x: FloatTensor<Self>, gamma: FloatTensor<Self>, epsilon: f64) -> FloatTensor<Self> {
        rms_norm::rms_norm(x, gamma, epsilon)
    }

    fn rms_norm_backward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        rms_norm::rms_norm_backward(x, gamma, grad, epsilon)
    }

    fn swiglu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        swiglu::swiglu(x)
    }

    fn swiglu_backward(x: FloatTensor<Self>, grad: FloatTensor<Self>) -> FloatTensor<Self> {
        swiglu::swiglu_backward(x, grad)
    }

    fn cross_entropy(
        logits: FloatTensor<Self>,
        targets: IntTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        (
            cross_entropy::cross_entropy(logits.clone(), targets),
            logits,
        )
    }

    fn cross_entropy_backward(
        saved: FloatTensor<Self>,
        targets: IntTensor<Self>,
        grad: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        cross_entropy::cross_entropy_backward(saved, targets, grad)
    }

    fn square_sum(x: FloatTensor<Self>) -> FloatTensor<Self> {
        reduce::square_sum(x)
    }

    fn adamw(
        values: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        square: FloatTensor<Self>,
        decay: f32,
        step: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        adamw::adamw(values, grad, (mean, square), decay, step)
    }
}

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

impl RoutingOps for CubeBackend {
    fn choose_experts(scores: FloatTensor<Self>, top_k: usize) -> IntTensor<Self> {
        routing::choose_experts(scores, top_k)
    }

    fn choose_tokens(scores: FloatTensor<Self>, capacity: usize) -> IntTensor<Self> {
        routing::choose_tokens(scores, capacity)
    }

    fn sort_by_expert(pairs: IntTensor<Self>, tokens: usize, n_experts: usize) -> Routes<Self> {
        routing::sort_by_expert(pairs, tokens, n_experts)
    }
}

impl TopKOps for CubeBackend {}

impl ExpertOps for CubeBackend {
    fn combine_outputs(
        y: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Routes<Self>,
    ) -> FloatTensor<Self> {
        experts::combine_outputs(y, weights, routes)
    }

    fn grouped_matmul(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        expert_offsets: IntTensor<Self>,
    ) -> FloatTensor<Self> {
        experts::grouped_matmul(x, weights, expert_offsets)
    }

    fn grouped_matmul_backward(
        grad: FloatTensor<Self>,
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        expert_offsets: IntTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        experts::grouped_matmul_backward(grad, x, weights, expert_offsets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::agreement::{Layer, Lookups, Mixture, Routing, searches_agree};
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
    fn operations_of_a_layer_agree_with_the_cpu_kernels() {
        Layer::<CubeBackend>::own().agree(&device(), DType::F32, 1e-5);
    }

    #[test]
    fn operations_of_a_layer_in_bf16_agree_with_the_cpu_kernels() {
        Layer::<CubeBackend>::own().agree(&device(), DType::BF16, 2e-2);
    }

    #[test]
    fn other_operations_agree_with_the_cpu_kernels() {
        Mixture::<CubeBackend>::own().agree(&device(), 1e-5);
        Routing::<CubeBackend>::own().agree(&device());
        searches_agree::<CubeBackend>(&device(), 1e-5);
    }
}
