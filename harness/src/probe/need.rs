//! Estimate of the memory that a pass requires, in bytes.
//!
//! ```text
//! forward =  4 P +  4 T + 4 B (M / 2d +  4 L d)
//! step    = 20 P + 12 T + 4 B (3 M / 2d + 20 L d)
//! ```
//!
//! in f32. In bf16 the table's values have 2 bytes instead of 4, and weights also have copies of 2 bytes. `P` dense parameters (in a step: weights, gradient, its clipped copy, two moments), `T` table parameters (in a step:
//! values and two moments, all of which become resident since random rows touch every huge page), `B` tokens, `M`
//! matmul and lookup FLOPs of one token (`M / 2d` approximates the number of output elements of the products), `L`
//! layers of width `d`.

use architectures::{Cost, NumericFormat};

use super::phase::Phase;
use experiment::memory_need::Bytes;

/// Bytes of one f32.
const F32: Bytes = 4;

/// Bytes for passes of `tokens` tokens through `layers` layers of width `d_model`.
///
/// # Arguments
/// * `cost`: cost of one token.
pub fn bytes(
    cost: &Cost,
    (layers, d_model): (usize, usize),
    format: NumericFormat,
    phase: Phase,
    tokens: u64,
) -> Bytes {
    let products = (cost.matmul + cost.lookup) / (2 * d_model as u64);
    let width = (layers * d_model) as u64;
    let (dense, table, activations) = match phase {
        Phase::Forward => (1, 1, products + 4 * width),
        Phase::Step => (5, 3, 3 * products + 20 * width),
    };
    let f32_bytes =
        F32 * (dense * cost.params_dense + table * cost.params_table + tokens * activations);
    match format {
        NumericFormat::F32 => f32_bytes,
        NumericFormat::Bf16 => {
            let of_value = F32 - format.bytes();
            f32_bytes + format.bytes() * cost.params_dense - of_value * cost.params_table
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_needs_moments_of_all_rows_and_a_forward_pass_none() {
        let cost = Cost::table(1000, 10) + Cost::matrix(10, 20);
        let single = |phase, tokens| bytes(&cost, (1, 10), NumericFormat::F32, phase, tokens);
        assert_eq!(single(Phase::Forward, 1), 4 * (10_200 + 60));
        assert_eq!(single(Phase::Step, 2), 4 * (30_000 + 1_000 + 2 * 260));
        let half = bytes(&cost, (1, 10), NumericFormat::Bf16, Phase::Step, 2);
        assert_eq!(single(Phase::Step, 2) - half, 2 * 10_000 - 2 * 200);
    }
}
