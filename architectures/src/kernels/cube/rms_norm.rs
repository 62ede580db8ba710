//! RMSNorm over the last dimension, summed in f32.

use burn::backend::TensorMetadata;
use burn::tensor::DType;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::launch::{addresses, cubes, elements, empty, independent, together, vector_size};
use super::reduce::{REDUCERS, cube_sum, lanes_sum};

/// Rows whose contributions to the gradient of the gain one unit adds.
const RUN: usize = 64;

/// `1 / sqrt(mean(x^2) + epsilon)` of the row that begins at `first`, for all units of the cube.
#[cube]
fn inverse_rms<X: Float, N: Size>(
    x: &Tensor<Vector<X, N>>,
    first: usize,
    columns: usize,
    width: f32,
    epsilon: f32,
    #[comptime] units: usize,
) -> f32 {
    let mut squares = Vector::<f32, N>::new(0.0f32);
    let mut column = UNIT_POS as usize;
    while column < columns {
        let values = Vector::<f32, N>::cast_from(x[first + column]);
        squares += values * values;
        column += units;
    }
    let sum = cube_sum(lanes_sum::<N>(squares), units);
    1.0f32 / (sum / width + epsilon).sqrt()
}

/// One cube for each row.
#[cube(launch_unchecked, address_type = "dynamic")]
fn forward_kernel<X: Float, G: Float, N: Size>(
    x: &Tensor<Vector<X, N>>,
    gamma: &Tensor<Vector<G, N>>,
    out: &mut Tensor<Vector<X, N>>,
    columns: usize,
    rows: usize,
    width: f32,
    epsilon: f32,
    #[comptime] units: usize,
    #[define(X, G)] _elements: [ElemType; 2],
) {
    if CUBE_POS >= rows {
        terminate!();
    }
    let first = CUBE_POS * columns;
    let scale = inverse_rms::<X, N>(x, first, columns, width, epsilon, units);
    let mut column = UNIT_POS as usize;
    while column < columns {
        let values = Vector::<f32, N>::cast_from(x[first + column]);
        let gain = Vector::<f32, N>::cast_from(gamma[column]);
        out[first + column] =
            Vector::<X, N>::cast_from(values * Vector::<f32, N>::new(scale) * gain);
        column += units;
    }
}

/// The gradient of `x`, and each row's `1 / rms(x)`. One cube for each row.
#[cube(launch_unchecked, address_type = "dynamic")]
fn backward_kernel<X: Float, G: Float, D: Float, N: Size>(
    x: &Tensor<Vector<X, N>>,
    gamma: &Tensor<Vector<G, N>>,
    grad: &Tensor<Vector<D, N>>,
    out: &mut Tensor<Vector<X, N>>,
    scales: &mut Tensor<f32>,
    columns: usize,
    rows: usize,
    width: f32,
    epsilon: f32,
    #[comptime] units: usize,
    #[define(X, G, D)] _elements: [ElemType; 3],
) {
    if CUBE_POS >= rows {
        terminate!();
    }
    let first = CUBE_POS * columns;
    let scale = inverse_rms::<X, N>(x, first, columns, width, epsilon, units);
    if UNIT_POS == 0 {
        scales[CUBE_POS] = scale;
    }
    let mut products = Vector::<f32, N>::new(0.0f32);
    let mut column = UNIT_POS as usize;
    while column < columns {
        let values = Vector::<f32, N>::cast_from(x[first + column]);
        let gain = Vector::<f32, N>::cast_from(gamma[column]);
        products += values * gain * Vector::<f32, N>::cast_from(grad[first + column]);
        column += units;
    }
    // d(x scale) = scale (g - normed mean(g normed)), with g the gradient times gamma and normed = x scale.
    let along = cube_sum(lanes_sum::<N>(products), units) * scale / width;
    let mut column = UNIT_POS as usize;
    while column < columns {
        let normed = Vector::<f32, N>::cast_from(x[first + column]) * Vector::<f32, N>::new(scale);
        let gain = Vector::<f32, N>::cast_from(gamma[column]);
        let grad = gain * Vector::<f32, N>::cast_from(grad[first + column]);
        let change = grad - normed * Vector::<f32, N>::new(along);
        out[first + column] = Vector::<X, N>::cast_from(change * Vector::<f32, N>::new(scale));
        column += units;
    }
}

/// Sums of `grad x scale` over runs of rows, `[runs, width]`. One unit for each run and vector of columns.
#[cube(launch_unchecked, address_type = "dynamic")]
fn gain_kernel<X: Float, D: Float, N: Size>(
    x: &Tensor<Vector<X, N>>,
    grad: &Tensor<Vector<D, N>>,
    scales: &Tensor<f32>,
    out: &mut Tensor<Vector<f32, N>>,
    columns: usize,
    rows: usize,
    total: usize,
    #[define(X, D)] _elements: [ElemType; 2],
) {
    if ABSOLUTE_POS >= total {
        terminate!();
    }
    let first = ABSOLUTE_POS / columns * RUN;
    let column = ABSOLUTE_POS % columns;
    let mut sum = Vector::<f32, N>::new(0.0f32);
    for row in first..usize::min(first + RUN, rows) {
        let values = Vector::<f32, N>::cast_from(x[row * columns + column]);
        let grad = Vector::<f32, N>::cast_from(grad[row * columns + column]);
        sum += values * grad * Vector::<f32, N>::new(scales[row]);
    }
    out[ABSOLUTE_POS] = sum;
}

