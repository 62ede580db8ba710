//! Routing of a mixture of experts as a Burn backend extension: the selection of (token, expert) pairs by score, and their order
//! by expert. Nothing is copied to the host, and the number of pairs follows from the shapes.
//!
//! No operation has a gradient: scores are passed without autodiff. A pair is the number `token * n_experts + expert`. Backends
//! differ in the order of 0 and -0, which no router returns; with NaN among the scores they select any pairs within bounds.

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{Int, Tensor};

use super::composed;
use super::routes::Routes;

/// Selection and order of pairs; `scores [tokens, n_experts]` in f32.
#[backend_extension(Flex, LibTorch: cfg(feature = "tch"), Cube: cfg(feature = "cube"))]
pub trait RoutingOps: Backend {
    /// The `top_k` highest scores of each token, `[tokens * top_k]`: token by token, the highest score first. Of equal scores that
    /// of the lower expert is selected.
    fn choose_experts(scores: FloatTensor<Self>, top_k: usize) -> IntTensor<Self> {
        composed::routing::choose_experts::<Self>(scores, top_k)
    }

    /// The `capacity` highest scores of each expert, `[n_experts * capacity]`, in ascending order. Of equal scores that of
    /// the lower token is selected.
    fn choose_tokens(scores: FloatTensor<Self>, capacity: usize) -> IntTensor<Self> {
        composed::routing::choose_tokens::<Self>(scores, capacity)
    }

    /// The assignments `pairs [rows]`, which are listed token by token, stably sorted by expert.
    fn sort_by_expert(pairs: IntTensor<Self>, tokens: usize, n_experts: usize) -> Routes<Self> {
        composed::routing::sort_by_expert::<Self>(pairs, tokens, n_experts)
    }
}

/// [`RoutingOps::choose_experts`] on tensors; the pairs are without autodiff.
pub fn choose_experts(scores: Tensor<2>, top_k: usize) -> Tensor<1, Int> {
    Tensor::from_dispatch(Dispatch::choose_experts(
        scores.inner().into_dispatch(),
        top_k,
    ))
}

/// [`RoutingOps::choose_tokens`] on tensors; the pairs are without autodiff.
pub fn choose_tokens(scores: Tensor<2>, capacity: usize) -> Tensor<1, Int> {
    Tensor::from_dispatch(Dispatch::choose_tokens(
        scores.inner().into_dispatch(),
        capacity,
    ))
}

/// [`RoutingOps::sort_by_expert`] on tensors.
pub fn sort_by_expert(pairs: Tensor<1, Int>, tokens: usize, n_experts: usize) -> Routes<Dispatch> {
    Dispatch::sort_by_expert(pairs.inner().into_dispatch(), tokens, n_experts)
}
