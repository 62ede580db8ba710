//! Seconds of repeated work.

use std::time::Instant;

/// Seconds of all iterations, by round.
#[derive(Clone, Default)]
pub struct Times(pub Vec<Vec<f64>>);

impl Times {
    /// Seconds of the fastest iteration.
    pub fn min(&self) -> f64 {
        self.0
            .iter()
            .flatten()
            .copied()
            .fold(f64::INFINITY, f64::min)
    }

    /// Median seconds of all iterations.
    pub fn median(&self) -> f64 {
        median(self.0.concat())
    }

    /// The least and the greatest ratio over rounds of the median of `self` to that of `other`.
    pub fn spread_over(&self, other: &Self) -> (f64, f64) {
        let ratios = self.0.iter().zip(&other.0);
        ratios
            .map(|(a, b)| median(a.clone()) / median(b.clone()))
            .fold((f64::INFINITY, 0.0), |(low, high), ratio| {
                (low.min(ratio), high.max(ratio))
            })
    }
}

/// The median: the mean of the middle two for an even number of values.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        (values[middle - 1] + values[middle]) / 2.0
    }
}

/// The seconds of each of `iterations`.
pub fn time(step: &mut dyn FnMut(), iterations: usize) -> Vec<f64> {
    let timed = |_| {
        let clock = Instant::now();
        step();
        clock.elapsed().as_secs_f64()
    };
    (0..iterations).map(timed).collect()
}
