//! Bags and dot products of table rows, without a gathered copy, summed in f32.

use burn::backend::TensorMetadata;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::features::Plane;
use cubecl::prelude::*;

use super::launch::{addresses, at_once, elements, empty, independent, vector_size};

/// One unit for each vector of the output: adjacent units read adjacent vectors of a row.
#[cube(launch_unchecked, address_type = "dynamic")]
fn bag_kernel<T: Float, W: Float, I: Int, N: Size>(
    table: &Tensor<Vector<T, N>>,
    ids: &Tensor<I>,
    weights: &Tensor<W>,
    out: &mut Tensor<Vector<W, N>>,
    per_token: usize,
    columns: usize,
    total: usize,
    #[comptime] at_once: usize,
    #[define(T, W, I)] _elements: [ElemType; 3],
) {
    if ABSOLUTE_POS >= total {
        terminate!();
    }
    let first = ABSOLUTE_POS / columns * per_token;
    let column = ABSOLUTE_POS % columns;
    let mut sum = Vector::<f32, N>::new(0.0f32);
    for step in 0..per_token / at_once {
        #[unroll]
        for i in 0..at_once {
            let entry = first + step * at_once + i;
            let row = usize::cast_from(ids[entry]);
            let values = Vector::<f32, N>::cast_from(table[row * columns + column]);
            sum += values * Vector::<f32, N>::new(f32::cast_from(weights[entry]));
        }
    }
    out[ABSOLUTE_POS] = Vector::<W, N>::cast_from(sum);
}

/// One row of units, a plane if the device has planes, for `at_once` pairs of one token.
#[cube(launch_unchecked, address_type = "dynamic")]
fn dot_kernel<T: Float, X: Float, I: Int, N: Size>(
    table: &Tensor<Vector<T, N>>,
    ids: &Tensor<I>,
    inputs: &Tensor<Vector<X, N>>,
    out: &mut Tensor<X>,
    per_token: usize,
    columns: usize,
    total: usize,
    #[comptime] at_once: usize,
    #[comptime] planes: bool,
    #[define(T, X, I)] _elements: [ElemType; 3],
) {
    let lane = UNIT_POS_X as usize;
    let lanes = CUBE_DIM_X as usize;
    let first = (CUBE_POS * CUBE_DIM_Y as usize + UNIT_POS_Y as usize) * at_once;
    if first >= total {
        terminate!();
    }
    let input = first / per_token * columns;
    let mut sums = Array::<Vector<f32, N>>::new(at_once);
    #[unroll]
    for i in 0..at_once {
        sums[i] = Vector::<f32, N>::new(0.0f32);
    }
    let mut column = lane;
    while column < columns {
        let values = Vector::<f32, N>::cast_from(inputs[input + column]);
        #[unroll]
        for i in 0..at_once {
            let row = usize::cast_from(ids[first + i]);
            sums[i] += values * Vector::<f32, N>::cast_from(table[row * columns + column]);
        }
        column += lanes;
    }
    #[unroll]
    for i in 0..at_once {
        let parts = sums[i];
        let mut sum = 0.0f32;
        #[unroll]
        for part in 0..N::value() {
            sum += parts.extract(part);
        }
        if comptime![planes] {
            sum = plane_sum(sum);
        }
        if lane == 0 {
            out[first + i] = X::cast_from(sum);
        }
    }
}

/// `sum_j weights[t,j] table[ids[t,j]]`, `[tokens, width]`, in the format of the weights.
pub fn bag(table: CubeTensor, ids: CubeTensor, weights: CubeTensor) -> CubeTensor {
    let (table, ids, weights) = (
        into_contiguous(table),
        into_contiguous(ids),
        into_contiguous(weights),
    );
    let [tokens, per_token]: [usize; 2] = ids.shape().dims();
    let width = table.shape()[1];
    let out = empty(&weights, [tokens, width], weights.dtype);
    let vector = vector_size(width, &[&table, &out]);
    let (columns, client) = (width / vector, out.client.clone());
    let total = tokens * columns;
    let (count, dim) = independent(&client, total);
    let address = addresses(&[&table, &ids, &out]);
    let elements = elements([&table, &weights, &ids]);
    // SAFETY: the caller guarantees that ids are below the number of rows; other indices follow from the shapes.
    unsafe {
        bag_kernel::launch_unchecked(
            &client,
            count,
            dim,
            address,
            vector,
            table.into_tensor_arg(),
            ids.into_tensor_arg(),
            weights.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            per_token,
            columns,
            total,
            at_once(per_token),
            elements,
        );
    }
    out
}

/// `<inputs[t], table[ids[t,j]]>`, `[tokens, per_token]`, in the format of the inputs.
pub fn dot(table: CubeTensor, ids: CubeTensor, inputs: CubeTensor) -> CubeTensor {
    let (table, ids, inputs) = (
        into_contiguous(table),
        into_contiguous(ids),
        into_contiguous(inputs),
    );
    let [tokens, per_token]: [usize; 2] = ids.shape().dims();
    let width = table.shape()[1];
    let out = empty(&inputs, [tokens, per_token], inputs.dtype);
    let vector = vector_size(width, &[&table, &inputs]);
    let (columns, client) = (width / vector, out.client.clone());
    let (total, at_once) = (tokens * per_token, at_once(per_token));
    let properties = client.properties();
    let hardware = &properties.hardware;
    // A row of units is a plane only if all planes have one size.
    let planes = properties.features.plane.contains(Plane::Ops)
        && hardware.plane_size_min > 1
        && hardware.plane_size_min == hardware.plane_size_max;
    let lanes = if planes { hardware.plane_size_max } else { 1 };
    let rows = (256 / lanes)
        .min(hardware.max_units_per_cube / lanes)
        .max(1);
    let cubes = (total / at_once).div_ceil(rows as usize);
    let address = addresses(&[&table, &ids, &inputs]);
    let elements = elements([&table, &inputs, &ids]);
    // SAFETY: as in `bag`.
    unsafe {
        dot_kernel::launch_unchecked(
            &client,
            super::launch::cubes(&client, cubes),
            CubeDim::new_2d(lanes, rows),
            address,
            vector,
            table.into_tensor_arg(),
            ids.into_tensor_arg(),
            inputs.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            per_token,
            columns,
            total,
            at_once,
            planes,
            elements,
        );
    }
    out
}
