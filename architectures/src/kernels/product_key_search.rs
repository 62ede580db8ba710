//! Product-key search as a Burn backend extension: from queries and half-keys to slots and their scores.
//!
//! Queries and keys may be in bf16: their products are then rounded to bf16, and scores are in f32.
//!
//! The default body scores all half-keys and selects with [`LookupOps`], which writes the score matrix to memory.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::{DType, Int, Shape, Tensor};

use super::lookup::LookupOps;

/// Search and its gradient. Shapes: `queries [tokens, heads * 2, half]`, `keys [heads * 2, n_keys, half]`; scores and
/// ids of the selected pairs `[tokens, heads, top_k]`.
#[backend_extension(Autodiff, Flex, LibTorch: cfg(feature = "tch"), Cube: cfg(feature = "cube"))]
pub trait SearchOps: LookupOps {
    /// Scores and ids `first * n_keys + second` of each head's `top_k` best pairs, best first.
    fn product_key_search(
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        top_k: usize,
    ) -> (FloatTensor<Self>, IntTensor<Self>) {
        let [tokens, sets, _] = queries.shape().dims();
        let [_, n_keys, _] = keys.shape().dims();
        let queries = Self::float_swap_dims(queries, 0, 1);
        let scores = Self::float_matmul(queries, Self::float_swap_dims(keys, 1, 2));
        let scores = cast::<Self>(scores, DType::F32);
        let scores = Self::float_reshape(scores, Shape::new([sets / 2, 2, tokens, n_keys]));
        let ids = Self::product_key_top_k(scores.clone(), top_k);
        let chosen = Self::pair_scores(scores, ids.clone());
        (
            Self::float_swap_dims(chosen, 0, 1),
            Self::int_swap_dims(ids, 0, 1),
        )
    }

    /// Gradients with respect to `queries` and `keys`, given that of the scores.
    fn product_key_search_backward(
        grad: FloatTensor<Self>,
        ids: IntTensor<Self>,
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let [tokens, sets, _] = queries.shape().dims();
        let [_, n_keys, _] = keys.shape().dims();
        let grad = Self::float_swap_dims(grad, 0, 1);
        let dscores = Self::pair_scores_backward(grad, Self::int_swap_dims(ids, 0, 1), n_keys);
        let dscores = Self::float_reshape(dscores, Shape::new([sets, tokens, n_keys]));
        let dscores = cast::<Self>(dscores, queries.dtype());
        let queries = Self::float_swap_dims(queries, 0, 1);
        let dkeys = Self::float_matmul(Self::float_swap_dims(dscores.clone(), 1, 2), queries);
        let dqueries = Self::float_matmul(dscores, keys);
        (Self::float_swap_dims(dqueries, 0, 1), dkeys)
    }
}

fn cast<B: Backend>(x: FloatTensor<B>, dtype: DType) -> FloatTensor<B> {
    match x.dtype() == dtype {
        true => x,
        false => B::float_cast(x, dtype.into()),
    }
}

#[derive(Debug)]
struct SearchBackward;

impl<B: SearchOps> Backward<B, 2> for SearchBackward {
    type State = (IntTensor<B>, FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [queries_node, keys_node] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (ids, queries, keys) = ops.state;
        let (dqueries, dkeys) = B::product_key_search_backward(grad, ids, queries, keys);
        if let Some(node) = queries_node {
            grads.register::<B>(node.id, dqueries);
        }
        if let Some(node) = keys_node {
            grads.register::<B>(node.id, dkeys);
        }
    }
}

impl<B: SearchOps, C: CheckpointStrategy> SearchOps for Autodiff<B, C> {
    fn product_key_search(
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        top_k: usize,
    ) -> (FloatTensor<Self>, IntTensor<Self>) {
        let nodes = [queries.node(), keys.node()];
        let (queries, keys) = (queries.into_primitive(), keys.into_primitive());
        match SearchBackward
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let (scores, ids) = B::product_key_search(queries.clone(), keys.clone(), top_k);
                (prep.finish((ids.clone(), queries, keys), scores), ids)
            }
            OpsKind::UnTracked(prep) => {
                let (scores, ids) = B::product_key_search(queries, keys, top_k);
                (prep.finish(scores), ids)
            }
        }
    }

    fn product_key_search_backward(
        _: FloatTensor<Self>,
        _: IntTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        panic!("a product-key search has no second derivative")
    }
}

/// [`SearchOps::product_key_search`] on tensors; the ids are outside autodiff.
pub fn product_key_search(
    queries: Tensor<3>,
    keys: Tensor<3>,
    top_k: usize,
) -> (Tensor<3>, Tensor<3, Int>) {
    let (scores, ids) =
        Dispatch::product_key_search(queries.into_dispatch(), keys.into_dispatch(), top_k);
    let ids: Tensor<3, Int> = Tensor::from_dispatch(ids);
    (Tensor::from_dispatch(scores), ids.inner())
}
