//! Adam's update, and AdamW on whole parameters: one pass over weight, gradient and moments where stock operations take
//! a dozen.

#[cfg(not(feature = "portable"))]
use multiversion::multiversion;
use rayon::prelude::*;

/// One update: the hyper-parameters and the step's bias corrections.
#[derive(Clone, Copy, Debug)]
pub struct AdamStep {
    /// Step size.
    pub learning_rate: f32,
    /// Decay of the mean of gradients.
    pub beta_1: f32,
    /// Decay of the mean of squared gradients.
    pub beta_2: f32,
    /// Added to the root of the mean square.
    pub epsilon: f32,
    /// Number of this update, from 1; corrects both means for having started at zero.
    pub step: i32,
    /// Largest norm of the whole gradient; beyond it, the gradient is scaled down.
    pub max_norm: Option<f32>,
}

/// Values that a thread takes at once.
const VALUES: usize = 1 << 13;

/// Shrinks `values` by `decay` of themselves, then updates them and their moments (Loshchilov & Hutter 2019).
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

/// Lanes in f32, their sum in f64: for as few values as a row or a chunk has.
#[cfg_attr(
    not(feature = "portable"),
    multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))
)]
pub fn square_sum_of(values: &[f32]) -> f64 {
    const LANES: usize = 32;
    let mut sums = [0f32; LANES];
    for chunk in values.chunks(LANES) {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value * value;
        }
    }
    // Halved, not added one by one: a chain of additions would take longer than a short row.
    let mut sums = sums.map(f64::from);
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
    let mean_correction = 1.0 / (1.0 - step.beta_1.powi(step.step));
    let square_correction = 1.0 / (1.0 - step.beta_2.powi(step.step));
    for (((value, mean), square), grad) in values.iter_mut().zip(mean).zip(square).zip(grad) {
        let grad = scale * grad;
        *mean = step.beta_1 * *mean + (1.0 - step.beta_1) * grad;
        *square = step.beta_2 * *square + (1.0 - step.beta_2) * grad * grad;
        let root = (*square * square_correction).sqrt() + step.epsilon;
        *value -= step.learning_rate * *mean * mean_correction / root;
    }
}
