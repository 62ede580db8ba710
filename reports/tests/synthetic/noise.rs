//! Scatter that is the same in every run of the tests.

/// A number in [0, 1) that depends on its arguments and looks random: splitmix64.
pub fn noise(parts: &[u64]) -> f64 {
    let mut z = parts.iter().fold(0x9E37_79B9_7F4A_7C15u64, |z, part| {
        (z ^ part)
            .wrapping_mul(0xBF58_476D_1CE4_E5B9)
            .rotate_left(31)
    });
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}
