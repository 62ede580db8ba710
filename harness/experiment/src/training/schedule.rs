//! Learning-rate schedules, as factors of the peak learning rate.

use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// Fraction of the steps after warm-up in which a warmup-stable-decay schedule decays (Hägele et al. 2024).
const DECAY_SHARE: f64 = 0.2;

/// Shape of the learning rate after the linear warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Half a cosine from the peak to the minimum.
    #[default]
    Cosine,
    /// Linear from the peak to the minimum.
    Linear,
    /// Warmup-stable-decay: constant, then linear to the minimum in the last fifth of the steps after
    /// warm-up.
    Wsd,
    /// Constant at the peak.
    Constant,
}

impl Schedule {
    /// The factor of the peak learning rate at zero-based `step` of `steps`.
    ///
    /// # Arguments
    /// * `warmup`: fraction of the steps in the linear warm-up.
    /// * `min_ratio`: the factor at the end of the run, unless it is constant.
    pub fn factor(self, step: usize, steps: usize, warmup: f64, min_ratio: f64) -> f64 {
        let warmup_steps = (warmup * steps as f64).round();
        let done = step as f64;
        if done < warmup_steps {
            return (done + 1.0) / warmup_steps;
        }
        let progress = (done - warmup_steps) / (steps as f64 - warmup_steps).max(1.0);
        let remaining = match self {
            Self::Cosine => 0.5 * (1.0 + (PI * progress).cos()),
            Self::Linear => 1.0 - progress,
            Self::Wsd => ((1.0 - progress) / DECAY_SHARE).min(1.0),
            Self::Constant => 1.0,
        };
        min_ratio + (1.0 - min_ratio) * remaining
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_rises_in_warmup_and_then_falls_to_the_minimum() {
        for schedule in [Schedule::Cosine, Schedule::Linear, Schedule::Wsd] {
            let factor = |step| schedule.factor(step, 1000, 0.1, 0.01);
            assert_eq!(factor(0), 0.01);
            assert_eq!(factor(99), 1.0);
            assert_eq!(factor(100), 1.0);
            assert!(
                (factor(999) - 0.01).abs() < 0.01,
                "{schedule:?} {}",
                factor(999)
            );
            assert!((100..999).all(|step| factor(step + 1) <= factor(step)));
        }
        let constant = |step| Schedule::Constant.factor(step, 1000, 0.1, 0.01);
        assert_eq!([0, 99, 500, 999].map(constant), [0.01, 1.0, 1.0, 1.0]);
        assert_eq!(Schedule::Wsd.factor(800, 1000, 0.1, 0.01), 1.0);
        assert!((Schedule::Linear.factor(550, 1000, 0.1, 0.0) - 0.5).abs() < 1e-12);
    }
}
