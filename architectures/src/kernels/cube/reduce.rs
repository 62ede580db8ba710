//! Sums in a fixed order: over the units of a cube, and over all numbers of a tensor.

use burn::backend::TensorMetadata;
use burn::tensor::DType;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::launch::{addresses, cubes, elements, empty, together, vector_size};

/// Units of a cube that reduces.
pub const REDUCERS: u32 = 256;

/// Numbers that a unit of a reduction adds.
const SHARE: usize = 16;

/// Sum over a cube, returned to all units.
#[cube]
pub fn cube_sum(value: f32, #[comptime] units: usize) -> f32 {
    let unit = UNIT_POS as usize;
    let mut sums = Shared::<[f32]>::new_slice(units);
    sums[unit] = value;
    sync_cube();
    #[unroll]
    for step in 0..comptime![units.ilog2() as usize] {
        let half = comptime![units >> (step + 1)];
        if unit < half {
            let other = sums[unit + half];
            sums[unit] += other;
        }
        sync_cube();
    }
    sums[0]
}

/// The largest value of a cube, returned to all units.
#[cube]
pub fn cube_max(value: f32, #[comptime] units: usize) -> f32 {
    let unit = UNIT_POS as usize;
    let mut values = Shared::<[f32]>::new_slice(units);
    values[unit] = value;
    sync_cube();
    #[unroll]
    for step in 0..comptime![units.ilog2() as usize] {
        let half = comptime![units >> (step + 1)];
        if unit < half {
            let (value, other) = (values[unit], values[unit + half]);
            values[unit] = select(other > value, other, value);
        }
        sync_cube();
    }
    values[0]
}

/// Sum of the elements of a vector.
#[cube]
pub fn lanes_sum<N: Size>(values: Vector<f32, N>) -> f32 {
    let mut sum = 0.0f32;
    #[unroll]
    for lane in 0..N::value() {
        sum += values.extract(lane);
    }
    sum
}

/// Sums of the squares of `units SHARE` vectors each.
#[cube(launch_unchecked, address_type = "dynamic")]
fn squares_kernel<X: Float, N: Size>(
    x: &Tensor<Vector<X, N>>,
    out: &mut Tensor<f32>,
    len: usize,
    cubes: usize,
    #[comptime] units: usize,
    #[define(X)] _element: ElemType,
) {
    if CUBE_POS >= cubes {
        terminate!();
    }
    let first = CUBE_POS * comptime![units * SHARE] + UNIT_POS as usize;
    let mut squares = Vector::<f32, N>::new(0.0f32);
    #[unroll]
    for i in 0..SHARE {
        let at = first + comptime![i * units];
        if at < len {
            let values = Vector::<f32, N>::cast_from(x[at]);
            squares += values * values;
        }
    }
    let sum = cube_sum(lanes_sum::<N>(squares), units);
    if UNIT_POS == 0 {
        out[CUBE_POS] = sum;
    }
}

/// [`crate::kernels::FusedOps::square_sum`], in f32.
pub fn square_sum(x: CubeTensor) -> CubeTensor {
    let x = into_contiguous(x);
    let client = x.client.clone();
    let elements_of_x = x.shape().num_elements();
    let vector = vector_size(elements_of_x, &[&x]);
    let dim = together(&client, REDUCERS);
    let (units, len) = (dim.num_elems() as usize, elements_of_x / vector);
    let count = len.div_ceil(units * SHARE);
    let out = empty(&x, [count], DType::F32);
    let address = addresses(&[&x]);
    let [element] = elements([&x]);
    // SAFETY: every index follows from the lengths.
    unsafe {
        squares_kernel::launch_unchecked(
            &client,
            cubes(&client, count),
            dim,
            address,
            vector,
            x.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            len,
            count,
            units,
            element,
        );
    }
    total(out)
}

/// Sums of `units SHARE` numbers each.
#[cube(launch_unchecked, address_type = "dynamic")]
fn total_kernel(
    numbers: &Tensor<f32>,
    out: &mut Tensor<f32>,
    len: usize,
    cubes: usize,
    #[comptime] units: usize,
) {
    if CUBE_POS >= cubes {
        terminate!();
    }
    let first = CUBE_POS * comptime![units * SHARE] + UNIT_POS as usize;
    let mut sum = 0.0f32;
    #[unroll]
    for i in 0..SHARE {
        let at = first + comptime![i * units];
        if at < len {
            sum += numbers[at];
        }
    }
    let sum = cube_sum(sum, units);
    if UNIT_POS == 0 {
        out[CUBE_POS] = sum;
    }
}

/// Sum of all `numbers`, `[1]`, in as many rounds as needed for few additions per unit.
pub fn total(mut numbers: CubeTensor) -> CubeTensor {
    let client = numbers.client.clone();
    let dim = together(&client, REDUCERS);
    let units = dim.num_elems() as usize;
    loop {
        let len = numbers.shape().num_elements();
        if len == 1 {
            return numbers;
        }
        let count = len.div_ceil(units * SHARE);
        let out = empty(&numbers, [count], DType::F32);
        let address = addresses(&[&numbers]);
        // SAFETY: every index follows from the lengths.
        unsafe {
            total_kernel::launch_unchecked(
                &client,
                cubes(&client, count),
                dim,
                address,
                numbers.into_tensor_arg(),
                out.clone().into_tensor_arg(),
                len,
                count,
                units,
            );
        }
        numbers = out;
    }
}
