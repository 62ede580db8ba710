//! What a mixture of experts does, as a Burn backend extension: tokens to places sorted by expert, one product for all
//! experts, and places back to tokens.
//!
//! Nothing is padded or dropped, and every gradient is a gather or a product: no two places write to one sum.

use std::sync::Arc;

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Tensor};

use super::routes::Routes;
use super::stock::{experts as stock, lookup};

/// Movements and products of a mixture. Shapes: `x [tokens, width]`, anything at places `[places, width]`, weights of
/// experts `[n_experts, inputs, outputs]`, weights of meetings `[places]` in the order of [`Routes::places`].
#[backend_extension(Autodiff, Flex, LibTorch: cfg(feature = "tch"), Cube: cfg(feature = "cube"))]
pub trait ExpertOps: Backend {
    /// Each place's token, `[places, width]`.
    fn to_places(x: FloatTensor<Self>, routes: Arc<Routes>) -> FloatTensor<Self> {
        stock::to_places::<Self>(x, &routes)
    }

    /// Each token's weighted sum over its places, `[tokens, width]`; zeros where there are none.
    fn to_tokens(
        y: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Arc<Routes>,
    ) -> FloatTensor<Self> {
        stock::to_tokens::<Self>(y, weights, &routes, |y, ids, weights| {
            lookup::bag::<Self>(y, ids, weights, lookup::HELD)
        })
    }

    /// Gradients of [`ExpertOps::to_tokens`] with respect to `y` and `weights`.
    fn to_tokens_backward(
        grad: FloatTensor<Self>,
        y: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Arc<Routes>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        stock::to_tokens_backward::<Self>(grad, y, weights, &routes)
    }

    /// Each place through its expert's matrix: `[places, inputs]` to `[places, outputs]`.
    fn expert_product(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Arc<Routes>,
    ) -> FloatTensor<Self> {
        stock::expert_product::<Self>(x, weights, &routes)
    }

    /// Gradients with respect to `x` and `weights`; zeros for an expert without places.
    fn expert_product_backward(
        grad: FloatTensor<Self>,
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Arc<Routes>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        stock::expert_product_backward::<Self>(grad, x, weights, &routes)
    }
}

#[derive(Debug)]
struct ToPlacesBackward(Arc<Routes>);

impl<B: ExpertOps> Backward<B, 1> for ToPlacesBackward {
    type State = ();

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        if let [Some(node)] = ops.parents {
            let (places, dtype) = (self.0.token_of.len(), grad.dtype());
            let ones = B::float_ones(Shape::new([places]), &grad.device(), dtype.into());
            grads.register::<B>(node.id, B::to_tokens(grad, ones, self.0));
        }
    }
}

#[derive(Debug)]
struct ToTokensBackward(Arc<Routes>);

impl<B: ExpertOps> Backward<B, 2> for ToTokensBackward {
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let (y, weights) = ops.state;
        let (dy, dweights) = B::to_tokens_backward(grad, y, weights, self.0);
        for (node, gradient) in ops.parents.into_iter().zip([dy, dweights]) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

#[derive(Debug)]
struct ExpertProductBackward(Arc<Routes>);

impl<B: ExpertOps> Backward<B, 2> for ExpertProductBackward {
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let (x, weights) = ops.state;
        let (dx, dweights) = B::expert_product_backward(grad, x, weights, self.0);
        for (node, gradient) in ops.parents.into_iter().zip([dx, dweights]) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: ExpertOps, C: CheckpointStrategy> ExpertOps for Autodiff<B, C> {
    fn to_places(x: FloatTensor<Self>, routes: Arc<Routes>) -> FloatTensor<Self> {
        let (node, x) = (x.node(), x.into_primitive());
        let out = B::to_places(x, routes.clone());
        match ToPlacesBackward(routes)
            .prepare::<C>([node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish((), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn to_tokens(
        y: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Arc<Routes>,
    ) -> FloatTensor<Self> {
        let nodes = [y.node(), weights.node()];
        let (y, weights) = (y.into_primitive(), weights.into_primitive());
        let out = B::to_tokens(y.clone(), weights.clone(), routes.clone());
        match ToTokensBackward(routes)
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish((y, weights), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn to_tokens_backward(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: Arc<Routes>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        panic!("to_tokens has no second derivative")
    }

    fn expert_product(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Arc<Routes>,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weights.node()];
        let (x, weights) = (x.into_primitive(), weights.into_primitive());
        let out = B::expert_product(x.clone(), weights.clone(), routes.clone());
        match ExpertProductBackward(routes)
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish((x, weights), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn expert_product_backward(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: Arc<Routes>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        panic!("expert_product has no second derivative")
    }
}

/// [`ExpertOps::to_places`] on tensors.
pub fn to_places(x: Tensor<2>, routes: &Arc<Routes>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::to_places(x.into_dispatch(), routes.clone()))
}

/// [`ExpertOps::to_tokens`] on tensors.
pub fn to_tokens(y: Tensor<2>, weights: Tensor<1>, routes: &Arc<Routes>) -> Tensor<2> {
    let weights = weights.into_dispatch();
    Tensor::from_dispatch(Dispatch::to_tokens(
        y.into_dispatch(),
        weights,
        routes.clone(),
    ))
}

/// [`ExpertOps::expert_product`] on tensors.
pub fn expert_product(x: Tensor<2>, weights: Tensor<3>, routes: &Arc<Routes>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::expert_product(
        x.into_dispatch(),
        weights.into_dispatch(),
        routes.clone(),
    ))
}
