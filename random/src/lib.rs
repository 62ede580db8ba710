//! Keyed pseudorandom generators: one independent generator for each key (seed, stream name, step).
//!
//! A generator depends on its key and not on earlier draws, so adding or reordering draws does not change the others.
//!
//! ```text
//! generator(seed, name, step) = ChaCha8(key = BLAKE3(seed ‖ step ‖ name)),   seed and step as 8 bytes, little-endian
//! ```
//!
//! ```
//! use rand::Rng;
//!
//! let draw = |step| random::stream(7, "order", step).random::<u64>();
//! assert_eq!(draw(0), 13_310_066_508_152_584_229);
//! assert_ne!(draw(0), draw(1));
//! ```

mod indexed;

pub use indexed::IndexedPermutation;

use rand::SeedableRng;
use rand::seq::SliceRandom;

/// The type of the generators.
pub type Stream = rand_chacha::ChaCha8Rng;

/// The generator of one key.
///
/// # Arguments
/// * `seed`: seed of the experiment.
/// * `name`: name of the stream, for example `biographies.names`.
/// * `step`: index of the generator within the stream, for example the epoch.
pub fn stream(seed: u64, name: &str, step: u64) -> Stream {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(&step.to_le_bytes());
    // The name is last because only its length varies, so that different keys have different bytes.
    hasher.update(name.as_bytes());
    Stream::from_seed(*hasher.finalize().as_bytes())
}

/// A random permutation of `0..n`, determined by the key as in [`stream`].
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
    fn the_generator_depends_on_every_part_of_the_key() {
        let draw = |seed, name, step| stream(seed, name, step).random::<u64>();
        let first = draw(1, "a", 2);
        assert_eq!(first, draw(1, "a", 2));
        for other in [draw(2, "a", 2), draw(1, "b", 2), draw(1, "a", 3)] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn a_permutation_contains_every_index_once() {
        let mut order = permutation(100, 7, "x", 0);
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }
}
