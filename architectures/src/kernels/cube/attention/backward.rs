//! Gradients of attention with respect to rotated queries, rotated keys and values.
//!
//! With `P` the probabilities, `dP` their gradient and `along` each row's sum of output times gradient, the gradient of the
//! scores is `dS = P (dP - along)`; those of values, keys and queries are `P^T dO`, `dS^T Q` and `dS K`.

use burn::backend::TensorMetadata;
use burn::tensor::DType;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::super::launch::{addresses, elements, empty, independent};
use super::{keys_gradient, queries_gradient};
use crate::kernels::attention_shape::AttentionShape;

/// What both gradients are computed from.
#[derive(Clone)]
pub struct Backward {
    /// Rotated queries, rotated keys, and values, `[batch, seq, (n_heads + 2 n_kv_heads) head_dim]`.
    pub rotated: CubeTensor,
    /// Gradient of the output, `[batch, seq, n_heads head_dim]`.
    pub grad: CubeTensor,
    /// Log-sums of the scores, `[batch, n_heads, seq]`.
    pub log_sums: CubeTensor,
    /// Each row's sum of output times gradient, `[batch, n_heads, seq]`.
    pub along: CubeTensor,
}

/// Each row's sum of output times gradient, `[batch, n_heads, seq]`. One unit for each row.
#[cube(launch_unchecked, address_type = "dynamic")]
fn along_kernel<T: Float, D: Float>(
    out: &Tensor<T>,
    grad: &Tensor<D>,
    along: &mut Tensor<f32>,
    seq: usize,
    n_heads: usize,
    head_dim: usize,
    total: usize,
    #[define(T, D)] _elements: [ElemType; 2],
) {
    if ABSOLUTE_POS >= total {
        terminate!();
    }
    let first = ABSOLUTE_POS * head_dim;
    let mut sum = 0.0f32;
    for element in first..first + head_dim {
        sum += f32::cast_from(out[element]) * f32::cast_from(grad[element]);
    }
    let (row, head) = (ABSOLUTE_POS / n_heads, ABSOLUTE_POS % n_heads);
    along[(row / seq * n_heads + head) * seq + row % seq] = sum;
}

/// The gradient with respect to `rotated`, in its shape and format.
pub fn gradient(
    rotated: CubeTensor,
    out: CubeTensor,
    log_sums: CubeTensor,
    grad: CubeTensor,
    shape: &AttentionShape,
) -> CubeTensor {
    let &AttentionShape {
        batch,
        seq,
        n_heads,
        head_dim,
        ..
    } = shape;
    let (out, log_sums, grad) = (
        into_contiguous(out),
        into_contiguous(log_sums),
        into_contiguous(grad),
    );
    let client = rotated.client.clone();
    let along = empty(&rotated, [batch, n_heads, seq], DType::F32);
    let (rows, formats) = (batch * seq * n_heads, elements([&out, &grad]));
    let (count, dim) = independent(&client, rows);
    let address = addresses(&[&out, &grad, &along]);
    // SAFETY: every index follows from the shapes.
    unsafe {
        along_kernel::launch_unchecked(
            &client,
            count,
            dim,
            address,
            out.into_tensor_arg(),
            grad.clone().into_tensor_arg(),
            along.clone().into_tensor_arg(),
            seq,
            n_heads,
            head_dim,
            rows,
            formats,
        );
    }

    let width = rotated.shape()[2];
    let gradient = empty(&rotated, [batch, seq, width], rotated.dtype);
    let saved = Backward {
        rotated,
        grad,
        log_sums,
        along,
    };
    keys_gradient::write(&saved, shape, &gradient);
    queries_gradient::write(&saved, shape, &gradient);
    gradient
}
