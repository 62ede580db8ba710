//! Table lookups, product-key selection and the row-wise Adam update as one Burn backend extension, with gradients.
//!
//! A table has no autodiff node. Each lookup instead takes a `sink`, a leaf tensor whose gradient is the factor of the
//! table's gradient that the backward pass computes; [`crate::pass::Pass`] pairs it with the factor that the forward pass
//! saved.
//!
//! The default bodies are composed of Burn's own operations (`composed`).

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::{Int, Tensor};

use super::composed::{lookup, row_adam};
use crate::kernels::adam_step::AdamStep;

/// Table lookups and product-key selection. Shapes: `table [rows, width]`, `ids [tokens, per_token]` of table rows,
/// half-key `scores [heads, 2, tokens, n_keys]`, pair `ids [heads, tokens, top_k]`.
#[backend_extension(Autodiff, Flex, LibTorch: cfg(feature = "tch"), Cube: cfg(feature = "cube"))]
pub trait LookupOps: Backend {
    /// `sum_j weights[t,j] table[ids[t,j]]`, `[tokens, width]`; the sink, of that shape, receives the output's gradient.
    fn bag(
        table: FloatTensor<Self>,
        ids: IntTensor<Self>,
        weights: FloatTensor<Self>,
        sink: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let _ = sink;
        lookup::bag::<Self>(table, ids, weights, lookup::MAX_BYTES)
    }

    /// `<inputs[t], table[ids[t,j]]>`, `[tokens, per_token]`; the sink, of that shape, receives the output's gradient.
    fn dot(
        table: FloatTensor<Self>,
        ids: IntTensor<Self>,
        inputs: FloatTensor<Self>,
        sink: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let _ = sink;
        lookup::dot::<Self>(table, ids, inputs, lookup::MAX_BYTES)
    }

    /// Requests the rows `ids` of the table from memory for a later lookup; returns `ids`. Only a hint, without effect on
    /// backends whose tables are not in the host's memory.
    fn prefetch(table: FloatTensor<Self>, ids: IntTensor<Self>) -> IntTensor<Self> {
        let _ = table;
        ids
    }

    /// Ids of the `top_k` best pairs, best first, `[heads, tokens, top_k]`. Selection is not differentiated.
    fn product_key_top_k(scores: FloatTensor<Self>, top_k: usize) -> IntTensor<Self> {
        lookup::product_key_top_k::<Self>(scores, top_k, lookup::best::<Self>)
    }

    /// The scores of the pairs `ids`, `[heads, tokens, top_k]`.
    fn pair_scores(scores: FloatTensor<Self>, ids: IntTensor<Self>) -> FloatTensor<Self> {
        lookup::pair_scores::<Self>(scores, ids)
    }

    /// Gradient of [`LookupOps::pair_scores`] with respect to `scores`, given that of its output.
    fn pair_scores_backward(
        grad: FloatTensor<Self>,
        ids: IntTensor<Self>,
        n_keys: usize,
    ) -> FloatTensor<Self> {
        lookup::pair_scores_backward::<Self>(grad, ids, n_keys)
    }

    /// The sums `sum weights[t,j] values[t]` over the entries `(ids, weights, values)` of each row of a table of `rows` rows:
    /// the distinct ids `[n]` and their sums `[n, width]`.
    fn row_sums(
        ids: IntTensor<Self>,
        weights: FloatTensor<Self>,
        values: FloatTensor<Self>,
        rows: usize,
    ) -> (IntTensor<Self>, FloatTensor<Self>) {
        let _ = rows;
        row_adam::row_sums::<Self>(ids, weights, values, lookup::MAX_BYTES)
    }

    /// One lazy Adam update of `table` and its moments by the entries `(ids, weights, values)`, in place where no
    /// other tensor shares their storage; also the gradient's norm before clipping, `[1]`.
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
        let (max_bytes, write) = (lookup::MAX_BYTES, row_adam::write::<Self>);
        row_adam::row_adam::<Self>(tables, ids, weights, values, step, max_bytes, write)
    }
}

/// Gradient of both lookups: with the table constant, each is linear in its other operand, and its transpose is the
/// other lookup.
#[derive(Debug)]
struct LookupBackward<const BAG: bool>;

impl<B: LookupOps, const BAG: bool> Backward<B, 2> for LookupBackward<BAG> {
    type State = (FloatTensor<B>, IntTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [operand, sink] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (table, ids, unused_sink) = ops.state;
        if let Some(node) = operand {
            let transpose = if BAG {
                B::dot(table, ids, grad.clone(), unused_sink)
            } else {
                B::bag(table, ids, grad.clone(), unused_sink)
            };
            grads.register::<B>(node.id, transpose);
        }
        if let Some(node) = sink {
            grads.register::<B>(node.id, grad);
        }
    }
}

#[derive(Debug)]
struct PairScoresBackward;

impl<B: LookupOps> Backward<B, 1> for PairScoresBackward {
    type State = (IntTensor<B>, usize);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [scores] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (ids, n_keys) = ops.state;
        if let Some(node) = scores {
            grads.register::<B>(node.id, B::pair_scores_backward(grad, ids, n_keys));
        }
    }
}

