//! AdamW for dense parameters: a Burn optimizer with a fused update.

use burn::optim::{AdamWState, AdaptiveMomentumState, LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use crate::kernels::{AdamStep, RoundingCounters, fused};

/// Decoupled weight decay (Loshchilov & Hutter 2019): `w -= lr (decay w + mean / (sqrt(square) + epsilon))`, both means
/// bias-corrected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// Decay of the mean of gradients.
    pub beta_1: f32,
    /// Decay of the mean of squared gradients.
    pub beta_2: f32,
    /// Added to the root of the mean square.
    pub epsilon: f32,
    /// Weight decay, multiplied by the learning rate.
    pub weight_decay: f32,
}

impl Optimizer for AdamW {
    type State<const D: usize> = AdamWState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        values: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let AdaptiveMomentumState {
            time,
            moment_1,
            moment_2,
            ..
        } = match state {
            Some(state) => state.momentum,
            None => AdaptiveMomentumState::new(0, grad.zeros_like(), grad.zeros_like()),
        };
        let step = AdamStep {
            learning_rate: learning_rate as f32,
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            epsilon: self.epsilon,
            step: time as i32 + 1,
            max_norm: None,
            rounding: RoundingCounters::default(),
        };
        let decay = learning_rate as f32 * self.weight_decay;
        let (values, (mean, square)) =
            fused::adamw(values, grad, (moment_1, moment_2), decay, step);
        let state = AdamWState::new(AdaptiveMomentumState::new(time + 1, mean, square));
        (values, Some(state))
    }

    fn to_device<const D: usize>(mut state: Self::State<D>, device: &Device) -> Self::State<D> {
        state.momentum = state.momentum.to_device(device);
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::optim::AdamWConfig;
    use burn::tensor::Distribution;

    #[test]
    fn equals_burns_adamw() {
        let device = Device::flex();
        let random = || Tensor::<2>::random([7, 5], Distribution::Normal(0.0, 1.0), &device);
        let ours = AdamW {
            beta_1: 0.9,
            beta_2: 0.95,
            epsilon: 1e-8,
            weight_decay: 0.1,
        };
        let theirs = AdamWConfig::new()
            .with_beta_1(0.9)
            .with_beta_2(0.95)
            .with_epsilon(1e-8)
            .with_weight_decay(0.1)
            .build();
        let start = random();
        let (mut a, mut b) = ((start.clone(), None), (start, None));
        for _ in 0..5 {
            let grad = random();
            a = ours.step(0.01, a.0, grad.clone(), a.1);
            b = theirs.step(0.01, b.0, grad, b.1);
        }
        let difference: f32 = (a.0 - b.0).abs().max().into_scalar();
        assert!(difference < 1e-5, "{difference}");
    }
}
