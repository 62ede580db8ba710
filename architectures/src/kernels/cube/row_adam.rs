//! Lazy Adam on the rows that have entries, by their sums ([`super::row_sums`]). What is in bf16 is rounded stochastically.

use burn::backend::TensorMetadata;
use burn::tensor::DType;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::adamw::adam_change;
use super::launch::{
    addresses, cubes, elements, empty, exclusive, independent, together, vector_size,
};
use super::reduce::{REDUCERS, cube_sum, total};
use super::row_sums::{is_first, row_sum};
use super::sort::{Sorted, by_row};
use super::stochastic_rounding::{MEAN, SQUARE, VALUES, rounded, row_bits};
use crate::kernels::adam_step::AdamStep;

/// Sum of squares of the gradient, one for each cube.
#[cube(launch_unchecked, address_type = "dynamic")]
fn squares_kernel<W: Float, V: Float, N: Size>(
    rows: &Tensor<u32>,
    entries: &Tensor<u32>,
    weights: &Tensor<W>,
    values: &Tensor<Vector<V, N>>,
    out: &mut Tensor<f32>,
    columns: usize,
    per_token: usize,
    total: usize,
    cubes: usize,
    #[comptime] units: usize,
    #[define(W, V)] _elements: [ElemType; 2],
) {
    if CUBE_POS >= cubes {
        terminate!();
    }
    let position = ABSOLUTE_POS / columns;
    let column = ABSOLUTE_POS % columns;
    let mut square = 0.0f32;
    if position < total {
        if is_first(rows, position) {
            let sum = row_sum::<W, V, N>(
                rows, entries, weights, values, position, column, columns, per_token, total,
            );
            let squares = sum * sum;
            #[unroll]
            for part in 0..N::value() {
                square += squares.extract(part);
            }
        }
    }
    let sum = cube_sum(square, units);
    if UNIT_POS == 0 {
        out[CUBE_POS] = sum;
    }
}

/// One step of Adam on the rows that have entries, by the gradient times `min(1, max_norm / norm)`.
#[cube(launch_unchecked, address_type = "dynamic")]
fn adam_kernel<T: Float, M: Float, W: Float, V: Float, N: Size>(
    rows: &Tensor<u32>,
    entries: &Tensor<u32>,
    weights: &Tensor<W>,
    values: &Tensor<Vector<V, N>>,
    norm: &Tensor<f32>,
    table: &mut Tensor<Vector<T, N>>,
    mean: &mut Tensor<Vector<M, N>>,
    square: &mut Tensor<Vector<M, N>>,
    columns: usize,
    per_token: usize,
    total: usize,
    max_norm: f32,
    beta_1: f32,
    beta_2: f32,
    epsilon: f32,
    step_size: f32,
    square_correction: f32,
    row_counter: u32,
    column_counter: u32,
    #[comptime] clips: bool,
    #[comptime] rounds_values: bool,
    #[comptime] rounds_moments: bool,
    #[define(T, M, W, V)] _elements: [ElemType; 4],
) {
    let position = ABSOLUTE_POS / columns;
    let column = ABSOLUTE_POS % columns;
    if position >= total {
        terminate!();
    }
    if !is_first(rows, position) {
        terminate!();
    }
    let mut grad = row_sum::<W, V, N>(
        rows, entries, weights, values, position, column, columns, per_token, total,
    );
    if comptime![clips] {
        let norm = norm[0];
        let scale = select(norm > max_norm, max_norm / norm, 1.0f32);
        grad = grad * Vector::<f32, N>::new(scale);
    }
    let at = rows[position] as usize * columns + column;
    let (new_mean, new_square, change) = adam_change::<N>(
        Vector::<f32, N>::cast_from(mean[at]),
        Vector::<f32, N>::cast_from(square[at]),
        grad,
        beta_1,
        beta_2,
        epsilon,
        step_size,
        square_correction,
    );
    let mut new_values = Vector::<f32, N>::cast_from(table[at]) - change;
    let mut stored_mean = new_mean;
    let mut stored_square = new_square;
    let bits = row_bits(row_counter, rows[position]);
    let first = (column * N::value()) as u32;
    if comptime![rounds_values] {
        new_values = rounded::<N>(new_values, bits, column_counter, first, VALUES);
    }
    if comptime![rounds_moments] {
        stored_mean = rounded::<N>(new_mean, bits, column_counter, first, MEAN);
        stored_square = rounded::<N>(new_square, bits, column_counter, first, SQUARE);
    }
    table[at] = Vector::<T, N>::cast_from(new_values);
    mean[at] = Vector::<M, N>::cast_from(stored_mean);
    square[at] = Vector::<M, N>::cast_from(stored_square);
}

