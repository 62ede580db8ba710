//! Scores of one rung, and their resamples.

use rand::Rng;
use rand_distr::{Distribution, StudentT};
use random::Stream;

/// One rung's scores, seeds by clusters of items.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub cost: f64,
    pub seeds: usize,
    /// By cluster: the seeds' mean, summed over its items.
    totals: Vec<f64>,
    /// Standard error of the mean over seeds; none with one seed.
    error: Option<f64>,
}

impl Sample {
    /// `table` has one row per seed and one column per item; `clusters[item]` counts from 0 to `number - 1`.
    pub fn new(cost: f64, table: &[Vec<f64>], clusters: &[usize], number: usize) -> Self {
        let seeds = table.len() as f64;
        let mut totals = vec![0.0; number];
        for row in table {
            for (&cluster, value) in clusters.iter().zip(row) {
                totals[cluster] += value / seeds;
            }
        }
        let means: Vec<f64> = table
            .iter()
            .map(|row| row.iter().sum::<f64>() / row.len() as f64)
            .collect();
        let mean = means.iter().sum::<f64>() / seeds;
        let squares: f64 = means.iter().map(|m| (m - mean).powi(2)).sum();
        Self {
            cost,
            seeds: table.len(),
            totals,
            error: (table.len() > 1).then(|| (squares / (seeds - 1.0) / seeds).sqrt()),
        }
    }

    /// The mean over seeds and items, with each cluster weighted by its count in `draw`.
    pub fn mean(&self, draw: &Draw) -> f64 {
        let total: f64 = self
            .totals
            .iter()
            .zip(&draw.weights)
            .map(|(t, w)| t * w)
            .sum();
        total / draw.items
    }

    /// The same with variation over seeds added: Student's t with one degree of freedom less than there are seeds, the
    /// distribution behind the interval of [`mean_over_seeds`](crate::statistics::mean_over_seeds). Resampling two seeds
    /// with replacement would understate their uncertainty.
    pub fn reseeded(&self, draw: &Draw, random: &mut Stream) -> f64 {
        let deviation = match self.error {
            Some(error) => {
                let degrees = (self.seeds - 1) as f64;
                let student = StudentT::new(degrees).expect("two seeds have a degree of freedom");
                error * student.sample(random)
            }
            None => 0.0,
        };
        self.mean(draw) + deviation
    }
}

/// The count of each cluster in a resample, and the number of items.
#[derive(Clone, Debug)]
pub(super) struct Draw {
    weights: Vec<f64>,
    items: f64,
}

impl Draw {
    /// Every cluster once.
    pub fn plain(sizes: &[f64]) -> Self {
        Self {
            weights: vec![1.0; sizes.len()],
            items: sizes.iter().sum(),
        }
    }

    /// As many clusters as there are, with replacement.
    pub fn again(sizes: &[f64], random: &mut Stream) -> Self {
        let mut weights = vec![0.0; sizes.len()];
        for _ in sizes {
            weights[random.random_range(0..sizes.len())] += 1.0;
        }
        let items = weights
            .iter()
            .zip(sizes)
            .map(|(weight, size)| weight * size)
            .sum();
        Self { weights, items }
    }
}