impl<B: LookupOps, C: CheckpointStrategy> LookupOps for Autodiff<B, C> {
    fn bag(
        table: FloatTensor<Self>,
        ids: IntTensor<Self>,
        weights: FloatTensor<Self>,
        sink: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let nodes = [weights.node(), sink.node()];
        let (table, weights, sink) = (
            table.into_primitive(),
            weights.into_primitive(),
            sink.into_primitive(),
        );
        match LookupBackward::<true>
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let out = B::bag(table.clone(), ids.clone(), weights, sink.clone());
                prep.finish((table, ids, sink), out)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::bag(table, ids, weights, sink)),
        }
    }

    fn dot(
        table: FloatTensor<Self>,
        ids: IntTensor<Self>,
        inputs: FloatTensor<Self>,
        sink: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let nodes = [inputs.node(), sink.node()];
        let (table, inputs, sink) = (
            table.into_primitive(),
            inputs.into_primitive(),
            sink.into_primitive(),
        );
        match LookupBackward::<false>
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let out = B::dot(table.clone(), ids.clone(), inputs, sink.clone());
                prep.finish((table, ids, sink), out)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::dot(table, ids, inputs, sink)),
        }
    }

    fn prefetch(table: FloatTensor<Self>, ids: IntTensor<Self>) -> IntTensor<Self> {
        B::prefetch(table.into_primitive(), ids)
    }

    fn product_key_top_k(scores: FloatTensor<Self>, top_k: usize) -> IntTensor<Self> {
        B::product_key_top_k(scores.into_primitive(), top_k)
    }

    fn pair_scores(scores: FloatTensor<Self>, ids: IntTensor<Self>) -> FloatTensor<Self> {
        let node = scores.node();
        let scores = scores.into_primitive();
        let n_keys = scores.shape()[3];
        match PairScoresBackward
            .prepare::<C>([node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let out = B::pair_scores(scores, ids.clone());
                prep.finish((ids, n_keys), out)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::pair_scores(scores, ids)),
        }
    }

    fn pair_scores_backward(
        _: FloatTensor<Self>,
        _: IntTensor<Self>,
        _: usize,
    ) -> FloatTensor<Self> {
        panic!("pair_scores has no second derivative")
    }

    fn row_sums(
        _: IntTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: usize,
    ) -> (IntTensor<Self>, FloatTensor<Self>) {
        panic!("the gradient of a table has no second derivative")
    }

    fn row_adam(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: IntTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: AdamStep,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        panic!("an optimizer step is not differentiated: tables have no autodiff node")
    }
}

/// [`LookupOps::bag`] on tensors.
pub fn bag(
    table: Tensor<2>,
    ids: Tensor<2, Int>,
    weights: Tensor<2>,
    sink: Tensor<2>,
) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::bag(
        table.into_dispatch(),
        ids.into_dispatch(),
        weights.into_dispatch(),
        sink.into_dispatch(),
    ))
}

/// [`LookupOps::dot`] on tensors.
pub fn dot(table: Tensor<2>, ids: Tensor<2, Int>, inputs: Tensor<2>, sink: Tensor<2>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::dot(
        table.into_dispatch(),
        ids.into_dispatch(),
        inputs.into_dispatch(),
        sink.into_dispatch(),
    ))
}

/// [`LookupOps::prefetch`] on tensors.
pub fn prefetch(table: Tensor<2>, ids: Tensor<2, Int>) {
    Dispatch::prefetch(table.into_dispatch(), ids.into_dispatch());
}

/// [`LookupOps::product_key_top_k`] on tensors.
pub fn product_key_top_k(scores: Tensor<4>, top_k: usize) -> Tensor<3, Int> {
    Tensor::from_dispatch(Dispatch::product_key_top_k(scores.into_dispatch(), top_k))
}

/// [`LookupOps::pair_scores`] on tensors.
pub fn pair_scores(scores: Tensor<4>, ids: Tensor<3, Int>) -> Tensor<3> {
    Tensor::from_dispatch(Dispatch::pair_scores(
        scores.into_dispatch(),
        ids.into_dispatch(),
    ))
}

/// [`LookupOps::row_sums`] on tensors: ids `[n]` and sums `[n, width]`.
pub fn row_sums(
    ids: Tensor<2, Int>,
    weights: Tensor<2>,
    values: Tensor<2>,
    rows: usize,
) -> (Tensor<1, Int>, Tensor<2>) {
    let (ids, sums) = Dispatch::row_sums(
        ids.into_dispatch(),
        weights.into_dispatch(),
        values.into_dispatch(),
        rows,
    );
    (Tensor::from_dispatch(ids), Tensor::from_dispatch(sums))
}

/// [`LookupOps::row_adam`] on tensors: the updated table and moments, and the gradient's norm.
pub fn row_adam(
    table: Tensor<2>,
    moments: (Tensor<2>, Tensor<2>),
    ids: Tensor<2, Int>,
    weights: Tensor<2>,
    values: Tensor<2>,
    step: AdamStep,
) -> (Tensor<2>, (Tensor<2>, Tensor<2>), Tensor<1>) {
    let (table, mean, square, norm) = Dispatch::row_adam(
        table.into_dispatch(),
        moments.0.into_dispatch(),
        moments.1.into_dispatch(),
        ids.into_dispatch(),
        weights.into_dispatch(),
        values.into_dispatch(),
        step,
    );
    (
        Tensor::from_dispatch(table),
        (Tensor::from_dispatch(mean), Tensor::from_dispatch(square)),
        Tensor::from_dispatch(norm),
    )
}
