//! Routing on the host: the scores or pairs are copied there, and the result is copied back.

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, TensorMetadata, read_sync};

use super::lookup::integers;
use crate::kernels::cpu::routing;
use crate::kernels::routes::Routes;

/// The values of a tensor.
///
/// # Panics
/// If the device fails.
pub(super) fn on_host<B: Backend>(tensor: IntTensor<B>) -> Vec<i64> {
    match read_sync(B::int_into_data(tensor)) {
        Ok(data) => data.iter::<i64>().collect(),
        Err(error) => panic!("integers of a routing cannot be copied from the device: {error}"),
    }
}

fn scores_on_host<B: Backend>(scores: FloatTensor<B>) -> Vec<f32> {
    match read_sync(B::float_into_data(scores)) {
        Ok(data) => data.iter::<f32>().collect(),
        Err(error) => panic!("scores of a router cannot be copied from the device: {error}"),
    }
}

/// [`crate::kernels::routing::RoutingOps::choose_experts`].
pub fn choose_experts<B: Backend>(scores: FloatTensor<B>, top_k: usize) -> IntTensor<B> {
    let (n_experts, device) = (scores.shape()[1], scores.device());
    let pairs = routing::choose_experts(&scores_on_host::<B>(scores), n_experts, top_k);
    integers::<B>(pairs, &device)
}

/// [`crate::kernels::routing::RoutingOps::choose_tokens`].
pub fn choose_tokens<B: Backend>(scores: FloatTensor<B>, capacity: usize) -> IntTensor<B> {
    let (n_experts, device) = (scores.shape()[1], scores.device());
    let pairs = routing::choose_tokens(&scores_on_host::<B>(scores), n_experts, capacity);
    integers::<B>(pairs, &device)
}

/// [`crate::kernels::routing::RoutingOps::sort_by_expert`].
pub fn sort_by_expert<B: Backend>(
    pairs: IntTensor<B>,
    tokens: usize,
    n_experts: usize,
) -> Routes<B> {
    let device = pairs.device();
    let sorted = routing::sort_by_expert(&on_host::<B>(pairs), tokens, n_experts);
    let here = |values| integers::<B>(values, &device);
    Routes {
        source_tokens: here(sorted.source_tokens),
        assignments: here(sorted.assignments),
        rows: here(sorted.rows),
        token_offsets: here(sorted.token_offsets),
        expert_offsets: here(sorted.expert_offsets),
    }
}
