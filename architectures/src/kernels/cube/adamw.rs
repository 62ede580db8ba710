//! AdamW on whole tensors in one launch, in place where no other tensor shares their storage.

use burn::backend::TensorMetadata;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::launch::{addresses, elements, exclusive, independent, vector_size};
use crate::kernels::adam_step::AdamStep;

/// The new mean, the new mean square and the change of the values.
#[cube]
pub fn adam_change<N: Size>(
    mean: Vector<f32, N>,
    square: Vector<f32, N>,
    grad: Vector<f32, N>,
    beta_1: f32,
    beta_2: f32,
    epsilon: f32,
    step_size: f32,
    square_correction: f32,
) -> (Vector<f32, N>, Vector<f32, N>, Vector<f32, N>) {
    let mean = mean * Vector::<f32, N>::new(beta_1) + grad * Vector::<f32, N>::new(1.0f32 - beta_1);
    let square = square * Vector::<f32, N>::new(beta_2)
        + grad * grad * Vector::<f32, N>::new(1.0f32 - beta_2);
    let root =
        (square * Vector::<f32, N>::new(square_correction)).sqrt() + Vector::<f32, N>::new(epsilon);
    (mean, square, mean * Vector::<f32, N>::new(step_size) / root)
}

/// One unit for each vector of values.
#[cube(launch_unchecked, address_type = "dynamic")]
fn adamw_kernel<T: Float, M: Float, D: Float, N: Size>(
    values: &mut Tensor<Vector<T, N>>,
    grad: &Tensor<Vector<D, N>>,
    mean: &mut Tensor<Vector<M, N>>,
    square: &mut Tensor<Vector<M, N>>,
    total: usize,
    kept: f32,
    beta_1: f32,
    beta_2: f32,
    epsilon: f32,
    step_size: f32,
    square_correction: f32,
    #[define(T, M, D)] _elements: [ElemType; 3],
) {
    let at = ABSOLUTE_POS;
    if at >= total {
        terminate!();
    }
    let (new_mean, new_square, change) = adam_change::<N>(
        Vector::<f32, N>::cast_from(mean[at]),
        Vector::<f32, N>::cast_from(square[at]),
        Vector::<f32, N>::cast_from(grad[at]),
        beta_1,
        beta_2,
        epsilon,
        step_size,
        square_correction,
    );
    let kept = Vector::<f32, N>::cast_from(values[at]) * Vector::<f32, N>::new(kept);
    values[at] = Vector::<T, N>::cast_from(kept - change);
    mean[at] = Vector::<M, N>::cast_from(new_mean);
    square[at] = Vector::<M, N>::cast_from(new_square);
}

/// [`crate::kernels::FusedOps::adamw`].
pub fn adamw(
    values: CubeTensor,
    grad: CubeTensor,
    (mean, square): (CubeTensor, CubeTensor),
    decay: f32,
    step: AdamStep,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let (values, mean, square) = (exclusive(values), exclusive(mean), exclusive(square));
    let grad = into_contiguous(grad);
    let elements_of_values = values.shape().num_elements();
    let vector = vector_size(elements_of_values, &[&values, &mean, &grad]);
    let client = values.client.clone();
    let total = elements_of_values / vector;
    let (count, dim) = independent(&client, total);
    let address = addresses(&[&values, &mean, &grad]);
    let formats = elements([&values, &mean, &grad]);
    let mean_correction = 1.0 / (1.0 - step.beta_1.powi(step.step));
    // SAFETY: all tensors have one shape, and `exclusive` guarantees that no other tensor shares the storage that is
    // written.
    unsafe {
        adamw_kernel::launch_unchecked(
            &client,
            count,
            dim,
            address,
            vector,
            values.clone().into_tensor_arg(),
            grad.into_tensor_arg(),
            mean.clone().into_tensor_arg(),
            square.clone().into_tensor_arg(),
            total,
            1.0 - decay,
            step.beta_1,
            step.beta_2,
            step.epsilon,
            step.learning_rate * mean_correction,
            1.0 / (1.0 - step.beta_2.powi(step.step)),
            formats,
        );
    }
    (values, mean, square)
}
