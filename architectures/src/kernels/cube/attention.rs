//! Causal attention by tiles of queries and keys, without a `seq x seq` matrix in memory (Dao et al. 2022).
//!
//! One launch rotates queries and keys; scores, probabilities and their gradients exist for one tile at a time, in shared
//! memory and in f32. The backward pass computes them again from each row's log-sum, once for the gradients of keys
//! and values and once for that of queries, so that one cube alone writes each gradient and nothing is added atomically.
//! Products are scalar, without tensor cores.

mod backward;
mod forward;
mod keys_gradient;
mod queries_gradient;
mod rotate;
mod tile;

use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use crate::kernels::attention_shape::AttentionShape;
use rotate::{Angles, Direction};

/// [`crate::kernels::FusedOps::causal_attention`]: the output in the format of `qkv`, the log-sums in f32.
pub fn attention(qkv: CubeTensor, shape: &AttentionShape) -> (CubeTensor, CubeTensor) {
    let qkv = into_contiguous(qkv);
    let angles = Angles::new(&qkv, shape);
    let rotated = angles.rotate(qkv, shape, Direction::Forward);
    forward::attend(rotated, shape)
}

/// [`crate::kernels::FusedOps::causal_attention_backward`].
pub fn attention_backward(
    qkv: CubeTensor,
    (out, log_sums, grad): (CubeTensor, CubeTensor, CubeTensor),
    shape: &AttentionShape,
) -> CubeTensor {
    let qkv = into_contiguous(qkv);
    let angles = Angles::new(&qkv, shape);
    let rotated = angles.rotate(qkv, shape, Direction::Forward);
    let gradient = backward::gradient(rotated, out, log_sums, grad, shape);
    angles.rotate(gradient, shape, Direction::Backward)
}
