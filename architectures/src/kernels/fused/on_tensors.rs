//! The fused operations on tensors.

use burn::backend::Dispatch;
use burn::tensor::{Int, Tensor};

use super::FusedOps;
use crate::kernels::adam_step::AdamStep;
use crate::kernels::attention_shape::AttentionShape;

/// [`FusedOps::causal_attention`] on tensors.
pub fn causal_attention(qkv: Tensor<3>, shape: AttentionShape) -> Tensor<3> {
    Tensor::from_dispatch(Dispatch::causal_attention(qkv.into_dispatch(), shape).0)
}

/// [`FusedOps::attend_to_cache`] on tensors.
pub fn attend_to_cache(query: Tensor<3>, keys: Tensor<4>, values: Tensor<4>) -> Tensor<3> {
    Tensor::from_dispatch(Dispatch::attend_to_cache(
        query.into_dispatch(),
        keys.into_dispatch(),
        values.into_dispatch(),
    ))
}

/// [`FusedOps::weight_product`] on tensors.
pub fn weight_product(x: Tensor<2>, weight: Tensor<2>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::weight_product(
        x.into_dispatch(),
        weight.into_dispatch(),
    ))
}

/// [`FusedOps::batched_product`] on tensors.
pub fn batched_product<const D: usize>(left: Tensor<D>, right: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::batched_product(
        left.into_dispatch(),
        right.into_dispatch(),
    ))
}

/// [`FusedOps::square_sum`] on tensors.
pub fn square_sum<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::square_sum(x.into_dispatch()))
}

/// [`FusedOps::rms_norm`] on tensors.
pub fn rms_norm(x: Tensor<3>, gamma: Tensor<1>, epsilon: f64) -> Tensor<3> {
    Tensor::from_dispatch(Dispatch::rms_norm(
        x.into_dispatch(),
        gamma.into_dispatch(),
        epsilon,
    ))
}

/// [`FusedOps::swiglu`] on tensors.
pub fn swiglu(x: Tensor<2>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::swiglu(x.into_dispatch()))
}

/// [`FusedOps::cross_entropy`] on tensors.
pub fn cross_entropy(logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
    let (losses, _) = Dispatch::cross_entropy(logits.into_dispatch(), targets.into_dispatch());
    Tensor::from_dispatch(losses)
}

/// [`FusedOps::adamw`] on tensors: the updated values and their moments.
pub fn adamw<const D: usize>(
    values: Tensor<D>,
    grad: Tensor<D>,
    moments: (Tensor<D>, Tensor<D>),
    decay: f32,
    step: AdamStep,
) -> (Tensor<D>, (Tensor<D>, Tensor<D>)) {
    let (values, mean, square) = Dispatch::adamw(
        values.into_dispatch(),
        grad.into_dispatch(),
        moments.0.into_dispatch(),
        moments.1.into_dispatch(),
        decay,
        step,
    );
    let moments = (Tensor::from_dispatch(mean), Tensor::from_dispatch(square));
    (Tensor::from_dispatch(values), moments)
}
