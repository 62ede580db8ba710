//! The extensions on libtorch: bags and top-k are torch's own, the others use the composed bodies.
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
        let options = (Kind::Int64, table.tensor.device());
        let offsets = Tensor::arange_start_step(0, tokens * per_token, per_token, options);
        const SUM: i64 = 0;
        let (out, _, _, _) = Tensor::embedding_bag(
            &table.tensor,
            &ids.tensor.reshape([-1]),
            &offsets,
            false,
            SUM,
            false,
            Some(weights.tensor.reshape([-1])),
            false,
        );
        TchTensor::new(out)
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

impl TopKOps for LibTorch {
    fn row_top_k(scores: FloatTensor<Self>, k: usize) -> IntTensor<Self> {
        TchTensor::new(scores.tensor.topk(k as i64, 1, true, true).1)
    }
}

impl ExpertOps for LibTorch {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::agreement::{Layer, Lookups, Mixture, searches_agree};
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
        searches_agree::<LibTorch>(&LibTorchDevice::Cpu, 1e-5);
    }
}
