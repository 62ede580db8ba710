//! The extensions on libtorch: bags, top-k and routing are torch's own, the others use the composed bodies.
//!
//! Burn has deprecated its libtorch backend and drops it after 0.22: all code that depends on torch is in this file.

use burn::backend::libtorch::TchTensor;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{LibTorch, TensorMetadata};
use tch::{Kind, Tensor};

use super::composed::{lookup, row_adam};
use super::experts::ExpertOps;
use super::fused::FusedOps;
use super::gather::GatherOps;
use super::lookup::LookupOps;
use super::product_key_search::SearchOps;
use super::routes::Routes;
use super::routing::RoutingOps;
use super::row_top_k::TopKOps;
use crate::kernels::adam_step::AdamStep;

/// Writes rows of a table, in place if no other tensor shares its storage; Burn's own assignment always copies the table.
fn write(mut table: TchTensor, rows: TchTensor, values: TchTensor) -> TchTensor {
    let in_place = table.mut_ops(|table| table.index_copy_(0, &rows.tensor, &values.tensor));
    in_place
        .unwrap_or_else(|| TchTensor::new(table.tensor.index_copy(0, &rows.tensor, &values.tensor)))
}

impl LookupOps for LibTorch {
    fn bag(
        table: FloatTensor<Self>,
        ids: IntTensor<Self>,
        weights: FloatTensor<Self>,
        _sink: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        // `embedding_bag` requires weights in the format of the table, and would sum rows of bf16 in bf16.
        if table.dtype() != weights.dtype() {
            return lookup::bag::<Self>(table, ids, weights, lookup::MAX_BYTES);
        }
        let [tokens, per_token] = weights.shape().dims().map(|len: usize| len as i64);
        let (options, end) = ((Kind::Int64, table.tensor.device()), tokens * per_token + 1);
        let offsets = Tensor::arange_start_step(0, end, per_token, options);
        let weights = weights.tensor.reshape([-1]);
        embedding_bag(&table.tensor, &ids.tensor.reshape([-1]), &offsets, weights)
    }

    fn product_key_top_k(scores: FloatTensor<Self>, top_k: usize) -> IntTensor<Self> {
        // Burn's own top-k with ids sorts everything.
        lookup::product_key_top_k::<Self>(scores, top_k, |scores, k| {
            let (values, indices) = scores.tensor.topk(k as i64, 3, true, true);
            (TchTensor::new(values), TchTensor::new(indices))
        })
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
        let (tables, max_bytes) = ((table, mean, square), lookup::MAX_BYTES);
        row_adam::row_adam::<Self>(tables, ids, weights, values, step, max_bytes, write)
    }
}

impl FusedOps for LibTorch {}

impl GatherOps for LibTorch {}

impl SearchOps for LibTorch {}

impl RoutingOps for LibTorch {
    fn choose_experts(scores: FloatTensor<Self>, top_k: usize) -> IntTensor<Self> {
        let [tokens, n_experts] = scores.shape().dims().map(|len: usize| len as i64);
        // Of equal scores torch's `topk` may return any.
        let ranked = scores.tensor.argsort_stable(true, 1, true);
        let options = (Kind::Int64, scores.tensor.device());
        let first = Tensor::arange_start_step(0, tokens * n_experts, n_experts, options);
        let pairs = ranked.narrow(1, 0, top_k as i64) + first.unsqueeze(1);
        TchTensor::new(pairs.reshape([-1]))
    }

    fn choose_tokens(scores: FloatTensor<Self>, capacity: usize) -> IntTensor<Self> {
        let [_, n_experts] = scores.shape().dims().map(|len: usize| len as i64);
        let ranked = scores.tensor.argsort_stable(true, 0, true);
        let experts = Tensor::arange(n_experts, (Kind::Int64, scores.tensor.device()));
        let pairs = ranked.narrow(0, 0, capacity as i64) * n_experts + experts;
        TchTensor::new(pairs.reshape([-1]).sort(0, false).0)
    }

    fn sort_by_expert(pairs: IntTensor<Self>, tokens: usize, n_experts: usize) -> Routes<Self> {
        let pairs = pairs.tensor;
        let experts = pairs.remainder(n_experts as i64);
        let tokens_of = pairs.divide_scalar_mode(n_experts as i64, "floor");
        let (experts, assignments) = experts.sort_stable(true, 0, false);
        let offsets = |sorted: &Tensor, count: usize| {
            let numbers = Tensor::arange(count as i64 + 1, (Kind::Int64, sorted.device()));
            let none: Option<Tensor> = None;
            TchTensor::new(numbers.searchsorted(sorted, false, false, "left", none))
        };
        Routes {
            source_tokens: TchTensor::new(tokens_of.index_select(0, &assignments)),
            rows: TchTensor::new(assignments.argsort(0, false)),
            token_offsets: offsets(&tokens_of, tokens),
            expert_offsets: offsets(&experts, n_experts),
            assignments: TchTensor::new(assignments),
        }
    }
}

// The composed products copy the offsets to the host: torch has no products of groups in f32.
impl ExpertOps for LibTorch {
    fn combine_outputs(
        y: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Routes<Self>,
    ) -> FloatTensor<Self> {
        let (rows, offsets) = (&routes.rows.tensor, &routes.token_offsets.tensor);
        embedding_bag(&y.tensor, rows, offsets, weights.tensor)
    }
}

/// Weighted sums of rows, those of each bag beginning at its offset; the last offset is the number of rows.
fn embedding_bag(table: &Tensor, rows: &Tensor, offsets: &Tensor, weights: Tensor) -> TchTensor {
    const SUM: i64 = 0;
    let weights = Some(weights);
    let (out, _, _, _) = Tensor::embedding_bag(
        &table.contiguous(),
        rows,
        offsets,
        false,
        SUM,
        false,
        weights,
        true,
    );
    TchTensor::new(out)
}

impl TopKOps for LibTorch {
    fn row_top_k(scores: FloatTensor<Self>, k: usize) -> IntTensor<Self> {
        TchTensor::new(scores.tensor.topk(k as i64, 1, true, true).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::agreement::{Layer, Lookups, Mixture, Routing, searches_agree};
    use burn::backend::libtorch::LibTorchDevice;
    use burn::tensor::DType;

    #[test]
    #[allow(deprecated)] // The backend's own device.
    fn agrees_with_the_cpu_kernels() {
        Lookups::<LibTorch>::own().agree(&LibTorchDevice::Cpu, DType::F32, 1e-5);
        Lookups::<LibTorch>::composed().agree(&LibTorchDevice::Cpu, DType::F32, 1e-5);
        Layer::<LibTorch>::own().agree(&LibTorchDevice::Cpu, DType::F32, 1e-5);
        Layer::<LibTorch>::composed().agree(&LibTorchDevice::Cpu, DType::F32, 1e-5);
        Mixture::<LibTorch>::own().agree(&LibTorchDevice::Cpu, 1e-5);
        Routing::<LibTorch>::own().agree(&LibTorchDevice::Cpu);
        searches_agree::<LibTorch>(&LibTorchDevice::Cpu, 1e-5);
    }
}
