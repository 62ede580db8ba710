//! The best scores of each row. Burn's own operation sorts whole rows on every backend.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{
    Backend, Dispatch, TensorMetadata, backend_extension, get_or_init_device_settings,
};
use burn::tensor::{Int, Tensor};

/// Selection from rows of scores.
#[backend_extension(Autodiff, Flex, LibTorch: cfg(feature = "tch"), Cube: cfg(feature = "cube"))]
pub trait TopKOps: Backend {
    /// Indices of the `k` largest of each row of `scores [rows, n]`, largest first, `[rows, k]`. Selection is not differentiated.
    fn row_top_k(scores: FloatTensor<Self>, k: usize) -> IntTensor<Self> {
        let dtype = get_or_init_device_settings::<Self>(&scores.device()).int_dtype;
        Self::float_topk_with_indices(scores, 1, k, dtype).1
    }
}

impl<B: TopKOps, C: CheckpointStrategy> TopKOps for Autodiff<B, C> {
    fn row_top_k(scores: FloatTensor<Self>, k: usize) -> IntTensor<Self> {
        B::row_top_k(scores.into_primitive(), k)
    }
}

/// [`TopKOps::row_top_k`] on tensors.
pub fn row_top_k(scores: Tensor<2>, k: usize) -> Tensor<2, Int> {
    Tensor::from_dispatch(Dispatch::row_top_k(scores.into_dispatch(), k))
}
