//! Adam's update, and AdamW on whole parameters: weight, gradient and moments are each read and written once, where
//! composed operations read and write them a dozen times.

#[cfg(not(feature = "portable"))]
use multiversion::multiversion;
use rayon::prelude::*;

use crate::kernels::adam_step::AdamStep;

/// Values of a task.
const VALUES: usize = 1 << 13;

/// One step of AdamW (Loshchilov & Hutter 2019): decays `values` by the fraction `decay`, then updates them and their
/// moments.
pub fn adamw(
    grad: &[f32],
    values: &mut [f32],
    mean: &mut [f32],
    square: &mut [f32],
    decay: f32,
    step: AdamStep,
) {
    values
        .par_chunks_mut(VALUES)
        .zip(mean.par_chunks_mut(VALUES))
        .zip(square.par_chunks_mut(VALUES))
        .zip(grad.par_chunks(VALUES))
        .for_each(|(((values, mean), square), grad)| {
            for value in values.iter_mut() {
                *value *= 1.0 - decay;
            }
            update(grad, values, mean, square, 1.0, step);
        });
}

/// Sum of squares, chunk by chunk in the order of the values.
pub fn square_sum(values: &[f32]) -> f64 {
    let chunks: Vec<f64> = values.par_chunks(VALUES).map(square_sum_of).collect();
    chunks.iter().sum()
}

/// Sum of squares: lanes in f32, their sum in f64, accurate for the number of values of a row or a chunk.
#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
pub fn square_sum_of(values: &[f32]) -> f64 {
    square_sum_inline(values)
}

/// [`square_sum_of`] with the instructions of the caller.
#[inline(always)]
pub fn square_sum_inline(values: &[f32]) -> f64 {
    const LANES: usize = 32;
    let mut sums = [0f32; LANES];
    for chunk in values.chunks(LANES) {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value * value;
        }
    }
    // Pairwise: a serial chain of additions takes longer than a short row.
    let mut sums: [f64; LANES] = std::array::from_fn(|lane| f64::from(sums[lane]));
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
        half /= 2;
    }
    sums[0]
}

/// One step of Adam by the gradient times `scale`.
#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
pub fn update(
    grad: &[f32],
    values: &mut [f32],
    mean: &mut [f32],
    square: &mut [f32],
    scale: f32,
    step: AdamStep,
) {
    Update::new(scale, step).apply(grad, values, mean, square);
}

/// What an update of Adam does to all values alike.
pub struct Update {
    scale: f32,
    step: AdamStep,
    mean_correction: f32,
    square_correction: f32,
}

impl Update {
    /// One step by the gradient times `scale`.
    pub fn new(scale: f32, step: AdamStep) -> Self {
        let (mean_correction, square_correction) = step.corrections();
        Self {
            scale,
            step,
            mean_correction,
            square_correction,
        }
    }

    /// Updates values and their moments, with the instructions of the caller.
    #[inline(always)]
    pub fn apply(&self, grad: &[f32], values: &mut [f32], mean: &mut [f32], square: &mut [f32]) {
        let step = &self.step;
        for (((value, mean), square), grad) in values.iter_mut().zip(mean).zip(square).zip(grad) {
            let grad = self.scale * grad;
            *mean = step.beta_1 * *mean + (1.0 - step.beta_1) * grad;
            *square = step.beta_2 * *square + (1.0 - step.beta_2) * grad * grad;
            let root = (*square * self.square_correction).sqrt() + step.epsilon;
            *value -= step.learning_rate * *mean * self.mean_correction / root;
        }
    }
}
