//! Products of experts' rows with their matrices: all experts in one launch, by tiles of rows of one expert, as in MegaBlocks
//! (Gale et al. 2023) but with rows that are not padded; and sums of each token's rows.
//!
//! A cube finds the expert of its tile from the experts' first rows, which are on the device. Products are scalar and in f32,
//! without tensor cores, and every element is one unit's sum in a fixed order.

mod matrices;
mod product;
mod rows;
mod sums;

use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

pub use sums::combine_outputs;

/// [`crate::kernels::experts::ExpertOps::grouped_matmul`].
pub fn grouped_matmul(
    x: CubeTensor,
    matrices: CubeTensor,
    expert_offsets: CubeTensor,
) -> CubeTensor {
    let [x, matrices, starts] = [x, matrices, expert_offsets].map(into_contiguous);
    rows::times_matrices(x, matrices, starts, false)
}

/// [`crate::kernels::experts::ExpertOps::grouped_matmul_backward`].
pub fn grouped_matmul_backward(
    grad: CubeTensor,
    x: CubeTensor,
    matrices: CubeTensor,
    expert_offsets: CubeTensor,
) -> (CubeTensor, CubeTensor) {
    let [grad, x, matrices, starts] = [grad, x, matrices, expert_offsets].map(into_contiguous);
    let of_matrices = matrices::of_matrices(x, grad.clone(), &matrices, starts.clone());
    let of_rows = rows::times_matrices(grad, matrices, starts, true);
    (of_rows, of_matrices)
}
