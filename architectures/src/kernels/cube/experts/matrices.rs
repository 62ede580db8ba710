//! Gradients of the experts' matrices, by tiles of one expert's matrix.

use burn::backend::TensorMetadata;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::product::{DEPTH, MICRO, Tile, load, multiply, store};
use crate::kernels::cube::launch::{addresses, cubes, elements, empty};

/// `x^T grad` over the rows of each expert. One cube for each tile of each expert's matrix.
#[cube(launch_unchecked, address_type = "dynamic")]
fn matrices_kernel<X: Float, D: Float, W: Float, I: Int>(
    x: &Tensor<X>,
    grad: &Tensor<D>,
    starts: &Tensor<I>,
    out: &mut Tensor<W>,
    inputs: usize,
    outputs: usize,
    row_tiles: usize,
    column_tiles: usize,
    cubes: usize,
    #[comptime] shape: Tile,
    #[define(X, D, W, I)] _elements: [ElemType; 4],
) {
    if CUBE_POS >= cubes {
        terminate!();
    }
    let expert = CUBE_POS / (row_tiles * column_tiles);
    let first_input = CUBE_POS / column_tiles % row_tiles * comptime![shape.rows()];
    let first_output = CUBE_POS % column_tiles * comptime![shape.columns()];
    let mut left = Shared::<[f32]>::new_slice(comptime![DEPTH * (shape.rows() + 1)]);
    let mut right = Shared::<[f32]>::new_slice(comptime![DEPTH * (shape.columns() + 1)]);
    let mut sums = Array::<f32>::new(comptime![MICRO * MICRO]);
    #[unroll]
    for i in 0..comptime![MICRO * MICRO] {
        sums[i] = 0.0f32;
    }
    let mut row = usize::cast_from(starts[expert]);
    let end = usize::cast_from(starts[expert + 1]);
    while row < end {
        load::<X>(
            x,
            &mut left,
            0usize,
            1usize,
            inputs,
            first_input,
            inputs,
            row,
            end,
            comptime![shape.rows()],
            true,
            comptime![shape.units()],
        );
        load::<D>(
            grad,
            &mut right,
            0usize,
            1usize,
            outputs,
            first_output,
            outputs,
            row,
            end,
            comptime![shape.columns()],
            true,
            comptime![shape.units()],
        );
        sync_cube();
        multiply(&left, &right, &mut sums, shape);
        sync_cube();
        row += DEPTH;
    }
    let matrix = expert * inputs * outputs;
    store::<W>(
        &sums,
        out,
        matrix,
        first_input,
        inputs,
        first_output,
        outputs,
        shape,
    );
}

/// `x^T grad` over the rows of each expert, in the shape and format of `matrices`.
pub fn of_matrices(
    x: CubeTensor,
    grad: CubeTensor,
    matrices: &CubeTensor,
    starts: CubeTensor,
) -> CubeTensor {
    let [experts, inputs, outputs]: [usize; 3] = matrices.shape().dims();
    let out = empty(matrices, [experts, inputs, outputs], matrices.dtype);
    let client = out.client.clone();
    let tile = Tile::largest(&client);
    let row_tiles = inputs.div_ceil(tile.rows());
    let column_tiles = outputs.div_ceil(tile.columns());
    let count = experts * row_tiles * column_tiles;
    let address = addresses(&[&x, &grad, &out]);
    let formats = elements([&x, &grad, &out, &starts]);
    // SAFETY: as in `rows`.
    unsafe {
        matrices_kernel::launch_unchecked(
            &client,
            cubes(&client, count),
            tile.cube_dim(),
            address,
            x.into_tensor_arg(),
            grad.into_tensor_arg(),
            starts.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            inputs,
            outputs,
            row_tiles,
            column_tiles,
            count,
            tile,
            formats,
        );
    }
    out
}
