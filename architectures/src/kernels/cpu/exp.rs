//! An exponential that compiles to vector code; the C library's is one call per number.

/// `e^x` with a relative error below 3e-7; `x` is clamped to [-87, 88], so results are between 1.6e-38 and 1.7e38.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    /// Added to a number, leaves the nearest integer in the low bits of the sum.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 as a sum of two; the first has enough trailing zeros that its product with an integer is exact.
    const LN_2: (f32, f32) = (0.693_359_4, -2.121_944_4e-4);
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2.0) - n * LN_2.1;
    let tail = 1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0)));
    let fraction = 1.0 + r + r * r * (0.5 + r * tail);
    f32::from_bits(shifted.to_bits().wrapping_add(127) << 23) * fraction
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_close_to_the_exact_exponential() {
        for i in -8700..8800 {
            let x = i as f32 / 100.0;
            let exact = f64::from(x).exp();
            assert!(((f64::from(exp(x)) - exact) / exact).abs() < 3e-7, "{x}");
        }
        assert!(exp(f32::NEG_INFINITY) < 1e-37);
        assert!(exp(f32::NAN).is_nan());
    }
}
