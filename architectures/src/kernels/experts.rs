//! Mixture of experts as a Burn backend extension: dispatch of tokens to rows sorted by expert, one matrix product per
//! expert, and the combination of an expert's outputs by token.
//!
//! No token is padded or dropped (as in MegaBlocks, Gale et al. 2023), and every gradient is a gather or a product: no
//! two rows are added to one sum concurrently.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::{Int, Shape, Tensor};

use super::composed::{self, lookup};
use super::routes::Routes;

/// Operations of a mixture of experts. Shapes: `x [tokens, width]`; dispatched `[rows, width]`, one row per assignment;
/// the experts' matrices `[n_experts, inputs, outputs]`; the assignments' weights `[rows]` in the order of
/// [`Routes::rows`]; `expert_offsets [n_experts + 1]` those of [`Routes`].
#[backend_extension(Autodiff, Flex, LibTorch: cfg(feature = "tch"), Cube: cfg(feature = "cube"))]
pub trait ExpertOps: Backend {
    /// The hidden state of each row's token, `[rows, width]`.
    fn dispatch_tokens(
        x: FloatTensor<Self>,
        #[extension_type] routes: Routes<Self>,
    ) -> FloatTensor<Self> {
        composed::experts::dispatch_tokens::<Self>(x, routes)
    }

    /// Each token's weighted sum over its rows of `y`, `[tokens, width]`; zeros for a token without rows.
    fn combine_outputs(
        y: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        #[extension_type] routes: Routes<Self>,
    ) -> FloatTensor<Self> {
        composed::experts::combine_outputs::<Self>(y, weights, routes, |y, ids, weights| {
            lookup::bag::<Self>(y, ids, weights, lookup::MAX_BYTES)
        })
    }

    /// Gradients of [`ExpertOps::combine_outputs`] with respect to `y` and `weights`.
    fn combine_outputs_backward(
        grad: FloatTensor<Self>,
        y: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        #[extension_type] routes: Routes<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::experts::combine_outputs_backward::<Self>(grad, y, weights, routes)
    }

    /// Each row times its expert's matrix: `[rows, inputs]` to `[rows, outputs]`.
    fn grouped_matmul(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        expert_offsets: IntTensor<Self>,
    ) -> FloatTensor<Self> {
        composed::experts::grouped_matmul::<Self>(x, weights, expert_offsets)
    }

    /// Gradients with respect to `x` and `weights`; zeros for an expert without rows.
    fn grouped_matmul_backward(
        grad: FloatTensor<Self>,
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        expert_offsets: IntTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        composed::experts::grouped_matmul_backward::<Self>(grad, x, weights, expert_offsets)
    }
}

#[derive(Debug)]
struct DispatchTokensBackward;

impl<B: ExpertOps> Backward<B, 1> for DispatchTokensBackward {
    type State = Routes<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let routes = ops.state;
        if let [Some(node)] = ops.parents {
            let dtype = grad.dtype();
            let ones = B::float_ones(Shape::new([routes.count()]), &grad.device(), dtype.into());
            grads.register::<B>(node.id, B::combine_outputs(grad, ones, routes));
        }
    }
}

#[derive(Debug)]
struct CombineOutputsBackward;

impl<B: ExpertOps> Backward<B, 2> for CombineOutputsBackward {
    type State = (FloatTensor<B>, FloatTensor<B>, Routes<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let (y, weights, routes) = ops.state;
        let (dy, dweights) = B::combine_outputs_backward(grad, y, weights, routes);
        for (node, gradient) in ops.parents.into_iter().zip([dy, dweights]) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

#[derive(Debug)]
struct GroupedMatmulBackward;

impl<B: ExpertOps> Backward<B, 2> for GroupedMatmulBackward {
    type State = (FloatTensor<B>, FloatTensor<B>, IntTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let (x, weights, expert_offsets) = ops.state;
        let (dx, dweights) = B::grouped_matmul_backward(grad, x, weights, expert_offsets);
        for (node, gradient) in ops.parents.into_iter().zip([dx, dweights]) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: ExpertOps, C: CheckpointStrategy> ExpertOps for Autodiff<B, C> {
    fn dispatch_tokens(x: FloatTensor<Self>, routes: Routes<Self>) -> FloatTensor<Self> {
        let (node, x, routes) = (x.node(), x.into_primitive(), routes.inner());
        let out = B::dispatch_tokens(x, routes.clone());
        match DispatchTokensBackward
            .prepare::<C>([node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish(routes, out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn combine_outputs(
        y: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Routes<Self>,
    ) -> FloatTensor<Self> {
        let nodes = [y.node(), weights.node()];
        let (y, weights) = (y.into_primitive(), weights.into_primitive());
        let routes = routes.inner();
        let out = B::combine_outputs(y.clone(), weights.clone(), routes.clone());
        match CombineOutputsBackward
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish((y, weights, routes), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn combine_outputs_backward(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: Routes<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        panic!("combine_outputs has no second derivative")
    }

    fn grouped_matmul(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        expert_offsets: IntTensor<Self>,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weights.node()];
        let (x, weights) = (x.into_primitive(), weights.into_primitive());
        let out = B::grouped_matmul(x.clone(), weights.clone(), expert_offsets.clone());
        match GroupedMatmulBackward
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish((x, weights, expert_offsets), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn grouped_matmul_backward(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: IntTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        panic!("grouped_matmul has no second derivative")
    }
}

/// [`ExpertOps::dispatch_tokens`] on tensors.
pub fn dispatch_tokens(x: Tensor<2>, routes: &Routes<Dispatch>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::dispatch_tokens(x.into_dispatch(), routes.clone()))
}

/// [`ExpertOps::combine_outputs`] on tensors.
pub fn combine_outputs(y: Tensor<2>, weights: Tensor<1>, routes: &Routes<Dispatch>) -> Tensor<2> {
    let weights = weights.into_dispatch();
    Tensor::from_dispatch(Dispatch::combine_outputs(
        y.into_dispatch(),
        weights,
        routes.clone(),
    ))
}

/// [`ExpertOps::grouped_matmul`] on tensors; `expert_offsets` are those of [`Routes`].
pub fn grouped_matmul(
    x: Tensor<2>,
    weights: Tensor<3>,
    expert_offsets: Tensor<1, Int>,
) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::grouped_matmul(
        x.into_dispatch(),
        weights.into_dispatch(),
        expert_offsets.into_dispatch(),
    ))
}
