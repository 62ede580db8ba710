//! Each token's weighted sum over its rows.

use burn::backend::TensorMetadata;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use crate::kernels::cube::launch::{addresses, elements, empty, independent, vector_size};
use crate::kernels::routes::Routes;

/// One unit for each vector of the output: adjacent units read adjacent vectors of a row.
#[cube(launch_unchecked, address_type = "dynamic")]
fn sums_kernel<Y: Float, W: Float, I: Int, N: Size>(
    y: &Tensor<Vector<Y, N>>,
    weights: &Tensor<W>,
    rows: &Tensor<I>,
    offsets: &Tensor<I>,
    out: &mut Tensor<Vector<Y, N>>,
    columns: usize,
    total: usize,
    #[define(Y, W, I)] _elements: [ElemType; 3],
) {
    if ABSOLUTE_POS >= total {
        terminate!();
    }
    let token = ABSOLUTE_POS / columns;
    let column = ABSOLUTE_POS % columns;
    let first = usize::cast_from(offsets[token]);
    let last = usize::cast_from(offsets[token + 1]);
    let mut sum = Vector::<f32, N>::new(0.0f32);
    for assignment in first..last {
        let row = usize::cast_from(rows[assignment]);
        let values = Vector::<f32, N>::cast_from(y[row * columns + column]);
        sum += values * Vector::<f32, N>::new(f32::cast_from(weights[assignment]));
    }
    out[ABSOLUTE_POS] = Vector::<Y, N>::cast_from(sum);
}

/// [`crate::kernels::experts::ExpertOps::combine_outputs`].
pub fn combine_outputs(
    y: CubeTensor,
    weights: CubeTensor,
    routes: Routes<CubeBackend>,
) -> CubeTensor {
    let tokens = routes.tokens();
    let [y, weights, rows, offsets] =
        [y, weights, routes.rows, routes.token_offsets].map(into_contiguous);
    let width = y.shape()[1];
    let out = empty(&y, [tokens, width], y.dtype);
    let vector = vector_size(width, &[&y, &out]);
    let (columns, client) = (width / vector, out.client.clone());
    let total = tokens * columns;
    let (count, dim) = independent(&client, total);
    let address = addresses(&[&y, &rows, &out]);
    let elements = elements([&y, &weights, &rows]);
    // SAFETY: offsets are those of assignments, each of which has a row; other indices follow from the shapes.
    unsafe {
        sums_kernel::launch_unchecked(
            &client,
            count,
            dim,
            address,
            vector,
            y.into_tensor_arg(),
            weights.into_tensor_arg(),
            rows.into_tensor_arg(),
            offsets.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            columns,
            total,
            elements,
        );
    }
    out
}
