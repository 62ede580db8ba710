//! Cross-entropy of rows of logits, each read once for the loss and twice for its gradient.

use burn::backend::TensorMetadata;
use burn::tensor::DType;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::launch::{addresses, cubes, elements, empty, together, vector_size};
use super::reduce::{REDUCERS, cube_max, cube_sum};

/// Less than any logit, and finite, so that the difference of two is not NaN.
const LOWEST: f32 = f32::MIN;

/// The largest logit of the row that begins at `first`, and the sum of the exponentials of the others relative to it, for all
/// units of the cube (Milakov & Gimelshein 2018).
#[cube]
fn peak_and_sum<X: Float, N: Size>(
    logits: &Tensor<Vector<X, N>>,
    first: usize,
    columns: usize,
    #[comptime] units: usize,
) -> (f32, f32) {
    let mut peak = f32::new(LOWEST);
    let mut sum = 0.0f32;
    let mut column = UNIT_POS as usize;
    while column < columns {
        let values = Vector::<f32, N>::cast_from(logits[first + column]);
        let mut higher = peak;
        #[unroll]
        for lane in 0..N::value() {
            let value = values.extract(lane);
            higher = select(value > higher, value, higher);
        }
        sum *= (peak - higher).exp();
        #[unroll]
        for lane in 0..N::value() {
            // A NaN, which is never the peak, makes the sum NaN.
            sum += (values.extract(lane) - higher).exp();
        }
        peak = higher;
        column += units;
    }
    let whole = cube_max(peak, units);
    let sum = cube_sum(sum * (peak - whole).exp(), units);
    (whole, sum)
}

/// One cube for each row.
#[cube(launch_unchecked, address_type = "dynamic")]
fn forward_kernel<X: Float, I: Int, N: Size>(
    logits: &Tensor<Vector<X, N>>,
    targets: &Tensor<I>,
    out: &mut Tensor<f32>,
    columns: usize,
    rows: usize,
    #[comptime] units: usize,
    #[define(X, I)] _elements: [ElemType; 2],
) {
    if CUBE_POS >= rows {
        terminate!();
    }
    let first = CUBE_POS * columns;
    let (peak, sum) = peak_and_sum::<X, N>(logits, first, columns, units);
    if UNIT_POS == 0 {
        let target = usize::cast_from(targets[CUBE_POS]);
        let values = Vector::<f32, N>::cast_from(logits[first + target / N::value()]);
        let mut chosen = 0.0f32;
        #[unroll]
        for lane in 0..N::value() {
            let value = values.extract(lane);
            chosen = select(target % N::value() == lane, value, chosen);
        }
        out[CUBE_POS] = sum.ln() + peak - chosen;
    }
}

/// One cube for each row.
#[cube(launch_unchecked, address_type = "dynamic")]
fn backward_kernel<X: Float, I: Int, D: Float, N: Size>(
    logits: &Tensor<Vector<X, N>>,
    targets: &Tensor<I>,
    grad: &Tensor<D>,
    out: &mut Tensor<Vector<X, N>>,
    columns: usize,
    rows: usize,
    #[comptime] units: usize,
    #[define(X, I, D)] _elements: [ElemType; 3],
) {
    if CUBE_POS >= rows {
        terminate!();
    }
    let first = CUBE_POS * columns;
    let (peak, sum) = peak_and_sum::<X, N>(logits, first, columns, units);
    let grad = f32::cast_from(grad[CUBE_POS]);
    let factor = grad / sum;
    let target = usize::cast_from(targets[CUBE_POS]);
    let mut column = UNIT_POS as usize;
    while column < columns {
        let values = Vector::<f32, N>::cast_from(logits[first + column]);
        let mut change =
            (values - Vector::<f32, N>::new(peak)).exp() * Vector::<f32, N>::new(factor);
        if target / N::value() == column {
            #[unroll]
            for lane in 0..N::value() {
                if target % N::value() == lane {
                    change.insert(lane, change.extract(lane) - grad);
                }
            }
        }
        out[first + column] = Vector::<X, N>::cast_from(change);
        column += units;
    }
}

/// [`crate::kernels::FusedOps::cross_entropy`], in f32.
pub fn cross_entropy(logits: CubeTensor, targets: CubeTensor) -> CubeTensor {
    let (logits, targets) = (into_contiguous(logits), into_contiguous(targets));
    let [rows, vocab]: [usize; 2] = logits.shape().dims();
    let out = empty(&logits, [rows], DType::F32);
    let vector = vector_size(vocab, &[&logits]);
    let (columns, client) = (vocab / vector, out.client.clone());
    let dim = together(&client, REDUCERS.min(columns as u32));
    let address = addresses(&[&logits]);
    let elements = elements([&logits, &targets]);
    // SAFETY: targets are below the vocabulary's size; other indices follow from the shapes.
    unsafe {
        forward_kernel::launch_unchecked(
            &client,
            cubes(&client, rows),
            dim,
            address,
            vector,
            logits.into_tensor_arg(),
            targets.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            columns,
            rows,
            dim.num_elems() as usize,
            elements,
        );
    }
    out
}

/// [`crate::kernels::FusedOps::cross_entropy_backward`].
pub fn cross_entropy_backward(
    logits: CubeTensor,
    targets: CubeTensor,
    grad: CubeTensor,
) -> CubeTensor {
    let (logits, targets, grad) = (
        into_contiguous(logits),
        into_contiguous(targets),
        into_contiguous(grad),
    );
    let [rows, vocab]: [usize; 2] = logits.shape().dims();
    let out = empty(&logits, [rows, vocab], logits.dtype);
    let vector = vector_size(vocab, &[&logits]);
    let (columns, client) = (vocab / vector, out.client.clone());
    let dim = together(&client, REDUCERS.min(columns as u32));
    let address = addresses(&[&logits]);
    let elements = elements([&logits, &targets, &grad]);
    // SAFETY: as above.
    unsafe {
        backward_kernel::launch_unchecked(
            &client,
            cubes(&client, rows),
            dim,
            address,
            vector,
            logits.into_tensor_arg(),
            targets.into_tensor_arg(),
            grad.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            columns,
            rows,
            dim.num_elems() as usize,
            elements,
        );
    }
    out
}
