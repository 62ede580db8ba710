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
    /// Whether elements whose gradient is zero keep their value and moments.
    pub keep_where_zero: bool,
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
        let before = self.keep_where_zero.then(|| {
            let zero = grad.clone().equal_elem(0.0);
            (zero, values.clone(), moment_1.clone(), moment_2.clone())
        });
        let (mut values, (mut mean, mut square)) =
            fused::adamw(values, grad, (moment_1, moment_2), decay, step);
        if let Some((zero, old, old_mean, old_square)) = before {
            values = values.mask_where(zero.clone(), old);
            mean = mean.mask_where(zero.clone(), old_mean);
            square = square.mask_where(zero, old_square);
        }
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
            keep_where_zero: false,
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

    #[test]
    fn elements_without_a_gradient_can_be_kept() {
        let device = Device::flex();
        let adamw = AdamW {
            beta_1: 0.9,
            beta_2: 0.95,
            epsilon: 1e-8,
            weight_decay: 0.1,
            keep_where_zero: true,
        };
        let values = Tensor::<1>::from_floats([1.0, 2.0], &device);
        let first = Tensor::from_floats([0.5, 0.5], &device);
        let second = Tensor::from_floats([0.5, 0.0], &device);
        let (once, state) = adamw.step(0.01, values, first, None);
        let moments = |state: &Option<AdamWState<1>>| {
            let momentum = &state.as_ref().unwrap().momentum;
            let both = Tensor::cat(
                vec![momentum.moment_1.clone(), momentum.moment_2.clone()],
                0,
            );
            both.into_data().iter::<f32>().collect::<Vec<f32>>()
        };
        let before = (
            once.clone().into_data().iter::<f32>().collect::<Vec<f32>>(),
            moments(&state),
        );
        let (twice, state) = adamw.step(0.01, once, second, state);
        let after = (
            twice.into_data().iter::<f32>().collect::<Vec<f32>>(),
            moments(&state),
        );
        assert!(after.0[0] < before.0[0] && after.1[0] > before.1[0]);
        assert_eq!(after.0[1], before.0[1]);
        assert_eq!([after.1[1], after.1[3]], [before.1[1], before.1[3]]);
    }
}
