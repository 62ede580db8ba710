//! Products of rows with the matrices of their experts, by tiles of rows of one expert.

use burn::backend::TensorMetadata;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::product::{DEPTH, MICRO, Tile, load, multiply, store};
use crate::kernels::cube::launch::{addresses, cubes, elements, empty};

/// `x` times each row's matrix, or its transpose. One cube for each tile of the output, and up to one more for each expert
/// and column of tiles, which finds no rows.
#[cube(launch_unchecked, address_type = "dynamic")]
fn rows_kernel<X: Float, W: Float, I: Int>(
    x: &Tensor<X>,
    matrices: &Tensor<W>,
    starts: &Tensor<I>,
    out: &mut Tensor<X>,
    experts: usize,
    depths: usize,
    columns: usize,
    column_tiles: usize,
    cubes: usize,
    #[comptime] transposed: bool,
    #[comptime] shape: Tile,
    #[define(X, W, I)] _elements: [ElemType; 3],
) {
    if CUBE_POS >= cubes {
        terminate!();
    }
    let first_column = CUBE_POS % column_tiles * comptime![shape.columns()];
    // Tiles before this one, of the experts after those already passed.
    let mut before = CUBE_POS / column_tiles;
    let mut expert = 0usize;
    let mut first_row = 0usize;
    let mut last_row = 0usize;
    for candidate in 0..experts {
        let start = usize::cast_from(starts[candidate]);
        let end = usize::cast_from(starts[candidate + 1]);
        let tiles = (end - start + comptime![shape.rows() - 1]) / comptime![shape.rows()];
        if last_row == 0 {
            if before < tiles {
                expert = candidate;
                first_row = start + before * comptime![shape.rows()];
                last_row = end;
            } else {
                before -= tiles;
            }
        }
    }
    if last_row == 0 {
        terminate!();
    }
    let mut left = Shared::<[f32]>::new_slice(comptime![DEPTH * (shape.rows() + 1)]);
    let mut right = Shared::<[f32]>::new_slice(comptime![DEPTH * (shape.columns() + 1)]);
    let mut sums = Array::<f32>::new(comptime![MICRO * MICRO]);
    #[unroll]
    for i in 0..comptime![MICRO * MICRO] {
        sums[i] = 0.0f32;
    }
    let matrix = expert * depths * columns;
    let mut depth = 0usize;
    while depth < depths {
        load::<X>(
            x,
            &mut left,
            0usize,
            depths,
            1usize,
            first_row,
            last_row,
            depth,
            depths,
            comptime![shape.rows()],
            false,
            comptime![shape.units()],
        );
        if comptime![transposed] {
            load::<W>(
                matrices,
                &mut right,
                matrix,
                depths,
                1usize,
                first_column,
                columns,
                depth,
                depths,
                comptime![shape.columns()],
                false,
                comptime![shape.units()],
            );
        } else {
            load::<W>(
                matrices,
                &mut right,
                matrix,
                1usize,
                columns,
                first_column,
                columns,
                depth,
                depths,
                comptime![shape.columns()],
                true,
                comptime![shape.units()],
            );
        }
        sync_cube();
        multiply(&left, &right, &mut sums, shape);
        sync_cube();
        depth += DEPTH;
    }
    store::<X>(
        &sums,
        out,
        0usize,
        first_row,
        last_row,
        first_column,
        columns,
        shape,
    );
}

/// The rows of `x` times their experts' matrices, whose inputs are the columns of `x`; or, if `transposed`, times their
/// transposes, whose outputs are.
pub fn times_matrices(
    x: CubeTensor,
    matrices: CubeTensor,
    starts: CubeTensor,
    transposed: bool,
) -> CubeTensor {
    let [rows, depths]: [usize; 2] = x.shape().dims();
    let [experts, inputs, outputs]: [usize; 3] = matrices.shape().dims();
    let columns = if transposed { inputs } else { outputs };
    let out = empty(&x, [rows, columns], x.dtype);
    let client = out.client.clone();
    let tile = Tile::largest(&client);
    let column_tiles = columns.div_ceil(tile.columns());
    // No expert has more than one tile that it does not fill.
    let count = (rows / tile.rows() + experts) * column_tiles;
    let address = addresses(&[&x, &matrices, &out]);
    let elements = elements([&x, &matrices, &starts]);
    // SAFETY: starts are in order and the last is the number of rows; other indices follow from the shapes.
    unsafe {
        rows_kernel::launch_unchecked(
            &client,
            cubes(&client, count),
            tile.cube_dim(),
            address,
            x.into_tensor_arg(),
            matrices.into_tensor_arg(),
            starts.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            experts,
            depths,
            columns,
            column_tiles,
            count,
            transposed,
            tile,
            elements,
        );
    }
    out
}
