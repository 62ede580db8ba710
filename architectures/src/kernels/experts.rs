//! Mixture of experts as a Burn backend extension: dispatch of tokens to rows sorted by expert, one matrix product per
//! expert, and the combination of an expert's outputs by token.
//!
//! No token is padded or dropped (as in MegaBlocks, Gale et al. 2023), and every gradient is a gather or a product: no
//! two rows are added to one sum concurrently.

use std::sync::Arc;

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Tensor};

use super::composed::{self, lookup};
use super::routes::Routes;

/// Operations of a mixture of experts. Shapes: `x [tokens, width]`; dispatched `[rows, width]`, one row per assignment;
/// the experts' matrices `[n_experts, inputs, outputs]`; the assignments' weights `[rows]` in the order of
/// [`Routes::rows`].
#[backend_extension(Autodiff, Flex, LibTorch: cfg(feature = "tch"), Cube: cfg(feature = "cube"))]
pub trait ExpertOps: Backend {
    /// The hidden state of each row's token, `[rows, width]`.
    fn dispatch_tokens(x: FloatTensor<Self>, routes: Arc<Routes>) -> FloatTensor<Self> {
        composed::experts::dispatch_tokens::<Self>(x, &routes)
    }

    /// Each token's weighted sum over its rows of `y`, `[tokens, width]`; zeros for a token without rows.
    fn combine_outputs(
        y: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Arc<Routes>,
    ) -> FloatTensor<Self> {
        composed::experts::combine_outputs::<Self>(y, weights, &routes, |y, ids, weights| {
            lookup::bag::<Self>(y, ids, weights, lookup::MAX_BYTES)
        })
    }

    /// Gradients of [`ExpertOps::combine_outputs`] with respect to `y` and `weights`.
    fn combine_outputs_backward(
        grad: FloatTensor<Self>,
        y: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Arc<Routes>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::experts::combine_outputs_backward::<Self>(grad, y, weights, &routes)
    }

    /// Each row times its expert's matrix: `[rows, inputs]` to `[rows, outputs]`.
    fn grouped_matmul(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Arc<Routes>,
    ) -> FloatTensor<Self> {
        composed::experts::grouped_matmul::<Self>(x, weights, &routes)
    }

    /// Gradients with respect to `x` and `weights`; zeros for an expert without rows.
    fn grouped_matmul_backward(
        grad: FloatTensor<Self>,
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Arc<Routes>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::experts::grouped_matmul_backward::<Self>(grad, x, weights, &routes)
    }
}

#[derive(Debug)]
struct DispatchTokensBackward(Arc<Routes>);

impl<B: ExpertOps> Backward<B, 1> for DispatchTokensBackward {
    type State = ();

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        if let [Some(node)] = ops.parents {
            let (rows, dtype) = (self.0.source_tokens.len(), grad.dtype());
            let ones = B::float_ones(Shape::new([rows]), &grad.device(), dtype.into());
            grads.register::<B>(node.id, B::combine_outputs(grad, ones, self.0));
        }
    }
}

#[derive(Debug)]
struct CombineOutputsBackward(Arc<Routes>);

impl<B: ExpertOps> Backward<B, 2> for CombineOutputsBackward {
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let (y, weights) = ops.state;
        let (dy, dweights) = B::combine_outputs_backward(grad, y, weights, self.0);
        for (node, gradient) in ops.parents.into_iter().zip([dy, dweights]) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

#[derive(Debug)]
struct GroupedMatmulBackward(Arc<Routes>);

impl<B: ExpertOps> Backward<B, 2> for GroupedMatmulBackward {
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let (x, weights) = ops.state;
        let (dx, dweights) = B::grouped_matmul_backward(grad, x, weights, self.0);
        for (node, gradient) in ops.parents.into_iter().zip([dx, dweights]) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: ExpertOps, C: CheckpointStrategy> ExpertOps for Autodiff<B, C> {
    fn dispatch_tokens(x: FloatTensor<Self>, routes: Arc<Routes>) -> FloatTensor<Self> {
        let (node, x) = (x.node(), x.into_primitive());
        let out = B::dispatch_tokens(x, routes.clone());
        match DispatchTokensBackward(routes)
            .prepare::<C>([node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish((), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn combine_outputs(
        y: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Arc<Routes>,
    ) -> FloatTensor<Self> {
        let nodes = [y.node(), weights.node()];
        let (y, weights) = (y.into_primitive(), weights.into_primitive());
        let out = B::combine_outputs(y.clone(), weights.clone(), routes.clone());
        match CombineOutputsBackward(routes)
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish((y, weights), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn combine_outputs_backward(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: Arc<Routes>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        panic!("combine_outputs has no second derivative")
    }

    fn grouped_matmul(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Arc<Routes>,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weights.node()];
        let (x, weights) = (x.into_primitive(), weights.into_primitive());
        let out = B::grouped_matmul(x.clone(), weights.clone(), routes.clone());
        match GroupedMatmulBackward(routes)
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish((x, weights), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn grouped_matmul_backward(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: Arc<Routes>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        panic!("grouped_matmul has no second derivative")
    }
}

/// [`ExpertOps::dispatch_tokens`] on tensors.
pub fn dispatch_tokens(x: Tensor<2>, routes: &Arc<Routes>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::dispatch_tokens(x.into_dispatch(), routes.clone()))
}

/// [`ExpertOps::combine_outputs`] on tensors.
pub fn combine_outputs(y: Tensor<2>, weights: Tensor<1>, routes: &Arc<Routes>) -> Tensor<2> {
    let weights = weights.into_dispatch();
    Tensor::from_dispatch(Dispatch::combine_outputs(
        y.into_dispatch(),
        weights,
        routes.clone(),
    ))
}

/// [`ExpertOps::grouped_matmul`] on tensors.
pub fn grouped_matmul(x: Tensor<2>, weights: Tensor<3>, routes: &Arc<Routes>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::grouped_matmul(
        x.into_dispatch(),
        weights.into_dispatch(),
        routes.clone(),
    ))
}
