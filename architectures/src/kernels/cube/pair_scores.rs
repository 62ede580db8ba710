//! Scores of selected pairs of half-keys, and their gradient.

use burn::backend::TensorMetadata;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::launch::{addresses, elements, empty, independent};

/// One unit for each pair.
#[cube(launch_unchecked, address_type = "dynamic")]
fn pair_scores_kernel<T: Float, I: Int>(
    scores: &Tensor<T>,
    ids: &Tensor<I>,
    out: &mut Tensor<T>,
    rows: usize,
    n: usize,
    k: usize,
    total: usize,
    #[define(T, I)] _elements: [ElemType; 2],
) {
    if ABSOLUTE_POS >= total {
        terminate!();
    }
    let row = ABSOLUTE_POS / k;
    let first = (row / rows * 2 * rows + row % rows) * n;
    let id = usize::cast_from(ids[ABSOLUTE_POS]);
    out[ABSOLUTE_POS] = scores[first + id / n] + scores[first + rows * n + id % n];
}

/// One unit for each head, half and row: the gradients of a half-key are added by one unit, in the order of the pairs.
#[cube(launch_unchecked, address_type = "dynamic")]
fn pair_scores_backward_kernel<T: Float, I: Int>(
    grad: &Tensor<T>,
    ids: &Tensor<I>,
    out: &mut Tensor<T>,
    rows: usize,
    n: usize,
    k: usize,
    total: usize,
    #[define(T, I)] _elements: [ElemType; 2],
) {
    if ABSOLUTE_POS >= total {
        terminate!();
    }
    let half = ABSOLUTE_POS / rows % 2;
    let pairs = (ABSOLUTE_POS / (2 * rows) * rows + ABSOLUTE_POS % rows) * k;
    for pair in pairs..pairs + k {
        let id = usize::cast_from(ids[pair]);
        let key = select(half == 0, id / n, id % n);
        out[ABSOLUTE_POS * n + key] += grad[pair];
    }
}

/// `scores[h,0,r,first] + scores[h,1,r,second]` for each of `ids [heads, rows, k]`.
pub fn pair_scores(scores: CubeTensor, ids: CubeTensor) -> CubeTensor {
    let (scores, ids) = (into_contiguous(scores), into_contiguous(ids));
    let [heads, rows, k]: [usize; 3] = ids.shape().dims();
    let n = scores.shape()[3];
    let out = empty(&scores, [heads, rows, k], scores.dtype);
    let (client, total) = (out.client.clone(), heads * rows * k);
    let (count, dim) = independent(&client, total);
    let address = addresses(&[&scores, &ids]);
    let elements = elements([&scores, &ids]);
    // SAFETY: the caller guarantees that ids are below `n * n`.
    unsafe {
        pair_scores_kernel::launch_unchecked(
            &client,
            count,
            dim,
            address,
            scores.into_tensor_arg(),
            ids.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            rows,
            n,
            k,
            total,
            elements,
        );
    }
    out
}

/// The gradient of [`pair_scores`], added to the zeros `out [heads, 2, rows, n]`, whose storage no other tensor
/// shares.
pub fn pair_scores_backward(grad: CubeTensor, ids: CubeTensor, out: CubeTensor) -> CubeTensor {
    let (grad, ids) = (into_contiguous(grad), into_contiguous(ids));
    let [heads, rows, k]: [usize; 3] = ids.shape().dims();
    let n = out.shape()[3];
    let (client, total) = (out.client.clone(), heads * 2 * rows);
    let (count, dim) = independent(&client, total);
    let address = addresses(&[&grad, &ids, &out]);
    let elements = elements([&grad, &ids]);
    // SAFETY: the caller guarantees that ids are below `n * n`.
    unsafe {
        pair_scores_backward_kernel::launch_unchecked(
            &client,
            count,
            dim,
            address,
            grad.into_tensor_arg(),
            ids.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            rows,
            n,
            k,
            total,
            elements,
        );
    }
    out
}
