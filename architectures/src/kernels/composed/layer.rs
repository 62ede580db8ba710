//! RMSNorm, SwiGLU, cross-entropy and AdamW.

use burn::backend::tensor::{FloatTensor, IndexingUpdateOp, IntTensor};
use burn::backend::{Backend, DType, Shape, TensorMetadata};

use super::Operand;
use crate::kernels::adam_step::AdamStep;

/// `1 / sqrt(mean(x^2) + epsilon)` of each row, `[.., .., 1]`.
fn inverse_rms<B: Backend>(x: &Operand<B>, epsilon: f64) -> Operand<B> {
    ((x.clone() * x.clone()).mean(2) + epsilon as f32)
        .sqrt()
        .recip()
}

/// [`crate::kernels::FusedOps::rms_norm`].
pub fn rms_norm<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    epsilon: f64,
) -> FloatTensor<B> {
    let (x, gamma) = (Operand::<B>(x), Operand::<B>(gamma));
    let [width] = gamma.dims();
    let scale = inverse_rms(&x, epsilon);
    (x * scale * gamma.reshape([1, 1, width])).0
}

/// [`crate::kernels::FusedOps::rms_norm_backward`].
pub fn rms_norm_backward<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    grad: FloatTensor<B>,
    epsilon: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (x, gamma, grad) = (Operand::<B>(x), Operand::<B>(gamma), Operand::<B>(grad));
    let [batch, seq, width] = x.dims();
    let scale = inverse_rms(&x, epsilon);
    let normed = x * scale.clone();
    let dgamma = (grad.clone() * normed.clone())
        .reshape([batch * seq, width])
        .sum(0)
        .reshape([width]);
    // d(x scale) = scale (g - normed mean(g normed)), with g the gradient times gamma.
    let grad = grad * gamma.reshape([1, 1, width]);
    let along = (grad.clone() * normed.clone()).mean(2);
    let dx = (grad - normed * along) * scale;
    (dx.0, dgamma.0)
}

/// The gate and up halves, `[rows, f]` each, in f32.
fn halves<B: Backend>(x: FloatTensor<B>) -> (Operand<B>, Operand<B>) {
    let x = Operand::<B>(x).cast(DType::F32);
    let [_, width] = x.dims();
    (x.narrow(1, 0..width / 2), x.narrow(1, width / 2..width))
}

/// [`crate::kernels::FusedOps::swiglu`].
pub fn swiglu<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let format = x.dtype();
    let (gate, up) = halves::<B>(x);
    (gate.clone() * gate.sigmoid() * up).cast(format).0
}

/// [`crate::kernels::FusedOps::swiglu_backward`].
pub fn swiglu_backward<B: Backend>(x: FloatTensor<B>, grad: FloatTensor<B>) -> FloatTensor<B> {
    let format = x.dtype();
    let (gate, up) = halves::<B>(x);
    let grad = Operand::<B>(grad).cast(DType::F32);
    let sigmoid = gate.clone().sigmoid();
    let silu = gate * sigmoid.clone();
    // silu' = s + silu (1 - s)
    let slope = sigmoid.clone() + silu.clone() * (-sigmoid + 1.0);
    let parts = vec![grad.clone() * up * slope, grad * silu];
    Operand::cat(parts, 1).cast(format).0
}

/// [`crate::kernels::FusedOps::cross_entropy`].
pub fn cross_entropy<B: Backend>(logits: FloatTensor<B>, targets: IntTensor<B>) -> FloatTensor<B> {
    let logits = Operand::<B>(logits);
    let [rows, _] = logits.dims();
    let shifted = logits.clone() - logits.max(1);
    let targets = B::int_reshape(targets, Shape::from([rows, 1]));
    let chosen = Operand::<B>(B::float_gather(1, shifted.0.clone(), targets));
    (shifted.exp().sum(1).log() - chosen).reshape([rows]).0
}

/// [`crate::kernels::FusedOps::cross_entropy_backward`].
pub fn cross_entropy_backward<B: Backend>(
    logits: FloatTensor<B>,
    targets: IntTensor<B>,
    grad: FloatTensor<B>,
) -> FloatTensor<B> {
    let (logits, grad) = (Operand::<B>(logits), Operand::<B>(grad));
    let [rows, _] = logits.dims();
    let grad = grad.reshape([rows, 1]);
    let exponentials = (logits.clone() - logits.max(1)).exp();
    let factor = grad.clone() / exponentials.clone().sum(1);
    let targets = B::int_reshape(targets, Shape::from([rows, 1]));
    // One target per row: no two additions write to one element.
    B::float_scatter(
        1,
        (exponentials * factor).0,
        targets,
        (-grad).0,
        IndexingUpdateOp::Add,
    )
}

/// [`crate::kernels::FusedOps::square_sum`].
pub fn square_sum<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let last = x.shape().num_dims() - 1;
    // By row first: a single sum over all values adds in the order in which threads finish.
    let rows = B::float_sum_dim(B::float_mul(x.clone(), x), last);
    B::float_sum(rows)
}

/// Weights and the running means of their gradients and squared gradients.
pub(super) struct Moments<B: Backend> {
    pub values: Operand<B>,
    pub mean: Operand<B>,
    pub square: Operand<B>,
}

impl<B: Backend> Moments<B> {
    /// One step of Adam.
    pub fn step(self, grad: Operand<B>, step: AdamStep) -> Self {
        let (mean_correction, square_correction) = step.corrections();
        let mean = self.mean * step.beta_1 + grad.clone() * (1.0 - step.beta_1);
        let square = self.square * step.beta_2 + grad.clone() * grad * (1.0 - step.beta_2);
        let root = (square.clone() * square_correction).sqrt() + step.epsilon;
        let change = mean.clone() * (step.learning_rate * mean_correction) / root;
        Self {
            values: self.values - change,
            mean,
            square,
        }
    }
}

/// [`crate::kernels::FusedOps::adamw`].
pub fn adamw<B: Backend>(
    values: FloatTensor<B>,
    grad: FloatTensor<B>,
    mean: FloatTensor<B>,
    square: FloatTensor<B>,
    decay: f32,
    step: AdamStep,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let Moments {
        values,
        mean,
        square,
    } = Moments::<B> {
        values: Operand(values) * (1.0 - decay),
        mean: Operand(mean),
        square: Operand(square),
    }
    .step(Operand(grad), step);
    (values.0, mean.0, square.0)
}
