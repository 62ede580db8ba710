//! Statistics of the most recent steps, by which outliers are recognised.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The last values of one quantity, such as the loss.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recent(VecDeque<f64>);

impl Recent {
    /// Adds the value of a step and drops those before the last `window`.
    pub fn push(&mut self, value: f64, window: usize) {
        self.0.push_back(value);
        while self.0.len() > window {
            self.0.pop_front();
        }
    }

    /// Mean plus `sigma` standard deviations of the last values; `None` before there are `window` of them.
    pub fn threshold(&self, window: usize, sigma: f64) -> Option<f64> {
        if self.0.len() < window {
            return None;
        }
        let count = self.0.len() as f64;
        let mean = self.0.iter().sum::<f64>() / count;
        let squares = self.0.iter().map(|value| (value - mean).powi(2));
        Some(mean + sigma * (squares.sum::<f64>() / (count - 1.0)).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_of_a_full_window_of_the_last_values() {
        let mut recent = Recent::default();
        for value in [100.0, 1.0, 2.0] {
            recent.push(value, 3);
        }
        assert!(recent.threshold(4, 2.0).is_none());
        recent.push(3.0, 3);
        assert_eq!(recent.threshold(3, 2.0), Some(2.0 + 2.0));
    }
}
