//! Fits of points generated from a known law.

mod isoflop;
mod parametric;

use rand::Rng;

use super::LossPoint;
use crate::statistics::stream;

fn point(params: f64, tokens: f64, loss: f64) -> LossPoint {
    let flops = 6.0 * params * tokens;
    LossPoint {
        budget: flops,
        params,
        tokens,
        flops,
        loss,
    }
}

/// Relative errors of about one per cent.
fn noise(trial: u64) -> impl FnMut() -> f64 {
    let mut random = stream(17, trial);
    move || 1.0 + 0.01 * ((0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0)
}
