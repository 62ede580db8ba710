//! Fused operations of a decoder layer as one Burn backend extension: attention, RMSNorm, SwiGLU, cross-entropy and
//! AdamW.
//!
//! A fused kernel reads its inputs once forward and once backward; the default bodies (`composed`) are sequences
//! of Burn's own operations that write their intermediates to memory.

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, backend_extension};

use super::composed::{attention, layer};
use crate::kernels::adam_step::AdamStep;
use crate::kernels::attention_shape::AttentionShape;

mod autodiff;
mod on_tensors;

pub use on_tensors::{
    adamw, attend_to_cache, batched_product, causal_attention, cross_entropy, rms_norm, square_sum,
    swiglu, weight_product,
};

/// Fused operations and their gradients.
#[backend_extension(Autodiff, Flex, LibTorch: cfg(feature = "tch"), Cube: cfg(feature = "cube"))]
pub trait FusedOps: Backend {
    /// Attention, products and SwiGLU take f32 or bf16; what is saved of them for the backward pass has that format.
    ///
    /// Causal attention of `qkv [batch, seq, (n_heads + 2 n_kv_heads) head_dim]`: the output
    /// `[batch, seq, n_heads head_dim]` and each row's log-sum `[batch, n_heads, seq]`, which has no gradient.
    fn causal_attention(
        qkv: FloatTensor<Self>,
        shape: AttentionShape,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        attention::attention::<Self>(qkv, &shape, attention::MAX_BYTES)
    }

    /// Gradient with respect to `qkv`.
    fn causal_attention_backward(
        qkv: FloatTensor<Self>,
        out: FloatTensor<Self>,
        log_sums: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        shape: AttentionShape,
    ) -> FloatTensor<Self> {
        let saved = (out, log_sums, grad);
        attention::attention_backward::<Self>(qkv, saved, &shape, attention::MAX_BYTES)
    }

    /// Attention of one token of each sequence to its cached keys, with those of the token itself, in f32: rotated
    /// `query [batch, n_heads, head_dim]` and `keys`, and `values`, `[batch, n_kv_heads, tokens, head_dim]`, to
    /// `[batch, n_heads, head_dim]`.
    fn attend_to_cache(
        query: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        attention::attend_to_cache::<Self>(query, keys, values)
    }

    /// `x / rms(x) * gamma` over the last of three dimensions.
    fn rms_norm(x: FloatTensor<Self>, gamma: FloatTensor<Self>, epsilon: f64) -> FloatTensor<Self> {
        layer::rms_norm::<Self>(x, gamma, epsilon)
    }

    /// Gradients with respect to `x` and `gamma`.
    fn rms_norm_backward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        layer::rms_norm_backward::<Self>(x, gamma, grad, epsilon)
    }

    /// `x weight`: `x [rows, inputs]`, `weight [inputs, outputs]`.
    fn weight_product(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::float_matmul(x, weight)
    }

    /// Gradients with respect to `x` and `weight`.
    fn weight_product_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        (
            Self::float_matmul(grad.clone(), Self::float_transpose(weight)),
            Self::float_matmul(Self::float_transpose(x), grad),
        )
    }

    /// The products of the last two dimensions, `left [.., m, k]` and `right [.., k, n]`, whose leading dimensions are equal.
    fn batched_product(left: FloatTensor<Self>, right: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::float_matmul(left, right)
    }

    /// `silu(x[r, ..f]) x[r, f..]` for `x [rows, 2 f]`, computed in f32, in the format of `x`.
    fn swiglu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        layer::swiglu::<Self>(x)
    }

    /// Gradient with respect to `x`.
    fn swiglu_backward(x: FloatTensor<Self>, grad: FloatTensor<Self>) -> FloatTensor<Self> {
        layer::swiglu_backward::<Self>(x, grad)
    }

    /// Negative log-likelihood `[rows]` of `targets [rows]` under `logits [rows, vocab]`, and what its backward pass reads,
    /// `[rows, vocab]`, which has no gradient: the logits, or in their memory what an implementation computed of them.
    fn cross_entropy(
        logits: FloatTensor<Self>,
        targets: IntTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let losses = layer::cross_entropy::<Self>(logits.clone(), targets);
        (losses, logits)
    }

    /// Gradient with respect to the logits, of what [`Self::cross_entropy`] `saved`.
    fn cross_entropy_backward(
        saved: FloatTensor<Self>,
        targets: IntTensor<Self>,
        grad: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        layer::cross_entropy_backward::<Self>(saved, targets, grad)
    }

    /// Sum of the squares of all elements, `[1]`, added in an order that depends on the shape alone.
    fn square_sum(x: FloatTensor<Self>) -> FloatTensor<Self> {
        layer::square_sum::<Self>(x)
    }

    /// One step of AdamW on `values` and their moments, all of one shape, in place where no other tensor
    /// shares their storage.
    fn adamw(
        values: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        square: FloatTensor<Self>,
        decay: f32,
        step: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        layer::adamw::<Self>(values, grad, mean, square, decay, step)
    }
}