/// The sum of the rows of `parts`, `[width]`. One unit for each vector of columns.
#[cube(launch_unchecked, address_type = "dynamic")]
fn sum_of_rows_kernel<G: Float, N: Size>(
    parts: &Tensor<Vector<f32, N>>,
    out: &mut Tensor<Vector<G, N>>,
    columns: usize,
    rows: usize,
    #[define(G)] _element: ElemType,
) {
    if ABSOLUTE_POS >= columns {
        terminate!();
    }
    let mut sum = Vector::<f32, N>::new(0.0f32);
    for row in 0..rows {
        sum += parts[row * columns + ABSOLUTE_POS];
    }
    out[ABSOLUTE_POS] = Vector::<G, N>::cast_from(sum);
}

/// [`crate::kernels::FusedOps::rms_norm`].
pub fn rms_norm(x: CubeTensor, gamma: CubeTensor, epsilon: f64) -> CubeTensor {
    let (x, gamma) = (into_contiguous(x), into_contiguous(gamma));
    let [batch, seq, width]: [usize; 3] = x.shape().dims();
    let out = empty(&x, [batch, seq, width], x.dtype);
    let vector = vector_size(width, &[&x, &gamma]);
    let (columns, client) = (width / vector, out.client.clone());
    let dim = together(&client, REDUCERS.min(columns as u32));
    let address = addresses(&[&x]);
    let elements = elements([&x, &gamma]);
    // SAFETY: every index follows from the shapes.
    unsafe {
        forward_kernel::launch_unchecked(
            &client,
            cubes(&client, batch * seq),
            dim,
            address,
            vector,
            x.into_tensor_arg(),
            gamma.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            columns,
            batch * seq,
            width as f32,
            epsilon as f32,
            dim.num_elems() as usize,
            elements,
        );
    }
    out
}

/// [`crate::kernels::FusedOps::rms_norm_backward`].
pub fn rms_norm_backward(
    x: CubeTensor,
    gamma: CubeTensor,
    grad: CubeTensor,
    epsilon: f64,
) -> (CubeTensor, CubeTensor) {
    let (x, gamma, grad) = (
        into_contiguous(x),
        into_contiguous(gamma),
        into_contiguous(grad),
    );
    let [batch, seq, width]: [usize; 3] = x.shape().dims();
    let rows = batch * seq;
    let out = empty(&x, [batch, seq, width], x.dtype);
    let scales = empty(&x, [rows], DType::F32);
    let vector = vector_size(width, &[&x, &gamma, &grad]);
    let (columns, client) = (width / vector, out.client.clone());
    let dim = together(&client, REDUCERS.min(columns as u32));
    let address = addresses(&[&x, &scales]);
    let formats = elements([&x, &gamma, &grad]);
    // SAFETY: as above.
    unsafe {
        backward_kernel::launch_unchecked(
            &client,
            cubes(&client, rows),
            dim,
            address,
            vector,
            x.clone().into_tensor_arg(),
            gamma.clone().into_tensor_arg(),
            grad.clone().into_tensor_arg(),
            out.clone().into_tensor_arg(),
            scales.clone().into_tensor_arg(),
            columns,
            rows,
            width as f32,
            epsilon as f32,
            dim.num_elems() as usize,
            formats,
        );
    }
    (out, gain_gradient(x, gamma.dtype, grad, scales))
}

/// The gradient of the gain, `[width]`, in two sums of fixed order.
fn gain_gradient(x: CubeTensor, dtype: DType, grad: CubeTensor, scales: CubeTensor) -> CubeTensor {
    let [batch, seq, width]: [usize; 3] = x.shape().dims();
    let (rows, client) = (batch * seq, x.client.clone());
    let runs = rows.div_ceil(RUN);
    let parts = empty(&x, [runs, width], DType::F32);
    let out = empty(&x, [width], dtype);
    let vector = vector_size(width, &[&parts]);
    let columns = width / vector;
    let (count, dim) = independent(&client, runs * columns);
    let address = addresses(&[&x, &parts]);
    let formats = elements([&x, &grad]);
    // SAFETY: as above.
    unsafe {
        gain_kernel::launch_unchecked(
            &client,
            count,
            dim,
            address,
            vector,
            x.into_tensor_arg(),
            grad.into_tensor_arg(),
            scales.into_tensor_arg(),
            parts.clone().into_tensor_arg(),
            columns,
            rows,
            runs * columns,
            formats,
        );
    }
    let (count, dim) = independent(&client, columns);
    let address = addresses(&[&parts]);
    let [format] = elements([&out]);
    // SAFETY: as above.
    unsafe {
        sum_of_rows_kernel::launch_unchecked(
            &client,
            count,
            dim,
            address,
            vector,
            parts.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            columns,
            runs,
            format,
        );
    }
    out
}
