//! Utilisation of a layer's slots or experts.
//!
//! With `z` the total weight of each unit, normalised to sum to one: the share of units with any weight, and the
//! divergence from uniform `log n + sum z log z` in nats (Lample et al. 2019, section 4.5).

/// Total weight of each unit of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Usage {
    /// Zero-based layer.
    pub layer: usize,
    /// What is counted: `slot`, `neuron` or `expert`.
    pub unit: &'static str,
    weights: Vec<f64>,
}

impl Usage {
    pub(crate) fn new(layer: usize, unit: &'static str, weights: Vec<f64>) -> Self {
        Self {
            layer,
            unit,
            weights,
        }
    }

    /// Adds the usage that another pass observed in the same layer.
    pub fn merge(&mut self, other: &Self) {
        for (sum, weight) in self.weights.iter_mut().zip(&other.weights) {
            *sum += weight;
        }
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.weights.len()
    }

    /// Share of units with any weight.
    pub fn used_share(&self) -> f64 {
        let used = self.weights.iter().filter(|&&weight| weight > 0.0).count();
        used as f64 / self.units() as f64
    }

    /// Kullback-Leibler divergence of the usage from uniform, in nats.
    pub fn kl_from_uniform(&self) -> f64 {
        let total: f64 = self.weights.iter().sum();
        let entropy: f64 = self
            .weights
            .iter()
            .filter(|&&weight| weight > 0.0)
            .map(|weight| weight / total * (weight / total).ln())
            .sum();
        (self.units() as f64).ln() + entropy
    }

    /// Share of the weight of the most used unit.
    pub fn max_share(&self) -> f64 {
        let total: f64 = self.weights.iter().sum();
        self.weights.iter().copied().fold(0.0, f64::max) / total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniform_and_collapsed() {
        let even = Usage::new(0, "slot", vec![2.0; 8]);
        assert!(even.kl_from_uniform().abs() < 1e-12);
        assert_eq!((even.used_share(), even.max_share()), (1.0, 0.125));
        let mut one = Usage::new(0, "slot", vec![0.0, 3.0, 0.0, 0.0]);
        assert!((one.kl_from_uniform() - 4f64.ln()).abs() < 1e-12);
        assert_eq!((one.used_share(), one.max_share()), (0.25, 1.0));
        one.merge(&Usage::new(0, "slot", vec![3.0, 0.0, 0.0, 0.0]));
        assert_eq!(one.used_share(), 0.5);
    }
}
