//! What falls on one row of a table, summed by the units of that row alone.
//!
//! Entries arrive sorted by row. The units of a row's first entry sum all of the row's, in order and in f32; the units of
//! every other entry do nothing. So no two units write to one place, nothing is atomic, and a result is repeatable to
//! the bit. The price: the entries of a row that most tokens read are summed one after the other.

use burn::backend::TensorMetadata;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::launch::{addresses, elements, independent, vector_size};
use super::sort::{Sorted, by_row};

/// Entries of a row whose values are fetched together.
const AT_ONCE: usize = 4;

/// Whether the entry at a place is the first of its row.
#[cube]
pub fn is_first(rows: &Tensor<u32>, place: usize) -> bool {
    let mut first = true;
    if place > 0 {
        first = rows[place - 1] != rows[place];
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
    let mut place = first;
    let mut more = true;
    while more {
        #[unroll]
        for i in 0..AT_ONCE {
            // Beyond the row's last entry, its first again without weight.
            let mut at = first;
            more = false;
            if place + i < total {
                if rows[place + i] == row {
                    at = place + i;
                    more = true;
                }
            }
            let entry = entries[at] as usize;
            let weight = select(more, f32::cast_from(weights[entry]), 0.0f32);
            let value = values[entry / per_token * columns + column];
            sum += Vector::<f32, N>::cast_from(value) * Vector::<f32, N>::new(weight);
        }
        place += AT_ONCE;
    }
    sum
}

/// The sums themselves, where the rows are.
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
    let place = ABSOLUTE_POS / columns;
    let column = ABSOLUTE_POS % columns;
    if place >= total {
        terminate!();
    }
    if !is_first(rows, place) {
        terminate!();
    }
    let sum = row_sum::<W, V, N>(
        rows, entries, weights, values, place, column, columns, 1usize, total,
    );
    out[rows[place] as usize * columns + column] = Vector::<V, N>::cast_from(sum);
}

/// Adds the rows `values [entries, width]` to the zeros `out` where `ids [entries]` say; nothing else holds `out`.
/// `ones [entries]` are their weights.
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
