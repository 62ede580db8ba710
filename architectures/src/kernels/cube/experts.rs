//! Products of experts' rows with their matrices: all experts in one launch, by tiles of rows of one expert, as in MegaBlocks
//! (Gale et al. 2023) but with rows that are not padded.
//!
//! A cube finds the expert of its tile from the experts' first rows, which are on the device. Products are scalar and in f32,
//! without tensor cores, and every element is one unit's sum in a fixed order.

mod product;

use burn::backend::TensorMetadata;
use burn::backend::ops::IntTensorOps;
use burn::tensor::TensorData;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::launch::{addresses, cubes, elements, empty};
use crate::kernels::routes::Routes;
use product::{DEPTH, MICRO, Tile, load, multiply, store};

/// `x` times each row's matrix, or its transpose. One cube for each tile of the output, and up to one more for each expert
/// and column of tiles, which finds no rows.
#[cube(launch_unchecked, address_type = "dynamic")]
fn rows_kernel<X: Float, W: Float>(
    x: &Tensor<X>,
    matrices: &Tensor<W>,
    starts: &Tensor<u32>,
    out: &mut Tensor<X>,
    experts: usize,
    depths: usize,
    columns: usize,
    column_tiles: usize,
    cubes: usize,
    #[comptime] transposed: bool,
    #[comptime] shape: Tile,
    #[define(X, W)] _elements: [ElemType; 2],
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
        let (start, end) = (starts[candidate] as usize, starts[candidate + 1] as usize);
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

/// `x^T grad` over the rows of each expert. One cube for each tile of each expert's matrix.
#[cube(launch_unchecked, address_type = "dynamic")]
fn matrices_kernel<X: Float, D: Float, W: Float>(
    x: &Tensor<X>,
    grad: &Tensor<D>,
    starts: &Tensor<u32>,
    out: &mut Tensor<W>,
    inputs: usize,
    outputs: usize,
    row_tiles: usize,
    column_tiles: usize,
    cubes: usize,
    #[comptime] shape: Tile,
    #[define(X, D, W)] _elements: [ElemType; 3],
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
    let mut row = starts[expert] as usize;
    let end = starts[expert + 1] as usize;
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

/// The first row of each expert, and after them the number of rows, `[n_experts + 1]`.
fn starts(like: &CubeTensor, routes: &Routes) -> CubeTensor {
    let mut starts = vec![0u32];
    starts.extend(routes.experts().map(|(_, rows)| rows.end as u32));
    let len = starts.len();
    CubeBackend::int_from_data(TensorData::new(starts, [len]), &like.device)
}

/// The rows of `x` times their experts' matrices, whose inputs are the columns of `x`; or, if `transposed`, times their
/// transposes, whose outputs are.
fn times_matrices(
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
    let elements = elements([&x, &matrices]);
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

/// [`crate::kernels::experts::ExpertOps::grouped_matmul`].
pub fn grouped_matmul(x: CubeTensor, matrices: CubeTensor, routes: &Routes) -> CubeTensor {
    let starts = starts(&x, routes);
    times_matrices(into_contiguous(x), into_contiguous(matrices), starts, false)
}

/// [`crate::kernels::experts::ExpertOps::grouped_matmul_backward`].
pub fn grouped_matmul_backward(
    grad: CubeTensor,
    x: CubeTensor,
    matrices: CubeTensor,
    routes: &Routes,
) -> (CubeTensor, CubeTensor) {
    let (grad, x, matrices) = (
        into_contiguous(grad),
        into_contiguous(x),
        into_contiguous(matrices),
    );
    let starts = starts(&x, routes);
    let [experts, inputs, outputs]: [usize; 3] = matrices.shape().dims();
    let of_matrices = empty(&matrices, [experts, inputs, outputs], matrices.dtype);
    let client = of_matrices.client.clone();
    let tile = Tile::largest(&client);
    let row_tiles = inputs.div_ceil(tile.rows());
    let column_tiles = outputs.div_ceil(tile.columns());
    let count = experts * row_tiles * column_tiles;
    let address = addresses(&[&x, &grad, &of_matrices]);
    let formats = elements([&x, &grad, &of_matrices]);
    // SAFETY: as above.
    unsafe {
        matrices_kernel::launch_unchecked(
            &client,
            cubes(&client, count),
            tile.cube_dim(),
            address,
            x.into_tensor_arg(),
            grad.clone().into_tensor_arg(),
            starts.clone().into_tensor_arg(),
            of_matrices.clone().into_tensor_arg(),
            inputs,
            outputs,
            row_tiles,
            column_tiles,
            count,
            tile,
            formats,
        );
    }
    let of_rows = times_matrices(grad, matrices, starts, true);
    (of_rows, of_matrices)
}
