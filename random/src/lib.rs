//! Counter-based randomness, keyed by (seed, stream, step).
//!
//! Every draw gets a generator of its own, derived from what is drawn and not from what was drawn before it: building
//! things in another order, or more of them, changes nothing.
//!
//! ```text
//! generator(seed, stream, step) = ChaCha8(key = BLAKE3(seed ‖ step ‖ stream)),   seed and step as 8 bytes, little-endian
//! ```
//!
//! ```
//! use rand::Rng;
//!
//! let draw = |step| random::stream(7, "order", step).random::<u64>();
//! assert_eq!(draw(0), 13_310_066_508_152_584_229);
//! assert_ne!(draw(0), draw(1));
//! ```

use rand::SeedableRng;
use rand::seq::SliceRandom;

/// The generator of one key.
pub type Stream = rand_chacha::ChaCha8Rng;

/// The generator of one draw.
///
/// # Arguments
/// * `name`: what the draw decides, for example `biographies.names`.
/// * `step`: which draw of that name.
pub fn stream(seed: u64, name: &str, step: u64) -> Stream {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(&step.to_le_bytes());
    // The name comes last: it alone has no fixed length, so no two keys have the same bytes.
    hasher.update(name.as_bytes());
    Stream::from_seed(*hasher.finalize().as_bytes())
}

/// `0..n` in an order fixed by the key.
pub fn permutation(n: usize, seed: u64, name: &str, step: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(&mut stream(seed, name, step));
    order
}

// Another checkout that shares the target folder compiles this crate again: see .cargo/config.toml.
const _: Option<&str> = option_env!("ISOFLOP_CHECKOUT");

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn every_part_of_the_key_matters_and_nothing_else_does() {
        let draw = |seed, name, step| stream(seed, name, step).random::<u64>();
        let first = draw(1, "a", 2);
        assert_eq!(first, draw(1, "a", 2));
        for other in [draw(2, "a", 2), draw(1, "b", 2), draw(1, "a", 3)] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn a_permutation_has_every_index_once() {
        let mut order = permutation(100, 7, "x", 0);
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }
}
