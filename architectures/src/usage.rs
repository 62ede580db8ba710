//! Utilisation of a layer's slots or experts.
//!
//! With `z` the total weight of each unit, normalised to sum to one: the share of units with any weight, and the
//! divergence from uniform `log n + sum z log z` in nats (Lample et al. 2019, section 4.5).

use std::collections::HashSet;

/// Total weight of each unit of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Usage {
    /// Zero-based layer.
    pub layer: usize,
    /// What is counted: `slot`, `neuron`, `expert` or `n-gram`.
    pub unit: &'static str,
    weights: Vec<f64>,
    reads: u64,
    /// Row and key of each distinct n-gram, of units that are addressed by a hash.
    hashed: Option<HashSet<(i64, i64)>>,
}

impl Usage {
    pub(crate) fn new(layer: usize, unit: &'static str, weights: Vec<f64>, reads: usize) -> Self {
        Self {
            layer,
            unit,
            weights,
            reads: reads as u64,
            hashed: None,
        }
    }

    /// Adds the usage that another pass observed in the same layer.
    pub fn merge(&mut self, other: &Self) {
        for (sum, weight) in self.weights.iter_mut().zip(&other.weights) {
            *sum += weight;
        }
        self.reads += other.reads;
        if let (Some(all), Some(others)) = (&mut self.hashed, &other.hashed) {
            all.extend(others);
        }
    }

    /// The same usage of units that are addressed by a hash: row and key of each distinct n-gram.
    pub(crate) fn with_hashes(self, hashed: HashSet<(i64, i64)>) -> Self {
        Self {
            hashed: Some(hashed),
            ..self
        }
    }

    /// Number of reads: tokens times the units of a token.
    pub fn reads(&self) -> u64 {
        self.reads
    }

    /// Distinct n-grams beyond the first in each row; `None` for units that are not addressed by a hash.
    pub fn collisions(&self) -> Option<u64> {
        let hashed = self.hashed.as_ref()?;
        let rows: HashSet<i64> = hashed.iter().map(|(row, _)| *row).collect();
        Some((hashed.len() - rows.len()) as u64)
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
        let even = Usage::new(0, "slot", vec![2.0; 8], 16);
        assert!(even.kl_from_uniform().abs() < 1e-12);
        assert_eq!((even.used_share(), even.max_share()), (1.0, 0.125));
        let mut one = Usage::new(0, "slot", vec![0.0, 3.0, 0.0, 0.0], 3);
        assert!((one.kl_from_uniform() - 4f64.ln()).abs() < 1e-12);
        assert_eq!((one.used_share(), one.max_share()), (0.25, 1.0));
        one.merge(&Usage::new(0, "slot", vec![3.0, 0.0, 0.0, 0.0], 3));
        assert_eq!((one.used_share(), one.reads()), (0.5, 6));
        assert_eq!(one.collisions(), None);
    }

    #[test]
    fn collisions_are_counted_over_passes() {
        let usage = |keys: &[(i64, i64)]| {
            let hashed = keys.iter().copied().collect();
            Usage::new(0, "n-gram", vec![1.0; 4], keys.len()).with_hashes(hashed)
        };
        let mut one = usage(&[(0, 10), (0, 11), (2, 12)]);
        assert_eq!(one.collisions(), Some(1));
        // A key of the first pass again, and two more in its row.
        one.merge(&usage(&[(0, 10), (0, 13), (2, 14)]));
        assert_eq!(one.collisions(), Some(3));
    }
}
