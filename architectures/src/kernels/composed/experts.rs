//! Mixture of experts from gathers and one matrix product per expert. Gathers use the routes on the device; the offsets, from which
//! the bounds of products and sums follow, are copied to the host.

use std::iter::repeat_n;

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, TensorMetadata};

use super::Operand;
use super::lookup::integers;
use super::routing::on_host;
use crate::kernels::cpu::experts::rows_of_experts;
use crate::kernels::routes::Routes;

/// [`crate::kernels::experts::ExpertOps::dispatch_tokens`].
pub fn dispatch_tokens<B: Backend>(x: FloatTensor<B>, routes: Routes<B>) -> FloatTensor<B> {
    Operand::<B>(x).select(0, routes.source_tokens).0
}

/// [`crate::kernels::experts::ExpertOps::combine_outputs`] by `bag`, which sums the rows `(y, ids, weights)`. Tokens with fewer
/// rows than the most are padded with row 0 at weight zero.
pub fn combine_outputs<B: Backend>(
    y: FloatTensor<B>,
    weights: FloatTensor<B>,
    routes: Routes<B>,
    bag: impl Fn(FloatTensor<B>, IntTensor<B>, FloatTensor<B>) -> FloatTensor<B>,
) -> FloatTensor<B> {
    let (device, tokens, count) = (y.device(), routes.tokens(), routes.count());
    let offsets = on_host::<B>(routes.token_offsets);
    let rows_of = |ends: &[i64]| (ends[1] - ends[0]) as usize;
    let most = offsets.windows(2).map(rows_of).max().unwrap_or(0);
    if most == 0 {
        let width = y.shape()[1];
        return Operand::<B>::zeros([tokens, width], &device, y.dtype()).0;
    }
    // Row 0 and a weight of zero are appended for the padding.
    let padding = count as i64;
    let mut assignments = Vec::with_capacity(tokens * most);
    for ends in offsets.windows(2) {
        assignments.extend(ends[0]..ends[1]);
        assignments.extend(repeat_n(padding, most - rows_of(ends)));
    }
    let assignments = integers::<B>(assignments, &device);
    let weights = Operand::<B>(weights);
    let zero = Operand::zeros([1], &device, weights.0.dtype());
    let weights = Operand::cat(vec![weights, zero], 0)
        .select(0, assignments.clone())
        .reshape([tokens, most]);
    let first = B::int_zeros([1].into(), &device, routes.rows.dtype().into());
    let rows = B::int_cat(vec![routes.rows, first], 0);
    let rows = B::int_select(rows, 0, assignments);
    bag(y, B::int_reshape(rows, [tokens, most].into()), weights.0)
}

/// [`crate::kernels::experts::ExpertOps::combine_outputs_backward`].
pub fn combine_outputs_backward<B: Backend>(
    grad: FloatTensor<B>,
    y: FloatTensor<B>,
    weights: FloatTensor<B>,
    routes: Routes<B>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let count = routes.count();
    let grad_of_rows = Operand::<B>(grad).select(0, routes.source_tokens);
    let weights = Operand::<B>(weights).select(0, routes.assignments);
    let products = grad_of_rows.clone() * Operand::<B>(y);
    let dweights = products.sum(1).reshape([count]).select(0, routes.rows);
    let dy = grad_of_rows * weights.reshape([count, 1]);
    (dy.0, dweights.0)
}

/// The matrix of one expert, `[inputs, outputs]`.
fn matrix<B: Backend>(weights: &Operand<B>, expert: usize) -> Operand<B> {
    let [_, inputs, outputs] = weights.dims();
    weights
        .narrow(0, expert..expert + 1)
        .reshape([inputs, outputs])
}

/// [`crate::kernels::experts::ExpertOps::grouped_matmul`].
pub fn grouped_matmul<B: Backend>(
    x: FloatTensor<B>,
    weights: FloatTensor<B>,
    expert_offsets: IntTensor<B>,
) -> FloatTensor<B> {
    let (x, weights) = (Operand::<B>(x), Operand::<B>(weights));
    let offsets = on_host::<B>(expert_offsets);
    let parts = rows_of_experts(&offsets)
        .filter(|(_, rows)| !rows.is_empty())
        .map(|(expert, rows)| x.narrow(0, rows).matmul(matrix(&weights, expert)))
        .collect();
    Operand::cat(parts, 0).0
}

/// [`crate::kernels::experts::ExpertOps::grouped_matmul_backward`].
pub fn grouped_matmul_backward<B: Backend>(
    grad: FloatTensor<B>,
    x: FloatTensor<B>,
    weights: FloatTensor<B>,
    expert_offsets: IntTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (grad, x, weights) = (Operand::<B>(grad), Operand::<B>(x), Operand::<B>(weights));
    let [_, inputs, outputs] = weights.dims();
    let (mut dx, mut dweights) = (Vec::new(), Vec::new());
    for (expert, rows) in rows_of_experts(&on_host::<B>(expert_offsets)) {
        let dmatrix = if rows.is_empty() {
            Operand::zeros([inputs, outputs], &grad.device(), grad.0.dtype())
        } else {
            let grad = grad.narrow(0, rows.clone());
            dx.push(grad.clone().matmul(matrix(&weights, expert).swap(0, 1)));
            x.narrow(0, rows).swap(0, 1).matmul(grad)
        };
        dweights.push(dmatrix.reshape([1, inputs, outputs]));
    }
    (Operand::cat(dx, 0).0, Operand::cat(dweights, 0).0)
}
