//! Sums of the entries of each row of a table.
//!
//! Entries are sorted by row. The units of a row's first entry sum all entries of the row, in order and in f32; the units
//! of every other entry return. No two units write to one element and no operation is atomic, so results are bit-for-bit
//! repeatable. The cost: the entries of a row that most tokens read are summed serially.

use burn::backend::TensorMetadata;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::launch::{addresses, elements, independent, vector_size};
use super::sort::{Sorted, by_row};

/// Entries of a row whose values are loaded at once.
const AT_ONCE: usize = 4;

/// Whether the entry at a position is the first of its row.
#[cube]
pub fn is_first(rows: &Tensor<u32>, position: usize) -> bool {
    let mut first = true;
    if position > 0 {
        first = rows[position - 1] != rows[position];
    }
    first
}

/// `sum weights[entry] values[token of entry]` over the entries of the row that begins at `first`.
#[cube]
pub fn row_sum<W: Float, V: Float, N: Size>(
    rows: &Tensor<u32>,
    entries: &Tensor<u32>,
    weights: &Tensor<W>,
    values: &Tensor<Vector<V, N>>,
    first: usize,
    column: usize,
    columns: usize,
    per_token: usize,
    total: usize,
) -> Vector<f32, N> {
    let row = rows[first];
    let mut sum = Vector::<f32, N>::new(0.0f32);
    let mut position = first;
    let mut more = true;
    while more {
        #[unroll]
        for i in 0..AT_ONCE {
            // After the row's last entry, its first again at weight zero.
            let mut at = first;
            more = false;
            if position + i < total {
                if rows[position + i] == row {
                    at = position + i;
                    more = true;
                }
            }
            let entry = entries[at] as usize;
            let weight = select(more, f32::cast_from(weights[entry]), 0.0f32);
            let value = values[entry / per_token * columns + column];
            sum += Vector::<f32, N>::cast_from(value) * Vector::<f32, N>::new(weight);
        }
        position += AT_ONCE;
    }
    sum
}

/// Writes each row's sum to the row of `out`.
#[cube(launch_unchecked, address_type = "dynamic")]
fn sums_kernel<W: Float, V: Float, N: Size>(
    rows: &Tensor<u32>,
    entries: &Tensor<u32>,
    weights: &Tensor<W>,
    values: &Tensor<Vector<V, N>>,
    out: &mut Tensor<Vector<V, N>>,
    columns: usize,
    total: usize,
    #[define(W, V)] _elements: [ElemType; 2],
) {
    let position = ABSOLUTE_POS / columns;
    let column = ABSOLUTE_POS % columns;
    if position >= total {
        terminate!();
    }
    if !is_first(rows, position) {
        terminate!();
    }
    let sum = row_sum::<W, V, N>(
        rows, entries, weights, values, position, column, columns, 1usize, total,
    );
    out[rows[position] as usize * columns + column] = Vector::<V, N>::cast_from(sum);
}

/// Adds the rows `values [entries, width]` to the rows `ids [entries]` of `out`, which is zero and whose storage no other
/// tensor shares. `ones [entries]` are their weights.
pub fn add_rows(
    values: CubeTensor,
    ids: CubeTensor,
    ones: CubeTensor,
    out: CubeTensor,
) -> CubeTensor {
    let values = into_contiguous(values);
    let [height, width]: [usize; 2] = out.shape().dims();
    let entry_count = ids.shape().num_elements();
    let Sorted { rows, entries } = by_row(ids, height);
    let client = out.client.clone();
    let vector = vector_size(width, &[&values]);
    let columns = width / vector;
    let (count, dim) = independent(&client, entry_count * columns);
    let address = addresses(&[&rows, &values, &out]);
    let formats = elements([&ones, &values]);
    // SAFETY: as in `row_adam`.
    unsafe {
        sums_kernel::launch_unchecked(
            &client,
            count,
            dim,
            address,
            vector,
            rows.into_tensor_arg(),
            entries.into_tensor_arg(),
            ones.into_tensor_arg(),
            values.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            columns,
            entry_count,
            formats,
        );
    }
    out
}