/// Sum of squares of the gradient `values [tokens, width]` with the sorted entries, `[1]`; weights and values are contiguous.
fn square_sum(sorted: &Sorted, weights: &CubeTensor, values: &CubeTensor) -> CubeTensor {
    let Sorted { rows, entries } = sorted;
    let [_, per_token]: [usize; 2] = weights.shape().dims();
    let [_, width]: [usize; 2] = values.shape().dims();
    let entry_count = weights.shape().num_elements();
    let client = values.client.clone();
    let vector = vector_size(width, &[values]);
    let columns = width / vector;
    let dim = together(&client, REDUCERS);
    let cube_count = (entry_count * columns).div_ceil(dim.num_elems() as usize);
    let squares = empty(values, [cube_count], DType::F32);
    let address = addresses(&[rows, weights, values]);
    let formats = elements([weights, values]);
    // SAFETY: entries are a permutation, and no other tensor shares the storage that is written.
    unsafe {
        squares_kernel::launch_unchecked(
            &client,
            cubes(&client, cube_count),
            dim,
            address,
            vector,
            rows.clone().into_tensor_arg(),
            entries.clone().into_tensor_arg(),
            weights.clone().into_tensor_arg(),
            values.clone().into_tensor_arg(),
            squares.clone().into_tensor_arg(),
            columns,
            per_token,
            entry_count,
            cube_count,
            dim.num_elems() as usize,
            formats,
        );
    }
    total(squares)
}

/// [`crate::kernels::LookupOps::row_gradient_norm`] for a table of `height` rows; `root` is the backend's square root.
pub fn norm(
    ids: CubeTensor,
    weights: CubeTensor,
    values: CubeTensor,
    height: usize,
    root: impl Fn(CubeTensor) -> CubeTensor,
) -> CubeTensor {
    let (weights, values) = (into_contiguous(weights), into_contiguous(values));
    root(square_sum(&by_row(ids, height), &weights, &values))
}

/// [`crate::kernels::LookupOps::row_adam`] for the tables' own formats: the updated tables and the gradient's norm.
/// `root` is the backend's square root.
pub fn row_adam(
    (table, mean, square): (CubeTensor, CubeTensor, CubeTensor),
    ids: CubeTensor,
    weights: CubeTensor,
    values: CubeTensor,
    step: AdamStep,
    root: impl Fn(CubeTensor) -> CubeTensor,
) -> ((CubeTensor, CubeTensor, CubeTensor), CubeTensor) {
    let (table, mean, square) = (exclusive(table), exclusive(mean), exclusive(square));
    let (weights, values) = (into_contiguous(weights), into_contiguous(values));
    let [_, per_token]: [usize; 2] = weights.shape().dims();
    let [height, width]: [usize; 2] = table.shape().dims();
    let sorted = by_row(ids, height);
    let norm = root(square_sum(&sorted, &weights, &values));
    let Sorted { rows, entries } = sorted;
    let entry_count = weights.shape().num_elements();
    let client = table.client.clone();

    let vector = vector_size(width, &[&table, &mean, &values]);
    let columns = width / vector;
    let (count, dim) = independent(&client, entry_count * columns);
    let address = addresses(&[&rows, &weights, &values, &table, &mean]);
    let formats = elements([&table, &mean, &weights, &values]);
    let mean_correction = 1.0 / (1.0 - step.beta_1.powi(step.step));
    // SAFETY: the caller guarantees that ids are below the number of rows, entries are a permutation, and `exclusive` guarantees
    // that no other tensor shares the storage that is written.
    unsafe {
        adam_kernel::launch_unchecked(
            &client,
            count,
            dim,
            address,
            vector,
            rows.into_tensor_arg(),
            entries.into_tensor_arg(),
            weights.into_tensor_arg(),
            values.into_tensor_arg(),
            norm.clone().into_tensor_arg(),
            table.clone().into_tensor_arg(),
            mean.clone().into_tensor_arg(),
            square.clone().into_tensor_arg(),
            columns,
            per_token,
            entry_count,
            step.max_norm.unwrap_or_default(),
            step.beta_1,
            step.beta_2,
            step.epsilon,
            step.learning_rate * mean_correction,
            1.0 / (1.0 - step.beta_2.powi(step.step)),
            step.rounding.row,
            step.rounding.column,
            step.max_norm.is_some(),
            table.dtype == DType::BF16,
            mean.dtype == DType::BF16,
            formats,
        );
    }
    ((table, mean, square), norm)
}
