//! Mixture of experts from gathers and one matrix product per expert.

use std::iter::repeat_n;

use burn::backend::tensor::{Device, FloatTensor, IntTensor};
use burn::backend::{Backend, TensorMetadata};

use super::Operand;
use super::lookup::integers;
use crate::kernels::routes::Routes;

/// [`crate::kernels::experts::ExpertOps::dispatch_tokens`].
pub fn dispatch_tokens<B: Backend>(x: FloatTensor<B>, routes: &Routes) -> FloatTensor<B> {
    let tokens = integers::<B>(routes.source_tokens.clone(), &x.device());
    Operand::<B>(x).select(0, tokens).0
}

/// [`crate::kernels::experts::ExpertOps::combine_outputs`] by `bag`, which sums the rows `(y, ids, weights)`. Tokens with fewer
/// rows than the most are padded with row 0 at weight zero.
pub fn combine_outputs<B: Backend>(
    y: FloatTensor<B>,
    weights: FloatTensor<B>,
    routes: &Routes,
    bag: impl Fn(FloatTensor<B>, IntTensor<B>, FloatTensor<B>) -> FloatTensor<B>,
) -> FloatTensor<B> {
    let (device, tokens) = (y.device(), routes.tokens());
    let counts = routes.offsets.windows(2).map(|ends| ends[1] - ends[0]);
    let most = counts.max().unwrap_or(0);
    if most == 0 {
        let width = y.shape()[1];
        return Operand::<B>::zeros([tokens, width], &device, y.dtype()).0;
    }
    let mut rows = Vec::with_capacity(tokens * most);
    let mut assignments = Vec::with_capacity(tokens * most);
    // A zero is appended to the weights for the padding.
    let without_weight = routes.rows.len() as i64;
    for ends in routes.offsets.windows(2) {
        let padding = most - (ends[1] - ends[0]);
        rows.extend(&routes.rows[ends[0]..ends[1]]);
        rows.extend(repeat_n(0, padding));
        assignments.extend(ends[0] as i64..ends[1] as i64);
        assignments.extend(repeat_n(without_weight, padding));
    }
    let weights = Operand::<B>(weights);
    let zero = Operand::zeros([1], &device, weights.0.dtype());
    let weights = Operand::cat(vec![weights, zero], 0)
        .select(0, integers::<B>(assignments, &device))
        .reshape([tokens, most]);
    let rows = B::int_reshape(integers::<B>(rows, &device), [tokens, most].into());
    bag(y, rows, weights.0)
}

/// [`crate::kernels::experts::ExpertOps::combine_outputs_backward`].
pub fn combine_outputs_backward<B: Backend>(
    grad: FloatTensor<B>,
    y: FloatTensor<B>,
    weights: FloatTensor<B>,
    routes: &Routes,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let device: Device<B> = grad.device();
    let assignments = routes.rows.len();
    let mut assignment_of_row = vec![0; assignments];
    for (assignment, &row) in routes.rows.iter().enumerate() {
        assignment_of_row[row as usize] = assignment as i64;
    }
    let grad_of_rows = Operand::<B>(dispatch_tokens::<B>(grad, routes));
    let weights = Operand::<B>(weights).select(0, integers::<B>(assignment_of_row, &device));
    let products = grad_of_rows.clone() * Operand::<B>(y);
    let dweights = products
        .sum(1)
        .reshape([assignments])
        .select(0, integers::<B>(routes.rows.clone(), &device));
    let dy = grad_of_rows * weights.reshape([assignments, 1]);
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
    routes: &Routes,
) -> FloatTensor<B> {
    let (x, weights) = (Operand::<B>(x), Operand::<B>(weights));
    let parts = routes
        .experts()
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
    routes: &Routes,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (grad, x, weights) = (Operand::<B>(grad), Operand::<B>(x), Operand::<B>(weights));
    let [_, inputs, outputs] = weights.dims();
    let (mut dx, mut dweights) = (Vec::new(), Vec::new());
    for (expert, rows) in routes.experts() {
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
