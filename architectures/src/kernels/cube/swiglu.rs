//! SwiGLU of the gate and up halves of a row.

use burn::backend::TensorMetadata;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::launch::{addresses, elements, empty, independent, vector_size};

#[cube]
fn logistic<N: Size>(x: Vector<f32, N>) -> Vector<f32, N> {
    let one = Vector::<f32, N>::new(1.0f32);
    one / (one + (Vector::<f32, N>::new(0.0f32) - x).exp())
}

/// One unit for each vector of the output.
#[cube(launch_unchecked, address_type = "dynamic")]
fn forward_kernel<X: Float, N: Size>(
    x: &Tensor<Vector<X, N>>,
    out: &mut Tensor<Vector<X, N>>,
    columns: usize,
    total: usize,
    #[define(X)] _element: ElemType,
) {
    if ABSOLUTE_POS >= total {
        terminate!();
    }
    let at = ABSOLUTE_POS / columns * 2 * columns + ABSOLUTE_POS % columns;
    let gate = Vector::<f32, N>::cast_from(x[at]);
    let up = Vector::<f32, N>::cast_from(x[at + columns]);
    out[ABSOLUTE_POS] = Vector::<X, N>::cast_from(gate * logistic::<N>(gate) * up);
}

/// One unit for each vector of the product's gradient.
#[cube(launch_unchecked, address_type = "dynamic")]
fn backward_kernel<X: Float, D: Float, N: Size>(
    x: &Tensor<Vector<X, N>>,
    grad: &Tensor<Vector<D, N>>,
    out: &mut Tensor<Vector<X, N>>,
    columns: usize,
    total: usize,
    #[define(X, D)] _elements: [ElemType; 2],
) {
    if ABSOLUTE_POS >= total {
        terminate!();
    }
    let at = ABSOLUTE_POS / columns * 2 * columns + ABSOLUTE_POS % columns;
    let gate = Vector::<f32, N>::cast_from(x[at]);
    let up = Vector::<f32, N>::cast_from(x[at + columns]);
    let grad = Vector::<f32, N>::cast_from(grad[ABSOLUTE_POS]);
    let sigmoid = logistic::<N>(gate);
    let silu = gate * sigmoid;
    // silu' = s + silu (1 - s)
    let slope = sigmoid + silu * (Vector::<f32, N>::new(1.0f32) - sigmoid);
    out[at] = Vector::<X, N>::cast_from(grad * up * slope);
    out[at + columns] = Vector::<X, N>::cast_from(grad * silu);
}

/// [`crate::kernels::FusedOps::swiglu`].
pub fn swiglu(x: CubeTensor) -> CubeTensor {
    let x = into_contiguous(x);
    let [rows, width]: [usize; 2] = x.shape().dims();
    let out = empty(&x, [rows, width / 2], x.dtype);
    let vector = vector_size(width / 2, &[&x]);
    let (columns, client) = (width / 2 / vector, out.client.clone());
    let total = rows * columns;
    let (count, dim) = independent(&client, total);
    let address = addresses(&[&x]);
    let [element] = elements([&x]);
    // SAFETY: every index follows from the shapes.
    unsafe {
        forward_kernel::launch_unchecked(
            &client,
            count,
            dim,
            address,
            vector,
            x.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            columns,
            total,
            element,
        );
    }
    out
}

/// [`crate::kernels::FusedOps::swiglu_backward`].
pub fn swiglu_backward(x: CubeTensor, grad: CubeTensor) -> CubeTensor {
    let (x, grad) = (into_contiguous(x), into_contiguous(grad));
    let [rows, width]: [usize; 2] = x.shape().dims();
    let out = empty(&x, [rows, width], x.dtype);
    let vector = vector_size(width / 2, &[&x, &grad]);
    let (columns, client) = (width / 2 / vector, out.client.clone());
    let total = rows * columns;
    let (count, dim) = independent(&client, total);
    let address = addresses(&[&x]);
    let elements = elements([&x, &grad]);
    // SAFETY: as above.
    unsafe {
        backward_kernel::launch_unchecked(
            &client,
            count,
            dim,
            address,
            vector,
            x.into_tensor_arg(),
            grad.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            columns,
            total,
            elements,
        );
    }
    out
}
